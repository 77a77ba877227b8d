//! Making, recognising and upgrading the file.
//!
//! A file is recognised by its first bytes before it is opened to write: a database of another
//! program, or garbage, stays as it is. Migrations are forward-only and numbered; a file of an
//! older version is copied first, and only when no other program has it open.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::copy::{self, CopyError, Part};
use super::error::StoreError;

/// `HOLD` in ASCII: this program's files.
pub(super) const APPLICATION_ID: u32 = 0x484f_4c44;

/// Every migration in order; the file's `user_version` is the number of those applied.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_kinds.sql"),
    include_str!("migrations/0003_wide_inputs.sql"),
    include_str!("migrations/0004_counts.sql"),
];

/// The oldest version whose batches can be kept. Before it samples were kept and sealed in another
/// form, and bottles came out without a count, by no release.
const OLDEST_WITH_BATCHES: u32 = 4;

/// A connection belongs to one thread at a time, as the compiler proves: without a lock around every
/// call (<https://sqlite.org/threadsafe.html>).
const TO_READ: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
const TO_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// A writer waits this long for another one.
const BUSY: Duration = Duration::from_secs(5);

/// Length of what a file begins with (<https://sqlite.org/fileformat2.html#the_database_header>).
const HEADER_BYTES: u64 = 100;

