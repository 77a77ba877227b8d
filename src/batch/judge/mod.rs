//! The verdict on a curve, by code of its own: the second of the two judges.
//!
//! The engine decides live; this judge decides again, from the stored readings and the frozen
//! parameters alone. The two share the certificate's correction and the types, nothing else
//! (DESIGN, "Two judges"). Facts first (`moments`), then the holds, then each rule by itself.
//!
//! | file | decides |
//! |---|---|
//! | `means` | the mean of the readings of the last seconds, exact |
//! | `moments` | what each row says |
//! | `hold` | when a hold began, how long it lasted, what broke it |
//! | `seen` | what is judged: from the loading to the cooled milk |
//! | `rules` | the rules of hold, heat and cold, and of the record itself |
//! | `interruption` | what the controller's absence does to the batch |
//! | `probes` | the rules of the probes: spread, reference, gaps |
//! | `track` | each milk probe beside the bath, with the heat that drove it |
//! | `place` | whether a probe was in the milk: gap after loading, milk above the bath |
//! | `jumps` | readings that changed faster than a bottle can |
//! | `still` | readings that stood still while the milk cannot have |
//! | `lag` | how the milk followed the bath |
//! | `count` | the bottles that came out beside those that went in |
//! | `bath` | something cold that came into the bath |
//! | `newcomer` | something cold that may have come in late: with the load, or under an open lid |
//! | `figures` | the figures, never a decision |
//! | `behind` | how far the other probes are behind the control bottle's: for a mapping |
//!
//! In doubt a curve is not acceptable: `Acceptable` is the one outcome that needs proof.

mod bath;
mod behind;
mod count;
mod figures;
mod hold;
mod interruption;
mod jumps;
mod lag;
mod means;
mod moments;
mod newcomer;
mod place;
mod probes;
mod rules;
mod seen;
mod still;
#[cfg(test)]
mod tests;
mod track;
mod words;

use holder_hal::Celsius;

pub use self::behind::{Behind, behind_first};
use self::seen::Seen;
use self::track::Track;
use super::curve::Curve;
use super::recipe::Recipe;
use super::verdict::{Finding, Outcome, Rule, Severity, Verdict};

/// Judges a curve by a recipe.
pub fn judge(recipe: &Recipe, curve: &Curve) -> Verdict {
    let seen = Seen::new(recipe, curve);
    let tracks: Vec<Track> = (0..seen.probes()).map(|probe| Track::of(&seen, probe)).collect();
    let mut findings = rules::record(&seen);
    findings.extend(rules::stopped(&seen));
    let is_whole = findings.iter().all(|finding| finding.rule != Rule::Record);
    findings.extend(rules::hold(&seen, is_whole));
    findings.extend(rules::restarts(&seen));
    findings.extend(rules::lid_in_cooling(&seen));
    findings.extend(rules::held_back(&seen));
    findings.extend(newcomer::too_late(&seen, &tracks));
    findings.extend(interruption::interruptions(&seen));
    findings.extend(rules::ceiling(&seen));
    findings.extend(rules::heat_up(&seen));
    findings.extend(rules::cooling(&seen, is_whole));
    findings.extend(count::count(&seen));
    findings.extend(probes::spread(&seen));
    findings.extend(probes::reference(&seen));
    findings.extend(probes::reference_unread(&seen));
    findings.extend(probes::over_reference_anywhere(&seen));
    findings.extend(probes::reference_below_floor(&seen));
    findings.extend(probes::lid_unread(&seen));
    findings.extend(probes::sample_interval(&seen));
    findings.extend(plausible(&seen, &tracks));
    findings.extend(rules::judged_as(&seen));
    findings.extend(rules::disputed_breaks(&seen));
    let figures = figures::figures(&seen);
    findings.extend(rules::figures_out_of_range(&seen, &figures));
    findings.extend(rules::disputed(curve.engine_accepts, outcome(&seen, &findings)));
    words::sort(&mut findings);
    Verdict { outcome: outcome(&seen, &findings), findings, figures }
}

/// Whether the readings can be those of milk in a heated bath.
fn plausible(seen: &Seen, tracks: &[Track]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for track in tracks {
        findings.extend(place::gap_after_loading(seen, track));
        findings.extend(place::milk_over_bath(seen, track));
        findings.extend(jumps::jumps(seen, track));
        findings.extend(still::stood_still(seen, track));
        findings.extend(lag::lag(seen, track));
        // The bath is the same beside every probe.
        if track.probe == 0 {
            findings.extend(bath::fall(seen, track));
            findings.extend(place::unseen(seen, track));
        }
    }
    findings.extend(still::unchanged(seen));
    findings
}

/// The limit of each required milk probe: floor + its uncertainty + the margin.
pub fn limits(recipe: &Recipe, curve: &Curve) -> Vec<Celsius> {
    moments::limits(recipe, curve).map(words::degrees).collect()
}

fn outcome(seen: &Seen, findings: &[Finding]) -> Outcome {
    let fails = || findings.iter().filter(|finding| finding.severity == Severity::Fail);
    let is_proven = seen.holds.complete.is_some() && seen.cooled_ms().is_some();
    if fails().any(|fail| fail.rule != Rule::Record) {
        Outcome::Unacceptable
    } else if fails().next().is_none() && is_proven {
        Outcome::Acceptable
    } else {
        Outcome::Incomplete
    }
}
