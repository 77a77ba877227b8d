use super::*;
use crate::batch::curve::Curve;
use crate::batch::fixture::recipe;
use crate::batch::judge::tests::{
    BEGIN_S, COMPLETE_S, END_S, HELD, both, good, milli, row, stretched, with, without,
};

fn seen<T>(curve: &Curve, ask: impl FnOnce(&Seen) -> T) -> T {
    let recipe = recipe();
    ask(&Seen::new(&recipe, curve))
}

fn told(
    curve: &Curve,
    ask: impl FnOnce(&Seen) -> Option<Finding>,
) -> Option<(Rule, Severity, Option<f64>, String)> {
    seen(curve, ask).map(|found| (found.rule, found.severity, found.at_s, found.text))
}

#[test]
fn probes_may_differ_by_half_a_kelvin_in_the_hold() {
    let apart = |over: i32| {
        let s = BEGIN_S + 100..BEGIN_S + 200;
        told(&with(good(), s, |row| row.milk[1] = milli(HELD + over)), spread)
    };
    assert_eq!(apart(500), None);
    let text = "The milk probes differed by 0.501 °C during the hold; 0.500 °C is allowed.";
    // The mean of 10 s is there 9 s later, and the first of many is told.
    let at_s = Some((BEGIN_S + 109) as f64);
    assert_eq!(apart(501), Some((Rule::Spread, Severity::Deviation, at_s, text.to_owned())));
}

#[test]
fn one_probe_differs_from_none() {
    let mut curve = good();
    curve.milk_uncertainty.truncate(1);
    assert_eq!(seen(&curve, spread_max), None);
    assert_eq!(seen(&good(), spread_max), Some((BEGIN_S * 1_000, 0)));
}

#[test]
fn the_pace_is_the_median_of_the_steps() {
    let pace = |at_s: &[u64]| pace_ms(&at_s.iter().map(|s| row(*s, &[])).collect::<Vec<_>>());
    // Steps of 4, 1, 3 and 2 s.
    assert_eq!(pace(&[0, 4, 5, 8, 10]), Some(3_000));
    assert_eq!(pace(&[0, 5, 105]), Some(100_000));
    assert_eq!(pace(&[0]), None);
}

/// Beside a reference that reads so much below the recorder in the hold, millikelvin.
fn referenced(over: impl Fn(u64) -> Option<i32>) -> Curve {
    let mut curve = Curve { has_reference: true, ..good() };
    for row in curve.rows.iter_mut().filter(|row| row.t_ms >= BEGIN_S * 1_000) {
        let over = over(row.t_ms / 1_000 - BEGIN_S);
        row.reference = row.milk[0].zip(over).and_then(|(milk, over)| milli(milk.milli() - over));
    }
    curve
}

#[test]
fn the_first_mean_over_the_reference_ends_five_minutes_after_the_hold_began() {
    let found = |over: fn(u64) -> Option<i32>| seen(&referenced(over), over_reference);
    let at = |s: u64| (BEGIN_S + s) * 1_000;
    assert_eq!(found(|_| Some(40)), Some((at(300), 12_000, 300)));
    // Higher for five minutes: the first whole mean of it.
    let later = |s| Some(if (1_000..1_500).contains(&s) { 50 } else { 40 });
    assert_eq!(found(later), Some((at(1_299), 15_000, 300)));
    // A mean of fewer rows that is higher, although its sum is not.
    let sparse = |s| match s {
        0..600 => Some(40),
        600..640 => None,
        640..900 => Some(44),
        _ => Some(0),
    };
    assert_eq!(found(sparse), Some((at(899), 260 * 44, 260)));
    // And one of more rows that is lower, although its sum is higher.
    let filled = |s| match s {
        0..=60 => None,
        61..=300 => Some(44),
        301..=600 => Some(40),
        _ => Some(0),
    };
    assert_eq!(found(filled), Some((at(300), 240 * 44, 240)));
}

