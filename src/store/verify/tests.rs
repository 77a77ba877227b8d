use super::super::fixture::{ANN, add_pool, milk_batch, new, run, stop, tamper};
use super::super::{Body, Store, StoreError};
use super::{Misfit, MisfitPlace};
use crate::store::fixture::{commit, reading, water_batch};
use holder_hal::Tick;

/// A station with a closed milk batch, and its file.
fn closed() -> (tempfile::TempDir, std::path::PathBuf) {
    let (dir, path, mut store) = new();
    store.add_user(ANN, "ann").expect("added");
    add_pool(&mut store);
    let (batch, mut engine) = run(&mut store, &milk_batch(), 130);
    stop(&mut store, &batch, &mut engine, Tick::from_ms(131_000));
    (dir, path)
}

fn misfit(path: &std::path::Path) -> String {
    let store = Store::open_read_only(path).expect("opens");
    store.verify(None).expect_err("a misfit").to_string()
}

#[test]
fn a_station_that_nobody_touched_verifies_and_is_counted() {
    let (_dir, path) = closed();
    let store = Store::open_read_only(&path).expect("opens");
    let report = store.verify(None).expect("verifies");
    assert_eq!((report.batches, report.texts), (1, 2));
    assert_eq!(report.inputs, 133);
    assert_eq!(report.readings, 130);
    assert_eq!(report.readings_unsealed, 0);
    assert!(report.seals >= 4, "start, two of 60 s, the stop: {}", report.seals);
    assert_eq!(report.head_hash, store.head().expect("head").hash());
}

#[test]
fn before_heat_all_is_looked_at_but_what_closed_batches_had_read() {
    let (_dir, path) = closed();
    let fits = |open: Option<&str>| {
        let store = Store::open(&path).expect("opens");
        store.fit_to_run(open).map_err(|misfit| misfit.to_string())
    };
    fits(None).expect("nobody touched it");
    let code = Store::open(&path).expect("opens").batches().expect("read").remove(0).code;
    fits(Some(&code)).expect("nor its batch");
    tamper(&path, "UPDATE inputs SET milk_1_mc = milk_1_mc + 1 WHERE tick_ms > 60000");
    fits(None).expect("what a closed batch had read is left to verify");
    let found = fits(Some(&code)).expect_err("a batch that goes on is looked at whole");
    assert!(found.contains("samples of batch"), "{found}");
    for (sql, place) in [
        ("UPDATE donors SET status = 'deferred', cleared_until = NULL", "of donors"),
        ("UPDATE journal SET who = 'eve' WHERE seq = 2", "entry 2 of the journal"),
        ("DROP INDEX batches_by_pool", "the database file"),
    ] {
        let (_dir, path) = closed();
        tamper(&path, sql);
        let store = Store::open(&path).expect("opens");
        let found = store.fit_to_run(None).expect_err(sql).to_string();
        assert!(found.contains(place), "{sql}: {found}");
    }
}

