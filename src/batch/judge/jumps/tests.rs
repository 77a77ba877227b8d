use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside, milli, with};
use crate::batch::phase::PhaseName;

#[test]
fn milk_goes_towards_its_bath_by_time_and_lag() {
    // 10 K and 10 s by a lag of 100 s: 1 - exp(-0.1) = 0.0952 of the gap.
    assert_eq!(follows(10_000, 10_000, 100_000), 952);
    assert_eq!(follows(10_000, 20_000, 100_000), 1_818);
    assert_eq!(follows(-10_000, 10_000, 100_000), -952);
    assert_eq!(follows(10_000, 0, 0), 0);
}

const LINES: Lines = Lines { jump: 500, lag_min_ms: 100_000, lag_own_ms: None };

/// Asks of milk at 20 °C, in such a bath, that changes by so much in so many seconds.
fn lines_say(ask: impl Fn(&Point, &Point) -> bool, bath: i32, change: i32, s: u64) -> bool {
    let curve = beside([(100, 20_000, bath), (100 + s, 20_000 + change, bath)]);
    asked(&curve, |_, track| ask(&track.points[0], &track.points[1]))
}

#[test]
fn no_bottle_changes_by_half_a_degree_more_than_the_fastest_of_all() {
    let can_be = |bath, change| lines_say(|from, to| LINES.can_be(from, to), bath, change, 10);
    // 40 K above the milk: the fastest bottle gets 3.809 K in 10 s.
    assert!(can_be(60_000, 4_309) && !can_be(60_000, 4_310));
    assert!(can_be(60_000, -500) && !can_be(60_000, -501));
    // 10 K below it.
    assert!(can_be(10_000, -1_452) && !can_be(10_000, -1_453));
    assert!(can_be(10_000, 500) && !can_be(10_000, 501));
}

#[test]
fn a_bottle_that_showed_its_lag_is_expected_where_that_takes_it() {
    let own = Lines { lag_own_ms: Some(300_000), ..LINES };
    // 30 K above the milk, 20 s, a lag of 300 s: 1.935 K, and a quarter of it beside half a kelvin.
    let is_back = |change| lines_say(|from, to| own.is_back(from, to), 50_000, change, 20);
    assert!(is_back(1_935 - 983) && !is_back(1_935 - 984));
    assert!(is_back(1_935 + 983) && !is_back(1_935 + 984));
    // The fastest bottle may get 5.454 K.
    let unknown = |change| lines_say(|from, to| LINES.is_back(from, to), 50_000, change, 20);
    assert!(unknown(5_954) && !unknown(5_955));
}

#[test]
fn a_lag_beyond_every_number_allows_half_a_kelvin_only() {
    let mut recipe = crate::batch::fixture::recipe();
    recipe.plausibility.bottle_lag_min_ms = u64::MAX;
    let curve = beside([(100, 20_000, 60_000), (110, 20_501, 60_000)]);
    let seen = Seen::new(&recipe, &curve);
    let track = Track::of(&seen, 0);
    let [from, to] = track.points[..] else { panic!("two points") };
    assert!(!Lines::of(&seen, &track).can_be(&from, &to));
}

/// When each excursion was: anchor, first and back, in seconds.
fn told_of(milk: impl Fn(i32) -> i32, until_s: u64) -> Vec<(i64, i64, Option<i64>)> {
    let curve = beside((0..until_s).map(|t_s| (t_s, milk(t_s as i32), 20_000)));
    let s = |point: &Point| point.t_ms / 1_000;
    asked(&curve, |_, track| {
        let found = excursions(&track.points, LINES, |a, b| track.is_hole(a, b));
        let told = |one: &Excursion| (s(&one.anchor), s(&one.first), one.back.as_ref().map(s));
        found.iter().map(told).collect()
    })
}

#[test]
fn an_excursion_is_told_from_its_anchor_to_the_reading_that_is_milk_again() {
    let at = |from: i32, to: i32, by: i32| {
        told_of(move |t_s| 20_000 + if (from..to).contains(&t_s) { by } else { 0 }, 400)
    };
    assert_eq!(at(30, 35, 8_000), [(10, 30, Some(35))]);
    assert_eq!(at(30, 31, -8_000), [(10, 30, Some(31))]);
    assert_eq!(at(5, 7, 8_000), [(0, 5, Some(7))], "no anchor is 20 s old yet");
    assert!(at(30, 35, 500).is_empty());
    assert!(at(400, 401, 8_000).is_empty());
}

#[test]
fn after_an_excursion_the_readings_are_in_no_doubt() {
    let twice = told_of(|t_s| 20_000 + if matches!(t_s, 30..35 | 40..45) { 8_000 } else { 0 }, 100);
    assert_eq!(twice, [(10, 30, Some(35)), (35, 40, Some(45))]);
}

