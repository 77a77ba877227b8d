use super::*;
use crate::batch::curve::Curve;
use crate::batch::fixture::recipe;
use crate::batch::judge::tests::{BEGIN_S, COMPLETE_S, END_S, both, good, own, stretched, with};

fn seen<T>(curve: &Curve, ask: impl FnOnce(&Seen) -> T) -> T {
    let recipe = recipe();
    ask(&Seen::new(&recipe, curve))
}

/// What the record of this curve lacks.
fn lacks(curve: &Curve) -> Vec<String> {
    seen(curve, record).into_iter().map(|found| found.text).collect()
}

/// The curve up to this second.
fn until(mut curve: Curve, s: u64) -> Curve {
    curve.rows.retain(|row| row.t_ms <= s * 1_000);
    curve
}

#[test]
fn our_own_record_ends_early_by_its_phase() {
    let curve = Curve { end_phase: Some(PhaseName::Hold), ..until(own(), BEGIN_S + 900) };
    assert_eq!(lacks(&curve), ["The record ends in phase hold, before the batch was over."]);
    // Milk that is cold does not end it; only in the cooling it does.
    let open = Curve { end_phase: Some(PhaseName::Hold), ..own() };
    assert_eq!(lacks(&open), ["The record ends in phase hold, before the batch was over."]);
    let cold = Curve { end_phase: Some(PhaseName::Cool), ..own() };
    assert_eq!(lacks(&cold), [""; 0]);
}

#[test]
fn of_a_foreign_curve_the_milk_tells_whether_it_ended_whatever_phase_it_says() {
    let told = |curve| with(curve, 0..END_S + 1, |row| row.phase = Some(PhaseName::Hold));
    assert_eq!(lacks(&told(good())), [""; 0], "cold after its hold");
    let warm = told(until(good(), COMPLETE_S + 500));
    assert_eq!(lacks(&warm), ["The curve ends before the milk is at or below 10.0 °C."]);
    let short = told(until(good(), BEGIN_S + 900));
    let text = "The curve ends after 15 min of hold, before the 30 min are complete.";
    assert_eq!(lacks(&short), [text]);
}

#[test]
fn our_own_record_without_a_phase_needs_a_hold_although_the_milk_went_through() {
    let short = with(own(), COMPLETE_S - 300..COMPLETE_S + 1, both(40_000));
    let silent = Curve { end_phase: None, ..with(short, 0..END_S + 1, |row| row.phase = None) };
    let text = "The curve ends after 24 min 59 s of hold, before the 30 min are complete.";
    assert_eq!(lacks(&silent), [text]);
    assert_eq!(lacks(&Curve { own_record: false, ..silent }), [""; 0], "hot and then cold");
}

#[test]
fn an_hour_without_cold_milk_fails_although_the_record_is_not_whole() {
    let warm = |s: u64| {
        let slow = stretched(good(), COMPLETE_S + 100, 5_000);
        seen(&until(slow, COMPLETE_S + s), |seen| cooling(seen, false))
    };
    // Cooling begins with the last row of the hold; the controller's phase is not told.
    assert_eq!(warm(3_600), None);
    let found = warm(3_601).expect("told");
    assert_eq!(found.severity, Severity::Fail);
    let text = "The milk was not at 10.0 °C 60 min 1 s after the hold; the limit is 60 min.";
    assert_eq!(found.text, text);
}

#[test]
fn a_broken_hold_is_told_with_its_cold_milk_and_its_limit() {
    let cold = with(good(), BEGIN_S + 100..BEGIN_S + 110, |row| {
        row.milk[1] = Some(holder_hal::Celsius::from_milli(60_000));
    });
    let found = seen(&cold, restarts);
    // The first cold reading of ten lowers the mean by 0.3 °C.
    let text = "The hold was broken after 1 min 39 s: milk probe 2 fell to 62.700 °C, below its \
                limit of 62.800 °C.";
    assert_eq!(found.first().map(|found| found.text.as_str()), Some(text));
}

/// The controller waits for the last bottle of the load before it begins to hold; the judge does not.
#[test]
fn a_break_while_the_controller_still_waits_is_no_dispute() {
    let opened = |before, then| {
        let curve = Curve { engine_holds_broken: Some(0), has_lid: true, ..own() };
        let told = with(curve, BEGIN_S..BEGIN_S + 30, move |row| row.phase = Some(before));
        let opened = with(told, BEGIN_S + 30..BEGIN_S + 31, move |row| {
            (row.lid, row.phase) = (Some(false), Some(then));
        });
        seen(&opened, |seen| {
            assert_eq!(seen.holds.breaks.len(), 1);
            disputed_breaks(seen)
        })
    };
    let (come_up, hold) = (PhaseName::ComeUp, PhaseName::Hold);
    // The row of the break may tell the phase after it already.
    assert!(opened(come_up, come_up).is_none() && opened(come_up, hold).is_none());
    assert!(opened(hold, hold).is_some() && opened(hold, come_up).is_some());
}
