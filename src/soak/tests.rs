//! A small soak, and the proof that it can fail.

use super::defects::Defect;
use super::fault::{Channel, Fault, Kind};
use super::scenario::{Cut, FOR_EVER_MS};
use super::*;
use crate::batch::fixture;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::Outcome;

fn totals(seeds: Range<u64>, jobs: usize, stores: Stores) -> Totals {
    let jobs = NonZeroUsize::new(jobs).expect("not 0");
    soak(seeds, jobs, stores, &fixture::recipe(), |_| ()).expect("every run has its end")
}

/// A fault in the hold of an otherwise good run.
fn in_the_hold(kind: Kind, lasts_ms: u64) -> Fault {
    let (channel, phase) = (Channel::Milk(0), PhaseName::Hold);
    Fault { kind, channel, size: 0.0, phase, after_ms: 300_000, lasts_ms }
}

/// Seed 0 with this fault, or none, and this defect of ours.
fn shown(fault: Option<Fault>, defect: Defect, store: bool) -> Report {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    assert!(scenario.is_clean());
    scenario.faults.extend(fault);
    let wanted = Wanted { store, defect, ..Wanted::default() };
    of_scenario(&scenario, wanted).expect("it has its end").1
}

fn broken(report: &Report) -> Vec<Invariant> {
    report.violations.iter().map(|violation| violation.invariant).collect()
}

