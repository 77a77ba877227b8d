//! What follows from an error: for the exit code, for who waits, and for the next one to be told.

use super::ConductError;
use crate::station::resume::may_hold_bottles;
use crate::store::Misfit;
use crate::store::model::BatchHeader;

impl ConductError {
    /// Whether the station's file is damaged, or does not verify.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Store(why) | Self::Unreadable { why, .. } => why.is_damage(),
            Self::Unsound { misfit, .. }
            | Self::Altered { misfit, .. }
            | Self::NotLookedAt { misfit, .. }
            | Self::NotKept { misfit, .. } => misfit.is_damage(),
            Self::StaysOpen { damaged, .. } => *damaged,
            Self::Refused { why, .. } => why.is_damage(),
            Self::NotClosed { why, .. } => why.is_damage(),
            Self::Config(_)
            | Self::Params(_)
            | Self::Lock(_)
            | Self::Machine(_)
            | Self::Simulator(_)
            | Self::NotSimulated { .. }
            | Self::Asked(_)
            | Self::Bottles { .. }
            | Self::NotSafe { .. }
            | Self::Told { .. }
            | Self::LeftOpen { .. }
            | Self::NothingOpen { .. }
            | Self::Disputed { .. }
            | Self::Changed { .. } => false,
        }
    }

    /// Whether a machine that was run, or was to be, is not proved to be safe.
    pub const fn leaves_heat_unproved(&self) -> bool {
        match self {
            Self::NotSafe { .. } => true,
            Self::StaysOpen { unsafe_because, .. }
            | Self::NotClosed { unsafe_because, .. }
            | Self::NotKept { unsafe_because, .. } => unsafe_because.is_some(),
            Self::Config(_)
            | Self::Params(_)
            | Self::Lock(_)
            | Self::Store(_)
            | Self::Machine(_)
            | Self::Simulator(_)
            | Self::NotSimulated { .. }
            | Self::Asked(_)
            | Self::Refused { .. }
            | Self::Bottles { .. }
            | Self::Unreadable { .. }
            | Self::Unsound { .. }
            | Self::Told { .. }
            | Self::LeftOpen { .. }
            | Self::NothingOpen { .. }
            | Self::Disputed { .. }
            | Self::Altered { .. }
            | Self::NotLookedAt { .. }
            | Self::Changed { .. } => false,
        }
    }

    /// Whether a device of the machine gave no answer at all.
    pub fn nobody_answers(&self) -> bool {
        let (Self::Machine(fault) | Self::NotSafe { fault, .. }) = self else { return false };
        fault.is_unreachable()
    }

    /// Whether somebody has ended the waiting for the disk.
    pub(in crate::station) fn was_told_to_stop(&self) -> bool {
        match self {
            Self::Told { .. } => true,
            Self::NotClosed { why, .. } => why.is_told(),
            Self::StaysOpen { not_kept, .. } => not_kept.as_ref().is_some_and(|why| why.is_told()),
            Self::Config(_)
            | Self::Params(_)
            | Self::Lock(_)
            | Self::Store(_)
            | Self::Machine(_)
            | Self::Simulator(_)
            | Self::NotSimulated { .. }
            | Self::Asked(_)
            | Self::Refused { .. }
            | Self::Bottles { .. }
            | Self::NotSafe { .. }
            | Self::Unreadable { .. }
            | Self::Unsound { .. }
            | Self::LeftOpen { .. }
            | Self::NothingOpen { .. }
            | Self::Disputed { .. }
            | Self::Altered { .. }
            | Self::NotLookedAt { .. }
            | Self::Changed { .. }
            | Self::NotKept { .. } => false,
        }
    }

    /// The same, once the machine has confirmed after all that its heat is off: nobody has to go there.
    pub(in crate::station) fn confirmed_late(mut self) -> Self {
        if let Self::StaysOpen { unsafe_because, .. }
        | Self::NotClosed { unsafe_because, .. }
        | Self::NotKept { unsafe_because, .. } = &mut self
        {
            *unsafe_because = None;
        }
        self
    }

    /// That the record of this batch of this unit does not fit, or could not be looked at.
    pub(in crate::station) fn unfit(
        (batch, unit): (String, String),
        safe: String,
        misfit: Box<Misfit>,
    ) -> Self {
        if misfit.is_damage() {
            Self::Altered { batch, unit, misfit }
        } else {
            Self::NotLookedAt { batch, unit, safe, misfit }
        }
    }

    /// That this batch was left open, and what is known of the machine now.
    pub(in crate::station) fn left_open(left: BatchHeader, safe: String) -> Self {
        let in_bath = may_hold_bottles(left.phase);
        Self::LeftOpen { batch: left.code, unit: left.unit, phase: left.phase, in_bath, safe }
    }
}
