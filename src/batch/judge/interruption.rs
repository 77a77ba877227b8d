//! The recipe's rule on interruptions, from the record alone: what the controller's absence does to
//! a batch whose milk was in the machine.
//!
//! An absence lasts from the last row before it, in whose phase it fell, to the moment at which
//! the batch was continued. One of unknown length exceeds every limit.

use super::seen::Seen;
use super::words::{finding, span};
use crate::batch::curve::Interruption;
use crate::batch::phase::PhaseName;
use crate::batch::recipe::WhenInterrupted;
use crate::batch::verdict::{Finding, Rule, Severity};

/// One finding for each interruption.
pub(super) fn interruptions(seen: &Seen) -> Vec<Finding> {
    seen.curve.interruptions.iter().map(|one| judged(seen, *one)).collect()
}

fn judged(seen: &Seen, one: Interruption) -> Finding {
    let rule = &seen.recipe.interruption;
    let before = seen.curve.rows.iter().rev().find(|row| row.t_ms < one.at_ms);
    let between_ms = before.map_or(0, |row| one.at_ms.saturating_sub(row.t_ms));
    let gone_ms = one.outage_ms.map(|told_ms| told_ms.max(between_ms));
    let is_allowed = gone_ms.is_some_and(|ms| ms <= rule.outage_max_ms);
    let told = before.and_then(|row| row.phase).unwrap_or(PhaseName::Preheat);
    // The bottles may have been confirmed after the last row.
    let is_loaded = seen.curve.load_ms.is_some_and(|load_ms| load_ms < one.at_ms);
    let is_early = matches!(told, PhaseName::Preheat | PhaseName::Load);
    let phase = if is_early && is_loaded { PhaseName::ComeUp } else { told };
    let (severity, so) = match phase {
        PhaseName::Preheat | PhaseName::Load => (Severity::Note, "no milk was being heated".into()),
        PhaseName::ComeUp if rule.come_up != WhenInterrupted::Continue => {
            (Severity::Fail, "the recipe allows none in the come-up".into())
        }
        PhaseName::Hold if rule.hold != WhenInterrupted::Restart => {
            (Severity::Fail, "the recipe allows none in the hold".into())
        }
        PhaseName::Cool if gone_ms.is_some() => {
            (Severity::Deviation, "it counts as time to cool".into())
        }
        PhaseName::ComeUp | PhaseName::Hold | PhaseName::Cool | PhaseName::Unload => {
            let severity = if is_allowed { Severity::Deviation } else { Severity::Fail };
            (severity, format!("at most {} may pass unwatched", span(rule.outage_max_ms)))
        }
        PhaseName::Finished | PhaseName::Aborted => {
            (Severity::Note, "the batch was over already".into())
        }
    };
    let gone = match gone_ms {
        Some(ms) => format!("{} in phase {phase}", span(ms)),
        None => format!(
            "an unknown time in phase {phase} (nobody can show that it was short: it counts as \
             longer than every limit)"
        ),
    };
    let text = format!("The controller was gone for {gone}: {so}.");
    finding(Rule::Interrupted, severity, Some(one.at_ms), text)
}

#[cfg(test)]
mod tests;
