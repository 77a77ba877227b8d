//! Steps on the machine itself: heat penetration with bottles of water.
//!
//! The runs are ordinary batches of water (`holder run UNIT --water --bottles N`), guarded and
//! recorded like any other; what is shown here is read from their closed records alone. A probe in
//! each bottle that matters (at a third of the height, DOMAIN "Cold point") belongs to the person
//! who maps the machine.

use super::bench::{Bench, judged};
use super::report::Verdict as Said;
use super::{Seen, Step};
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Verdict};
use crate::store::model::BatchRecord;

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "HP-01",
        requirement: "REQ-MAP-01",
        method: "Run a full load of bottles of water; compare the means of the milk probes over the hold.",
        run: cold_point,
    },
    Step {
        number: "HP-02",
        requirement: "REQ-MAP-02",
        method: "From the same run: the largest difference between the milk probes during the hold.",
        run: spread,
    },
    Step {
        number: "HP-03",
        requirement: "REQ-MAP-03",
        method: "Run water with a small load (at most a quarter of the bottles) and with a full one; \
                 compare the time from loading to the hold.",
        run: come_up,
    },
];

/// One water run of this unit, as it was recorded.
struct WaterRun {
    record: BatchRecord,
    verdict: Verdict,
}

/// The water runs of the unit as it is described now, the newest first: closed, whole, verified.
fn runs(bench: &Bench<'_>) -> anyhow::Result<Vec<WaterRun>> {
    let Some(store) = bench.store else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for header in store.batches()? {
        let closed = header.closed_utc_ms.is_some();
        if header.unit != bench.unit.name || header.purpose != Purpose::Water || !closed {
            continue;
        }
        store.batch_fits(&header.code)?;
        let record = store.load_batch(&header.code)?;
        let sources = |record: &[crate::batch::params::Probe]| {
            record.iter().map(|probe| probe.source.clone()).collect::<Vec<_>>()
        };
        let verdict = judged(&record);
        // Another set of probes is another machine.
        let same = sources(&record.params.milk) == sources(&bench.params.milk);
        if same && verdict.outcome == Outcome::Acceptable {
            found.push(WaterRun { record, verdict });
        }
    }
    found.sort_by_key(|run| std::cmp::Reverse(run.record.header.started_utc_ms));
    Ok(found)
}

/// The newest run with a full load.
fn full(bench: &Bench<'_>) -> anyhow::Result<Option<WaterRun>> {
    let all = runs(bench)?;
    Ok(all.into_iter().find(|run| run.record.header.bottles == bench.bottles()))
}

fn missing(bench: &Bench<'_>, expected: String, bottles: u16) -> Seen {
    let why = format!(
        "no acceptable run yet; do it:  holder run {} --water --bottles {bottles}",
        bench.unit.name
    );
    Seen::not(Said::Open, expected, why)
}

fn mark(run: &WaterRun) -> String {
    let header = &run.record.header;
    let simulated = if header.simulated { " SIMULATED" } else { "" };
    format!("batch {}{simulated}, {} bottles", header.code, header.bottles)
}

/// The mean of each milk probe over the hold, corrected, °C.
fn means(record: &BatchRecord) -> Vec<(String, f64)> {
    let hold = || record.periods.iter().filter(|period| period.phase == PhaseName::Hold);
    let probes = record.params.milk.iter().enumerate();
    let mean = probes.filter_map(|(index, probe)| {
        let samples = hold().filter_map(|period| period.reading.milk.get(index).copied().flatten());
        let values: Vec<f64> = samples
            .filter_map(|sample| probe.trusted(sample))
            .map(|value| value.as_f64())
            .collect();
        let count = values.len();
        (count > 0).then(|| (probe.source.clone(), values.iter().sum::<f64>() / count as f64))
    });
    mean.collect()
}

fn cold_point(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let expected = format!(
        "a complete hold with {} bottles, and the coldest of at least two milk probes",
        bench.bottles()
    );
    let Some(run) = full(bench)? else { return Ok(missing(bench, expected, bench.bottles())) };
    let means = means(&run.record);
    let coldest = means.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let coldest = coldest.map_or("none", |(source, _)| source.as_str());
    let listed: Vec<String> =
        means.iter().map(|(source, mean)| format!("{source} {mean:.3} °C")).collect();
    Ok(Seen::that(
        means.len() >= 2,
        expected,
        format!("{}: cold point {coldest}; means over the hold: {}", mark(&run), listed.join(", ")),
    ))
}

fn spread(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let most = bench.params.recipe.probes.spread_max;
    let expected = format!("at most {most} °C");
    let Some(run) = full(bench)? else { return Ok(missing(bench, expected, bench.bottles())) };
    let spread = run.verdict.figures.spread_max_c;
    Ok(Seen::that(
        spread.is_some_and(|spread| spread <= most.as_f64()),
        expected,
        spread.map_or_else(
            || format!("{}: one probe gives no spread", mark(&run)),
            |spread| format!("{}: {spread:.3} °C", mark(&run)),
        ),
    ))
}

fn come_up(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let few = (bench.bottles() / 4).max(1);
    let expected = format!("both are known, for at most {few} and for {} bottles", bench.bottles());
    let Some(whole) = full(bench)? else { return Ok(missing(bench, expected, bench.bottles())) };
    let small = runs(bench)?.into_iter().find(|run| run.record.header.bottles <= few);
    let Some(small) = small else { return Ok(missing(bench, expected, few)) };
    let minutes = |run: &WaterRun| run.verdict.figures.come_up_s.map(|seconds| seconds / 60.0);
    let said = |run: &WaterRun| {
        let shown = minutes(run).map_or_else(|| "unknown".to_owned(), |m| format!("{m:.1} min"));
        format!("{}: {shown}", mark(run))
    };
    Ok(Seen::that(
        minutes(&whole).is_some() && minutes(&small).is_some(),
        expected,
        format!("{}; {}", said(&small), said(&whole)),
    ))
}
