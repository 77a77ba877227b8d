//! Storing one step of the engine.
//!
//! [`Store::commit_step`] is the acknowledged unit: once it returns `Ok`, the input with its
//! samples and the entries that answered it are on the disk together.

use holder_hal::Tick;
use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::batches::id_of;
use super::error::{StoreError, garbled, sql_int};
use super::journal::{self, Body, GENESIS, Kind, Place, Stamp};
use super::model::BatchHeader;
use super::samples::Samples;
use super::seal::{self, Block, InputRow, READING};
use super::{milk, read, station};
use crate::batch::event::{Action, Cause, Effects, Entry, Event, Input};
use crate::batch::phase::PhaseName;

/// A block is sealed at the latest after this span.
const SEAL_MS: u64 = 60_000;

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

/// Where the record of an open batch has come to.
#[derive(Clone)]
pub(super) struct Tail {
    pub(super) id: i64,
    inputs: i64,
    last_tick_ms: i64,
    last_reading_ms: i64,
    phase: PhaseName,
    simulated: bool,
    block: Block,
}

impl Tail {
    /// From the file: the block after the last seal goes on from the running hash of its rows as
    /// they are, so that rows that were changed since do not fit their seal.
    pub(super) fn load(db: &Connection, code: &str) -> Result<Self, StoreError> {
        let id = id_of(db, code)?;
        let header = read::header(db, code)?;
        if header.closed_utc_ms.is_some() {
            return Err(StoreError::BatchClosed(code.to_owned()));
        }
        let sealed = last_sealed(db, code)?;
        let mut block = Block::after(seal::running_at(db, id, sealed)?);
        seal::each_input(db, id, sealed, |input| {
            block.add(input);
            Ok(())
        })?;
        let last = |filter: &str| -> Result<Option<(i64, i64)>, StoreError> {
            let sql = format!(
                "SELECT n, tick_ms FROM inputs WHERE batch = ? {filter} ORDER BY n DESC LIMIT 1"
            );
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            Ok(db.query_row(&sql, [id], read).optional()?)
        };
        let (inputs, last_tick_ms) = last("")?.unwrap_or((0, 0));
        let last_reading_ms = last("AND kind = 'reading'")?.map_or(-1, |(_, tick_ms)| tick_ms);
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

/// A few words for an entry of the engine.
fn words(event: &Event) -> String {
    match event {
        Event::Entered { phase, .. } => format!("entered {phase}"),
        Event::Raised { alarm, .. } => format!("alarm {}: {}", alarm.number(), alarm.title()),
        Event::Cleared { alarm } => format!("alarm {} is over", alarm.number()),
        Event::Failed { alarm } => format!("failed by alarm {}", alarm.number()),
        Event::Acknowledged { alarm, by } => format!("alarm {} seen by {by}", alarm.number()),
        Event::AboveCeiling { line, .. } => format!("milk above {line:.1} °C"),
        Event::Resumed { .. } => "continued after an interruption".to_owned(),
        Event::CountDiffers { loaded, counted } => {
            format!("{counted} counted out, {loaded} went in")
        }
        Event::HeatConfirmed => "heat is allowed again".to_owned(),
    }
}

/// A few words for an action.
fn action_words(action: &Action) -> String {
    match action {
        Action::ConfirmLoad { bottles } => format!("confirmed that {bottles} bottles are in"),
        Action::ConfirmUnload { bottles } => format!("confirmed that {bottles} bottles are out"),
        Action::Stop { .. } => "stopped the batch".to_owned(),
        Action::Resume { .. } => "continued the batch after an interruption".to_owned(),
        Action::Orders { arrive: true } => "orders reach the machine again".to_owned(),
        Action::Orders { arrive: false } => "orders do not reach the machine".to_owned(),
        Action::Record { keeps_up: true } => "the record keeps up: heat may go on".to_owned(),
        Action::Record { keeps_up: false } => "the record is behind: heat is withheld".to_owned(),
        Action::ConfirmHeat => "confirmed that the machine may heat again".to_owned(),
        Action::Acknowledge { alarm, .. } => format!("acknowledged alarm {}", alarm.number()),
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
        (None, Action::Resume { .. }) => body.by_this_program(),
        (
            None,
            Action::ConfirmLoad { .. }
            | Action::ConfirmUnload { .. }
            | Action::ConfirmHeat
            | Action::Orders { .. }
            | Action::Record { .. }
            | Action::Acknowledge { .. },
        ) => body,
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

pub(super) fn append_seal(
    db: &Connection,
    stamp: Stamp<'_>,
    code: &str,
    tail: &mut Tail,
) -> Result<(), StoreError> {
    let Some(seal) = tail.block.seal() else { return Ok(()) };
    let tick_ms = u64::try_from(seal.last_tick_ms).ok();
    let after = serde_json::to_value(&seal).map_err(|error| garbled("seal", error))?;
    let place = Place::in_batch(Kind::Seal, code, tick_ms);
    journal::append(db, stamp, place, &Body::new("sealed inputs").after(after))?;
    tail.block = Block::after(*tail.block.running());
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
    station::check_who(step.stamp.who)?;
    let refused = step.effects.refusal.as_ref().map(ToString::to_string);
    let (kind, action, samples) = match step.input {
        Input::Reading(reading) => {
            tail.last_reading_ms = tick_ms;
            (READING, None, Samples::of(reading, &step.effects.command, step.phase))
        }
        Input::Operator(action) => {
            append_action(db, step, action, refused.as_deref())?;
            let json = serde_json::to_string(action).map_err(|error| garbled("action", error))?;
            ("operator", Some(json), Samples::NONE)
        }
        Input::Wake => ("wake", None, Samples::NONE),
    };
    tail.inputs += 1;
    tail.last_tick_ms = tick_ms;
    let mut input = InputRow {
        n: tail.inputs,
        tick_ms,
        utc_ms: step.stamp.utc_ms,
        kind,
        who: step.stamp.who,
        action: action.as_deref(),
        refused: refused.as_deref(),
        samples,
        running: GENESIS,
    };
    input.running = input.hash(tail.block.running());
    input.insert(db, tail.id)?;
    tail.block.add(&input);
    for entry in &step.effects.entries {
        append_event(db, step, entry)?;
    }
    Ok(())
}

/// What a step changes beside its row of `inputs`.
#[derive(Clone, Copy)]
struct Due {
    /// The journal gets an action, or entries of the engine.
    entries: bool,
    phase: bool,
    seal: bool,
    /// It is the first reading of a machine that is not real.
    simulated: bool,
}

impl Due {
    fn of(step: &Step<'_>, tail: &Tail) -> Self {
        let entries = &step.effects.entries;
        let transition = entries.iter().any(|entry| matches!(entry.event, Event::Entered { .. }));
        let phase = step.phase != tail.phase;
        // The first one at once: from then on the rows of another batch fit nowhere in this one.
        let seal =
            tail.inputs == 0 || transition || phase || tail.block.span_ms(step.at.ms()) >= SEAL_MS;
        let is_simulated = matches!(step.input, Input::Reading(reading) if reading.simulated);
        Self {
            entries: matches!(step.input, Input::Operator(_)) || !entries.is_empty(),
            phase,
            seal,
            simulated: is_simulated && !tail.simulated,
        }
    }

    const fn nothing(self) -> bool {
        !(self.entries || self.phase || self.seal || self.simulated)
    }
}

/// Follows the phase, the milk and the mark of simulation, and seals when it is time.
fn finish_step(
    db: &Connection,
    step: &Step<'_>,
    due: Due,
    tail: &mut Tail,
) -> Result<(), StoreError> {
    if due.phase {
        db.prepare_cached("UPDATE batches SET phase = ? WHERE id = ?")?
            .execute(params![step.phase.word(), tail.id])?;
    }
    if due.seal {
        append_seal(db, step.stamp, step.batch, tail)?;
    }
    tail.phase = step.phase;
    for entry in &step.effects.entries {
        if let Event::Entered { cause: Cause::Loaded { bottles }, .. } = entry.event {
            milk::draw(db, step.stamp, step.batch, step.at.ms(), bottles)?;
        }
    }
    if due.simulated {
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

/// A write transaction of statements that stay prepared. It is rolled back unless it is committed.
struct Prepared<'db>(&'db Connection);

impl<'db> Prepared<'db> {
    fn begin(db: &'db Connection) -> Result<Self, StoreError> {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self(db))
    }

    fn commit(self) -> Result<(), StoreError> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        // After some errors SQLite has rolled it back already.
        if !self.0.is_autocommit() {
            self.0.execute_batch("ROLLBACK").ok();
        }
    }
}

impl Store {
    /// Stores one step of the engine: input, samples, entries and, when it is time, a seal.
    ///
    /// # Errors
    /// An unknown or closed batch, a tick that does not come after the stored ones, or the disk.
    pub fn commit_step(&mut self, step: &Step<'_>) -> Result<(), StoreError> {
        let known = self.tails.get(step.batch).cloned();
        // Most steps are one row, and one statement is a transaction by itself. Within a longer one SQLite
        // also keeps what the statement changes, to undo it alone (https://sqlite.org/tempfiles.html, 2.5).
        let is_one_row = known.as_ref().is_some_and(|tail| Due::of(step, tail).nothing());
        let tx = if is_one_row { None } else { Some(Prepared::begin(&self.db)?) };
        let mut tail = match known {
            Some(tail) => tail,
            None => Tail::load(&self.db, step.batch)?,
        };
        let due = Due::of(step, &tail);
        write_step(&self.db, step, &mut tail)?;
        finish_step(&self.db, step, due, &mut tail)?;
        tx.map_or(Ok(()), Prepared::commit)?;
        match self.tails.get_mut(step.batch) {
            Some(kept) => *kept = tail,
            None => drop(self.tails.insert(step.batch.to_owned(), tail)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
