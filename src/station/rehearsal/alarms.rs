//! The interlocks on whole batches: no good machine trips one, and each fault trips its own.

mod cases;
mod measure;

use holder_hal::{Celsius, Heat, Kelvin, Quality, Sample};

use super::*;
use crate::batch::alarm::Alarm;
use crate::batch::event::Event;
use crate::batch::fixture;
use crate::batch::params::Heater;
use cases::{Case, cases, half_a_kelvin_high, shown_within_s};

/// The alarms that were raised, each with its moment, seconds after loading (or after the start).
fn raised(run: &Rehearsal) -> Vec<(Alarm, f64)> {
    let at = |entry: &Entry| {
        let Event::Raised { alarm, .. } = entry.event else { return None };
        Some((alarm, entry.at.ms() as f64 / 1000.0))
    };
    run.entries.iter().filter_map(at).collect()
}

fn power_of(plant: &PlantParams) -> Heater {
    Heater::Power {
        power_w: plant.heater_w as u32,
        bath_j_per_k: (plant.bath_l * 4180.0 + plant.vessel_j_k) as u32,
        delay_ms: ((plant.heater_dead_s + plant.heater_lag_s + 4.0) * 1000.0) as u32,
    }
}

/// Where a batch is when somebody meddles with it.
#[derive(Clone, Copy)]
struct Moment {
    /// Seconds since the first step, since loading, since the first hold, since cooling began.
    run_s: f64,
    loaded_s: Option<f64>,
    held_s: Option<f64>,
    cooled_s: Option<f64>,
}

/// A batch with a fault: what is done to the machine and its orders, and to the readings.
struct Fault<'a> {
    told: u16,
    put: u16,
    meddle: &'a mut dyn FnMut(&Moment, &mut SimMachine, &mut Command),
    spoil: &'a mut dyn FnMut(&Moment, &mut Reading),
}

fn suffer(params: BatchParams, plant: PlantParams, seed: u64, fault: Fault<'_>) -> Rehearsal {
    let period_ms = params.period_ms;
    let mut machine = SimMachine::new(plant, seed, params.milk.len(), 0.1);
    let mut command = Command::safe(false);
    let mut run = Rehearsal::new(params, fault.told).expect("valid");
    let (mut loaded, mut held, mut cooled) = (None, None, None);
    for period in 0..6 * 3_600 {
        let run_s = (period * period_ms) as f64 / 1000.0;
        let phase = run.engine.phase();
        match phase {
            PhaseName::ComeUp => loaded = loaded.or(Some(run_s)),
            PhaseName::Hold => held = held.or(Some(run_s)),
            PhaseName::Cool => cooled = cooled.or(Some(run_s)),
            PhaseName::Preheat
            | PhaseName::Load
            | PhaseName::Unload
            | PhaseName::Finished
            | PhaseName::Aborted => {}
        }
        let since = |from: Option<f64>| from.map(|from| run_s - from);
        let moment =
            Moment { run_s, loaded_s: since(loaded), held_s: since(held), cooled_s: since(cooled) };
        (fault.meddle)(&moment, &mut machine, &mut command);
        let mut reading = machine.step(&command, period_ms);
        (fault.spoil)(&moment, &mut reading);
        let at = Tick::from_ms(period * period_ms);
        let effects = run.engine.step(at, Input::Reading(reading));
        command = run.read(at, reading, effects, &machine);
        let phase = run.engine.phase();
        if phase.is_final() {
            break;
        }
        let Some(action) = asked(phase, fault.told) else { continue };
        if phase == PhaseName::Load {
            machine.load(u32::from(fault.put));
        }
        let effects = run.engine.step(at, Input::Operator(action));
        command = run.stepped(effects);
    }
    run
}

fn shift(sample: &mut Option<Sample>, by_milli: i32) {
    if let Some(sample) = sample {
        sample.raw = sample.raw.map(|raw| raw + Kelvin::from_milli(by_milli));
    }
}

fn after(since_s: Option<f64>, from_s: f64) -> bool {
    since_s.is_some_and(|since_s| since_s >= from_s)
}

fn nothing_meddles(_: &Moment, _: &mut SimMachine, _: &mut Command) {}
fn nothing_spoils(_: &Moment, _: &mut Reading) {}

/// What a person sees at a good machine: nothing.
fn trips_nothing(seed: u64) {
    let plant = PlantParams::drawn(seed);
    let mut params = fixture::params();
    params.reference = Some(fixture::probe("reference.pv"));
    if seed % 2 == 1 {
        params.heater = power_of(&plant);
    }
    let run = rehearse(params, plant, seed, 0.1, plant.bottles as u16).expect("starts");
    assert_eq!(raised(&run), [], "seed {seed}");
    assert_eq!((run.engine.holds_broken(), run.engine.accepts()), (0, Some(true)), "seed {seed}");
}

#[test]
fn good_machines_trip_nothing() {
    (40_000..40_016).for_each(trips_nothing);
}

/// A batch with this fault on a drawn machine, and the moment from which its time counts. If it is
/// accepted, its milk was warm enough.
fn suffered(case: &Case, seed: u64, is_power: bool) -> (Rehearsal, f64) {
    let plant = PlantParams::drawn(seed);
    let mut params = fixture::params();
    if case.name.contains("the reference") {
        params.reference = Some(fixture::probe("reference.pv"));
    }
    if is_power {
        params.heater = power_of(&plant);
    }
    let bottles = plant.bottles as u16;
    let (meddle, spoil) = (&mut { case.meddle }, &mut { case.spoil });
    let run = suffer(params, plant, seed, Fault { told: bottles, put: bottles, meddle, spoil });
    if run.engine.accepts() == Some(true) {
        let is_warm = run.true_coldest_in_hold_c.is_some_and(|c| c >= 62.5);
        assert!(is_warm, "{} (seed {seed})", case.name);
    }
    let from_s = run.entered_s(case.from.0).expect("reached") + case.from.1;
    (run, from_s)
}

