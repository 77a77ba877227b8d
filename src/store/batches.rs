//! Starting and closing a batch.

use holder_hal::Tick;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::Store;
use super::clock::{self, ClockEntry};
use super::error::{StoreError, garbled};
use super::journal::{self, Body, Kind, Place, Stamp, hex, sha256};
use super::model::{Closing, FrozenText};
use super::read;
use super::step::{self, Tail};
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;
use crate::milk::ml;

/// What a batch begins with. Unit, purpose and recipe are those of `params`.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Whether anything in it comes from a machine that is not real.
    pub simulated: bool,
    /// The pool's code; required for milk, refused for water.
    pub pool: Option<String>,
    /// Bottles, the control bottle not counted.
    pub bottles: u16,
    /// Milk or water in each bottle, microlitres. `bottles` times this is held for the batch; what is
    /// drawn from the pool is this times the bottles that are confirmed to be in. Of water it is
    /// kept only: a mapping holds for one volume.
    pub bottle_ul: i64,
    /// Who starts it.
    pub operator: String,
    /// Wall-clock time of tick 0, milliseconds since 1970 UTC.
    pub started_utc_ms: i64,
    /// What is frozen.
    pub params: BatchParams,
    /// The texts that are frozen with it; an empty `sha256` is filled in.
    pub texts: Vec<FrozenText>,
    /// What the computer's clock shows; `None` where time is virtual.
    pub clock: Option<ClockEntry>,
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

/// The row number of a batch.
pub(super) fn id_of(db: &Connection, code: &str) -> Result<i64, StoreError> {
    db.prepare_cached("SELECT id FROM batches WHERE code = ?")?
        .query_row([code], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::NoBatch(code.to_owned()))
}

/// What sets the codes of a restored station apart: batches that the lost one ran after its backup
/// have labels in the freezer, and none of their codes may name another batch.
fn restored_mark(db: &Connection) -> Result<String, StoreError> {
    let mark: Option<String> = db
        .prepare_cached(
            "SELECT hex(substr(hash, 1, 2)) FROM journal WHERE batch IS NULL AND kind = ? \
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([Kind::Restored.word()], |row| row.get(0))
        .optional()?;
    Ok(mark.map_or_else(String::new, |digits| format!("R{digits}-")))
}

/// The code after the last one of the year: `B-2026-0001`; in a restored station `B-2026-R7F3A-0001`.
fn next_code(db: &Connection, year: i16) -> Result<String, StoreError> {
    let prefix = format!("B-{year:04}-{}", restored_mark(db)?);
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

/// What a closing says of milk that was held for the batch and never loaded.
fn given_back(db: &Connection, id: i64) -> Result<String, StoreError> {
    let sql = "SELECT reserved_ul, pool FROM batches WHERE id = ?";
    let (reserved_ul, pool): (i64, Option<String>) =
        db.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let pool = pool.filter(|_| reserved_ul > 0);
    Ok(pool.map_or_else(String::new, |pool| {
        format!("; nothing was loaded, {} ml stay in pool {pool}", ml(reserved_ul))
    }))
}

impl Store {
    /// Starts a batch: checks its pool again and holds its milk, freezes what decides its verdict,
    /// and gives its code.
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
        let reserved_ul = super::milk::check_start(&tx, new, today)?;
        let code = next_code(&tx, today.year())?;
        tx.execute(
            "INSERT INTO batches (code, unit, purpose, simulated, recipe, pool, bottles, bottle_ul, \
             reserved_ul, volume_ul, operator, started_utc_ms, phase) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
            params![
                code,
                unit,
                new.params.purpose.word(),
                new.simulated || new.params.simulated,
                new.params.recipe.name,
                new.pool,
                new.bottles,
                new.bottle_ul,
                reserved_ul,
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
        let body = Body::new(what).after(after).by_this_program();
        journal::append(&tx, stamp, place, &body)?;
        if let Some(entry) = &new.clock {
            clock::append(&tx, stamp, &code, entry)?;
        }
        tx.commit()?;
        Ok(code)
    }

    /// Records what the station's loop has to say of a batch: heat that was withheld, a command
    /// that did not arrive.
    ///
    /// # Errors
    /// No such batch, or the disk.
    pub fn remark(
        &mut self,
        stamp: Stamp<'_>,
        batch: &str,
        at: Tick,
        text: &str,
    ) -> Result<(), StoreError> {
        let tx = self.write()?;
        id_of(&tx, batch)?;
        let place = Place::in_batch(Kind::Remark, batch, Some(at.ms()));
        journal::append(&tx, stamp, place, &Body::new(text))?;
        tx.commit()?;
        Ok(())
    }

    /// Seals what is left and closes the record of a batch. Milk that was held for it and never
    /// loaded goes back to its pool.
    ///
    /// # Errors
    /// An unknown or closed batch, or the disk.
    pub fn close_batch(&mut self, close: &Close<'_>) -> Result<(), StoreError> {
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut tail = Tail::load(&tx, close.batch)?;
        step::append_seal(&tx, close.stamp, close.batch, &mut tail)?;
        let before = read::batch_state(&tx, close.batch)?;
        let back = given_back(&tx, tail.id)?;
        tx.execute(
            "UPDATE batches SET closed_utc_ms = ?, closing = ?, phase = ?, engine_accepts = ?, \
             verdict = ?, reserved_ul = 0 WHERE id = ?",
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
        let body = Body::new(format!("{what}{back}")).before(before).after(after).by_this_program();
        journal::append(&tx, close.stamp, place, &body)?;
        tx.commit()?;
        self.tails.remove(close.batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
