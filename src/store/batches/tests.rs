use super::super::fixture::{
    ANN, NOON, add_pool, close, commit, milk_batch, new, reading, run, stop, water_batch,
};
use super::*;
use crate::batch::engine::Engine;
use crate::milk::{Refusal, Status};
use holder_hal::{Celsius, Reading, Tick};

use crate::batch::event::{Action, Cause, Effects, Entry, Event, Input, Snapshot};
use crate::store::Step;

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
    assert_eq!((header.started_utc_ms, header.bottles, header.bottle_ul), (NOON, 12, 130_000));
    assert_eq!(record.head_hash, store.head().expect("head").hash());
    assert_eq!(store.batches().expect("read"), [record.header]);
    assert_eq!(store.verdict_of(&code).expect("read").expect("kept")["outcome"], "incomplete");
}

#[test]
fn the_bottles_that_are_in_are_those_that_were_confirmed() {
    let (_dir, _path, mut store) = new();
    let told = NewBatch { bottles: 6, ..water_batch() };
    let code = store.begin_batch(&told).expect("begun");
    assert_eq!(store.bottles_in(&code).expect("read"), None);
    load(&mut store, &code, 1_000, 8);
    assert_eq!(store.bottles_in(&code).expect("read"), Some(8));
    assert_eq!(store.batches().expect("read")[0].bottles, 6);
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

/// REQ-MILK-02
#[test]
fn a_donor_who_was_deferred_since_blocks_the_start() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    store.set_donor_status(ANN, "D-2", Status::Deferred, "by QA").expect("set");
    let text = store.begin_batch(&milk_batch()).expect_err("blocked").to_string();
    assert!(text.contains("deposit M-2") && text.contains("donor D-2 is deferred"), "{text}");
    assert!(store.batches().expect("read").is_empty());
}

/// The technician confirms that this many bottles are in.
fn load(store: &mut Store, batch: &str, at_ms: u64, bottles: u16) {
    let at = Tick::from_ms(at_ms);
    let event = Event::Entered { phase: PhaseName::ComeUp, cause: Cause::Loaded { bottles } };
    let readings_mc = Snapshot { bath: None, coldest: None, hottest: None };
    let entries = vec![Entry { at, event, readings_mc }];
    let effects = Effects { command: holder_hal::Command::safe(true), entries, refusal: None };
    let input = Input::Operator(Action::ConfirmLoad { bottles });
    let (input, effects, phase) = (&input, &effects, PhaseName::ComeUp);
    store.commit_step(&Step { batch, at, stamp: ANN, input, effects, phase }).expect("kept");
}

/// What the pool of the tests has left and what is held of it, microlitres.
fn left_and_held(store: &Store) -> (i64, i64) {
    let shown = store.pool("P-1").expect("read");
    (shown.left_ul, shown.reserved_ul)
}

/// REQ-VOL-02
#[test]
fn milk_that_was_never_loaded_stays_in_its_pool() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let (code, mut engine) = run(&mut store, &milk_batch(), 5);
    assert_eq!(left_and_held(&store), (1_440_000, 1_560_000), "held while it is open");
    store.verify(None).expect("verifies");
    stop(&mut store, &code, &mut engine, Tick::from_ms(9_000));
    assert_eq!(left_and_held(&store), (3_000_000, 0));
    let body: String = store
        .db
        .query_row("SELECT body FROM journal WHERE kind = 'batch-closed'", [], |row| row.get(0))
        .expect("an entry");
    assert!(body.contains("nothing was loaded, 1560 ml stay in pool P-1"), "{body}");
    store.verify(None).expect("verifies");
    let again = store.begin_batch(&milk_batch()).expect("the same milk");
    assert_eq!(store.pool("P-1").expect("read").batches, [code, again]);
}

