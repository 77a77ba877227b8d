//! A small soak, and the proof that it can fail.

mod counts;
mod cuts;
mod late;
mod outages;

use super::defects::Defect;
use super::fault::{Channel, Fault, Kind};
use super::hands::Counts;
use super::scenario::{Cut, FOR_EVER_MS};
use super::*;
use crate::batch::event::Event;
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

/// The same as the bottles warm up.
fn in_the_come_up(kind: Kind, lasts_ms: u64) -> Fault {
    Fault { phase: PhaseName::ComeUp, ..in_the_hold(kind, lasts_ms) }
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
        let scenario = Scenario::drawn_at_first(seed, &fixture::recipe());
        let (_, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
        assert_eq!(report.violations, [], "seed {seed}");
    }
}

/// Since the truth is of each class of bottles and faults come twice: 18983 and 2543 (a control bottle
/// that went in first), 3310 and 48070 (one old answer for ever, by which milk was heated or held), 14162,
/// 16447, 35954 and 39886 (a bath probe that froze, slid out or hung above the water), 7862 (heat
/// before a milk probe was read after an outage), 8080 (a good batch whose set point creeps).
#[test]
fn what_broke_an_invariant_of_the_stricter_soak_stays_mended() {
    let seeds = [18_983, 2_543, 3_310, 48_070, 14_162, 16_447, 35_954, 39_886, 7_862, 8_080];
    for seed in seeds {
        let scenario = Scenario::drawn(seed, &fixture::recipe());
        let (_, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
        assert_eq!((report.violations, report.residual), (vec![], None), "seed {seed}");
    }
}

/// Seeds with cold bottles that were once accepted: 23 in the hold and 22 in the come-up beside a
/// load that had cooled the bath before it was confirmed, and 1 and 24 under a lid that was seen.
#[test]
fn cold_bottles_that_were_once_accepted_are_not_excused() {
    for seed in [17_503, 1_721, 7_757, 5_070] {
        let mut scenario = Scenario::drawn(seed, &fixture::recipe());
        // Whoever counts them sees them: here what is measured must show them.
        scenario.counts = Counts::Never;
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

/// The alarms of seed 0, driven by power or by set points, in the order in which they are raised: for
/// ten minutes of its come-up the disk is too slow for a permit, and `more` goes wrong.
fn with_a_slow_disk(by_power: bool, more: Option<Kind>) -> Vec<u16> {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    if by_power {
        scenario.params.heater = crate::batch::params::Heater::Power {
            power_w: scenario.plant.heater_w.round() as u32,
            bath_j_per_k: (scenario.plant.bath_l * 4_180.0 + scenario.plant.vessel_j_k) as u32,
            delay_ms: 20_000,
        };
    } else {
        scenario.params.heater = crate::batch::params::Heater::Setpoint;
    }
    let slow = Fault {
        phase: PhaseName::ComeUp,
        after_ms: 120_000,
        // Longer than the half period that a step may wait, shorter than a period.
        size: 0.7 * scenario.params.period_ms as f64,
        ..in_the_hold(Kind::DiskSlow, 600_000)
    };
    scenario.faults.push(slow);
    let welds = |kind| Fault { kind, after_ms: 180_000, lasts_ms: FOR_EVER_MS, ..slow };
    scenario.faults.extend(more.map(welds));
    let (done, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
    assert_eq!(report.violations, [], "{more:?}");
    done.alarms.iter().map(|(alarm, _)| alarm.number()).collect()
}

/// Heat that was withheld is not missed, and heat that comes all the same is seen as such.
#[test]
fn a_slow_disk_raises_no_104_and_hides_no_welded_relay() {
    for by_power in [true, false] {
        assert_eq!(with_a_slow_disk(by_power, None), [0; 0], "by power: {by_power}");
        let alarms = with_a_slow_disk(by_power, Some(Kind::HeaterWelded));
        assert_eq!(alarms.first(), Some(&103), "by power: {by_power}: {alarms:?}");
    }
}

#[test]
fn without_a_defect_a_lost_machine_breaks_no_invariant() {
    let lost = in_the_hold(Kind::CommLost, 60_000);
    assert_eq!(shown(Some(lost), Defect::None, false).violations, []);
}

/// 401 cuts the heat, and is over with the first order that arrives.
#[test]
fn orders_that_do_not_arrive_are_told_to_the_engine_as_the_station_tells_them() {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    scenario.faults.push(in_the_hold(Kind::CommandsLost, 60_000));
    let (done, report) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
    assert_eq!(report.violations, []);
    let began = done.became.first().and_then(|became| became.began).expect("it began");
    let (alarm, at) = *done.alarms.first().expect("an alarm");
    assert_eq!(alarm.number(), 401);
    assert!(at.ms_since(began) <= 3 * scenario.params.period_ms, "{began:?}, {at:?}");
    let entries = done.closed.record.entries.iter().map(|stamped| &stamped.entry.event);
    let cleared =
        |event: &&Event| matches!(event, Event::Cleared { alarm } if alarm.number() == 401);
    assert_eq!(entries.filter(cleared).count(), 1);
}

#[test]
fn heat_that_goes_on_although_the_interlocks_cut_it_is_found() {
    let lost = in_the_hold(Kind::CommLost, 60_000);
    let report = shown(Some(lost), Defect::HeatGoesOn, false);
    assert_eq!(broken(&report), [Invariant::Heat], "{report:#?}");
}

#[test]
fn an_alarm_that_no_person_acknowledged_and_that_lets_go_of_the_heat_is_found() {
    let (channel, size) = (Channel::Bath, -20.0);
    let spikes = Fault { channel, size, ..in_the_hold(Kind::Spiking, 120_000) };
    assert_eq!(shown(Some(spikes), Defect::None, false).violations, []);
    let report = shown(Some(spikes), Defect::AcknowledgesItself, false);
    assert_eq!(broken(&report), [Invariant::Heat], "{report:#?}");
}

/// Seed 0 with one milk probe, without a reference, that reads high by this much from the come-up on.
fn alone_and_high(high_k: f64) -> (Scenario, Done) {
    let mut scenario = Scenario::drawn_at_first(0, &fixture::recipe());
    scenario.params.milk.truncate(1);
    scenario.params.reference = None;
    let (phase, after_ms) = (PhaseName::Preheat, 0);
    let offset = in_the_hold(Kind::Offset, FOR_EVER_MS);
    scenario.faults.push(Fault { phase, after_ms, size: high_k, ..offset });
    let (done, _) = of_scenario(&scenario, Wanted::default()).expect("it has its end");
    (scenario, done)
}

#[test]
fn a_residual_risk_explains_no_more_harm_than_its_figure() {
    let (scenario, mut done) = alone_and_high(0.3);
    let of_probes = [&scenario.params.milk[0], &scenario.params.bath];
    let uncertain_k: f64 =
        of_probes.map(|probe| probe.certificate.uncertainty.as_f64()).iter().sum();
    assert!(report::passes_its_bound(&scenario, &done).is_none(), "{} K", done.lacked_k);
    done.lacked_k = 0.4 + uncertain_k - 0.01;
    assert!(report::passes_its_bound(&scenario, &done).is_none());
    done.lacked_k += 0.02;
    assert!(report::passes_its_bound(&scenario, &done).is_some());
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

/// What a soak of this one run says of the rates of invariant 5.
fn rates(report: &Report) -> Vec<String> {
    let mut totals = Totals::default();
    totals.add(report);
    assert_eq!(totals.is_sound(), totals.rates().is_empty() && totals.found.is_empty());
    totals.rates()
}

#[test]
fn a_judge_that_refuses_good_milk_is_found_by_the_rate_of_good_batches_alone() {
    let report = shown(None, Defect::JudgeAsksForMore, false);
    assert_eq!(report.violations, [], "it is disputed, and nobody releases it");
    assert!(report.disputed);
    let said = rates(&report);
    let [rate] = said.as_slice() else { panic!("{said:?}") };
    assert!(rate.starts_with("0 of 1 runs without fault are acceptable"), "{rate}");
}

#[test]
fn a_hold_that_begins_again_without_need_is_found() {
    let report = shown(None, Defect::ControlSwings, false);
    assert_eq!((report.outcome, report.alarms), (Outcome::Acceptable, 0));
    let said = rates(&report);
    let [rate] = said.as_slice() else { panic!("{said:?}") };
    assert!(rate.starts_with("1 of 1 runs without fault restarted their hold"), "{rate}");
}

#[test]
fn of_a_thousand_good_runs_one_may_be_refused_and_one_may_restart_its_hold() {
    let mut totals = Totals::default();
    (totals.clean.runs, totals.clean.acceptable, totals.clean.restarted) = (1_000, 999, 1);
    assert!(totals.is_sound());
    totals.clean.acceptable = 998;
    assert!(totals.rates()[0].starts_with("998 of 1000") && !totals.is_sound());
    (totals.clean.acceptable, totals.clean.restarted) = (1_000, 2);
    assert!(totals.rates()[0].starts_with("2 of 1000") && !totals.is_sound());
}

#[test]
fn an_alarm_that_nothing_raised_is_found() {
    let report = shown(None, Defect::AlarmsByItself, false);
    assert_eq!(broken(&report), [Invariant::GoodBatches], "{report:#?}");
    assert_eq!(rates(&report), [""; 0], "the batch is as good as any");
}

#[test]
fn milk_that_our_own_command_heats_above_the_ceiling_is_found() {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    // A limit thermostat would be there before the ceiling.
    scenario.cut = Cut::Watchdog(5_000);
    let wanted = Wanted { defect: Defect::ReadsTooLow, ..Wanted::default() };
    let (_, report) = of_scenario(&scenario, wanted).expect("it has its end");
    let [broken] = report.violations.as_slice() else { panic!("{report:#?}") };
    assert_eq!(broken.invariant, Invariant::Heat);
    assert!(broken.text.starts_with("milk above"), "{broken:?}");
}

#[test]
fn heat_without_a_record_is_found() {
    let stalled = in_the_come_up(Kind::DiskStalled, 30_000);
    assert_eq!(shown(Some(stalled), Defect::None, true).violations, []);
    let report = shown(Some(stalled), Defect::HeatsUnrecorded, true);
    assert_eq!(broken(&report), [Invariant::Heat], "{report:#?}");
}

/// How far and how long a bath that waits is away from its clamp while bottles go into it and
/// nobody confirms them: what `plausible::heat::depth` is made of. No alarm may come of it.
#[test]
#[ignore = "minutes: see docs/measures.md"]
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
#[ignore = "minutes: see docs/measures.md"]
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