#[test]
fn runs_without_a_fault_are_acceptable_and_without_alarm() {
    for seed in (0..24).step_by(4) {
        let scenario = Scenario::drawn(seed, &fixture::recipe());
        assert!(scenario.is_clean());
        let (_, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
        assert_eq!(report.violations, [], "seed {seed}");
        assert_eq!(report.outcome, Outcome::Acceptable, "seed {seed}");
        assert_eq!((report.holds_broken, report.alarms), (0, 0), "seed {seed}");
    }
}

/// Seeds that once broke an invariant: 28114 (a bath probe that read 3.7 K low from one sample to
/// the next had the milk heated to 66.3 °C); 239, 7511 and 17682 (a bath probe above the water, up
/// to 67.6 °C, the last two with a person who let it heat again and again).
#[test]
fn what_once_broke_an_invariant_stays_mended() {
    for seed in [28_114, 239, 7_511, 17_682] {
        let scenario = Scenario::drawn(seed, &fixture::recipe());
        let (_, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
        assert_eq!(report.violations, [], "seed {seed}");
    }
}

/// Seeds with cold bottles that were once accepted: 23 in the hold and 22 in the come-up beside a
/// load that had cooled the bath before it was confirmed, and 1 and 24 under a lid that was seen.
#[test]
fn cold_bottles_that_were_once_accepted_are_not_excused() {
    for seed in [17_503, 1_721, 7_757, 5_070] {
        let scenario = Scenario::drawn(seed, &fixture::recipe());
        assert!(scenario.fault(Kind::ColdBottles).is_some());
        let (done, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
        assert_eq!((report.violations, report.residual), (vec![], None), "seed {seed}");
        let is_wrong = report.outcome == Outcome::Acceptable && !report.true_hold;
        assert!(!is_wrong, "seed {seed}: {} ms", done.true_hold_ms);
    }
}

/// A lid that is opened for a moment in the hold costs time, and neither milk nor agreement.
#[test]
fn an_open_lid_is_waited_for_and_the_batch_is_good() {
    let lid = in_the_hold(Kind::LidOpened, 20_000);
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    scenario.params.has_lid = true;
    let begun = |scenario: &Scenario| {
        let (done, report) = of_scenario(scenario, Wanted::default()).expect("it has its end");
        assert_eq!((report.outcome, report.violations), (Outcome::Acceptable, vec![]));
        (report.holds_broken, done.lasted)
    };
    let (_, sound) = begun(&scenario);
    scenario.faults.push(lid);
    let (broken, lasted) = begun(&scenario);
    assert_eq!(broken, 1);
    let later_s = lasted.ms_since(sound) / 1_000;
    assert!((1_200..7_200).contains(&later_s), "{later_s} s later");
}

#[test]
fn a_seed_is_the_same_run_however_many_threads_there_are() {
    let one = totals(1..9, 1, Stores::None).json();
    assert_eq!(one, totals(1..9, 3, Stores::None).json());
}

#[test]
fn a_killed_program_is_taken_up_again_and_the_hold_begins_again() {
    let killed = in_the_hold(Kind::Killed, 60_000);
    let report = shown(Some(killed), Defect::None, true);
    assert_eq!(report.violations, []);
    assert_eq!(report.holds_broken, 1);
}

#[test]
fn without_a_defect_a_lost_machine_breaks_no_invariant() {
    let lost = in_the_hold(Kind::CommLost, 60_000);
    assert_eq!(shown(Some(lost), Defect::None, false).violations, []);
}

#[test]
fn heat_that_goes_on_although_the_interlocks_cut_it_is_found() {
    let lost = in_the_hold(Kind::CommLost, 60_000);
    let report = shown(Some(lost), Defect::HeatGoesOn, false);
    assert_eq!(broken(&report), [Invariant::Heat], "{report:#?}");
}

/// Nobody runs the machine in the come-up for an hour.
fn left_alone(cut: Cut, defect: Defect) -> Report {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    let (phase, after_ms) = (PhaseName::ComeUp, 60_000);
    let killed = Fault { phase, after_ms, ..in_the_hold(Kind::Killed, 3_600_000) };
    scenario.faults.push(killed);
    scenario.cut = cut;
    // Full power until somebody says otherwise.
    scenario.params.heater = crate::batch::params::Heater::Power {
        power_w: scenario.plant.heater_w.round() as u32,
        bath_j_per_k: 200_000,
        delay_ms: 20_000,
    };
    of_scenario(&scenario, Wanted { defect, ..Wanted::default() }).expect("it has its end").1
}

#[test]
fn a_cut_that_comes_later_than_the_unit_declares_is_found() {
    for cut in [Cut::Watchdog(5_000), Cut::Limit(66.0)] {
        assert_eq!(left_alone(cut, Defect::None).violations, [], "{cut:?}");
        let report = left_alone(cut, Defect::CutComesLate);
        assert_eq!(broken(&report), [Invariant::Heat], "{cut:?}: {report:#?}");
    }
}

#[test]
fn an_alarm_that_no_person_acknowledged_and_that_lets_go_of_the_heat_is_found() {
    let (channel, size) = (Channel::Bath, -20.0);
    let spikes = Fault { channel, size, ..in_the_hold(Kind::Spiking, 120_000) };
    assert_eq!(shown(Some(spikes), Defect::None, false).violations, []);
    let report = shown(Some(spikes), Defect::AcknowledgesItself, false);
    assert_eq!(broken(&report), [Invariant::Heat], "{report:#?}");
}

#[test]
fn an_outage_that_is_told_too_short_is_found() {
    let killed = in_the_hold(Kind::Killed, 900_000);
    let report = shown(Some(killed), Defect::OutageIsShort, true);
    assert!(broken(&report).contains(&Invariant::Outage), "{report:#?}");
}

#[test]
fn a_controller_whose_inputs_do_not_give_its_entries_again_is_found() {
    let lost = in_the_hold(Kind::CommLost, 60_000);
    let report = shown(Some(lost), Defect::HeatGoesOn, true);
    assert!(broken(&report).contains(&Invariant::Record), "{report:#?}");
}

#[test]
fn power_that_is_still_there_after_it_was_told_off_is_found() {
    let report = shown(None, Defect::OffIsLost, false);
    assert!(broken(&report).contains(&Invariant::Heat), "{report:#?}");
}

#[test]
fn a_correction_that_is_a_kelvin_too_high_is_found_by_the_truth() {
    let report = shown(None, Defect::WrongCorrection, false);
    assert!(broken(&report).contains(&Invariant::Floor), "{report:#?}");
}

#[test]
fn a_judge_that_accepts_everything_is_found() {
    let dead = Fault { phase: PhaseName::ComeUp, ..in_the_hold(Kind::HeaterDead, FOR_EVER_MS) };
    let report = shown(Some(dead), Defect::JudgeAcceptsAll, false);
    assert!(broken(&report).contains(&Invariant::Floor), "{report:#?}");
    assert!(broken(&report).contains(&Invariant::Judges), "{report:#?}");
}

#[test]
fn a_step_that_was_acknowledged_and_not_stored_is_found() {
    let report = shown(None, Defect::ForgetsAStep, true);
    assert!(broken(&report).contains(&Invariant::Record), "{report:#?}");
}

/// How far and how long a bath that waits is away from its clamp while bottles go into it and
/// nobody confirms them: what `plausible::heat::depth` is made of. No alarm may come of it.
#[test]
#[ignore = "a measure: prints figures"]
fn measure_waiting_loads() {
    let (mut deepest, mut longest) = ((0.0_f64, 0), (0, 0));
    for seed in (0..2_400).step_by(4) {
        let mut scenario = Scenario::drawn(seed, &fixture::recipe());
        (scenario.pace.load_ms, scenario.pace.confirm_ms) = (300_000, 3_600_000);
        let wanted = Wanted { truth: true, ..Wanted::default() };
        let (done, _) = of_scenario(&scenario, wanted).expect("it has its end");
        let clamp_c = scenario.params.cascade.bath_max.as_f64();
        let mut load = done.seen.iter().skip_while(|seen| seen.coldest_c.is_none());
        let began = load.next().expect("bottles went in").at;
        for seen in load.take_while(|seen| seen.at.ms_since(began) < 3_600_000) {
            let away_k = clamp_c - seen.bath_c;
            deepest = if away_k > deepest.0 { (away_k, seed) } else { deepest };
            let low_ms = if away_k > 2.0 { seen.at.ms_since(began) } else { 0 };
            longest = longest.max((low_ms, seed));
        }
        let alarms = done.alarms.iter().filter(|(_, at)| at.ms_since(began) < 3_600_000);
        assert_eq!(alarms.count(), 0, "seed {seed}: {:?}", done.alarms);
    }
    println!("deepest {deepest:?} K, longest {longest:?} ms (with their seeds)");
}

/// Good machines whose lid stands open in the come-up for up to ten minutes, or that fall silent for
/// up to five: 104 may be raised, since the bath does fall, but no batch may fail by it.
#[test]
#[ignore = "a measure: prints figures"]
fn measure_baths_that_are_left_open() {
    let mut raised = [0, 0];
    for seed in (0..2_400).step_by(4) {
        for (place, kind) in [Kind::LidOpened, Kind::CommLost].into_iter().enumerate() {
            let mut scenario = Scenario::drawn(seed, &fixture::recipe());
            let dice = &mut super::dice::Dice::new(seed, 9);
            scenario.faults.push(Fault {
                phase: PhaseName::ComeUp,
                after_ms: dice.whole(0, 900_000),
                lasts_ms: dice.whole(60_000, 300_000 * (2 - place as u64)),
                ..in_the_hold(kind, 0)
            });
            let (done, _) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
            let is_104 = |(alarm, _): &(crate::batch::alarm::Alarm, _)| alarm.number() == 104;
            raised[place] += u32::from(done.alarms.iter().any(is_104));
            let failed = done.closed.record.entries.iter().any(|stamped| {
                matches!(&stamped.entry.event, crate::batch::event::Event::Failed { .. })
            });
            assert!(!failed, "seed {seed}, {kind:?}: {:?}", done.alarms);
        }
    }
    println!("104 was raised in {raised:?} of 600 runs each");
}
