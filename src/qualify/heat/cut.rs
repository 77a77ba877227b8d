//! Steps on what takes the heat away.

use anyhow::Context as _;
use holder_hal::{Celsius, Kelvin, Reading, Sample, Tick};

use super::{entered, raw_of};
use crate::batch::event::{Alarm, Event};
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
        // From the first period in which the heat must be off: the third after the last reading.
        let off_from = from.plus_ms(2 * bench.params.period_ms);
        let heat_after = run.record.periods.iter().filter(|period| period.at >= off_from);
        let again = heat_after.filter(|period| period.command.heats()).count();
        meets &= again == 0;
        observed.push(format!("{phase}: {}, heated again {again} times", off_after(periods)));
    }
    Ok(Seen::that(meets, "off after at most 2 periods, and never on again", observed.join("; ")))
}

/// The bath rises by no more than this from one sample to the next, millikelvin: what is faster is
/// cut as a jump, whatever the trip is.
const RISES_MK: i32 = 500;

pub(super) fn hot_bath(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let good = bench.good()?;
    let begun = entered(&good.record, PhaseName::ComeUp)?.plus_ms(120_000);
    let heats = good.record.periods.iter().find(|p| p.at >= begun && p.command.heats());
    let from = heats.context("the good batch never heats there")?.at;
    let trip = bench.params.bath_trip();
    let bath = &bench.params.bath;
    let hot = raw_of(bath, trip + Kelvin::from_milli(200));
    let mut rising: Option<Celsius> = None;
    let mut hot_at = None;
    let run = bench.spoiled(|at, reading| {
        let Some(real) = reading.bath.raw.filter(|_| at >= from && hot_at.is_none()) else {
            return;
        };
        let next = rising.unwrap_or(real) + Kelvin::from_milli(RISES_MK);
        // The first sample above the trip is the one that is looked at.
        let raised = if bath.certificate.correct(next) > trip { hot } else { next };
        rising = Some(raised);
        reading.bath = Sample::good(raised);
        hot_at = (raised == hot).then_some(at);
    })?;
    let hot_at = hot_at.context("the bath was never read there")?;
    let raised_at = |wanted: Alarm| {
        let mut entries = run.record.entries.iter().map(|stamped| &stamped.entry);
        let is_it =
            |event: &Event| matches!(event, Event::Raised { alarm, .. } if *alarm == wanted);
        entries.find(|entry| is_it(&entry.event)).map(|entry| entry.at)
    };
    let alarm_at = raised_at(Alarm::OverTemperature);
    let others = Alarm::ALL.into_iter().filter(|alarm| *alarm != Alarm::OverTemperature);
    let earlier = others.filter(|other| raised_at(*other).is_some_and(|at| at <= hot_at)).count();
    let periods = periods_until_off(&run, hot_at);
    let number = Alarm::OverTemperature.number();
    Ok(Seen::that(
        periods == Some(1) && alarm_at == Some(hot_at) && earlier == 0,
        format!(
            "off in the period in which the bath first reads above {trip} °C, with alarm {number} in \
             that period and no other alarm until then"
        ),
        format!(
            "bath {} °C: {}; alarm {number} {}; other alarms until then: {earlier}",
            bath.certificate.correct(hot),
            off_after(periods),
            match alarm_at {
                Some(at) if at == hot_at => "in that period",
                Some(_) => "in another period",
                None => "NEVER",
            }
        ),
    ))
}
