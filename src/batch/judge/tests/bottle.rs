//! One bottle that follows its bath exactly as told: each limit of lag, stillness and gap from both
//! sides.

use super::*;

/// The bath from the loading on, millidegrees.
const BATH: f64 = 63_200.0;
const LOAD_S: u64 = 100;

/// Two probes in bottles that follow a steady bath with a lag, s, that depends on what they show,
/// °C. The bath swings by 0.02 °C, so that no reading is the one before.
fn followed(lag_s: impl Fn(f64) -> f64) -> Curve {
    let mut milk = 4_000.0;
    let at = |t_s: u64| {
        if t_s > LOAD_S {
            milk += (BATH - milk) / lag_s(milk / 1_000.0);
        }
        let mut row = row(t_s, &[milk as i32, milk as i32]);
        row.bath = super::milli(BATH as i32 + if t_s.is_multiple_of(2) { 10 } else { -10 });
        row
    };
    let rows = (0..6_000).map(at).collect();
    Curve { load_ms: Some(LOAD_S * 1_000), rows, ..good() }
}

fn told(curve: &Curve, rule: Rule) -> Option<(Severity, String)> {
    let found = verdict(curve).findings.into_iter().filter(|finding| finding.rule == rule);
    found.map(|finding| (finding.severity, finding.text)).max()
}

fn lag_told(lag_s: impl Fn(f64) -> f64) -> Option<(Severity, String)> {
    told(&followed(lag_s), Rule::BottleLag)
}

#[test]
fn the_lag_of_a_bottle_is_no_finding_and_less_is_no_bottle() {
    assert_eq!(lag_told(|_| 102.0), None);
    let (severity, text) = lag_told(|_| 97.0).expect("told");
    assert_eq!(severity, Severity::Fail);
    assert!(text.contains("was not in the milk") && text.contains("100 to 1000 s"), "{text}");
}

#[test]
fn a_lag_longer_than_any_bottle_in_moving_water_is_a_deviation() {
    assert_eq!(lag_told(|_| 990.0), None);
    let (severity, text) = lag_told(|_| 1_010.0).expect("told");
    assert_eq!(severity, Severity::Deviation);
    assert!(text.contains("lag of 10") && text.contains("agitator stood still"), "{text}");
}

#[test]
fn a_lag_that_grows_by_more_than_half_is_a_deviation_at_its_time() {
    let grows = |to_s: f64| move |milk_c: f64| if milk_c < 30.0 { 300.0 } else { to_s };
    assert_eq!(lag_told(grows(440.0)), None);
    let curve = followed(grows(470.0));
    let (severity, text) = told(&curve, Rule::BottleLag).expect("told");
    assert_eq!(severity, Severity::Deviation);
    assert!(text.contains("at first") && text.contains("150 % is allowed"), "{text}");
    let found = verdict(&curve).findings;
    let at_s = found.iter().find(|one| one.rule == Rule::BottleLag).and_then(|one| one.at_s);
    let at_s = at_s.expect("a time");
    let shown_c = curve.rows.iter().find(|row| row.t_ms as f64 / 1_000.0 >= at_s);
    let shown_c = shown_c.and_then(|row| row.milk[0]).expect("a row");
    assert!(shown_c > Celsius::from_milli(33_000), "after it grew: {shown_c}");
}

#[test]
fn the_very_same_values_of_all_probes_may_stand_for_fifteen_minutes_and_not_longer() {
    let frozen = |until_s: u64| {
        with(followed(|_| 300.0), 3_000..until_s, |row| {
            row.milk = row.milk.map(|milk| milk.map(|_| Celsius::from_milli(63_195)));
            row.bath = super::milli(63_205);
        })
    };
    // From second 3000 to second 3900, both included.
    assert_eq!(told(&frozen(3_901), Rule::ProbeStill), None);
    let (severity, text) = told(&frozen(3_902), Rule::ProbeStill).expect("told");
    assert_eq!(severity, Severity::Deviation);
    assert!(text.contains("very same values") && text.contains("15 min"), "{text}");
}

#[test]
fn minutes_after_the_loading_the_milk_is_five_degrees_below_its_bath() {
    let gap = |gap_milli: i32| {
        with(followed(|_| 300.0), LOAD_S + 120..LOAD_S + 301, |row| {
            row.milk = row.milk.map(|milk| milk.map(|_| Celsius::from_milli(63_200 - gap_milli)));
        })
    };
    assert_eq!(told(&gap(5_010), Rule::ProbePlace), None);
    let (severity, text) = told(&gap(4_990), Rule::ProbePlace).expect("told");
    assert_eq!(severity, Severity::Fail);
    assert!(text.contains("at least 5.0 °C"), "{text}");
}

#[test]
fn a_hole_after_the_loading_leaves_the_gap_unjudged_and_says_so() {
    let hole = |from_s: u64| without(followed(|_| 300.0), LOAD_S + from_s..LOAD_S + 301);
    assert_eq!(told(&hole(181), Rule::ProbePlace), None, "a minute of it was read");
    let (severity, text) = told(&hole(180), Rule::ProbePlace).expect("told");
    assert_eq!(severity, Severity::Note, "a foreign curve");
    assert!(text.contains("not read from 2 to 5 min"), "{text}");
    let own = Curve { own_record: true, ..hole(180) };
    assert_eq!(told(&own, Rule::ProbePlace).map(|told| told.0), Some(Severity::Deviation));
}
