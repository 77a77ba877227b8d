//! The other rules of the table.

use super::*;

/// The heaviest finding of one rule, after one hot minute in the hold.
fn at_peak(milk: i32) -> (Outcome, Option<Severity>) {
    let mut curve = good();
    curve.milk_uncertainty.truncate(1);
    let found = verdict(&with(curve, BEGIN_S + 60..BEGIN_S + 120, both(milk)));
    (found.outcome, severity(&found, Rule::Ceiling))
}

#[test]
fn the_hottest_milk_is_judged_with_uncertainty_and_margin_added() {
    assert_eq!(at_peak(63_200), (Outcome::Acceptable, None));
    assert_eq!(at_peak(63_201), (Outcome::Acceptable, Some(Severity::Note)));
    assert_eq!(at_peak(64_200), (Outcome::Acceptable, Some(Severity::Note)));
    assert_eq!(at_peak(64_201), (Outcome::Acceptable, Some(Severity::Deviation)));
    assert_eq!(at_peak(65_700), (Outcome::Acceptable, Some(Severity::Deviation)));
    assert_eq!(at_peak(65_701), (Outcome::Unacceptable, Some(Severity::Fail)));
}

/// REQ-CEIL-01
#[test]
fn the_ceiling_is_judged_until_the_milk_is_cooled() {
    let hot = |curve, at| verdict(&with(curve, at..at + 10, both(90_000)));
    assert_eq!(severity(&hot(good(), COMPLETE_S + 905), Rule::Ceiling), Some(Severity::Fail));
    let after = stretched(good(), END_S, 60);
    assert_eq!(severity(&hot(after, END_S), Rule::Ceiling), None, "washing of the machine");
}

#[test]
fn milk_is_cooled_on_a_row_on_which_every_probe_is_read() {
    let blind = with(good(), COMPLETE_S + 905..COMPLETE_S + 915, |row| row.milk[1] = None);
    assert_eq!(verdict(&blind).figures.cool_to_10_s, Some(915.0));
}

#[test]
fn a_slow_heat_up_is_a_note_and_one_of_hours_fails() {
    let heated = |after_s: u64| {
        let found = verdict(&stretched(good(), 600, after_s - BEGIN_S));
        (found.outcome, severity(&found, Rule::HeatUp))
    };
    assert_eq!(heated(2_400), (Outcome::Acceptable, None));
    assert_eq!(heated(2_401), (Outcome::Acceptable, Some(Severity::Note)));
    assert_eq!(heated(14_400), (Outcome::Acceptable, Some(Severity::Note)));
    assert_eq!(heated(14_401), (Outcome::Unacceptable, Some(Severity::Fail)));
}

#[test]
fn slow_cooling_is_a_note_and_an_hour_fails() {
    // The mean is cold 9 s after the milk.
    let cooled = |after_s: u64| {
        let found = verdict(&stretched(good(), COMPLETE_S + 500, after_s - 910));
        assert_eq!(found.figures.cool_to_10_s, Some(after_s as f64));
        (found.outcome, severity(&found, Rule::Cooling))
    };
    assert_eq!(cooled(1_200), (Outcome::Acceptable, None));
    assert_eq!(cooled(1_201), (Outcome::Acceptable, Some(Severity::Note)));
    assert_eq!(cooled(3_600), (Outcome::Acceptable, Some(Severity::Note)));
    assert_eq!(cooled(3_601), (Outcome::Unacceptable, Some(Severity::Fail)));
}

#[test]
fn milk_that_was_never_cold_fails_although_one_probe_was() {
    let warm =
        |value| with(own(), COMPLETE_S + 900..END_S + 1, move |row| row.milk[1] = milli(value));
    assert_eq!(outcome(&warm(10_000)), Outcome::Acceptable);
    let found = verdict(&warm(10_001));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(severity(&found, Rule::Cooling), Some(Severity::Fail));
    assert_eq!(found.figures.cool_to_10_s, None);
    assert_eq!(found.figures.cycle_s, None);
}

