//! The water runs of a unit, as they were recorded: which of them count for a mapping, and why the
//! others do not.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bench::Bench;
use crate::batch::judge::{Behind, behind_first};
use crate::batch::params::{BatchParams, Cascade, Probe, Purpose};
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Severity, Verdict};
use crate::milk::ml;
use crate::record::curve;
use crate::store::model::{BatchHeader, BatchRecord};
use crate::store::{Misfit, StoreError};

/// A mean of one milk probe, corrected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeMean {
    /// Where it is read: `device.point` of `station.toml`.
    pub source: String,
    /// °C.
    pub mean_c: f64,
}

/// One water run that counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaterRun {
    /// The code of its batch.
    pub batch: String,
    /// When it was started, milliseconds since 1970 UTC.
    pub started_utc_ms: i64,
    /// Whether it ran on a machine that is not real.
    pub simulated: bool,
    /// Bottles that a person confirmed to be in, the control bottle not counted.
    pub bottles: u16,
    /// From loading to the beginning of the hold, seconds.
    pub come_up_s: Option<f64>,
    /// Largest difference between the milk probes during the hold, °C; one probe gives none.
    pub spread_max_c: Option<f64>,
    /// Over the hold: every milk probe that gave something to trust, in the order of the unit.
    pub means: Vec<ProbeMean>,
    /// The judged values of all of them at the moment at which the control bottle alone would have
    /// begun the hold, as it does with milk; empty where that is not known.
    pub at_begin: Vec<ProbeMean>,
    /// How much colder than the control bottle the coldest probe was at the worst, from that moment
    /// until cooling began, °C.
    pub behind_max_c: Option<f64>,
}

impl WaterRun {
    fn new(bench: &Bench<'_>, record: &BatchRecord, bottles: u16, verdict: &Verdict) -> Self {
        let behind = behind_control(bench, record);
        let at_begin = behind.iter().flat_map(|behind| &behind.at_begin).zip(&record.params.milk);
        Self {
            batch: record.header.code.clone(),
            started_utc_ms: record.header.started_utc_ms,
            simulated: record.header.simulated,
            bottles,
            come_up_s: verdict.figures.come_up_s,
            spread_max_c: verdict.figures.spread_max_c,
            means: means(record),
            at_begin: at_begin
                .map(|(mean, probe)| ProbeMean {
                    source: probe.source.clone(),
                    mean_c: mean.as_f64(),
                })
                .collect(),
            behind_max_c: behind.map(|behind| behind.max_mk as f64 / 1000.0),
        }
    }

    /// The coldest of its probes, and how far it and the warmest are apart, °C: over the hold, or
    /// where the control bottle alone would have begun it, whichever tells them farther apart. A
    /// bottle in a cold corner shows in both, one that is only slow in the second alone.
    pub fn coldest(&self) -> Option<(&ProbeMean, f64)> {
        let told = [&self.means, &self.at_begin].into_iter().filter_map(|means| {
            let coldest = means.iter().min_by(|a, b| a.mean_c.total_cmp(&b.mean_c))?;
            let warmest = means.iter().map(|probe| probe.mean_c).reduce(f64::max)?;
            Some((coldest, warmest - coldest.mean_c))
        });
        told.max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// How much colder than the first probe, which is in the control bottle, the coldest was when
    /// that alone would have begun the hold, °C.
    pub fn behind_at_begin_c(&self) -> Option<f64> {
        let coldest_c = self.at_begin.iter().map(|probe| probe.mean_c).reduce(f64::min)?;
        Some(self.at_begin.first()?.mean_c - coldest_c)
    }
}

/// The probes from the moment at which the control bottle alone would have begun the hold by the
/// margin and the uncertainties of now: what is asked is whether milk may be run with these.
fn behind_control(bench: &Bench<'_>, record: &BatchRecord) -> Option<Behind> {
    let mut curve = curve::curve(record);
    curve.margin = bench.params.margin;
    curve.milk_uncertainty =
        bench.params.milk.iter().map(|probe| probe.certificate.uncertainty).collect();
    behind_first(&record.params.recipe, &curve)
}

/// One water run that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// The code of its batch.
    pub batch: String,
    /// When it was started, milliseconds since 1970 UTC.
    pub started_utc_ms: i64,
    /// Bottles told at its start, the control bottle not counted.
    pub bottles: u16,
    /// Why it does not count.
    pub why: String,
    /// Whether its record is what was written.
    pub verifies: bool,
}

impl SetAside {
    pub(super) fn new(header: &BatchHeader, why: String) -> Self {
        Self {
            batch: header.code.clone(),
            started_utc_ms: header.started_utc_ms,
            bottles: header.bottles,
            why,
            verifies: true,
        }
    }
}

/// A record as it was read.
pub(super) struct Recorded {
    pub(super) header: BatchHeader,
    /// The record, or why it cannot be believed.
    pub(super) record: Result<BatchRecord, String>,
}

/// Every water run of the unit. All are verified once, as of one moment.
pub(super) fn recorded(bench: &Bench<'_>) -> anyhow::Result<Vec<Recorded>> {
    let Some(store) = bench.store else { return Ok(Vec::new()) };
    let mut headers = store.batches()?;
    headers.retain(|one| one.unit == bench.unit.name && one.purpose == Purpose::Water);
    let codes: Vec<&str> = headers.iter().map(|one| one.code.as_str()).collect();
    let misfits = store.misfits_of(&codes);
    believed(headers, misfits, |code| store.load_batch(code))
}

