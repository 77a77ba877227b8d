//! Figures, on request: `COUNT=600 cargo test --lib measure_nuisance -- --ignored --nocapture`.

use super::*;

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
