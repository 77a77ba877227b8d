//! A station with milk and batches, for the tests of the store.

use std::path::{Path, PathBuf};

use holder_hal::{Quality, Reading, Sample, Switch, Tick};
use tempfile::TempDir;

use super::model::{Closing, FrozenText};
use super::{Close, NewBatch, Stamp, Station, Step, Store, StoreError};
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Input};
use crate::batch::fixture::{milli, params, recipe};
use crate::batch::params::{BatchParams, Purpose};
use crate::milk::{Deposit, Status};

/// 2026-07-01 12:00 UTC.
pub(super) const NOON: i64 = 1_782_907_200_000;
/// A person at noon.
pub(super) const ANN: Stamp<'static> = Stamp { utc_ms: NOON, who: "ann" };

pub(super) fn station() -> Station {
    Station {
        name: "Milk bank".into(),
        time_zone: "Europe/Berlin".into(),
        training: false,
        created_utc_ms: NOON,
    }
}

/// A new station in its own folder.
pub(super) fn new() -> (TempDir, PathBuf, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("holder.db");
    let store = Store::create(&path, &station(), "ann").expect("made");
    // A test's machine does not lose power: the flush of every commit is left out.
    store.db.pragma_update(None, "synchronous", "OFF").expect("set");
    (dir, path, store)
}

pub(super) fn deposit(number: u8) -> Deposit {
    Deposit {
        code: format!("M-{number}"),
        donor: format!("D-{number}"),
        volume_ul: 1_000_000,
        expressed_on: jiff::civil::date(2026, 5, 1),
        received_on: jiff::civil::date(2026, 6, 1),
    }
}

/// Three cleared donors with a deposit each, pooled as `P-1`: 3 litres.
pub(super) fn add_pool(store: &mut Store) {
    let until = jiff::civil::date(2026, 12, 31);
    let mut codes = Vec::new();
    for number in 1..=3 {
        let deposit = deposit(number);
        store.add_donor(ANN, &deposit.donor).expect("added");
        let cleared = Status::Cleared { until };
        store.set_donor_status(ANN, &deposit.donor, cleared, "serology").expect("cleared");
        store.add_deposit(ANN, &deposit).expect("received");
        codes.push(deposit.code);
    }
    store.add_pool(ANN, "P-1", &codes, &recipe().pool).expect("pooled");
}

pub(super) fn milk_batch() -> NewBatch {
    NewBatch {
        simulated: false,
        pool: Some("P-1".into()),
        bottles: 12,
        bottle_ul: 130_000,
        operator: "ann".into(),
        started_utc_ms: NOON,
        params: BatchParams { simulated: false, ..params() },
        clock: None,
        texts: vec![
            FrozenText {
                kind: "recipe".into(),
                name: "holder-hmbana".into(),
                sha256: String::new(),
                text: "floor_c = 62.5".into(),
            },
            FrozenText {
                kind: "unit".into(),
                name: "demo".into(),
                sha256: String::new(),
                text: "probes = 2".into(),
            },
        ],
    }
}

pub(super) fn water_batch() -> NewBatch {
    let params = BatchParams { purpose: Purpose::Water, ..milk_batch().params };
    NewBatch { pool: None, params, ..milk_batch() }
}

/// A reading of a machine that warms up.
pub(super) fn reading(second: u64) -> Reading {
    let mut reading = Reading::nothing(2, false);
    let rise = i32::try_from(second.min(600)).unwrap_or(0) * 70;
    reading.bath = Sample { age_ms: 40, ..Sample::good(milli(20_000 + rise)) };
    reading.milk[0] = Some(Sample::good(milli(4_000)));
    reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
    reading
}

/// Steps `engine` with `input` and commits it.
pub(super) fn commit(
    store: &mut Store,
    batch: &str,
    engine: &mut Engine,
    at: Tick,
    input: &Input,
) -> Result<(), StoreError> {
    let effects = engine.step(at, input.clone());
    let utc_ms = NOON + i64::try_from(at.ms()).unwrap_or(0);
    let who = if matches!(input, Input::Operator(_)) { "ann" } else { "station" };
    let stamp = Stamp { utc_ms, who };
    let (effects, phase) = (&effects, engine.phase());
    store.commit_step(&Step { batch, at, stamp, input, effects, phase })
}

/// Starts a batch and commits `seconds` readings, a refused action and a wake.
pub(super) fn run(store: &mut Store, new: &NewBatch, seconds: u64) -> (String, Engine) {
    let batch = store.begin_batch(new).expect("begun");
    let mut engine = Engine::new(new.params.clone()).expect("allowed");
    for second in 0..seconds {
        let input = Input::Reading(reading(second));
        commit(store, &batch, &mut engine, Tick::from_ms(second * 1_000), &input).expect("kept");
    }
    let at = Tick::from_ms(seconds * 1_000);
    for input in [Input::Operator(Action::ConfirmUnload { bottles: 12 }), Input::Wake] {
        commit(store, &batch, &mut engine, at, &input).expect("kept");
    }
    (batch, engine)
}

/// Stops a running batch and closes its record.
pub(super) fn stop(store: &mut Store, batch: &str, engine: &mut Engine, at: Tick) {
    let stop = Input::Operator(Action::Stop { reason: "test".into() });
    commit(store, batch, engine, at, &stop).expect("kept");
    close(store, batch, engine).expect("closed");
}

pub(super) fn close(store: &mut Store, batch: &str, engine: &Engine) -> Result<(), StoreError> {
    let verdict = serde_json::json!({ "outcome": "incomplete" });
    store.close_batch(&Close {
        batch,
        stamp: ANN,
        closing: Closing::Ended,
        engine_accepts: engine.accepts(),
        phase: engine.phase(),
        verdict: Some(&verdict),
    })
}

/// Changes the file behind the store's back: triggers are dropped and made again, and foreign
/// keys are not looked at, as a patient forger would do.
pub(super) fn tamper(path: &Path, sql: &str) {
    let db = rusqlite::Connection::open(path).expect("opens");
    db.pragma_update(None, "foreign_keys", false).expect("set");
    db.pragma_update(None, "synchronous", "OFF").expect("set");
    let mut select =
        db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").expect("a schema");
    let triggers: Vec<(String, String)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("text");
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {name}")).expect("dropped");
    }
    db.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(db.changes() > 0 || sql.starts_with("DROP"), "{sql} changed nothing");
    for (_, sql) in &triggers {
        // A trigger of a table that was dropped has gone with it.
        db.execute_batch(sql).ok();
    }
}
