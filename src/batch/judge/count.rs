//! The bottles that came out beside those that went in: one that was added is raw, and nobody can say
//! which of them it is. From the counts that people typed, the engine's own rule is not asked.

use super::seen::Seen;
use super::words::finding;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Finding, Rule, Severity};

/// More out than in fails; fewer, or more at the first count alone, is for QA to decide.
pub(super) fn count(seen: &Seen) -> Option<Finding> {
    let loaded = seen.curve.bottles_in?;
    let last = *seen.curve.counts_out.last()?;
    let most = *seen.curve.counts_out.iter().max()?;
    let (severity, text) = if last > loaded {
        let text = format!(
            "More bottles came out ({last}) than went in ({loaded}): nobody can say which of them were \
             heated, and none of them may go on."
        );
        (Severity::Fail, text)
    } else if last < loaded {
        let text = format!(
            "Fewer bottles came out ({last}) than went in ({loaded}): is what is missing broken, or still \
             in the bath?"
        );
        (Severity::Deviation, text)
    } else if most > loaded {
        let text = format!(
            "{most} bottles were counted out at first, and {last} when they were counted again; \
             {loaded} went in."
        );
        (Severity::Deviation, text)
    } else {
        return None;
    };
    Some(finding(Rule::BottleCount, severity, Some(seen.last_ms()), text))
}

/// Whether a record of ours ends with the unloading, and no count of it.
pub(super) fn is_uncounted(seen: &Seen) -> bool {
    let curve = seen.curve;
    let is_counted = curve.bottles_in.is_some() && !curve.counts_out.is_empty();
    curve.own_record && seen.end_phase() == Some(PhaseName::Finished) && !is_counted
}

#[cfg(test)]
mod tests;
