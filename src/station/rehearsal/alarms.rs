//! The interlocks on whole batches: no good machine trips one, and each fault trips its own.

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
