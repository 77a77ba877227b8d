//! Qualification: a numbered protocol that is run at this moment, and its report. It is the
//! evidence that 21 CFR 11.10(a) asks for: validation of the system "to ensure accuracy,
//! reliability, consistent intended performance, and the ability to discern invalid or altered
//! records".
//!
//! **Terms.** A *requirement* has a number for ever. A *step* of the protocol shows one
//! requirement: by a method, with what is expected and what was observed. *OQ* (operational
//! qualification) runs the rules, the two judges and the memory on a machine made of equations,
//! with the parameters of the unit; *HP* (heat penetration) reads what water runs on the unit itself
//! have left in the record, by the rows of a *plan* (`HR-01`). The *matrix* says which automated tests of the program name a
//! requirement, and which steps show it.
//!
//! Nothing that is observed is written here: each step measures.
//!
//! | file | holds |
//! |---|---|
//! | [`requirements`] | what must hold, by number |
//! | `bench` | what the steps work on |
//! | `parts` | what the steps put to the test, so that a test can hand in a broken one |
//! | `heat` | steps on hold, ceilings, cooling, interlocks, judges |
//! | `memory` | steps on the record |
//! | `milk` | steps on donors, pools and volumes |
//! | `rules` | steps on what may begin at all: heat, units, certificates |
//! | [`plan`] | which water runs the mapping of a machine asks for, and which are done |
//! | [`water`] | which recorded water runs count, and why others do not |
//! | `mapping` | steps on the rows of the plan |
//! | `traced` | which tests name which requirement |
//! | [`report`] | the report |
//! | `page` | the same as a PDF |

mod bench;
mod heat;
mod mapping;
mod memory;
mod milk;
#[cfg(feature = "pdf")]
pub(crate) mod page;
mod parts;
pub mod plan;
pub mod report;
pub mod requirements;
mod rules;
mod traced;
pub mod water;

pub use bench::Bench;
pub use parts::{Parts, Program};
pub use plan::Plan;
pub use report::{Outcome, Report, StepReport, TraceRow, Verdict};

use requirements::REQUIREMENTS;

/// What a step saw.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    /// What must be seen, with its limits.
    expected: String,
    /// What was seen, in figures.
    observed: String,
    verdict: Verdict,
}

impl Seen {
    fn that(meets: bool, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        let verdict = if meets { Verdict::Pass } else { Verdict::Fail };
        Self { expected: expected.into(), observed: observed.into(), verdict }
    }

    /// It was not done, or does not apply.
    fn not(verdict: Verdict, expected: impl Into<String>, why: impl Into<String>) -> Self {
        Self { expected: expected.into(), observed: why.into(), verdict }
    }
}

/// How a step is run on the bench.
type OnBench = fn(&Bench<'_>) -> anyhow::Result<Seen>;
/// How a step is run on what the plan of a unit has brought in.
type OnPlan = fn(&Plan) -> anyhow::Result<Seen>;

/// One step of the protocol.
struct Step<Run = OnBench> {
    /// `OQ-01`.
    number: &'static str,
    requirement: &'static str,
    /// What is done.
    method: &'static str,
    run: Run,
}

impl<Run> Step<Run> {
    fn report(&self, seen: anyhow::Result<Seen>) -> StepReport {
        // A step that cannot be run has not shown anything: it fails, and the rest goes on.
        let seen = seen.unwrap_or_else(|why| {
            Seen::not(Verdict::Fail, "the step can be run", format!("it stopped: {why:#}"))
        });
        let requirement = requirements::requirement(self.requirement);
        let of = |text: fn(&requirements::Requirement) -> &'static str| {
            requirement.map_or_else(String::new, |known| text(known).to_owned())
        };
        StepReport {
            number: self.number.to_owned(),
            requirement: self.requirement.to_owned(),
            text: of(|known| known.text),
            source: of(|known| known.source),
            method: self.method.to_owned(),
            expected: seen.expected,
            observed: seen.observed,
            verdict: seen.verdict,
        }
    }
}

/// The steps that qualify the program.
fn operational() -> impl Iterator<Item = &'static Step> {
    heat::STEPS.iter().chain(rules::STEPS).chain(milk::STEPS).chain(memory::STEPS)
}

/// Runs the whole protocol; `tell` is told the number of each step as it begins.
pub fn qualify(bench: &Bench<'_>, tell: impl FnMut(&str)) -> Report {
    run(bench, |_| true, tell)
}

/// Runs the steps whose number is `wanted`.
fn run(bench: &Bench<'_>, wanted: impl Fn(&str) -> bool, mut tell: impl FnMut(&str)) -> Report {
    let mut steps = Vec::new();
    for step in operational().filter(|step| wanted(step.number)) {
        tell(step.number);
        steps.push(step.report((step.run)(bench)));
    }
    let plan = bench.is_unit().then(|| Plan::read(bench));
    for step in mapping::STEPS.iter().filter(|step| wanted(step.number)) {
        let Some(plan) = &plan else { break };
        tell(step.number);
        let seen = match plan {
            Ok(plan) => (step.run)(plan),
            Err(why) => Err(anyhow::anyhow!("the water runs cannot be read: {why:#}")),
        };
        steps.push(step.report(seen));
    }
    let matrix = REQUIREMENTS.iter().map(|one| trace(one.number, &steps)).collect();
    Report::new(bench, steps, matrix, plan.and_then(Result::ok))
}

fn trace(number: &'static str, steps: &[StepReport]) -> TraceRow {
    let shown = steps.iter().filter(|step| step.requirement == number);
    TraceRow {
        requirement: number.to_owned(),
        tests: traced::tests_of(number).map(str::to_owned).collect(),
        steps: shown.clone().map(|step| step.number.clone()).collect(),
        verdict: Verdict::of_all(shown.map(|step| step.verdict)),
    }
}

#[cfg(test)]
mod broken;
#[cfg(test)]
mod tests;
