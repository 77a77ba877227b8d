//! Why a batch did not begin, did not go on, or was not closed.

use std::path::PathBuf;

use holder_hal::wire::WireError;

use super::closing::{self, CloseFault};
use crate::batch::params::ParamsFault;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::Outcome;
use crate::invocation;
use crate::software::Software;
use crate::station::config::ConfigError;
use crate::station::lock::LockError;
use crate::store::{Misfit, ReplayMisfit, StoreError};

/// What `run` is asked to do with a batch that was left open.
const RESUME: &str = "--resume";
const ABANDON: &str = "--abandon 'WHY'";

/// What becomes of a batch that stays open. On a damaged file it cannot go on: its milk is lost, and
/// to promise more would only let it wait.
fn what_to_do_with_it(unit: &str, damaged: bool) -> String {
    let abandon = invocation::run(unit, ABANDON);
    if damaged {
        return format!(
            "It cannot go on with this file. Cool the milk and keep it apart. Once the file is copied \
             away, this closes the batch: {abandon}"
        );
    }
    let resume = invocation::run(unit, RESUME);
    format!("To go on with it: {resume}. To give it up: {abandon}")
}

/// What became of a record that the disk did not give back: one that cannot be read is not called
/// another one than was written.
fn not_given_back(batch: &str, misfit: &Misfit) -> String {
    if misfit.is_damage() {
        return format!(
            " as it was written: {misfit}. No decision about its milk may rest on that verdict"
        );
    }
    let verify = invocation::command(format_args!("batch verify {batch}"));
    format!(
        ": {misfit}. That says nothing against it. It is closed; before anything is decided about \
         its milk: {verify}"
    )
}

