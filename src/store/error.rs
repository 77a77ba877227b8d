//! Why the store did not do what was asked: what happened, to what, what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::invocation;
use crate::milk::Refusal;

/// SQLite's code for a statement that does not fit the schema.
const SQLITE_ERROR: std::ffi::c_int = rusqlite::ffi::SQLITE_ERROR;

/// Why the store did not do what was asked. Nothing was half-written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No file there.
    #[error(
        "{} does not exist. If this station ever ran, its record is missing: look for it first, on \
         its disk, under another name, with --dir in another folder; or make the station anew from \
         its newest backup: holder db restore BACKUP NEW-FOLDER. Only for a station that never ran: \
         `{}`, which makes a new one, or with --keep the missing file for the station.toml that is \
         there",
        .0.display(),
        founding(.0)
    )]
    Missing(PathBuf),
    /// A file is in the way of a new station.
    #[error("{} exists already; choose another folder, or use the station that is there", .0.display())]
    Exists(PathBuf),
    /// A directory or something else that is no file.
    #[error("{} is not a file; name the station's folder or its holder.db", .0.display())]
    NotAFile(PathBuf),
    /// Not SQLite.
    #[error(
        "{} is not a database, or its beginning is lost; it was not touched; if another folder was \
         meant, name it with --dir", .0.display()
    )]
    NotADatabase(PathBuf),
    /// A database of another program.
    #[error(
        "{} belongs to another program (application id {application_id:#010x}); it was not \
         touched; name the folder of a station", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        application_id: u32,
    },
    /// Written by a newer version of this program.
    #[error(
        "{} has schema version {found}, but this program knows up to {known}; it was not touched; \
         install the newer holder", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// Of an older version, opened only to be read.
    #[error(
        "{} has schema version {found}, but this program needs {known}; open it with a command that \
         writes, which brings it up to date (a copy is made first)", path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is needed.
        known: u32,
    },
    /// A version that no migration ever had.
    #[error(
        "{} says that it has schema version {found}, which no holder ever wrote: the file is \
         damaged, or not ours; it was not touched", path.display()
    )]
    NoVersion {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: i64,
    },
    /// Of a version from before the first release, with batches in it.
    #[error(
        "{} has schema version {found}, from before the first release, and batch {batch} in it, whose \
         seals cover the samples in the form that they had then; it was not touched; read it with the \
         holder that wrote it, and make a new station for this one with `holder init`",
        path.display()
    )]
    NotUpgradable {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The first batch in it.
        batch: String,
    },
    /// To be upgraded while a batch is open.
    #[error(
        "{} has schema version {found} and the open batch {batch}; it was not upgraded; finish or \
         close the batch with the holder that started it, then upgrade", path.display()
    )]
    UpgradeInBatch {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The open batch.
        batch: String,
    },
    /// The file cannot even be read.
    #[error("{} may not be read by this user; ask the person who runs the station", .0.display())]
    NotReadable(PathBuf),
    /// The newest entries are in a log that cannot be opened without write permission.
    #[error(
        "{} cannot be read whole: its newest entries are in the -wal file beside it, and its folder \
         cannot be written; copy holder.db and holder.db-wal together into a folder of your own \
         and read them there", .0.display()
    )]
    LogBeside(PathBuf),
    /// Another program holds the database.
    #[error("the database is in use by another program; wait until it has finished, or stop it")]
    Locked,
    /// The file or its folder cannot be written.
    #[error("the database cannot be written; check the permissions of holder.db and its folder")]
    ReadOnly,
    /// No space.
    #[error("the disk is full; nothing of this step was kept; make room and try again")]
    DiskFull,
    /// The disk or the file system failed.
    #[error("the disk failed ({0}); a step that was under way is not kept; check the disk")]
    Disk(String),
    /// The file is damaged.
    #[error("the database is damaged ({0})")]
    Damaged(String),
    /// Something stored cannot be understood.
    #[error("stored {what} cannot be understood: {why}")]
    Garbled {
        /// What.
        what: String,
        /// Why not.
        why: String,
    },
    /// No batch with this code.
    #[error("no batch {0}; see `{list}`", list = invocation::command("batch list"))]
    NoBatch(String),
    /// The record of the batch is closed.
    #[error("the record of batch {0} is closed; nothing can be added to it")]
    BatchClosed(String),
    /// The unit runs another batch.
    #[error("unit {unit} has the open batch {batch}; finish or close it first")]
    UnitBusy {
        /// The unit.
        unit: String,
        /// Its open batch.
        batch: String,
    },
    /// An input that is not later than what is stored.
    #[error(
        "batch {batch}: an input at {at_ms} ms does not come after the stored one at {last_ms} ms; \
         it was not kept"
    )]
    TickBack {
        /// The batch.
        batch: String,
        /// Its tick.
        at_ms: u64,
        /// The newest stored tick.
        last_ms: u64,
    },
    /// A number that no record can hold.
    #[error("{what} = {value} is out of range; it was not kept")]
    OutOfRange {
        /// What.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// The parameters of a batch are not allowed.
    #[error(transparent)]
    Params(#[from] crate::batch::params::ParamsFault),
    /// A frozen text whose hash is not its own.
    #[error("the text of {kind} {name} does not have the hash that was given; read it again")]
    TextHash {
        /// What it is.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A kind of entry that only the store writes.
    #[error("entries of kind `{0}` are written by the store itself; use another word")]
    ReservedKind(String),
    /// A name that cannot be one.
    #[error("{what} `{value}` cannot be used: {why}")]
    BadName {
        /// What.
        what: &'static str,
        /// The name.
        value: String,
        /// Why not.
        why: String,
    },
    /// A rule for milk stands against it.
    #[error(transparent)]
    Milk(#[from] Refusal),
    /// The thread of the store has ended.
    #[error("the record keeper has stopped; no heat is allowed; start the program again")]
    ThreadGone,
    /// The queue of the store is full.
    #[error("the record keeper cannot keep up; the disk is too slow or stuck")]
    QueueFull,
    /// Anything else that SQLite said.
    #[error("the database refused: {0}")]
    Sql(rusqlite::Error),
}

/// What a person does about a station's file that is damaged or does not verify. Whoever reports
/// one ends with it; the errors themselves say what and where.
pub fn when_damaged() -> String {
    let verify = invocation::command("db verify");
    format!(
        "\
What to do: begin no batch with this file.
  1. Before anything else, copy it to another disk, with holder.db-wal and holder.db-shm if they
     lie beside it: whoever looks into it needs it as it is now.
  2. `{verify}` names the first thing that does not fit. Until somebody knows why, no
     decision about milk may rest on this file: compare with the printed records.
  3. Make a station from the newest good backup, in a new folder, and go on with that one alone:
     holder db restore BACKUP NEW-FOLDER
     It needs the backup and nothing else. What happened after the backup is not in it."
    )
}

/// The command that makes a new station where this file is missing.
fn founding(database: &Path) -> String {
    let folder = database.parent().filter(|dir| !dir.as_os_str().is_empty());
    let folder = folder.map_or_else(|| ".".to_owned(), |dir| dir.display().to_string());
    format!("holder init {}", invocation::quoted(&folder))
}

impl StoreError {
    /// Whether the station's file is there and ours, but is not what was written. It is the one
    /// place that tells damage from a refusal: every command on such a file ends with exit code 5.
    pub const fn is_damage(&self) -> bool {
        match self {
            // A file of this name in a station's folder was once its memory.
            Self::NotADatabase(_)
            | Self::NoVersion { .. }
            | Self::Damaged(_)
            | Self::Garbled { .. } => true,
            Self::Missing(_)
            | Self::Exists(_)
            | Self::NotAFile(_)
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::NotUpgradable { .. }
            | Self::UpgradeInBatch { .. }
            | Self::NotReadable(_)
            | Self::LogBeside(_)
            | Self::Locked
            | Self::ReadOnly
            | Self::DiskFull
            | Self::Disk(_)
            | Self::NoBatch(_)
            | Self::BatchClosed(_)
            | Self::UnitBusy { .. }
            | Self::TickBack { .. }
            | Self::OutOfRange { .. }
            | Self::Params(_)
            | Self::TextHash { .. }
            | Self::ReservedKind(_)
            | Self::BadName { .. }
            | Self::Milk(_)
            | Self::ThreadGone
            | Self::QueueFull
            | Self::Sql(_) => false,
        }
    }
}

/// Whether a stored value is not of the type that this program stores there, or a row that must be
/// there is missing.
fn is_odd_row(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::QueryReturnedNoRows
            | Error::Utf8Error(..)
    )
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // All statements are our own: a table or column that one of them does not find is lost.
        if let rusqlite::Error::SqlInputError { msg, .. } = error {
            return Self::Damaged(msg);
        }
        // The codes are another crate's open list: a chain of comparisons, not a match.
        let Some(code) = error.sqlite_error_code() else {
            let is_odd = is_odd_row(&error);
            return if is_odd { Self::Damaged(error.to_string()) } else { Self::Sql(error) };
        };
        if code == ErrorCode::DiskFull {
            Self::DiskFull
        } else if code == ErrorCode::DatabaseBusy || code == ErrorCode::DatabaseLocked {
            Self::Locked
        } else if code == ErrorCode::ReadOnly || code == ErrorCode::PermissionDenied {
            Self::ReadOnly
        } else if code == ErrorCode::SystemIoFailure || code == ErrorCode::CannotOpen {
            Self::Disk(error.to_string())
        } else if code == ErrorCode::DatabaseCorrupt
            || code == ErrorCode::NotADatabase
            || error.sqlite_error().is_some_and(|found| found.extended_code == SQLITE_ERROR)
        {
            Self::Damaged(error.to_string())
        } else {
            Self::Sql(error)
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let kind = error.kind();
        if kind == ErrorKind::StorageFull {
            Self::DiskFull
        } else if kind == ErrorKind::PermissionDenied || kind == ErrorKind::ReadOnlyFilesystem {
            Self::ReadOnly
        } else {
            Self::Disk(error.to_string())
        }
    }
}

/// A [`StoreError::Garbled`].
pub(super) fn garbled(what: impl Into<String>, why: impl ToString) -> StoreError {
    StoreError::Garbled { what: what.into(), why: why.to_string() }
}

/// A number as SQLite keeps it.
pub(super) fn sql_int(what: &'static str, value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::OutOfRange { what, value })
}
