//! Making, recognising and upgrading the file.
//!
//! A file is recognised by its first bytes before SQLite touches it: a database of another
//! program, or garbage, stays as it is. Migrations are forward-only and numbered; a file of an
//! older version is copied first, and only when no other program has it open.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::error::StoreError;

/// `HOLD` in ASCII: this program's files.
pub(super) const APPLICATION_ID: u32 = 0x484f_4c44;

/// Every migration in order; the file's `user_version` is the number of those applied.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_kinds.sql"),
    include_str!("migrations/0003_wide_inputs.sql"),
];

/// The oldest version whose batches can be kept. Before it samples were kept and sealed in another
/// form, by no release.
const OLDEST_WITH_BATCHES: u32 = 3;

/// A writer waits this long for another one.
const BUSY: Duration = Duration::from_secs(5);

/// Checks by its first bytes that `path` is a database of this program.
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
    // https://sqlite.org/fileformat2.html#the_database_header: magic at 0, application id at 68.
    let mut header = Vec::new();
    let file = File::open(path).map_err(|error| {
        let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
        if denied { StoreError::NotReadable(path.to_owned()) } else { error.into() }
    })?;
    file.take(100).read_to_end(&mut header)?;
    let id = header.get(68..72).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    match id {
        Some(id) if header.starts_with(b"SQLite format 3\0") => match u32::from_be_bytes(id) {
            APPLICATION_ID => Ok(()),
            application_id => Err(StoreError::Foreign { path: path.to_owned(), application_id }),
        },
        Some(_) | None => Err(StoreError::NotADatabase(path.to_owned())),
    }
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
    let copy = copy_path(path, found);
    std::fs::copy(path, &copy)?;
    File::open(&copy)?.sync_all()?;
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
        let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
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
    let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
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
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
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
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    let db = Connection::open_with_flags(uri + "?immutable=1", flags)?;
    configure(&db, BUSY)?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(db)
}

#[cfg(test)]
mod tests;
