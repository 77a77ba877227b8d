use super::super::fixture::{
    ANN, NOON, add_pool, close, commit, milk_batch, new, reading, run, stop, water_batch,
};
use super::*;
use crate::batch::engine::Engine;
use crate::milk::{Refusal, Status};
use holder_hal::{Celsius, Reading, Tick};

use crate::batch::event::Input;

#[test]
fn a_batch_comes_back_as_it_was_given() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let given = milk_batch();
    let (code, mut engine) = run(&mut store, &given, 70);
    assert_eq!(code, "B-2026-0001");
    stop(&mut store, &code, &mut engine, Tick::from_ms(70_000));
    let record = store.load_batch(&code).expect("read");
    assert_eq!(record.params, given.params);
    assert_eq!(record.periods.len(), 70);
    let period = record.periods.last().expect("one");
    assert_eq!((period.at.ms(), period.reading), (69_000, reading(69)));
    assert_eq!(period.phase, PhaseName::Preheat);
    assert_eq!(record.entries.len(), 2, "{:?}", record.entries);
    assert_eq!(record.actions.len(), 1, "a refused action is not shown as done");
    assert_eq!(record.actions[0].who, "ann");
    assert_eq!(record.texts[0].text, "floor_c = 62.5");
    assert_eq!(record.texts[0].sha256, hex(&sha256("floor_c = 62.5")));
    assert_eq!(record.pool.expect("milk").shares.len(), 3);
    let header = &record.header;
    assert_eq!((header.closing, header.phase), (Some(Closing::Ended), PhaseName::Aborted));
    assert_eq!(header.engine_accepts, Some(false));
    assert_eq!((header.started_utc_ms, header.bottles), (NOON, 12));
    assert_eq!(record.head_hash, store.head().expect("head").hash());
    assert_eq!(store.batches().expect("read"), [record.header]);
    assert_eq!(store.verdict_of(&code).expect("read").expect("kept")["outcome"], "incomplete");
}

#[test]
fn codes_count_within_the_year_of_the_station() {
    let (_dir, _path, mut store) = new();
    // 2026-12-31 23:30 UTC is already 2027 in Berlin.
    let new_year = 1_798_759_800_000;
    let mut codes = Vec::new();
    for started_utc_ms in [NOON, NOON, new_year] {
        let code = store.begin_batch(&NewBatch { started_utc_ms, ..water_batch() }).expect("begun");
        let engine = Engine::new(water_batch().params).expect("allowed");
        close(&mut store, &code, &engine).expect("closed");
        codes.push(code);
    }
    assert_eq!(codes, ["B-2026-0001", "B-2026-0002", "B-2027-0001"]);
}

#[test]
fn a_unit_has_one_open_batch() {
    let (_dir, _path, mut store) = new();
    let code = store.begin_batch(&water_batch()).expect("begun");
    let text = store.begin_batch(&water_batch()).expect_err("busy").to_string();
    assert!(text.contains("unit demo") && text.contains(&code), "{text}");
    assert_eq!(store.batches().expect("read").len(), 1, "nothing half-written");
}

#[test]
fn milk_needs_a_pool_and_water_takes_none() {
    let (_dir, _path, mut store) = new();
    let mut refused = |new: &NewBatch| match store.begin_batch(new) {
        Err(StoreError::Milk(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&NewBatch { pool: None, ..milk_batch() }), Refusal::PoolNeeded);
    assert!(matches!(refused(&milk_batch()), Refusal::Unknown { .. }));
    let water = NewBatch { pool: Some("P-1".into()), ..water_batch() };
    assert!(matches!(refused(&water), Refusal::PoolNotWanted { .. }));
}

#[test]
fn a_donor_who_was_deferred_since_blocks_the_start() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    store.set_donor_status(ANN, "D-2", Status::Deferred, "by QA").expect("set");
    let text = store.begin_batch(&milk_batch()).expect_err("blocked").to_string();
    assert!(text.contains("deposit M-2") && text.contains("donor D-2 is deferred"), "{text}");
    assert!(store.batches().expect("read").is_empty());
}

#[test]
fn a_pool_gives_batches_until_it_is_used_up() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let code = store.begin_batch(&milk_batch()).expect("begun");
    let engine = Engine::new(milk_batch().params).expect("allowed");
    close(&mut store, &code, &engine).expect("closed");
    let shown = store.pool("P-1").expect("read");
    assert_eq!((shown.left_ul, shown.batches), (1_440_000, vec![code]));
    let text = store.begin_batch(&milk_batch()).expect_err("too little").to_string();
    assert!(text.contains("1440 ml left") && text.contains("1560 ml"), "{text}");
    store.begin_batch(&NewBatch { bottles: 11, ..milk_batch() }).expect("eleven fit");
}

#[test]
fn a_text_with_the_wrong_hash_and_parameters_against_the_rules_are_refused() {
    let (_dir, _path, mut store) = new();
    let mut new = water_batch();
    new.texts[1].sha256 = "00".repeat(32);
    assert!(matches!(store.begin_batch(&new), Err(StoreError::TextHash { .. })));
    let mut new = water_batch();
    new.params.milk.clear();
    assert!(matches!(store.begin_batch(&new), Err(StoreError::Params(_))));
    store.verify(None).expect("nothing half-written");
}

