//! Steps on what takes the heat away.

use anyhow::Context as _;
use holder_hal::{Kelvin, Reading, Sample, Tick};

use super::entered;
use crate::batch::phase::PhaseName;
use crate::qualify::Seen;
use crate::qualify::bench::{Bench, Rehearsed};

/// Periods from the last reading that was good to the first command without heat.
fn periods_until_off(run: &Rehearsed, from: Tick) -> Option<usize> {
    let after = run.record.periods.iter().filter(|period| period.at >= from);
    after.enumerate().find(|(_, period)| !period.command.heats()).map(|(index, _)| index + 1)
}

fn off_after(periods: Option<usize>) -> String {
    match periods {
        None => "never off".to_owned(),
        Some(1) => "off after 1 period".to_owned(),
        Some(periods) => format!("off after {periods} periods"),
    }
}

pub(super) fn silence(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let good = bench.good()?;
    let mut observed = Vec::new();
    let mut meets = true;
    let probes = bench.params.milk.len();
    for phase in [PhaseName::ComeUp, PhaseName::Hold] {
        // The first moment after two minutes of the phase at which the good batch heats.
        let begun = entered(&good.record, phase)?.plus_ms(120_000);
        let heats = good.record.periods.iter().find(|p| p.at >= begun && p.command.heats());
        let from = heats.context("the good batch never heats there")?.at;
        let run = bench.spoiled(|at, reading| {
            if at >= from {
                *reading = Reading::nothing(probes, true);
            }
        })?;
        let periods = periods_until_off(&run, from);
        meets &= periods.is_some_and(|periods| periods <= 2);
        let heat_after = run.record.periods.iter().filter(|p| p.at > from.plus_ms(60_000));
        let again = heat_after.filter(|period| period.command.heats()).count();
        meets &= again == 0;
        observed.push(format!("{phase}: {}, heated again {again} times", off_after(periods)));
    }
    Ok(Seen::that(meets, "off after at most 2 periods, and never on again", observed.join("; ")))
}

pub(super) fn hot_bath(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let good = bench.good()?;
    let begun = entered(&good.record, PhaseName::ComeUp)?.plus_ms(120_000);
    let heats = good.record.periods.iter().find(|p| p.at >= begun && p.command.heats());
    let from = heats.context("the good batch never heats there")?.at;
    let trip = bench.params.bath_trip();
    let hot = trip + Kelvin::from_milli(200);
    let run = bench.spoiled(|at, reading| {
        if at == from {
            reading.bath = Sample::good(hot);
        }
    })?;
    let periods = periods_until_off(&run, from);
    Ok(Seen::that(
        periods == Some(1),
        format!("off in the same period in which the bath reads above {trip} °C"),
        format!("bath {hot} °C: {}", off_after(periods)),
    ))
}
