use super::*;
use crate::store::fixture::{new, station};
use crate::store::{Station, Store};

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

/// Locks of this process on a file.
#[cfg(target_os = "linux")]
fn locks(path: &Path) -> usize {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{} ", std::fs::metadata(path).expect("there").ino());
    let process = format!(" {} ", std::process::id());
    let all = std::fs::read_to_string("/proc/locks").expect("Linux tells them");
    all.lines().filter(|lock| lock.contains(&inode) && lock.contains(&process)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn who_looks_at_a_file_takes_no_lock_from_who_has_it_open() {
    let (_dir, path, store) = new();
    store.head().expect("read");
    let held = locks(&path);
    assert!(held > 0, "a file in WAL is locked as long as it is open");
    for again in [Store::open(&path), Store::open_read_only(&path)] {
        again.expect("opens").verify(None).expect("verifies");
        assert_eq!(locks(&path), held);
    }
    let copy = path.with_file_name("copy.db");
    for _ in 0..2 {
        keep_copy(&store.db, &copy).expect("also over an older copy");
        assert_eq!(locks(&path), held);
    }
    Store::open(&copy).expect("opens").verify(None).expect("verifies");
    drop(File::open(&path).expect("opens"));
    assert_eq!(locks(&path), 0, "what a handle of our own would do");
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
    store.add_user(crate::store::fixture::ANN, "eve").expect("added");
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
    use crate::store::fixture::{run, stop, water_batch};
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
    let written = reader.add_user(crate::store::fixture::ANN, "eve");
    assert!(matches!(written, Err(StoreError::ReadOnly)), "{written:?}");
    let mut second = Store::open(&path).expect("opens");
    second.db.busy_timeout(Duration::ZERO).expect("set");
    let held = store.write().expect("a transaction");
    let locked = second.add_user(crate::store::fixture::ANN, "bob");
    assert!(matches!(locked, Err(StoreError::Locked)), "{locked:?}");
    drop(held);
    second.add_user(crate::store::fixture::ANN, "bob").expect("added");
    store.add_user(crate::store::fixture::ANN, "ann").expect("the chain does not fork");
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
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("read");
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

/// A file as a program from before the first release left it, at this version of the schema.
fn before_release(path: &Path, at: usize, sql: &str) {
    std::fs::File::create_new(path).expect("made");
    let mut db = Connection::open(path).expect("opens");
    migrate(&mut db, &MIGRATIONS[..at]).expect("made");
    crate::store::station::found(&mut db, &station(), "ann").expect("founded");
    db.execute_batch(sql).expect("written");
    db.pragma_update(None, "journal_mode", "WAL").expect("set");
}

#[test]
fn batches_from_before_the_first_release_are_left_as_they_are() {
    let dir = tempfile::tempdir().expect("a folder");
    for at in [2, 3] {
        let path = dir.path().join(format!("{at}.db"));
        before_release(
            &path,
            at,
            "INSERT INTO batches (id, code, unit, purpose, simulated, recipe, bottles, bottle_ul, \
         reserved_ul, volume_ul, operator, started_utc_ms, phase) \
         VALUES (1, 'B-2026-0001', 'demo', 'water', 1, 'r', 1, 0, 0, 0, 'ann', 0, 'hold'); \
         INSERT INTO inputs (batch, n, tick_ms, utc_ms, kind, who, running) \
         VALUES (1, 1, 0, 0, 'wake', 'ann', zeroblob(32)); \
         UPDATE batches SET closed_utc_ms = 1, closing = 'ended'",
        );
        let before = std::fs::read(&path).expect("read");
        for refused in [Store::open(&path), Store::open_read_only(&path)] {
            let text = refused.err().expect("refused").to_string();
            let version = format!("version {at}");
            for word in [version.as_str(), "B-2026-0001", "holder init", "not touched"] {
                assert!(text.contains(word), "{text}");
            }
        }
        assert_eq!(std::fs::read(&path).expect("read"), before);
        assert!(!dir.path().join(format!("{at}.db.version-{at}")).exists(), "not copied");
    }
}

#[test]
fn a_station_from_before_the_first_release_without_a_batch_is_upgraded() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("holder.db");
    before_release(&path, 2, "");
    let mut store = Store::open(&path).expect("upgraded");
    crate::store::fixture::run(&mut store, &crate::store::fixture::water_batch(), 3);
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
