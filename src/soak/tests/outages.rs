//! Nobody runs the machine for a while: programs that are killed, and programs that stand still.

use super::*;
use crate::soak::outages::wrong;

#[test]
fn a_killed_program_is_taken_up_again_and_the_hold_begins_again() {
    let killed = in_the_hold(Kind::Killed, 60_000);
    let report = shown(Some(killed), Defect::None, true);
    assert_eq!(report.violations, []);
    assert_eq!(report.holds_broken, 1);
}

/// Nobody watches for so long, and a person lets it heat again, if the recipe asks for that.
fn stood_still(phase: PhaseName, lasts_ms: u64, defect: Defect) -> Report {
    let still = Fault { phase, ..in_the_hold(Kind::StandsStill, lasts_ms) };
    shown(Some(still), defect, true)
}

#[test]
fn a_program_that_stood_still_is_taken_up_as_one_that_was_killed() {
    let report = stood_still(PhaseName::Hold, 60_000, Defect::None);
    assert_eq!((&*report.violations, report.holds_broken), (&[][..], 1));
    assert_eq!(report.outcome, Outcome::Acceptable, "the hold began again");
    let report = stood_still(PhaseName::ComeUp, 60_000, Defect::None);
    assert_eq!((&*report.violations, report.outcome), (&[][..], Outcome::Acceptable));
    let report = stood_still(PhaseName::ComeUp, 900_000, Defect::None);
    assert_eq!((&*report.violations, report.outcome), (&[][..], Outcome::Unacceptable));
    let report = stood_still(PhaseName::Hold, 900_000, Defect::OutageIsShort);
    assert!(broken(&report).contains(&Invariant::Outage), "{report:#?}");
}

#[test]
fn a_program_that_stood_still_for_less_than_the_gap_of_a_hold_goes_on() {
    for phase in [PhaseName::ComeUp, PhaseName::Hold] {
        let report = stood_still(phase, 6_000, Defect::None);
        assert_eq!((&*report.violations, report.holds_broken), (&[][..], 0), "{phase}");
        assert_eq!((report.outcome, report.alarms), (Outcome::Acceptable, 0), "{phase}");
    }
}

#[test]
fn an_outage_that_is_told_too_short_is_found() {
    let killed = in_the_hold(Kind::Killed, 900_000);
    let report = shown(Some(killed), Defect::OutageIsShort, true);
    assert!(broken(&report).contains(&Invariant::Outage), "{report:#?}");
}

/// What a rule made of an outage is wrong by every rule that would have made something else of it.
#[test]
fn an_outage_that_was_decided_by_another_rule_is_found() {
    use crate::batch::recipe::{InterruptionRule, WhenInterrupted};
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    scenario.faults.push(in_the_hold(Kind::Killed, 60_000));
    let rule = |hold, outage_max_ms| InterruptionRule {
        hold,
        outage_max_ms,
        come_up: WhenInterrupted::Continue,
        heat_needs_person: false,
    };
    let (begins_again, fails) = (
        rule(WhenInterrupted::Restart, 600_000),
        [rule(WhenInterrupted::Fail, 600_000), rule(WhenInterrupted::Restart, 30_000)],
    );
    let wanted = Wanted { store: true, ..Wanted::default() };
    scenario.params.recipe.interruption = begins_again.clone();
    let (done, report) = of_scenario(&scenario, wanted).expect("it has its end");
    assert_eq!((&*report.violations, report.outcome), (&[][..], Outcome::Acceptable));
    for rule in &fails {
        scenario.params.recipe.interruption = rule.clone();
        assert_ne!(wrong(&scenario, &done), [""; 0], "{rule:?}");
        let (failed, report) = of_scenario(&scenario, wanted).expect("it has its end");
        assert_eq!((&*report.violations, report.outcome), (&[][..], Outcome::Unacceptable));
        scenario.params.recipe.interruption = begins_again.clone();
        assert_ne!(wrong(&scenario, &failed), [""; 0], "{rule:?}");
    }
}

#[test]
fn a_program_that_is_killed_twice_has_two_outages() {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    let killed = Fault { phase: PhaseName::ComeUp, ..in_the_hold(Kind::Killed, 60_000) };
    scenario.faults.extend([killed, Fault { after_ms: 600_000, ..killed }]);
    let wanted = Wanted { store: true, ..Wanted::default() };
    let (done, report) = of_scenario(&scenario, wanted).expect("it has its end");
    assert_eq!(report.violations, []);
    assert_eq!(done.outages.len(), 2);
    assert!(done.became.iter().all(|became| became.began.is_some()), "{:?}", done.became);
}

#[test]
fn heat_that_no_person_allowed_after_an_interruption_is_found() {
    let killed = in_the_come_up(Kind::Killed, 60_000);
    assert_eq!(shown(Some(killed), Defect::None, true).violations, []);
    let report = shown(Some(killed), Defect::ConfirmsItself, true);
    let [broken] = report.violations.as_slice() else { panic!("{report:#?}") };
    assert_eq!(broken.text, "heat stands before a person allowed it");
}
