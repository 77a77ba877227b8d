//! What the record must hold, and the word of the engine.

use proptest::prelude::*;

use super::*;
use crate::batch::judge::outcome as outcome_of;

fn ending(phase: PhaseName, last_s: u64) -> Curve {
    let mut curve = own();
    curve.rows.retain(|row| row.t_ms <= last_s * 1_000);
    Curve { end_phase: Some(phase), engine_accepts: None, ..curve }
}

#[test]
fn a_record_that_ends_before_its_batch_is_incomplete() {
    for (phase, last_s) in [
        (PhaseName::Preheat, 10),
        (PhaseName::Load, 50),
        (PhaseName::ComeUp, 1_000),
        (PhaseName::Hold, BEGIN_S + 900),
        (PhaseName::Cool, COMPLETE_S + 100),
    ] {
        let found = verdict(&ending(phase, last_s));
        assert_eq!(found.outcome, Outcome::Incomplete, "{phase}: {:?}", found.findings);
        assert_eq!(severity(&found, Rule::Record), Some(Severity::Fail));
    }
}

#[test]
fn a_record_in_phase_cool_is_whole_once_the_milk_is_cold() {
    let mut cooled = Curve { end_phase: Some(PhaseName::Cool), ..own() };
    assert_eq!(outcome(&cooled), Outcome::Acceptable);
    cooled.rows.retain(|row| row.t_ms < (COMPLETE_S + 910) * 1_000);
    assert_eq!(outcome(&cooled), Outcome::Incomplete);
}

#[test]
fn a_record_without_the_engine_s_decision_is_incomplete() {
    let undecided = Curve { engine_accepts: None, ..own() };
    assert_eq!(outcome(&undecided), Outcome::Incomplete);
}

#[test]
fn a_stopped_batch_is_unacceptable_at_any_time() {
    for last_s in [0, 50, 1_000, BEGIN_S + 900, COMPLETE_S + 100, END_S] {
        let found = verdict(&ending(PhaseName::Aborted, last_s));
        assert_eq!(found.outcome, Outcome::Unacceptable, "stopped after {last_s} s");
        assert_eq!(severity(&found, Rule::Stopped), Some(Severity::Fail));
    }
}

#[test]
fn before_the_loading_nothing_is_judged() {
    let hot = with(own(), 0..100, both(90_000));
    assert_eq!(verdict(&hot), verdict(&own()));
}

#[test]
fn engine_and_judge_must_agree() {
    let refused = verdict(&Curve { engine_accepts: Some(false), ..own() });
    assert_eq!(refused.outcome, Outcome::Unacceptable);
    assert_eq!(severity(&refused, Rule::Disputed), Some(Severity::Fail));

    let short = with(own(), COMPLETE_S - 60..COMPLETE_S + 1, both(62_000));
    let found = verdict(&short);
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert_eq!(severity(&found, Rule::Disputed), Some(Severity::Fail));
    let agreed = verdict(&Curve { engine_accepts: Some(false), ..short });
    assert_eq!(severity(&agreed, Rule::Disputed), None);
}

#[test]
fn engine_and_judge_must_count_the_same_broken_holds() {
    let counted = |told| verdict(&Curve { engine_holds_broken: told, ..own() });
    for (told, expected) in [(None, None), (Some(0), None), (Some(1), Some(Severity::Fail))] {
        assert_eq!(severity(&counted(told), Rule::Disputed), expected, "{told:?}");
    }
    assert_eq!(counted(Some(1)).outcome, Outcome::Unacceptable);
    let text = "Broken holds: the controller counted 1, the judge 0; they must agree.";
    assert!(counted(Some(1)).findings.iter().any(|found| found.text == text));
}

#[test]
fn in_our_own_record_no_phase_moves_the_loading() {
    let hot = with(own(), 300..320, both(90_000));
    let hidden = with(hot, 0..HOT_S, |row| row.phase = Some(PhaseName::Load));
    assert_eq!(severity(&verdict(&hidden), Rule::Ceiling), Some(Severity::Fail));
}

#[test]
fn a_curve_without_a_probe_says_so_in_words() {
    let found = verdict(&Curve { milk_uncertainty: Vec::new(), ..good() });
    let note = found.findings.iter().find(|f| f.rule == Rule::Judged).expect("a note");
    assert!(note.text.contains("logger: no milk probe, margin"), "{}", note.text);
}

#[test]
fn a_file_that_was_cut_off_is_incomplete() {
    assert_eq!(outcome(&Curve { cut_off: true, ..good() }), Outcome::Incomplete);
}

