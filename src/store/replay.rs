//! The stored inputs give the stored entries again: the engine is a function of its record.

use holder_hal::{Command, Tick};

use super::model::BatchRecord;
use crate::batch::event::{Effects, Entry, Input};

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
}

/// Steps `step` (an engine made from the record's parameters) through `inputs` and compares
/// entries and commands with the record, exactly. Gives the number of inputs.
///
/// # Errors
/// The first difference.
pub fn replay(
    record: &BatchRecord,
    inputs: &[(Tick, Input)],
    mut step: impl FnMut(Tick, Input) -> Effects,
) -> Result<usize, ReplayMisfit> {
    let mut entries = record.entries.iter();
    let mut periods = record.periods.iter();
    for (at, input) in inputs {
        let is_reading = matches!(input, Input::Reading(_));
        let effects = step(*at, input.clone());
        for found in effects.entries {
            let Some(stored) = entries.next() else {
                return Err(ReplayMisfit::NotStored(Box::new(found)));
            };
            if stored.entry != found {
                return Err(ReplayMisfit::Entry {
                    seq: stored.seq,
                    expected: Box::new(stored.entry.clone()),
                    found: Some(Box::new(found)),
                });
            }
        }
        if is_reading {
            let period = periods.next().filter(|period| period.at == *at);
            let expected = period.ok_or(ReplayMisfit::Period { at_ms: at.ms() })?.command;
            if expected != effects.command {
                return Err(ReplayMisfit::Command {
                    at_ms: at.ms(),
                    expected: Box::new(expected),
                    found: Box::new(effects.command),
                });
            }
        }
    }
    if let Some(period) = periods.next() {
        return Err(ReplayMisfit::Period { at_ms: period.at.ms() });
    }
    match entries.next() {
        None => Ok(inputs.len()),
        Some(left) => Err(ReplayMisfit::Entry {
            seq: left.seq,
            expected: Box::new(left.entry.clone()),
            found: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ANN, NOON, close, milk_batch, new, water_batch};
    use super::super::{NewBatch, Stamp, Step};
    use super::*;
    use crate::batch::engine::Engine;
    use crate::batch::event::Action;
    use crate::batch::phase::PhaseName;
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
            let action = match engine.phase() {
                PhaseName::Load => Some(Action::ConfirmLoad { bottles: 12 }),
                PhaseName::Unload => Some(Action::ConfirmUnload),
                PhaseName::Preheat
                | PhaseName::ComeUp
                | PhaseName::Hold
                | PhaseName::Cool
                | PhaseName::Finished
                | PhaseName::Aborted => None,
            };
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

    fn replayed(record: &BatchRecord, inputs: &[(Tick, Input)]) -> Result<usize, ReplayMisfit> {
        let mut engine = Engine::new(record.params.clone()).expect("allowed");
        replay(record, inputs, |at, input| engine.step(at, input))
    }

    #[test]
    fn the_stored_inputs_of_a_whole_batch_give_the_stored_entries_again() {
        let (_dir, _path, mut store) = new();
        let (batch, count) = whole_batch(&mut store);
        let (record, inputs) = (store.load_batch(&batch).expect("read"), store.inputs(&batch));
        let inputs = inputs.expect("read");
        assert_eq!(replayed(&record, &inputs), Ok(count));
        assert!(count > 3_000 && record.entries.len() >= 6, "{count} {}", record.entries.len());
        let report = store.verify(None).expect("verifies");
        assert_eq!((report.inputs, report.samples_unsealed), (count as i64, 0));

        let mut warmer = inputs.clone();
        for (_, input) in &mut warmer {
            if let Input::Reading(reading) = input {
                reading.bath.raw = Some(Celsius::from_milli(70_000));
            }
        }
        assert!(replayed(&record, &warmer).is_err(), "other readings, other entries");
        let mut less = record.clone();
        let lost = less.entries.pop().expect("an entry").entry;
        assert_eq!(replayed(&less, &inputs), Err(ReplayMisfit::NotStored(Box::new(lost))));
        let mut more = record.clone();
        more.entries.extend(record.entries.last().cloned());
        let text = replayed(&more, &inputs).expect_err("one too many").to_string();
        assert!(text.contains("the replay says nothing"), "{text}");
        let mut other = record.clone();
        other.periods[7].command.agitator ^= true;
        let changed = replayed(&other, &inputs);
        assert!(matches!(changed, Err(ReplayMisfit::Command { at_ms: 7_000, .. })), "{changed:?}");
        let mut short = record;
        short.periods.pop();
        assert!(matches!(replayed(&short, &inputs), Err(ReplayMisfit::Period { .. })));
    }

    #[test]
    fn a_batch_of_nothing_replays_to_nothing() {
        let (_dir, _path, mut store) = new();
        super::super::fixture::add_pool(&mut store);
        let batch = store.begin_batch(&NewBatch { operator: ANN.who.into(), ..milk_batch() });
        let record = store.load_batch(&batch.expect("begun")).expect("read");
        assert_eq!(replayed(&record, &[]), Ok(0));
    }
}
