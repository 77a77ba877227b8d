use std::slice::from_ref;

use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside, milli, own, verdict, with};
use crate::batch::judge::track::Track;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Rule, Severity};

const BATH: i32 = 63_200;

/// A bottle that follows its bath with a lag of 300 s, every second, its lid told closed.
fn followed() -> Curve {
    let mut milk = 4_000.0;
    let curve = beside((0..8_000).map(|t_s| {
        milk += (f64::from(BATH) - milk) / 300.0;
        (t_s, milk as i32, BATH)
    }));
    with(Curve { has_lid: true, ..curve }, 0..8_000, |row| row.lid = Some(true))
}

/// The same with the lid told open in these seconds.
fn opened(s: std::ops::Range<u64>) -> Curve {
    with(followed(), s, |row| row.lid = Some(false))
}

/// The second at which the last hold began.
fn last_begin_s(curve: &Curve) -> Option<usize> {
    asked(curve, |seen, _| {
        let open = seen.holds.longest.map(|hold| hold.first);
        open.max(seen.holds.complete.map(|hold| hold.first))
    })
}

#[test]
fn an_eighth_is_gone_with_each_seventh_of_the_lag_and_a_tenth_more() {
    let of = |since_ms| left(64_000, since_ms, 1_000_000, EIGHTH_PERMILLE);
    assert_eq!([of(0), of(146_999), of(147_000), of(293_999)], [64_000, 64_000, 56_000, 56_000]);
    assert_eq!(of(294_000), 49_000);
    assert_eq!(left(64_000, 147_000, 2_000_000, EIGHTH_PERMILLE), 64_000, "a slower bottle");
    assert_eq!(of(u64::MAX), 7, "what nobody could measure stays");
    assert_eq!(left(64_000, 1, 0, EIGHTH_PERMILLE), 56_000, "no lag is no division by zero");
}

/// 63.2 K behind; floor and uncertainty are 62.6 °C: 0.6 K may be left, which is 35 eighths of
/// 0.147 lags.
#[test]
fn a_hold_begins_no_sooner_than_what_came_in_under_the_lid_is_warm() {
    let curve = opened(2_500..2_501);
    let lag_ms = asked(&curve, |_, track: &Track| track.lag_own_ms().expect("it rose"));
    assert!((299_000..=301_500).contains(&lag_ms), "{lag_ms} ms");
    let waits_s = usize::try_from(35 * (lag_ms * 147 / 1_000)).expect("small").div_ceil(1_000);
    // The first row on which it is warm, and twenty seconds.
    assert_eq!(last_begin_s(&curve), Some(2_500 + waits_s + 20));
    let told: Vec<_> =
        verdict(&curve).findings.into_iter().filter(|f| f.rule == Rule::Lid).collect();
    assert_eq!(told[0].severity, Severity::Deviation, "the hold was broken");
    assert_eq!((told[1].severity, told[1].at_s), (Severity::Note, Some(2_500.0)));
    let minutes = format!("too cold for {} min", (waits_s - 1) / 60);
    assert!(told[1].text.contains(&minutes), "{}", told[1].text);
}

#[test]
fn the_last_row_that_told_an_open_lid_counts() {
    let once = last_begin_s(&opened(2_500..2_501)).expect("held");
    assert_eq!(last_begin_s(&opened(2_500..2_601)), Some(once + 100));
}

/// The control bottle was cold then, too: what came in with it is hardly behind.
#[test]
fn a_lid_that_is_closed_late_at_the_loading_costs_nothing() {
    assert_eq!(last_begin_s(&opened(0..60)), last_begin_s(&followed()));
    assert!(asked(&opened(0..60), |seen, _| seen.held_back.as_ref().is_some_and(Vec::is_empty)));
    let late = asked(&opened(0..600), |seen, _| seen.held_back.iter().flatten().count());
    assert_eq!(late, 1, "ten minutes are late");
}

#[test]
fn an_open_lid_after_the_hold_holds_nothing_back() {
    let told = |phase| {
        let cooled = with(opened(6_000..6_001), 5_999..8_000, move |row| row.phase = Some(phase));
        asked(&cooled, |seen, _| seen.held_back.iter().flatten().count())
    };
    assert_eq!(told(PhaseName::Cool), 0);
    assert_eq!(told(PhaseName::Hold), 1);
}

