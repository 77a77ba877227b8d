//! Rows of one open batch in the place of another's.

use holder_hal::Tick;

use super::misfit;
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Input};
use crate::batch::params::BatchParams;
use crate::store::NewBatch;
use crate::store::fixture::{commit, new, reading, run, tamper, water_batch};

fn on_unit(unit: &str) -> NewBatch {
    let params = BatchParams { unit: unit.into(), ..water_batch().params };
    NewBatch { params, ..water_batch() }
}

/// REQ-REC-02
#[test]
fn rows_of_one_open_batch_fit_nowhere_in_another() {
    let (dir, untouched, mut store) = new();
    run(&mut store, &on_unit("one"), 50);
    // Two machines never read the same in the same millisecond.
    let two = store.begin_batch(&on_unit("two")).expect("begun");
    let mut engine = Engine::new(on_unit("two").params).expect("allowed");
    for second in 0..20 {
        let input = Input::Reading(reading(second + 5));
        let at = Tick::from_ms(second * 1_000);
        commit(&mut store, &two, &mut engine, at, &input).expect("kept");
    }
    store.begin_batch(&on_unit("three")).expect("begun");
    store.verify(None).expect("nobody touched it");
    drop(store);
    let put = |batch: u8, rows: &str| {
        format!(
            "DELETE FROM inputs WHERE batch = {batch} AND {rows}; \
             CREATE TEMP TABLE moved AS SELECT * FROM inputs WHERE batch = 1 AND {rows}; \
             UPDATE moved SET batch = {batch}; INSERT INTO inputs SELECT * FROM moved"
        )
    };
    for (sql, named) in [
        (put(3, "n > 0"), "batch B-2026-0003 does not verify: its first input, which is sealed"),
        (put(3, "n = 1"), "batch B-2026-0003 does not verify: its first input, which is sealed"),
        (put(2, "n > 0"), "samples of batch B-2026-0002 from 0 to 0 ms"),
        (put(2, "n > 1"), "input 2 of batch B-2026-0002"),
        (put(2, "n > 20"), "input 21 of batch B-2026-0002"),
    ] {
        let path = dir.path().join("tampered.db");
        std::fs::copy(&untouched, &path).expect("copied");
        tamper(&path, &sql);
        let text = misfit(&path);
        assert!(text.contains(named), "{sql}: {text}");
    }
}

#[test]
fn the_first_input_is_sealed_at_once_whatever_it_is() {
    for action in [Action::ConfirmUnload { bottles: 48 }, Action::Resume { outage_ms: None }] {
        let (_dir, _path, mut store) = new();
        let new = water_batch();
        let batch = store.begin_batch(&new).expect("begun");
        let mut engine = Engine::new(new.params).expect("allowed");
        let input = Input::Operator(action);
        commit(&mut store, &batch, &mut engine, Tick::default(), &input).expect("kept");
        let report = store.verify(None).expect("verifies");
        assert_eq!((report.inputs, report.seals), (1, 1), "{input:?}");
    }
}
