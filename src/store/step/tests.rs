use super::super::fixture::{ANN, new, reading, water_batch};
use super::*;
use crate::batch::engine::Engine;

/// What a step writes beside its row fails, as on a disk that is full after the row.
const FULL: &str = "\
    CREATE TEMP TRIGGER no_entry BEFORE INSERT ON main.journal
    BEGIN SELECT raise(ABORT, 'full'); END;
    CREATE TEMP TRIGGER no_change BEFORE UPDATE ON main.batches
    BEGIN SELECT raise(ABORT, 'full'); END;";
const FREE: &str = "DROP TRIGGER temp.no_entry; DROP TRIGGER temp.no_change";

fn inputs(store: &Store) -> i64 {
    store.db.query_row("SELECT count(*) FROM inputs", [], |row| row.get(0)).expect("counted")
}

#[test]
fn a_step_that_fails_leaves_nothing_behind_whatever_it_writes() {
    let (_dir, _path, mut store) = new();
    let new = water_batch();
    let batch = store.begin_batch(&new).expect("begun");
    let mut engine = Engine::new(new.params).expect("allowed");
    let mut given: Vec<_> = (0..130_u64)
        .map(|second| {
            let mut reading = reading(second);
            reading.simulated = second >= 100;
            (second * 1_000, Input::Reading(reading))
        })
        .collect();
    let stop = Action::Stop { reason: "test".into() };
    let actions =
        [Input::Operator(Action::ConfirmUnload { bottles: 1 }), Input::Wake, Input::Operator(stop)];
    given.extend(actions.map(|input| (130_000, input)));
    let mut whole = Vec::new();
    for (at_ms, input) in &given {
        let at = Tick::from_ms(*at_ms);
        let effects = engine.step(at, input.clone());
        let (batch, phase) = (batch.as_str(), engine.phase());
        let step = Step { batch, at, stamp: ANN, input, effects: &effects, phase };
        let before = inputs(&store);
        store.db.execute_batch(FULL).expect("full");
        let tried = store.commit_step(&step);
        store.db.execute_batch(FREE).expect("free");
        if tried.is_err() {
            assert_eq!(inputs(&store), before, "at {at_ms} ms a row without what belongs to it");
            store.commit_step(&step).expect("kept");
            whole.push(*at_ms);
        }
        assert_eq!(inputs(&store), before + 1);
    }
    // The first input, two blocks of a minute, a machine that is not real, an action that is refused, and
    // the stop. Everything else is one row.
    assert_eq!(whole, [0, 61_000, 100_000, 122_000, 130_000, 130_000]);
    store.verify(None).expect("verifies");
}
