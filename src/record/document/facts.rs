//! `record.json`: what the template prints. Everything is formatted for people, so that a
//! template only arranges it. The template that is shipped shows every key.

use serde::Serialize;
use serde_json::Value;

use super::PdfOptions;
use super::figures::{self, Figure};
use super::limits::{self, Limit};
use crate::batch::params::{BatchParams, Heater, Probe, Purpose};
use crate::batch::verdict::{Outcome, Verdict};
use crate::record::judgement::Judgement;
use crate::record::zone::{Zone, wall_ms};
use crate::record::{curve, fonts, words};
use crate::software::Software;
use crate::store::model::{BatchRecord, PoolRecord};

#[derive(Serialize)]
struct Facts {
    marks: Vec<&'static str>,
    batch: Batch,
    verdict: Judged,
    /// What this program says, where it decides otherwise than what was kept.
    today: Option<Judged>,
    figures: Vec<Figure>,
    events: Vec<Happened>,
    pool: Option<Pool>,
    probes: Vec<Row>,
    machine: Vec<(&'static str, String)>,
    texts: Vec<(String, String, String)>,
    recipe: RecipeFacts,
    margin: String,
    head: (i64, String),
    software: String,
    produced: String,
    zone: String,
}

#[derive(Serialize)]
struct Batch {
    code: String,
    station: String,
    rows: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Judged {
    /// `acceptable`, `unacceptable` or `incomplete`.
    outcome: Outcome,
    word: &'static str,
    meaning: String,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    number: usize,
    /// `note`, `deviation` or `fail`.
    severity: &'static str,
    weight: &'static str,
    rule: &'static str,
    when: String,
    text: String,
}

#[derive(Serialize)]
struct Happened {
    clock: String,
    minute: String,
    who: String,
    text: String,
    readings: String,
    alarm: bool,
}

#[derive(Serialize)]
struct Pool {
    code: String,
    volume: String,
    donors: usize,
    shares: Vec<Share>,
}

#[derive(Serialize)]
struct Share {
    deposit: String,
    donor: String,
    volume: String,
    expressed_on: String,
}

#[derive(Serialize)]
struct Row {
    role: String,
    source: String,
    certificate: String,
    date: String,
    due: String,
    uncertainty: String,
    offsets: String,
    by: String,
    reference: String,
    limit: String,
}

#[derive(Serialize)]
struct RecipeFacts {
    name: String,
    title: String,
    sha256: String,
    limits: Vec<Limit>,
    sources: Vec<String>,
}

/// The facts as JSON.
pub(super) fn facts(
    record: &BatchRecord,
    judgement: &Judgement,
    options: &PdfOptions,
) -> Result<Vec<u8>, serde_json::Error> {
    let zone = Zone::named(&record.time_zone);
    let texts = record.texts.iter();
    let texts = texts.map(|text| (text.kind.clone(), text.name.clone(), text.sha256.clone()));
    let facts = Facts {
        marks: marks(record, judgement, options.training),
        batch: batch(record, judgement, &zone),
        verdict: decided(record, judgement, &zone, options.training),
        today: judgement
            .otherwise
            .as_ref()
            .map(|today| judged(record, today, &zone, options.training)),
        figures: figures::figures(&judgement.verdict.figures, &record.params),
        events: events(record, &zone),
        pool: record.pool.as_ref().map(pool),
        probes: probes(&record.params),
        machine: machine(&record.params),
        texts: texts.collect(),
        recipe: recipe(record),
        margin: margin(&record.params),
        head: (record.head_seq, record.head_hash.clone()),
        software: Software::this().to_string(),
        produced: zone.stamp(options.produced_utc_ms),
        zone: zone.label(record.header.started_utc_ms),
    };
    let mut facts = serde_json::to_value(&facts)?;
    make_printable(&mut facts);
    serde_json::to_vec(&facts)
}

fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = fonts::printable(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(make_printable),
        Value::Object(keys) => keys.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn marks(record: &BatchRecord, judgement: &Judgement, training: bool) -> Vec<&'static str> {
    [
        (training, "TRAINING"),
        (judgement.otherwise.is_some(), "JUDGED OTHERWISE TODAY"),
        (record.header.simulated, "SIMULATED: not a real machine"),
        (record.header.purpose == Purpose::Water, "WATER: no milk"),
    ]
    .into_iter()
    .filter_map(|(marked, text)| marked.then_some(text))
    .collect()
}

fn batch(record: &BatchRecord, judgement: &Judgement, zone: &Zone) -> Batch {
    let header = &record.header;
    let closed = header.closed_utc_ms.map(|at| zone.stamp(at)).unwrap_or_default();
    let planned = match curve::bottles_in(record) {
        Some(loaded) if loaded == header.bottles => String::new(),
        Some(_) | None => format!("; {} told at the start", header.bottles),
    };
    let bottles = format!("{}{planned}; the control bottle not counted", curve::bottles(record));
    let live = match header.engine_accepts {
        Some(true) => "the live engine accepted the run",
        Some(false) => "the live engine did not accept the run",
        None => "the live engine did not come to a decision",
    };
    let rows = vec![
        ("Unit", header.unit.clone()),
        ("Purpose", header.purpose.word().to_owned()),
        ("Recipe", header.recipe.clone()),
        ("Pool", header.pool.clone().unwrap_or_else(|| "none".to_owned())),
        ("Bottles", bottles),
        ("Started", format!("{} by {}", zone.stamp(header.started_utc_ms), header.operator)),
        ("Closed", format!("{closed} {}", words::closing(header.closing)).trim().to_owned()),
        ("Live decision", live.to_owned()),
        ("Verdict", format!("{}; by: {}", judgement.basis_words(), judgement.decided_by())),
        ("Made by", judgement.made_by()),
        ("Times", format!("in {}", zone.label(header.started_utc_ms))),
    ];
    Batch { code: header.code.clone(), station: record.station.clone(), rows }
}

/// The verdict, and plainly beside it that this program decides otherwise: a bank's own template
/// prints the meaning, too.
fn decided(record: &BatchRecord, judgement: &Judgement, zone: &Zone, training: bool) -> Judged {
    let mut decided = judged(record, &judgement.verdict, zone, training);
    if let Some(difference) = judgement.difference() {
        decided.meaning = format!("{} ATTENTION: {difference}", decided.meaning);
    }
    decided
}

fn judged(record: &BatchRecord, verdict: &Verdict, zone: &Zone, training: bool) -> Judged {
    let findings = (1..).zip(&verdict.findings);
    let findings = findings.map(|(number, finding)| Found {
        number,
        severity: finding.severity.word(),
        weight: words::severity(finding.severity),
        rule: words::rule(finding.rule),
        when: finding.at_s.map_or_else(String::new, |at_s| when(record, zone, at_s)),
        text: finding.text.clone(),
    });
    Judged {
        outcome: verdict.outcome,
        word: words::outcome(verdict.outcome),
        meaning: words::meaning(&record.header, verdict, training),
        findings: findings.collect(),
    }
}

/// `41.2 min, 08:53`
fn when(record: &BatchRecord, zone: &Zone, at_s: f64) -> String {
    let tick_ms = (at_s * 1000.0).max(0.0) as u64;
    let clock = zone.clock(wall_ms(record, tick_ms));
    format!("{:.1} min, {clock}", at_s / 60.0)
}

/// What the engine entered, what people did and what the loop remarked, in one order.
fn events(record: &BatchRecord, zone: &Zone) -> Vec<Happened> {
    let minute = |ms: u64| format!("{:.1}", ms as f64 / 60_000.0);
    let entries = record.entries.iter().map(|stamped| {
        let (text, alarm) = words::event(&stamped.entry.event);
        let at_ms = stamped.entry.at.ms();
        let happened = Happened {
            clock: zone.stamp(stamped.utc_ms),
            minute: minute(at_ms),
            who: stamped.who.clone(),
            text,
            readings: words::readings(&stamped.entry.readings_mc),
            alarm,
        };
        (at_ms, 1, happened)
    });
    let actions = record.actions.iter().map(|action| {
        let happened = Happened {
            clock: zone.stamp(action.utc_ms),
            minute: minute(action.tick_ms),
            who: action.who.clone(),
            text: words::action(&action.action),
            readings: String::new(),
            alarm: false,
        };
        (action.tick_ms, 0, happened)
    });
    let remarks = record.remarks.iter().map(|remark| {
        let happened = Happened {
            clock: zone.stamp(remark.utc_ms),
            minute: minute(remark.tick_ms),
            who: "holder".to_owned(),
            text: remark.text.clone(),
            readings: String::new(),
            alarm: true,
        };
        (remark.tick_ms, 2, happened)
    });
    let mut all: Vec<(u64, u8, Happened)> = actions.chain(entries).chain(remarks).collect();
    // At the same moment the action comes first: the entry answers it.
    all.sort_by_key(|(at_ms, order, _)| (*at_ms, *order));
    all.into_iter().map(|(_, _, happened)| happened).collect()
}

fn millilitres(volume_ul: i64) -> String {
    let exact = format!("{}.{:03}", volume_ul / 1000, (volume_ul % 1000).abs());
    format!("{} ml", exact.trim_end_matches('0').trim_end_matches('.'))
}

fn pool(pool: &PoolRecord) -> Pool {
    let mut donors: Vec<&str> = pool.shares.iter().map(|share| share.donor.as_str()).collect();
    donors.sort_unstable();
    donors.dedup();
    let donors = donors.len();
    let shares = pool.shares.iter().map(|share| Share {
        deposit: share.deposit.clone(),
        donor: share.donor.clone(),
        volume: millilitres(share.volume_ul),
        expressed_on: share.expressed_on.clone(),
    });
    let (code, volume) = (pool.code.clone(), millilitres(pool.volume_ul));
    Pool { code, volume, donors, shares: shares.collect() }
}

fn probes(params: &BatchParams) -> Vec<Row> {
    let milk = (1..).zip(&params.milk).map(|(number, probe): (usize, _)| {
        row(format!("milk {number}"), probe, format!("{:.2}", params.limit(probe)))
    });
    let bath = row("bath".to_owned(), &params.bath, String::new());
    let reference = params.reference.as_ref();
    let reference = reference.map(|probe| row("reference".to_owned(), probe, String::new()));
    milk.chain([bath]).chain(reference).collect()
}

fn row(role: String, probe: &Probe, limit: String) -> Row {
    let certificate = &probe.certificate;
    let offset = |point: &crate::batch::certificate::OffsetPoint| {
        format!("{:+.3} at {:.1}", point.offset.as_f64(), point.at)
    };
    let offsets: Vec<String> = certificate.offsets.iter().map(offset).collect();
    Row {
        role,
        source: format!("{}, steps of {:.2}", probe.source, probe.resolution),
        certificate: certificate.number.clone(),
        date: certificate.date.clone(),
        due: certificate.due.clone(),
        uncertainty: format!("{:.3}", certificate.uncertainty),
        offsets: if offsets.is_empty() { "none".to_owned() } else { offsets.join("; ") },
        by: certificate.by.clone(),
        reference: certificate.reference.clone(),
        limit,
    }
}

fn machine(params: &BatchParams) -> Vec<(&'static str, String)> {
    let heater = match params.heater {
        Heater::Setpoint => "the machine holds its bath by itself; it was given set points".into(),
        Heater::Power { power_w, .. } => {
            format!("driven by power, {power_w} W; the bath was held by the controller")
        }
    };
    let cascade = &params.cascade;
    let lid = if params.has_lid { "watched by a switch" } else { "no switch" };
    vec![
        ("Unit", params.unit.clone()),
        ("Heater", heater),
        ("Bath set point", format!("{:.1} to {:.1} °C", cascade.bath_min, cascade.bath_max)),
        ("Milk controlled to", format!("{:.2} °C", params.target())),
        ("Heat cut at a bath of", format!("{:.1} °C", params.bath_trip())),
        ("Lid", lid.to_owned()),
        ("One reading every", format!("{:.1} s", params.period_ms as f64 / 1000.0)),
    ]
}

fn margin(params: &BatchParams) -> String {
    let how = if params.margin_measured {
        "measured on this machine when it was commissioned"
    } else {
        "the safe default, because it was not measured on this machine"
    };
    format!(
        "Distance from the control bottle to the coldest bottle: {:.2} °C, {how}.",
        params.margin
    )
}

fn recipe(record: &BatchRecord) -> RecipeFacts {
    let recipe = &record.params.recipe;
    let frozen = record.texts.iter().find(|text| text.kind == "recipe");
    RecipeFacts {
        name: recipe.name.clone(),
        title: recipe.title.clone(),
        sha256: frozen.map_or_else(|| "not frozen".to_owned(), |text| text.sha256.clone()),
        limits: limits::limits(recipe),
        sources: recipe.sources.clone(),
    }
}
