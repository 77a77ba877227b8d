use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside, good};
use crate::batch::phase::PhaseName;

/// Milk so far below a bath, from the loading on (millikelvin and millidegrees).
fn apart(gap: i32, bath: i32, s: impl IntoIterator<Item = u64>) -> Curve {
    beside(s.into_iter().map(|t_s| (t_s, bath - gap, bath)))
}

fn gap_told(curve: &Curve) -> Option<(Option<f64>, String)> {
    let found = asked(curve, gap_after_loading)?;
    assert_eq!((found.rule, found.severity), (Rule::ProbePlace, Severity::Fail));
    Some((found.at_s, found.text))
}

#[test]
fn a_gap_of_five_kelvin_after_the_loading_is_milk_and_less_is_not() {
    assert_eq!(gap_told(&apart(5_000, 63_000, 0..400)), None);
    let text = "2 to 5 min after the loading the gap between the bath and milk probe 1 was 4.999 \
                °C; with cold milk it is at least 5.0 °C: the probe was not in the milk.";
    let found = gap_told(&apart(4_999, 63_000, 0..400));
    assert_eq!(found, Some((Some(300.0), text.to_owned())));
}

#[test]
fn a_bath_below_fifty_degrees_was_not_preheated() {
    assert_eq!(gap_told(&apart(1_000, 49_999, 0..400)), None);
    assert!(gap_told(&apart(1_000, 50_000, 0..400)).is_some());
}

#[test]
fn a_minute_between_the_second_and_the_fifth_must_be_read() {
    assert!(gap_told(&apart(1_000, 63_000, 240..400)).is_some());
    assert_eq!(gap_told(&apart(1_000, 63_000, 241..400)), None);
    assert!(gap_told(&apart(1_000, 63_000, 0..181)).is_some());
    assert_eq!(gap_told(&apart(1_000, 63_000, 0..180)), None);
}

#[test]
fn a_curve_that_does_not_tell_its_loading_has_no_gap_after_it() {
    assert_eq!(gap_told(&Curve { load_ms: None, ..apart(1_000, 63_000, 0..400) }), None);
}

fn over_told(curve: &Curve) -> Option<(Option<f64>, String)> {
    let found = asked(curve, milk_over_bath)?;
    assert_eq!((found.rule, found.severity), (Rule::ProbePlace, Severity::Fail));
    Some((found.at_s, found.text))
}

#[test]
fn milk_may_be_four_tenths_above_its_bath_in_means_of_five_minutes() {
    assert_eq!(over_told(&apart(-400, 63_000, 0..400)), None);
    let text = "In means of 5 min milk probe 1 read 0.401 °C higher than the bath can have made \
                the milk; 0.400 °C is allowed: one of the two probes reads wrong, or they are \
                exchanged.";
    let found = over_told(&apart(-401, 63_000, 0..=300));
    assert_eq!(found, Some((Some(300.0), text.to_owned())));
    assert_eq!(over_told(&apart(-401, 63_000, 0..300)), None, "less than five minutes");
}

#[test]
fn the_highest_of_the_means_is_told() {
    let over = |t_s: u64| if (400..800).contains(&t_s) { 1_000 } else { 500 };
    let curve = beside((0..2_000).map(|t_s| (t_s, 63_000 + over(t_s), 63_000)));
    let (at_s, text) = over_told(&curve).expect("told");
    assert!(text.contains("read 1.000 °C higher"), "{text}");
    assert_eq!(at_s, Some(700.0), "where it was first so high");
}

#[test]
fn milk_that_cools_with_its_bath_is_hotter_by_its_lag() {
    // It falls by 1 K in 1000 s: the slowest bottle lags by 1000 s, that is 1 K.
    let cooling = |over: i32| {
        let milk = |t_s: u64| 60_000 - t_s as i32;
        over_told(&beside((0..900).map(|t_s| (t_s, milk(t_s), milk(t_s) - over))))
    };
    assert_eq!(cooling(1_400), None);
    let (_, text) = cooling(1_401).expect("told");
    assert!(text.contains("read 0.401 °C higher"), "{text}");
}

#[test]
fn a_bottle_that_showed_its_lag_is_allowed_for_by_that() {
    // It warms by 0.1 °C a second 10 K below its bath: its lag is 100 s. Then it falls by 1 mK a
    // second, which is 0.1 K of lag.
    let cooling = |over: i32| {
        let row = |t_s: u64| match t_s as i32 {
            t_s @ 0..500 => (10_000 + 100 * t_s, 20_000 + 100 * t_s),
            500..800 => (59_900, 69_900),
            t_s => (60_700 - t_s, 60_700 - t_s - over),
        };
        let points = (0..1_200).map(|t_s| (t_s, row(t_s).0, row(t_s).1));
        over_told(&beside(points))
    };
    assert_eq!(cooling(500), None);
    let (_, text) = cooling(501).expect("told");
    assert!(text.contains("read 0.401 °C higher"), "{text}");
}

#[test]
fn in_the_cooling_milk_is_above_its_bath() {
    let mut curve = apart(-5_000, 30_000, 0..900);
    curve.rows.iter_mut().skip(300).for_each(|row| row.phase = Some(PhaseName::Cool));
    assert!(over_told(&curve).is_some(), "five minutes of it were before");
    curve.rows[299].phase = Some(PhaseName::Cool);
    assert_eq!(over_told(&curve), None);
}

fn unseen_told(curve: &Curve) -> Option<(Severity, String)> {
    let found = asked(curve, unseen)?;
    assert_eq!((found.rule, found.at_s), (Rule::ProbePlace, None));
    Some((found.severity, found.text))
}

#[test]
fn what_the_curve_does_not_show_is_told() {
    let begins = |curve: &Curve, words: &str| {
        let (severity, text) = unseen_told(curve).expect("told");
        assert!(text.starts_with(words), "{text}");
        severity
    };
    assert_eq!(begins(&good(), "The bath was not read"), Severity::Note);
    assert_eq!(begins(&apart(9_000, 63_000, [0]), "The bath was not read"), Severity::Note);
    let unloaded = Curve { load_ms: None, ..apart(9_000, 63_000, [0, 1]) };
    assert_eq!(begins(&unloaded, "The curve does not tell its loading"), Severity::Note);
    let left = Curve { own_record: true, ..unloaded };
    assert_eq!(begins(&left, "No bottles were confirmed to be in"), Severity::Deviation);
    let hole = apart(9_000, 63_000, (0..120).chain(241..400));
    assert_eq!(begins(&hole, "Bath and milk were not read"), Severity::Note);
    let own = Curve { own_record: true, ..hole };
    assert_eq!(begins(&own, "Bath and milk were not read"), Severity::Deviation);
}

#[test]
fn a_curve_that_shows_the_gap_or_ends_before_five_minutes_lacks_nothing() {
    assert_eq!(unseen_told(&apart(9_000, 63_000, 0..400)), None);
    assert_eq!(unseen_told(&apart(9_000, 63_000, (0..120).chain(240..400))), None);
    assert_eq!(unseen_told(&apart(9_000, 63_000, (0..120).chain([299]))), None);
    assert!(unseen_told(&apart(9_000, 63_000, (0..120).chain([300]))).is_some());
}
