use holder_hal::Celsius;

use super::*;
use crate::batch::curve::Interruption;
use crate::batch::fixture::recipe;
use crate::batch::judge::tests::{LIMIT, good, milli, row};

/// The facts of rows of two probes.
fn facts_of(rows: Vec<Row>) -> Vec<Moment> {
    moments(&recipe(), &Curve { rows, ..good() }, 0, 0)
}

#[test]
fn a_limit_is_the_floor_with_uncertainty_and_margin_and_never_below_the_floor() {
    let of = |uncertainty, margin| {
        let (milk_uncertainty, margin) =
            (vec![Kelvin::from_milli(uncertainty)], Kelvin::from_milli(margin));
        let curve = Curve { milk_uncertainty, margin, ..good() };
        limits(&recipe(), &curve).collect::<Vec<_>>()
    };
    assert_eq!(of(100, 200), [62_800]);
    assert_eq!(of(-100, 200), [62_700]);
    assert_eq!(of(100, -200), [62_600]);
    assert_eq!(of(-100, -200), [62_500]);
}

#[test]
fn a_hold_may_begin_five_hundredths_above_the_limit_if_every_probe_is_there() {
    let begins = |milk: &[i32]| facts_of(vec![row(0, milk)])[0].begins;
    assert!(begins(&[LIMIT + 50, LIMIT + 50]));
    assert!(!begins(&[LIMIT + 50, LIMIT + 49]));
    assert!(!begins(&[LIMIT + 49, LIMIT + 50]));
    assert!(!begins(&[LIMIT + 50]), "the second is not known");
}

#[test]
fn without_a_required_probe_nothing_begins_and_nothing_is_cooled() {
    let curve = Curve { milk_uncertainty: Vec::new(), rows: vec![row(0, &[5_000])], ..good() };
    let moment = moments(&recipe(), &curve, 0, 0)[0];
    assert!(!moment.begins && !moment.all_read && !moment.all_known());
    assert!(!moment.is_cooled_to(10_000));
}

#[test]
fn coldest_and_hottest_are_those_of_the_probes() {
    let moment = facts_of(vec![row(0, &[63_000, 62_000])])[0];
    assert_eq!(moment.coldest.map(|mean| mean.down()), milli(62_000));
    assert_eq!(moment.hottest.map(|mean| mean.up()), milli(63_000));
    // 0.1 °C of uncertainty and 0.2 °C of margin.
    assert_eq!(moment.hottest_possible.map(|mean| mean.up()), milli(63_300));
    let known = facts_of(vec![row(0, &[63_000])])[0];
    assert!(known.coldest.is_none(), "a probe that is not known may be colder");
    assert_eq!(known.hottest.map(|mean| mean.up()), milli(63_000));
}

#[test]
fn the_hottest_possible_milk_is_that_of_the_probe_with_its_own_uncertainty() {
    let mut curve = Curve { rows: vec![row(0, &[63_000, 62_500])], ..good() };
    curve.milk_uncertainty[1] = Kelvin::from_milli(700);
    let moment = moments(&recipe(), &curve, 0, 0)[0];
    assert_eq!(moment.hottest_possible.map(|mean| mean.up()), milli(63_400));
}

#[test]
fn the_first_probe_below_its_limit_is_told_with_its_mean() {
    let below = |milk: &[i32]| {
        let below = facts_of(vec![row(0, milk)])[0].below;
        below.map(|below| (below.probe, below.mean.down(), below.limit))
    };
    assert_eq!(below(&[LIMIT, LIMIT]), None);
    assert_eq!(below(&[LIMIT, LIMIT - 1]), Some((1, Celsius::from_milli(LIMIT - 1), 62_800)));
    assert_eq!(below(&[LIMIT - 1, LIMIT - 9]).map(|below| below.0), Some(0));
}

#[test]
fn milk_is_cooled_at_the_target_and_heated_at_a_line_with_every_probe() {
    let at = |milk: &[i32]| facts_of(vec![row(0, milk)])[0];
    assert!(at(&[10_000, 9_000]).is_cooled_to(10_000));
    assert!(!at(&[10_001, 9_000]).is_cooled_to(10_000));
    assert!(!at(&[9_000]).is_cooled_to(10_000), "one was not read");
    assert!(at(&[58_000, 59_000]).is_heated_to(58_000));
    assert!(!at(&[57_999, 59_000]).is_heated_to(58_000));
    assert!(!at(&[59_000]).is_heated_to(58_000));
}

#[test]
fn a_probe_that_is_not_read_is_known_by_its_mean() {
    let moments = facts_of(vec![row(0, &[9_000, 9_000]), row(9, &[9_000]), row(10, &[9_000])]);
    let known: Vec<_> = moments.iter().map(|m| (m.all_read, m.all_known())).collect();
    assert_eq!(known, [(true, true), (false, true), (false, false)]);
}

#[test]
fn the_longest_gap_above_what_is_allowed_is_told_and_the_first_of_equals() {
    let gap = |rows: Vec<Row>| {
        let last = facts_of(rows).pop().expect("a row");
        last.gap.map(|gap| (gap.probe, gap.ms))
    };
    let both = |t_s| row(t_s, &[63_000, 63_000]);
    assert_eq!(gap(vec![both(0), both(10)]), None);
    assert_eq!(gap(vec![both(0), both(11)]), Some((0, 11_000)));
    let second_only = Row {
        milk: {
            let mut milk = both(0).milk;
            milk[0] = None;
            milk
        },
        ..row(2, &[])
    };
    assert_eq!(gap(vec![both(0), second_only, both(13)]), Some((0, 13_000)));
    assert_eq!(gap(vec![both(0), row(2, &[63_000]), both(13)]), Some((1, 13_000)));
    assert_eq!(gap(vec![both(0), row(12, &[63_000]), row(13, &[63_000])]), Some((1, 13_000)));
    // A probe that never spoke is silent since the loading.
    assert_eq!(gap(vec![row(11, &[63_000])]), Some((0, 11_000)));
}

#[test]
fn the_lid_is_as_it_was_last_told_also_before_the_loading() {
    let told = |lids: &[Option<bool>]| {
        let rows = lids.iter().zip(0..).map(|(lid, s)| Row { lid: *lid, ..row(s, &[]) }).collect();
        let curve = Curve { rows, ..good() };
        moments(&recipe(), &curve, 2, 2_000).iter().map(|m| m.lid_open).collect::<Vec<_>>()
    };
    let (open, closed) = (Some(false), Some(true));
    assert_eq!(told(&[open, None, None, closed, None, open]), [true, false, false, true]);
    assert_eq!(told(&[open, closed, None, None]), [false, false]);
    assert_eq!(told(&[None, None, None]), [false]);
}

#[test]
fn the_first_row_after_the_controller_was_gone_is_resumed() {
    let resumed = |at_ms: &[u64]| {
        let one = |at_ms: &u64| Interruption { at_ms: *at_ms, outage_ms: None };
        let interruptions = at_ms.iter().map(one).collect();
        let rows = (0..6).map(|s| row(s, &[])).collect();
        let curve = Curve { interruptions, rows, ..good() };
        let moments = moments(&recipe(), &curve, 2, 2_000);
        moments.iter().filter(|m| m.resumed).map(|m| m.t_ms).collect::<Vec<_>>()
    };
    assert_eq!(resumed(&[2_000]), [0; 0], "when the bottles went in");
    assert_eq!(resumed(&[2_001]), [3_000]);
    assert_eq!(resumed(&[3_000]), [3_000]);
    assert_eq!(resumed(&[3_001, 3_500, 5_000]), [4_000, 5_000]);
}
