//! Steps on the heat: the hold, its breaks, ceilings, cooling, interlocks, and the two judges, on
//! a pasteurizer made of equations.

use anyhow::Context as _;
use holder_hal::{Celsius, Kelvin, Quality, Reading, Sample, Switch, Tick};
use holder_sim::params::PlantParams;

use super::bench::{Bench, Rehearsed, judged};
use super::report::Verdict as Said;
use super::{Seen, Step};
use crate::batch::lethality::COXIELLA_BURNETII;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity, Verdict};
use crate::store::model::BatchRecord;

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "OQ-01",
        requirement: "REQ-HOLD-01",
        method: "Rehearse a full load on the nominal machine without a fault.",
        run: good,
    },
    Step {
        number: "OQ-02",
        requirement: "REQ-HOLD-01",
        method: "The same record with the coldest milk probe 0.01 °C below its limit during the hold, \
                 given to the judge.",
        run: just_below,
    },
    Step {
        number: "OQ-03",
        requirement: "REQ-HOLD-02",
        method: "Let the milk probes sink by 1 °C in five minutes and come back in five, ten \
                 minutes into the hold, once.",
        run: one_dip,
    },
    Step {
        number: "OQ-04",
        requirement: "REQ-HOLD-02",
        method: "The same three times, twenty minutes apart.",
        run: three_dips,
    },
    Step {
        number: "OQ-05",
        requirement: "REQ-HOLD-03",
        method: "Open the lid for 5 s, ten minutes into the hold.",
        run: lid,
    },
    Step {
        number: "OQ-06",
        requirement: "REQ-HOLD-04",
        method: "Unplug a milk probe in the hold: for 2 s less than the limit on gaps, and for 5 s more.",
        run: gap,
    },
    Step {
        number: "OQ-07",
        requirement: "REQ-CEIL-01",
        method: "Give the judge the good record with the milk 0.1 °C above each ceiling for a minute.",
        run: ceilings,
    },
    Step {
        number: "OQ-08",
        requirement: "REQ-COOL-01",
        method: "Rehearse a batch on a machine without cold water.",
        run: no_water,
    },
    Step {
        number: "OQ-09",
        requirement: "REQ-SPREAD-01",
        method: "Give the judge the good record with one milk probe higher than the other by 0.2 °C more \
                 than is allowed.",
        run: spread,
    },
    Step {
        number: "OQ-10",
        requirement: "REQ-LETH-01",
        method: "Compute the log reduction of constant temperatures for 30 min.",
        run: lethality,
    },
    Step {
        number: "OQ-11",
        requirement: "REQ-JUDGE-01",
        method: "Give the judge the good record as if the live engine had refused it.",
        run: dispute,
    },
    Step {
        number: "OQ-12",
        requirement: "REQ-JUDGE-02",
        method: "Rehearse a batch on each of several machines drawn from the range of good ones.",
        run: many,
    },
    Step {
        number: "OQ-13",
        requirement: "REQ-HEAT-01",
        method: "Let all readings stop in the come-up, and in the hold; count the periods until the heat \
                 is commanded off.",
        run: silence,
    },
    Step {
        number: "OQ-14",
        requirement: "REQ-HEAT-02",
        method: "Let the bath probe read 0.2 °C above the trip in the come-up.",
        run: hot_bath,
    },
];

/// A temperature for people.
fn c(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value:.2} °C"))
}

fn min(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "none".to_owned(), |seconds| format!("{:.1} min", seconds / 60.0))
}

/// The verdict in a few words.
fn words(verdict: &Verdict) -> String {
    let figures = &verdict.figures;
    let found: Vec<String> = verdict
        .findings
        .iter()
        .filter(|one| one.severity != Severity::Note)
        .map(|one| format!("{}: {}", one.severity.word(), one.text))
        .collect();
    let found = if found.is_empty() { "no deviation".to_owned() } else { found.join(" / ") };
    format!(
        "{}; longest hold {}, {} restarts; {found}",
        verdict.outcome,
        min(figures.hold_s),
        figures.holds_restarted
    )
}

fn found(verdict: &Verdict, rule: Rule, severity: Severity) -> bool {
    verdict.findings.iter().any(|one| one.rule == rule && one.severity == severity)
}

/// The first moment of this phase.
fn entered(record: &BatchRecord, phase: PhaseName) -> anyhow::Result<Tick> {
    let first = record.periods.iter().find(|period| period.phase == phase);
    Ok(first.with_context(|| format!("the phase {phase} was never reached"))?.at)
}

fn shifted(sample: Sample, by: Kelvin) -> Sample {
    Sample { raw: sample.raw.map(|raw| raw + by), ..sample }
}

fn shift_milk(reading: &mut Reading, by: Kelvin) {
    for probe in &mut reading.milk {
        *probe = probe.map(|sample| shifted(sample, by));
    }
}

