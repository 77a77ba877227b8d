//! The stored inputs give the stored entries again: the engine is a function of its record.

use std::panic::{AssertUnwindSafe, catch_unwind};

use holder_hal::{Command, Tick};

use super::model::{BatchHeader, BatchRecord, Closing, Period, StampedAction, StampedEntry};
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Entry, Input};
use crate::batch::params::ParamsFault;
use crate::batch::phase::PhaseName;

/// Where a replay and the record part. The batch is disputed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayMisfit {
    /// The engine says something else than what is stored, or nothing.
    #[error(
        "entry {seq} of the journal at {} ms says {:?}; the replay says {}", expected.at.ms(),
        expected.event, found.as_ref().map_or("nothing".to_owned(), |e| format!("{e:?}"))
    )]
    Entry {
        /// Its number in the journal.
        seq: i64,
        /// What is stored.
        expected: Box<Entry>,
        /// What the replay gave instead.
        found: Option<Box<Entry>>,
    },
    /// The engine says something that is not stored.
    #[error("the replay says {:?} at {} ms, which is not in the journal", .0.event, .0.at.ms())]
    NotStored(Box<Entry>),
    /// The engine commands something else than what is stored.
    #[error("at {at_ms} ms the record commands {expected:?}; the replay commands {found:?}")]
    Command {
        /// When, milliseconds on the batch's own time.
        at_ms: u64,
        /// What is stored.
        expected: Box<Command>,
        /// What the replay gave.
        found: Box<Command>,
    },
    /// The record has a period without its input, or the reverse.
    #[error("at {at_ms} ms the record has a reading without its period, or the reverse")]
    Period {
        /// When, milliseconds on the batch's own time.
        at_ms: u64,
    },
    /// The engine is in another phase than what is stored.
    #[error("at {at_ms} ms the record is in phase {expected}; the replay is in {found}")]
    Phase {
        /// When, milliseconds on the batch's own time.
        at_ms: u64,
        /// What is stored.
        expected: PhaseName,
        /// Where the replay is.
        found: PhaseName,
    },
    /// An action that the record has as done and the engine refuses, or the reverse.
    #[error(
        "at {at_ms} ms the record says that an action was {expected}; in the replay it is {found}"
    )]
    Action {
        /// When, milliseconds on the batch's own time.
        at_ms: u64,
        /// What is stored: `done`, `refused`.
        expected: &'static str,
        /// What the replay gave.
        found: &'static str,
    },
    /// The engine comes to another end than what the first page says.
    #[error("the record ends in phase {expected}; the replay ends in {found}")]
    End {
        /// What is stored.
        expected: PhaseName,
        /// Where the replay ends.
        found: PhaseName,
    },
    /// The engine decides otherwise than what the first page says.
    #[error("the record says that the engine {}; in the replay it {}", accepts_words(*.expected),
        accepts_words(*.found))]
    Accepts {
        /// What is stored.
        expected: Option<bool>,
        /// What the replay gave.
        found: Option<bool>,
    },
    /// The engine of this program cannot take the stored inputs.
    #[error("at {at_ms} ms the replay meets a defect of holder")]
    Panicked {
        /// When, milliseconds on the batch's own time.
        at_ms: u64,
    },
    /// The frozen parameters make no engine.
    ///
    /// The rule is no `source`: the sentence has it, and a chain would repeat it.
    #[error("the frozen parameters are not allowed: {0}")]
    Params(ParamsFault),
}

impl From<ParamsFault> for ReplayMisfit {
    fn from(fault: ParamsFault) -> Self {
        Self::Params(fault)
    }
}

const fn accepts_words(accepts: Option<bool>) -> &'static str {
    match accepts {
        None => "has not decided",
        Some(true) => "accepted the batch",
        Some(false) => "did not accept the batch",
    }
}

/// Steps an engine made from the record's parameters through `inputs`, and compares everything
/// that the record says of it, exactly: entries, commands, the phase of each period, which actions
/// were done, the last phase and the decision. Gives the number of inputs. A record that is still
/// open, or was closed as interrupted, may have no decision.
///
/// # Errors
/// The first difference.
pub fn replay(record: &BatchRecord, inputs: &[(Tick, Input)]) -> Result<usize, ReplayMisfit> {
    revive(record, inputs).map(|_| inputs.len())
}

