//! How the time of a batch stands to the computer's own clock: what an outage is measured by.
//!
//! **Terms.** The *boot-time clock* counts from the start of the computer, with what it slept; the
//! *boot id* names one such start. A *clock entry* of the journal says what the boot-time clock
//! showed at a moment of the batch, and how fast the batch's time goes on from there.

use holder_hal::Tick;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::Store;
use super::batches::id_of;
use super::error::{StoreError, garbled};
use super::journal::{self, Body, Kind, Place, Stamp};

/// A moment by the boot-time clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootMoment {
    /// The start of the computer from which it counts.
    pub boot_id: String,
    /// Since that start, milliseconds.
    pub since_boot_ms: u64,
}

/// What the boot-time clock showed at a moment of the batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockEntry {
    /// What it showed.
    #[serde(flatten)]
    pub moment: BootMoment,
    /// The moment of the batch, milliseconds on its own time.
    pub tick_ms: u64,
    /// Milliseconds of the batch in one of the clock: 1, or more on a simulated machine.
    pub speed: u32,
}

/// Writes a clock entry into the open transaction.
pub(super) fn append(
    db: &Connection,
    stamp: Stamp<'_>,
    batch: &str,
    entry: &ClockEntry,
) -> Result<(), StoreError> {
    let after = serde_json::to_value(entry).map_err(|error| garbled("clock", error))?;
    let place = Place::in_batch(Kind::Clock, batch, Some(entry.tick_ms));
    let body = Body::new("the computer's clock, against the batch's own time").after(after);
    journal::append(db, stamp, place, &body)?;
    Ok(())
}

impl Store {
    /// Records what the boot-time clock shows at a moment of the batch.
    ///
    /// # Errors
    /// No such batch, or the disk.
    pub fn note_clock(
        &mut self,
        stamp: Stamp<'_>,
        batch: &str,
        entry: &ClockEntry,
    ) -> Result<(), StoreError> {
        let tx = self.write()?;
        id_of(&tx, batch)?;
        append(&tx, stamp, batch, entry)?;
        tx.commit()?;
        Ok(())
    }

    /// The newest clock entry by which the input at `last` was timed; `None` if there is none, as when
    /// the time of the batch was virtual. One that lies after it is of a program that took the batch
    /// up and was ended before its first input: nothing was timed by it.
    ///
    /// # Errors
    /// No such batch, the disk, or an entry that cannot be understood.
    pub fn clock_of(&self, batch: &str, last: Tick) -> Result<Option<ClockEntry>, StoreError> {
        id_of(&self.db, batch)?;
        let last_ms = i64::try_from(last.ms()).unwrap_or(i64::MAX);
        let sql = "SELECT json_extract(body, '$.after') FROM journal \
                   WHERE batch = ?1 AND kind = ?2 AND json_extract(body, '$.after.tick_ms') <= ?3 \
                   ORDER BY seq DESC LIMIT 1";
        let found: Option<String> = self
            .db
            .query_row(sql, params![batch, Kind::Clock.word(), last_ms], |row| row.get(0))
            .optional()?;
        let read = |json: String| serde_json::from_str(&json);
        found.map(read).transpose().map_err(|error| garbled("clock", error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ANN, new, run, water_batch};
    use super::*;

    #[test]
    fn the_newest_clock_entry_that_timed_an_input_counts_and_the_journal_keeps_them_all() {
        let (_dir, _path, mut store) = new();
        let (batch, _) = run(&mut store, &water_batch(), 3);
        let at = |store: &Store, ms| store.clock_of(&batch, Tick::from_ms(ms)).expect("read");
        assert_eq!(at(&store, 8_000), None);
        let entry = |tick_ms, since_boot_ms| ClockEntry {
            moment: BootMoment { boot_id: "b1".into(), since_boot_ms },
            tick_ms,
            speed: 1,
        };
        for one in [entry(0, 5_000), entry(9_000, 99_000)] {
            store.note_clock(ANN, &batch, &one).expect("kept");
        }
        assert_eq!(at(&store, 9_000), Some(entry(9_000, 99_000)));
        assert_eq!(at(&store, 8_000), Some(entry(0, 5_000)), "the second timed nothing yet");
        store.verify(None).expect("verifies");
        assert!(store.note_clock(ANN, "B-0", &entry(0, 0)).is_err());
    }
}
