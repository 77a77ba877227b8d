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

/// As the only program, with nothing made beside the file (https://sqlite.org/uri.html,
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
mod tests {
    use super::super::fixture::{new, station};
    use super::super::{Station, Store};
    use super::*;

    fn refused(path: &Path) -> StoreError {
        let read_only = Store::open_read_only(path).err().expect("refused").to_string();
        let error = Store::open(path).err().expect("refused");
        assert_eq!(error.to_string(), read_only, "the same when it is only read");
        error
    }

    #[test]
    fn what_is_no_station_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(matches!(refused(dir.path()), StoreError::NotAFile(_)));
        let path = dir.path().join("holder.db");
        assert!(refused(&path).to_string().contains("holder init"));
        for garbage in [b"".as_slice(), b"SQLite format 3\0", &[7; 4096]] {
            std::fs::write(&path, garbage).expect("written");
            assert!(matches!(refused(&path), StoreError::NotADatabase(_)));
            assert_eq!(std::fs::read(&path).expect("read"), garbage);
        }
        std::fs::remove_file(&path).expect("removed");
        let foreign = Connection::open(&path).expect("made");
        foreign.execute_batch("CREATE TABLE t (x); PRAGMA application_id = 7").expect("filled");
        drop(foreign);
        let before = std::fs::read(&path).expect("read");
        let error = refused(&path);
        assert!(matches!(error, StoreError::Foreign { application_id: 7, .. }), "{error}");
        assert_eq!(std::fs::read(&path).expect("read"), before);
        assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 1, "no file beside it");
    }

    #[test]
    fn what_is_acknowledged_is_on_the_disk() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("holder.db");
        let made = Store::create(&path, &station(), "ann").expect("made");
        for store in [&made, &Store::open(&path).expect("opens")] {
            let pragma = |name: &str| -> String {
                let value = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
                format!("{:?}", store.db.pragma_query_value(None, name, value).expect("read"))
            };
            assert_eq!(pragma("synchronous"), "Integer(2)", "FULL");
            assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
            assert_eq!(pragma("foreign_keys"), "Integer(1)");
        }
    }

    #[test]
    fn a_newer_version_is_refused_with_both_numbers() {
        let (_dir, path, store) = new();
        store.db.pragma_update(None, "user_version", 99).expect("set");
        drop(store);
        let text = refused(&path).to_string();
        assert!(text.contains("version 99") && text.contains("install the newer"), "{text}");
    }

    #[test]
    fn a_version_that_no_program_wrote_is_damage_and_not_a_newer_program() {
        for absurd in [-1, 0, i32::MIN, 0x0100_0001, i32::MAX] {
            let (_dir, path, store) = new();
            store.db.pragma_update(None, "user_version", absurd).expect("set");
            drop(store);
            let text = refused(&path).to_string();
            assert!(text.contains("damaged") && text.contains(&absurd.to_string()), "{text}");
        }
    }

    #[test]
    fn a_file_is_read_alone_unless_a_log_lies_beside_it() {
        let (dir, path, mut store) = new();
        store.add_user(super::super::fixture::ANN, "eve").expect("added");
        let beside = read_alone(&path).expect_err("a log with entries").to_string();
        assert!(beside.contains("-wal"), "{beside}");
        drop(store);
        let odd = dir.path().join("a ?b#c%41 é");
        std::fs::create_dir(&odd).expect("made");
        let copy = odd.join("holder.db");
        std::fs::copy(&path, &copy).expect("copied");
        let db = read_alone(&copy).expect("opens");
        let users = db.query_row("SELECT name FROM users", [], |row| row.get::<_, String>(0));
        assert_eq!(users.expect("read"), "eve");
        assert_eq!(std::fs::read_dir(&odd).expect("read").count(), 1, "no file beside it");
    }

    #[test]
    fn an_upgrade_waits_until_no_batch_is_open() {
        use super::super::fixture::{run, stop, water_batch};
        let (dir, path, mut store) = new();
        let (now, next) = (MIGRATIONS.len(), later("CREATE TABLE later (x INTEGER) STRICT;"));
        let (batch, mut engine) = run(&mut store, &water_batch(), 3);
        drop(store);
        let refused = open_now(&path, &next).expect_err("refused").to_string();
        assert!(refused.contains(&batch), "{refused}");
        assert!(refused.contains(&format!("version {now}")), "{refused}");
        assert!(!dir.path().join(format!("holder.db.version-{now}")).exists(), "not copied");
        let mut store = Store::open(&path).expect("goes on as it was");
        stop(&mut store, &batch, &mut engine, holder_hal::Tick::from_ms(9_000));
        drop(store);
        let db = open_now(&path, &next).expect("upgraded");
        assert_eq!(version(&db).expect("read"), now as i64 + 1);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_a_panic() {
        let (_dir, path, store) = new();
        drop(store);
        let mut bytes = std::fs::read(&path).expect("read");
        bytes.iter_mut().skip(100).for_each(|byte| *byte = 0xa5);
        std::fs::write(&path, bytes).expect("written");
        assert!(matches!(Store::open(&path), Err(StoreError::Damaged(_))));
    }

    #[test]
    fn a_new_station_takes_no_existing_file_and_leaves_none_when_it_fails() {
        let (dir, path, store) = new();
        drop(store);
        let again = Store::create(&path, &station(), "ann").err().expect("refused");
        assert!(matches!(again, StoreError::Exists(_)), "{again}");
        Store::open(&path).expect("still there");
        let other = dir.path().join("other.db");
        for bad in [
            Station { time_zone: "Mars/Olympus".into(), ..station() },
            Station { name: " ".into(), ..station() },
        ] {
            let error = Store::create(&other, &bad, "ann").err().expect("refused");
            assert!(matches!(error, StoreError::BadName { .. }), "{error}");
            assert!(!other.exists());
        }
    }

    #[test]
    fn a_reader_cannot_write_and_a_second_writer_is_told_to_wait() {
        let (_dir, path, mut store) = new();
        let mut reader = Store::open_read_only(&path).expect("opens");
        let written = reader.add_user(super::super::fixture::ANN, "eve");
        assert!(matches!(written, Err(StoreError::ReadOnly)), "{written:?}");
        let mut second = Store::open(&path).expect("opens");
        second.db.busy_timeout(Duration::ZERO).expect("set");
        let held = store.write().expect("a transaction");
        let locked = second.add_user(super::super::fixture::ANN, "bob");
        assert!(matches!(locked, Err(StoreError::Locked)), "{locked:?}");
        drop(held);
        second.add_user(super::super::fixture::ANN, "bob").expect("added");
        store.add_user(super::super::fixture::ANN, "ann").expect("the chain does not fork");
        reader.verify(None).expect("verifies");
    }

    #[test]
    fn an_older_version_is_copied_and_upgraded_but_not_while_it_is_in_use() {
        let (dir, path, store) = new();
        let (now, next) = (MIGRATIONS.len(), later("CREATE TABLE later (x INTEGER) STRICT;"));
        store.head().expect("this program uses it");
        let in_use = open_now(&path, &next);
        assert!(matches!(in_use, Err(StoreError::Locked)), "{in_use:?}");
        drop(store);
        let db = open_now(&path, &next).expect("upgraded");
        assert_eq!(version(&db).expect("read"), now as i64 + 1);
        let mode: String =
            db.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("read");
        assert_eq!(mode, "wal");
        db.query_row("SELECT count(*) FROM later", [], |_| Ok(())).expect("there");
        let copy = Store::open(&dir.path().join(format!("holder.db.version-{now}")));
        let copy = copy.expect("the copy opens");
        copy.verify(None).expect("verifies");
        let broken = [next.as_slice(), &["CREATE TABLE half (x); SELECT nothing;"]].concat();
        drop(db);
        open_now(&path, &broken).expect_err("fails");
        let db = open_now(&path, &next).expect("as it was");
        db.query_row("SELECT count(*) FROM half", [], |_| Ok(())).expect_err("nothing half-made");
    }

    /// A file as a program from before the first release left it.
    fn before_release(path: &Path, sql: &str) {
        std::fs::File::create_new(path).expect("made");
        let mut db = Connection::open(path).expect("opens");
        migrate(&mut db, &MIGRATIONS[..2]).expect("made");
        super::super::station::found(&mut db, &station(), "ann").expect("founded");
        db.execute_batch(sql).expect("written");
        db.pragma_update(None, "journal_mode", "WAL").expect("set");
    }

    #[test]
    fn batches_from_before_the_first_release_are_left_as_they_are() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("holder.db");
        before_release(
            &path,
            "INSERT INTO batches (id, code, unit, purpose, simulated, recipe, bottles, bottle_ul, \
             reserved_ul, volume_ul, operator, started_utc_ms, phase) \
             VALUES (1, 'B-2026-0001', 'demo', 'water', 1, 'r', 1, 0, 0, 0, 'ann', 0, 'hold'); \
             INSERT INTO inputs VALUES (1, 1, 0, 0, 'wake', 'ann', NULL, NULL, zeroblob(32)); \
             UPDATE batches SET closed_utc_ms = 1, closing = 'ended'",
        );
        let before = std::fs::read(&path).expect("read");
        for refused in [Store::open(&path), Store::open_read_only(&path)] {
            let text = refused.err().expect("refused").to_string();
            for word in ["version 2", "B-2026-0001", "holder init", "not touched"] {
                assert!(text.contains(word), "{text}");
            }
        }
        assert_eq!(std::fs::read(&path).expect("read"), before);
        assert!(!dir.path().join("holder.db.version-2").exists(), "not copied");
    }

    #[test]
    fn a_station_from_before_the_first_release_without_a_batch_is_upgraded() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("holder.db");
        before_release(&path, "");
        let mut store = Store::open(&path).expect("upgraded");
        super::super::fixture::run(&mut store, &super::super::fixture::water_batch(), 3);
        store.verify(None).expect("verifies");
        assert!(dir.path().join("holder.db.version-2").exists(), "after a copy");
    }

    /// The migrations of a later program.
    fn later(sql: &'static str) -> Vec<&'static str> {
        [MIGRATIONS, &[sql]].concat()
    }

    /// Opens without patience.
    fn open_now(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
        open_with(path, migrations, Duration::ZERO)
    }
}
