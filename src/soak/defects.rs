//! What is broken on purpose, to show that the soak finds it.

use holder_hal::{Command, Kelvin};

use crate::batch::event::{Effects, Input};

/// A defect of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Defect {
    /// None.
    #[default]
    None,
    /// No interlock ever cuts the heat.
    HeatGoesOn,
    /// Every milk reading and the reference are corrected by a kelvin too much.
    WrongCorrection,
}

impl Defect {
    pub(crate) fn spoil_input(self, mut input: Input) -> Input {
        let Input::Reading(reading) = &mut input else { return input };
        for sample in reading.milk.iter_mut().flatten().chain(&mut reading.reference) {
            match self {
                Self::None | Self::HeatGoesOn => {}
                Self::WrongCorrection => {
                    sample.raw = sample.raw.map(|raw| raw + Kelvin::from_milli(1_000));
                }
            }
        }
        input
    }

    pub(crate) fn spoil_effects(self, mut effects: Effects, last: Command) -> Effects {
        if self == Self::HeatGoesOn && last.heats() && !effects.command.cooling {
            effects.command.heat = last.heat;
        }
        effects
    }
}
