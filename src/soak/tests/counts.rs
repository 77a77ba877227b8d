//! Raw bottles that came to the others, and how those are counted that come out.

use super::*;
use crate::batch::verdict::{Rule, Severity};

/// Seed 0 without a lid switch, to whose bottles one raw one is put in this phase.
fn added(phase: PhaseName, counts: Counts) -> Scenario {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    scenario.params.has_lid = false;
    scenario.counts = counts;
    // So late in the come-up that it is cold when the hold begins.
    let after_ms = if phase == PhaseName::ComeUp { 1_200_000 } else { 300_000 };
    let cold = Fault { size: 1.0, phase, after_ms, ..in_the_hold(Kind::ColdBottles, 20_000) };
    scenario.faults.push(cold);
    scenario
}

fn ran(scenario: &Scenario, defect: Defect) -> (Done, Report) {
    of_scenario(scenario, Wanted { defect, ..Wanted::default() }).expect("it has its end")
}

/// What the rule on the count says.
fn counted(done: &Done) -> Option<Severity> {
    let mut findings = done.closed.verdict.findings.iter();
    findings.find(|found| found.rule == Rule::BottleCount).map(|found| found.severity)
}

const PHASES: [PhaseName; 3] = [PhaseName::ComeUp, PhaseName::Hold, PhaseName::Cool];

#[test]
fn raw_bottles_are_never_accepted_where_somebody_counts_what_comes_out() {
    for phase in PHASES {
        for counts in [Counts::Right, Counts::WrongAtFirst(1), Counts::WrongAtFirst(-2)] {
            let (done, report) = ran(&added(phase, counts), Defect::None);
            assert_eq!((report.violations, report.residual), (vec![], None), "{phase} {counts:?}");
            assert_eq!(report.outcome, Outcome::Unacceptable, "{phase} {counts:?}");
            assert_eq!(done.accepts, Some(false), "{phase} {counts:?}");
            assert_eq!(counted(&done), Some(Severity::Fail), "{phase} {counts:?}");
            assert!(!report.disputed && !report.true_hold, "{phase} {counts:?}");
        }
    }
}

#[test]
fn a_count_that_is_ignored_is_found() {
    for phase in PHASES {
        let report = ran(&added(phase, Counts::Right), Defect::NobodyCounts).1;
        assert_eq!(broken(&report), [Invariant::Floor], "{phase}: {report:#?}");
        let report = ran(&added(phase, Counts::Right), Defect::JudgeDoesNotCount).1;
        assert!(report.disputed, "{phase}");
        assert_eq!(report.outcome, Outcome::Unacceptable, "{phase}");
    }
}

/// What is left of the risk: nobody counts, or the second number is that on the screen, or a first
/// wrong one fits.
#[test]
fn a_count_that_is_wrong_and_fits_is_a_residual_risk_and_a_second_number_that_fits_a_deviation() {
    for (counts, found) in [
        (Counts::Never, None),
        (Counts::WrongAtFirst(-1), None),
        (Counts::BelievesTheScreen, Some(Severity::Deviation)),
    ] {
        for phase in PHASES {
            let (done, report) = ran(&added(phase, counts), Defect::None);
            assert_eq!(report.violations, [], "{phase} {counts:?}");
            assert_eq!(report.outcome, Outcome::Acceptable, "{phase} {counts:?}");
            assert!(report.residual.is_some(), "{phase} {counts:?}");
            assert_eq!(counted(&done), found, "{phase} {counts:?}");
        }
    }
}

#[test]
fn a_good_batch_stays_good_however_its_bottles_are_counted_the_second_time() {
    for (counts, found) in [
        (Counts::Right, None),
        (Counts::Never, None),
        (Counts::BelievesTheScreen, None),
        (Counts::WrongAtFirst(-2), None),
        (Counts::WrongAtFirst(1), Some(Severity::Deviation)),
    ] {
        let scenario = Scenario { counts, ..Scenario::drawn(0, &fixture::recipe()) };
        let (done, report) = ran(&scenario, Defect::None);
        assert_eq!((report.violations, report.alarms, report.holds_broken), (vec![], 0, 0));
        assert_eq!((report.outcome, counted(&done)), (Outcome::Acceptable, found), "{counts:?}");
    }
}

/// The program is gone between the two counts: the record has the first one.
#[test]
fn a_count_outlives_a_program_that_is_killed() {
    let mut scenario = added(PhaseName::Cool, Counts::Right);
    let after_ms = scenario.pace.unload_ms + 10_000;
    let phase = PhaseName::Unload;
    scenario.faults.push(Fault { phase, after_ms, ..in_the_hold(Kind::Killed, 60_000) });
    scenario.resumes = true;
    let wanted = Wanted { store: true, ..Wanted::default() };
    let (done, report) = of_scenario(&scenario, wanted).expect("it has its end");
    assert_eq!((report.violations, done.outages.len()), (vec![], 1));
    let bottles = u16::try_from(scenario.plant.bottles).expect("few") + 1;
    assert_eq!(crate::record::curve::counts_out(&done.closed.record), [bottles, bottles]);
    assert_eq!((report.outcome, done.accepts), (Outcome::Unacceptable, Some(false)));
}

#[test]
fn most_people_count_rightly_and_each_way_to_count_is_drawn() {
    let drawn = |seed| Scenario::drawn(seed, &fixture::recipe());
    let scenarios: Vec<Scenario> = (0..4_000).map(drawn).collect();
    let share = |of: &dyn Fn(&&Scenario) -> bool| scenarios.iter().filter(of).count();
    let right = share(&|one| one.counts == Counts::Right);
    let wrong = share(&|one| matches!(one.counts, Counts::WrongAtFirst(_)));
    let believes = share(&|one| one.counts == Counts::BelievesTheScreen);
    let added = share(&|one| one.fault(Kind::ColdBottles).is_some());
    let never = |one: &&Scenario| one.counts == Counts::Never;
    let never_added = share(&|one| never(one) && one.fault(Kind::ColdBottles).is_some());
    let never_else = share(&|one| never(one) && one.fault(Kind::ColdBottles).is_none());
    assert!((3_450..3_650).contains(&right) && (320..480).contains(&wrong), "{right} {wrong}");
    assert!(
        (5..50).contains(&believes) && (5..50).contains(&never_else),
        "{believes} {never_else}"
    );
    assert!((added / 6..added / 3).contains(&never_added), "{never_added} of {added}");
}
