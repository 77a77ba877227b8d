//! The judge on records in which the controller was gone, against the engine on the same readings.

use holder_hal::{Celsius, Command, Quality, Reading, Sample, Switch, Tick};
use proptest::prelude::*;

use crate::batch::engine::Engine;
use crate::batch::event::{Action, Effects, Input};
use crate::batch::fixture::params;
use crate::batch::judge::judge;
use crate::batch::phase::PhaseName;
use crate::batch::recipe::WhenInterrupted;
use crate::batch::verdict::{Outcome, Rule, Severity, Verdict};
use crate::record::curve;
use crate::station::rehearsal::Rehearsal;
use crate::store::model::{BatchRecord, Period};

/// An outage: after so many seconds of this phase, so many seconds long, and whether it is known.
#[derive(Clone, Copy, Debug)]
struct Outage {
    phase: PhaseName,
    after_s: u64,
    gone_s: u64,
    known: bool,
}

/// A batch on ideal milk, interrupted where the outages say, continued and heated at once.
fn batch(outages: &[Outage], hold: WhenInterrupted) -> (BatchRecord, Verdict) {
    let mut params = params();
    params.recipe.interruption.hold = hold;
    let beyond_ms = params.recipe.beyond_every_limit_ms();
    let mut run = Rehearsal {
        periods: Vec::new(),
        entries: Vec::new(),
        bottles: 48,
        engine: Engine::credulous(params).expect("valid"),
        true_coldest_in_hold_c: None,
        true_hottest_c: None,
    };
    let mut left = outages.to_vec();
    let (mut now_ms, mut in_phase_s, mut milk_c) = (0, 0, 4.0_f64);
    for _ in 0..40_000 {
        let before = run.engine.phase();
        if before.is_final() {
            break;
        }
        let due = left.iter().position(|o| o.phase == before && o.after_s <= in_phase_s);
        let inputs = match (due.map(|at| left.remove(at)), before) {
            (Some(outage), _) => {
                now_ms += if outage.known { outage.gone_s * 1_000 } else { beyond_ms };
                let outage_ms = outage.known.then_some(outage.gone_s * 1_000);
                vec![
                    Input::Operator(Action::Resume { outage_ms }),
                    Input::Operator(Action::ConfirmHeat),
                ]
            }
            (None, PhaseName::Load) => vec![Input::Operator(Action::ConfirmLoad { bottles: 48 })],
            (None, PhaseName::Unload) => {
                vec![Input::Operator(Action::ConfirmUnload { bottles: 48 })]
            }
            (None, _) => Vec::new(),
        };
        for input in inputs {
            now_ms += 1;
            take(&mut run, now_ms, input, None);
        }
        now_ms += 999;
        // Bottles follow the water around them with a time constant of 300 s.
        let bath_c = if run.engine.phase() == PhaseName::Cool { 2.0 } else { 63.4 };
        if matches!(run.engine.phase(), PhaseName::ComeUp | PhaseName::Hold | PhaseName::Cool) {
            milk_c += (bath_c - milk_c) / 300.0;
        }
        let reading = reading(bath_c, milk_c);
        take(&mut run, now_ms, Input::Reading(reading), Some(reading));
        in_phase_s = if run.engine.phase() == before { in_phase_s + 1 } else { 0 };
    }
    let record = run.record();
    let verdict = judge(&record.params.recipe, &curve::curve(&record));
    (record, verdict)
}

fn reading(bath_c: f64, milk_c: f64) -> Reading {
    let mut reading = Reading::nothing(2, true);
    let good = |c| Sample::good(Celsius::from_f64(c).expect("a temperature"));
    reading.bath = good(bath_c);
    reading.milk.iter_mut().flatten().for_each(|probe| *probe = good(milk_c));
    reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
    reading
}

fn take(run: &mut Rehearsal, now_ms: u64, input: Input, reading: Option<Reading>) {
    let at = Tick::from_ms(now_ms);
    let Effects { command, entries, .. }: Effects = run.engine.step(at, input);
    let command: Command = command;
    run.entries.extend(entries);
    let phase = run.engine.phase();
    run.periods.extend(reading.map(|reading| Period { at, reading, command, phase }));
}

fn severity(verdict: &Verdict) -> Option<Severity> {
    let found = verdict.findings.iter().filter(|found| found.rule == Rule::Interrupted);
    found.map(|found| found.severity).max()
}

fn agrees(record: &BatchRecord, verdict: &Verdict) -> bool {
    let is_disputed = verdict.findings.iter().any(|found| found.rule == Rule::Disputed);
    let accepted = record.header.engine_accepts == Some(true);
    !is_disputed && accepted == (verdict.outcome == Outcome::Acceptable)
}

