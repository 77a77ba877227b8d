//! Steps on the heat: the hold, its breaks, ceilings, cooling, interlocks, and the two judges, on
//! a pasteurizer made of equations.

mod cut;
mod hold;
mod judges;
mod limits;

use anyhow::Context as _;
use holder_hal::{Celsius, Kelvin, Reading, Sample, Tick};

use super::Step;
use super::bench::{Bench, Rehearsed};
use crate::batch::event::{Cause, Event, HoldBreak};
use crate::batch::params::Probe;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity, Verdict};
use crate::batch::words::sentence;
use crate::store::model::BatchRecord;

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "OQ-01",
        requirement: "REQ-HOLD-01",
        method: "Rehearse a full load on the nominal machine without a fault.",
        run: hold::good,
    },
    Step {
        number: "OQ-02",
        requirement: "REQ-HOLD-01",
        method: "The same record with the coldest milk probe 0.01 °C below its limit during the hold, \
                 given to the judge.",
        run: hold::just_below,
    },
    Step {
        number: "OQ-03",
        requirement: "REQ-HOLD-02",
        method: "Let the milk probes sink by 1 °C in five minutes and come back in five, ten \
                 minutes into the hold, once.",
        run: hold::one_dip,
    },
    Step {
        number: "OQ-04",
        requirement: "REQ-HOLD-02",
        method: "The same three times, twenty minutes apart.",
        run: hold::three_dips,
    },
    Step {
        number: "OQ-05",
        requirement: "REQ-HOLD-03",
        method: "Open the lid for 5 s, ten minutes into the hold.",
        run: hold::lid,
    },
    Step {
        number: "OQ-06",
        requirement: "REQ-HOLD-04",
        method: "Unplug a milk probe in the hold: for 2 s less than the limit on gaps, and for 5 s more.",
        run: hold::gap,
    },
    Step {
        number: "OQ-07",
        requirement: "REQ-CEIL-01",
        method: "Give the judge the good record with the milk 0.1 °C above each ceiling for a minute; let \
                 the milk of a batch rise beyond all of them, ten minutes into the hold.",
        run: limits::ceilings,
    },
    Step {
        number: "OQ-08",
        requirement: "REQ-COOL-01",
        method: "Rehearse a batch on a machine without cold water.",
        run: limits::no_water,
    },
    Step {
        number: "OQ-09",
        requirement: "REQ-SPREAD-01",
        method: "Give the judge the good record with one milk probe higher than the other by 0.2 °C more \
                 than is allowed.",
        run: limits::spread,
    },
    Step {
        number: "OQ-10",
        requirement: "REQ-LETH-01",
        method: "Compute the log reduction of constant temperatures for 30 min.",
        run: limits::lethality,
    },
    Step {
        number: "OQ-11",
        requirement: "REQ-JUDGE-01",
        method: "Give the judge the good record as if the live engine had refused it, had not decided, and \
                 had seen a hold broken; give it the record of a machine without cold water as if the \
                 engine had accepted it.",
        run: judges::dispute,
    },
    Step {
        number: "OQ-12",
        requirement: "REQ-JUDGE-02",
        method: "Rehearse a batch on each of several machines drawn from the range of good ones.",
        run: judges::many,
    },
    Step {
        number: "OQ-13",
        requirement: "REQ-HEAT-01",
        method: "Let all readings stop in the come-up, and in the hold; count the periods until the heat \
                 is commanded off.",
        run: cut::silence,
    },
    Step {
        number: "OQ-14",
        requirement: "REQ-HEAT-02",
        method: "Let the bath reading rise in the come-up by 0.5 °C a sample, until one sample is 0.2 °C \
                 above the trip.",
        run: cut::hot_bath,
    },
    Step {
        number: "OQ-15",
        requirement: "REQ-COUNT-01",
        method: "Rehearse a good batch and count one bottle more out than went in, one less, and one more \
                 at first and then as many as went in.",
        run: judges::count,
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

/// Whether the engine decided this itself, and the judge does not dispute it.
fn agreed(run: &Rehearsed, accepts: bool) -> bool {
    let disputed = run.verdict.findings.iter().any(|one| one.rule == Rule::Disputed);
    run.record.header.engine_accepts == Some(accepts) && !disputed
}

/// Whether the judge saw one hold of the recipe's length, with the batch acceptable.
fn whole(bench: &Bench<'_>, verdict: &Verdict) -> bool {
    let need_s = bench.params.recipe.hold.hold_ms as f64 / 1000.0;
    verdict.outcome == Outcome::Acceptable
        && verdict.figures.hold_s.is_some_and(|held| held >= need_s)
}

/// Why the engine went from phase to phase.
fn causes(record: &BatchRecord) -> impl Iterator<Item = &Cause> {
    record.entries.iter().filter_map(|stamped| {
        if let Event::Entered { cause, .. } = &stamped.entry.event { Some(cause) } else { None }
    })
}

/// What broke each hold, by the engine's own word.
fn broken_by(record: &BatchRecord) -> Vec<HoldBreak> {
    let broken = causes(record).filter_map(|cause| {
        if let Cause::HoldBroken { by, .. } | Cause::RestartsExhausted { by, .. } = cause {
            Some(*by)
        } else {
            None
        }
    });
    broken.collect()
}

/// The same in a few words, with what the engine decided.
fn engine_words(record: &BatchRecord) -> String {
    let accepts = match record.header.engine_accepts {
        Some(true) => "accepted",
        Some(false) => "refused",
        None => "undecided",
    };
    let broken = record.entries.iter().map(|stamped| &stamped.entry.event).filter(|event| {
        matches!(
            event,
            Event::Entered {
                cause: Cause::HoldBroken { .. } | Cause::RestartsExhausted { .. },
                ..
            }
        )
    });
    let broken: Vec<String> = broken.map(sentence).collect();
    let broken = if broken.is_empty() { "no hold broken".to_owned() } else { broken.join(" ") };
    format!("the live engine: {accepts}, {broken}")
}

/// What both judges say of a batch.
fn both_words(run: &Rehearsed) -> String {
    let judge = words(&run.verdict);
    format!("{}; {}", judge.trim_end_matches('.'), engine_words(&run.record))
}

/// The raw reading that this probe's certificate corrects to `wanted`, where its offset is even.
fn raw_of(probe: &Probe, wanted: Celsius) -> Celsius {
    wanted + (wanted - probe.certificate.correct(wanted))
}

/// The first moment of this phase.
fn entered(record: &BatchRecord, phase: PhaseName) -> anyhow::Result<Tick> {
    let first = record.periods.iter().find(|period| period.phase == phase);
    Ok(first.with_context(|| format!("the phase {phase} was never reached"))?.at)
}

fn shifted(sample: Sample, by: Kelvin) -> Sample {
    Sample { raw: sample.raw.map(|raw| raw + by), ..sample }
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
    let verdict = bench.judged(&good.record);
    Ok((good, verdict))
}

/// Ten minutes into a hold.
const INTO_MS: u64 = 600_000;
