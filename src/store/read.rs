//! A batch as it is read: for the list, for the judge, for the record, for a replay.

use holder_hal::Tick;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::Value;

use super::Store;
use super::batches::id_of;
use super::error::{StoreError, garbled};
use super::journal::{self, Hash, Kind, Row, hex};
use super::milk;
use super::model::{
    BatchHeader, BatchRecord, Closing, FrozenText, Period, Remark, StampedAction, StampedEntry,
};
use super::samples;
use super::seal::{self, InputRow, READING};
use crate::batch::event::{Action, Input};
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;

/// The stable word of a closing.
pub(super) const fn closing_word(closing: Closing) -> &'static str {
    match closing {
        Closing::Ended => "ended",
        Closing::Interrupted => "interrupted",
    }
}

const HEADER: &str = "SELECT code, unit, purpose, simulated, recipe, pool, bottles, operator, \
     started_utc_ms, closed_utc_ms, closing, phase, engine_accepts, bottle_ul, reserved_ul, volume_ul, \
     verdict FROM batches";

/// Milk of a batch, microlitres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct MilkOfBatch {
    /// Held for the batch until its bottles are in.
    pub(super) reserved_ul: i64,
    /// Drawn from the pool.
    pub(super) volume_ul: i64,
}

/// One row of `batches`.
struct HeaderRow {
    header: BatchHeader,
    milk: MilkOfBatch,
    verdict: Option<String>,
}

fn header_row(row: &rusqlite::Row<'_>) -> Result<HeaderRow, StoreError> {
    let code: String = row.get(0)?;
    let what = || format!("batch {code}");
    let purpose = match row.get::<_, String>(2)?.as_str() {
        "milk" => Purpose::Milk,
        "water" => Purpose::Water,
        other => return Err(garbled(what(), format!("purpose `{other}`"))),
    };
    let closing = match row.get::<_, Option<String>>(10)?.as_deref() {
        None => None,
        Some("ended") => Some(Closing::Ended),
        Some("interrupted") => Some(Closing::Interrupted),
        Some(other) => return Err(garbled(what(), format!("closing `{other}`"))),
    };
    let phase: String = row.get(11)?;
    let phase =
        PhaseName::from_word(&phase).ok_or_else(|| garbled(what(), format!("phase `{phase}`")))?;
    let header = BatchHeader {
        unit: row.get(1)?,
        purpose,
        simulated: row.get(3)?,
        recipe: row.get(4)?,
        pool: row.get(5)?,
        bottles: row.get(6)?,
        bottle_ul: row.get(13)?,
        operator: row.get(7)?,
        started_utc_ms: row.get(8)?,
        closed_utc_ms: row.get(9)?,
        closing,
        phase,
        engine_accepts: row.get(12)?,
        code,
    };
    let milk = MilkOfBatch { reserved_ul: row.get(14)?, volume_ul: row.get(15)? };
    Ok(HeaderRow { header, milk, verdict: row.get(16)? })
}

/// The first pages that `filter` (a WHERE clause or nothing) lets through, oldest first.
pub(super) fn headers(db: &Connection, filter: &str) -> Result<Vec<BatchHeader>, StoreError> {
    let mut select = db.prepare_cached(&format!("{HEADER} {filter} ORDER BY id"))?;
    let mut rows = select.query([])?;
    let mut headers = Vec::new();
    while let Some(row) = rows.next()? {
        headers.push(header_row(row)?.header);
    }
    Ok(headers)
}

fn one(db: &Connection, code: &str) -> Result<HeaderRow, StoreError> {
    let mut select = db.prepare_cached(&format!("{HEADER} WHERE code = ?"))?;
    let mut rows = select.query([code])?;
    match rows.next()? {
        Some(row) => header_row(row),
        None => Err(StoreError::NoBatch(code.to_owned())),
    }
}

/// The first page of one batch.
pub(super) fn header(db: &Connection, code: &str) -> Result<BatchHeader, StoreError> {
    Ok(one(db, code)?.header)
}

/// The whole row of a batch as the journal keeps it.
pub(super) fn batch_state(db: &Connection, code: &str) -> Result<Value, StoreError> {
    #[derive(Serialize)]
    struct State<'a> {
        #[serde(flatten)]
        header: &'a BatchHeader,
        #[serde(flatten)]
        milk: MilkOfBatch,
        verdict: Option<Value>,
    }
    let row = one(db, code)?;
    let verdict = row.verdict.as_deref().map(serde_json::from_str).transpose();
    let verdict = verdict.map_err(|error| garbled(format!("verdict of batch {code}"), error))?;
    let state = State { header: &row.header, milk: row.milk, verdict };
    serde_json::to_value(state).map_err(|error| garbled(format!("batch {code}"), error))
}

