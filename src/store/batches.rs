//! Starting, stepping and closing a batch.
//!
//! [`Store::commit_step`] is the acknowledged unit: once it returns `Ok`, the input, its samples
//! and the entries that answered it are on the disk together.

use holder_hal::Tick;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::Store;
use super::error::{StoreError, garbled, sql_int};
use super::journal::{self, Body, Kind, Place, Stamp, hex, sha256};
use super::model::{BatchHeader, Closing, FrozenText};
use super::read;
use super::samples::{self, Block, InputRow};
use crate::batch::event::{Action, Effects, Entry, Event, Input};
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;

/// A block is sealed at the latest after this span.
const SEAL_MS: i64 = 60_000;

/// What a batch begins with. Unit, purpose and recipe are those of `params`.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Whether anything in it comes from a machine that is not real.
    pub simulated: bool,
    /// The pool's code; required for milk, refused for water.
    pub pool: Option<String>,
    /// Bottles, the control bottle not counted.
    pub bottles: u16,
    /// Milk in each bottle, microlitres; the batch draws `bottles` times this from its pool.
    /// Not used for water.
    pub bottle_ul: i64,
    /// Who starts it.
    pub operator: String,
    /// Wall-clock time of tick 0, milliseconds since 1970 UTC.
    pub started_utc_ms: i64,
    /// What is frozen.
    pub params: BatchParams,
    /// The texts that are frozen with it; an empty `sha256` is filled in.
    pub texts: Vec<FrozenText>,
}

/// One step of the engine: what came in and what it answered.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The batch's code.
    pub batch: &'a str,
    /// When, on the batch's monotonic time; later than the last reading for a reading, and
    /// never before the last input.
    pub at: Tick,
    /// When by the wall clock, and on whose behalf.
    pub stamp: Stamp<'a>,
    /// What came in.
    pub input: &'a Input,
    /// What the engine answered.
    pub effects: &'a Effects,
    /// The engine's phase after it.
    pub phase: PhaseName,
}

/// How a batch is closed.
#[derive(Clone, Copy, Debug)]
pub struct Close<'a> {
    /// The batch's code.
    pub batch: &'a str,
    /// When by the wall clock, and on whose behalf.
    pub stamp: Stamp<'a>,
    /// How.
    pub closing: Closing,
    /// What the live engine decided; `None` if it never could.
    pub engine_accepts: Option<bool>,
    /// The phase in which it is closed.
    pub phase: PhaseName,
    /// The judge's verdict, kept with the entry; `None` if there is none yet.
    pub verdict: Option<&'a Value>,
}

/// Where the record of an open batch has come to.
#[derive(Clone)]
pub(super) struct Tail {
    id: i64,
    inputs: i64,
    last_tick_ms: i64,
    last_reading_ms: i64,
    phase: PhaseName,
    simulated: bool,
    block: Block,
}

