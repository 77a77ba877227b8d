//! The report of a qualification: every step with what was expected and observed, and the matrix
//! of requirements, tests and steps.

use serde::Serialize;

use super::{Bench, Plan};

/// What a step says of its requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What was expected was observed.
    Pass,
    /// It was not.
    Fail,
    /// It was not done yet.
    Open,
    /// It does not concern this unit.
    NotApplicable,
    /// Its steps need a unit, and none was named.
    NotRun,
}

impl Verdict {
    /// The word on paper.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Open => "open",
            Self::NotApplicable => "not applicable",
            Self::NotRun => "not run",
        }
    }

    /// Of a requirement, from all its steps: the worst one.
    pub(super) fn of_all(steps: impl Iterator<Item = Self>) -> Self {
        let order = [Self::Fail, Self::Open, Self::Pass, Self::NotApplicable];
        let steps: Vec<Self> = steps.collect();
        order.into_iter().find(|worst| steps.contains(worst)).unwrap_or(Self::NotRun)
    }
}

/// What the whole says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every step passed, or does not apply.
    Passed,
    /// A step failed.
    Failed,
    /// None failed, but something was not done yet.
    Open,
}

impl Outcome {
    /// The word on paper.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Open => "open",
        }
    }
}

/// One step as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// `OQ-01`.
    pub number: String,
    /// Number of the requirement.
    pub requirement: String,
    /// The requirement.
    pub text: String,
    /// Which clause asks for it.
    pub source: String,
    /// What was done.
    pub method: String,
    /// What must be seen.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Whether it meets.
    pub verdict: Verdict,
}

/// One row of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceRow {
    /// Number of the requirement.
    pub requirement: String,
    /// Automated tests that name it.
    pub tests: Vec<String>,
    /// Steps that show it.
    pub steps: Vec<String>,
    /// The worst verdict of its steps.
    pub verdict: Verdict,
}

/// The whole report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of the program that was qualified, and that ran the protocol.
    pub software: String,
    /// The station's name.
    pub station: String,
    /// The unit whose parameters were used.
    pub unit: String,
    /// Whether a unit of a station was named; else the shipped simulated unit stands in.
    pub of_a_unit: bool,
    /// Whether the machine itself is simulated, whoever plays it.
    pub unit_simulated: bool,
    /// Whether the unit is of a station for training, of which every page says so.
    pub training: bool,
    /// The recipe.
    pub recipe: String,
    /// The operational steps run on equations, never on a machine.
    pub oq_simulated: bool,
    /// First seed of what was drawn.
    pub seed: u64,
    /// When it was run, milliseconds since 1970 UTC.
    pub at_utc_ms: i64,
    /// By whom.
    pub who: String,
    /// What the whole says.
    pub outcome: Outcome,
    /// Every step.
    pub steps: Vec<StepReport>,
    /// Requirement by requirement.
    pub matrix: Vec<TraceRow>,
    /// The heat penetration of a unit: what is asked for, what is done, what comes next.
    pub plan: Option<Plan>,
}

impl Report {
    pub(super) fn new(
        bench: &Bench<'_>,
        steps: Vec<StepReport>,
        matrix: Vec<TraceRow>,
        plan: Option<Plan>,
    ) -> Self {
        let any = |verdict: Verdict| steps.iter().any(|step| step.verdict == verdict);
        let outcome = if any(Verdict::Fail) {
            Outcome::Failed
        } else if any(Verdict::Open) {
            Outcome::Open
        } else {
            Outcome::Passed
        };
        Self {
            software: concat!("holder ", env!("CARGO_PKG_VERSION")).to_owned(),
            station: bench.unit.station.name.clone(),
            unit: bench.unit.name.to_owned(),
            of_a_unit: bench.is_unit(),
            unit_simulated: bench.unit.written.simulated,
            training: bench.is_unit() && bench.unit.station.training,
            recipe: bench.params.recipe.name.clone(),
            oq_simulated: true,
            seed: bench.seed,
            at_utc_ms: bench.now_utc_ms,
            who: bench.who.to_owned(),
            outcome,
            steps,
            matrix,
            plan,
        }
    }

    /// How many steps have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.steps.iter().filter(|step| step.verdict == verdict).count()
    }

    /// What stands on every page of it.
    pub fn marks(&self) -> Vec<&'static str> {
        let simulated = if self.unit_simulated { "SIMULATED" } else { "SIMULATED (OQ)" };
        self.training.then_some("TRAINING").into_iter().chain([simulated]).collect()
    }

    /// What it was run on, in a sentence that nobody can take for more than it is.
    pub fn scope(&self) -> String {
        let oq = format!(
            "SIMULATED: the steps OQ ran on a pasteurizer made of equations, with the parameters of \
             unit {} and recipe {}. They qualify the program, not a machine.",
            self.unit, self.recipe
        );
        match (self.of_a_unit, self.unit_simulated) {
            (false, _) => format!("{oq} No unit was named: the unit is the one that is shipped."),
            (true, true) => {
                format!("{oq} The steps HP read water runs of this unit, which is SIMULATED too.")
            }
            (true, false) => {
                format!("{oq} The steps HP read the records of water runs on the machine itself.")
            }
        }
    }
}
