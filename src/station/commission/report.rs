//! What a commissioning found, as it is kept in the journal and shown.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// How one step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Not tried, and why is told.
    Skipped,
}

impl StepOutcome {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One step of a commissioning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// Its stable word: `heating`.
    pub step: &'static str,
    /// The question that it answers.
    pub title: &'static str,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// How it came out.
    pub outcome: StepOutcome,
    /// How long it took, seconds of the unit's time.
    pub took_s: f64,
    /// Its figures, with the unit in each name.
    pub figures: Map<String, Value>,
}

/// How a whole commissioning came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// No step failed.
    Passed,
    /// A step failed, or an interlock ended it.
    Failed,
    /// A person ended it, or the program did.
    Stopped,
}

impl Overall {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// One commissioning, from its first to its last step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Commissioned {
    /// The unit.
    pub unit: String,
    /// Who did it.
    pub who: String,
    /// Whether the machine is not real.
    pub simulated: bool,
    /// How it came out.
    pub outcome: Overall,
    /// Why it ended before its last step, if it did.
    pub ended_because: Option<String>,
    /// Why the machine is not known to be safe, if so.
    pub unsafe_because: Option<String>,
    /// Hash of what the unit is made of: [`crate::station::config::Unit::make_sha256`].
    pub make_sha256: String,
    /// The steps, in the order in which they were done.
    pub steps: Vec<StepReport>,
    /// What was read, every ten seconds.
    pub curve: Curve,
}

/// What was read in the course of a commissioning: corrected, °C; a value that could not be
/// trusted is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curve {
    /// Names of the columns: `t_s`, `bath`, `milk-0`, ….
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Option<f64>>>,
}

/// Figures by name.
pub(super) fn figures(pairs: &[(&str, f64)]) -> Map<String, Value> {
    let rounded = |value: f64| json!((value * 1000.0).round() / 1000.0);
    pairs.iter().map(|(name, value)| ((*name).to_owned(), rounded(*value))).collect()
}
