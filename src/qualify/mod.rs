//! Qualification: a numbered protocol that is run at this moment, and its report. It is the
//! evidence that 21 CFR 11.10(a) asks for: validation of the system "to ensure accuracy,
//! reliability, consistent intended performance, and the ability to discern invalid or altered
//! records".
//!
//! **Terms.** A *requirement* has a number for ever. A *step* of the protocol shows one
//! requirement: by a method, with what is expected and what was observed. *OQ* (operational
//! qualification) runs the rules, the two judges and the memory on a machine made of equations,
//! with the parameters of the unit; *HP* (heat penetration) reads what water runs on the unit itself
//! have left in the record. The *matrix* says which automated tests of the program name a
//! requirement, and which steps show it.
//!
//! Nothing that is observed is written here: each step measures.
//!
//! | file | holds |
//! |---|---|
//! | [`requirements`] | what must hold, by number |
//! | `bench` | what the steps work on |
//! | `heat` | steps on hold, ceilings, cooling, interlocks, judges |
//! | `memory` | steps on the record |
//! | `rules` | steps on what may begin at all |
//! | `mapping` | steps on water runs of the machine |
//! | `traced` | which tests name which requirement |
//! | [`report`] | the report |
//! | `page` | the same as a PDF |

mod bench;
mod heat;
mod mapping;
mod memory;
#[cfg(feature = "pdf")]
pub(crate) mod page;
pub mod report;
pub mod requirements;
mod rules;
mod traced;

pub use bench::Bench;
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

/// One step of the protocol.
struct Step {
    /// `OQ-01`.
    number: &'static str,
    requirement: &'static str,
    /// What is done.
    method: &'static str,
    run: fn(&Bench<'_>) -> anyhow::Result<Seen>,
}

fn steps(bench: &Bench<'_>) -> impl Iterator<Item = &'static Step> {
    let mapping = if bench.is_unit() { mapping::STEPS } else { &[] };
    heat::STEPS.iter().chain(rules::STEPS).chain(memory::STEPS).chain(mapping)
}

/// Runs the whole protocol; `tell` is told the number of each step as it begins.
pub fn qualify(bench: &Bench<'_>, tell: impl FnMut(&str)) -> Report {
    run(bench, steps(bench), tell)
}

fn run(
    bench: &Bench<'_>,
    steps: impl Iterator<Item = &'static Step>,
    mut tell: impl FnMut(&str),
) -> Report {
    let steps: Vec<StepReport> = steps
        .map(|step| {
            tell(step.number);
            // A step that cannot be run has not shown anything: it fails, and the rest goes on.
            let seen = (step.run)(bench).unwrap_or_else(|why| {
                Seen::not(Verdict::Fail, "the step can be run", format!("it stopped: {why:#}"))
            });
            StepReport {
                number: step.number.to_owned(),
                requirement: step.requirement.to_owned(),
                text: requirements::requirement(step.requirement)
                    .map_or_else(String::new, |known| known.text.to_owned()),
                source: requirements::requirement(step.requirement)
                    .map_or_else(String::new, |known| known.source.to_owned()),
                method: step.method.to_owned(),
                expected: seen.expected,
                observed: seen.observed,
                verdict: seen.verdict,
            }
        })
        .collect();
    let matrix = REQUIREMENTS.iter().map(|one| trace(one.number, &steps)).collect();
    Report::new(bench, steps, matrix)
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
mod tests;
