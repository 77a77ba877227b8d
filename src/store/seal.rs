//! Sealing: the hash over a block of inputs and their samples.
//!
//! **Terms.** A *block* is a run of inputs, in order, with the samples of its readings; its
//! *seal* is the entry of the journal that says how far it goes and what its hash is.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::journal::{Canon, hex};
use super::samples::{self, Cell};

/// One row of `inputs`.
#[derive(Clone, Debug)]
pub(super) struct InputRow {
    pub(super) n: i64,
    pub(super) tick_ms: i64,
    pub(super) utc_ms: i64,
    pub(super) kind: String,
    pub(super) who: String,
    pub(super) action: Option<String>,
    pub(super) refused: Option<String>,
}

impl InputRow {
    pub(super) fn insert(&self, db: &Connection, batch: i64) -> Result<(), StoreError> {
        db.prepare_cached(
            "INSERT INTO inputs (batch, n, tick_ms, utc_ms, kind, who, action, refused) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            batch,
            self.n,
            self.tick_ms,
            self.utc_ms,
            self.kind,
            self.who,
            self.action,
            self.refused
        ])?;
        Ok(())
    }

    /// The inputs after number `after`, in order.
    pub(super) fn after(db: &Connection, batch: i64, after: i64) -> Result<Vec<Self>, StoreError> {
        let mut select = db.prepare_cached(
            "SELECT n, tick_ms, utc_ms, kind, who, action, refused FROM inputs \
             WHERE batch = ?1 AND n > ?2 ORDER BY n",
        )?;
        let rows = select.query_map(params![batch, after], |row| {
            Ok(Self {
                n: row.get(0)?,
                tick_ms: row.get(1)?,
                utc_ms: row.get(2)?,
                kind: row.get(3)?,
                who: row.get(4)?,
                action: row.get(5)?,
                refused: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
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
    /// Of the inputs and samples, hexadecimal.
    pub(super) sha256: String,
}

/// A block that grows until it is sealed.
#[derive(Clone)]
pub(super) struct Block {
    canon: Canon,
    ends: Option<(i64, i64, i64, i64)>,
    rows: i64,
}

impl Block {
    pub(super) fn new() -> Self {
        Self { canon: Canon::new("holder block 1"), ends: None, rows: 0 }
    }

    /// Adds one input with the samples of its reading (none for any other input).
    pub(super) fn add(&mut self, input: &InputRow, cells: &[Cell]) {
        let canon = &mut self.canon;
        canon.int(Some(input.n));
        canon.int(Some(input.tick_ms));
        canon.int(Some(input.utc_ms));
        canon.text(Some(&input.kind));
        canon.text(Some(&input.who));
        canon.text(input.action.as_deref());
        canon.text(input.refused.as_deref());
        canon.int(i64::try_from(cells.len()).ok());
        for cell in cells {
            cell.hash(canon);
            self.rows += 1;
        }
        let (first, first_tick_ms, ..) = self.ends.unwrap_or((input.n, input.tick_ms, 0, 0));
        self.ends = Some((first, first_tick_ms, input.n, input.tick_ms));
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
        let sha256 = hex(&self.canon.clone().finish());
        Some(Seal { first_input, last_input, first_tick_ms, last_tick_ms, rows: self.rows, sha256 })
    }
}

/// Every input of a batch with its cells, from the file, in order.
pub(super) fn each_input(
    db: &Connection,
    batch: i64,
    after: i64,
    mut each: impl FnMut(&InputRow, &[Cell]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for input in &InputRow::after(db, batch, after)? {
        let cells = match input.kind.as_str() {
            "reading" => samples::of_tick(db, batch, input.tick_ms)?,
            _ => Vec::new(),
        };
        each(input, &cells)?;
    }
    Ok(())
}