#[test]
fn the_mean_needs_four_fifths_of_its_rows() {
    let read = |rows: u64| {
        let from = move |s: u64| (301..301 + rows).contains(&s).then_some(40);
        seen(&referenced(from), over_reference).is_some()
    };
    assert!(read(240) && !read(239));
}

#[test]
fn the_recorder_is_told_beside_the_reference_with_its_side() {
    let of = |over: i32| told(&referenced(move |_| Some(over)), reference).expect("told");
    let (rule, severity, at_s, text) = of(56);
    assert_eq!((rule, severity), (Rule::Reference, Severity::Deviation));
    assert_eq!(at_s, Some((BEGIN_S + 300) as f64));
    let expected = "In means of 5 min the recorder read 0.056 °C above the reference probe at its \
                    highest; 0.055 °C above is allowed.";
    assert_eq!(text, expected);
    assert_eq!(of(55).1, Severity::Note);
    assert!(of(0).3.contains("read 0.000 °C above"), "{}", of(0).3);
    assert!(of(-20).3.contains("read 0.020 °C below"), "{}", of(-20).3);
}

#[test]
fn without_a_reference_or_a_complete_hold_nothing_is_compared() {
    let compared = referenced(|_| Some(300));
    let unasked = Curve { has_reference: false, ..compared.clone() };
    assert_eq!(told(&unasked, reference), None);
    let short = with(compared, COMPLETE_S - 60..COMPLETE_S + 1, both(40_000));
    assert_eq!(told(&short, reference), None);
}

#[test]
fn a_reference_may_be_silent_for_as_long_as_the_gap_that_is_allowed() {
    let silent = |s: u64| {
        let from = move |at| (!(100..100 + s).contains(&at)).then_some(0);
        told(&referenced(from), reference_unread)
    };
    assert_eq!(silent(9), None);
    let text = "The reference probe said nothing for 11 s during the hold.";
    let at_s = Some((BEGIN_S + 99) as f64);
    assert_eq!(silent(10), Some((Rule::Reference, Severity::Deviation, at_s, text.to_owned())));
    let unasked = Curve { has_reference: false, ..referenced(|_| None) };
    assert_eq!(told(&unasked, reference_unread), None);
}

#[test]
fn a_lid_switch_may_be_silent_for_as_long_and_the_first_of_equals_is_told() {
    let silent = |s: u64| {
        let curve = with(Curve { has_lid: true, ..good() }, 0..END_S, |row| row.lid = Some(true));
        let once = with(curve, BEGIN_S + 100..BEGIN_S + 100 + s, |row| row.lid = None);
        with(once, BEGIN_S + 500..BEGIN_S + 500 + s, |row| row.lid = None)
    };
    assert_eq!(told(&silent(9), lid_unread), None);
    let text = "The lid switch said nothing for 11 s during the hold.";
    let at_s = Some((BEGIN_S + 99) as f64);
    let found = told(&silent(10), lid_unread);
    assert_eq!(found, Some((Rule::Lid, Severity::Deviation, at_s, text.to_owned())));
    assert_eq!(told(&Curve { has_lid: false, ..silent(10) }, lid_unread), None);
}

#[test]
fn a_switch_that_is_silent_from_the_beginning_or_to_the_end_of_the_hold_is_told() {
    let told_between = |s: std::ops::Range<u64>| {
        let curve = Curve { has_lid: true, ..good() };
        told(&with(curve, s, |row| row.lid = Some(true)), lid_unread).map(|told| told.3)
    };
    assert_eq!(told_between(BEGIN_S + 10..COMPLETE_S - 9), None);
    let text = "The lid switch said nothing for 11 s during the hold.";
    assert_eq!(told_between(BEGIN_S + 11..COMPLETE_S).as_deref(), Some(text));
    assert_eq!(told_between(BEGIN_S..COMPLETE_S - 10).as_deref(), Some(text));
}

