use holder_hal::Celsius;

use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside};

/// Milk that stands at 10 °C in a bath that rises by 0.1 °C a second from 20 °C on.
fn rising(s: impl IntoIterator<Item = u64>) -> Curve {
    beside(s.into_iter().map(|t_s| (t_s, 10_000, 20_000 + 100 * t_s as i32)))
}

#[test]
fn bath_and_gap_are_summed_by_trapezoids() {
    asked(&rising([0, 10, 40]), |_, track| {
        let [first, second, last] = track.points[..] else { panic!("three points") };
        assert_eq!(last.t_ms, 40_000);
        // 20 to 24 °C.
        assert_eq!(last.bath_mean_since(&first), 22_000);
        assert_eq!(last.gap_mean_since(&first), 12_000);
        assert_eq!(last.gap_area_since(&first), 12_000 * 40_000);
        assert_eq!(last.bath_mean_since(&second), 22_500);
        assert_eq!(last.gap_area_since(&second), 12_500 * 30_000);
        // Of no time, a mean is what was read.
        assert_eq!(last.bath_mean_since(&last), 24_000);
        assert_eq!(last.gap_mean_since(&last), 14_000);
    });
}

#[test]
fn milk_that_warms_narrows_the_gap_of_the_mean() {
    asked(&beside([(0, 10_000, 20_000), (10, 14_000, 20_000)]), |_, track| {
        let [first, last] = track.points[..] else { panic!("two points") };
        assert_eq!(last.gap_mean_since(&first), 8_000);
    });
}

#[test]
fn a_row_without_bath_or_milk_is_no_point() {
    let mut curve = rising(0..4);
    curve.rows[1].bath = None;
    curve.rows[2].milk[0] = None;
    asked(&curve, |_, track| {
        let t_ms: Vec<i64> = track.points.iter().map(|point| point.t_ms).collect();
        assert_eq!(t_ms, [0, 3_000]);
    });
}

#[test]
fn what_comes_a_week_after_the_loading_is_no_pasteurization() {
    let week_s = 7 * 86_400;
    let curve = beside([0, week_s, week_s + 1].map(|t_s| (t_s, 10_000, 20_000)));
    asked(&curve, |_, track| assert_eq!(track.points.len(), 2));
}

#[test]
fn no_reading_counts_as_more_than_500_degrees() {
    asked(&beside([(0, 500_001, -500_001), (1, 499_999, -499_999)]), |_, track| {
        let shown: Vec<_> = track.points.iter().map(|point| (point.milk, point.bath)).collect();
        assert_eq!(shown, [(500_000, -500_000), (499_999, -499_999)]);
    });
}

#[test]
fn times_are_told_since_the_loading_and_back_on_the_time_of_the_curve() {
    let curve = Curve { load_ms: Some(100_000), ..rising([100, 105]) };
    asked(&curve, |_, track| {
        assert_eq!(track.points[1].t_ms, 5_000);
        assert_eq!(track.at_ms(&track.points[1]), 105_000);
        assert_eq!(track.since_start(105_000), 5_000);
        assert_eq!(track.since_start(99_000), 0, "before the loading");
    });
}

#[test]
fn over_a_minute_without_points_is_a_hole_unless_the_logger_may_be_silent_for_longer() {
    let is_hole = |max_gap_ms: u64, s: u64| {
        let curve = Curve { max_gap_ms, ..rising([10, 10 + s]) };
        asked(&curve, |_, track| track.is_hole(&track.points[0], &track.points[1]))
    };
    assert!(!is_hole(10_000, 60) && is_hole(10_000, 61));
    assert!(!is_hole(90_000, 90) && is_hole(90_000, 91));
}

#[test]
fn points_are_taken_with_both_ends_of_the_time() {
    asked(&rising(0..10), |_, track| {
        let taken: Vec<i64> = track.between(3_000, 5_000).iter().map(|p| p.t_ms).collect();
        assert_eq!(taken, [3_000, 4_000, 5_000]);
        assert!(track.between(5_000, 3_000).is_empty());
    });
}

/// Milk that follows 10 °C below its bath and warms by 0.1 °C a second: its lag is 100 s.
fn follows(s: impl IntoIterator<Item = u64>) -> Curve {
    let milk = |t_s: u64| 4_000 + 100 * t_s as i32;
    beside(s.into_iter().map(|t_s| (t_s, milk(t_s), milk(t_s) + 10_000)))
}

