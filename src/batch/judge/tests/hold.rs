//! When a hold begins, counts and breaks.

use super::*;

#[test]
fn thirty_minutes_to_the_second_are_a_hold_and_a_second_less_is_none() {
    let found = verdict(&good());
    assert_eq!(found.outcome, Outcome::Acceptable, "{:?}", found.findings);
    assert_eq!(found.figures.hold_s, Some(1_800.0));

    let short = with(good(), COMPLETE_S..COMPLETE_S + 1, both(40_000));
    let found = verdict(&short);
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(severity(&found, Rule::Hold), Some(Severity::Fail));
    assert_eq!(found.figures.hold_s, Some(1_799.0));
}

#[test]
fn milk_at_its_limit_is_not_below_it_and_a_thousandth_less_is() {
    let at_limit = with(good(), BEGIN_S + 60..COMPLETE_S + 1, both(LIMIT));
    assert_eq!(outcome(&at_limit), Outcome::Acceptable);
    let found = verdict(&with(good(), BEGIN_S + 60..COMPLETE_S + 1, both(LIMIT - 1)));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(found.figures.holds_restarted, 1);
}

#[test]
fn a_hold_begins_five_hundredths_above_the_limit_and_not_below_that() {
    assert_eq!(
        outcome(&with(good(), HOT_S..COMPLETE_S + 1, both(LIMIT + 50))),
        Outcome::Acceptable
    );
    let found = verdict(&with(good(), HOT_S..COMPLETE_S + 1, both(LIMIT + 49)));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(found.figures.hold_s, None);
}

#[test]
fn a_dip_while_the_hold_is_about_to_begin_starts_the_wait_anew() {
    let dip = with(good(), BEGIN_S - 1..BEGIN_S, both(60_000));
    let found = verdict(&stretched(dip, COMPLETE_S, 100));
    // The dip leaves the mean of 10 s at its tenth row, and 20 s must pass again.
    assert_eq!(found.figures.come_up_s, Some((BEGIN_S - 1 + 10 + 20) as f64));
    assert_eq!(found.figures.holds_restarted, 0);
}

/// REQ-HOLD-04
#[test]
fn a_gap_of_max_gap_is_bridged_and_a_longer_one_restarts_the_hold() {
    let at = BEGIN_S + 500;
    assert_eq!(outcome(&without(good(), at + 1..at + 10)), Outcome::Acceptable);
    let found = verdict(&stretched(without(good(), at + 1..at + 11), COMPLETE_S, 1_000));
    assert_eq!(found.outcome, Outcome::Acceptable, "{:?}", found.findings);
    assert_eq!(found.figures.holds_restarted, 1);
    let restart = found.findings.iter().find(|f| f.rule == Rule::HoldRestarted).expect("found");
    assert_eq!(restart.severity, Severity::Deviation);
    assert_eq!(restart.at_s, Some((at + 11) as f64));
    let text = "The hold was broken after 8 min 20 s: milk probe 1 gave no good reading for 11 s; \
                at most 10 s may pass.";
    assert_eq!(restart.text, text);
}

#[test]
fn one_silent_probe_of_two_restarts_the_hold() {
    let at = BEGIN_S + 500;
    let silent = |seconds| {
        let curve = with(good(), at + 1..at + seconds, |row| row.milk[1] = None);
        verdict(&stretched(curve, COMPLETE_S, 1_000))
    };
    assert_eq!(silent(10).figures.holds_restarted, 0);
    let found = silent(11);
    assert_eq!((found.outcome, found.figures.holds_restarted), (Outcome::Acceptable, 1));
    // What counts ends with the last row that has a reading of the silent probe.
    let restart = found.findings.iter().find(|f| f.rule == Rule::HoldRestarted).expect("found");
    assert!(restart.text.starts_with("The hold was broken after 8 min 20 s: milk probe 2 gave"));
}

#[test]
fn the_last_second_of_a_hold_must_be_seen() {
    let blind = |from| with(good(), from..COMPLETE_S + 1, |row| row.milk[1] = None);
    // Its last good reading is 10 s old: no gap yet, and nothing known either.
    let found = verdict(&blind(COMPLETE_S - 9));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(found.figures.hold_s, Some(1_790.0));
    // The mean of the silent probe is known, but it was not read when the hold was to end.
    let found = verdict(&blind(COMPLETE_S));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(found.figures.hold_s, Some(1_799.0));
}

