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