fn good(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let Rehearsed { run, verdict, .. } = bench.good()?;
    let hold = &bench.params.recipe.hold;
    let (floor, need_s) = (hold.floor, hold.hold_ms as f64 / 1000.0);
    let limit = bench.params.limit_max();
    let held = verdict.figures.hold_s.is_some_and(|held| held >= need_s);
    let warm = run.true_coldest_in_hold_c.is_some_and(|coldest| coldest >= floor.as_f64());
    let above = verdict.figures.plateau_min_c.is_some_and(|least| least >= limit.as_f64() - 0.0005);
    Ok(Seen::that(
        verdict.outcome == Outcome::Acceptable && held && warm && above,
        format!(
            "acceptable; a hold of {} or more, judged values from {limit} °C; true coldest milk of all \
             bottles from {floor} °C",
            min(Some(need_s))
        ),
        format!(
            "{}; lowest judged value {}; true coldest milk in the hold {}; come-up {}",
            words(&verdict),
            c(verdict.figures.plateau_min_c),
            c(run.true_coldest_in_hold_c),
            min(verdict.figures.come_up_s)
        ),
    ))
}

/// The good record, with each milk reading of the hold changed.
fn touched(
    bench: &Bench<'_>,
    mut touch: impl FnMut(Tick, &mut Reading),
) -> anyhow::Result<(Rehearsed, Verdict)> {
    let mut good = bench.good()?;
    let from = entered(&good.record, PhaseName::Hold)?;
    for period in good.record.periods.iter_mut().filter(|one| one.phase == PhaseName::Hold) {
        touch(Tick::from_ms(period.at.ms_since(from)), &mut period.reading);
    }
    let verdict = judged(&good.record);
    Ok((good, verdict))
}

fn just_below(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let params = &bench.params;
    let probe = params.milk.first().context("no milk probe")?;
    let below = params.limit(probe) - Kelvin::from_milli(10);
    // The raw reading that the certificate corrects to just below the limit.
    let raw = below + (below - probe.certificate.correct(below));
    let (_, verdict) = touched(bench, |_, reading| {
        if let Some(sample) = reading.milk.first_mut() {
            *sample = Some(Sample::good(raw));
        }
    })?;
    Ok(Seen::that(
        verdict.outcome != Outcome::Acceptable,
        format!("not acceptable: {below} °C is below the limit of {} °C", params.limit(probe)),
        words(&verdict),
    ))
}

/// Ten minutes into a hold.
const INTO_MS: u64 = 600_000;
/// So long does the milk sink by a degree, and so long does it take to come back, milliseconds.
const SINKS_MS: u64 = 300_000;

/// The batch in which the milk probes fall ten minutes into each of the first `dips` holds.
fn dipped(bench: &Bench<'_>, dips: u64) -> anyhow::Result<Rehearsed> {
    let first = entered(&bench.good()?.record, PhaseName::Hold)?;
    // After a dip the hold begins again within minutes: half an hour is beyond the ten minutes of
    // the next one, and before its end.
    let starts: Vec<u64> = (0..dips).map(|dip| first.ms() + INTO_MS + dip * 1_200_000).collect();
    bench.spoiled(|at, reading| {
        let into_ms = starts.iter().filter_map(|start| at.ms().checked_sub(*start));
        if let Some(into_ms) = into_ms.filter(|into_ms| *into_ms < 2 * SINKS_MS).min() {
            // As slowly as milk can: what is faster than any bottle is judged as a jump.
            let deep_ms = into_ms.min(2 * SINKS_MS - into_ms);
            let sunk = i32::try_from(deep_ms * 1_000 / SINKS_MS).unwrap_or(0);
            shift_milk(reading, Kelvin::from_milli(-sunk));
        }
    })
}

fn one_dip(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let run = dipped(bench, 1)?;
    let verdict = &run.verdict;
    let most = bench.params.recipe.hold.holds_restarted_max;
    let restarted = verdict.figures.holds_restarted == 1;
    let weighed = found(verdict, Rule::HoldRestarted, Severity::Deviation)
        || (most == 0 && found(verdict, Rule::HoldRestarted, Severity::Fail));
    let need_s = bench.params.recipe.hold.hold_ms as f64 / 1000.0;
    let whole = verdict.figures.hold_s.is_some_and(|held| held >= need_s);
    Ok(Seen::that(
        restarted && weighed && whole,
        format!("one restart, a deviation, and then one whole hold ({most} restarts are allowed)"),
        words(verdict),
    ))
}

fn three_dips(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let most = bench.params.recipe.hold.holds_restarted_max;
    let run = dipped(bench, 3)?;
    let meets =
        run.verdict.figures.holds_restarted > most && run.verdict.outcome == Outcome::Unacceptable;
    Ok(Seen::that(meets, format!("more than {most} restarts: unacceptable"), words(&run.verdict)))
}