#[test]
fn the_recipe_s_rule_decides_each_phase_and_both_judges_say_the_same() {
    let minute = 60;
    let cases = [
        (PhaseName::Preheat, 5 * minute, true, Severity::Note, true),
        (PhaseName::Preheat, 0, false, Severity::Note, true),
        (PhaseName::ComeUp, 5 * minute, true, Severity::Deviation, true),
        (PhaseName::ComeUp, 11 * minute, true, Severity::Fail, false),
        (PhaseName::ComeUp, 0, false, Severity::Fail, false),
        (PhaseName::Hold, 2, true, Severity::Deviation, true),
        (PhaseName::Hold, 9 * minute, true, Severity::Deviation, true),
        (PhaseName::Hold, 11 * minute, true, Severity::Fail, false),
        (PhaseName::Hold, 0, false, Severity::Fail, false),
        (PhaseName::Cool, 11 * minute, true, Severity::Deviation, true),
        (PhaseName::Cool, 61 * minute, true, Severity::Deviation, false),
        (PhaseName::Cool, 0, false, Severity::Fail, false),
    ];
    for (phase, gone_s, known, expected, acceptable) in cases {
        let outage = Outage { phase, after_s: 20, gone_s, known };
        let (record, verdict) = batch(&[outage], WhenInterrupted::Restart);
        assert_eq!(severity(&verdict), Some(expected), "{outage:?}: {verdict:#?}");
        assert_eq!(verdict.outcome == Outcome::Acceptable, acceptable, "{outage:?} {verdict:#?}");
        assert!(agrees(&record, &verdict), "{outage:?}: {verdict:#?}");
    }
}

#[test]
fn a_time_that_nobody_knows_is_never_given_in_minutes() {
    let beyond_min = params().recipe.beyond_every_limit_ms() / 60_000;
    for phase in [PhaseName::ComeUp, PhaseName::Hold, PhaseName::Cool] {
        let outage = Outage { phase, after_s: 20, gone_s: 0, known: false };
        let (_, verdict) = batch(&[outage], WhenInterrupted::Restart);
        let said: Vec<&str> = verdict.findings.iter().map(|one| one.text.as_str()).collect();
        let (stand_in, gone) = (format!("for {beyond_min} min"), "for an unknown time");
        assert!(said.iter().all(|text| !text.contains(&stand_in)), "{phase}: {said:#?}");
        let unknown = said.iter().filter(|text| text.contains(gone));
        let why = "it counts as longer than every limit";
        let unknown: Vec<_> = unknown.filter(|text| text.contains(why)).collect();
        assert!(unknown.len() >= 2, "the outage and the gap in the readings: {said:#?}");
        assert_eq!(verdict.figures.gap_max_s, None, "{phase}");
        assert_eq!(verdict.figures.cycle_s, None, "{phase}");
    }
    let outage = Outage { phase: PhaseName::ComeUp, after_s: 20, gone_s: 90, known: true };
    let (_, verdict) = batch(&[outage], WhenInterrupted::Restart);
    assert!(verdict.figures.gap_max_s.is_some_and(|gap_s| gap_s >= 90.0), "{verdict:#?}");
    assert!(verdict.figures.cycle_s.is_some());
}

#[test]
fn a_recipe_that_forbids_interrupted_holds_fails_them_and_a_second_restart_fails_always() {
    let outage = Outage { phase: PhaseName::Hold, after_s: 600, gone_s: 30, known: true };
    let (record, verdict) = batch(&[outage], WhenInterrupted::Fail);
    assert_eq!(severity(&verdict), Some(Severity::Fail));
    assert!(agrees(&record, &verdict), "{verdict:#?}");
    let (record, verdict) = batch(&[outage, outage], WhenInterrupted::Restart);
    assert_eq!(verdict.outcome, Outcome::Unacceptable);
    assert!(agrees(&record, &verdict), "{verdict:#?}");
    assert_eq!(verdict.figures.holds_restarted, 2);
}

#[test]
fn an_undisturbed_batch_has_no_such_finding() {
    let (record, verdict) = batch(&[], WhenInterrupted::Restart);
    assert_eq!((severity(&verdict), verdict.outcome), (None, Outcome::Acceptable));
    assert!(agrees(&record, &verdict));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 400 }))]
    #[test]
    fn whatever_the_interruptions_engine_and_judge_agree(
        outages in prop::collection::vec(
            (0_usize..5, 0_u64..2_000, 0_u64..900, prop::bool::weighted(0.9)), 0..4),
        fails in any::<bool>(),
    ) {
        let phases = [
            PhaseName::Preheat, PhaseName::ComeUp, PhaseName::Hold, PhaseName::Cool, PhaseName::Load,
        ];
        let outages: Vec<Outage> = outages
            .into_iter()
            .map(|(phase, after_s, gone_s, known)| {
                let phase = phases[phase];
                let after_s = if phase == PhaseName::Load { 0 } else { after_s };
                Outage { phase, after_s, gone_s, known }
            })
            .collect();
        let hold = if fails { WhenInterrupted::Fail } else { WhenInterrupted::Restart };
        let (record, verdict) = batch(&outages, hold);
        prop_assert!(agrees(&record, &verdict), "{outages:?}: {verdict:#?}");
    }
}
