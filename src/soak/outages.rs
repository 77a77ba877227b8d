//! Invariant 6: what became of each outage against the recipe's rule, worked out here again, from
//! the record. One outcome is right, and no other.

use super::run::{Done, Outage};
use super::scenario::Scenario;
use crate::batch::event::{Cause, Event, HoldBreak};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::WhenInterrupted;
use crate::batch::verdict::{Outcome, Rule, Severity};
use crate::store::model::{BatchRecord, Closing, StampedEntry};

/// What an outage makes of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes on where it was.
    GoesOn,
    /// The bath is warmed again; no milk is in it.
    Warms,
    /// The hold begins again.
    Holds,
    /// The hold would begin again, and may not.
    Exhausted,
    /// The batch has failed by the rule.
    Failed,
    /// Something else.
    Other,
}

/// What is wrong with the outages of a run; nothing if all were decided by the rule.
pub(crate) fn wrong(scenario: &Scenario, done: &Done) -> Vec<String> {
    let record = &done.closed.record;
    let mut said = Vec::new();
    let mut fails = false;
    let mut was_hot = false;
    let mut resumed = record.entries.iter().enumerate().filter_map(resumption);
    let outages = done.outages.iter().filter(|outage| !outage.phase.is_final());
    let mut outages = outages.peekable();
    while let Some(outage) = outages.next() {
        let Some((place, known_ms)) = resumed.next() else {
            // A disk that stalled again before it took the resumption in: the record ends before
            // it, and the verdict says so (`Rule::Record`).
            let is_last = outages.peek().is_none();
            let is_interrupted = record.header.closing == Some(Closing::Interrupted);
            if !(is_last && is_interrupted && !accepts(done)) {
                said.push(format!("the outage in {} is not in the record", outage.phase));
            }
            continue;
        };
        if known_ms.is_some_and(|known_ms| known_ms < outage.real_ms) {
            said.push(format!("an outage of {} ms is {known_ms:?} in the record", outage.real_ms));
        }
        let (right, became) = (expected(scenario, record, place, outage), fate(record, place));
        if became != right {
            said.push(format!("{outage:?} made {became:?} of the batch, and not {right:?}"));
        }
        fails |= right == Fate::Failed;
        was_hot |= matches!(
            outage.phase,
            PhaseName::ComeUp | PhaseName::Hold | PhaseName::Cool | PhaseName::Unload
        );
    }
    said.extend(untold(done, fails, was_hot));
    said
}

/// What the verdict has to say of those that are in the record, and what it may not; `was_hot` if there
/// was milk in one of them.
fn untold(done: &Done, fails: bool, was_hot: bool) -> Option<String> {
    let findings = done.closed.verdict.findings.iter();
    let told: Vec<Severity> = findings
        .filter(|finding| finding.rule == Rule::Interrupted)
        .map(|finding| finding.severity)
        .collect();
    if fails && accepts(done) {
        Some("acceptable, although an outage failed it".to_owned())
    } else if fails != told.contains(&Severity::Fail) {
        Some(format!("an outage fails the batch: {fails}; the verdict's findings: {told:?}"))
    } else if told.is_empty() && was_hot {
        Some("the verdict does not tell the outage".to_owned())
    } else {
        None
    }
}

fn accepts(done: &Done) -> bool {
    done.closed.verdict.outcome == Outcome::Acceptable
}

fn resumption((place, stamped): (usize, &StampedEntry)) -> Option<(usize, Option<u64>)> {
    match &stamped.entry.event {
        Event::Resumed { outage_ms } => Some((place, *outage_ms)),
        Event::Entered { .. }
        | Event::HeatConfirmed
        | Event::Raised { .. }
        | Event::Cleared { .. }
        | Event::Acknowledged { .. }
        | Event::Failed { .. }
        | Event::AboveCeiling { .. }
        | Event::CountDiffers { .. } => None,
    }
}

/// The cause of this entry, if a phase was entered by it.
fn entered(stamped: &StampedEntry) -> Option<&Cause> {
    stamped.entry.event.entered().map(|(_, cause)| cause)
}

/// What the rule makes of an outage that is told at this place of the record.
fn expected(scenario: &Scenario, record: &BatchRecord, place: usize, outage: &Outage) -> Fate {
    let recipe = &scenario.params.recipe;
    let rule = &recipe.interruption;
    let before = record.entries.get(..place).unwrap_or_default();
    let back = record.entries.get(place).map(|stamped| stamped.entry.at).unwrap_or_default();
    let last = record.periods.iter().rev().map(|period| period.at).find(|at| *at < back);
    // The time between the readings counts, whatever the outage was said to be.
    let between_ms = last.map_or(0, |last| back.ms_since(last));
    let gone_ms = outage.known_ms.map(|known_ms| known_ms.max(between_ms));
    let is_allowed = gone_ms.is_some_and(|ms| ms <= rule.outage_max_ms);
    let broken =
        before.iter().filter_map(entered).filter(|c| matches!(c, Cause::HoldBroken { .. }));
    match outage.phase {
        // Not even begun.
        PhaseName::Preheat | PhaseName::Load if last.is_none() => Fate::GoesOn,
        PhaseName::Preheat => Fate::Warms,
        PhaseName::Load if is_allowed => Fate::GoesOn,
        PhaseName::Load => Fate::Warms,
        PhaseName::ComeUp if is_allowed && rule.come_up == WhenInterrupted::Continue => {
            Fate::GoesOn
        }
        PhaseName::Hold if is_allowed && rule.hold == WhenInterrupted::Restart => {
            let is_over = broken.count() >= recipe.hold.holds_restarted_max as usize;
            if is_over { Fate::Exhausted } else { Fate::Holds }
        }
        PhaseName::ComeUp | PhaseName::Hold => Fate::Failed,
        // The time of the outage counts as time to cool; of an unknown one nobody knows.
        PhaseName::Cool if gone_ms.is_some() => Fate::GoesOn,
        PhaseName::Unload if is_allowed => Fate::GoesOn,
        PhaseName::Cool | PhaseName::Unload => Fate::Failed,
        PhaseName::Finished | PhaseName::Aborted => Fate::GoesOn,
    }
}

/// What became of the batch with the input that told the outage at this place.
fn fate(record: &BatchRecord, place: usize) -> Fate {
    let after = record.entries.get(place..).unwrap_or_default();
    let Some(told) = after.first() else { return Fate::Other };
    let with_it = after.iter().take_while(|stamped| stamped.entry.at == told.entry.at);
    match with_it.filter_map(entered).next() {
        None => Fate::GoesOn,
        Some(Cause::Resumed) => Fate::Warms,
        Some(Cause::HoldBroken { by: HoldBreak::Interrupted, .. }) => Fate::Holds,
        Some(Cause::RestartsExhausted { by: HoldBreak::Interrupted, .. }) => Fate::Exhausted,
        Some(Cause::InterruptionNotAllowed { .. }) => Fate::Failed,
        Some(
            Cause::Started
            | Cause::BathStable
            | Cause::Loaded { .. }
            | Cause::HoldBegun
            | Cause::HoldBroken { .. }
            | Cause::HoldComplete
            | Cause::RestartsExhausted { .. }
            | Cause::HeatUpTooLong
            | Cause::CeilingPassed
            | Cause::Cooled
            | Cause::CoolingTooLong
            | Cause::Unloaded { .. }
            | Cause::OperatorStop { .. }
            | Cause::Implausible { .. }
            | Cause::Interlock { .. }
            | Cause::PreheatTooLong
            | Cause::LoadTooLong,
        ) => Fate::Other,
    }
}