/// A record of ours has the lag of its bottles, or one of the recipe: 1000 s.
#[test]
fn without_a_lag_a_record_of_ours_waits_the_longest_and_a_foreign_one_is_judged_as_read() {
    let open = |curve| with(curve, 1_300..1_301, |row| row.lid = Some(false));
    let close = |curve| with(curve, 1_301..1_302, |row| row.lid = Some(true));
    let begins = |curve: &Curve| asked(curve, |seen, _| seen.moments[1_400 - 100].begins);
    assert!(begins(&own()));
    assert!(!begins(&close(open(own()))));
    let foreign = Curve { own_record: false, ..close(open(own())) };
    assert!(begins(&foreign));
}

#[test]
fn where_no_probe_was_read_what_came_in_may_be_behind_by_a_hundred_kelvin() {
    let blind = with(opened(2_500..2_520), 2_500..2_520, |row| row.milk[0] = None);
    let seen = last_begin_s(&opened(2_500..2_520)).expect("held");
    let later = last_begin_s(&blind).expect("held") - seen;
    // ln(100 / 63.2) / 0.1335: 3 to 4 eighths of 44.1 s.
    assert!((130..=178).contains(&later), "{later} s");
}

/// A load whose control bottle was at so many degrees when it was confirmed, with a lag of 300 s.
fn confirmed_at(milk_c: f64) -> Curve {
    let mut milk = milk_c * 1_000.0;
    beside((0..8_000).map(|t_s| {
        milk += (f64::from(BATH) - milk) / 300.0;
        (t_s, milk as i32, BATH)
    }))
}

/// Cooled from this second on.
fn cooled_from(curve: Curve, second: u64) -> Curve {
    with(curve, second..8_000, |row| row.phase = Some(PhaseName::Cool))
}

#[test]
fn the_last_bottle_of_the_load_must_have_been_at_the_floor_for_the_hold() {
    let fails = |curve: &Curve| {
        let found = asked(curve, |seen, track| super::too_late(seen, from_ref(track)));
        found.map(|found| (found.rule, found.severity, found.text))
    };
    // 40 °C when it was confirmed: the control bottle is at its limit (0.4 K below the bath) after
    // 1218 s and its hold begins a minute later, and the last one at the floor less 0.1 K (0.8 K below it) after 1311 s.
    let curve = confirmed_at(40.0);
    let early = fails(&cooled_from(curve.clone(), 1_295 + 1_800)).expect("too early");
    assert_eq!((early.0, early.1), (Rule::Hold, Severity::Fail));
    assert!(early.2.contains("when the last 30 min of the hold began"), "{}", early.2);
    assert_eq!(fails(&cooled_from(curve, 1_400 + 1_800)), None);
    // It went in last.
    assert_eq!(fails(&cooled_from(confirmed_at(4.0), 1_600 + 1_800)), None);
    // Too warm to show a lag: nobody knows.
    assert_eq!(fails(&cooled_from(confirmed_at(55.0), 1_000 + 1_800)), None);
}

/// How warm the last bottle of the load was at this second, millidegrees.
fn last_bottle_at(curve: &Curve, second: u64) -> i64 {
    let load_ms = curve.load_ms.expect("loaded");
    asked(curve, |_, track| super::last_of_load(track, None, load_ms + second * 1_000))
        .expect("it shows its lag")
}

#[test]
fn a_tenth_of_a_degree_below_the_floor_is_allowed_and_a_thousandth_more_is_not() {
    // The last 30 min of the hold begin at second 1400; all else stays as it is.
    let of = |by: i32| {
        let curve = cooled_from(confirmed_at(40.0), 1_400 + 1_800);
        with(curve, 1_400..1_401, |row| {
            row.milk[0] = row.milk[0].and_then(|c| milli(c.milli() + by))
        })
    };
    let over = i32::try_from(last_bottle_at(&of(0), 1_400)).expect("small") - 62_400;
    assert_eq!(last_bottle_at(&of(-over), 1_400), 62_400);
    let is_told = |curve: &Curve| {
        asked(curve, |seen, track| super::too_late(seen, from_ref(track)).is_some())
    };
    assert!(!is_told(&of(-over)) && is_told(&of(-over - 1)));
}

