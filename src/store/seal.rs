//! Sealing: the hash over inputs and their samples.
//!
//! **Terms.** The *running hash* of an input covers it, its samples, and the running hash of the
//! input before (zeroes before the first): it stands beside the input from the moment on in which
//! the input is stored. A *block* is a run of inputs, in order; its *seal* is the entry of the
//! journal that says how far it goes and what the running hash is there.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, garbled};
use super::journal::{Canon, GENESIS, Hash, hex};
use super::samples::{Cursor, Row};

/// One row of `inputs`.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputRow<'a> {
    pub(super) n: i64,
    pub(super) tick_ms: i64,
    pub(super) utc_ms: i64,
    pub(super) kind: &'a str,
    pub(super) who: &'a str,
    pub(super) action: Option<&'a str>,
    pub(super) refused: Option<&'a str>,
    /// The running hash after it, as it is stored.
    pub(super) running: Hash,
}

impl InputRow<'_> {
    pub(super) fn insert(&self, db: &Connection, batch: i64) -> Result<(), StoreError> {
        db.prepare_cached(
            "INSERT INTO inputs (batch, n, tick_ms, utc_ms, kind, who, action, refused, running) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            batch,
            self.n,
            self.tick_ms,
            self.utc_ms,
            self.kind,
            self.who,
            self.action,
            self.refused,
            self.running
        ])?;
        Ok(())
    }

    /// The running hash that follows from `before` with this input and its samples.
    pub(super) fn hash(&self, before: &Hash, samples: Option<&Row>) -> Hash {
        let mut canon = Canon::new("holder input 2");
        canon.bytes(Some(before));
        canon.int(Some(self.n));
        canon.int(Some(self.tick_ms));
        canon.int(Some(self.utc_ms));
        canon.text(Some(self.kind));
        canon.text(Some(self.who));
        canon.text(self.action);
        canon.text(self.refused);
        canon.int(Some(i64::from(samples.is_some())));
        if let Some(row) = samples {
            row.hash(&mut canon);
        }
        canon.finish()
    }

    /// Every input after number `after`, in order.
    pub(super) fn each_after(
        db: &Connection,
        batch: i64,
        after: i64,
        mut each: impl FnMut(&InputRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut select = db.prepare_cached(
            "SELECT n, tick_ms, utc_ms, kind, who, action, refused, running FROM inputs \
             WHERE batch = ?1 AND n > ?2 ORDER BY n",
        )?;
        let mut rows = select.query([batch, after])?;
        while let Some(row) = rows.next()? {
            each(&InputRow {
                n: row.get(0)?,
                tick_ms: row.get(1)?,
                utc_ms: row.get(2)?,
                kind: text(row, 3)?.ok_or_else(|| garbled("input", "no kind"))?,
                who: text(row, 4)?.ok_or_else(|| garbled("input", "nobody's"))?,
                action: text(row, 5)?,
                refused: text(row, 6)?,
                running: row.get(7)?,
            })?;
        }
        Ok(())
    }
}

fn text<'row>(
    row: &'row rusqlite::Row<'_>,
    column: usize,
) -> Result<Option<&'row str>, StoreError> {
    row.get_ref(column)?.as_str_or_null().map_err(|error| garbled("input", error))
}

/// What a sealing entry says of its block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    pub(super) first_input: i64,
    pub(super) last_input: i64,
    pub(super) first_tick_ms: i64,
    pub(super) last_tick_ms: i64,
    /// Rows of samples.
    pub(super) rows: i64,
    /// The running hash after its last input, hexadecimal.
    pub(super) sha256: String,
}

/// A block that grows until it is sealed.
#[derive(Clone)]
pub(super) struct Block {
    running: Hash,
    ends: Option<(i64, i64, i64, i64)>,
    rows: i64,
}

impl Block {
    /// An empty one; `running` is the running hash before it.
    pub(super) const fn after(running: Hash) -> Self {
        Self { running, ends: None, rows: 0 }
    }

    /// Adds one input with its running hash, and whether it has samples.
    pub(super) fn add(&mut self, input: &InputRow<'_>, has_samples: bool) {
        self.running = input.running;
        self.rows = self.rows.saturating_add(i64::from(has_samples));
        let (first, first_tick_ms, ..) = self.ends.unwrap_or((input.n, input.tick_ms, 0, 0));
        self.ends = Some((first, first_tick_ms, input.n, input.tick_ms));
    }

    /// The running hash after its last input.
    pub(super) const fn running(&self) -> &Hash {
        &self.running
    }

    /// How long the block is, from its first to its last tick; `None` when it is empty.
    pub(super) fn span_ms(&self) -> Option<i64> {
        self.ends.map(|(_, first, _, last)| last.saturating_sub(first))
    }

    /// Whether it has no input.
    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// Rows of samples in it.
    pub(super) const fn rows(&self) -> i64 {
        self.rows
    }

    /// What the sealing entry says; `None` when the block is empty.
    pub(super) fn seal(&self) -> Option<Seal> {
        let (first_input, first_tick_ms, last_input, last_tick_ms) = self.ends?;
        let sha256 = hex(&self.running);
        Some(Seal { first_input, last_input, first_tick_ms, last_tick_ms, rows: self.rows, sha256 })
    }
}

/// The running hash of input number `n` as it is stored; zeroes before the first.
pub(super) fn running_at(db: &Connection, batch: i64, n: i64) -> Result<Hash, StoreError> {
    let stored = db
        .query_row("SELECT running FROM inputs WHERE batch = ? AND n = ?", [batch, n], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(stored.unwrap_or(GENESIS))
}

/// Every input of a batch with its samples, from the file, in order. A reading whose tick lies
/// before that of an input before it, which nobody wrote, comes without, and so fits no hash.
pub(super) fn each_input(
    db: &Connection,
    batch: i64,
    after: i64,
    mut each: impl FnMut(&InputRow<'_>, Option<&Row>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let from_ms: Option<i64> = db
        .prepare_cached(
            "SELECT tick_ms FROM inputs WHERE batch = ?1 AND n > ?2 ORDER BY n LIMIT 1",
        )?
        .query_row([batch, after], |row| row.get(0))
        .optional()?;
    let Some(from_ms) = from_ms else { return Ok(()) };
    let mut select = db.prepare_cached(Cursor::select())?;
    let mut cursor = Cursor::begin(&mut select, batch, from_ms)?;
    InputRow::each_after(db, batch, after, |input| {
        let samples = match input.kind {
            "reading" => cursor.of_tick(input.tick_ms)?,
            _ => None,
        };
        each(input, samples)
    })
}
