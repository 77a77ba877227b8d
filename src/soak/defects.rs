//! What is broken on purpose, to show that the soak finds it.

use holder_hal::{Celsius, Command, Heat, Kelvin, Tick};

use super::record::{Closed, Record};
use super::rig::Rig;
use crate::batch::alarm::Alarm;
use crate::batch::event::{Action, Effects, Event, Input};
use crate::batch::judge;
use crate::batch::params::BatchParams;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::Outcome;
use crate::record::curve;
use crate::station::permit::HeatPermit;

/// A defect of ours. Each shows that a part of an invariant can fail:
///
/// | invariant | part | defect |
/// |---|---|---|
/// | 1 | floor | `WrongCorrection`, `JudgeAcceptsAll` |
/// | 1 | raw bottles among the others | `NobodyCounts`, `JudgeDoesNotCount` |
/// | 2 | commanded off in time | `HeatGoesOn`, `HeatsUnrecorded` |
/// | 2 | physically off within the cut | `CutComesLate`, `OffIsLost` |
/// | 2 | stays off until a person says otherwise | `AcknowledgesItself`, `ConfirmsItself` |
/// | 2 | ceiling | `ReadsTooLow` |
/// | 3 | lost; changed | `ForgetsAStep`; `HeatGoesOn` with a store |
/// | 4 | judges | `JudgeAcceptsAll` |
/// | 5 | accepted | `JudgeAsksForMore` |
/// | 5 | no second hold | `ControlSwings` |
/// | 5 | no alarm | `AlarmsByItself` |
/// | 6 | outage | `OutageIsShort` |
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
    /// Every reading is corrected by four kelvin too little.
    ReadsTooLow,
    /// Heat is granted whatever the record says.
    HeatsUnrecorded,
    /// The unit's own cut comes later than it declares.
    CutComesLate,
    /// Alarms are acknowledged by the program, and not by a person.
    AcknowledgesItself,
    /// Heat after an interruption is confirmed by the program, and not by a person.
    ConfirmsItself,
    /// The second judge asks for a hold that is a minute longer than the recipe's.
    JudgeAsksForMore,
    /// The controller aims too near to the limit, and swings around it.
    ControlSwings,
    /// An alarm is raised as the hold begins, and nothing is wrong.
    AlarmsByItself,
    /// Every outage counts as a short one.
    OutageIsShort,
    /// What went in is taken for what came out, whatever a person counts.
    NobodyCounts,
    /// The second judge takes what went in for what came out.
    JudgeDoesNotCount,
    /// What switches the heat off is lost on its way, and nobody knows.
    OffIsLost,
}

impl Defect {
    pub(crate) fn spoil_params(self, mut params: BatchParams) -> BatchParams {
        if self == Self::ControlSwings {
            params.cascade.target_above_limit = Kelvin::from_milli(60);
            params.cascade.gain_permille *= 10;
            params.cascade.bath_min = Celsius::from_milli(60_000);
        }
        params
    }

    pub(crate) fn spoil_record(self, mut record: Record) -> Record {
        record.forgets_next = self == Self::ForgetsAStep;
        record
    }

    /// The moment counts as if it were on the disk.
    pub(crate) fn spoil_permit(self, permit: &mut HeatPermit, at: Tick) {
        if self == Self::HeatsUnrecorded {
            permit.committed(at);
        }
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
        if self == Self::JudgeDoesNotCount {
            let mut curve = curve::curve(&closed.record);
            curve.counts_out = curve.bottles_in.into_iter().collect();
            closed.verdict = judge::judge(&closed.record.params.recipe, &curve);
        }
        if self == Self::JudgeAsksForMore {
            let mut recipe = closed.record.params.recipe.clone();
            recipe.hold.hold_ms += 60_000;
            closed.verdict = judge::judge(&recipe, &curve::curve(&closed.record));
        }
        closed
    }

    pub(crate) fn spoil_outage(self, known_ms: Option<u64>) -> Option<u64> {
        if self == Self::OutageIsShort { Some(1_000) } else { known_ms }
    }

    /// An input, in a run whose load was told so.
    pub(crate) fn spoil_input(self, mut input: Input, loaded: u32) -> Input {
        if let (Self::NobodyCounts, Input::Operator(Action::ConfirmUnload { bottles })) =
            (self, &mut input)
        {
            *bottles = u16::try_from(loaded).unwrap_or(u16::MAX);
        }
        let Input::Reading(reading) = &mut input else { return input };
        let more_mk = if self == Self::WrongCorrection { 1_000 } else { -4_000 };
        if matches!(self, Self::WrongCorrection | Self::ReadsTooLow) {
            let others = reading.reference.iter_mut().chain([&mut reading.bath]);
            for sample in reading.milk.iter_mut().flatten().chain(others) {
                sample.raw = sample.raw.map(|raw| raw + Kelvin::from_milli(more_mk));
            }
        }
        input
    }

    pub(crate) fn spoil_effects(self, mut effects: Effects, last: Command) -> Effects {
        let Command { heat, cooling, .. } = effects.command;
        if self == Self::HeatGoesOn && last.heats() && heat == Heat::Off && !cooling {
            effects.command.heat = last.heat;
        }
        let is_hold =
            |event: &Event| event.entered().is_some_and(|(phase, _)| phase == PhaseName::Hold);
        let began = effects.entries.iter().find(|entry| is_hold(&entry.event)).cloned();
        if let (Self::AlarmsByItself, Some(mut entry)) = (self, began) {
            entry.event = Event::Raised { alarm: Alarm::AgitationLost, after: None };
            effects.entries.push(entry);
        }
        effects
    }
}