/// Rows of one recorder and its reference at the same second, below every hold.
fn compared(rows: impl IntoIterator<Item = (u64, i32, i32)>) -> Curve {
    let one = |(t_s, recorder, over): (u64, i32, i32)| {
        let mut row = row(t_s, &[recorder]);
        row.reference = milli(recorder - over);
        row
    };
    Curve { rows: rows.into_iter().map(one).collect(), ..good() }
}

#[test]
fn over_the_whole_curve_the_recorder_may_be_as_far_above_as_in_the_hold() {
    let above = |over: i32, until_s: u64| {
        told(&compared((0..until_s).map(|t_s| (t_s, 30_000, over))), over_reference_anywhere)
    };
    assert_eq!(above(55, 900), None);
    assert_eq!(above(56, 300), None, "less than five minutes");
    let text = "In means of 5 min over the whole curve the recorder read 0.056 °C above the \
                reference probe at its highest, 0.001 °C more than is allowed there.";
    let expected = (Rule::Reference, Severity::Deviation, Some(300.0), text.to_owned());
    assert_eq!(above(56, 301), Some(expected.clone()));
    assert_eq!(above(56, 900), Some(expected), "the first of equals");
}

#[test]
fn in_a_ramp_the_faster_probe_may_be_ahead_by_ten_seconds() {
    for ramp in [1, -1] {
        // 1 mK a second: 10 mK more.
        let above = |over: i32| {
            let row = |t_s: u64| (t_s, 30_000 + ramp * t_s as i32, over);
            told(&compared((0..900).map(row)), over_reference_anywhere).map(|told| told.3)
        };
        assert_eq!(above(65), None);
        let text = above(66).expect("told");
        assert!(text.contains("read 0.066 °C") && text.contains("0.001 °C more"), "{text}");
    }
}

#[test]
fn the_mean_furthest_beyond_is_told() {
    let over = |t_s: u64| if (600..900).contains(&t_s) { 100 } else { 60 };
    let curve = compared((0..1_500).map(|t_s| (t_s, 30_000, over(t_s))));
    let (_, _, at_s, text) = told(&curve, over_reference_anywhere).expect("told");
    assert_eq!(at_s, Some(899.0));
    assert!(text.contains("read 0.100 °C") && text.contains("0.045 °C more"), "{text}");
}

#[test]
fn rows_without_a_reference_are_left_out_and_cooled_milk_is_not_compared() {
    let mut curve = compared((0..600).map(|t_s| (t_s, 30_000, 60)));
    curve.rows.iter_mut().step_by(2).for_each(|row| row.reference = None);
    let text = told(&curve, over_reference_anywhere).expect("told").3;
    assert!(text.contains("read 0.060 °C"), "{text}");
    let cold = stretched(good(), END_S, 2_000);
    let washed = with(cold, END_S..END_S + 2_001, |row| row.reference = milli(3_000));
    assert_eq!(told(&washed, over_reference_anywhere), None);
}

/// The reference reads this in the hold, by the second of it.
fn reference_reads(milk: impl Fn(u64) -> i32) -> Option<(Rule, Severity, Option<f64>, String)> {
    let mut curve = good();
    for row in curve.rows.iter_mut().filter(|row| row.t_ms >= BEGIN_S * 1_000) {
        row.reference = milli(milk(row.t_ms / 1_000 - BEGIN_S));
    }
    told(&curve, reference_below_floor)
}

#[test]
fn by_the_reference_the_milk_is_at_the_floor_with_the_margin() {
    assert_eq!(reference_reads(|_| 62_700), None);
    let text = "By the reference probe the milk was at 62.699 °C during the hold, in the mean of a \
                minute; with the margin it needs 62.700 °C.";
    let expected = (Rule::Reference, Severity::Fail, Some(BEGIN_S as f64), text.to_owned());
    assert_eq!(reference_reads(|_| 62_699), Some(expected));
}

