//! What is remembered: one SQLite file per station, with the journal as the truth.
//!
//! **Terms.** The *journal* is append-only and hash-chained. *Inputs* are what the engine
//! was given, a reading with its *samples*, raw, each under a running hash; every 60 s and at each
//! transition they are *sealed*: the running hash goes into the journal. A *projection* is a table
//! that could be made again from the journal (donors, pools, batches); it is written in the same
//! transaction as its entry. A method that returns
//! `Ok` has its effect on the disk (WAL, `synchronous=FULL`); one that returns `Err` has none.
//!
//! | file | holds |
//! |---|---|
//! | `schema` | making, recognising and upgrading the file |
//! | `journal` | entries and their hash chain |
//! | `samples` | one control period as columns |
//! | `seal` | inputs, and the running hash over them |
//! | `entries` | single entries of the journal |
//! | `batches` | starting and closing a batch |
//! | `clock` | how a batch's own time stands to the computer's |
//! | `step` | storing one step of the engine |
//! | `read` | a batch as it is read |
//! | `made_by` | which programs made the record of a batch |
//! | `milk` | donors, deposits, pools |
//! | `memory` | a station that is on no disk, for the soak |
//! | `station` | the station and its users |
//! | `verify` | recomputing everything |
//! | `disk` | a disk that fails, told from a file that is damaged |
//! | `copy` | one database copied into another file, page by page |
//! | `backup` | a copy in one file, while others write |
//! | `restore` | a new station from such a copy |
//! | `stats` | how much is stored |
//! | `replay` | the stored inputs give all that is stored of the engine |
//! | `thread` | the store on its own thread |

mod backup;
mod batches;
mod clock;
mod copy;
mod disk;
mod entries;
mod error;
#[cfg(test)]
mod fixture;
mod journal;
mod made_by;
mod memory;
mod milk;
pub mod model;
mod read;
mod replay;
mod restore;
mod samples;
mod schema;
mod seal;
mod station;
mod stats;
mod step;
mod thread;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use backup::{BackupMade, KeptFile};
pub use batches::{Close, NewBatch};
pub use clock::{BootMoment, ClockEntry};
pub use copy::{CopyError, Progress};
pub use entries::JournalEntry;
pub use error::{StoreError, when_damaged};
pub use journal::{Body, Head, Stamp};
pub(crate) use journal::{hex, sha256};
pub use made_by::{MadeBy, MadeStep, made_by_alone, made_by_words};
pub use milk::{DepositShown, PoolShown};
pub use replay::{ReplayMisfit, replay, revive};
pub use restore::{Restored, Staged};
pub use station::Station;
pub use stats::{BackupNoted, Stats};
pub use step::Step;
pub use thread::StoreThread;
pub use verify::{Misfit, MisfitPlace, Proved, VerifyReport};

/// The station's memory: one connection.
pub struct Store {
    db: Connection,
    station: Station,
    /// Open batches that this connection steps, by code.
    tails: BTreeMap<String, step::Tail>,
}

impl Store {
    /// Makes a new file with its first entry.
    ///
    /// # Errors
    /// A file is there already, the name or time zone cannot be used, or the disk; no file
    /// remains then.
    pub fn create(path: &Path, station: &Station, who: &str) -> Result<Self, StoreError> {
        let db = schema::create(path, |db| station::found(db, station, who))?;
        Ok(Self { db, station: station.clone(), tails: BTreeMap::new() })
    }

    /// Opens a file to read and write; one of an older version is upgraded, after a copy.
    ///
    /// # Errors
    /// Not a file, not a database, another program's, a newer version's, locked, or read-only.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::from_connection(schema::open(path)?)
    }

    /// Opens a file only to read it.
    ///
    /// # Errors
    /// As [`Store::open`]; also an older version, which is left as it is.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::from_connection(schema::open_read_only(path)?)
    }

    fn from_connection(db: Connection) -> Result<Self, StoreError> {
        let station = station::read(&db)?;
        Ok(Self { db, station, tails: BTreeMap::new() })
    }

    /// The station that this file belongs to.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// The day in the station's time zone.
    ///
    /// # Errors
    /// A time outside of the calendar.
    pub fn day(&self, utc_ms: i64) -> Result<jiff::civil::Date, StoreError> {
        self.station.day(utc_ms)
    }

    /// The newest entry of the journal: its hash is printed on records and exports.
    ///
    /// # Errors
    /// The disk.
    pub fn head(&self) -> Result<Head, StoreError> {
        journal::head(&self.db)
    }

    /// Appends one entry of a kind that the store has no rule for; `batch` if it belongs to one.
    ///
    /// # Errors
    /// A kind that the store writes itself, an unknown batch, or the disk.
    pub fn append(
        &mut self,
        stamp: Stamp<'_>,
        kind: &str,
        subject: &str,
        batch: Option<&str>,
        body: &Body,
    ) -> Result<Head, StoreError> {
        if journal::Kind::from_word(kind).is_some() {
            return Err(StoreError::ReservedKind(kind.to_owned()));
        }
        let tx = self.write()?;
        if let Some(code) = batch {
            batches::id_of(&tx, code)?;
        }
        let place = journal::Place { kind, subject, batch, tick_ms: None };
        let head = journal::append(&tx, stamp, place, body)?;
        tx.commit()?;
        Ok(head)
    }

    /// A write transaction: the head of the chain cannot move under it.
    fn write(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.db.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}
