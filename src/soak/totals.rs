//! All runs of a soak together: counts, figures, and what did not hold.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fault::Kind;
use super::report::Report;
use super::residual::Residual;
use super::watch::Invariant;
use crate::batch::verdict::Outcome;

/// At least so many of a thousand runs without fault must be acceptable.
const GOOD_PERMILLE_MIN: u64 = 999;
/// At most so many of a thousand of them may restart their hold.
const RESTARTS_PERMILLE_MAX: u64 = 1;

/// Outcomes, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcomes {
    /// Runs.
    pub(crate) runs: u64,
    /// Acceptable.
    pub(crate) acceptable: u64,
    /// Unacceptable.
    pub(crate) unacceptable: u64,
    /// Incomplete.
    pub(crate) incomplete: u64,
    /// Runs whose hold was broken.
    pub(crate) restarted: u64,
    /// Refused although the milk really had its hold.
    pub(crate) refused_good: u64,
    /// Runs with an alarm after the fault.
    pub(crate) alarmed: u64,
}

impl Outcomes {
    fn add(&mut self, report: &Report) {
        self.runs += 1;
        match report.outcome {
            Outcome::Acceptable => self.acceptable += 1,
            Outcome::Unacceptable => self.unacceptable += 1,
            Outcome::Incomplete => self.incomplete += 1,
        }
        self.restarted += u64::from(report.holds_broken > 0);
        self.refused_good += u64::from(report.true_hold && report.outcome != Outcome::Acceptable);
        self.alarmed += u64::from(report.detected.is_some());
    }

    fn json(&self) -> Value {
        json!({
            "runs": self.runs, "acceptable": self.acceptable, "unacceptable": self.unacceptable,
            "incomplete": self.incomplete, "restarted": self.restarted,
            "refused_although_truly_held": self.refused_good, "alarmed": self.alarmed,
        })
    }
}

/// A violation with the seed that shows it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The seed.
    pub(crate) seed: u64,
    /// What was wrong in that run.
    pub(crate) faults: Vec<Kind>,
    /// What did not hold, with its moment in seconds.
    pub(crate) what: Vec<(Invariant, f64, String)>,
}

/// Everything that a soak counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    /// All runs.
    pub(crate) all: Outcomes,
    /// Runs without fault.
    pub(crate) clean: Outcomes,
    /// Seeds without fault that were not accepted, or whose hold was broken.
    pub(crate) nuisances: Vec<u64>,
    /// Runs with this fault and no other.
    pub(crate) alone: BTreeMap<Kind, Outcomes>,
    /// Runs with this fault among others.
    pub(crate) together: BTreeMap<Kind, Outcomes>,
    /// Runs with these faults together.
    pub(crate) combinations: BTreeMap<Vec<Kind>, Outcomes>,
    /// Of each fault alone: the first alarm, how often, and its delays in ms.
    pub(crate) detections: BTreeMap<(Kind, u16), Vec<u64>>,
    /// Wrongly accepted by a residual risk: seeds.
    pub(crate) residual: BTreeMap<Residual, Vec<u64>>,
    /// Runs in which engine and judge disagreed: seeds.
    pub(crate) disputed: Vec<u64>,
    /// Runs with a real store.
    pub(crate) stored: u64,
    /// Simulated hours.
    pub(crate) simulated_h: f64,
    /// What did not hold.
    pub(crate) found: Vec<Found>,
}

impl Totals {
    /// Counts one run; runs come in the order of their seeds.
    pub(crate) fn add(&mut self, report: &Report) {
        self.all.add(report);
        self.stored += u64::from(report.stored);
        self.simulated_h += report.lasted.ms() as f64 / 3_600_000.0;
        match report.faults.as_slice() {
            [] => {
                self.clean.add(report);
                if report.outcome != Outcome::Acceptable || report.holds_broken > 0 {
                    self.nuisances.push(report.seed);
                }
            }
            [kind] => {
                self.alone.entry(*kind).or_default().add(report);
                if let Some((alarm, after_ms)) = report.detected {
                    self.detections.entry((*kind, alarm.number())).or_default().push(after_ms);
                }
            }
            several => {
                let mut sorted = several.to_vec();
                sorted.sort_unstable();
                for kind in &sorted {
                    self.together.entry(*kind).or_default().add(report);
                }
                self.combinations.entry(sorted).or_default().add(report);
            }
        }
        if report.disputed {
            self.disputed.push(report.seed);
        }
        if let Some(residual) = report.residual {
            self.residual.entry(residual).or_default().push(report.seed);
        }
        if !report.violations.is_empty() {
            let what = report.violations.iter();
            self.found.push(Found {
                seed: report.seed,
                faults: report.faults.clone(),
                what: what
                    .map(|v| (v.invariant, v.at.ms() as f64 / 1_000.0, v.text.clone()))
                    .collect(),
            });
        }
    }