/// At second 30 it is at 42.2 °C, and so far behind. 300 s later the control bottle is at 55.5 °C,
/// and an eighth of it was taken off seven times: 16.6 K are left.
#[test]
fn the_last_bottle_of_the_load_warms_from_the_first_reading_on() {
    let blind = with(confirmed_at(40.0), 0..30, |row| row.milk[0] = None);
    let at_330_s = last_bottle_at(&blind, 330);
    assert!((38_700..39_100).contains(&at_330_s), "{at_330_s}");
}

#[test]
fn a_foreign_curve_has_no_load() {
    let curve = cooled_from(confirmed_at(40.0), 1_295 + 1_800);
    let foreign = Curve { load_ms: None, own_record: false, ..curve };
    assert_eq!(asked(&foreign, |seen, track| super::too_late(seen, from_ref(track))), None);
}

/// The curve with its lag grown to 900 s from this second on, until it is cooled, with a lag of so many
/// seconds, from second 5600 on; `open_s` is when the lid was told open.
fn stood_still(from_s: u64, cooled_lag_s: f64, open_s: u64) -> Curve {
    let mut milk = 4_000.0;
    let curve = beside((0..9_000).map(|t_s| {
        let (bath, lag_s) = match t_s {
            5_600.. => (4_000, cooled_lag_s),
            t_s if t_s >= from_s => (BATH, 900.0),
            _ => (BATH, 300.0),
        };
        milk += (f64::from(bath) - milk) / lag_s;
        (t_s, milk as i32, bath)
    }));
    let curve = with(Curve { has_lid: true, ..curve }, 0..9_000, |row| row.lid = Some(true));
    let open = with(curve, open_s..open_s + 1, |row| row.lid = Some(false));
    with(open, 5_600..9_000, |row| row.phase = Some(PhaseName::Cool))
}

/// Of 25 machines with six raw bottles under a told lid ten minutes into the come-up, and an agitator that
/// stopped after it, 22 were accepted: those bottles had 410 to 1714 s of their 1800.
#[test]
fn water_that_stood_still_after_an_open_lid_warmed_what_came_in_too_slowly() {
    let fails = |curve: &Curve| {
        let found = asked(curve, |seen, track| super::too_late(seen, from_ref(track)))?;
        assert_eq!((found.rule, found.severity), (Rule::Hold, Severity::Fail));
        assert!(found.text.starts_with("The lid was open."), "{}", found.text);
        Some(found.at_s)
    };
    assert_eq!(fails(&stood_still(9_000, 300.0, 900)), None, "it moved");
    // Seen by the lag of the come-up, and, where milk and bath were at rest, by that of the cooling.
    assert!(fails(&stood_still(600, 300.0, 900)).is_some());
    assert!(fails(&stood_still(1_800, 900.0, 900)).is_some());
    assert_eq!(fails(&stood_still(1_800, 440.0, 900)), None, "1.5 lags are allowed");
    // By then the control bottle was cold, too.
    assert_eq!(fails(&stood_still(1_800, 900.0, 5)), None);
}

#[test]
fn one_spike_hides_no_bottle_that_went_in_last() {
    let fails = |curve: Curve| {
        asked(&cooled_from(curve, 1_295 + 1_800), |seen, track| {
            super::too_late(seen, from_ref(track))
        })
        .is_some()
    };
    assert!(fails(confirmed_at(40.0)));
    for (second, milk) in [(30, 0), (60, 30_000), (200, 62_000), (1_295, 64_000)] {
        let spoilt = with(confirmed_at(40.0), second..second + 1, |row| {
            row.milk[0] = Some(holder_hal::Celsius::from_milli(milk));
        });
        assert!(fails(spoilt), "{milk} at second {second}");
    }
}

#[test]
fn what_was_not_read_for_long_has_warmed_nothing() {
    let late = |blind: std::ops::Range<u64>| {
        let blind = with(confirmed_at(40.0), blind, |row| row.milk[0] = None);
        asked(&cooled_from(blind, 1_340 + 1_800), |seen, track| {
            super::too_late(seen, from_ref(track))
        })
        .is_some()
    };
    assert!(!late(700..759));
    assert!(late(700..761));
}