/// REQ-REC-02
#[test]
fn a_changed_byte_is_named_in_every_table() {
    let cases = [
        ("UPDATE journal SET who = 'eve' WHERE seq = 2", "entry 2 of the journal"),
        ("UPDATE journal SET utc_ms = utc_ms + 1 WHERE seq = 3", "entry 3 of the journal"),
        ("UPDATE journal SET body = replace(body, 'D-1', 'D-9') WHERE seq = 4", "entry 4"),
        ("UPDATE journal SET tick_ms = 0 WHERE seq = 5", "entry 5 of the journal"),
        ("UPDATE journal SET hash = randomblob(32) WHERE seq = 6", "entry 6 of the journal"),
        ("UPDATE journal SET prev_hash = randomblob(32) WHERE seq = 7", "entry 7"),
        ("DELETE FROM journal WHERE seq = 5", "entry 6 of the journal"),
        (
            "UPDATE inputs SET milk_1_mc = 62500 WHERE tick_ms = 70000",
            "samples of batch B-2026-0001 from 62000 to 122000 ms",
        ),
        (
            "UPDATE inputs SET bath_quality = 1 WHERE tick_ms = 0",
            "samples of batch B-2026-0001 from 0 to 0 ms",
        ),
        (
            "UPDATE inputs SET bath_age_ms = 0 WHERE tick_ms = 5000",
            "samples of batch B-2026-0001 from 1000 to 61000 ms",
        ),
        ("DELETE FROM inputs WHERE tick_ms = 5000", "a hole in its inputs"),
        (
            "UPDATE inputs SET milk_3_mc = 62500, milk_3_age_ms = 0, milk_3_quality = 0 \
             WHERE tick_ms = 5000",
            "samples of batch B-2026-0001 from 1000 to 61000 ms",
        ),
        (
            "UPDATE inputs SET lid = NULL, lid_quality = NULL WHERE tick_ms = 6000",
            "samples of batch B-2026-0001 from 1000 to 61000 ms",
        ),
        (
            "UPDATE inputs SET heat = 0, setpoint_mc = NULL, duty_permille = NULL, phase = 3, \
             agitator = 1 - agitator WHERE tick_ms = 7000",
            "samples of batch B-2026-0001 from 1000 to 61000 ms",
        ),
        ("UPDATE inputs SET tick_ms = 5001 WHERE tick_ms = 5000", "from 1000 to 61000 ms"),
        (
            "CREATE TEMP TABLE one AS SELECT * FROM inputs WHERE tick_ms = 5000; \
             UPDATE one SET n = 1000; INSERT INTO inputs SELECT * FROM one",
            "a hole in its inputs",
        ),
        (
            "CREATE TEMP TABLE one AS SELECT * FROM inputs WHERE tick_ms = 5000; \
             UPDATE one SET batch = 2; INSERT INTO inputs SELECT * FROM one",
            "foreign_key_check",
        ),
        (
            "UPDATE inputs SET action = replace(action, 'unload', 'un-load') WHERE n = 131",
            "samples of batch B-2026-0001 from 123000 to 131000 ms",
        ),
        ("UPDATE inputs SET refused = NULL WHERE n = 131", "from 123000 to 131000 ms"),
        ("UPDATE inputs SET utc_ms = 1 WHERE n = 3", "from 1000 to 61000 ms"),
        ("UPDATE inputs SET running = randomblob(32) WHERE n = 3", "input 3 of batch"),
        ("DELETE FROM inputs WHERE n = 7", "a hole in its inputs"),
        ("DELETE FROM inputs WHERE n > 131", "samples of batch B-2026-0001"),
        ("UPDATE params SET json = replace(json, '62.5', '61.5')", "frozen parameters of batch"),
        ("UPDATE params SET sha256 = randomblob(32)", "frozen parameters of batch B-2026-0001"),
        ("DELETE FROM params", "frozen parameters of batch B-2026-0001"),
        (
            "UPDATE texts SET text = 'floor_c = 61.5' WHERE text LIKE 'floor%'",
            "frozen text of recipe holder-hmbana of batch B-2026-0001",
        ),
        ("DELETE FROM batch_texts WHERE position = 1", "frozen text of unit demo"),
        ("UPDATE batch_texts SET name = 'x' WHERE position = 1", "frozen text of unit demo"),
        ("INSERT INTO texts VALUES (randomblob(32), 'x')", "texts of no batch"),
        ("UPDATE batches SET bottles = 13", "row B-2026-0001 of batches"),
        ("UPDATE batches SET volume_ul = 1", "row B-2026-0001 of batches"),
        ("UPDATE batches SET engine_accepts = 1", "row B-2026-0001 of batches"),
        ("UPDATE batches SET verdict = replace(verdict, 'in', '')", "row B-2026-0001 of batches"),
        ("UPDATE donors SET status = 'deferred', cleared_until = NULL", "row D-1 of donors"),
        ("UPDATE deposits SET volume_ul = 1 WHERE code = 'M-2'", "row M-2 of deposits"),
        ("UPDATE pools SET expires_on = '2029-01-01'", "row P-1 of pools"),
        ("DELETE FROM pool_deposits WHERE deposit = 'M-3'", "row P-1 of pools"),
        ("UPDATE pool_deposits SET position = 9 WHERE deposit = 'M-3'", "row P-1 of pool_deposits"),
        ("UPDATE pool_deposits SET position = -1 WHERE deposit = 'M-3'", "row P-1 of pools"),
        ("UPDATE batch_texts SET position = 7 WHERE position = 1", "row 1 of batch_texts"),
        ("UPDATE batches SET bottle_ul = 1", "row B-2026-0001 of batches"),
        ("INSERT INTO donors VALUES ('D-9', 'deferred', NULL)", "row D-9 of donors"),
        ("DELETE FROM users", "row ann of users"),
        ("UPDATE station SET training = 1", "row station of station"),
    ];
    let (dir, untouched) = closed();
    for (sql, named) in cases {
        let path = dir.path().join("tampered.db");
        std::fs::copy(&untouched, &path).expect("copied");
        tamper(&path, sql);
        let text = misfit(&path);
        assert!(text.contains(named), "{sql}: {text}");
    }
}