impl Tail {
    /// From the file: the block after the last seal is hashed again.
    fn load(db: &Connection, code: &str) -> Result<Self, StoreError> {
        let id = id_of(db, code)?;
        let header = read::header(db, code)?;
        if header.closed_utc_ms.is_some() {
            return Err(StoreError::BatchClosed(code.to_owned()));
        }
        let sealed = last_sealed(db, code)?;
        let mut block = Block::new();
        samples::each_input(db, id, sealed, |input, cells| {
            block.add(input, cells);
            Ok(())
        })?;
        let (inputs, last_tick_ms) = db.query_row(
            "SELECT coalesce(max(n), 0), coalesce(max(tick_ms), 0) FROM inputs WHERE batch = ?",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let last_reading_ms = db.query_row(
            "SELECT coalesce(max(tick_ms), -1) FROM samples WHERE batch = ?",
            [id],
            |row| row.get(0),
        )?;
        let BatchHeader { phase, simulated, .. } = header;
        Ok(Self { id, inputs, last_tick_ms, last_reading_ms, phase, simulated, block })
    }
}

/// Number of the last sealed input; 0 before the first seal.
fn last_sealed(db: &Connection, code: &str) -> Result<i64, StoreError> {
    let last = db
        .query_row(
            "SELECT max(json_extract(body, '$.after.last_input')) FROM journal \
             WHERE batch = ?1 AND kind = ?2",
            params![code, Kind::Seal.word()],
            |row| row.get::<_, Option<i64>>(0),
        )
        .optional()?;
    Ok(last.flatten().unwrap_or(0))
}

/// The row number of a batch.
pub(super) fn id_of(db: &Connection, code: &str) -> Result<i64, StoreError> {
    db.prepare_cached("SELECT id FROM batches WHERE code = ?")?
        .query_row([code], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::NoBatch(code.to_owned()))
}

/// The code after the last one of the year: `B-2026-0001`.
fn next_code(db: &Connection, year: i16) -> Result<String, StoreError> {
    let prefix = format!("B-{year:04}-");
    let last: Option<i64> = db.query_row(
        "SELECT max(CAST(substr(code, length(?1) + 1) AS INTEGER)) FROM batches \
         WHERE substr(code, 1, length(?1)) = ?1",
        [&prefix],
        |row| row.get(0),
    )?;
    Ok(format!("{prefix}{:04}", last.unwrap_or(0) + 1))
}

fn freeze_texts(db: &Connection, id: i64, texts: &[FrozenText]) -> Result<Value, StoreError> {
    let mut listed = Vec::new();
    for (position, text) in (0_i64..).zip(texts) {
        let hash = sha256(&text.text);
        let FrozenText { kind, name, .. } = text;
        if !text.sha256.is_empty() && !text.sha256.eq_ignore_ascii_case(&hex(&hash)) {
            return Err(StoreError::TextHash { kind: kind.clone(), name: name.clone() });
        }
        db.execute(
            "INSERT INTO texts (sha256, text) VALUES (?, ?) ON CONFLICT DO NOTHING",
            params![hash, text.text],
        )?;
        db.execute(
            "INSERT INTO batch_texts (batch, position, kind, name, sha256) VALUES (?, ?, ?, ?, ?)",
            params![id, position, kind, name, hash],
        )?;
        listed.push(json!({ "kind": kind, "name": name, "sha256": hex(&hash) }));
    }
    Ok(listed.into())
}

/// A few words for an entry of the engine.
fn words(event: &Event) -> String {
    match event {
        Event::Entered { phase, .. } => format!("entered {phase}"),
        Event::Raised { alarm } => format!("alarm {}: {}", alarm.number(), alarm.title()),
        Event::Cleared { alarm } => format!("alarm {} is over", alarm.number()),
        Event::AboveCeiling { line, .. } => format!("milk above {line:.1} °C"),
    }
}

/// A few words for an action.
fn action_words(action: &Action) -> String {
    match action {
        Action::ConfirmLoad { bottles } => format!("confirmed that {bottles} bottles are in"),
        Action::ConfirmUnload => "confirmed that the bottles are out".to_owned(),
        Action::Stop { .. } => "stopped the batch".to_owned(),
    }
}

fn append_action(
    db: &Connection,
    step: &Step<'_>,
    action: &Action,
    refused: Option<&str>,
) -> Result<(), StoreError> {
    let kind = if refused.is_some() { Kind::ActionRefused } else { Kind::Action };
    let after = serde_json::to_value(action).map_err(|error| garbled("action", error))?;
    let body = Body::new(action_words(action)).after(after);
    let body = match (refused, action) {
        (Some(refused), _) => body.why(refused),
        (None, Action::Stop { reason }) => body.why(reason.as_str()),
        (None, Action::ConfirmLoad { .. } | Action::ConfirmUnload) => body,
    };
    let place = Place::in_batch(kind, step.batch, Some(step.at.ms()));
    journal::append(db, step.stamp, place, &body)?;
    Ok(())
}

fn append_event(db: &Connection, step: &Step<'_>, entry: &Entry) -> Result<(), StoreError> {
    let after = serde_json::to_value(entry).map_err(|error| garbled("entry", error))?;
    let place = Place::in_batch(Kind::Event, step.batch, Some(entry.at.ms()));
    journal::append(db, step.stamp, place, &Body::new(words(&entry.event)).after(after))?;
    Ok(())
}

fn append_seal(
    db: &Connection,
    stamp: Stamp<'_>,
    code: &str,
    tail: &mut Tail,
) -> Result<(), StoreError> {
    let Some(seal) = tail.block.seal() else { return Ok(()) };
    let tick_ms = u64::try_from(seal.last_tick_ms).ok();
    let after = serde_json::to_value(&seal).map_err(|error| garbled("seal", error))?;
    let place = Place::in_batch(Kind::Seal, code, tick_ms);
    journal::append(db, stamp, place, &Body::new("sealed inputs and samples").after(after))?;
    tail.block = Block::new();
    Ok(())
}

/// Writes one step into the open transaction and moves `tail` on.
fn write_step(db: &Connection, step: &Step<'_>, tail: &mut Tail) -> Result<(), StoreError> {
    let tick_ms = sql_int("tick_ms", step.at.ms())?;
    let last = match step.input {
        Input::Reading(_) => tail.last_tick_ms.max(tail.last_reading_ms.saturating_add(1)),
        Input::Operator(_) | Input::Wake => tail.last_tick_ms,
    };
    if tick_ms < last {
        return Err(StoreError::TickBack {
            batch: step.batch.to_owned(),
            at_ms: step.at.ms(),
            last_ms: u64::try_from(tail.last_tick_ms).unwrap_or(0),
        });
    }
    let refused = step.effects.refusal.as_ref().map(ToString::to_string);
    let (kind, action, cells) = match step.input {
        Input::Reading(reading) => {
            tail.last_reading_ms = tick_ms;
            ("reading", None, samples::cells(reading, &step.effects.command, step.phase))
        }
        Input::Operator(action) => {
            append_action(db, step, action, refused.as_deref())?;
            let json = serde_json::to_string(action).map_err(|error| garbled("action", error))?;
            ("operator", Some(json), Vec::new())
        }
        Input::Wake => ("wake", None, Vec::new()),
    };
    tail.inputs += 1;
    tail.last_tick_ms = tick_ms;
    let input = InputRow {
        n: tail.inputs,
        tick_ms,
        utc_ms: step.stamp.utc_ms,
        kind: kind.to_owned(),
        who: step.stamp.who.to_owned(),
        action,
        refused,
    };
    input.insert(db, tail.id)?;
    samples::insert(db, tail.id, tick_ms, &cells)?;
    tail.block.add(&input, &cells);
    for entry in &step.effects.entries {
        append_event(db, step, entry)?;
    }
    Ok(())
}

/// Follows the phase and the mark of simulation, and seals when it is time.
fn finish_step(db: &Connection, step: &Step<'_>, tail: &mut Tail) -> Result<(), StoreError> {
    let transition =
        step.effects.entries.iter().any(|entry| matches!(entry.event, Event::Entered { .. }));
    if step.phase != tail.phase {
        db.prepare_cached("UPDATE batches SET phase = ? WHERE id = ?")?
            .execute(params![step.phase.word(), tail.id])?;
    }
    if transition
        || step.phase != tail.phase
        || tail.block.span_ms().is_some_and(|span| span >= SEAL_MS)
    {
        append_seal(db, step.stamp, step.batch, tail)?;
    }
    tail.phase = step.phase;
    if matches!(step.input, Input::Reading(reading) if reading.simulated) && !tail.simulated {
        let before = read::batch_state(db, step.batch)?;
        db.execute("UPDATE batches SET simulated = 1 WHERE id = ?", [tail.id])?;
        tail.simulated = true;
        let body = Body::new("a reading came from a machine that is not real")
            .before(before)
            .after(read::batch_state(db, step.batch)?);
        let place = Place::in_batch(Kind::BatchChanged, step.batch, Some(step.at.ms()));
        journal::append(db, step.stamp, place, &body)?;
    }
    Ok(())
}

impl Store {
    /// Starts a batch: checks its pool again, freezes what decides its verdict, and gives its
    /// code.
    ///
    /// # Errors
    /// Parameters or pool that are not allowed, a unit with an open batch, or the disk.
    pub fn begin_batch(&mut self, new: &NewBatch) -> Result<String, StoreError> {
        new.params.check()?;
        let today = self.station.day(new.started_utc_ms)?;
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let unit = &new.params.unit;
        let open: Option<String> = tx
            .query_row(
                "SELECT code FROM batches WHERE unit = ? AND closed_utc_ms IS NULL",
                [unit],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(batch) = open {
            return Err(StoreError::UnitBusy { unit: unit.clone(), batch });
        }
        let volume_ul = super::milk::check_start(&tx, new, today)?;
        let code = next_code(&tx, today.year())?;
        tx.execute(
            "INSERT INTO batches (code, unit, purpose, simulated, recipe, pool, volume_ul, bottles, \
             operator, started_utc_ms, phase) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                code,
                unit,
                new.params.purpose.word(),
                new.simulated || new.params.simulated,
                new.params.recipe.name,
                new.pool,
                volume_ul,
                new.bottles,
                new.operator,
                new.started_utc_ms,
                PhaseName::Preheat.word()
            ],
        )?;
        let id = tx.last_insert_rowid();
        let frozen = serde_json::to_string(&new.params).map_err(|e| garbled("parameters", e))?;
        let hash = sha256(&frozen);
        tx.execute(
            "INSERT INTO params (batch, sha256, json) VALUES (?, ?, ?)",
            params![id, hash, frozen],
        )?;
        let texts = freeze_texts(&tx, id, &new.texts)?;
        let after = json!({
            "state": read::batch_state(&tx, &code)?,
            "params_sha256": hex(&hash),
            "texts": texts,
        });
        let stamp = Stamp { utc_ms: new.started_utc_ms, who: &new.operator };
        let place = Place::in_batch(Kind::BatchStarted, &code, None);
        let what = match new.params.purpose {
            Purpose::Milk => "milk batch started",
            Purpose::Water => "water batch started",
        };
        journal::append(&tx, stamp, place, &Body::new(what).after(after))?;
        tx.commit()?;
        Ok(code)
    }