/// REQ-VOL-02, REQ-VOL-03
#[test]
fn a_pool_gives_batches_until_it_is_used_up() {
    let (_dir, _path, mut store) = new();
    add_pool(&mut store);
    let (code, mut engine) = run(&mut store, &milk_batch(), 5);
    load(&mut store, &code, 6_000, 12);
    assert_eq!(left_and_held(&store), (1_440_000, 0));
    store.verify(None).expect("verifies");
    stop(&mut store, &code, &mut engine, Tick::from_ms(9_000));
    assert_eq!(left_and_held(&store), (1_440_000, 0), "what was loaded does not come back");
    let text = store.begin_batch(&milk_batch()).expect_err("too little").to_string();
    assert!(text.contains("1440 ml left") && text.contains("1560 ml"), "{text}");
    store.begin_batch(&NewBatch { bottles: 11, ..milk_batch() }).expect("eleven fit");
    assert_eq!(left_and_held(&store), (10_000, 1_430_000));
    store.verify(None).expect("verifies");
}

/// REQ-VOL-02, REQ-VOL-03
#[test]
fn what_is_drawn_is_what_was_confirmed_and_not_what_was_told() {
    for (bottles, left_ul) in [(10, 1_700_000), (23, 10_000), (24, -120_000)] {
        let (_dir, _path, mut store) = new();
        add_pool(&mut store);
        let (code, _) = run(&mut store, &milk_batch(), 5);
        load(&mut store, &code, 6_000, bottles);
        assert_eq!(left_and_held(&store), (left_ul, 0), "{bottles}");
        let remarks = store.load_batch(&code).expect("read").remarks;
        assert_eq!(remarks.len(), usize::from(left_ul < 0), "{remarks:?}");
        if let Some(remark) = remarks.first() {
            assert!(remark.text.contains("120 ml more than pool P-1 has"), "{}", remark.text);
            let more = store.begin_batch(&milk_batch()).map(|_| ());
            assert!(matches!(more, Err(StoreError::UnitBusy { .. })), "{more:?}");
        }
        store.verify(None).expect("verifies");
    }
}

#[test]
fn water_is_drawn_from_nothing() {
    let (_dir, _path, mut store) = new();
    let (code, mut engine) = run(&mut store, &water_batch(), 5);
    let before = store.head().expect("head").seq;
    load(&mut store, &code, 6_000, 12);
    assert_eq!(store.head().expect("head").seq, before + 3, "action, event and seal only");
    stop(&mut store, &code, &mut engine, Tick::from_ms(9_000));
    let header = store.load_batch(&code).expect("read").header;
    assert_eq!((header.bottle_ul, header.pool), (130_000, None), "a mapping needs the volume");
    store.verify(None).expect("verifies");
}

#[test]
fn every_entry_is_on_behalf_of_somebody_who_can_be_read() {
    let (_dir, _path, mut store) = new();
    let (code, mut engine) = run(&mut store, &water_batch(), 2);
    let before = store.head().expect("head");
    for who in ["", " ", "ann\nbob", "a\u{1b}[2J", &"x".repeat(81)] {
        let stamp = Stamp { utc_ms: NOON, who };
        let body = Body::new("x");
        let input = Input::Reading(reading(3));
        let effects = engine.step(Tick::from_ms(3_000), input.clone());
        let (batch, at, phase) = (code.as_str(), Tick::from_ms(3_000), engine.phase());
        let step = Step { batch, at, stamp, input: &input, effects: &effects, phase };
        for refused in [
            store.append(stamp, "note", "x", None, &body).map(|_| ()),
            store.add_user(stamp, "eve"),
            store.add_donor(stamp, "D-1").map(|_| ()),
            store.commit_step(&step),
        ] {
            let named = matches!(refused, Err(StoreError::BadName { what: "user name", .. }));
            assert!(named, "{who:?}: {refused:?}");
        }
    }
    let longest = "é".repeat(80);
    assert_eq!(store.head().expect("head"), before);
    store
        .append(Stamp { utc_ms: NOON, who: &longest }, "note", "x", None, &Body::new("x"))
        .expect("kept");
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

/// REQ-REC-05
#[test]
fn the_record_is_append_only_for_everybody() {
    let (_dir, _path, mut store) = new();
    run(&mut store, &water_batch(), 3);
    for table in ["journal", "inputs", "params", "texts", "batch_texts"] {
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