/// REQ-REC-02
#[test]
fn a_misfit_shows_the_expected_and_the_found_hash() {
    let (_dir, path) = closed();
    tamper(&path, "UPDATE journal SET who = 'eve' WHERE seq = 2");
    let store = Store::open_read_only(&path).expect("opens");
    let Err(Misfit::Differs { place, expected, found, .. }) = store.verify(None) else {
        panic!("verifies");
    };
    assert_eq!(*place, MisfitPlace::Entry { seq: 2 });
    assert_eq!((expected.len(), found.len()), (64, 64));
    assert_ne!(expected, found);
}

#[test]
fn a_batch_fits_unless_something_of_its_record_was_changed() {
    let (dir, untouched) = closed();
    let fits = |path: &std::path::Path| {
        Store::open_read_only(path).expect("opens").batch_fits("B-2026-0001")
    };
    fits(&untouched).expect("fits");
    let unknown = Store::open_read_only(&untouched).expect("opens").batch_fits("B-1");
    assert!(matches!(unknown, Err(Misfit::Unreadable(StoreError::NoBatch(_)))), "{unknown:?}");
    for (sql, named) in [
        ("UPDATE inputs SET milk_1_mc = 62500 WHERE tick_ms = 70000", "62000 to"),
        ("UPDATE journal SET who = 'eve' WHERE seq = 2", "entry 2 of the journal"),
        ("UPDATE params SET json = replace(json, '62.5', '61.5')", "frozen parameters"),
        ("UPDATE texts SET text = 'x' WHERE text LIKE 'floor%'", "frozen text of recipe"),
        ("UPDATE batches SET engine_accepts = 1", "row B-2026-0001 of batches"),
        ("UPDATE deposits SET volume_ul = 1 WHERE code = 'M-2'", "row M-2 of deposits"),
        ("UPDATE pool_deposits SET position = 9 WHERE deposit = 'M-3'", "of pool_deposits"),
    ] {
        let path = dir.path().join("tampered.db");
        std::fs::copy(&untouched, &path).expect("copied");
        tamper(&path, sql);
        let text = fits(&path).expect_err(sql).to_string();
        assert!(text.contains(named), "{sql}: {text}");
        let store = Store::open_read_only(&path).expect("opens");
        let proved = store.load_proved("B-2026-0001").expect("read");
        assert_eq!(
            proved.fits.expect_err(sql).to_string(),
            text,
            "what is judged is what is proved"
        );
    }
    let store = Store::open_read_only(&untouched).expect("opens");
    let proved = store.load_proved("B-2026-0001").expect("read");
    proved.fits.expect("fits");
    let read = store.load_to_replay("B-2026-0001").expect("read");
    assert_eq!((proved.record, proved.inputs), read);
    let unknown = store.load_proved("B-1").err();
    assert!(matches!(unknown, Some(StoreError::NoBatch(_))), "{unknown:?}");
}

#[test]
fn of_several_batches_the_one_that_was_changed_is_named_and_a_broken_chain_names_none() {
    let (dir, path, mut store) = new();
    let mut begin = || {
        let (batch, mut engine) = run(&mut store, &water_batch(), 10);
        stop(&mut store, &batch, &mut engine, Tick::from_ms(11_000));
        batch
    };
    let (first, second) = (begin(), begin());
    drop(store);
    let misfits = |sql: Option<&str>| {
        let tampered = dir.path().join("tampered.db");
        std::fs::copy(&path, &tampered).expect("copied");
        if let Some(sql) = sql {
            tamper(&tampered, sql);
        }
        let store = Store::open_read_only(&tampered).expect("opens");
        let each: Vec<bool> = [&first, &second].map(|batch| store.batch_fits(batch).is_ok()).into();
        let all = store.misfits_of(&[&first, &second]);
        (each, all.map(|misfits| misfits.into_keys().collect::<Vec<_>>()))
    };
    let (each, found) = misfits(None);
    assert_eq!((each, found.expect("they fit")), (vec![true, true], vec![]));
    let one = "UPDATE inputs SET milk_1_mc = 62500 WHERE tick_ms = 7000 AND batch = 2";
    let (each, found) = misfits(Some(one));
    assert_eq!((each, found.expect("the chain fits")), (vec![true, false], vec![second.clone()]));
    let (each, found) = misfits(Some("UPDATE journal SET who = 'eve' WHERE seq = 2"));
    assert_eq!(each, [false, false]);
    assert!(found.expect_err("the chain").is_damage());
}

#[test]
fn a_dropped_trigger_and_a_foreign_table_are_named() {
    let (_dir, path) = closed();
    let db = rusqlite::Connection::open(&path).expect("opens");
    db.execute_batch("DROP TRIGGER inputs_no_update").expect("dropped");
    assert!(misfit(&path).contains("inputs_no_update"));
    let (_dir, path) = closed();
    let db = rusqlite::Connection::open(&path).expect("opens");
    db.execute_batch("CREATE TABLE notes (text TEXT)").expect("made");
    assert!(misfit(&path).contains("CREATE TABLE notes"));
}

