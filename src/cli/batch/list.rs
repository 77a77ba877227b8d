//! `holder batch list`: first pages only, so that it answers at once however long the record is.

use serde_json::{Value, json};

use crate::batch::verdict::Verdict;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::record::zone::Zone;
use crate::store::Store;
use crate::store::model::BatchHeader;

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    let station = store.station();
    let zone = Zone::named(&station.time_zone);
    let mut documents = Vec::new();
    let mut rows = Vec::new();
    for header in store.batches()? {
        let outcome = outcome(&store, &header)?;
        if context.json {
            documents.push(document(&header, outcome)?);
        } else {
            rows.push(row(&zone, &header, outcome));
        }
    }
    if context.json {
        return Ok(out::json(&documents)?);
    }
    let started = format!("STARTED ({})", station.time_zone);
    let head = ["BATCH", &started, "UNIT", "MILK OF", "BOTTLES", "VERDICT"];
    let mut text = out::list(&head, &rows, "no batches yet");
    if station.training {
        text = format!("TRAINING\n{text}");
    }
    Ok(out::text(&text)?)
}

/// The outcome that was kept when the batch was closed.
fn outcome(store: &Store, header: &BatchHeader) -> Result<Option<&'static str>, Failure> {
    let Some(kept) = store.verdict_of(&header.code)? else { return Ok(None) };
    let verdict: Result<Verdict, _> = serde_json::from_value(kept);
    Ok(verdict.ok().map(|verdict| verdict.outcome.word()))
}

fn document(header: &BatchHeader, outcome: Option<&str>) -> anyhow::Result<Value> {
    let mut document = serde_json::to_value(header)?;
    if let Value::Object(fields) = &mut document {
        fields.insert("outcome".to_owned(), json!(outcome));
    }
    Ok(document)
}

fn row(zone: &Zone, header: &BatchHeader, outcome: Option<&str>) -> Vec<String> {
    let state = match (header.closed_utc_ms, outcome) {
        (None, _) => format!("open, in {}", header.phase),
        (Some(_), Some(outcome)) => outcome.to_owned(),
        (Some(_), None) => "not judged".to_owned(),
    };
    let mark = if header.simulated { " SIMULATED" } else { "" };
    vec![
        header.code.clone(),
        zone.stamp(header.started_utc_ms),
        header.unit.clone(),
        header.pool.clone().unwrap_or_else(|| "(water)".to_owned()),
        header.bottles.to_string(),
        format!("{state}{mark}"),
    ]
}
