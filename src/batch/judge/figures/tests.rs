use super::*;
use crate::batch::curve::Curve;
use crate::batch::fixture::recipe;
use crate::batch::judge::tests::{BEGIN_S, COMPLETE_S, good, milli, row, with};

fn seen<T>(curve: &Curve, ask: impl FnOnce(&Seen) -> T) -> T {
    let recipe = recipe();
    ask(&Seen::new(&recipe, curve))
}

/// Two probes with the same milk, a row every 10 s: each mean is that of its row.
fn milk(values: &[i32]) -> Curve {
    let rows = values.iter().zip(0..).map(|(milk, at)| row(at * 10, &[*milk, *milk])).collect();
    Curve { rows, ..good() }
}

#[test]
fn from_58_degrees_to_the_floor_counts_the_last_rise() {
    let ms = |values: &[i32]| seen(&milk(values), warm_to_floor_ms);
    assert_eq!(ms(&[57_999, 58_000, 60_000, 62_499, 62_500, 63_000]), Some(30_000));
    assert_eq!(ms(&[58_000, 57_999, 58_000, 62_500]), Some(10_000), "it fell below again");
    assert_eq!(ms(&[57_000, 62_500]), Some(0));
    assert_eq!(ms(&[58_000, 62_499]), None);
}

#[test]
fn rows_with_a_probe_that_is_not_known_say_nothing_of_58_degrees() {
    let mut curve = milk(&[58_000, 58_000, 62_500]);
    curve.rows[1].milk[1] = None;
    assert_eq!(seen(&curve, warm_to_floor_ms), Some(20_000));
}

#[test]
fn time_above_58_degrees_counts_between_warm_rows_that_are_near_each_other() {
    let ms = |values: &[i32]| seen(&milk(values), above_warm_ms);
    assert_eq!(ms(&[57_999, 58_000, 60_000, 58_000, 57_000, 58_000]), Some(20_000));
    assert_eq!(ms(&[50_000, 50_000]), Some(0));
    assert_eq!(ms(&[]), None);
    let apart = |s: u64| {
        let mut curve = milk(&[60_000, 60_000, 60_000]);
        curve.rows[2].t_ms = 10_000 + s * 1_000;
        seen(&curve, above_warm_ms)
    };
    assert_eq!(apart(10), Some(20_000));
    assert_eq!(apart(11), Some(10_000), "longer than the gap that is allowed");
}

#[test]
fn the_mean_of_a_plateau_weighs_by_time() {
    let mean = |values: &[(u64, i32)]| {
        let rows = values.iter().map(|(t_s, milk)| row(*t_s, &[*milk, *milk])).collect();
        let curve = Curve { rows, max_gap_ms: 900_000, ..good() };
        seen(&curve, |seen| mean_over_time(&seen.moments).map(thousandths))
    };
    // 62 to 64 in 10 s, and 64 for 30 s.
    assert_eq!(mean(&[(0, 62_000), (10, 64_000), (40, 64_000)]), Some(63.75));
    assert_eq!(mean(&[(0, 62_000)]), Some(62.0));
    assert_eq!(mean(&[]), None);
}

#[test]
fn the_figures_of_a_plateau_are_those_of_its_coldest_and_hottest_probe() {
    // From 9 s before the hold, so that the mean of its first row is whole.
    let curve = with(good(), BEGIN_S - 9..COMPLETE_S + 1, |row| row.milk[1] = milli(63_200));
    let curve = with(curve, 2_000..2_010, |row| row.milk[0] = milli(62_900));
    let figures = seen(&curve, figures);
    assert_eq!(figures.plateau_min_c, Some(62.9));
    assert_eq!(figures.plateau_max_c, Some(63.2));
    // Ten readings of 1801 are 0.1 °C lower.
    assert_eq!(figures.plateau_mean_c, Some(62.999));
    assert_eq!(figures.spread_max_c, Some(0.3));
    assert_eq!(figures.holds_restarted, 0);
}

#[test]
fn equivalent_minutes_count_the_coldest_of_the_required_probes() {
    let minutes = |second: Option<i32>| {
        let warm = with(good(), 0..9_999, |row| row.milk[0] = milli(62_500));
        let mut curve = with(warm, 0..9_999, |row| row.milk[1] = second.and_then(milli));
        curve.rows.truncate(601);
        seen(&curve, figures).equivalent_min
    };
    assert_eq!(minutes(Some(62_500)), Some(10.0));
    assert_eq!(minutes(Some(64_000)), Some(10.0));
    // 10.8 °C colder is a tenth of the effect.
    assert_eq!(minutes(Some(51_700)), Some(1.0));
    assert_eq!(minutes(None), None, "never known");
}

#[test]
fn what_the_curve_does_not_show_has_no_figure() {
    let figures = seen(&milk(&[]), figures);
    assert_eq!((figures.come_up_s, figures.hold_s, figures.cool_to_10_s), (None, None, None));
    assert_eq!((figures.gap_max_s, figures.cycle_s, figures.samples), (None, None, 0));
}