/// The records, as far as they can be believed. That a file is in use or cannot be read just now says
/// nothing about a record: then there is nothing to say at all.
fn believed(
    headers: Vec<BatchHeader>,
    misfits: Result<BTreeMap<String, Misfit>, Misfit>,
    load: impl Fn(&str) -> Result<BatchRecord, StoreError>,
) -> anyhow::Result<Vec<Recorded>> {
    let (all, mut misfits) = match misfits {
        Ok(misfits) => (None, misfits),
        Err(misfit) if misfit.is_damage() => (Some(misfit.to_string()), BTreeMap::new()),
        Err(unread) => return Err(unread.into()),
    };
    let record = |header: BatchHeader| {
        let own = misfits.remove(&header.code).map(|misfit| misfit.to_string());
        let record = match all.clone().or(own) {
            Some(misfit) => Err(misfit),
            None => match load(&header.code) {
                Ok(record) => Ok(record),
                Err(damage) if damage.is_damage() => Err(damage.to_string()),
                Err(unread) => return Err(unread.into()),
            },
        };
        Ok(Recorded { header, record })
    };
    headers.into_iter().map(record).collect()
}

/// The run, or why it does not count for this unit, recipe and volume as they are now.
pub(super) fn counts(bench: &Bench<'_>, recorded: &Recorded) -> Result<WaterRun, SetAside> {
    let aside = |why: String| SetAside::new(&recorded.header, why);
    let record = match &recorded.record {
        Ok(record) => record,
        Err(misfit) => {
            let why = format!("its record does not verify: {misfit}");
            return Err(SetAside { verifies: false, ..aside(why) });
        }
    };
    if recorded.header.closed_utc_ms.is_none() {
        return Err(aside(format!("it is still open, in {}", recorded.header.phase)));
    }
    if let Some(why) = other_conditions(bench, record) {
        return Err(aside(why));
    }
    let verdict = bench.judged(record);
    match (verdict.outcome, curve::bottles_in(record)) {
        (Outcome::Acceptable, Some(bottles)) => Ok(WaterRun::new(bench, record, bottles, &verdict)),
        (Outcome::Acceptable, None) => Err(aside("nobody confirmed its bottles".to_owned())),
        (Outcome::Unacceptable | Outcome::Incomplete, _) => Err(aside(refusal(&verdict))),
    }
}

/// What was different from what is qualified now, in the order in which a person would look.
fn other_conditions(bench: &Bench<'_>, record: &BatchRecord) -> Option<String> {
    let (then, now) = (&record.params, &bench.params);
    let simulated = |yes: bool| if yes { "a simulated machine" } else { "a real machine" };
    if record.header.simulated != bench.unit.written.simulated {
        return Some(format!("it ran on {}", simulated(record.header.simulated)));
    }
    if then.recipe.name != now.recipe.name {
        return Some(format!("it ran by recipe {}", then.recipe.name));
    }
    if then.recipe != now.recipe {
        return Some(format!("recipe {} had other values then", then.recipe.name));
    }
    let planned_ul = i64::from(bench.bottle_ml) * 1_000;
    match record.header.bottle_ul {
        0 => return Some("the volume of its bottles was not recorded".to_owned()),
        told_ul if told_ul != planned_ul => {
            return Some(format!(
                "its bottles held {} ml, not {} ml",
                ml(told_ul),
                bench.bottle_ml
            ));
        }
        _ => {}
    }
    other_machine(then, now)
}

/// Other probes or other control make another machine. A certificate that was renewed does not, nor
/// a margin that was measured meanwhile: they move the target by a tenth of a degree or two.
fn other_machine(then: &BatchParams, now: &BatchParams) -> Option<String> {
    let sources = |milk: &[Probe]| {
        milk.iter().map(|probe| probe.source.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (then_at, now_at) = (sources(&then.milk), sources(&now.milk));
    if then_at != now_at {
        return Some(format!("its milk probes were {then_at}; now they are {now_at}"));
    }
    if then.bath.source != now.bath.source {
        return Some(format!("its bath probe was {}", then.bath.source));
    }
    let target = now.cascade.target_above_limit;
    let same = Cascade { target_above_limit: target, ..then.cascade } == now.cascade;
    (!same || then.heater != now.heater)
        .then(|| "heater or controller were set otherwise then".to_owned())
}

/// Why a run that was not acceptable was not.
fn refusal(verdict: &Verdict) -> String {
    let weightiest = verdict.findings.iter().filter(|one| one.severity == Severity::Fail);
    let why = weightiest.map(|one| one.text.as_str()).next();
    match why.or_else(|| verdict.findings.first().map(|one| one.text.as_str())) {
        Some(why) => format!("{}: {why}", verdict.outcome),
        None => verdict.outcome.to_string(),
    }
}

/// The mean of each milk probe over the hold, corrected.
fn means(record: &BatchRecord) -> Vec<ProbeMean> {
    let hold = || record.periods.iter().filter(|period| period.phase == PhaseName::Hold);
    let probes = record.params.milk.iter().enumerate();
    let mean = probes.filter_map(|(index, probe)| {
        let samples = hold().filter_map(|period| period.reading.milk.get(index).copied().flatten());
        let values: Vec<f64> = samples
            .filter_map(|sample| probe.trusted(sample))
            .map(|value| value.as_f64())
            .collect();
        let count = values.len() as f64;
        (!values.is_empty()).then(|| ProbeMean {
            source: probe.source.clone(),
            mean_c: values.iter().sum::<f64>() / count,
        })
    });
    mean.collect()
}

#[cfg(test)]
mod tests;