fn lag_own_ms(curve: &Curve) -> Option<i64> {
    asked(curve, |_, track| track.lag_own_ms())
}

#[test]
fn the_lag_shows_over_the_first_ten_kelvin_from_a_minute_after_the_loading() {
    assert_eq!(lag_own_ms(&follows(0..161)), Some(100_000));
    assert_eq!(lag_own_ms(&follows(0..160)), None, "9.9 K");
    // Whatever was before a minute: the milk was in no bath yet.
    let mut late = follows(0..200);
    late.rows.iter_mut().take(60).for_each(|row| row.bath = row.milk[0]);
    assert_eq!(lag_own_ms(&late), Some(100_000));
}

#[test]
fn a_hole_before_the_ten_kelvin_leaves_the_lag_unknown() {
    assert_eq!(lag_own_ms(&follows((0..100).chain(160..300))), None);
    assert_eq!(lag_own_ms(&follows((0..100).chain(159..300))), Some(100_000));
}

#[test]
fn milk_that_warms_without_a_gap_shows_no_lag() {
    let with_gap = |gap: i32| {
        let milk = |t_s: u64| 4_000 + 100 * t_s as i32;
        beside((0..200).map(|t_s| (t_s, milk(t_s), milk(t_s) + gap)))
    };
    assert_eq!(lag_own_ms(&with_gap(0)), None);
    assert_eq!(lag_own_ms(&with_gap(-1_000)), None);
    assert_eq!(lag_own_ms(&with_gap(100)), Some(1_000));
}

#[test]
fn a_span_reaches_from_the_latest_point_that_is_old_enough() {
    asked(&rising([10, 14, 15, 20, 26]), |_, track| {
        let found: Vec<_> =
            spans(&track.points, 5_000).map(|(from, to)| (from.t_ms, to.t_ms)).collect();
        assert_eq!(found, [(10_000, 15_000), (15_000, 20_000), (20_000, 26_000)]);
    });
}

/// A spike at the begin or the end of the ten kelvin made the bottle look faster than it is.
#[test]
fn a_reading_that_stands_out_of_its_neighbours_shows_no_lag() {
    let plain = lag_own_ms(&follows(0..400)).expect("it rose");
    for (second, milk, bath) in [(60, 0, 40_000), (100, 39_000, 40_000), (90, 12_000, 0)] {
        let mut curve = follows(0..400);
        curve.rows[second].milk[0] = Some(Celsius::from_milli(milk));
        curve.rows[second].bath = Some(Celsius::from_milli(bath));
        let spoilt = lag_own_ms(&curve).expect("it rose");
        assert!((plain - spoilt).abs() <= plain / 100, "second {second}: {spoilt}, not {plain}");
    }
}

#[test]
fn milk_that_rises_or_falls_steadily_stands_nowhere_out() {
    let steps = (0..40).map(|at| (at * 60, 4_000 + 1_500 * at as i32, 63_000));
    let calm = asked(&beside(steps), |_, track| track.calm(0, i64::MAX).count());
    assert_eq!(calm, 40, "a logger that reads once a minute");
}

#[test]
fn half_a_kelvin_from_the_middle_stands_out_anywhere_but_at_the_ends() {
    let left = |at: usize, by: i32, of_bath: bool| {
        let mut curve = beside((0..20).map(|t_s| (t_s, 10_000, 40_000)));
        let row = &mut curve.rows[at];
        let slot = if of_bath { &mut row.bath } else { &mut row.milk[0] };
        *slot = slot.map(|read| Celsius::from_milli(read.milli() + by));
        asked(&curve, |_, track| track.calm(0, i64::MAX).count())
    };
    for (at, of_bath) in [1, 2, 10, 17, 18].into_iter().flat_map(|at| [(at, true), (at, false)]) {
        assert_eq!(
            [-501, -500, 500, 501].map(|by| left(at, by, of_bath)),
            [19, 20, 20, 19],
            "{at}"
        );
    }
    // The first and the last have nothing on one side.
    assert_eq!([left(0, 5_000, false), left(19, 5_000, false)], [20, 20]);
}