#[test]
fn a_margin_below_zero_does_not_lower_the_floor() {
    let mut curve = Curve { margin: Kelvin::from_milli(-200), ..good() };
    curve.rows.iter_mut().for_each(|row| row.reference = milli(62_499));
    assert!(told(&curve, reference_below_floor).is_some());
    curve.rows.iter_mut().for_each(|row| row.reference = milli(62_500));
    assert_eq!(told(&curve, reference_below_floor), None);
}

#[test]
fn a_moment_of_the_reference_counts_by_its_share_of_a_minute() {
    let dip = |by: i32| reference_reads(move |s| if s == 500 { 62_701 - by } else { 62_701 });
    assert_eq!(dip(60), None, "0.001 °C in the mean of a minute");
    assert_eq!(dip(61).and_then(|told| told.2), Some((BEGIN_S + 500) as f64));
}

#[test]
fn the_coldest_minute_of_the_reference_is_told() {
    let reads = |s| if (300..360).contains(&s) { 62_000 } else { 62_600 };
    let (_, _, at_s, text) = reference_reads(reads).expect("told");
    assert_eq!(at_s, Some((BEGIN_S + 359) as f64));
    assert!(text.contains("at 62.000 °C"), "{text}");
}

#[test]
fn silence_is_told_of_each_probe_from_its_last_reading() {
    let silent = with(good(), 301..361, |row| row.milk[1] = None);
    let found = seen(&silent, sample_interval);
    let told: Vec<_> =
        found.iter().map(|one| (one.severity, one.at_s, one.text.as_str())).collect();
    let text = "Milk probe 2 gave no good reading for 1 min 1 s; one is required every 1 min.";
    assert_eq!(told, [(Severity::Deviation, Some(300.0), text)]);
    let both_silent = seen(&without(good(), 301..361), sample_interval);
    assert_eq!(both_silent.len(), 2);
    assert!(both_silent[0].text.starts_with("Milk probe 1 gave"));
    assert!(seen(&without(good(), 301..360), sample_interval).is_empty());
}

#[test]
fn a_hold_that_broke_for_another_reason_hides_no_silence() {
    let dipped =
        with(stretched(good(), COMPLETE_S, 600), BEGIN_S + 100..BEGIN_S + 102, both(60_000));
    assert_eq!(seen(&dipped, |seen| seen.holds.breaks.len()), 1);
    let silent = without(dipped, BEGIN_S + 100..BEGIN_S + 102);
    assert!(seen(&silent, sample_interval).is_empty());
    // The hold breaks by cold milk in the middle of a silence of the other probe.
    let long = stretched(good(), COMPLETE_S, 600);
    let curve = Curve { max_gap_ms: 50_000, ..long };
    let cold = with(curve, BEGIN_S + 100..BEGIN_S + 165, |row| row.milk[1] = None);
    let cold = with(cold, BEGIN_S + 120..BEGIN_S + 121, |row| row.milk[0] = milli(50_000));
    assert!(seen(&cold, |seen| !matches!(seen.holds.breaks[0].reason, Reason::Gap(_))));
    assert_eq!(seen(&cold, sample_interval).len(), 1);
}

#[test]
fn the_longest_silence_is_a_figure_up_to_the_cooled_milk() {
    assert_eq!(seen(&good(), gap_max_s), Some(1.0));
    assert_eq!(seen(&without(good(), 301..331), gap_max_s), Some(31.0));
    let after = without(good(), COMPLETE_S + 915..COMPLETE_S + 955);
    assert_eq!(seen(&after, gap_max_s), Some(1.0), "cold already");
    let cut = with(good(), COMPLETE_S - 9..END_S + 1, |row| row.milk[0] = None);
    let until_end = (END_S - (COMPLETE_S - 10)) as f64;
    assert_eq!(seen(&cut, gap_max_s), Some(until_end), "never read again");
    assert_eq!(seen(&Curve { rows: Vec::new(), ..good() }, gap_max_s), None);
}