/// The same, and gives the engine as it was after the last stored input.
///
/// # Errors
/// The first difference.
pub fn revive(record: &BatchRecord, inputs: &[(Tick, Input)]) -> Result<Engine, ReplayMisfit> {
    let mut engine = Engine::new(record.params.clone())?;
    let mut entries = record.entries.iter();
    let mut periods = record.periods.iter();
    let mut actions = record.actions.iter();
    for (at, input) in inputs {
        // A defect must not keep the record from being closed.
        let step = AssertUnwindSafe(|| engine.step(*at, input.clone()));
        let effects = catch_unwind(step);
        let effects = effects.map_err(|_| ReplayMisfit::Panicked { at_ms: at.ms() })?;
        for found in &effects.entries {
            same_entry(entries.next(), found)?;
        }
        match input {
            Input::Reading(_) => same_period(periods.next(), *at, effects.command, engine.phase())?,
            Input::Operator(action) => {
                same_action(&mut actions, *at, action, effects.refusal.is_some())?;
            }
            Input::Wake => {}
        }
    }
    if let Some(period) = periods.next() {
        return Err(ReplayMisfit::Period { at_ms: period.at.ms() });
    }
    if let Some(left) = actions.next() {
        let (expected, found) = ("done", "not done");
        return Err(ReplayMisfit::Action { at_ms: left.tick_ms, expected, found });
    }
    if let Some(left) = entries.next() {
        return Err(ReplayMisfit::Entry {
            seq: left.seq,
            expected: Box::new(left.entry.clone()),
            found: None,
        });
    }
    same_end(record, &engine)?;
    Ok(engine)
}

fn same_entry(stored: Option<&StampedEntry>, found: &Entry) -> Result<(), ReplayMisfit> {
    let Some(stored) = stored else {
        return Err(ReplayMisfit::NotStored(Box::new(found.clone())));
    };
    if stored.entry == *found {
        return Ok(());
    }
    Err(ReplayMisfit::Entry {
        seq: stored.seq,
        expected: Box::new(stored.entry.clone()),
        found: Some(Box::new(found.clone())),
    })
}

fn same_period(
    stored: Option<&Period>,
    at: Tick,
    command: Command,
    found: PhaseName,
) -> Result<(), ReplayMisfit> {
    let at_ms = at.ms();
    let stored = stored.filter(|period| period.at == at);
    let stored = stored.ok_or(ReplayMisfit::Period { at_ms })?;
    if stored.command != command {
        let (expected, found) = (Box::new(stored.command), Box::new(command));
        return Err(ReplayMisfit::Command { at_ms, expected, found });
    }
    if stored.phase != found {
        return Err(ReplayMisfit::Phase { at_ms, expected: stored.phase, found });
    }
    Ok(())
}

/// The record lists the actions that were done: one that the engine refuses is not among them.
fn same_action(
    done: &mut std::slice::Iter<'_, StampedAction>,
    at: Tick,
    action: &Action,
    refused: bool,
) -> Result<(), ReplayMisfit> {
    let is_done = |next: &StampedAction| next.tick_ms == at.ms() && next.action == *action;
    let stored_done = done.as_slice().first().is_some_and(is_done);
    match (stored_done, refused) {
        (true, false) => {
            done.next();
            Ok(())
        }
        // The same action may be done later in the same millisecond.
        (_, true) => Ok(()),
        (false, false) => {
            let (expected, found) = ("refused", "done");
            Err(ReplayMisfit::Action { at_ms: at.ms(), expected, found })
        }
    }
}