    /// How many runs broke this invariant.
    pub(crate) fn broken(&self, invariant: Invariant) -> u64 {
        let runs = self.found.iter().filter(|f| f.what.iter().any(|(i, _, _)| *i == invariant));
        runs.count() as u64
    }

    /// What the rates of invariant 5 have to say, if they are not met.
    pub(crate) fn rates(&self) -> Vec<String> {
        let clean = &self.clean;
        let mut said = Vec::new();
        if clean.acceptable * 1_000 < clean.runs * GOOD_PERMILLE_MIN {
            said.push(format!(
                "{} of {} runs without fault are acceptable, fewer than 99.9 %: seeds {:?}",
                clean.acceptable, clean.runs, self.nuisances
            ));
        }
        if clean.restarted * 1_000 > clean.runs * RESTARTS_PERMILLE_MAX {
            said.push(format!(
                "{} of {} runs without fault restarted their hold, more than 0.1 %: seeds {:?}",
                clean.restarted, clean.runs, self.nuisances
            ));
        }
        said
    }

    /// Whether every invariant held.
    pub(crate) fn is_sound(&self) -> bool {
        self.found.is_empty() && self.rates().is_empty()
    }

    /// The same as a document.
    pub(crate) fn json(&self) -> Value {
        let by_kind = |map: &BTreeMap<Kind, Outcomes>| -> Value {
            map.iter().map(|(kind, o)| (kind.word().to_owned(), o.json())).collect()
        };
        let words = |kinds: &[Kind]| kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>();
        let combinations: Value =
            self.combinations.iter().map(|(kinds, o)| (words(kinds).join("+"), o.json())).collect();
        let invariants: Value = Invariant::ALL
            .iter()
            .map(|i| json!({ "number": i.number(), "what": i.title(), "broken": self.broken(*i) }))
            .collect();
        let violations: Value = self
            .found
            .iter()
            .map(|found| {
                let what = found.what.iter().map(|(invariant, at_s, text)| {
                    json!({ "invariant": invariant.number(), "at_s": at_s, "text": text })
                });
                json!({
                    "seed": found.seed, "faults": words(&found.faults),
                    "what": what.collect::<Vec<_>>(), "replay": replay_command(found.seed),
                })
            })
            .collect();
        let detections: Value = self
            .detections
            .iter()
            .map(|((kind, alarm), delays)| {
                json!({
                    "fault": kind.word(), "alarm": alarm, "runs": delays.len(),
                    "median_s": median(delays) as f64 / 1_000.0,
                })
            })
            .collect();
        let residual: Value = Residual::ALL
            .iter()
            .map(|risk| {
                json!({
                    "risk": risk.word(), "number": risk.number(), "why": risk.reason(),
                    "seeds": self.residual.get(risk).cloned().unwrap_or_default(),
                })
            })
            .collect();
        json!({
            "all": self.all.json(), "without_fault": self.clean.json(),
            "one_fault": by_kind(&self.alone), "among_others": by_kind(&self.together),
            "combinations": combinations, "detections": detections, "residual": residual,
            "invariants": invariants, "rates_missed": self.rates(), "violations": violations,
            "disputed": self.disputed, "stored": self.stored, "simulated_h": self.simulated_h,
            "nuisances": self.nuisances,
        })
    }
}

/// The middle one of some delays; 0 of none.
pub(crate) fn median(of: &[u64]) -> u64 {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// The one command that shows a run again.
pub(crate) fn replay_command(seed: u64) -> String {
    format!("holder soak --replay {seed}")
}
