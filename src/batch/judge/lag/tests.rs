use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside};
use crate::batch::phase::PhaseName;

/// A point every 10 s whose milk is given, in a bath of 40 °C.
fn milk(values: &[i32]) -> Curve {
    beside(values.iter().zip(0..).map(|(milk, at)| (at * 10, *milk, 40_000)))
}

/// When each rise ended, s, and the lag it showed, ms.
fn rises(curve: &Curve) -> Vec<(i64, i64)> {
    asked(curve, |_, track| {
        let points: Vec<&Point> = track.points.iter().collect();
        let found = shown(track, &points);
        found.iter().map(|shown| (shown.to.t_ms / 1_000, shown.lag_ms)).collect()
    })
}

#[test]
fn each_rise_of_three_kelvin_shows_the_lag_by_its_gap() {
    let curve = milk(&[10_000, 11_000, 12_000, 13_000, 14_000, 15_000, 16_000, 16_000]);
    // Mean gaps of 28.5 and 25.5 K, for 30 s, by 3 K.
    assert_eq!(rises(&curve), [(30, 285_000), (60, 255_000)]);
    let less = milk(&[10_000, 11_000, 12_000, 12_999]);
    assert!(rises(&less).is_empty());
}

#[test]
fn a_rise_must_last_for_twelve_readings() {
    let high_for = |readings: usize| {
        let mut values = vec![10_000, 10_000];
        values.extend(vec![13_000; readings]);
        values.extend([12_999, 12_999]);
        rises(&milk(&values))
    };
    assert!(high_for(11).is_empty());
    // One step of 20 s by 3 K, with a gap of 30, 30 and 27 K.
    assert_eq!(high_for(12), [(20, 195_000)], "{:?}", high_for(12));
}

#[test]
fn a_gap_below_two_kelvin_shows_no_lag() {
    let gap = |gap: i32| {
        let at = |t_s: u64| (t_s, 100 * t_s as i32, 100 * t_s as i32 + gap);
        rises(&beside((0..=30).step_by(10).map(at)))
    };
    assert_eq!(gap(2_000), [(30, 20_000)]);
    assert!(gap(1_999).is_empty());
}

#[test]
fn a_rise_begins_anew_after_a_hole() {
    let at = |t_s: u64| (t_s, 100 * t_s as i32, 100 * t_s as i32 + 10_000);
    let curve = |second_s: u64| beside([0, 20, second_s, second_s + 30].map(at));
    // The gap is 10 K and the milk warms by 0.1 K a second.
    assert_eq!(rises(&curve(80)), [(80, 100_000), (110, 100_000)]);
    assert_eq!(rises(&curve(81)), [(111, 100_000)]);
}

/// Milk that warms by so much a second, so far below its bath (millikelvin), which may be another
/// gap from second 200 on.
fn followed(a_second: i32, gap: i32, later: i32) -> Curve {
    let milk = move |t_s: u64| 4_000 + a_second * t_s as i32;
    let gap = move |t_s: u64| if t_s < 200 { gap } else { later };
    beside((0..600).map(|t_s| (t_s, milk(t_s), milk(t_s) + gap(t_s))))
}

fn told(curve: &Curve) -> Option<(Severity, Option<f64>, String)> {
    let found = asked(curve, lag)?;
    assert_eq!(found.rule, Rule::BottleLag);
    Some((found.severity, found.at_s, found.text))
}

#[test]
fn a_lag_of_a_hundred_seconds_is_a_bottle_and_less_is_none() {
    assert_eq!(told(&followed(100, 10_000, 10_000)), None);
    let text = "Milk probe 1 followed the bath with a lag of 99 s; a bottle has 100 to 1000 s: the \
                probe was not in the milk.";
    let found = told(&followed(100, 9_900, 9_900));
    assert_eq!(found, Some((Severity::Fail, None, text.to_owned())));
}

#[test]
fn a_lag_of_a_thousand_seconds_is_a_bottle_and_more_is_a_deviation() {
    assert_eq!(told(&followed(20, 20_000, 20_000)), None);
    let text = "The milk at probe 1 followed the bath with a lag of 1001 s; a bottle in an \
                agitated bath has 100 to 1000 s: the agitator stood still, or the bottles are \
                larger.";
    let found = told(&followed(20, 20_020, 20_020));
    assert_eq!(found, Some((Severity::Deviation, None, text.to_owned())));
}

#[test]
fn a_lag_may_grow_by_half() {
    assert_eq!(told(&followed(100, 10_000, 15_000)), None);
    let (severity, at_s, text) = told(&followed(100, 10_000, 15_100)).expect("told");
    assert_eq!(severity, Severity::Deviation);
    assert!(at_s.is_some_and(|at_s| at_s > 200.0), "{at_s:?}");
    let expected = "The milk at probe 1 followed the bath with a lag of 100 s at first and of 151 \
                    s later; 150 % is allowed: the agitator stood still, or the bottles were moved.";
    assert_eq!(text, expected);
}

#[test]
fn milk_that_shows_no_lag_of_its_own_is_not_judged() {
    assert_eq!(told(&followed(10, 10_000, 10_000)), None, "6 K in all");
}

/// From 200 s on the lag is 151 s: the rise that ends at 210 s does not show it yet.
#[test]
fn water_that_stopped_had_surely_moved_until_the_rise_before_the_last_sound_one() {
    let since = |later| {
        asked(&followed(100, 10_000, later), |seen, track| {
            grown(seen, track).map(|grown| (grown.lag_ms, grown.since_ms))
        })
    };
    assert_eq!(since(15_000), None);
    assert_eq!(since(15_100), Some((151_000, 180_000)));
}

/// Milk that is cooled by 0.1 K a second in a bath 10 K colder, from so warm on, without the rows of
/// these seconds.
fn cooled(from: i32, unread: std::ops::Range<u64>) -> Option<i64> {
    let milk = |t_s: u64| from - 100 * t_s as i32;
    let mut curve = beside((0..500).map(|t_s| (t_s, milk(t_s), milk(t_s) - 10_000)));
    curve.rows.retain(|row| !unread.contains(&(row.t_ms / 1_000)));
    curve.rows.iter_mut().for_each(|row| row.phase = Some(PhaseName::Cool));
    asked(&curve, cooled_ms)
}

#[test]
fn the_cooling_shows_the_lag_where_all_of_it_was_read() {
    assert_eq!(cooled(60_000, 0..0), Some(100_000));
    assert_eq!(cooled(60_000, 200..259), Some(100_000));
    assert_eq!(cooled(60_000, 200..260), None, "61 s");
    assert_eq!(cooled(20_000, 0..0), None, "cold from the first");
    assert_eq!(cooled(69_950, 0..0), None, "it was not cold at the end");
}
