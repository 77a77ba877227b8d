use super::*;
use crate::batch::curve::Interruption;
use crate::batch::fixture::recipe;
use crate::batch::judge::tests::{
    BEGIN_S, COMPLETE_S, END_S, HOT_S, both, good, own, row, with, without,
};

fn seen<T>(curve: &Curve, ask: impl FnOnce(&Seen) -> T) -> T {
    let recipe = recipe();
    ask(&Seen::new(&recipe, curve))
}

/// The first row that is judged, seconds.
fn first_s(curve: &Curve) -> Option<u64> {
    seen(curve, |seen| seen.rows.first().map(|row| row.t_ms / 1_000))
}

#[test]
fn rows_before_the_loading_are_not_judged() {
    assert_eq!(first_s(&Curve { load_ms: Some(100_000), ..good() }), Some(100));
    assert_eq!(first_s(&Curve { load_ms: Some(100_001), ..good() }), Some(101));
    assert_eq!(first_s(&good()), Some(0), "a foreign curve begins with its first row");
    assert_eq!(first_s(&Curve { load_ms: None, ..own() }), None);
}

#[test]
fn the_row_of_the_loading_is_judged_unless_its_phase_was_before() {
    let told = |phase| with(own(), 100..101, move |row| row.phase = phase);
    for phase in [PhaseName::Preheat, PhaseName::Load] {
        assert_eq!(first_s(&told(Some(phase))), Some(101), "{phase}");
    }
    assert_eq!(first_s(&told(Some(PhaseName::ComeUp))), Some(100));
    assert_eq!(first_s(&told(None)), Some(100));
}

#[test]
fn the_batch_starts_with_its_loading_or_an_earlier_row() {
    let start_ms = |curve: &Curve| seen(curve, |seen| seen.start_ms);
    assert_eq!(start_ms(&own()), 100_000);
    assert_eq!(start_ms(&without(own(), 100..150)), 100_000, "before its first row");
    assert_eq!(start_ms(&without(good(), 0..50)), 50_000);
    assert_eq!(start_ms(&Curve { rows: Vec::new(), ..own() }), 0);
}

#[test]
fn times_that_stand_are_not_judged() {
    let mut curve = good();
    curve.rows[10].t_ms = curve.rows[9].t_ms;
    seen(&curve, |seen| assert!(!seen.rises && seen.rows.is_empty()));
    seen(&good(), |seen| assert!(seen.rises));
}

/// From when the milk was cooled, and when it was cold, seconds.
fn cooling_s(curve: &Curve) -> Option<(u64, Option<u64>)> {
    let s = |ms: u64| ms / 1_000;
    seen(curve, |seen| seen.cooling.map(|c| (s(c.from_ms), c.target_ms.map(s))))
}

#[test]
fn cooling_begins_where_it_is_told_or_where_the_hold_ended_whichever_is_first() {
    // The milk is cold 9 s after second 901 of the cooling.
    let cold_s = Some(COMPLETE_S + 910);
    assert_eq!(cooling_s(&own()), Some((COMPLETE_S, cold_s)));
    assert_eq!(cooling_s(&good()), Some((COMPLETE_S, cold_s)));
    let early = with(own(), BEGIN_S + 100..END_S, |row| row.phase = Some(PhaseName::Cool));
    assert_eq!(cooling_s(&early), Some((BEGIN_S + 100, cold_s)));
    let never = with(good(), COMPLETE_S - 60..COMPLETE_S, both(40_000));
    assert_eq!(cooling_s(&never), None, "no hold, and no phase");
}

#[test]
fn milk_that_was_cold_before_the_cooling_is_not_cooled_yet() {
    let mut curve = own();
    curve.rows.retain(|row| row.t_ms <= (COMPLETE_S + 100) * 1_000);
    assert_eq!(cooling_s(&curve), Some((COMPLETE_S, None)));
    seen(&curve, |seen| assert_eq!(seen.cooled_ms(), None));
}

#[test]
fn milk_is_heated_until_the_cooling_else_the_longest_hold_else_the_end() {
    let until_s = |curve: &Curve| seen(curve, |seen| seen.heated_until_ms() / 1_000);
    assert_eq!(until_s(&own()), COMPLETE_S);
    let short = with(good(), COMPLETE_S - 60..COMPLETE_S + 1, both(40_000));
    assert_eq!(until_s(&short), COMPLETE_S - 61);
    let cold = with(good(), HOT_S..END_S, both(40_000));
    assert_eq!(until_s(&cold), END_S);
    let none = Curve { load_ms: Some(5_000), rows: Vec::new(), ..good() };
    assert_eq!(seen(&none, |seen| (seen.last_ms(), seen.heated_until_ms())), (0, 0));
}

#[test]
fn the_phase_at_the_end_is_as_told_else_that_of_the_last_row() {
    let end = |curve: &Curve| seen(curve, |seen| seen.end_phase());
    assert_eq!(end(&own()), Some(PhaseName::Finished));
    assert_eq!(end(&Curve { end_phase: None, ..own() }), Some(PhaseName::Unload));
    assert_eq!(end(&good()), None);
}

#[test]
fn milk_went_through_when_it_was_warm_and_cold_after_that() {
    let through = |values: &[i32]| {
        let rows = values.iter().zip(0..).map(|(milk, at)| row(at * 20, &[*milk, *milk])).collect();
        seen(&Curve { rows, ..good() }, |seen| seen.went_through())
    };
    assert!(through(&[4_000, 58_000, 10_000]));
    assert!(!through(&[4_000, 57_999, 10_000]));
    assert!(!through(&[4_000, 58_000, 10_001]));
    assert!(!through(&[4_000, 58_000]), "cold before it was warm");
}

#[test]
fn no_more_probes_are_required_than_a_row_has() {
    let probes = |count| {
        let milk_uncertainty = vec![holder_hal::Kelvin::ZERO; count];
        seen(&Curve { milk_uncertainty, ..good() }, |seen| seen.probes())
    };
    assert_eq!([probes(0), probes(2), probes(9)], [0, 2, 8]);
}

#[test]
fn the_facts_of_a_hold_are_those_of_its_rows() {
    seen(&good(), |seen| {
        let hold = seen.holds.complete.expect("a hold");
        let during = seen.during(hold);
        assert_eq!(during.first().map(|m| m.t_ms), Some(BEGIN_S * 1_000));
        assert_eq!(during.last().map(|m| m.t_ms), Some(COMPLETE_S * 1_000));
    });
}

#[test]
fn no_span_is_known_that_an_outage_of_unknown_length_lies_in() {
    let span_ms = |outage_ms: Option<u64>, from_ms: u64, to_ms: u64| {
        let interruptions = vec![Interruption { at_ms: 50_000, outage_ms }];
        seen(&Curve { interruptions, ..own() }, |seen| seen.known_ms(from_ms, to_ms))
    };
    assert_eq!(span_ms(None, 49_999, 50_000), None, "it was continued at the end of it");
    assert_eq!(span_ms(None, 40_000, 49_999), Some(9_999), "before");
    assert_eq!(span_ms(None, 50_000, 60_000), Some(10_000), "it begins when it was continued");
    assert_eq!(span_ms(None, 50_001, 60_000), Some(9_999), "after");
    assert_eq!(span_ms(Some(7_000), 40_000, 60_000), Some(20_000));
}
