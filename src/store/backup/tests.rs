use std::path::Path;

use super::*;
use crate::store::fixture::{
    ANN, add_pool, milk_batch, new, reading, run, stop, tamper, water_batch,
};
use crate::store::{Staged, Station};
use holder_hal::Tick;

fn quiet(_: Progress) {}

fn files() -> Vec<KeptFile> {
    let file = |path: &str, text: &str| KeptFile { path: path.into(), text: text.into() };
    vec![file("station.toml", "name = \"Milk bank\""), file("recipes/own.toml", "floor_c = 63")]
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// REQ-REC-04
#[test]
fn a_backup_while_a_batch_runs_holds_all_that_was_acknowledged_before_it() {
    let (dir, path, mut running) = new();
    add_pool(&mut running);
    let (batch, mut engine) = run(&mut running, &milk_batch(), 3_000);
    let to = dir.path().join("copy.db");
    let mut other = Store::open(&path).expect("a second program");
    let mut second = 3_001;
    let mut steps = 0;
    let made = other.back_up(ANN, &to, &files(), &mut |_| {
        // The batch goes on while pages are copied: it neither waits nor makes the copy begin
        // again.
        let input = crate::batch::event::Input::Reading(reading(second));
        let at = Tick::from_ms(second * 1_000);
        crate::store::fixture::commit(&mut running, &batch, &mut engine, at, &input).expect("kept");
        (second, steps) = (second + 1, steps + 1);
    });
    let made = made.expect("made");
    assert!(steps >= 2, "one step is no copy beside a batch: {steps}");
    assert_eq!(made.report.readings, 3_000, "as of the moment at which it began");
    let copy = Store::open_read_only(&to).expect("opens");
    assert_eq!(copy.load_batch(&batch).expect("read").periods.len(), 3_000);
    assert_eq!(copy.station_files().expect("read"), Some(files()));
    assert_eq!(names(dir.path()), ["copy.db", "holder.db", "holder.db-shm", "holder.db-wal"]);
    // The station goes on as if nothing had been, and knows of it.
    stop(&mut running, &batch, &mut engine, Tick::from_ms(second * 1_000));
    running.verify(Some(&made.report.head_hash)).expect("verifies");
    let noted = running.newest_backup().expect("read").expect("noted");
    assert_eq!((noted.file, noted.head_hash), (to.display().to_string(), made.report.head_hash));
}

#[test]
fn the_stations_own_files_are_written_down_once_until_they_change() {
    let (dir, _path, mut store) = new();
    let count = |store: &Store| store.stats().expect("read").rows["journal"];
    let before = count(&store);
    let to = |store: &mut Store, name: &str, files: &[KeptFile]| {
        store.back_up(ANN, &dir.path().join(name), files, &mut quiet).expect("made");
    };
    to(&mut store, "1.db", &files());
    assert_eq!(count(&store) - before, 2, "the files, and the backup");
    to(&mut store, "2.db", &files());
    assert_eq!(count(&store) - before, 3);
    to(&mut store, "3.db", &files()[..1]);
    assert_eq!(count(&store) - before, 5);
}

#[test]
fn a_backup_is_put_over_nothing_and_leaves_nothing_when_it_fails() {
    let (dir, path, mut store) = new();
    let taken = dir.path().join("taken.db");
    std::fs::write(&taken, "a letter").expect("written");
    let over = store.back_up(ANN, &taken, &[], &mut quiet).expect_err("taken");
    assert!(matches!(over, CopyError::Exists(_)), "{over}");
    assert_eq!(std::fs::read(&taken).expect("there"), b"a letter");
    let nowhere = dir.path().join("no/such.db");
    let error = store.back_up(ANN, &nowhere, &[], &mut quiet).expect_err("no folder");
    assert!(matches!(error, CopyError::NoFolder(_)), "{error}");
    // What does not verify is not kept as if it were a backup.
    drop(store);
    tamper(&path, "UPDATE journal SET who = 'eve' WHERE seq = 1");
    let mut store = Store::open(&path).expect("opens");
    let error = store.back_up(ANN, &dir.path().join("bad.db"), &[], &mut quiet).expect_err("unfit");
    assert!(matches!(error, CopyError::Unfit { .. }), "{error}");
    assert!(error.to_string().contains("entry 1 of the journal"), "{error}");
    drop(store);
    assert_eq!(names(dir.path()), ["holder.db", "taken.db"]);
}

/// A backup of a station with a closed batch and one that runs; its codes.
fn backup(dir: &Path, training: bool) -> (std::path::PathBuf, String) {
    let path = dir.join("holder.db");
    let station = Station { training, ..crate::store::fixture::station() };
    let mut store = Store::create(&path, &station, "ann").expect("made");
    let (batch, mut engine) = run(&mut store, &water_batch(), 20);
    stop(&mut store, &batch, &mut engine, Tick::from_ms(21_000));
    let to = dir.join("copy.db");
    store.back_up(ANN, &to, &files(), &mut quiet).expect("made");
    (to, batch)
}

/// REQ-REC-04
#[test]
fn a_restored_station_is_the_old_one_and_says_from_what_it_was_restored() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, batch) = backup(dir.path(), true);
    let before = std::fs::read(&file).expect("read");
    for folder in ["new", "empty"] {
        let to = dir.path().join(folder);
        if folder == "empty" {
            std::fs::create_dir(&to).expect("made");
        }
        let restored = Staged::begin(&file, &to, None, &mut quiet).expect("staged").finish(ANN);
        let restored = restored.expect("restored");
        assert_eq!(restored.files, ["station.toml", "recipes/own.toml"]);
        assert_eq!(names(&to), ["holder.db", "recipes", "station.toml"]);
        assert_eq!(
            std::fs::read_to_string(to.join("recipes/own.toml")).expect("there"),
            "floor_c = 63"
        );
        let mut store = Store::open(&to.join("holder.db")).expect("opens");
        assert!(store.station().training, "the mark of a training station is never lost");
        store.verify(Some(&restored.head_hash)).expect("verifies");
        let entry = store.newest_entry("restored", STATION).expect("read").expect("there");
        let after = entry.body.after.expect("says from what");
        assert_eq!(after["head_hash"], restored.head_hash.as_str());
        assert_eq!(after["file"], file.display().to_string());
        // A code of the lost station is never given again.
        let next = store.begin_batch(&water_batch()).expect("begun");
        assert!(next.starts_with("B-2026-R") && next.ends_with("-0001"), "{next}");
        assert_ne!(next, batch);
    }
    assert_eq!(std::fs::read(&file).expect("read"), before, "the backup is not touched");
    assert_eq!(names(dir.path()), ["copy.db", "empty", "holder.db", "new"]);
}