/// The frozen texts of a batch, in the order in which they were given.
pub(super) fn texts(db: &Connection, id: i64) -> Result<Vec<FrozenText>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT kind, name, sha256, text FROM batch_texts JOIN texts USING (sha256) \
         WHERE batch = ? ORDER BY position",
    )?;
    let rows = select.query_map([id], |row| {
        Ok(FrozenText {
            kind: row.get(0)?,
            name: row.get(1)?,
            sha256: hex(&row.get::<_, Hash>(2)?),
            text: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn frozen_params(db: &Connection, id: i64) -> Result<BatchParams, StoreError> {
    let json: Option<String> = db
        .query_row("SELECT json FROM params WHERE batch = ?", [id], |row| row.get(0))
        .optional()?;
    let json = json.ok_or_else(|| garbled("parameters", "their row is missing"))?;
    serde_json::from_str(&json).map_err(|error| garbled("parameters", error))
}

/// The engine's entries of a batch, in order.
fn entries(db: &Connection, code: &str) -> Result<Vec<StampedEntry>, StoreError> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {} FROM journal WHERE batch = ?1 AND kind = ?2 ORDER BY seq",
        Row::COLUMNS
    ))?;
    let mut rows = select.query(params![code, Kind::Event.word()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let row = Row::read(row)?;
        let after = row.body()?.after.unwrap_or_default();
        let Row { seq, utc_ms, who, .. } = row;
        let entry =
            serde_json::from_value(after).map_err(|e| garbled(format!("entry {seq}"), e))?;
        entries.push(StampedEntry { seq, utc_ms, who, entry });
    }
    Ok(entries)
}

/// What the loop had to say of a batch, in order.
fn remarks(db: &Connection, code: &str) -> Result<Vec<Remark>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT seq, tick_ms, utc_ms, json_extract(body, '$.what') FROM journal \
         WHERE batch = ?1 AND kind = ?2 ORDER BY seq",
    )?;
    let remark = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
    };
    let found = query.query_map(params![code, Kind::Remark.word()], remark)?;
    found
        .map(|row| {
            let (seq, tick_ms, utc_ms, text) = row?;
            Ok(Remark { seq, tick_ms: samples::tick(tick_ms)?.ms(), utc_ms, text })
        })
        .collect()
}

/// Room for a batch of two hours, so that no long list is moved while it grows.
const INPUTS_USUAL: usize = 8_000;

/// What came to the engine, in the forms in which it is read.
struct Came {
    inputs: Vec<(Tick, Input)>,
    /// The readings, with what answered them.
    periods: Vec<Period>,
    /// The actions that the engine did not refuse.
    actions: Vec<StampedAction>,
}

impl Came {
    /// Everything that came in a batch, in order; `each` is given every row of it, too.
    fn read(
        db: &Connection,
        id: i64,
        mut each: impl FnMut(&InputRow<'_>),
    ) -> Result<Self, StoreError> {
        let mut came = Self {
            inputs: Vec::with_capacity(INPUTS_USUAL),
            periods: Vec::with_capacity(INPUTS_USUAL),
            actions: Vec::new(),
        };
        seal::each_input(db, id, 0, |row| {
            each(row);
            came.take(row)
        })?;
        Ok(came)
    }

    fn take(&mut self, row: &InputRow<'_>) -> Result<(), StoreError> {
        let at = samples::tick(row.tick_ms)?;
        let input = match (row.kind, row.action) {
            (READING, _) => {
                let period = row.samples.period(at)?;
                self.periods.push(period);
                Input::Reading(period.reading)
            }
            ("operator", Some(action)) => {
                let action: Action =
                    serde_json::from_str(action).map_err(|error| garbled("action", error))?;
                if row.refused.is_none() {
                    let (utc_ms, who, action) = (row.utc_ms, row.who.to_owned(), action.clone());
                    self.actions.push(StampedAction { tick_ms: at.ms(), utc_ms, who, action });
                }
                Input::Operator(action)
            }
            ("wake", _) => Input::Wake,
            (kind, _) => return Err(garbled(format!("input {}", row.n), format!("kind {kind}"))),
        };
        self.inputs.push((at, input));
        Ok(())
    }
}

impl Store {
    /// The first page of every batch, oldest first.
    ///
    /// # Errors
    /// The disk, or a row that cannot be understood.
    pub fn batches(&self) -> Result<Vec<BatchHeader>, StoreError> {
        headers(&self.db, "")
    }

