//! What is broken on purpose, to show that the soak finds it.

use holder_hal::{Command, Heat, Kelvin};

use super::record::{Closed, Record};
use super::rig::Rig;
use crate::batch::event::{Effects, Input};
use crate::batch::verdict::Outcome;

/// A defect of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Defect {
    /// None.
    #[default]
    None,
    /// No interlock ever cuts the heat.
    HeatGoesOn,
    /// The second judge finds everything acceptable.
    JudgeAcceptsAll,
    /// One step is acknowledged that is not in the store.
    ForgetsAStep,
    /// Every reading is corrected by a kelvin too much.
    WrongCorrection,
    /// The unit's own cut comes later than it declares.
    CutComesLate,
    /// Alarms are acknowledged by the program, and not by a person.
    AcknowledgesItself,
    /// Every outage counts as a short one.
    OutageIsShort,
    /// What switches the heat off is lost on its way, and nobody knows.
    OffIsLost,
}

impl Defect {
    pub(crate) fn spoil_record(self, mut record: Record) -> Record {
        record.forgets_next = self == Self::ForgetsAStep;
        record
    }

    pub(crate) fn spoil_rig(self, mut rig: Rig) -> Rig {
        if self == Self::CutComesLate {
            rig.delay_the_cut();
        }
        rig
    }

    pub(crate) fn spoil_verdict(self, mut closed: Closed) -> Closed {
        if self == Self::JudgeAcceptsAll {
            closed.verdict.outcome = Outcome::Acceptable;
        }
        closed
    }

    pub(crate) fn spoil_outage(self, known_ms: Option<u64>) -> Option<u64> {
        if self == Self::OutageIsShort { Some(1_000) } else { known_ms }
    }

    pub(crate) fn spoil_input(self, mut input: Input) -> Input {
        let Input::Reading(reading) = &mut input else { return input };
        if self == Self::WrongCorrection {
            let others = reading.reference.iter_mut().chain([&mut reading.bath]);
            for sample in reading.milk.iter_mut().flatten().chain(others) {
                sample.raw = sample.raw.map(|raw| raw + Kelvin::from_milli(1_000));
            }
        }
        input
    }

    pub(crate) fn spoil_effects(self, mut effects: Effects, last: Command) -> Effects {
        let Command { heat, cooling, .. } = effects.command;
        if self == Self::HeatGoesOn && last.heats() && heat == Heat::Off && !cooling {
            effects.command.heat = last.heat;
        }
        effects
    }
}
