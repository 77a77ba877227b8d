//! Steps on the limits of temperature and time: ceilings, cooling, spread, lethality.

use anyhow::Context as _;
use holder_hal::{Celsius, Kelvin, Sample};
use holder_sim::params::PlantParams;

use super::{INTO_MS, c, found, min, shifted, touched, words};
use crate::batch::lethality::COXIELLA_BURNETII;
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
    Ok(Seen::that(
        meets,
        format!(
            "above {} °C a note, above {} °C a deviation, above {} °C unacceptable",
            ceiling.note, ceiling.deviation, ceiling.fail
        ),
        observed.join("; "),
    ))
}

pub(super) fn no_water(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let plant = PlantParams { coolant_l_min: 0.0, ..PlantParams::nominal() };
    let run = bench.on(plant, bench.seed, |_, _| ())?;
    let meets = run.verdict.outcome == Outcome::Unacceptable
        && found(&run.verdict, Rule::Cooling, Severity::Fail);
    Ok(Seen::that(
        meets,
        format!(
            "unacceptable: not at {} °C within {}",
            bench.params.recipe.cooling.target,
            min(Some(bench.params.recipe.cooling.fail_ms as f64 / 1000.0))
        ),
        words(&run.verdict),
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
