//! The words of a verdict: outcome, findings, figures. `judge --json` and the `verdict` object
//! of `batch show --json` are this structure.

use serde::{Deserialize, Serialize};

/// What the judge says of a batch or curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// One complete, unbroken hold and no failed rule. Deviations still await a decision.
    Acceptable,
    /// A rule failed.
    Unacceptable,
    /// The record ends too early, or lacks what a rule needs. Never releasable.
    Incomplete,
}

impl Outcome {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acceptable => "acceptable",
            Self::Unacceptable => "unacceptable",
            Self::Incomplete => "incomplete",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; needs no decision.
    Note,
    /// QA must decide it, with a reason, before a release.
    Deviation,
    /// The batch cannot be acceptable.
    Fail,
}

impl Severity {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Deviation => "deviation",
            Self::Fail => "fail",
        }
    }
}

/// The rule that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The record ends too early, or lacks what another rule needs.
    Record,
    /// One unbroken hold of the recipe's length.
    Hold,
    /// The hold was broken and began again.
    HoldRestarted,
    /// The lid was opened.
    Lid,
    /// The hottest milk.
    Ceiling,
    /// Time from loading to the hold.
    HeatUp,
    /// Time from 58 °C to the floor.
    ComeUp58,
    /// Time above 58 °C.
    Above58,
    /// Length of the plateau.
    Plateau,
    /// Time to cool, and whether it happened.
    Cooling,
    /// Difference between the milk probes during the hold.
    Spread,
    /// The recorder reads higher than the reference probe.
    Reference,
    /// Readings too far apart, outside of a hold.
    SampleInterval,
    /// Engine and judge disagree.
    Disputed,
    /// The controller was gone while the milk was in the machine.
    Interrupted,
    /// The batch was stopped, by a person or by an interlock.
    Stopped,
    /// What the reader must know of how the curve was judged.
    Judged,
    /// A milk probe that was not in the milk: in the bath, or exchanged with its probe.
    ProbePlace,
    /// A reading changed faster than any bottle can.
    ProbeJump,
    /// A reading stood still while the milk must have changed.
    ProbeStill,
    /// The milk followed the bath too fast or too slowly: agitation, filling, place of the probe.
    BottleLag,
    /// Something cold came into the bath.
    BathFall,
    /// Another number of bottles came out than went in.
    BottleCount,
}

/// One thing that the judge found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How much it weighs.
    pub severity: Severity,
    /// When it happened, in seconds on the curve's own time; `None` if it has no moment.
    pub at_s: Option<f64>,
    /// A sentence for a person.
    pub text: String,
}

/// The figures of a curve. A figure that the curve cannot give is `None`, never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// From loading until the hold begins.
    pub come_up_s: Option<f64>,
    /// From 58 °C to the floor of the hold, coldest probe.
    pub t58_to_floor_s: Option<f64>,
    /// Coldest probe above 58 °C in all.
    pub above_58_s: Option<f64>,
    /// The longest unbroken hold.
    pub hold_s: Option<f64>,
    /// How often a hold was broken before it was complete.
    pub holds_restarted: u32,
    /// Coldest 10-s mean during the longest hold, corrected.
    pub plateau_min_c: Option<f64>,
    /// Hottest 10-s mean during the longest hold, corrected.
    pub plateau_max_c: Option<f64>,
    /// Mean of the coldest probe during the longest hold, corrected.
    pub plateau_mean_c: Option<f64>,
    /// Largest difference between milk probes during the longest hold.
    pub spread_max_c: Option<f64>,
    /// From the end of the hold until the hottest probe is at or below 10 °C.
    pub cool_to_10_s: Option<f64>,
    /// From loading until the milk is cooled.
    pub cycle_s: Option<f64>,
    /// Bigelow: minutes at 62.5 °C with the same effect, coldest probe.
    pub equivalent_min: Option<f64>,
    /// The z of `equivalent_min`.
    pub z_c: f64,
    /// The reference temperature of `equivalent_min`.
    pub tref_c: f64,
    /// The longest time without a good reading of a required milk probe.
    pub gap_max_s: Option<f64>,
    /// Rows that were judged.
    pub samples: u64,
}

/// What the judge says, why, and in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The decision.
    pub outcome: Outcome,
    /// The reasons, the heaviest first, then by time.
    pub findings: Vec<Finding>,
    /// The figures.
    pub figures: Figures,
}

impl Verdict {
    /// Whether both decide the same for the same reasons: the outcome, and of each finding its rule,
    /// its weight and its moment. A program that only says it in other words decides the same.
    pub fn decides_as(&self, other: &Self) -> bool {
        let reasons = |verdict: &Self| -> Vec<(Rule, Severity, Option<f64>)> {
            verdict.findings.iter().map(|found| (found.rule, found.severity, found.at_s)).collect()
        };
        self.outcome == other.outcome && reasons(self) == reasons(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_stored_and_said_by_the_same_word() {
        let words = [
            (Outcome::Acceptable, "acceptable"),
            (Outcome::Unacceptable, "unacceptable"),
            (Outcome::Incomplete, "incomplete"),
        ];
        for (outcome, word) in words {
            assert_eq!((outcome.word(), outcome.to_string().as_str()), (word, word));
            assert_eq!(serde_json::to_value(outcome).expect("written"), word);
        }
    }

    #[test]
    fn a_fail_weighs_more_than_a_deviation_and_that_more_than_a_note() {
        assert!(Severity::Note < Severity::Deviation && Severity::Deviation < Severity::Fail);
        let words = [
            (Severity::Note, "note"),
            (Severity::Deviation, "deviation"),
            (Severity::Fail, "fail"),
        ];
        for (severity, word) in words {
            assert_eq!(severity.word(), word);
            assert_eq!(serde_json::to_value(severity).expect("written"), word);
        }
    }

    #[test]
    fn a_figure_that_the_curve_cannot_give_is_stored_as_missing_and_not_as_zero() {
        let figures = serde_json::to_value(Figures::default()).expect("written");
        assert!(figures["hold_s"].is_null() && figures["equivalent_min"].is_null());
    }

    #[test]
    fn other_words_decide_the_same_and_another_reason_does_not() {
        let text = "the hold was too short".to_owned();
        let finding =
            Finding { rule: Rule::Hold, severity: Severity::Fail, at_s: Some(61.0), text };
        let findings = vec![finding];
        let kept =
            Verdict { outcome: Outcome::Unacceptable, findings, figures: Figures::default() };
        let with = |change: fn(&mut Verdict)| {
            let mut other = kept.clone();
            change(&mut other);
            other
        };
        assert!(kept.decides_as(&with(|other| other.findings[0].text = "too short".to_owned())));
        for change in [
            |other: &mut Verdict| other.outcome = Outcome::Acceptable,
            |other: &mut Verdict| other.findings.clear(),
            |other: &mut Verdict| other.findings[0].rule = Rule::Lid,
            |other: &mut Verdict| other.findings[0].severity = Severity::Deviation,
            |other: &mut Verdict| other.findings[0].at_s = Some(62.0),
        ] {
            assert!(!kept.decides_as(&with(change)));
        }
    }
}