#[test]
fn a_probe_that_is_lost_as_the_hold_would_be_complete_restarts_it() {
    let lost = |s: u64| {
        let long = stretched(good(), COMPLETE_S, 2_000);
        verdict(&with(long, COMPLETE_S..COMPLETE_S + s, |row| row.milk[1] = None))
    };
    let found = lost(15);
    assert_eq!(found.figures.holds_restarted, 1);
    assert_eq!(severity(&found, Rule::HoldRestarted), Some(Severity::Deviation));
    assert_eq!(found.outcome, Outcome::Acceptable, "held again for long enough");
    assert_eq!(lost(9).figures.holds_restarted, 0, "read again in time, and complete then");
}

#[test]
fn the_row_that_ends_a_gap_does_not_count_yet() {
    let silent = |row: &mut Row| row.milk[1] = None;
    let found = verdict(&with(good(), HOT_S..HOT_S + 40, silent));
    // Read again 40 s later: above from the row after that one, for 20 s.
    assert_eq!(found.figures.come_up_s, Some((HOT_S + 40 + 1 + 20) as f64));
}

#[test]
fn a_lid_that_was_told_open_once_is_open_until_it_is_told_closed() {
    let lid = |curve, at, closed| with(curve, at..at + 1, move |row| row.lid = Some(closed));
    let opened = lid(good(), BEGIN_S + 100, false);
    let found = verdict(&opened);
    assert_eq!((found.outcome, found.figures.hold_s), (Outcome::Unacceptable, Some(99.0)));
    let closed = verdict(&lid(stretched(opened, COMPLETE_S, 300), BEGIN_S + 130, true));
    assert_eq!((closed.outcome, closed.figures.holds_restarted), (Outcome::Acceptable, 1));
    assert_eq!(verdict(&lid(own(), 50, false)).figures.hold_s, None, "opened before the loading");
}

/// REQ-HOLD-03
#[test]
fn an_opened_lid_restarts_the_hold_and_is_a_deviation_of_its_own() {
    let mut closed = good();
    closed.has_lid = true;
    let closed = with(closed, 0..END_S + 1, |row| row.lid = Some(true));
    assert_eq!(severity(&verdict(&closed), Rule::Lid), None);
    let open = with(closed, BEGIN_S + 10..BEGIN_S + 11, |row| row.lid = Some(false));
    let found = verdict(&stretched(open, COMPLETE_S, 100));
    assert_eq!(severity(&found, Rule::Lid), Some(Severity::Deviation));
    assert_eq!(severity(&found, Rule::HoldRestarted), Some(Severity::Deviation));
    assert_eq!(found.outcome, Outcome::Acceptable, "QA decides deviations");
}

/// Raw bottles that are put in while the milk is cooled would be kept with the others.
#[test]
fn a_lid_opened_before_the_milk_is_cooled_is_a_deviation_and_after_it_is_not() {
    // The milk is cold for the first time when no mean has a warm reading left.
    let cold_s = COMPLETE_S + 901 + 9;
    let opened = |s: u64| with(own(), s..END_S + 1, |row| row.lid = Some(false));
    for s in [COMPLETE_S + 1, COMPLETE_S + 300, cold_s - 1] {
        let found = verdict(&opened(s));
        assert_eq!(severity(&found, Rule::Lid), Some(Severity::Deviation), "{s}");
        let lid: Vec<_> = found.findings.iter().filter(|f| f.rule == Rule::Lid).collect();
        let [lid] = lid.as_slice() else { panic!("once: {lid:?}") };
        assert_eq!(lid.at_s, Some(s as f64));
        assert_eq!(lid.text, "The lid was opened in the cooling, before the milk was at 10.0 °C.");
        assert_eq!((found.outcome, found.figures.holds_restarted), (Outcome::Acceptable, 0));
    }
    for s in [cold_s, END_S] {
        assert_eq!(severity(&verdict(&opened(s)), Rule::Lid), None, "{s}: to unload");
    }
    // Milk that never became cold: the lid is told beside the cooling that failed.
    let warm = with(opened(COMPLETE_S + 300), COMPLETE_S + 900..END_S + 1, both(30_000));
    assert_eq!(severity(&verdict(&warm), Rule::Lid), Some(Severity::Deviation));
}

#[test]
fn the_row_that_tells_the_cooling_still_belongs_to_the_hold_and_so_does_its_lid() {
    let cools_s = COMPLETE_S - 100;
    let opened = |s: u64| {
        let cools = with(own(), cools_s..COMPLETE_S, |row| row.phase = Some(PhaseName::Cool));
        let told = with(cools, 0..END_S + 1, |row| row.lid = Some(row.t_ms != s * 1_000));
        let found = verdict(&told).findings;
        found.iter().filter(|found| found.text.contains("opened in the cooling")).count()
    };
    assert_eq!((opened(cools_s), opened(cools_s + 1)), (0, 1));
}