#[test]
fn over_a_minute_above_is_a_shift_and_below_it_waits_to_come_back() {
    let at = |to: i32, by: i32| {
        told_of(move |t_s| 20_000 + if (30..to).contains(&t_s) { by } else { 0 }, 400)
    };
    assert_eq!(at(91, 8_000), [(10, 30, Some(91))]);
    // A minute and a second later it stands, and what comes after it is a change of its own.
    assert_eq!(at(92, 8_000)[0], (10, 30, None));
    assert_eq!(at(92, 8_000)[1].0, 91);
    assert_eq!(at(300, -8_000), [(10, 30, Some(300))]);
    assert_eq!(at(400, -8_000), [(10, 30, None)]);
}

#[test]
fn what_creeps_is_held_against_a_reading_twenty_seconds_before() {
    assert!(told_of(|t_s| 20_000 + 25 * t_s, 22).is_empty(), "0.5 K in 20 s");
    assert_eq!(told_of(|t_s| 20_000 + 26 * t_s, 21), [(0, 20, None)]);
    assert_eq!(
        told_of(|t_s| 20_000 + if t_s > 5 { 26 * (t_s - 5) } else { 0 }, 26),
        [(5, 25, None)]
    );
}

/// Milk at 62.6 °C in a bath of 63.2, loaded at second 0, that is at 63.4 °C from second 640 on:
/// its hold begins at second 626.
fn held() -> Curve {
    let milk = |t_s: u64| match t_s {
        0..600 => 62_600,
        600..640 => 63_000,
        _ => 63_400,
    };
    beside((0..2_600).map(|t_s| (t_s, milk(t_s), 63_200)))
}

/// The same with the milk changed by so much from one second to before another.
fn spiked(mut curve: Curve, from_s: u64, to_s: u64, by: i32) -> Curve {
    let rows =
        curve.rows.iter_mut().filter(|row| (from_s * 1_000..to_s * 1_000).contains(&row.t_ms));
    rows.for_each(|row| row.milk[0] = row.milk[0].and_then(|milk| milli(milk.milli() + by)));
    curve
}

fn told(curve: &Curve) -> Option<(Severity, Option<f64>, String)> {
    let found = asked(curve, jumps);
    assert!(found.len() <= 1 && found.iter().all(|found| found.rule == Rule::ProbeJump));
    found.into_iter().next().map(|found| (found.severity, found.at_s, found.text))
}

fn severity_of(curve: &Curve) -> Option<Severity> {
    told(curve).map(|told| told.0)
}

#[test]
fn the_hold_of_these_tests_begins_where_they_say() {
    asked(&held(), |seen, _| {
        let first = seen.holds.complete.map(|hold| seen.rows[hold.first].t_ms);
        assert_eq!(first, Some(626_000));
    });
    assert_eq!(told(&held()), None);
}

#[test]
fn a_short_change_before_the_hold_is_a_note_and_a_long_one_a_deviation() {
    let text = "Milk probe 1 rose from 62.600 to 70.600 °C within 20 s, faster than any bottle, \
                and came back after 10 s: it was not the milk that it showed.";
    let found = told(&spiked(held(), 300, 310, 8_000));
    assert_eq!(found, Some((Severity::Note, Some(300.0), text.to_owned())));
    assert_eq!(severity_of(&spiked(held(), 300, 311, 8_000)), Some(Severity::Deviation));
    let (severity, _, text) = told(&spiked(held(), 300, 311, -8_000)).expect("told");
    assert_eq!(severity, Severity::Deviation);
    assert!(text.starts_with("Milk probe 1 fell from 62.600 to 54.600 °C"), "{text}");
}

#[test]
fn in_the_hold_a_short_change_is_a_deviation_and_a_long_one_upwards_fails() {
    assert_eq!(severity_of(&spiked(held(), 900, 910, 8_000)), Some(Severity::Deviation));
    assert_eq!(severity_of(&spiked(held(), 900, 911, 8_000)), Some(Severity::Fail));
    // Downwards it hides no cold milk.
    assert_eq!(severity_of(&spiked(held(), 900, 911, -540)), Some(Severity::Deviation));
}

#[test]
fn three_changes_in_the_hold_fail_and_two_do_not() {
    let twice = spiked(spiked(held(), 900, 902, 8_000), 1_000, 1_002, 8_000);
    assert_eq!(severity_of(&twice), Some(Severity::Deviation));
    let (severity, _, text) = told(&spiked(twice, 1_100, 1_102, 8_000)).expect("told");
    assert_eq!(severity, Severity::Fail);
    assert!(text.ends_with("This is one of 3 such changes."), "{text}");
    // Those before the hold do not count with those in it.
    let mixed = [300, 350, 400, 900].iter();
    let mixed = mixed.fold(held(), |curve, at| spiked(curve, *at, at + 2, 8_000));
    assert_eq!(severity_of(&mixed), Some(Severity::Deviation));
}