/// REQ-SPREAD-01
#[test]
fn probes_that_differ_by_more_than_half_a_degree_are_a_deviation() {
    let apart = |value| with(good(), BEGIN_S..COMPLETE_S, move |row| row.milk[1] = milli(value));
    let (near, far) = (verdict(&apart(HELD + 500)), verdict(&apart(HELD + 501)));
    assert_eq!(severity(&near, Rule::Spread), None);
    assert_eq!(severity(&far, Rule::Spread), Some(Severity::Deviation));
    assert_eq!(far.figures.spread_max_c, Some(0.501));
    assert_eq!(far.outcome, Outcome::Acceptable, "QA decides a deviation");
}

#[test]
fn a_recorder_that_reads_higher_than_the_reference_is_a_deviation() {
    let beside = |value| {
        let curve = Curve { has_reference: true, ..good() };
        verdict(&with(curve, HOT_S..COMPLETE_S, move |row| row.reference = milli(value)))
    };
    // Half a resolution of 0.01 °C, and 0.05 °C.
    assert_eq!(severity(&beside(HELD - 55), Rule::Reference), Some(Severity::Note));
    assert_eq!(severity(&beside(HELD - 56), Rule::Reference), Some(Severity::Deviation));
    assert_eq!(severity(&beside(HELD + 300), Rule::Reference), Some(Severity::Note));
}

#[test]
fn a_reference_that_said_nothing_is_a_deviation() {
    let found = verdict(&Curve { has_reference: true, ..good() });
    assert_eq!(severity(&found, Rule::Reference), Some(Severity::Deviation));
}

#[test]
fn a_reference_that_falls_silent_in_the_hold_is_a_deviation() {
    let silent = |from, to| {
        let curve = Curve { has_reference: true, ..good() };
        let level = with(curve, HOT_S..COMPLETE_S + 1, |row| row.reference = milli(HELD));
        let found = verdict(&with(level, from..to, |row| row.reference = None));
        (severity(&found, Rule::Reference), found.findings)
    };
    assert_eq!(silent(2_001, 2_010).0, Some(Severity::Note));
    assert_eq!(silent(2_001, 2_011).0, Some(Severity::Deviation));
    let (heaviest, findings) = silent(BEGIN_S + 10, END_S);
    assert_eq!(heaviest, Some(Severity::Deviation));
    let texts: Vec<_> = findings.iter().map(|found| found.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("said nothing for 29 min 51 s")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("could not be compared")), "{texts:?}");
}

#[test]
fn a_mean_over_few_readings_is_not_compared_with_the_reference() {
    let beside = |read_s: u64| {
        let curve = Curve { has_reference: true, ..good() };
        let from = BEGIN_S + 301;
        let read = from..from + read_s;
        let level = with(curve, read, |row| row.reference = milli(HELD));
        let found = verdict(&level).findings;
        found.iter().any(|found| found.text.contains("could not be compared"))
    };
    assert!(beside(239), "less than 80 % of the 300 rows of five minutes");
    assert!(!beside(240));
}

#[test]
fn five_minute_means_forgive_a_moment_above_the_reference() {
    let curve = Curve { has_reference: true, ..good() };
    let level = with(curve, HOT_S..COMPLETE_S, |row| row.reference = milli(HELD));
    let moment = with(level, 2_000..2_010, |row| row.reference = milli(HELD - 1_000));
    assert_eq!(severity(&verdict(&moment), Rule::Reference), Some(Severity::Note));
}

#[test]
fn a_minute_without_readings_outside_of_the_hold_is_a_deviation() {
    assert_eq!(severity(&verdict(&without(good(), 301..360)), Rule::SampleInterval), None);
    let found = verdict(&without(good(), 301..361));
    assert_eq!(severity(&found, Rule::SampleInterval), Some(Severity::Deviation));
    assert_eq!(found.figures.gap_max_s, Some(61.0));
    assert_eq!(found.outcome, Outcome::Acceptable);
}

#[test]
fn the_gap_of_a_slow_logger_is_measured_by_its_own_limit() {
    let slow = |gap_s: u64| {
        let curve = Curve { max_gap_ms: 90_000, ..good() };
        severity(&verdict(&without(curve, 301..300 + gap_s)), Rule::SampleInterval)
    };
    assert_eq!(slow(90), None);
    assert_eq!(slow(91), Some(Severity::Deviation));
}