#[test]
fn each_fault_raises_its_alarm_in_time_and_no_cold_milk_is_accepted() {
    for case in cases().into_iter().chain([half_a_kelvin_high()]) {
        let (setpoint, power, within_s) = shown_within_s(case.name);
        for (seed, is_power) in [(50_001, false), (50_002, true)] {
            let (run, from_s) = suffered(&case, seed, is_power);
            let seen = raised(&run);
            let shows = if is_power { power } else { setpoint };
            if shows > 0 {
                let found = seen.iter().find(|(alarm, _)| *alarm == case.expected);
                let took_s = found.map(|(_, at_s)| at_s - from_s);
                let in_time = took_s.is_some_and(|took_s| took_s <= within_s);
                assert!(in_time, "{} (seed {seed}): {seen:?}", case.name);
            }
        }
    }
}

/// 48 bottles told and none put in; the control bottle alone is in.
#[test]
fn a_load_that_is_not_there_shows() {
    let plant = PlantParams::nominal();
    let mut control_alone = |moment: &Moment, machine: &mut SimMachine, _: &mut Command| {
        if moment.loaded_s == Some(0.0) {
            machine.load(1);
        }
    };
    let fault = Fault { told: 48, put: 1, meddle: &mut control_alone, spoil: &mut nothing_spoils };
    let run = suffer(fixture::params(), plant, 1, fault);
    let seen = raised(&run);
    assert!(seen.iter().any(|(alarm, _)| *alarm == Alarm::LoadOff), "{seen:?}");
    assert!(run.true_coldest_in_hold_c.is_some_and(|c| c >= 62.5));
}

/// A plug that was off and is back on its own probe: no bottle goes further in the meantime than
/// the rules let it.
#[test]
fn milk_that_nobody_read_for_almost_two_minutes_makes_no_step() {
    for seed in 40_100..40_112 {
        let plant = PlantParams::drawn(seed);
        let mut params = fixture::params();
        if seed % 2 == 1 {
            params.heater = power_of(&plant);
        }
        let from_s = 100.0 + (seed % 12) as f64 * 100.0;
        let mut silent = |moment: &Moment, reading: &mut Reading| {
            if after(moment.loaded_s, from_s) && !after(moment.loaded_s, from_s + 115.0) {
                let missing = Some(Sample::missing(Quality::SensorOpen));
                (reading.milk[0], reading.milk[1]) = (missing, missing);
            }
        };
        let bottles = plant.bottles as u16;
        let meddle = &mut { nothing_meddles };
        let fault = Fault { told: bottles, put: bottles, meddle, spoil: &mut silent };
        let run = suffer(params, plant, seed, fault);
        let seen = raised(&run);
        assert!(seen.iter().any(|(alarm, _)| *alarm == Alarm::MilkProbeLost), "{seed}: {seen:?}");
        assert!(!seen.iter().any(|(alarm, _)| *alarm == Alarm::MilkJumps), "{seed}: {seen:?}");
    }
}

/// Bottles are not called out of the bath by a reading that is not believed.
#[test]
fn a_probe_that_froze_cold_ends_the_cooling_only_with_the_recipes_time() {
    let mut frozen = |moment: &Moment, reading: &mut Reading| {
        if after(moment.loaded_s, 60.0) {
            let cold = Some(Sample::good(Celsius::from_milli(8_000)));
            reading.milk[..2].fill(cold);
        }
    };
    let (told, put, meddle) = (48, 48, &mut nothing_meddles);
    let fault = Fault { told, put, meddle, spoil: &mut frozen };
    let run = suffer(fixture::params(), PlantParams::nominal(), 1, fault);
    assert!(raised(&run).iter().any(|(alarm, _)| *alarm == Alarm::MilkStuck), "{:?}", raised(&run));
    let [cooled_s, called_s] =
        [PhaseName::Cool, PhaseName::Unload].map(|phase| run.entered_s(phase).expect("reached"));
    let fail_s = fixture::recipe().cooling.fail_ms as f64 / 1000.0;
    assert!(called_s - cooled_s > fail_s, "called after {} s", called_s - cooled_s);
    assert_eq!(run.engine.accepts(), Some(false));
}

/// One wild sample takes the heat away and gives it back; it raises nothing.
#[test]
fn one_wild_sample_cuts_the_heat_and_fails_nothing() {
    for channel in [0, 1] {
        let mut wild_at = None;
        let mut cut = false;
        let mut spike = |moment: &Moment, reading: &mut Reading| {
            if moment.held_s == Some(600.0) {
                wild_at = Some(moment.run_s);
                let wild = Sample::good(Celsius::from_milli(80_000));
                if channel == 0 {
                    reading.bath = Sample::good(Celsius::from_milli(40_000))
                } else {
                    reading.milk[0] =
                        Some(Sample { raw: Some(Celsius::from_milli(64_500)), ..wild })
                }
            }
        };
        let mut look = |moment: &Moment, _: &mut SimMachine, command: &mut Command| {
            cut |= moment.held_s == Some(601.0) && !command.heats();
        };
        let plant = PlantParams::nominal();
        let fault = Fault { told: 48, put: 48, meddle: &mut look, spoil: &mut spike };
        let run = suffer(fixture::params(), plant, 1, fault);
        assert!(wild_at.is_some() && cut, "channel {channel}: the heat was not cut");
        assert_eq!(raised(&run), [], "channel {channel}");
        assert_eq!(run.engine.accepts(), Some(true), "channel {channel}");
    }
}
