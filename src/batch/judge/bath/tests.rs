use super::*;
use crate::batch::curve::Curve;
use crate::batch::judge::tests::{asked, beside, milli};

/// Milk and bath, steady, every second.
fn steady(s: impl IntoIterator<Item = u64>) -> Curve {
    beside(s.into_iter().map(|t_s| (t_s, 50_000, 63_000)))
}

/// How long the interlocks were blind in all, milliseconds.
fn blind_ms(curve: &Curve) -> i64 {
    asked(curve, |seen, track| Blind::of(seen, track).until(i64::MAX))
}

/// The same for eleven rows, one a second, of which the one at second 5 is changed.
fn blind_with(change: impl FnOnce(&mut Row)) -> i64 {
    let mut curve = steady(0..11);
    change(&mut curve.rows[5]);
    blind_ms(&curve)
}

#[test]
fn what_the_interlocks_need_and_cannot_read_leaves_them_blind_for_its_time() {
    assert_eq!(blind_with(|_| ()), 0);
    assert_eq!(blind_with(|row| row.bath = None), 1_000);
    assert_eq!(blind_with(|row| row.milk[0] = None), 1_000);
    assert_eq!(blind_with(|row| row.milk[1] = milli(20_000)), 0, "a probe that is not required");
}

#[test]
fn each_required_milk_probe_counts() {
    let mut curve = steady(0..11);
    curve.milk_uncertainty.push(holder_hal::Kelvin::ZERO);
    curve.rows.iter_mut().for_each(|row| row.milk[1] = milli(50_000));
    assert_eq!(blind_ms(&curve), 0);
    curve.rows[5].milk[1] = None;
    assert_eq!(blind_ms(&curve), 1_000);
}

#[test]
fn time_without_a_wish_for_heat_counts() {
    assert_eq!(blind_with(|row| row.heats = Some(false)), 1_000);
    assert_eq!(blind_with(|row| row.heats = Some(true)), 0);
}

#[test]
fn a_step_longer_than_the_gap_that_is_allowed_counts_whole() {
    assert_eq!(blind_ms(&steady((0..5).chain(14..20))), 0, "10 s");
    assert_eq!(blind_ms(&steady((0..5).chain(15..20))), 11_000);
}

#[test]
fn a_jump_of_more_than_half_a_degree_counts_there_and_back() {
    for milk in [50_500, 49_500] {
        assert_eq!(blind_with(|row| row.milk[0] = milli(milk)), 0, "{milk}");
    }
    for milk in [50_501, 49_499] {
        assert_eq!(blind_with(|row| row.milk[0] = milli(milk)), 2_000, "{milk}");
    }
}

#[test]
fn blind_time_counts_from_the_row_that_tells_it() {
    let blind = Blind(vec![(1_000, 0), (2_000, 700)]);
    let until = [0, 1_999, 2_000, 9_000].map(|t_ms| blind.until(t_ms));
    assert_eq!(until, [0, 0, 700, 700]);
}

#[test]
fn heat_may_have_been_cut_by_what_was_not_seen_in_the_three_minutes_before() {
    let curve = steady(0..600);
    asked(&curve, |_, track| {
        let cut = |blind_s: i64, from: usize, to: usize| {
            let blind = Blind(vec![(0, 0), (blind_s * 1_000, 1_000)]);
            blind.may_have_cut(&track.points[from], &track.points[to])
        };
        assert!(cut(100, 279, 339));
        assert!(!cut(100, 280, 340), "three minutes ago");
        assert!(cut(340, 280, 340), "just now");
        assert!(!cut(341, 280, 340), "not yet");
    });
}

/// Points every `step_s` from five minutes on, whose bath falls by so much in 10 s, and whose milk
/// lies so far below it, millikelvin.
fn falling(step_s: usize, until_s: u64, a_step: i32, gap: i32) -> Curve {
    let bath = move |t_s: u64| 63_000 - a_step * (t_s as i32 - 300) / 10;
    beside((300..=until_s).step_by(step_s).map(|t_s| (t_s, bath(t_s) - gap, bath(t_s))))
}

/// How much the bath fell and how much is allowed of each fall, with 240 mK a minute allowed.
fn fell(curve: &Curve, is_cut: bool) -> Vec<(i64, i64, i64)> {
    asked(curve, |_, track| {
        let found = falls(&track.points, 240, |_, _| is_cut);
        found.iter().map(|fall| (fall.ms, fall.fell, fall.allowed)).collect()
    })
}

#[test]
fn a_bath_may_fall_by_what_is_allowed_in_a_minute_and_no_thousandth_more() {
    assert!(fell(&falling(10, 400, 40, 0), false).is_empty(), "240 mK a minute");
    // Means of 10 s are compared: the first ends 70 s after the first point.
    assert_eq!(fell(&falling(10, 370, 41, 0), false), [(60_000, 246, 240)]);
    assert!(fell(&falling(10, 360, 41, 0), false).is_empty());
    assert_eq!(fell(&falling(10, 400, 41, 0), false).len(), 4);
}

#[test]
fn points_further_apart_are_allowed_more_by_their_time() {
    // 15 s apart: 60 s are four steps, and 15 s are the least that a mean takes.
    assert_eq!(fell(&falling(15, 375, 60, 0), false), [(60_000, 360, 240)]);
    // 9 s apart: 63 s are seven steps, and a mean takes 18 s.
    assert_eq!(fell(&falling(9, 381, 100, 0), false), [(63_000, 630, 252)]);
}

