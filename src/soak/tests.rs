//! A small soak, and the proof that it can fail.

use super::defects::Defect;
use super::*;
use crate::batch::fixture;

fn totals(seeds: Range<u64>, jobs: usize, stores: Stores) -> Totals {
    let jobs = NonZeroUsize::new(jobs).expect("not 0");
    soak(seeds, jobs, stores, &fixture::recipe(), |_| ()).expect("every run has its end")
}

#[test]
fn runs_without_a_fault_are_acceptable_and_without_alarm() {
    let recipe = fixture::recipe();
    for seed in (0..32).step_by(4) {
        let (scenario, _, report) =
            of_seed(seed, &recipe, Wanted::default()).expect("it has its end");
        assert!(scenario.is_clean());
        assert_eq!(report.violations, [], "seed {seed}");
        assert_eq!(report.outcome.word(), "acceptable", "seed {seed}");
        assert_eq!((report.holds_broken, report.alarms), (0, 0), "seed {seed}");
    }
}

#[test]
fn a_seed_is_the_same_run_whoever_runs_it_and_whatever_keeps_it() {
    let one = totals(1..13, 1, Stores::Needed).json();
    assert_eq!(one, totals(1..13, 3, Stores::Needed).json());
}

/// What the soak says of these seeds when something is broken on purpose.
fn found(defect: Defect, seeds: Range<u64>) -> Vec<Invariant> {
    let mut recipe = fixture::recipe();
    // Otherwise the judge sees a wrong correction, too: the milk would be hotter than its bath.
    recipe.plausibility.milk_over_bath_max = holder_hal::Kelvin::from_milli(50_000);
    let wanted = Wanted { defect, ..Wanted::default() };
    let mut found = Vec::new();
    for seed in seeds {
        let (_, _, report) = of_seed(seed, &recipe, wanted).expect("it has its end");
        found.extend(report.violations.iter().map(|violation| violation.invariant));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_correction_that_is_a_kelvin_too_high_is_found_by_the_truth() {
    assert!(found(Defect::WrongCorrection, 0..1).contains(&Invariant::Floor));
}

#[test]
fn heat_that_goes_on_when_the_rules_cut_it_is_found() {
    assert!(found(Defect::HeatGoesOn, 0..1).contains(&Invariant::Heat));
}