#[test]
fn a_change_that_does_not_come_back_fails() {
    let (severity, at_s, text) = told(&spiked(held(), 300, 2_600, 8_000)).expect("told");
    assert_eq!((severity, at_s), (Severity::Fail, Some(300.0)));
    let expected = "Milk probe 1 rose from 62.600 to 70.600 °C within 20 s, faster than any \
                    bottle, and did not come back: it is not the milk that it shows.";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn the_thirty_seconds_with_which_a_hold_begins_are_part_of_it() {
    // Back at second 596, 30 s before the hold begins; then a second earlier.
    assert_eq!(severity_of(&spiked(held(), 594, 596, 8_000)), Some(Severity::Deviation));
    assert_eq!(severity_of(&spiked(held(), 593, 595, 8_000)), Some(Severity::Note));
}

#[test]
fn what_comes_after_the_longest_hold_is_not_in_it() {
    // The hold breaks at second 1500, before it is complete; the controller cools at second 2300.
    let broken = with(held(), 1_500..1_501, |row| row.lid = Some(false));
    let cools = with(broken, 2_300..2_600, |row| row.phase = Some(PhaseName::Cool));
    assert_eq!(severity_of(&spiked(cools.clone(), 2_000, 2_005, 8_000)), Some(Severity::Note));
    assert_eq!(severity_of(&spiked(cools.clone(), 1_400, 1_405, 8_000)), Some(Severity::Deviation));
    assert_eq!(severity_of(&spiked(cools, 2_310, 2_315, 8_000)), None, "cooling");
}

#[test]
fn in_the_minute_after_the_loading_a_probe_may_be_on_its_way() {
    let early = spiked(held(), 30, 40, 8_000);
    assert_eq!(severity_of(&early), None);
    assert_eq!(severity_of(&Curve { load_ms: None, ..early }), Some(Severity::Note));
}

#[test]
fn over_a_hole_no_bottle_goes_beyond_what_either_bath_makes_of_it() {
    // 70 s by a lag of 100 s: 140/270 of the gap of 10 K; with a lag of its own, of 400 s, a
    // quarter faster: 140/710.
    let line = |lines: Lines, baths: [i32; 2], change: i32| {
        let to = 50_000 + change;
        let curve = beside([(100, 50_000, baths[0]), (170, to, baths[1])]);
        asked(&curve, |_, track| lines.can_be_unread(&track.points[0], &track.points[1]))
    };
    for baths in [[60_000, 60_000], [60_000, 50_000], [50_000, 60_000]] {
        assert!(line(LINES, baths, 5_685) && !line(LINES, baths, 5_686), "{baths:?}");
        assert!(line(LINES, baths, -500) && !line(LINES, baths, -501), "{baths:?}");
    }
    let own = Lines { lag_own_ms: Some(400_000), ..LINES };
    assert!(line(own, [60_000; 2], 2_471) && !line(own, [60_000; 2], 2_472));
    assert!(line(own, [40_000; 2], -2_471) && !line(own, [40_000; 2], -2_472));
    // However long the hole, no milk becomes warmer than its bath.
    assert_eq!(follows_unread(10_000, 200_000, 100_000), 10_000);
    assert_eq!(follows_unread(10_000, 900_000, 100_000), 10_000);
}

/// Milk that comes up with a lag of 350 s in a bath of 63.5 °C, and what its probe shows from
/// second 600 + `hole_s` on, after a silence that began at second 600.
fn silent(hole_s: u64, then: impl Fn(f64) -> f64) -> Curve {
    let milk = |t_s: u64| 63.5 - 40.0 * (-(t_s as f64) / 350.0).exp();
    let shown = |t_s: u64| if t_s < 600 { milk(t_s) } else { then(milk(t_s)) };
    let mut curve = beside((0..1_200).map(|t_s| (t_s, (shown(t_s) * 1_000.0) as i32, 63_500)));
    curve.rows.retain(|row| !(600_000..(600 + hole_s) * 1_000).contains(&row.t_ms));
    curve
}

#[test]
fn a_probe_that_comes_back_in_the_bath_after_a_silence_fails() {
    for hole_s in [30, 59, 60, 61, 70, 120, 300] {
        assert_eq!(told(&silent(hole_s, |milk| milk)), None, "the milk itself, {hole_s} s");
        let in_bath = severity_of(&silent(hole_s, |_| 63.4));
        assert_eq!(in_bath, Some(Severity::Fail), "in the bath, {hole_s} s");
        let colder = severity_of(&silent(hole_s, |_| 20.0));
        assert_eq!(colder, Some(Severity::Fail), "another bottle, {hole_s} s");
    }
}
