//! Steps on the limits of temperature and time: ceilings, cooling, spread, lethality.

use anyhow::Context as _;
use holder_hal::{Celsius, Kelvin, Sample};
use holder_sim::params::PlantParams;

use super::{INTO_MS, agreed, both_words, c, causes, entered, found, min, shifted, touched, words};
use crate::batch::event::{Alarm, Cause, Event};
use crate::batch::lethality::COXIELLA_BURNETII;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity};
use crate::qualify::Seen;
use crate::qualify::bench::Bench;
use crate::qualify::report::Verdict as Said;

pub(super) fn ceilings(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let ceiling = &bench.params.recipe.ceiling;
    let probe = bench.params.milk.first().context("no milk probe")?;
    // The ceiling is judged on the hottest probe with its uncertainty and the margin added.
    let added = probe.certificate.uncertainty + bench.params.margin;
    let mut observed = Vec::new();
    let mut meets = true;
    for (line, severity) in [
        (ceiling.note, Severity::Note),
        (ceiling.deviation, Severity::Deviation),
        (ceiling.fail, Severity::Fail),
    ] {
        let hot = line - added + Kelvin::from_milli(100);
        let (_, verdict) = touched(bench, |into, reading| {
            if (INTO_MS..INTO_MS + 60_000).contains(&into.ms()) {
                for probe in reading.milk.iter_mut().flatten() {
                    *probe = Sample::good(hot);
                }
            }
        })?;
        let weighed = verdict.findings.iter().filter(|one| one.rule == Rule::Ceiling);
        let worst = weighed.map(|one| one.severity).max();
        meets &= worst == Some(severity);
        // Milk that is suddenly hotter has other findings besides, which may weigh more.
        meets &= severity != Severity::Fail || verdict.outcome == Outcome::Unacceptable;
        let said = worst.map_or("nothing", Severity::word);
        observed.push(format!("above {line} °C: {said}"));
    }
    let live = live_ceiling(bench)?;
    observed.push(format!("live: {}", live.observed));
    Ok(Seen::that(
        meets && live.verdict == Said::Pass,
        format!(
            "above {} °C a note, above {} °C a deviation, above {} °C unacceptable; live: {}",
            ceiling.note, ceiling.deviation, ceiling.fail, live.expected
        ),
        observed.join("; "),
    ))
}

/// The milk rises by so much from one sample to the next, millikelvin: no jump yet, and at the
/// ceiling before the plausibility has its second block that is warmer than the bath.
const MILK_RISES_MK: i32 = 420;
/// It goes on rising for so long, milliseconds.
const MILK_RISES_MS: u64 = 30_000;

/// The engine's own ceilings: what a batch does whose milk rises beyond all of them in the hold.
fn live_ceiling(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let ceiling = &bench.params.recipe.ceiling;
    let from = entered(&bench.good()?.record, PhaseName::Hold)?.plus_ms(INTO_MS);
    let mut rising: Option<Vec<Option<Celsius>>> = None;
    let run = bench.spoiled(|at, reading| {
        if at < from || at.ms_since(from) >= MILK_RISES_MS {
            return;
        }
        let now = || reading.milk.iter().map(|milk| milk.and_then(|sample| sample.raw)).collect();
        let rising = rising.get_or_insert_with(now);
        for (milk, raw) in reading.milk.iter_mut().zip(rising) {
            *raw = raw.map(|raw| raw + Kelvin::from_milli(MILK_RISES_MK));
            *milk = raw.map(Sample::good);
        }
    })?;
    let entries = || run.record.entries.iter().map(|stamped| &stamped.entry);
    let lines: Vec<Celsius> = entries()
        .filter_map(|entry| {
            if let Event::AboveCeiling { line, .. } = entry.event { Some(line) } else { None }
        })
        .collect();
    let is_hot = |event: &Event| matches!(event, Event::Raised { alarm: Alarm::MilkTooHot, .. });
    let hot_at = entries().find(|entry| is_hot(&entry.event)).map(|entry| entry.at);
    let heat_after = run.record.periods.iter().filter(|p| hot_at.is_none_or(|hot| p.at >= hot));
    let heated = heat_after.filter(|period| period.command.heats()).count();
    let ended = causes(&run.record).any(|cause| *cause == Cause::CeilingPassed);
    let number = Alarm::MilkTooHot.number();
    Ok(Seen::that(
        lines == [ceiling.note, ceiling.deviation, ceiling.fail]
            && hot_at.is_some()
            && heated == 0
            && ended
            && found(&run.verdict, Rule::Ceiling, Severity::Fail)
            && agreed(&run, false),
        format!(
            "the engine notes the three lines in that order, ends the hold for the last and refuses the \
             batch; alarm {number}, and no heat from then on; the judge agrees"
        ),
        format!(
            "{} lines noted, hold {}, engine {}, alarm {number} {}, {heated} periods with heat \
             afterwards, the judge: {}",
            lines.len(),
            if ended { "ended for it" } else { "NOT ENDED FOR IT" },
            if run.record.header.engine_accepts == Some(false) {
                "refuses"
            } else {
                "DOES NOT REFUSE"
            },
            if hot_at.is_some() { "raised" } else { "NOT RAISED" },
            run.verdict.outcome
        ),
    ))
}