/// REQ-REC-03
#[test]
fn a_chain_that_was_made_again_from_its_start_does_not_match_the_paper() {
    let (_dir, _path, mut store) = new();
    let paper = store.head().expect("head").hash();
    store.append(ANN, "note", "door", None, &Body::new("repaired")).expect("kept");
    for known in [paper.as_str(), &paper[..16], &format!(" {} ", paper.to_uppercase())] {
        store.verify(Some(known)).expect("the journal still holds it");
    }
    let (_other_dir, _other_path, other) = {
        let (dir, path, mut store) = new();
        store.add_user(ANN, "eve").expect("added");
        (dir, path, store)
    };
    let later = store.head().expect("head").hash();
    for unknown in [later.as_str(), "", &paper[..15], "x"] {
        let text = other.verify(Some(unknown)).expect_err("not there").to_string();
        assert!(text.contains("the hash on paper"), "{text}");
    }
}

#[test]
fn a_hash_that_was_not_copied_whole_says_nothing_of_the_journal() {
    let (_dir, _path, store) = new();
    let hash = store.head().expect("head").hash();
    let long = format!("{hash}0");
    for typed in ["", " ", "x", &hash[..15], "0123456789abcdeg", long.as_str()] {
        let text = store.verify(Some(typed)).expect_err("no hash").to_string();
        assert!(text.contains("16 to 64 hexadecimal digits"), "{text}");
        assert!(!text.contains("rewritten"), "{text}");
    }
}

#[test]
fn a_tail_that_was_edited_after_a_kill_is_not_sealed_as_genuine() {
    for sql in [
        "UPDATE inputs SET milk_1_mc = 62500 WHERE tick_ms = 90000",
        "UPDATE inputs SET bath_mc = 62500 WHERE tick_ms = 99000",
        "UPDATE inputs SET refused = NULL WHERE kind = 'operator'",
        "UPDATE inputs SET milk_2_mc = 62500, milk_2_quality = 0 WHERE tick_ms = 98000",
    ] {
        let (_dir, path, mut store) = new();
        let (batch, engine) = run(&mut store, &water_batch(), 100);
        drop(store); // the batch stays open, its tail from 62 s on without a seal
        tamper(&path, sql);
        assert!(misfit(&path).contains("its running hash"), "{sql}: {}", misfit(&path));
        let mut store = Store::open(&path).expect("opens");
        store.batch_fits(&batch).expect_err(sql);
        crate::store::fixture::close(&mut store, &batch, &engine).expect("closed all the same");
        let text = store.verify(None).expect_err(sql).to_string();
        assert!(text.contains("samples of batch B-2026-0001 from 62000 to"), "{sql}: {text}");
        store.batch_fits(&batch).expect_err(sql);
    }
}

/// REQ-REC-01
#[test]
fn a_program_that_was_killed_leaves_every_acknowledged_sample_and_an_unsealed_tail() {
    let (_dir, path, mut store) = new();
    let (batch, _) = run(&mut store, &water_batch(), 100);
    // No close, no clean end of the connection: only what the commits have put on the disk.
    std::mem::forget(store);
    let copy = path.with_file_name("copy.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", path.display());
        std::fs::copy(from, format!("{}{suffix}", copy.display())).expect("copied");
    }
    let mut store = Store::open(&copy).expect("opens");
    let report = store.verify(None).expect("verifies");
    assert_eq!(report.readings, 100);
    assert_eq!(report.readings_unsealed, 38, "sealed at 0 s and at 61 s");
    assert_eq!(store.open_batches().expect("read").len(), 1);
    assert_eq!(store.load_batch(&batch).expect("read").periods.len(), 100);

    // Another program closes it: the tail is sealed from the file.
    let (record, inputs) = store.load_to_replay(&batch).expect("read");
    let mut engine = crate::batch::engine::Engine::new(record.params.clone()).expect("allowed");
    for (at, input) in inputs {
        engine.step(at, input);
    }
    let input = crate::batch::event::Input::Reading(reading(101));
    commit(&mut store, &batch, &mut engine, Tick::from_ms(101_000), &input).expect("goes on");
    crate::store::fixture::close(&mut store, &batch, &engine).expect("closed");
    let report = store.verify(None).expect("verifies");
    assert_eq!((report.readings, report.readings_unsealed), (101, 0));
}

mod columns;
mod two_batches;