    /// The batches whose record is not closed: running, or interrupted.
    ///
    /// # Errors
    /// The disk, or a row that cannot be understood.
    pub fn open_batches(&self) -> Result<Vec<BatchHeader>, StoreError> {
        headers(&self.db, "WHERE closed_utc_ms IS NULL")
    }

    /// The first page of one batch.
    ///
    /// # Errors
    /// No such batch, the disk, or a row that cannot be understood.
    pub fn batch(&self, code: &str) -> Result<BatchHeader, StoreError> {
        header(&self.db, code)
    }

    /// The verdict that was kept when the batch was closed.
    ///
    /// # Errors
    /// No such batch, the disk, or a verdict that cannot be understood.
    pub fn verdict_of(&self, code: &str) -> Result<Option<Value>, StoreError> {
        let verdict = one(&self.db, code)?.verdict;
        let verdict = verdict.as_deref().map(serde_json::from_str).transpose();
        verdict.map_err(|error| garbled(format!("verdict of batch {code}"), error))
    }

    /// Whether the first page of a closed batch, its verdict included, is what the journal has of
    /// its closing: what a list shows without the proof of [`Store::batch_fits`]. True while it is open.
    ///
    /// # Errors
    /// No such batch, the disk, or something stored that cannot be understood.
    pub fn closing_fits(&self, code: &str) -> Result<bool, StoreError> {
        let db = &self.db.unchecked_transaction()?;
        if header(db, code)?.closed_utc_ms.is_none() {
            return Ok(true);
        }
        let sql = format!(
            "SELECT {} FROM journal WHERE batch = ? AND kind IN (?, ?) ORDER BY seq DESC LIMIT 1",
            Row::COLUMNS
        );
        let mut select = db.prepare_cached(&sql)?;
        let kinds = [Kind::BatchChanged, Kind::BatchClosed].map(Kind::word);
        let last = select.query_row([code, kinds[0], kinds[1]], Row::read).optional()?;
        let said = last.map(|row| row.body()).transpose()?.and_then(|body| body.after);
        Ok(said == Some(batch_state(db, code)?))
    }

    /// How many bottles of a batch were confirmed to be in, the control bottle not counted; `None` before
    /// that. It may be another number than was told at the start.
    ///
    /// # Errors
    /// The disk, or an entry that cannot be understood.
    pub fn bottles_in(&self, code: &str) -> Result<Option<u16>, StoreError> {
        let entries = entries(&self.db, code)?;
        Ok(entries.iter().find_map(|stamped| stamped.entry.event.loaded()))
    }

    /// Everything that a judge or a reader needs of one batch, as of one moment.
    ///
    /// # Errors
    /// No such batch, the disk, or something stored that cannot be understood.
    pub fn load_batch(&self, code: &str) -> Result<BatchRecord, StoreError> {
        Ok(self.load_to_replay(code)?.0)
    }

    /// The same, with every input of the engine in order.
    ///
    /// # Errors
    /// As [`Store::load_batch`].
    pub fn load_to_replay(
        &self,
        code: &str,
    ) -> Result<(BatchRecord, Vec<(Tick, Input)>), StoreError> {
        self.load_each(&*self.db.unchecked_transaction()?, code, |_| ())
    }

    /// The same in a transaction that is open; `each` is given every row of the inputs, too.
    pub(super) fn load_each(
        &self,
        db: &Connection,
        code: &str,
        each: impl FnMut(&InputRow<'_>),
    ) -> Result<(BatchRecord, Vec<(Tick, Input)>), StoreError> {
        let id = id_of(db, code)?;
        let Came { inputs, periods, actions } = Came::read(db, id, each)?;
        let mut header = header(db, code)?;
        header.simulated |= periods.iter().any(|period| period.reading.simulated);
        let pool = header.pool.as_deref().map(|pool| milk::pool_record(db, pool)).transpose()?;
        let head = journal::head(db)?;
        let record = BatchRecord {
            header,
            station: self.station.name.clone(),
            time_zone: self.station.time_zone.clone(),
            params: frozen_params(db, id)?,
            texts: texts(db, id)?,
            periods,
            entries: entries(db, code)?,
            actions,
            remarks: remarks(db, code)?,
            pool,
            head_seq: head.seq,
            head_hash: head.hash(),
        };
        Ok((record, inputs))
    }
}