pub(super) fn no_water(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let plant = PlantParams { coolant_l_min: 0.0, ..PlantParams::nominal() };
    let run = bench.on(plant, bench.seed, |_, _| ())?;
    let given_up = causes(&run.record).any(|cause| *cause == Cause::CoolingTooLong);
    let meets = run.verdict.outcome == Outcome::Unacceptable
        && found(&run.verdict, Rule::Cooling, Severity::Fail)
        && given_up
        && agreed(&run, false);
    Ok(Seen::that(
        meets,
        format!(
            "unacceptable: not at {} °C within {}; the live engine gives up cooling and refuses it, too",
            bench.params.recipe.cooling.target,
            min(Some(bench.params.recipe.cooling.fail_ms as f64 / 1000.0))
        ),
        format!(
            "{}, cooling {}",
            both_words(&run),
            if given_up { "given up" } else { "NOT GIVEN UP" }
        ),
    ))
}

pub(super) fn spread(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let most = bench.params.recipe.probes.spread_max;
    let expected = format!("more than {most} °C apart: a deviation");
    let [first, second, ..] = bench.params.milk.as_slice() else {
        return Ok(Seen::not(Said::NotApplicable, expected, "this unit has one milk probe"));
    };
    let apart = most + Kelvin::from_milli(200);
    let (_, verdict) = touched(bench, |_, reading| {
        if let [Some(low), Some(high), ..] = reading.milk.as_mut_slice() {
            let (Some(a), Some(b)) = (first.trusted(*low), second.trusted(*high)) else { return };
            *high = shifted(*high, a + apart - b);
        }
    })?;
    let spread = verdict.figures.spread_max_c;
    Ok(Seen::that(
        found(&verdict, Rule::Spread, Severity::Deviation),
        expected,
        format!("largest spread {}; {}", c(spread), words(&verdict)),
    ))
}

pub(super) fn lethality(_: &Bench<'_>) -> anyhow::Result<Seen> {
    const MINUTES_30_MS: f64 = 1_800_000.0;
    let log = |milli| {
        let rate = COXIELLA_BURNETII.bigelow.rate(Celsius::from_milli(milli));
        COXIELLA_BURNETII.log_reduction(MINUTES_30_MS * rate)
    };
    // DOMAIN, "Lethality": the figures that the literature gives.
    let wanted = [(61_700, 4.4), (62_000, 5.2), (62_500, 6.8), (63_000, 8.8)];
    let meets = wanted.iter().all(|(milli, expected)| (log(*milli) - expected).abs() <= 0.1);
    let show = |value: &dyn Fn(i32, f64) -> f64| {
        let shown = wanted.iter().map(|(milli, expected)| {
            let at = Celsius::from_milli(*milli);
            format!("{at} °C: {:.2}", value(*milli, *expected))
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let expected = format!("log reduction within 0.1 of {}", show(&|_, expected| expected));
    Ok(Seen::that(meets, expected, show(&|milli, _| log(milli))))
}
