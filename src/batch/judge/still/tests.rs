use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside, milli, with};
use crate::batch::phase::PhaseName;

/// Milk that stands at 20 °C from one second to another, both included, so far below its bath
/// (millikelvin), and changes by 0.1 °C from second to second before and after.
fn standing(from_s: u64, to_s: u64, gap: i32) -> Curve {
    let milk = move |t_s: u64| match t_s {
        _ if (from_s..=to_s).contains(&t_s) => 20_000,
        _ if t_s.is_multiple_of(2) => 19_900,
        _ => 20_100,
    };
    beside((0..to_s + 100).map(|t_s| (t_s, milk(t_s), 20_000 + gap)))
}

fn told(curve: &Curve) -> Option<(Severity, Option<f64>, String)> {
    let found = asked(curve, stood_still)?;
    assert_eq!(found.rule, Rule::ProbeStill);
    Some((found.severity, found.at_s, found.text))
}

#[test]
fn milk_may_stand_while_the_slowest_bottle_would_have_changed_by_one_kelvin() {
    // The slowest bottle lags by 1000 s: 1 K of it are 100 s at 10 K.
    assert_eq!(told(&standing(200, 300, 10_000)), None);
    let text = "Milk probe 1 showed 20.000 °C for 1 min 41 s without a change, while the bath \
                must have changed the milk by at least 1.010 °C: it stood still.";
    let found = told(&standing(200, 301, 10_000));
    assert_eq!(found, Some((Severity::Fail, Some(200.0), text.to_owned())));
}

#[test]
fn milk_that_stands_above_its_bath_is_told_as_well() {
    assert_eq!(told(&standing(200, 300, -10_000)), None);
    let (_, _, text) = told(&standing(200, 301, -10_000)).expect("told");
    assert!(text.contains("by at least 1.010 °C"), "{text}");
}

#[test]
fn milk_within_a_kelvin_of_its_bath_may_stand_still() {
    for (gap, is_told) in [(999, false), (1_000, true), (-999, false), (-1_000, true)] {
        assert_eq!(told(&standing(200, 2_000, gap)).is_some(), is_told, "{gap} mK");
    }
}

#[test]
fn in_the_first_minute_the_milk_does_not_move_yet() {
    assert_eq!(told(&standing(0, 160, 10_000)), None);
    assert!(told(&standing(0, 161, 10_000)).is_some());
}

#[test]
fn a_hole_in_the_readings_ends_what_stood_still() {
    let mut curve = standing(200, 301, 10_000);
    curve.rows.retain(|row| !(211_000..271_000).contains(&row.t_ms));
    assert_eq!(told(&curve), None, "61 s");
    let mut curve = standing(200, 301, 10_000);
    curve.rows.retain(|row| !(211_000..270_000).contains(&row.t_ms));
    assert!(told(&curve).is_some());
}

/// The controller cools from this second on.
fn cooling_from(curve: Curve, s: u64) -> Curve {
    with(curve, s..9_999, |row| row.phase = Some(PhaseName::Cool))
}

#[test]
fn a_probe_that_stands_only_in_the_cooling_is_a_deviation() {
    let found = |cool_s| told(&cooling_from(standing(200, 400, -10_000), cool_s));
    assert_eq!(found(200).map(|told| told.0), Some(Severity::Deviation));
    assert_eq!(found(201).map(|told| told.0), Some(Severity::Fail));
}

#[test]
fn what_stood_still_while_heated_is_told_before_what_stood_longer_in_the_cooling() {
    let mut curve = standing(200, 320, 10_000);
    let later = standing(500, 800, 10_000).rows.into_iter().skip(421);
    curve.rows.extend(later);
    let found = told(&cooling_from(curve.clone(), 450)).expect("told");
    assert_eq!((found.0, found.1), (Severity::Fail, Some(200.0)));
    assert_eq!(told(&curve).expect("told").1, Some(500.0), "else the longest");
}

#[test]
fn milk_that_is_cooled_may_stand_still() {
    let mut curve = standing(200, 600, -3_000);
    curve.rows.iter_mut().for_each(|row| row.milk[0] = row.milk[0].map(|_| degrees(9_000)));
    curve.rows.iter_mut().for_each(|row| row.bath = milli(4_000));
    assert!(told(&curve).is_some());
    assert_eq!(told(&cooling_from(curve, 150)), None);
}

/// Rows whose bath, milk and reference stand from second 100 on, to the one given.
fn unchanging(to_s: u64) -> Curve {
    let change = |t_s: u64| if t_s < 100 { (t_s % 2) as i32 } else { 5 };
    let mut curve = beside((0..=to_s).map(|t_s| (t_s, 60_000 + change(t_s), 63_000)));
    curve.rows.iter_mut().for_each(|row| row.reference = milli(60_000));
    curve
}

#[test]
fn the_very_same_values_are_told_with_their_time_after_a_quarter_of_an_hour() {
    assert_eq!(asked(&unchanging(1_000), |seen, _| unchanged(seen)), None);
    let found = asked(&unchanging(1_001), |seen, _| unchanged(seen)).expect("told");
    assert_eq!((found.rule, found.severity), (Rule::ProbeStill, Severity::Deviation));
    assert_eq!(found.at_s, Some(100.0));
    let text = "Bath and milk showed the very same values for 15 min 1 s; 15 min may pass: were \
                they read?";
    assert_eq!(found.text, text);
}

#[test]
fn one_value_that_changes_is_enough() {
    let changed = |change: fn(&mut Row)| {
        let mut curve = unchanging(1_200);
        change(&mut curve.rows[600]);
        asked(&curve, |seen, _| unchanged(seen))
    };
    assert!(changed(|_| ()).is_some());
    assert_eq!(changed(|row| row.bath = milli(63_001)), None);
    assert_eq!(changed(|row| row.milk[0] = milli(60_006)), None);
    assert_eq!(changed(|row| row.reference = milli(60_001)), None);
    assert!(changed(|row| row.milk[1] = milli(1_000)).is_some(), "a probe that is not required");
}

#[test]
fn without_a_bath_nothing_is_told_and_neither_is_what_comes_after_the_hold() {
    let mut blind = unchanging(1_200);
    blind.rows.iter_mut().for_each(|row| row.bath = None);
    assert_eq!(asked(&blind, |seen, _| unchanged(seen)), None);
    let cooled = |from_s| {
        asked(&cooling_from(unchanging(1_200), from_s), |seen, _| unchanged(seen)).is_some()
    };
    assert!(!cooled(1_000));
    assert!(cooled(1_001));
}