#[test]
fn an_open_lid_keeps_a_hold_from_beginning() {
    let open = with(good(), 0..END_S, |row| row.lid = Some(false));
    assert_eq!(verdict(&open).figures.hold_s, None);
}

#[test]
fn one_restart_is_a_deviation_and_two_fail() {
    let dip = |curve, at: u64| with(curve, at..at + 1, both(60_000));
    let long = || stretched(good(), COMPLETE_S, 600);
    let once = verdict(&dip(long(), BEGIN_S + 100));
    assert_eq!(once.outcome, Outcome::Acceptable);
    assert_eq!(severity(&once, Rule::HoldRestarted), Some(Severity::Deviation));
    let twice = verdict(&dip(dip(long(), BEGIN_S + 100), BEGIN_S + 200));
    assert_eq!(twice.outcome, Outcome::Unacceptable);
    assert_eq!(severity(&twice, Rule::HoldRestarted), Some(Severity::Fail));
    assert_eq!(twice.figures.holds_restarted, 2);
}

#[test]
fn what_breaks_a_complete_hold_is_no_restart() {
    let found = verdict(&with(good(), COMPLETE_S + 1..COMPLETE_S + 2, |row| row.lid = Some(false)));
    assert_eq!(found.outcome, Outcome::Acceptable);
    assert_eq!(found.figures.holds_restarted, 0);
}

#[test]
fn the_coldest_probe_decides_and_a_colder_one_is_never_outvoted() {
    let cold = with(good(), 0..END_S + 1, |row| {
        row.milk[1] = row.milk[0].map(|_| Celsius::from_milli(60_000))
    });
    assert_eq!(verdict(&cold).figures.hold_s, None);
    assert_ne!(outcome(&cold), Outcome::Acceptable);
}

#[test]
fn each_probe_is_held_against_its_own_uncertainty() {
    let mut curve = good();
    curve.milk_uncertainty[1] = Kelvin::from_milli(251);
    assert_eq!(verdict(&curve).figures.hold_s, None, "63.000 is below 62.5 + 0.251 + 0.2 + 0.05");
    curve.milk_uncertainty[1] = Kelvin::from_milli(250);
    assert_eq!(outcome(&curve), Outcome::Acceptable);
}

#[test]
fn an_uncertainty_below_zero_does_not_lower_the_limit() {
    let mut curve = with(good(), HOT_S..COMPLETE_S + 1, both(62_400));
    curve.milk_uncertainty = vec![Kelvin::from_milli(-500); 2];
    curve.margin = Kelvin::from_milli(-500);
    assert_eq!(verdict(&curve).figures.hold_s, None);
}

#[test]
fn a_phase_that_is_told_late_makes_cooling_no_shorter() {
    let told = |phase| {
        let slow = stretched(good(), COMPLETE_S + 1, 3_000);
        let last_s = slow.rows.len() as u64 - 30;
        let slow = with(slow, 0..last_s, move |row| row.phase = phase);
        with(slow, last_s..last_s + 30, |row| row.phase = Some(PhaseName::Cool))
    };
    for phase in [None, Some(PhaseName::Hold), Some(PhaseName::ComeUp)] {
        let found = verdict(&told(phase));
        assert_eq!(severity(&found, Rule::Cooling), Some(Severity::Fail), "{phase:?}");
        assert_eq!(found.outcome, Outcome::Unacceptable, "{phase:?}");
        assert_eq!(found.figures.cool_to_10_s, Some(3_910.0), "{phase:?}");
    }
    let unloaded = with(own(), COMPLETE_S..END_S, |row| row.phase = Some(PhaseName::Unload));
    assert_eq!(verdict(&unloaded).figures.cool_to_10_s, Some(910.0));
}

#[test]
fn a_second_hold_that_is_open_at_the_end_hides_no_cooling() {
    let again = with(
        stretched(good(), COMPLETE_S + 100, 4_000),
        COMPLETE_S + 4_500..END_S + 4_001,
        both(HELD),
    );
    assert_eq!(severity(&verdict(&again), Rule::Cooling), Some(Severity::Fail));
}

#[test]
fn the_hold_ends_where_the_controller_cools() {
    let early = with(own(), COMPLETE_S - 1..COMPLETE_S, |row| row.phase = Some(PhaseName::Cool));
    let found = verdict(&early);
    assert_eq!(found.figures.hold_s, Some(1_799.0));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(outcome(&own()), Outcome::Acceptable);
}
