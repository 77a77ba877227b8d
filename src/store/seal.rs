//! Sealing: the hash over inputs.
//!
//! **Terms.** The *running hash* of an input covers all its columns, and the running hash of the
//! input before (zeroes before the first): it stands beside the input from the moment on in which
//! the input is stored. A *block* is a run of inputs, in order; its *seal* is the entry of the
//! journal that says how far it goes and what the running hash is there. The first input is a block of
//! its own: with its seal the journal says which running hash this batch begins with, and nothing fits
//! it that was stored of a batch which began otherwise.

use std::sync::LazyLock;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, garbled};
use super::journal::{Canon, GENESIS, Hash, hex};
use super::samples::{self, COLUMNS, Samples};

/// The stored word for a reading.
pub(super) const READING: &str = "reading";

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
    /// What was read, and what answered it; none but for a reading.
    pub(super) samples: Samples,
    /// The running hash after it, as it is stored.
    pub(super) running: Hash,
}

/// Columns of the table before the samples; the running hash comes after them.
const BEFORE_SAMPLES: usize = 8;

/// What tells, in the query without the rare columns, whether the row has any of them.
const ANY_RARE: usize = 8;

/// The inputs of a batch after a number, without and with the rare columns.
static SELECT: LazyLock<[String; 2]> = LazyLock::new(|| {
    let any_rare = format!("coalesce({})", samples::rare_names());
    [(false, any_rare.as_str()), (true, "NULL")].map(|(with_rare, any_rare)| {
        format!(
            "SELECT n, tick_ms, utc_ms, kind, who, action, refused, running, {any_rare}, {} \
             FROM inputs WHERE batch = ?1 AND n > ?2 ORDER BY n",
            samples::names(with_rare)
        )
    })
});

impl InputRow<'_> {
    pub(super) fn insert(&self, db: &Connection, batch: i64) -> Result<(), StoreError> {
        // Without the names of the columns, which stay as they are in a table that only grows.
        let mut insert = db.prepare_cached(
            "INSERT INTO inputs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,\
             ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        )?;
        insert.raw_bind_parameter(1, batch)?;
        insert.raw_bind_parameter(2, self.n)?;
        insert.raw_bind_parameter(3, self.tick_ms)?;
        insert.raw_bind_parameter(4, self.utc_ms)?;
        insert.raw_bind_parameter(5, self.kind)?;
        insert.raw_bind_parameter(6, self.who)?;
        insert.raw_bind_parameter(7, self.action)?;
        insert.raw_bind_parameter(8, self.refused)?;
        self.samples.bind(&mut insert, BEFORE_SAMPLES + 1)?;
        insert.raw_bind_parameter(BEFORE_SAMPLES + COLUMNS + 1, self.running)?;
        insert.raw_execute()?;
        Ok(())
    }

    /// Whether it is a reading, which has samples.
    pub(super) fn is_reading(&self) -> bool {
        self.kind == READING
    }

    /// The running hash that follows from `before` with this input.
    pub(super) fn hash(&self, before: &Hash) -> Hash {
        let mut canon = Canon::new("holder input 2");
        canon.bytes(Some(before));
        canon.int(Some(self.n));
        canon.int(Some(self.tick_ms));
        canon.int(Some(self.utc_ms));
        canon.text(Some(self.kind));
        canon.text(Some(self.who));
        canon.text(self.action);
        canon.text(self.refused);
        self.samples.hash(&mut canon);
        canon.finish()
    }
}

/// Every input of a batch after number `after`, from the file, in order.
///
/// It is read without the rare columns as far as they are NULL, and with them from the first row on
/// that has any.
pub(super) fn each_input(
    db: &Connection,
    batch: i64,
    after: i64,
    mut each: impl FnMut(&InputRow<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut last = after;
    for with_rare in [false, true] {
        let mut select = db.prepare_cached(&SELECT[usize::from(with_rare)])?;
        let mut rows = select.query([batch, last])?;
        loop {
            let Some(row) = rows.next()? else { return Ok(()) };
            if row.get_ref(ANY_RARE)? != ValueRef::Null {
                break;
            }
            let input = InputRow {
                n: row.get(0)?,
                tick_ms: row.get(1)?,
                utc_ms: row.get(2)?,
                kind: text(row, 3)?.ok_or_else(|| garbled("input", "no kind"))?,
                who: text(row, 4)?.ok_or_else(|| garbled("input", "nobody's"))?,
                action: text(row, 5)?,
                refused: text(row, 6)?,
                running: row.get(7)?,
                samples: Samples::read(row, ANY_RARE + 1, with_rare)?,
            };
            each(&input)?;
            last = input.n;
        }
    }
    Ok(())
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
    /// How many of them are readings.
    pub(super) readings: i64,
    /// The running hash after its last input, hexadecimal.
    pub(super) sha256: String,
}

/// A block that grows until it is sealed.
#[derive(Clone)]
pub(super) struct Block {
    running: Hash,
    ends: Option<(i64, i64, i64, i64)>,
    readings: i64,
}

impl Block {
    /// An empty one; `running` is the running hash before it.
    pub(super) const fn after(running: Hash) -> Self {
        Self { running, ends: None, readings: 0 }
    }

    /// Adds one input with its running hash.
    pub(super) fn add(&mut self, input: &InputRow<'_>) {
        self.running = input.running;
        self.readings = self.readings.saturating_add(i64::from(input.is_reading()));
        let (first, first_tick_ms, ..) = self.ends.unwrap_or((input.n, input.tick_ms, 0, 0));
        self.ends = Some((first, first_tick_ms, input.n, input.tick_ms));
    }

    /// The running hash after its last input.
    pub(super) const fn running(&self) -> &Hash {
        &self.running
    }

    /// How long the block is, from its first tick to that of an input which would be its next.
    pub(super) fn span_ms(&self, next_tick_ms: u64) -> u64 {
        let first = self.ends.and_then(|(_, first_tick_ms, ..)| u64::try_from(first_tick_ms).ok());
        first.map_or(0, |first| next_tick_ms.saturating_sub(first))
    }

    /// Whether it has no input.
    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// Readings in it.
    pub(super) const fn readings(&self) -> i64 {
        self.readings
    }

    /// What the sealing entry says; `None` when the block is empty.
    pub(super) fn seal(&self) -> Option<Seal> {
        let (first_input, first_tick_ms, last_input, last_tick_ms) = self.ends?;
        let sha256 = hex(&self.running);
        let readings = self.readings;
        Some(Seal { first_input, last_input, first_tick_ms, last_tick_ms, readings, sha256 })
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
