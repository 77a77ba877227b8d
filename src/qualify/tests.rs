use std::collections::BTreeSet;

use super::*;
use crate::batch::params::{BatchParams, Purpose};
use crate::profiles;
use crate::station::config::{Library, StationConfig};

/// The shipped simulated unit on a bench of its own; `change` may break the parameters.
pub(in crate::qualify) fn on_bench<Seen>(
    change: impl FnOnce(&mut BatchParams),
    see: impl FnOnce(&Bench<'_>) -> Seen,
) -> Seen {
    with_parts(&Program, change, see)
}

/// The same with parts that may be broken.
pub(in crate::qualify) fn with_parts<Seen>(
    parts: &dyn Parts,
    change: impl FnOnce(&mut BatchParams),
    see: impl FnOnce(&Bench<'_>) -> Seen,
) -> Seen {
    let folder = tempfile::tempdir().expect("a folder");
    let text = profiles::station("demo").expect("shipped");
    let station = StationConfig::parse("demo", text, Library::shipped()).expect("valid");
    let unit = station.unit("demo").expect("there");
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let today = jiff::civil::date(2026, 7, 1);
    let mut params = unit.params(Purpose::Milk, &recipe, today).expect("allowed");
    change(&mut params);
    see(&Bench {
        unit,
        recipe: &recipe,
        params,
        bottle_ml: 130,
        store: None,
        folder: folder.path(),
        today,
        now_utc_ms: 1_782_907_200_000,
        who: "ann",
        plants: 1,
        seed: 1,
        parts,
    })
}

/// The report of the steps that `wanted` knows.
fn report(change: impl FnOnce(&mut BatchParams), wanted: impl Fn(&str) -> bool) -> Report {
    on_bench(change, |bench| run(bench, wanted, |_| ()))
}

/// REQ-HOLD-01, REQ-HOLD-02, REQ-HOLD-03, REQ-HOLD-04, REQ-CEIL-01, REQ-COOL-01, REQ-SPREAD-01,
/// REQ-LETH-01, REQ-JUDGE-01, REQ-HEAT-01, REQ-HEAT-02, REQ-COUNT-01, REQ-MILK-02, REQ-MILK-03,
/// REQ-VOL-01, REQ-VOL-02, REQ-VOL-03, REQ-TRACE-01: each step measures it.
#[test]
fn the_protocol_passes_on_the_shipped_unit_and_shows_what_it_saw() {
    let report = report(|_| (), |_| true);
    let failed: Vec<_> = report.steps.iter().filter(|step| step.verdict != Verdict::Pass).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(report.outcome, Outcome::Passed);
    assert!(report.scope().starts_with("SIMULATED"), "{}", report.scope());
    assert_eq!(report.marks(), ["SIMULATED"]);
    for step in &report.steps {
        assert!(!step.text.is_empty() && !step.source.is_empty(), "{step:?}");
        assert!(step.observed.chars().any(char::is_alphanumeric), "{step:?}");
    }
}

#[test]
fn a_step_that_does_not_see_what_it_expects_fails_the_whole() {
    // A recipe that never fails a batch for its cooling: what OQ-08 expects cannot be seen.
    let lax = |params: &mut BatchParams| params.recipe.cooling.fail_ms = 7 * 86_400_000;
    let report = report(lax, |number| number == "OQ-08");
    assert_eq!(report.outcome, Outcome::Failed);
    let failed: Vec<_> = report.steps.iter().filter(|step| step.verdict == Verdict::Fail).collect();
    assert!(failed.iter().any(|step| step.number == "OQ-08"), "{failed:#?}");
    let row = report.matrix.iter().find(|row| row.requirement == "REQ-COOL-01");
    assert_eq!(row.map(|row| row.verdict), Some(Verdict::Fail));
}

#[test]
fn steps_and_requirements_have_numbers_of_their_own() {
    let numbers: BTreeSet<_> = REQUIREMENTS.iter().map(|one| one.number).collect();
    assert_eq!(numbers.len(), REQUIREMENTS.len());
    let of_plan = || mapping::STEPS.iter().map(|step| (step.number, step.requirement));
    let all = || operational().map(|step| (step.number, step.requirement)).chain(of_plan());
    let steps: BTreeSet<_> = all().map(|(step, _)| step).collect();
    assert_eq!(steps.len(), all().count());
    for (step, requirement) in all() {
        assert!(numbers.contains(requirement), "{step} shows nothing");
    }
    for number in numbers {
        assert!(all().any(|(_, requirement)| requirement == number), "no step shows {number}");
    }
}