#[test]
fn nothing_to_judge_is_incomplete() {
    assert_eq!(outcome(&Curve { rows: Vec::new(), ..good() }), Outcome::Incomplete);
    assert_eq!(outcome(&Curve { milk_uncertainty: Vec::new(), ..good() }), Outcome::Incomplete);
    assert_eq!(outcome(&Curve { load_ms: None, ..own() }), Outcome::Incomplete);
    let mut backwards = good();
    backwards.rows.swap(2_000, 2_001);
    assert_eq!(outcome(&backwards), Outcome::Incomplete);
}

#[test]
fn without_any_finding_a_curve_is_acceptable_only_with_a_hold_and_cold_milk() {
    let without_findings = |curve: &Curve| asked(curve, |seen, _| outcome_of(seen, &[]));
    assert_eq!(without_findings(&good()), Outcome::Acceptable);
    let mut warm = good();
    warm.rows.retain(|row| row.t_ms <= (COMPLETE_S + 500) * 1_000);
    assert_eq!(without_findings(&warm), Outcome::Incomplete);
    let short = with(own(), COMPLETE_S - 300..COMPLETE_S + 1, both(40_000));
    assert_eq!(without_findings(&short), Outcome::Incomplete);
}

#[test]
fn the_limit_of_each_probe_is_told() {
    let mut curve = good();
    curve.milk_uncertainty[1] = Kelvin::from_milli(150);
    let limits = crate::batch::judge::limits(&recipe(), &curve);
    assert_eq!(limits, [LIMIT, LIMIT + 50].map(Celsius::from_milli));
}

#[test]
fn a_probe_that_never_spoke_makes_a_curve_incomplete() {
    let found = verdict(&with(good(), 0..END_S + 1, |row| row.milk[1] = None));
    assert_eq!(found.outcome, Outcome::Incomplete);
    assert!(found.findings[0].text.contains("Milk probe 2"), "{:?}", found.findings);
}

#[test]
fn a_foreign_curve_that_stops_in_the_middle_is_incomplete() {
    for last_s in [600, BEGIN_S + 900, COMPLETE_S, COMPLETE_S + 500] {
        let mut cut = good();
        cut.rows.retain(|row| row.t_ms <= last_s * 1_000);
        assert_eq!(outcome(&cut), Outcome::Incomplete, "cut after {last_s} s");
    }
}

#[test]
fn a_foreign_curve_that_went_through_without_a_hold_is_unacceptable() {
    let short = with(good(), COMPLETE_S - 300..COMPLETE_S + 1, both(40_000));
    assert_eq!(outcome(&short), Outcome::Unacceptable);
}

#[test]
fn a_foreign_curve_says_how_it_was_judged() {
    let found = verdict(&Curve { max_gap_ms: 90_000, ..good() });
    let note = found.findings.iter().find(|f| f.rule == Rule::Judged).expect("a note");
    let text = "Judged as read, from a foreign logger: uncertainty 0.100, 0.100 °C, margin 0.200 \
                °C, gaps up to 1 min 30 s.";
    assert_eq!((note.severity, note.text.as_str()), (Severity::Note, text));
    assert_eq!(severity(&verdict(&own()), Rule::Judged), None);
    let unmeasured = verdict(&Curve { margin_measured: false, ..own() });
    assert_eq!(severity(&unmeasured, Rule::Judged), Some(Severity::Note));
}

fn any_row() -> impl Strategy<Value = Row> {
    let celsius = || proptest::option::of(any::<i32>().prop_map(Celsius::from_milli));
    let phase = proptest::option::of(proptest::sample::select(PhaseName::ALL.as_slice()));
    let milk = proptest::array::uniform8(celsius());
    let told = any::<Option<bool>>;
    (any::<u64>(), milk, celsius(), celsius(), told(), phase, told()).prop_map(
        |(t_ms, milk, bath, reference, lid, phase, heats)| Row {
            t_ms,
            milk,
            bath,
            reference,
            lid,
            phase,
            heats,
        },
    )
}

proptest! {
    #[test]
    fn whatever_the_numbers_nothing_overflows_and_noise_is_not_acceptable(
        mut rows in proptest::collection::vec(any_row(), 0..40),
        uncertainty in proptest::collection::vec(any::<i32>().prop_map(Kelvin::from_milli), 0..10),
        margin in any::<i32>().prop_map(Kelvin::from_milli),
        half_resolution in any::<i32>().prop_map(Kelvin::from_milli),
        max_gap_ms in any::<u64>(),
        load_ms in any::<Option<u64>>(),
        own_record in any::<bool>(),
        engine_accepts in any::<Option<bool>>(),
        has_reference in any::<bool>(),
        is_sorted in any::<bool>(),
    ) {
        if is_sorted {
            rows.sort_by_key(|row| row.t_ms);
        }
        let curve = Curve {
            milk_uncertainty: uncertainty, margin, half_resolution, max_gap_ms, load_ms,
            own_record, engine_accepts, has_reference, rows, ..good()
        };
        prop_assert_ne!(verdict(&curve).outcome, Outcome::Acceptable);
    }
}