/// Checks by its first bytes that `path` is a database of this program.
///
/// SQLite reads them, without a lock and without a look at any log: if we closed a handle of our own,
/// the system would drop the locks of all who have the file open in this process, and another program
/// would take a log away that is still written (<https://sqlite.org/howtocorrupt.html>, 2.2).
fn recognise(path: &Path) -> Result<(), StoreError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::Missing(path.to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    if !metadata.is_file() {
        return Err(StoreError::NotAFile(path.to_owned()));
    }
    if metadata.len() < HEADER_BYTES {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    let db = immutable(path).map_err(|error| not_opened(path, error))?;
    let id = db.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
    match id.map(i32::cast_unsigned) {
        Ok(APPLICATION_ID) => Ok(()),
        Ok(application_id) => Err(StoreError::Foreign { path: path.to_owned(), application_id }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(StoreError::NotADatabase(path.to_owned()))
        }
        Err(error) => Err(not_opened(path, error)),
    }
}

/// What SQLite says of a file that this user may not read is less than what the system says.
fn not_opened(path: &Path, error: rusqlite::Error) -> StoreError {
    let denied = |why: std::io::Error| why.kind() == std::io::ErrorKind::PermissionDenied;
    // Nobody has a file open here that cannot be opened, so that no lock is lost.
    if error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
        && File::open(path).is_err_and(denied)
    {
        return StoreError::NotReadable(path.to_owned());
    }
    error.into()
}

/// Pragmas of every connection.
fn configure(db: &Connection, busy: Duration) -> Result<(), StoreError> {
    db.busy_timeout(busy)?;
    db.set_prepared_statement_cache_capacity(64);
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "recursive_triggers", true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// Migrations have four digits: a version that is none of 1 to 9999 comes from damage.
const VERSION_MAX: u32 = 9_999;

fn version(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// The version of a file of ours that a program with `known` versions can work with.
fn check_version(db: &Connection, path: &Path, known: u32) -> Result<u32, StoreError> {
    let stored = version(db)?;
    let found = u32::try_from(stored).ok().filter(|found| (1..=VERSION_MAX).contains(found));
    let path = path.to_owned();
    match found {
        None => Err(StoreError::NoVersion { path, found: stored }),
        Some(found) if found > known => Err(StoreError::Newer { path, found, known }),
        Some(found) => Ok(found),
    }
}

fn known(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

/// Applies what is missing, in one transaction.
pub(super) fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    let done = usize::try_from(version(&tx)?).unwrap_or(usize::MAX);
    for migration in migrations.iter().skip(done) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", known(migrations))?;
    Ok(tx.commit()?)
}

/// The name of the copy that is made before an upgrade.
fn copy_path(path: &Path, version: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".version-{version}"));
    path.with_file_name(name)
}

/// Refuses a file whose batches this program could not verify any more.
fn check_upgradable(db: &Connection, path: &Path, found: u32) -> Result<(), StoreError> {
    if found >= OLDEST_WITH_BATCHES {
        return Ok(());
    }
    let batch = "SELECT code FROM batches WHERE id IN (SELECT batch FROM inputs) ORDER BY id";
    match db.query_row(batch, [], |row| row.get(0)).optional()? {
        None => Ok(()),
        Some(batch) => Err(StoreError::NotUpgradable { path: path.to_owned(), found, batch }),
    }
}

/// Copies what is stored into a new file at `to`, page by page through SQLite: a handle of our own
/// would drop the lock under which the file is upgraded. What an upgrade that failed has left there
/// goes.
fn keep_copy(db: &Connection, to: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let kept = || {
        let part = Part::begin(to)?;
        copy::copy(db, &part.path, &mut |_| ())?;
        part.keep(to)
    };
    kept().map_err(|error| match error {
        CopyError::Store(error) => error,
        CopyError::Target { why, .. } => why.into(),
        other @ (CopyError::Exists(_)
        | CopyError::NotEmpty(_)
        | CopyError::NoFolder(_)
        | CopyError::NoBackup(_)
        | CopyError::NotABackup(_)
        | CopyError::Torn { .. }
        | CopyError::Unfit { .. }
        | CopyError::NotNoted { .. }) => StoreError::Disk(other.to_string()),
    })
}

/// Upgrades a file of an older version, after a copy.
fn upgrade(
    db: &mut Connection,
    path: &Path,
    found: u32,
    migrations: &[&str],
) -> Result<(), StoreError> {
    check_upgradable(db, path, found)?;
    // Leaving WAL needs the file for ourselves, and empties the log into the one file that is
    // then copied: refused while a batch runs, or anybody reads.
    db.pragma_update(None, "journal_mode", "DELETE")?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let open = "SELECT code FROM batches WHERE closed_utc_ms IS NULL ORDER BY id LIMIT 1";
    if let Some(batch) = db.query_row(open, [], |row| row.get(0)).optional()? {
        // Only the program that started a batch knows its rows: it closes it, too.
        db.pragma_update(None, "locking_mode", "NORMAL")?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        return Err(StoreError::UpgradeInBatch { path: path.to_owned(), found, batch });
    }
    keep_copy(db, &copy_path(path, found))?;
    migrate(db, migrations)?;
    db.pragma_update(None, "locking_mode", "NORMAL")?;
    db.query_row("SELECT count(*) FROM journal", [], |_| Ok(()))?; // gives up the lock
    Ok(())
}

/// Makes a new, empty file; `fill` writes the first entries. On failure no file remains.
pub(super) fn create(
    path: &Path,
    fill: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<Connection, StoreError> {
    match File::create_new(path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(StoreError::Exists(path.to_owned()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::Missing(path.parent().unwrap_or(path).to_owned()));
        }
        Err(error) => return Err(error.into()),
    }
    let made = || -> Result<Connection, StoreError> {
        let mut db = Connection::open_with_flags(path, TO_WRITE)?;
        configure(&db, BUSY)?;
        migrate(&mut db, MIGRATIONS)?;
        fill(&mut db)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        Ok(db)
    };
    made().inspect_err(|_| {
        // The first error is the one to report.
        std::fs::remove_file(path).ok();
    })
}

/// Makes a database that is on no disk.
pub(super) fn in_memory(
    fill: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<Connection, StoreError> {
    let mut db = Connection::open_in_memory()?;
    configure(&db, BUSY)?;
    migrate(&mut db, MIGRATIONS)?;
    fill(&mut db)?;
    Ok(db)
}

/// Opens a file to write, upgrading it if needed.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    open_with(path, MIGRATIONS, BUSY)
}

fn open_with(path: &Path, migrations: &[&str], busy: Duration) -> Result<Connection, StoreError> {
    recognise(path)?;
    let mut db = Connection::open_with_flags(path, TO_WRITE)?;
    configure(&db, busy)?;
    if db.is_readonly(rusqlite::MAIN_DB)? {
        return Err(StoreError::ReadOnly);
    }
    let known = known(migrations);
    let found = check_version(&db, path, known)?;
    if found < known {
        upgrade(&mut db, path, found, migrations)?;
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    Ok(db)
}

/// Opens a file only to read it. Nothing beside it needs to be written, unless another program
/// has left a log there.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let (db, found) = open_any_version(path)?;
    let known = known(MIGRATIONS);
    check_upgradable(&db, path, found)?;
    if found < known {
        return Err(StoreError::Older { path: path.to_owned(), found, known });
    }
    Ok(db)
}

/// Opens a file only to copy it, also one of an older version.
pub(super) fn open_to_copy(path: &Path) -> Result<Connection, StoreError> {
    open_any_version(path).map(|(db, _)| db)
}

fn open_any_version(path: &Path) -> Result<(Connection, u32), StoreError> {
    recognise(path)?;
    let db = match read_beside_a_writer(path) {
        Err(StoreError::ReadOnly | StoreError::Disk(_)) => read_alone(path)?,
        opened => opened?,
    };
    let found = check_version(&db, path, known(MIGRATIONS))?;
    Ok((db, found))
}

/// As one of several programs, for which SQLite keeps a -shm file beside the log.
fn read_beside_a_writer(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(path, TO_READ)?;
    configure(&db, BUSY)?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(db)
}

/// As the only program, with nothing made beside the file (<https://sqlite.org/uri.html>,
/// `immutable`). A log with entries in it would be passed over, so it must not be there.
fn read_alone(path: &Path) -> Result<Connection, StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Err(StoreError::LogBeside(path.to_owned()));
    }
    let db = immutable(path)?;
    configure(&db, BUSY)?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(db)
}

/// Opens the one file to read it as if nobody could write it: no lock, no log, nothing beside it.
fn immutable(path: &Path) -> rusqlite::Result<Connection> {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Connection::open_with_flags(uri + "?immutable=1", TO_READ | OpenFlags::SQLITE_OPEN_URI)
}

#[cfg(test)]
mod tests;
