//! Making, recognising and upgrading the file.
//!
//! A file is recognised by its first bytes before SQLite touches it: a database of another
//! program, or garbage, stays as it is. Migrations are forward-only and numbered; a file of an
//! older version is copied first, and only when no other program has it open.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;

/// `HOLD` in ASCII: this program's files.
pub(super) const APPLICATION_ID: u32 = 0x484f_4c44;

/// Every migration in order; the file's `user_version` is the number of those applied.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

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
    File::open(path)?.take(100).read_to_end(&mut header)?;
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
fn configure(db: &Connection) -> Result<(), StoreError> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(64);
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "recursive_triggers", true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

fn version(db: &Connection) -> Result<u32, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
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

/// Upgrades a file of an older version, after a copy.
fn upgrade(db: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    // Leaving WAL needs the file for ourselves, and empties the log into the one file that is
    // then copied: refused while a batch runs, or anybody reads.
    db.pragma_update(None, "journal_mode", "DELETE")?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let copy = copy_path(path, version(db)?);
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
        configure(&db)?;
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

/// Opens a file to write, upgrading it if needed.
pub(super) fn open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    recognise(path)?;
    let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    configure(&db)?;
    if db.is_readonly(rusqlite::MAIN_DB)? {
        return Err(StoreError::ReadOnly);
    }
    let (found, known) = (version(&db)?, known(migrations));
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found < known {
        upgrade(&mut db, path, migrations)?;
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    Ok(db)
}

/// Opens a file only to read it.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    recognise(path)?;
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    configure(&db)?;
    let (found, known) = (version(&db)?, known(MIGRATIONS));
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found < known {
        return Err(StoreError::Older { path: path.to_owned(), found, known });
    }
    Ok(db)
}