/// REQ-REC-04
#[test]
fn what_cannot_be_restored_is_refused_by_name_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, _) = backup(dir.path(), false);
    let whole = std::fs::read(&file).expect("read");
    let bad = dir.path().join("bad.db");
    let mut torn = whole.clone();
    torn.truncate(whole.len() / 2);
    let mut zeroed = whole.clone();
    let middle = whole.len() / 2 / 4096 * 4096;
    zeroed[middle..middle + 4096].fill(0);
    let mut foreign = whole.clone();
    foreign[68..72].copy_from_slice(&7_u32.to_be_bytes());
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&4_711_u32.to_be_bytes());
    let cases: [(&str, &[u8], &str); 7] = [
        ("empty", &[], "is no backup"),
        ("cut", &whole[..60], "is no backup"),
        ("letter", &[b'x'; 9000], "is no backup"),
        ("torn", &torn, "damaged"),
        ("zeroed", &zeroed, "damaged"),
        ("foreign", &foreign, "belongs to another program"),
        ("newer", &newer, "schema version 4711"),
    ];
    let to = dir.path().join("to");
    for (what, bytes, named) in cases {
        std::fs::write(&bad, bytes).expect("written");
        let error = Staged::begin(&bad, &to, None, &mut quiet).err().expect(what).to_string();
        assert!(error.contains(named), "{what}: {error}");
        assert_eq!(std::fs::read(&bad).expect("read"), bytes, "{what} was touched");
        assert_eq!(names(dir.path()), ["bad.db", "copy.db", "holder.db"], "{what}");
    }
    let missing = Staged::begin(&dir.path().join("no.db"), &to, None, &mut quiet).err();
    assert!(matches!(missing, Some(CopyError::NoBackup(_))), "{missing:?}");
    let paper = "0123456789abcdef";
    let other = Staged::begin(&file, &to, Some(paper), &mut quiet).err().expect("not in it");
    assert!(other.to_string().contains("the hash on paper"), "{other}");
    std::fs::create_dir(&to).expect("made");
    std::fs::write(to.join("letter"), "x").expect("written");
    let full = Staged::begin(&file, &to, None, &mut quiet).err();
    assert!(matches!(full, Some(CopyError::NotEmpty(_))), "{full:?}");
    let taken = Staged::begin(&file, &bad, None, &mut quiet).err();
    assert!(matches!(taken, Some(CopyError::Exists(_))), "{taken:?}");
    let nowhere = Staged::begin(&file, &dir.path().join("a/b"), None, &mut quiet).err();
    assert!(matches!(nowhere, Some(CopyError::NoFolder(_))), "{nowhere:?}");
    assert_eq!(names(dir.path()), ["bad.db", "copy.db", "holder.db", "to"]);
}

#[test]
fn a_backup_that_leads_out_of_its_folder_is_not_followed() {
    for path in ["../evil.toml", "/tmp/evil.toml", "recipes/../../evil.toml", ""] {
        let (dir, _path, mut store) = new();
        let file = dir.path().join("copy.db");
        let files = [KeptFile { path: path.into(), text: "x".into() }];
        store.back_up(ANN, &file, &files, &mut quiet).expect("made");
        let to = dir.path().join("to");
        let error = Staged::begin(&file, &to, None, &mut quiet).expect("staged").finish(ANN);
        let error = error.expect_err("refused").to_string();
        assert!(error.contains(&format!("{path:?}")), "{error}");
        assert!(!to.exists() && !dir.path().join("evil.toml").exists());
    }
}