/// Why a batch did not begin, or was not closed.
#[derive(Debug, thiserror::Error)]
pub enum ConductError {
    /// Station, unit, recipe or certificates do not allow it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The parameters break a rule.
    #[error(transparent)]
    Params(#[from] ParamsFault),
    /// The unit is taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store refuses or fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine cannot be reached, or is not set up as its profiles need.
    #[error(transparent)]
    Machine(#[from] WireError),
    /// The simulated machine cannot be started.
    #[error(transparent)]
    Simulator(#[from] holder_sim::SimError),
    /// Something that only a simulated unit may do.
    #[error("{what} is for simulated units only, and unit {unit} is real hardware; run it without")]
    NotSimulated {
        /// The option.
        what: &'static str,
        /// The unit.
        unit: String,
    },
    /// The command line cannot be followed.
    #[error("{0}")]
    Asked(String),
    /// It was refused before the machine was connected for it, and the machine was made safe.
    #[error("{why}. {safe}")]
    Refused {
        /// Why. Not a `source`: the sentence has it, and a chain would repeat it.
        why: Box<ConductError>,
        /// What is known of the machine now.
        safe: String,
    },
    /// More bottles than the unit takes, or none.
    #[error("{bottles} bottles: unit {unit} takes 1 to {max}; run the rest as another batch")]
    Bottles {
        /// How many were asked for.
        bottles: u16,
        /// The unit.
        unit: String,
        /// Its most.
        max: u16,
    },
    /// The safe state could not be proved before the start.
    #[error("unit {unit} did not accept the safe state before the start: {fault}")]
    NotSafe {
        /// The unit.
        unit: String,
        /// Why.
        fault: WireError,
    },
    /// The station's file could not even be opened, or not be asked for an open batch.
    #[error("{why}. {safe}")]
    Unreadable {
        /// What is known of the machine now.
        safe: String,
        /// Why not. Not a `source`: the sentence has it, and a chain would repeat it.
        why: StoreError,
    },
    /// The station's file does not verify: no record can be entrusted to it.
    #[error("{}: {misfit}. Nothing is begun with it. {safe}", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What is known of the machine now.
        safe: String,
        /// The first thing that does not fit.
        misfit: Box<Misfit>,
    },
    /// The program was told to stop before anything was begun.
    #[error("stopped by {by} while the record was checked; nothing was begun. {safe}")]
    Told {
        /// Who told.
        by: &'static str,
        /// What is known of the machine now.
        safe: String,
    },
    /// A batch of the unit was left open, and something else was asked for.
    #[error(
        "batch {batch} was interrupted in phase {phase} and is still open{}. {safe}. To go on with \
         it: {}. To give it up: {}",
        if *.in_bath { "; its bottles may be in the machine" } else { "" },
        invocation::run(unit, RESUME),
        invocation::run(unit, ABANDON)
    )]
    LeftOpen {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// The phase in which it was interrupted.
        phase: PhaseName,
        /// Whether bottles may be in the machine.
        in_bath: bool,
        /// What is known of the machine now.
        safe: String,
    },
    /// Nothing was left open.
    #[error("unit {unit} has no interrupted batch; see `{}`", invocation::command("batch list"))]
    NothingOpen {
        /// The unit.
        unit: String,
    },
    /// The record does not give the controller again.
    #[error(
        "batch {batch} cannot be continued: its stored inputs do not give its stored entries again \
         ({misfit}). Made by: {made_by}; replayed by: {}. Heat is off. If these are two programs, only \
         the one that made it can continue it. Cool the milk and keep it apart, then close the batch: {}",
        Software::this(),
        invocation::run(unit, ABANDON)
    )]
    Disputed {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// The programs that made its record, in words.
        made_by: String,
        /// Where they part.
        misfit: ReplayMisfit,
    },
    /// The record is not what was written.
    #[error(
        "batch {batch} cannot be continued: {misfit}. Heat is off. Cool the milk and keep it apart. \
         Once the file is copied away, this closes the batch: {}",
        invocation::run(unit, ABANDON)
    )]
    Altered {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// The first thing that does not fit.
        misfit: Box<Misfit>,
    },
    /// The record could not be looked at: nothing is known against it.
    #[error(
        "batch {batch} was not taken up: {misfit}. That says nothing against its record, and it stays \
         open. {safe}. To try again: {}",
        invocation::run(unit, RESUME)
    )]
    NotLookedAt {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// What is known of the machine now.
        safe: String,
        /// Why not.
        misfit: Box<Misfit>,
    },
    /// The unit is not what it was when the batch began.
    #[error(
        "batch {batch} cannot be continued: {what} of unit {unit} is not what it was when the batch \
         began. Heat is off. Put it back as it was, or cool the milk and close the batch: {}",
        invocation::run(unit, ABANDON)
    )]
    Changed {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// What was changed: `the profile eurotherm-3200`.
        what: String,
    },
    /// The program was stopped, and the batch was not.
    #[error(
        "{}batch {batch} {ended}; it stays open. {}{}",
        closing::warning(batch, unsafe_because.as_deref()),
        what_to_do_with_it(unit, *damaged),
        not_kept.as_ref().map(|why| format!(" (its record does not say so: {why})"))
            .unwrap_or_default()
    )]
    StaysOpen {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// How the loop ended.
        ended: String,
        /// Why the machine is not known to be safe, if so.
        unsafe_because: Option<String>,
        /// Why the record does not tell of it, if so.
        not_kept: Option<Box<CloseFault>>,
        /// Whether a damaged file stopped it.
        damaged: bool,
    },
    /// The batch was closed, and what lies on the disk is not what was written, or cannot be read.
    #[error(
        "{}batch {batch} was judged {outcome}, but the disk did not give its record back{}",
        closing::warning(batch, unsafe_because.as_deref()),
        not_given_back(batch, misfit)
    )]
    NotKept {
        /// Its code.
        batch: String,
        /// What the judge said.
        outcome: Outcome,
        /// Why the machine is not known to be safe, if so.
        unsafe_because: Option<String>,
        /// The first thing that does not fit.
        misfit: Box<Misfit>,
    },
    /// The batch is over, or was given up, but its record could not be closed.
    #[error(
        "{}the record of batch {batch} was not closed: {why}. {}",
        closing::warning(batch, unsafe_because.as_deref()),
        if why.is_damage() || !*.is_over {
            what_to_do_with_it(unit, why.is_damage())
        } else {
            format!(
                "What was acknowledged is kept; this closes it: {}",
                invocation::run(unit, RESUME)
            )
        }
    )]
    NotClosed {
        /// Its code.
        batch: String,
        /// The unit.
        unit: String,
        /// Whether it is known to have come to its end.
        is_over: bool,
        /// Why the machine is not known to be safe, if so.
        unsafe_because: Option<String>,
        /// Why not. Not a `source`: the sentence has it, and a chain would repeat it.
        why: Box<CloseFault>,
    },
}

mod follows;
#[cfg(test)]
mod tests;