#[test]
fn while_the_heat_is_cut_a_tenth_of_the_gap_to_the_milk_is_allowed_as_well() {
    // 13 K of gap: 240 + 1300 mK.
    assert!(fell(&falling(10, 370, 256, 13_000), true).is_empty());
    assert_eq!(fell(&falling(10, 370, 257, 13_000), true), [(60_000, 1_542, 1_540)]);
    assert_eq!(fell(&falling(10, 370, 257, 13_000), false), [(60_000, 1_542, 240)]);
    assert!(fell(&falling(10, 370, 256, 12_960), true).is_empty(), "1536 of 1536 mK");
    assert_eq!(fell(&falling(10, 370, 257, -500), true), [(60_000, 1_542, 240)], "milk above");
}

/// The bath is steady but where it falls: from one second to another by so much a second.
fn curve_falling(falls: &[(std::ops::Range<u64>, i32)]) -> Curve {
    let mut bath = 63_000;
    beside((0..1_500).map(|t_s| {
        bath -= falls.iter().filter(|(s, _)| s.contains(&t_s)).map(|(_, milli)| milli).sum::<i32>();
        (t_s, bath - 13_000, bath)
    }))
}

fn told(curve: &Curve) -> Option<(Option<f64>, String)> {
    let found = asked(curve, fall)?;
    assert_eq!((found.rule, found.severity), (Rule::BathFall, Severity::Fail));
    Some((found.at_s, found.text))
}

#[test]
fn a_fall_of_a_quarter_of_a_degree_in_a_minute_is_allowed_and_more_fails() {
    assert_eq!(told(&curve_falling(&[(600..610, 25)])), None);
    let (_, text) = told(&curve_falling(&[(600..610, 26)])).expect("told");
    let expected = "The bath fell by 0.260 °C within 1 min; 0.250 °C is allowed: something cold \
                    came in, the lid was open, or the heater failed. Bottles that were added are \
                    colder than the control bottle.";
    assert_eq!(text, expected);
}

#[test]
fn a_bath_that_takes_up_its_load_may_fall_for_five_minutes() {
    let early = curve_falling(&[(200..220, 100)]);
    assert_eq!(told(&early), None);
    // A curve that does not tell its loading was loaded before it began.
    assert!(told(&Curve { load_ms: None, ..early }).is_some());
}

#[test]
fn a_bath_that_was_too_hot_falls_because_its_heat_is_cut() {
    // The bath jumps up, comes down slowly and is let down by 0.3 °C at second 1000, which shows in
    // the means of a minute that begin up to second 1002.
    let is_told = |over: i32, hot_s: i32| {
        let bath = |t_s: i32| {
            let over = if t_s < hot_s { 0 } else { over - 4 * (t_s - hot_s).min(60) };
            63_500 + over - if t_s > 1_000 { 300 } else { 0 }
        };
        told(&beside((0..1_200).map(|t_s| (t_s, 50_000, bath(t_s as i32))))).is_some()
    };
    assert!(is_told(500, 900), "half a degree above its level at the loading is not cut");
    assert!(!is_told(501, 900));
    assert!(!is_told(501, 822), "three minutes before");
    assert!(is_told(501, 821));
}

#[test]
fn the_fall_that_is_furthest_beyond_its_allowance_is_told() {
    let worst = |second: i32| {
        let mut curve = curve_falling(&[(600..610, 60), (1_000..1_010, second)]);
        curve.rows.iter_mut().skip(900).for_each(|row| row.heats = Some(false));
        told(&curve).expect("told").1
    };
    // In the second fall the heat was cut: a tenth of 13 K is allowed as well. It falls by more,
    // but by less beyond; then by more beyond, although by a smaller share.
    assert!(worst(160).contains("fell by 0.600 °C"), "{}", worst(160));
    assert!(worst(250).contains("fell by 2.500 °C within 1 min; 1.550 °C"), "{}", worst(250));
}

/// A load that was put in minutes before it was confirmed has cooled the bath by then.
#[test]
fn a_bath_that_was_cold_at_the_loading_is_not_too_hot_at_its_clamp() {
    let is_told = |level: i32| {
        let bath = |t_s: i32| match t_s {
            0..100 => 61_000,
            100..=1_000 => level,
            _ => level - 300,
        };
        told(&beside((0..1_200).map(|t_s| (t_s, 50_000, bath(t_s as i32))))).is_some()
    };
    assert!(is_told(64_000), "1.5 K above the floor of 62.5 °C");
    assert!(!is_told(64_001));
}

/// The bath falls by 0.3 °C at second 1000, with the lid told open at one second.
fn falls_with_lid(open_s: u64, own_record: bool) -> bool {
    let mut curve = curve_falling(&[(1_000..1_010, 30)]);
    (curve.has_lid, curve.own_record) = (true, own_record);
    curve.rows.iter_mut().for_each(|row| row.lid = Some(row.t_ms != open_s * 1_000));
    told(&curve).is_some()
}

/// The first means of a minute that fall by more than is allowed begin at second 949, with 9 of 10
/// seconds of the fall; the last ones at second 1001.
#[test]
fn a_fall_under_an_open_lid_is_waited_for_and_fails_nothing() {
    assert!(!falls_with_lid(1_000, true));
    assert!(!falls_with_lid(890, true));
    assert!(falls_with_lid(820, true), "more than two minutes before");
    assert!(falls_with_lid(1_100, true), "later");
    assert!(falls_with_lid(1_000, false), "a foreign curve without a lag waits for nothing");
}

#[test]
fn the_lid_was_open_in_the_two_minutes_before_or_between() {
    let curve = steady(0..600);
    asked(&curve, |_, track| {
        let open =
            |at_s: i64| Lid(vec![at_s * 1_000]).was_open(&track.points[280], &track.points[340]);
        assert!(!open(159));
        assert!(open(160) && open(280) && open(340));
        assert!(!open(341));
    });
}
