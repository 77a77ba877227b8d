//! `holder batch list`: first pages only, so that it answers at once however long the record is.

use serde_json::{Value, json};

use crate::batch::verdict::Verdict;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::invocation;
use crate::record::zone::Zone;
use crate::store::Store;
use crate::store::model::BatchHeader;

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    let station = store.station();
    let zone = Zone::named(&station.time_zone);
    let mut documents = Vec::new();
    let mut rows = Vec::new();
    let mut altered = Vec::new();
    for header in store.batches()? {
        let state = State::of(&store, &header)?;
        let bottles_in = store.bottles_in(&header.code)?;
        if context.json {
            documents.push(document(&header, bottles_in, &state)?);
        } else {
            rows.push(row(&zone, &header, bottles_in, &state));
        }
        if matches!(state, State::Altered) {
            altered.push(header.code);
        }
    }
    if context.json {
        out::json(&documents)?;
        return end(&altered);
    }
    let started = format!("STARTED ({})", station.time_zone);
    let head = ["BATCH", &started, "UNIT", "MILK OF", "BOTTLES", "VERDICT"];
    let mut text = out::list(&head, &rows, "no batches yet");
    if station.training {
        text = format!("TRAINING\n{text}");
    }
    out::text(&text)?;
    end(&altered)
}

/// What a person who looks for acceptable batches may believe of one.
enum State {
    /// Nothing was decided yet.
    Open,
    /// What was decided when it was closed, in a word; `None` if that is not understood.
    Closed(Option<&'static str>),
    /// Its first page is not what the journal has of its closing.
    Altered,
}

impl State {
    fn of(store: &Store, header: &BatchHeader) -> Result<Self, Failure> {
        if !store.closing_fits(&header.code)? {
            return Ok(Self::Altered);
        }
        if header.closed_utc_ms.is_none() {
            return Ok(Self::Open);
        }
        let kept = store.verdict_of(&header.code)?;
        let verdict = kept.and_then(|kept| serde_json::from_value::<Verdict>(kept).ok());
        Ok(Self::Closed(verdict.map(|verdict| verdict.outcome.word())))
    }
}

fn end(altered: &[String]) -> Result<(), Failure> {
    if altered.is_empty() {
        return Ok(());
    }
    Err(Failure::DoesNotVerify(anyhow::anyhow!(
        "{}: what the list has is not what the journal has of the closing; no decision about milk \
         may rest on it. `{}` says what does not fit",
        altered.join(", "),
        invocation::command("db verify")
    )))
}

fn document(header: &BatchHeader, bottles_in: Option<u16>, state: &State) -> anyhow::Result<Value> {
    let mut document = serde_json::to_value(header)?;
    let outcome = match state {
        State::Open | State::Altered => None,
        State::Closed(outcome) => *outcome,
    };
    if let Value::Object(fields) = &mut document {
        fields.insert("outcome".to_owned(), json!(outcome));
        fields.insert("bottles_in".to_owned(), json!(bottles_in));
        fields.insert("fits".to_owned(), (!matches!(state, State::Altered)).into());
    }
    Ok(document)
}

fn row(zone: &Zone, header: &BatchHeader, bottles_in: Option<u16>, state: &State) -> Vec<String> {
    let state = match state {
        State::Open => format!("open, in {}", header.phase),
        State::Closed(Some(outcome)) => (*outcome).to_owned(),
        State::Closed(None) => "not judged".to_owned(),
        State::Altered => "NOT WHAT WAS WRITTEN".to_owned(),
    };
    let mark = if header.simulated { " SIMULATED" } else { "" };
    vec![
        header.code.clone(),
        zone.stamp(header.started_utc_ms),
        header.unit.clone(),
        header.pool.clone().unwrap_or_else(|| "(water)".to_owned()),
        bottles_in.unwrap_or(header.bottles).to_string(),
        format!("{state}{mark}"),
    ]
}