fn lid(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let expected = "the hold begins again, with a deviation";
    if !bench.params.has_lid {
        let why = "this unit has no lid switch";
        return Ok(Seen::not(Said::NotApplicable, expected, why));
    }
    let first = entered(&bench.good()?.record, PhaseName::Hold)?.ms() + INTO_MS;
    let run = bench.spoiled(|at, reading| {
        if (first..first + 5_000).contains(&at.ms()) {
            reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
        }
    })?;
    let meets = run.verdict.figures.holds_restarted >= 1
        && run.verdict.findings.iter().any(|one| one.severity >= Severity::Deviation);
    Ok(Seen::that(meets, expected, words(&run.verdict)))
}

fn gap(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let limit_ms = bench.params.recipe.hold.max_gap_ms;
    let first = entered(&bench.good()?.record, PhaseName::Hold)?.ms() + INTO_MS;
    let unplugged = |lasts_ms: u64| {
        bench.spoiled(|at, reading| {
            if (first..first + lasts_ms).contains(&at.ms())
                && let Some(probe) = reading.milk.first_mut()
            {
                *probe = Some(Sample::missing(Quality::SensorOpen));
            }
        })
    };
    let (short_ms, long_ms) = (limit_ms.saturating_sub(2_000), limit_ms + 5_000);
    let (short, long) = (unplugged(short_ms)?.verdict, unplugged(long_ms)?.verdict);
    let restarts = |verdict: &Verdict| verdict.figures.holds_restarted;
    Ok(Seen::that(
        restarts(&short) == 0 && restarts(&long) >= 1,
        format!("{short_ms} ms: no restart; {long_ms} ms: the hold begins again"),
        format!("{short_ms} ms: {}. {long_ms} ms: {}", words(&short), words(&long)),
    ))
}

fn ceilings(bench: &Bench<'_>) -> anyhow::Result<Seen> {
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

fn no_water(bench: &Bench<'_>) -> anyhow::Result<Seen> {
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

fn spread(bench: &Bench<'_>) -> anyhow::Result<Seen> {
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

fn lethality(_: &Bench<'_>) -> anyhow::Result<Seen> {
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

fn dispute(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let good = bench.good()?;
    let mut record = good.record.clone();
    record.header.engine_accepts = Some(false);
    let verdict = judged(&record);
    let disputed = found(&verdict, Rule::Disputed, Severity::Deviation)
        || found(&verdict, Rule::Disputed, Severity::Fail);
    Ok(Seen::that(
        good.verdict.outcome == Outcome::Acceptable
            && disputed
            && verdict.outcome != Outcome::Acceptable,
        "the same record is acceptable with the engine's word, and disputed and not acceptable against \
         it",
        format!("with: {}; against: {}", good.verdict.outcome, words(&verdict)),
    ))
}

fn many(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let (mut accepted, mut restarts) = (0_u64, 0);
    let mut coldest = f64::INFINITY;
    let mut refused = Vec::new();
    for seed in bench.seed..bench.seed.saturating_add(bench.plants) {
        let run = bench.on(PlantParams::drawn(seed), seed, |_, _| ())?;
        restarts += run.verdict.figures.holds_restarted;
        coldest = coldest.min(run.run.true_coldest_in_hold_c.unwrap_or(f64::NEG_INFINITY));
        match run.verdict.outcome {
            Outcome::Acceptable => accepted += 1,
            Outcome::Unacceptable | Outcome::Incomplete => refused.push(seed.to_string()),
        }
    }
    let floor = bench.params.recipe.hold.floor;
    let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(", ") };
    Ok(Seen::that(
        accepted == bench.plants && coldest >= floor.as_f64(),
        format!(
            "{0} of {0} acceptable, and their true coldest milk never below {floor} °C in the hold",
            bench.plants
        ),
        format!(
            "{accepted} of {} acceptable (refused seeds: {refused}), {restarts} restarts; true coldest \
             milk {}",
            bench.plants,
            c(Some(coldest))
        ),
    ))
}

/// Periods from the last reading that was good to the first command without heat.
fn periods_until_off(run: &Rehearsed, from: Tick) -> Option<usize> {
    let after = run.record.periods.iter().filter(|period| period.at >= from);
    after.enumerate().find(|(_, period)| !period.command.heats()).map(|(index, _)| index + 1)
}

fn silence(bench: &Bench<'_>) -> anyhow::Result<Seen> {
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
        let periods = periods.map_or_else(|| "never".to_owned(), |n| n.to_string());
        observed.push(format!("{phase}: off after {periods} period, heated again {again} times"));
    }
    Ok(Seen::that(meets, "off after at most 2 periods, and never on again", observed.join("; ")))
}

fn hot_bath(bench: &Bench<'_>) -> anyhow::Result<Seen> {
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
        format!(
            "bath {hot} °C: off after {} period",
            periods.map_or_else(|| "never".to_owned(), |n| n.to_string())
        ),
    ))
}
