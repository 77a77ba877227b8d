//! The interlocks on whole batches: no good machine trips one, and each fault trips its own.

use holder_hal::{Celsius, Heat, Kelvin, Sample};

use super::*;
use crate::batch::alarm::Alarm;
use crate::batch::event::Event;
use crate::batch::fixture;
use crate::batch::params::Heater;

/// The alarms that were raised, each with its moment, seconds after loading (or after the start).
fn raised(run: &Rehearsal) -> Vec<(Alarm, f64)> {
    let at = |entry: &Entry| match entry.event {
        Event::Raised { alarm, .. } => Some((alarm, entry.at.ms() as f64 / 1000.0)),
        Event::Entered { .. }
        | Event::Cleared { .. }
        | Event::Acknowledged { .. }
        | Event::Failed { .. }
        | Event::AboveCeiling { .. }
        | Event::Resumed { .. }
        | Event::HeatConfirmed => None,
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

#[test]
#[ignore = "measures hundreds of machines"]
fn measure_nuisance_trips() {
    let from: u64 = std::env::var("FROM").ok().and_then(|t| t.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("COUNT").ok().and_then(|t| t.parse().ok()).unwrap_or(20);
    let (mut trips, mut restarts, mut refused) = (0, 0, 0);
    for seed in from..from + count {
        let plant = PlantParams::drawn(seed);
        let mut params = fixture::params();
        if seed % 2 == 1 {
            params.heater = power_of(&plant);
        }
        if seed % 3 == 0 {
            params.reference = Some(fixture::probe("reference.pv"));
        }
        let run = rehearse(params, plant, seed, 0.1, plant.bottles as u16).expect("starts");
        let seen = raised(&run);
        trips += usize::from(!seen.is_empty());
        restarts += run.engine.holds_broken();
        refused += usize::from(run.engine.accepts() != Some(true));
        if !seen.is_empty() {
            let numbers: Vec<_> = seen.iter().map(|(alarm, s)| (alarm.number(), *s)).collect();
            println!("seed {seed} {} bottles {}: {numbers:?}", plant.bottles, seed % 2);
        }
    }
    println!("{count} machines: {trips} tripped, {restarts} restarts, {refused} not accepted");
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
    let mut run = Rehearsal {
        periods: Vec::new(),
        entries: Vec::new(),
        bottles: fault.told,
        engine: Engine::new(params).expect("valid"),
        true_coldest_in_hold_c: None,
        true_hottest_c: None,
    };
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
        command = effects.command;
        run.entries.extend(effects.entries);
        let phase = run.engine.phase();
        run.periods.push(Period { at, reading, command, phase });
        run.witness(&machine, phase);
        if phase.is_final() {
            break;
        }
        let Some(action) = asked(phase, fault.told) else { continue };
        if phase == PhaseName::Load {
            machine.load(u32::from(fault.put));
        }
        let effects = run.engine.step(at, Input::Operator(action));
        command = effects.command;
        run.entries.extend(effects.entries);
    }
    run
}

fn entered_s(run: &Rehearsal, wanted: PhaseName) -> Option<f64> {
    let is_it =
        |entry: &&Entry| matches!(entry.event, Event::Entered { phase, .. } if phase == wanted);
    run.entries.iter().find(is_it).map(|entry| entry.at.ms() as f64 / 1000.0)
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

type Meddle = fn(&Moment, &mut SimMachine, &mut Command);
type Spoil = fn(&Moment, &mut Reading);

/// Name, alarm that must come, phase and seconds from which the time counts, and the fault.
struct Case {
    name: &'static str,
    expected: Alarm,
    from: (PhaseName, f64),
    meddle: Meddle,
    spoil: Spoil,
}

fn cases() -> Vec<Case> {
    use PhaseName::{ComeUp, Cool, Hold, Preheat};
    let case = |name, expected, from, meddle, spoil| Case { name, expected, from, meddle, spoil };
    let quiet: Spoil = nothing_spoils;
    let still: Meddle = nothing_meddles;
    vec![
        case(
            "welded in the hold",
            Alarm::HeaterStaysOn,
            (Hold, 300.0),
            |m, machine, _| {
                machine.plant_mut().weld_heater(after(m.held_s, 300.0));
            },
            quiet,
        ),
        case(
            "dead in the preheat",
            Alarm::HeaterFails,
            (Preheat, 200.0),
            |m, _, command| {
                if m.run_s >= 200.0 {
                    command.heat = Heat::Off
                }
            },
            quiet,
        ),
        case(
            "dead from loading",
            Alarm::HeaterFails,
            (ComeUp, 0.0),
            |m, _, command| {
                if after(m.loaded_s, 0.0) {
                    command.heat = Heat::Off
                }
            },
            quiet,
        ),
        case(
            "dead in the come-up",
            Alarm::HeaterFails,
            (ComeUp, 900.0),
            |m, _, command| {
                if after(m.loaded_s, 900.0) {
                    command.heat = Heat::Off
                }
            },
            quiet,
        ),
        case(
            "dead in the hold",
            Alarm::HeaterFails,
            (Hold, 60.0),
            |m, _, command| {
                if after(m.held_s, 60.0) {
                    command.heat = Heat::Off
                }
            },
            quiet,
        ),
        case(
            "half power from the start",
            Alarm::HeaterFails,
            (Preheat, 0.0),
            |_, _, command| {
                if let Heat::Duty(duty) = command.heat {
                    command.heat = Heat::Duty(holder_hal::Duty::from_share(duty.share() / 2.0));
                }
            },
            quiet,
        ),
        case(
            "set point + 3 in the hold",
            Alarm::BathAboveSetpoint,
            (Hold, 300.0),
            |m, _, command| {
                if after(m.held_s, 300.0)
                    && let Heat::Setpoint(bath) = command.heat
                {
                    command.heat = Heat::Setpoint(bath + Kelvin::from_milli(3_000));
                }
            },
            quiet,
        ),
        case(
            "set point 38 in the come-up",
            Alarm::HeaterFails,
            (ComeUp, 300.0),
            |m, _, command| {
                if after(m.loaded_s, 300.0) && command.heats() {
                    command.heat = Heat::Setpoint(Celsius::from_milli(38_000));
                }
            },
            quiet,
        ),
        case(
            "set point 38 in the hold",
            Alarm::HeaterFails,
            (Hold, 300.0),
            |m, _, command| {
                if after(m.held_s, 300.0) && command.heats() {
                    command.heat = Heat::Setpoint(Celsius::from_milli(38_000));
                }
            },
            quiet,
        ),
        case(
            "agitator off at 300 s",
            Alarm::AgitationLost,
            (ComeUp, 300.0),
            |m, _, command| {
                command.agitator &= !after(m.loaded_s, 300.0);
            },
            quiet,
        ),
        case(
            "agitator off from loading",
            Alarm::AgitationLost,
            (ComeUp, 0.0),
            |m, _, command| {
                command.agitator &= !after(m.loaded_s, 0.0);
            },
            quiet,
        ),
        case(
            "milk frozen at loading + 200 s",
            Alarm::MilkStuck,
            (ComeUp, 200.0),
            still,
            |m, reading| {
                if after(m.loaded_s, 200.0) && !after(m.cooled_s, 0.0) {
                    reading.milk[0] = Some(Sample::good(Celsius::from_milli(30_000)));
                    reading.milk[1] = reading.milk[0];
                }
            },
        ),
        case("milk frozen in the hold", Alarm::MilkStuck, (Cool, 0.0), still, |m, reading| {
            if after(m.held_s, 300.0) {
                reading.milk[0] = Some(Sample::good(Celsius::from_milli(63_000)));
                reading.milk[1] = reading.milk[0];
            }
        }),
        case(
            "probes in the bath at loading",
            Alarm::MilkInBath,
            (ComeUp, 0.0),
            still,
            |m, reading| {
                if after(m.loaded_s, 0.0) {
                    (reading.milk[0], reading.milk[1]) = (Some(reading.bath), Some(reading.bath));
                }
            },
        ),
        case(
            "both slip into the bath at 400 s",
            Alarm::MilkJumps,
            (ComeUp, 400.0),
            still,
            |m, reading| {
                if after(m.loaded_s, 400.0) {
                    (reading.milk[0], reading.milk[1]) = (Some(reading.bath), Some(reading.bath));
                }
            },
        ),
        case(
            "both slip into the bath at 1000 s",
            Alarm::MilkJumps,
            (ComeUp, 1000.0),
            still,
            |m, reading| {
                if after(m.loaded_s, 1000.0) {
                    (reading.milk[0], reading.milk[1]) = (Some(reading.bath), Some(reading.bath));
                }
            },
        ),
        case(
            "one slips into the bath at 600 s",
            Alarm::MilkDisagrees,
            (ComeUp, 600.0),
            still,
            |m, reading| {
                if after(m.loaded_s, 600.0) {
                    reading.milk[1] = Some(reading.bath);
                }
            },
        ),
        case("milk reads 0.5 K high", Alarm::MilkAboveBath, (Hold, 0.0), still, |_, reading| {
            reading.milk.iter_mut().for_each(|milk| shift(milk, 500));
        }),
        case("milk reads 1.0 K high", Alarm::MilkAboveBath, (Hold, 0.0), still, |_, reading| {
            reading.milk.iter_mut().for_each(|milk| shift(milk, 1000));
        }),
        case(
            "milk 0.3 K above the reference",
            Alarm::AboveReference,
            (Hold, 0.0),
            still,
            |_, reading| {
                reading.milk.iter_mut().for_each(|milk| shift(milk, 300));
            },
        ),
        case(
            "milk probe 2 drifts 0.9 K high",
            Alarm::MilkDisagrees,
            (Hold, 300.0),
            still,
            |m, reading| {
                if after(m.held_s, 300.0) {
                    shift(
                        &mut reading.milk[1],
                        (m.held_s.unwrap_or(0.0) * 3.0 - 900.0).min(900.0) as i32,
                    )
                }
            },
        ),
        case("bath probe out of the bath", Alarm::BathJumps, (Hold, 300.0), still, |m, reading| {
            if after(m.held_s, 300.0) {
                reading.bath = Sample::good(Celsius::from_milli(22_000));
            }
        }),
        case(
            "bath reads 2 K low",
            Alarm::MilkAboveBath,
            (Preheat, 0.0),
            |_, _, command| {
                if let Heat::Setpoint(bath) = command.heat {
                    command.heat = Heat::Setpoint(bath + Kelvin::from_milli(2_000));
                }
            },
            |_, reading| {
                reading.bath.raw = reading.bath.raw.map(|raw| raw - Kelvin::from_milli(2_000));
            },
        ),
    ]
}

#[test]
#[ignore = "measures faults on many machines"]
fn measure_detection() {
    let count: u64 = std::env::var("COUNT").ok().and_then(|t| t.parse().ok()).unwrap_or(10);
    let only = std::env::var("ONLY").unwrap_or_default();
    for case in cases().iter().filter(|case| case.name.contains(&only)) {
        for power in [false, true] {
            let mut times = Vec::new();
            let (mut begun, mut accepted, mut bad_accepted) = (0, 0, 0);
            let mut others = std::collections::BTreeMap::new();
            for seed in 20_000..20_000 + count {
                let plant = PlantParams::drawn(seed);
                let mut params = fixture::params();
                if case.name.contains("the reference") {
                    params.reference = Some(fixture::probe("reference.pv"));
                }
                if power {
                    params.heater = power_of(&plant);
                }
                let bottles = plant.bottles as u16;
                let (meddle, spoil) = (&mut { case.meddle }, &mut { case.spoil });
                let run = suffer(
                    params,
                    plant,
                    seed,
                    Fault { told: bottles, put: bottles, meddle, spoil },
                );
                let Some(from_s) = entered_s(&run, case.from.0) else { continue };
                begun += 1;
                let is_accepted = run.engine.accepts() == Some(true);
                accepted += u32::from(is_accepted);
                let coldest = run.true_coldest_in_hold_c.unwrap_or(0.0);
                bad_accepted += u32::from(is_accepted && coldest < 62.5);
                let seen = raised(&run);
                let found = seen.iter().find(|(alarm, _)| *alarm == case.expected);
                times.extend(found.map(|(_, at_s)| at_s - from_s - case.from.1));
                if let Some((first, _)) = seen.first() {
                    *others.entry(first.number()).or_insert(0) += 1;
                }
            }
            times.sort_by(f64::total_cmp);
            let at = |share: f64| {
                times
                    .get(((times.len() as f64 - 1.0) * share) as usize)
                    .copied()
                    .unwrap_or(f64::NAN)
            };
            println!(
                "{:36} {} {:3}/{begun} by {}: median {:5.0} s, worst {:5.0} s, earliest {:5.0} s; \
                 first {others:?}; accepted {accepted}, of them bad {bad_accepted}",
                case.name,
                if power { "power   " } else { "setpoint" },
                times.len(),
                case.expected.number(),
                at(0.5),
                at(1.0),
                at(0.0),
            );
        }
    }
}

#[test]
#[ignore = "prints how loads show"]
fn measure_loads() {
    let count: u64 = std::env::var("COUNT").ok().and_then(|t| t.parse().ok()).unwrap_or(100);
    let mut sags = std::collections::BTreeMap::<u16, Vec<f64>>::new();
    let mut ratios = std::collections::BTreeMap::<u16, Vec<f64>>::new();
    for seed in 30_000..30_000 + count {
        let plant = PlantParams::drawn(seed);
        let mut params = fixture::params();
        let power = seed % 2 == 1;
        if power {
            params.heater = power_of(&plant);
        }
        let n = if seed % 8 >= 6 { 0 } else { plant.bottles as u16 };
        let (meddle, spoil) = (&mut nothing_meddles, &mut nothing_spoils);
        let mut run = suffer(params, plant, seed, Fault { told: 48, put: n, meddle, spoil });
        let _ = &mut run;
        let loaded = run.periods.iter().position(|p| p.phase == PhaseName::ComeUp).unwrap_or(0);
        let mean = |from: usize| {
            let from = from.min(run.periods.len() - 10);
            let part = &run.periods[from..(from + 10).min(run.periods.len())];
            part.iter().filter_map(|p| p.reading.bath.trusted()).map(Celsius::as_f64).sum::<f64>()
                / 10.0
        };
        let milk = |at: usize| {
            run.periods[at].reading.milk[0].and_then(Sample::trusted).map_or(0.0, Celsius::as_f64)
        };
        let base = mean(loaded.saturating_sub(12));
        let least = (0..18).map(|b| mean(loaded + b * 10)).fold(100.0, f64::min);
        let key = if plant.bottle.volume_l > 0.2 && n > 0 { 1000 + n } else { n };
        sags.entry(key).or_default().push(base - least);
        if power && n > 0 {
            let cb = plant.bath_l * 4180.0 + plant.vessel_j_k;
            let duty: f64 = run.periods[loaded..loaded + 900]
                .iter()
                .map(|p| if let Heat::Duty(d) = p.command.heat { d.share() } else { 0.0 })
                .sum();
            let heat =
                duty * plant.heater_w - cb * (mean(loaded + 895) - base) - 7.0 * 40.0 * 900.0;
            let per_bottle = 566.0 * (milk(loaded + 900) - milk(loaded));
            ratios.entry(key).or_default().push(heat / per_bottle);
        }
    }
    for (name, all) in [("sag", &mut sags), ("bottles", &mut ratios)] {
        for (n, values) in all {
            values.sort_by(f64::total_cmp);
            println!(
                "{name} {n}: {} machines, {:.2} to {:.2}",
                values.len(),
                values[0],
                values[values.len() - 1]
            );
        }
    }
}
