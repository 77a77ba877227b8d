use super::*;
use crate::batch::fixture::recipe;
use crate::batch::judge::tests::{BEGIN_S, COMPLETE_S, HELD, HOT_S, milli, own, with};

fn behind(curve: &Curve) -> Option<Behind> {
    behind_first(&recipe(), curve)
}

/// The second probe reads so much less than the first, in these seconds.
fn slow(s: std::ops::Range<u64>, by_milli: i32) -> Curve {
    with(own(), s, |row| row.milk[1] = milli(HELD - by_milli))
}

#[test]
fn two_probes_that_read_alike_are_not_behind() {
    let found = behind(&own()).expect("it begins");
    assert_eq!(found.at_begin, vec![Celsius::from_milli(HELD); 2]);
    assert_eq!(found.max_mk, 0);
    assert_eq!(behind(&Curve { rows: Vec::new(), ..own() }), None);
}

#[test]
fn a_probe_is_behind_from_where_the_first_alone_begins_though_the_hold_of_both_begins_later() {
    // The slow one comes 300 s later; from then on both read alike.
    let found = behind(&slow(HOT_S..BEGIN_S + 300, 600)).expect("it begins");
    assert_eq!(found.at_begin[1], Celsius::from_milli(HELD - 600));
    assert_eq!(found.max_mk, 600);
    // Before the control bottle clears its limit nothing is compared.
    assert_eq!(behind(&slow(HOT_S..BEGIN_S - 10, 600)).expect("it begins").max_mk, 0);
    // On the row with which it begins the mean has one of ten such readings left, or none.
    let until = |s: u64| behind(&slow(HOT_S..s, 600)).expect("it begins").max_mk;
    assert_eq!((until(BEGIN_S - 8), until(BEGIN_S - 9)), (60, 0));
}

#[test]
fn the_worst_counts_until_the_cooling_begins_and_a_warmer_probe_is_not_behind() {
    let late = slow(BEGIN_S + 600..BEGIN_S + 620, 250);
    assert_eq!(behind(&late).expect("it begins").max_mk, 250);
    assert_eq!(behind(&slow(COMPLETE_S + 1..COMPLETE_S + 30, 250)).expect("it begins").max_mk, 0);
    assert_eq!(behind(&slow(HOT_S..COMPLETE_S, -250)).expect("it begins").max_mk, 0);
}

#[test]
fn a_probe_that_was_not_seen_may_have_been_colder_than_any_figure() {
    let silent = |s: u64| with(own(), BEGIN_S + 60..BEGIN_S + 60 + s, |row| row.milk[1] = None);
    assert_eq!(behind(&silent(9)).map(|found| found.max_mk), Some(0));
    assert_eq!(behind(&silent(10)), None);
}

#[test]
fn the_margin_of_the_curve_decides_when_the_control_bottle_begins() {
    // The control bottle stands at 62.75 °C for ten minutes, with the other 0.4 °C behind it.
    let rising = with(own(), HOT_S..HOT_S + 600, |row| {
        (row.milk[0], row.milk[1]) = (milli(62_750), milli(62_350));
    });
    assert_eq!(behind(&rising).expect("it begins").max_mk, 0);
    let measured = Curve { margin: holder_hal::Kelvin::from_milli(100), ..rising };
    assert_eq!(behind(&measured).expect("it begins").max_mk, 400);
}