#[test]
fn time_does_not_go_back_in_a_record() {
    let (_dir, _path, mut store) = new();
    let (code, mut engine) = run(&mut store, &water_batch(), 5);
    let before = store.head().expect("head");
    for at in [4_999, 4_000, 0] {
        let input = Input::Reading(reading(0));
        let error = commit(&mut store, &code, &mut engine, Tick::from_ms(at), &input);
        assert!(matches!(error, Err(StoreError::TickBack { .. })), "{at}: {error:?}");
    }
    let input = Input::Reading(reading(5));
    commit(&mut store, &code, &mut engine, Tick::from_ms(5_000), &input).expect("kept");
    let twice = commit(&mut store, &code, &mut engine, Tick::from_ms(5_000), &input);
    assert!(matches!(twice, Err(StoreError::TickBack { .. })), "one reading per tick");
    let absurd = commit(&mut store, &code, &mut engine, Tick::from_ms(u64::MAX), &input);
    assert!(matches!(absurd, Err(StoreError::OutOfRange { .. })));
    assert_eq!(store.head().expect("head"), before);
    store.verify(None).expect("verifies");
}

#[test]
fn a_closed_record_takes_nothing_more() {
    let (_dir, _path, mut store) = new();
    let (code, mut engine) = run(&mut store, &water_batch(), 5);
    stop(&mut store, &code, &mut engine, Tick::from_ms(9_000));
    let input = Input::Reading(reading(10));
    let late = commit(&mut store, &code, &mut engine, Tick::from_ms(10_000), &input);
    assert!(matches!(late, Err(StoreError::BatchClosed(_))), "{late:?}");
    let again = close(&mut store, &code, &engine);
    assert!(matches!(again, Err(StoreError::BatchClosed(_))), "{again:?}");
    assert!(matches!(store.load_batch("B-1"), Err(StoreError::NoBatch(_))));
}

#[test]
fn a_simulated_reading_marks_the_batch_for_ever() {
    let (_dir, _path, mut store) = new();
    let (code, mut engine) = run(&mut store, &water_batch(), 3);
    assert!(!store.batches().expect("read")[0].simulated);
    let input = Input::Reading(Reading { simulated: true, ..reading(4) });
    commit(&mut store, &code, &mut engine, Tick::from_ms(4_000), &input).expect("kept");
    assert!(store.batches().expect("read")[0].simulated);
    store.verify(None).expect("verifies");
    stop(&mut store, &code, &mut engine, Tick::from_ms(5_000));
    assert!(store.load_batch(&code).expect("read").header.simulated);
    store.verify(None).expect("verifies");
}

#[test]
fn a_full_disk_is_an_error_that_keeps_nothing_of_the_step() {
    let (_dir, _path, mut store) = new();
    let (code, mut engine) = run(&mut store, &water_batch(), 10);
    let pages: i64 =
        store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("counted");
    store.db.pragma_update(None, "max_page_count", pages).expect("set");
    let mut kept = 10;
    let full = loop {
        let at = Tick::from_ms((kept + 10) * 1_000);
        let input = Input::Reading(reading(kept));
        match commit(&mut store, &code, &mut engine, at, &input) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 10_000, "never full");
    };
    assert!(matches!(full, StoreError::DiskFull), "{full}");
    assert_eq!(store.load_batch(&code).expect("read").periods.len() as u64, kept);
    store.verify(None).expect("verifies");
    // Room again: the record goes on where it stopped.
    store.db.pragma_update(None, "max_page_count", 1_000_000).expect("set");
    let at = Tick::from_ms((kept + 11) * 1_000);
    let input = Input::Reading(reading(kept));
    commit(&mut store, &code, &mut engine, at, &input).expect("kept");
    store.verify(None).expect("verifies");
}

#[test]
fn the_record_is_append_only_for_everybody() {
    let (_dir, _path, mut store) = new();
    run(&mut store, &water_batch(), 3);
    for table in ["journal", "samples", "inputs", "params", "texts", "batch_texts"] {
        let column = match table {
            "journal" => "who",
            "texts" => "text",
            "params" => "json",
            "batch_texts" => "name",
            _ => "tick_ms",
        };
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
        ] {
            let error = store.db.execute(&sql, []).expect_err(&sql).to_string();
            let refused = ["append-only", "frozen", "no holes"];
            assert!(refused.iter().any(|word| error.contains(word)), "{sql}: {error}");
        }
    }
}

#[test]
fn only_the_store_writes_its_own_kinds_of_entries() {
    let (_dir, _path, mut store) = new();
    let body = Body::new("x");
    let own = store.append(ANN, "seal", "x", None, &body);
    assert!(matches!(own, Err(StoreError::ReservedKind(_))));
    let nowhere = store.append(ANN, "note", "x", Some("B-1"), &body);
    assert!(matches!(nowhere, Err(StoreError::NoBatch(_))));
    let before = store.head().expect("head");
    let head = store.append(ANN, "note", "x", None, &body.why("y")).expect("kept");
    assert_eq!(head.seq, before.seq + 1);
}

#[test]
fn a_missing_temperature_stays_missing() {
    let (_dir, _path, mut store) = new();
    let (code, _) = run(&mut store, &water_batch(), 1);
    let period = store.load_batch(&code).expect("read").periods[0];
    assert_eq!(period.reading.milk[1].expect("a probe").raw, None);
    assert_eq!(period.reading.milk[0].expect("a probe").raw, Some(Celsius::from_milli(4_000)));
    assert_eq!(period.reading.milk[2], None);
}