#[test]
fn a_gap_that_restarted_the_hold_is_told_once() {
    let gap = stretched(without(good(), BEGIN_S + 100..BEGIN_S + 200), COMPLETE_S, 600);
    let found = verdict(&gap);
    assert_eq!(severity(&found, Rule::HoldRestarted), Some(Severity::Deviation));
    assert_eq!(severity(&found, Rule::SampleInterval), None);
}

#[test]
fn a_lid_switch_that_says_nothing_during_the_hold_is_a_deviation() {
    let curve = || {
        let curve = Curve { has_lid: true, ..good() };
        with(curve, 0..END_S + 1, |row| row.lid = Some(true))
    };
    let silent = |s: u64| with(curve(), 2_001..2_000 + s, |row| row.lid = None);
    assert_eq!(severity(&verdict(&silent(10)), Rule::Lid), None);
    assert_eq!(severity(&verdict(&silent(11)), Rule::Lid), Some(Severity::Deviation));
}

#[test]
fn the_figures_of_the_literature_are_notes_when_out_of_range() {
    let long = verdict(&stretched(good(), COMPLETE_S, 361));
    assert_eq!(severity(&long, Rule::Plateau), Some(Severity::Note));
    assert_eq!(severity(&verdict(&stretched(good(), COMPLETE_S, 360)), Rule::Plateau), None);
    let warm = with(good(), HOT_S - 1_100..HOT_S, both(60_000));
    let found = verdict(&stretched(warm, 600, 1_000));
    assert_eq!(severity(&found, Rule::ComeUp58), Some(Severity::Note));
    let found = verdict(&stretched(with(good(), 50..HOT_S, both(60_000)), 600, 2_000));
    assert_eq!(severity(&found, Rule::Above58), Some(Severity::Note));
    assert_eq!(found.outcome, Outcome::Acceptable);
}

#[test]
fn the_figures_are_those_of_the_curve() {
    let figures = verdict(&own()).figures;
    assert_eq!(figures.come_up_s, Some((BEGIN_S - 100) as f64));
    assert_eq!(figures.t58_to_floor_s, Some(0.0), "a jump");
    assert_eq!(figures.hold_s, Some(1_800.0));
    assert_eq!(figures.plateau_min_c, Some(63.0));
    assert_eq!(figures.plateau_max_c, Some(63.0));
    assert_eq!(figures.plateau_mean_c, Some(63.0));
    assert_eq!(figures.spread_max_c, Some(0.0));
    assert_eq!(figures.cool_to_10_s, Some(910.0));
    assert_eq!(figures.cycle_s, Some((COMPLETE_S + 910 - 100) as f64));
    assert_eq!(figures.gap_max_s, Some(1.0));
    assert_eq!(figures.samples, END_S + 1 - 100);
    assert_eq!((figures.z_c, figures.tref_c), (10.8, 62.5));
    // 1829 s at 63.0 °C weigh 10^(0.5 / 10.8) = 1.1125 each, 900 s at 40 °C 0.0083 each.
    let expected = (1_829.5 * 1.1125 + 900.0 * 0.0083) / 60.0;
    let equivalent = figures.equivalent_min.expect("a figure");
    assert!((equivalent - expected).abs() < 0.02, "{equivalent} instead of {expected}");
}

#[test]
fn findings_come_by_weight_and_then_by_time() {
    let curve = with(good(), BEGIN_S + 60..BEGIN_S + 120, both(65_000));
    let curve = with(curve, BEGIN_S + 50..BEGIN_S + 51, |row| row.lid = Some(false));
    let found = verdict(&without(curve, 301..400)).findings;
    let order: Vec<_> = found.iter().map(|f| (f.severity, f.at_s)).collect();
    assert!(order.len() > 4, "{found:?}");
    let key = |(severity, at): (Severity, Option<f64>)| {
        (std::cmp::Reverse(severity), at.map_or(u64::MAX, |at| at as u64))
    };
    assert!(order.iter().copied().map(key).is_sorted(), "{order:?}");
}