fn same_end(record: &BatchRecord, engine: &Engine) -> Result<(), ReplayMisfit> {
    let BatchHeader { phase: expected, closing, engine_accepts, .. } = record.header;
    if expected != engine.phase() {
        return Err(ReplayMisfit::End { expected, found: engine.phase() });
    }
    let need_not_know = engine_accepts.is_none() && closing != Some(Closing::Ended);
    if need_not_know || engine_accepts == engine.accepts() {
        return Ok(());
    }
    Err(ReplayMisfit::Accepts { expected: engine_accepts, found: engine.accepts() })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ANN, NOON, close, milk_batch, new, water_batch};
    use super::super::{NewBatch, Stamp, Step};
    use super::*;
    use crate::batch::event::asked;
    use crate::station::rehearsal::rehearse;
    use holder_hal::Celsius;
    use holder_sim::params::PlantParams;

    /// A whole batch on the simulated plant, stored; its code and how many inputs it took.
    fn whole_batch(store: &mut super::super::Store) -> (String, usize) {
        let new = NewBatch { simulated: true, ..water_batch() };
        let run = rehearse(new.params.clone(), PlantParams::nominal(), 1, 0.1, 12).expect("ran");
        let batch = store.begin_batch(&new).expect("begun");
        let mut engine = Engine::new(new.params.clone()).expect("allowed");
        let mut inputs = 0;
        for period in run.periods {
            let action = asked(engine.phase(), 12);
            let steps = [action.map(Input::Operator), Some(Input::Reading(period.reading))];
            for input in steps.iter().flatten() {
                let at = period.at;
                let effects = engine.step(at, input.clone());
                let stamp = Stamp { utc_ms: NOON, who: "ann" };
                let (batch, effects, phase) = (batch.as_str(), &effects, engine.phase());
                store.commit_step(&Step { batch, at, stamp, input, effects, phase }).expect("kept");
                inputs += 1;
            }
        }
        assert!(engine.phase().is_final(), "{}", engine.phase());
        close(store, &batch, &engine).expect("closed");
        (batch, inputs)
    }

    /// REQ-REC-01
    #[test]
    fn the_stored_inputs_of_a_whole_batch_give_the_stored_entries_again() {
        let (_dir, _path, mut store) = new();
        let (batch, count) = whole_batch(&mut store);
        let (record, inputs) = store.load_to_replay(&batch).expect("read");
        assert_eq!(replay(&record, &inputs), Ok(count));
        assert!(count > 3_000 && record.entries.len() >= 6, "{count} {}", record.entries.len());
        let report = store.verify(None).expect("verifies");
        assert_eq!((report.inputs, report.readings_unsealed), (count as i64, 0));

        let mut warmer = inputs.clone();
        for (_, input) in &mut warmer {
            if let Input::Reading(reading) = input {
                reading.bath.raw = Some(Celsius::from_milli(70_000));
            }
        }
        assert!(replay(&record, &warmer).is_err(), "other readings, other entries");
        let mut less = record.clone();
        let lost = less.entries.pop().expect("an entry").entry;
        assert_eq!(replay(&less, &inputs), Err(ReplayMisfit::NotStored(Box::new(lost))));
        let mut more = record.clone();
        more.entries.extend(record.entries.last().cloned());
        let text = replay(&more, &inputs).expect_err("one too many").to_string();
        assert!(text.contains("the replay says nothing"), "{text}");
        let mut other = record.clone();
        other.periods[7].command.agitator ^= true;
        let changed = replay(&other, &inputs);
        assert!(matches!(changed, Err(ReplayMisfit::Command { at_ms: 7_000, .. })), "{changed:?}");
        let mut later = record.clone();
        later.periods[7].phase = PhaseName::Hold;
        let changed = replay(&later, &inputs);
        assert!(matches!(changed, Err(ReplayMisfit::Phase { at_ms: 7_000, .. })), "{changed:?}");
        let mut silent = record.clone();
        silent.actions.remove(0);
        let changed = replay(&silent, &inputs);
        let refused = matches!(changed, Err(ReplayMisfit::Action { expected: "refused", .. }));
        assert!(refused, "{changed:?}");
        let mut invented = record.clone();
        invented.actions.extend(record.actions.last().cloned());
        let changed = replay(&invented, &inputs);
        assert!(matches!(changed, Err(ReplayMisfit::Action { .. })), "{changed:?}");
        let mut unfinished = record.clone();
        unfinished.header.phase = PhaseName::Unload;
        let changed = replay(&unfinished, &inputs);
        assert!(matches!(changed, Err(ReplayMisfit::End { .. })), "{changed:?}");
        assert_eq!(record.header.engine_accepts, Some(true));
        for accepts in [Some(false), None] {
            let mut other = record.clone();
            other.header.engine_accepts = accepts;
            let changed = replay(&other, &inputs);
            let found = ReplayMisfit::Accepts { expected: accepts, found: Some(true) };
            assert_eq!(changed, Err(found), "a batch that ended was decided");
        }
        let mut open = record.clone();
        (open.header.closing, open.header.engine_accepts) = (None, None);
        assert_eq!(replay(&open, &inputs), Ok(count), "not decided yet");
        let mut short = record;
        short.periods.pop();
        assert!(matches!(replay(&short, &inputs), Err(ReplayMisfit::Period { .. })));
    }

    #[test]
    fn a_batch_of_nothing_replays_to_nothing() {
        let (_dir, _path, mut store) = new();
        super::super::fixture::add_pool(&mut store);
        let batch = store.begin_batch(&NewBatch { operator: ANN.who.into(), ..milk_batch() });
        let record = store.load_batch(&batch.expect("begun")).expect("read");
        assert_eq!(replay(&record, &[]), Ok(0));
    }
}
