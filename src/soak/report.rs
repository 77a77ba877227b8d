//! What one run shows: its outcome, and which invariants it broke.

use holder_hal::Tick;

use super::fault::{Fault, Kind};
use super::outages;
use super::residual::{self, Residual};
use super::rig::Became;
use super::run::{Done, NoRun, Wanted, run};
use super::scenario::Scenario;
use super::watch::{Invariant, Violation};
use crate::batch::event::Alarm;
use crate::batch::verdict::{Outcome, Rule};
use crate::store::model::Closing;

/// What a run showed.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Its seed.
    pub(crate) seed: u64,
    /// What went wrong; nothing in a run without fault.
    pub(crate) faults: Vec<Kind>,
    /// The judge's verdict.
    pub(crate) outcome: Outcome,
    /// How often the engine saw a hold broken.
    pub(crate) holds_broken: u32,
    /// Whether the milk really had its hold.
    pub(crate) true_hold: bool,
    /// Whether engine and judge disagreed.
    pub(crate) disputed: bool,
    /// Whether it had a real store.
    pub(crate) stored: bool,
    /// The first alarm after the first fault began, and how long after it, milliseconds.
    pub(crate) detected: Option<(Alarm, u64)>,
    /// Alarms in all.
    pub(crate) alarms: usize,
    /// A wrongly accepted batch that a residual risk explains.
    pub(crate) residual: Option<Residual>,
    /// What did not hold.
    pub(crate) violations: Vec<Violation>,
    /// How long it took, simulated.
    pub(crate) lasted: Tick,
}

/// Runs a scenario and looks at what it shows.
///
/// # Errors
/// The run could not begin, or its record could not be closed.
pub(crate) fn of_scenario(scenario: &Scenario, wanted: Wanted) -> Result<(Done, Report), NoRun> {
    let mut done = run(scenario, wanted)?;
    let mut violations = std::mem::take(&mut done.violations);
    let mut residual = None;
    if is_wrongly_accepted(scenario, &done) {
        residual = explained(scenario, &done, wanted)?;
        if residual.is_none() {
            violations.push(missed_the_floor(&done));
        } else if let Some(harm) = passes_its_bound(scenario, &done) {
            violations.push(harm);
        }
    }
    violations.extend(after_the_end(scenario, &done));
    let report = report(scenario, &done, wanted.store, residual, violations);
    Ok((done, report))
}

fn report(
    scenario: &Scenario,
    done: &Done,
    stored: bool,
    residual: Option<Residual>,
    violations: Vec<Violation>,
) -> Report {
    let first = done.became.iter().filter_map(|became| became.began).min();
    let after = |(alarm, at): &(Alarm, Tick)| {
        first.filter(|first| at >= first).map(|first| (*alarm, at.ms_since(first)))
    };
    let findings = &done.closed.verdict.findings;
    Report {
        seed: scenario.seed,
        faults: scenario.faults.iter().map(|fault| fault.kind).collect(),
        outcome: done.closed.verdict.outcome,
        holds_broken: done.holds_broken,
        true_hold: has_true_hold(scenario, done),
        disputed: findings.iter().any(|finding| finding.rule == Rule::Disputed),
        stored,
        detected: done.alarms.iter().find_map(after),
        alarms: done.alarms.len(),
        residual,
        violations,
        lasted: done.lasted,
    }
}

fn has_true_hold(scenario: &Scenario, done: &Done) -> bool {
    done.true_hold_ms >= scenario.params.recipe.hold.hold_ms
}

fn is_wrongly_accepted(scenario: &Scenario, done: &Done) -> bool {
    done.closed.verdict.outcome == Outcome::Acceptable && !has_true_hold(scenario, done)
}

fn missed_the_floor(done: &Done) -> Violation {
    let held_s = done.true_hold_ms / 1_000;
    let text = format!("acceptable, but the coldest milk was at the floor for {held_s} s only");
    Violation { invariant: Invariant::Floor, at: done.lasted, text }
}

/// The residual risks that the faults of this run are.
fn named_in(scenario: &Scenario, done: &Done) -> impl Iterator<Item = Residual> {
    let faults = scenario.faults.iter().zip(&done.became);
    faults.filter_map(|(fault, became)| residual::of(fault, became, scenario))
}

/// Whether the milk lacked more than what all residual risks of the run may take together.
pub(super) fn passes_its_bound(scenario: &Scenario, done: &Done) -> Option<Violation> {
    let bounds = named_in(scenario, done).map(|risk| risk.lacks_k_max(scenario));
    let bound_k: f64 = bounds.sum::<Option<f64>>()?;
    let lacked_k = done.lacked_k;
    let text = format!("residual, but the milk lacked {lacked_k:.2} K, more than {bound_k:.2} K");
    let violation = Violation { invariant: Invariant::Floor, at: done.lasted, text };
    (lacked_k > bound_k).then_some(violation)
}

/// The residual risk behind a wrongly accepted batch: the run without its residual faults must
/// not be accepted wrongly, or they explain nothing.
fn explained(scenario: &Scenario, done: &Done, wanted: Wanted) -> Result<Option<Residual>, NoRun> {
    let faults = scenario.faults.iter().zip(&done.became);
    let named = |(fault, became): (&Fault, &Became)| residual::of(fault, became, scenario);
    let Some(found) = named_in(scenario, done).next() else { return Ok(None) };
    let mut without = scenario.clone();
    without.faults = faults.filter(|of| named(*of).is_none()).map(|(fault, _)| *fault).collect();
    let done = run(&without, wanted)?;
    Ok(Some(found).filter(|_| !is_wrongly_accepted(&without, &done)))
}

/// The invariants that can only be seen at the end.
fn after_the_end(scenario: &Scenario, done: &Done) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut broken = |invariant, text: String| {
        violations.push(Violation { invariant, at: done.lasted, text });
    };
    let (header, verdict) = (&done.closed.record.header, &done.closed.verdict);
    if let Some(misfit) = &done.closed.misfit {
        broken(Invariant::Record, misfit.clone());
    }
    let accepts = verdict.outcome == Outcome::Acceptable;
    let disputed = verdict.findings.iter().any(|finding| finding.rule == Rule::Disputed);
    if header.engine_accepts != done.accepts {
        let text = "the stored inputs do not give the engine's entries again";
        broken(Invariant::Record, text.to_owned());
    }
    match header.engine_accepts {
        Some(engine) if engine == accepts => {}
        Some(false) if accepts => {
            broken(Invariant::Judges, "acceptable, although the engine refused".to_owned());
        }
        Some(_) if !disputed => {
            broken(Invariant::Judges, format!("{}, undisputed", verdict.outcome));
        }
        Some(_) => {}
        None if accepts => {
            broken(Invariant::Outage, "acceptable, although nobody saw its end".to_owned());
        }
        None => {}
    }
    for text in outages::wrong(scenario, done) {
        broken(Invariant::Outage, text);
    }
    let is_interrupted = header.closing == Some(Closing::Interrupted);
    let says_so = verdict.findings.iter().any(|f| matches!(f.rule, Rule::Record | Rule::Stopped));
    if is_interrupted && !says_so {
        broken(Invariant::Outage, "interrupted, and the verdict does not say so".to_owned());
    }
    if scenario.is_clean() && !done.alarms.is_empty() {
        let numbers: Vec<u16> = done.alarms.iter().map(|(alarm, _)| alarm.number()).collect();
        broken(Invariant::GoodBatches, format!("without a fault: alarms {numbers:?}"));
    }
    violations
}