    /// Stores one step of the engine: input, samples, entries and, when it is time, a seal.
    ///
    /// # Errors
    /// An unknown or closed batch, a tick that does not come after the stored ones, or the disk.
    pub fn commit_step(&mut self, step: &Step<'_>) -> Result<(), StoreError> {
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut tail = match self.tails.get(step.batch) {
            Some(tail) => tail.clone(),
            None => Tail::load(&tx, step.batch)?,
        };
        write_step(&tx, step, &mut tail)?;
        finish_step(&tx, step, &mut tail)?;
        tx.commit()?;
        self.tails.insert(step.batch.to_owned(), tail);
        Ok(())
    }

    /// Seals what is left and closes the record of a batch.
    ///
    /// # Errors
    /// An unknown or closed batch, or the disk.
    pub fn close_batch(&mut self, close: &Close<'_>) -> Result<(), StoreError> {
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut tail = Tail::load(&tx, close.batch)?;
        append_seal(&tx, close.stamp, close.batch, &mut tail)?;
        let before = read::batch_state(&tx, close.batch)?;
        tx.execute(
            "UPDATE batches SET closed_utc_ms = ?, closing = ?, phase = ?, engine_accepts = ?, \
             verdict = ? WHERE id = ?",
            params![
                close.stamp.utc_ms,
                read::closing_word(close.closing),
                close.phase.word(),
                close.engine_accepts,
                close.verdict.map(Value::to_string),
                tail.id
            ],
        )?;
        let after = read::batch_state(&tx, close.batch)?;
        let what = match close.closing {
            Closing::Ended => "record closed",
            Closing::Interrupted => "record of an interrupted batch closed",
        };
        let place = Place::in_batch(Kind::BatchClosed, close.batch, None);
        let body = Body::new(what).before(before).after(after);
        journal::append(&tx, close.stamp, place, &body)?;
        tx.commit()?;
        self.tails.remove(close.batch);
        Ok(())
    }
}
