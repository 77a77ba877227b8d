//! What goes into the engine and what comes out of it: the words of the journal.
//!
//! An [`Input`] is stored before its effects are acknowledged, so that replaying the inputs
//! gives the stored [`Entry`]s again. A [`Cause`] is on every transition.

use holder_hal::{Celsius, Command, Kelvin, Reading, Tick};
use serde::{Deserialize, Serialize};

pub use super::alarm::Alarm;
use super::phase::PhaseName;
use super::recipe::de;

/// What a person does to a running batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// The bottles are in, counted and confirmed.
    ConfirmLoad {
        /// How many bottles, the control bottle not counted.
        bottles: u16,
    },
    /// The bottles are out and counted. A first count that is not the load is noted, and asked for
    /// again; the second one counts, whatever it is.
    ConfirmUnload {
        /// How many came out, the control bottle not counted.
        bottles: u16,
    },
    /// Stop now: heat off, and it stays off.
    Stop {
        /// Why, in the person's words.
        reason: String,
    },
    /// Continue a batch whose controller was gone. The station sends it, before the first reading
    /// after the outage, on behalf of the person who asked for it.
    Resume {
        /// How long the controller was gone, milliseconds, as measured; `None` where nobody knows.
        outage_ms: Option<u64>,
    },
    /// The machine may heat again after an interruption.
    ConfirmHeat,
    /// Noted by the controller, not by a person: whether its orders reach the machine.
    Orders {
        /// They are confirmed again (true), or were not for several periods (false).
        arrive: bool,
    },
    /// Noted by the controller, not by a person: whether the record keeps up, without which no heat
    /// is let through to the machine.
    Record {
        /// It is complete in time again (true), or heat was withheld because it is behind (false).
        keeps_up: bool,
    },
    /// An alarm was seen by a person.
    Acknowledge {
        /// Which.
        alarm: Alarm,
        /// The person's name, as typed.
        by: String,
    },
}

/// One input of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// All channels of one control period.
    Reading(Reading),
    /// A person acts.
    Operator(Action),
    /// Time passed and nothing came.
    Wake,
}

/// Why a hold was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldBreak {
    /// The judged value fell below the limit.
    BelowLimit,
    /// A required milk probe gave no good reading for longer than `max_gap`.
    Gap,
    /// The lid was opened.
    LidOpened,
    /// The controller was gone.
    Interrupted,
}

/// Why the engine entered a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "cause")]
pub enum Cause {
    /// The batch was started.
    Started,
    /// The bath was stable at its set point.
    BathStable,
    /// The technician confirmed this number of bottles.
    Loaded {
        /// Bottles, the control bottle not counted.
        bottles: u16,
    },
    /// The judged value stayed above the limit for long enough.
    HoldBegun,
    /// The hold was broken.
    HoldBroken {
        /// By what.
        by: HoldBreak,
        /// How long it had lasted, milliseconds.
        held_ms: u64,
    },
    /// The hold was complete.
    HoldComplete,
    /// The hold was broken more often than the recipe allows: the batch has failed.
    RestartsExhausted {
        /// By what it was broken the last time.
        by: HoldBreak,
        /// How long that hold had lasted, milliseconds.
        held_ms: u64,
    },
    /// The hold did not begin within the recipe's time: the batch has failed.
    HeatUpTooLong,
    /// The hottest milk passed the ceiling that fails a batch.
    CeilingPassed,
    /// The hottest milk is cold.
    Cooled,
    /// The milk was not cold within the recipe's time: the batch has failed.
    CoolingTooLong,
    /// The technician confirmed that this number of bottles is out. More than went in: the batch has
    /// failed.
    Unloaded {
        /// Bottles, the control bottle not counted.
        bottles: u16,
        /// How many went in.
        loaded: u16,
    },
    /// A person stopped the batch.
    OperatorStop {
        /// Why, in the person's words.
        reason: String,
    },
    /// The readings cannot be what the milk went through: the batch has failed.
    Implausible {
        /// The alarm that says so.
        alarm: Alarm,
    },
    /// An interlock stopped the batch.
    Interlock {
        /// Which.
        alarm: Alarm,
    },
    /// The bath was not stable within the recipe's time.
    PreheatTooLong,
    /// The bottles were not loaded within the recipe's time.
    LoadTooLong,
    /// After an interruption before the loading: the bath must prove again that it is stable.
    Resumed,
    /// An interruption that the recipe does not allow, by its length or its phase: the batch has
    /// failed.
    InterruptionNotAllowed {
        /// How long the hold had lasted that it broke, milliseconds; `None` outside of a hold.
        held_ms: Option<u64>,
    },
}

/// The readings behind an entry, corrected; `None` where there was no trustworthy value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The bath, millidegrees.
    #[serde(with = "milli")]
    pub bath: Option<Celsius>,
    /// The coldest required milk probe's mean, millidegrees.
    #[serde(with = "milli")]
    pub coldest: Option<Celsius>,
    /// The hottest required milk probe's mean, millidegrees.
    #[serde(with = "milli")]
    pub hottest: Option<Celsius>,
}

mod milli {
    use holder_hal::Celsius;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(v: &Option<Celsius>, to: S) -> Result<S::Ok, S::Error> {
        v.map(Celsius::milli).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Celsius>, D::Error> {
        Ok(Option::<i32>::deserialize(d)?.map(Celsius::from_milli))
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A phase was entered.
    Entered {
        /// Which.
        phase: PhaseName,
        /// Why.
        #[serde(flatten)]
        cause: Cause,
    },
    /// An alarm was raised.
    Raised {
        /// Which.
        alarm: Alarm,
        /// The alarm that stood first and may be its cause.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Alarm>,
    },
    /// What raised the alarm is over.
    Cleared {
        /// Which.
        alarm: Alarm,
    },
    /// The readings cannot be what the milk went through: the batch has failed.
    Failed {
        /// The alarm that says so.
        alarm: Alarm,
    },
    /// A person has acknowledged the alarm.
    Acknowledged {
        /// Which.
        alarm: Alarm,
        /// The person's name, as typed.
        by: String,
    },
    /// The hottest milk, uncertainty and margin added, went above a line of the recipe.
    AboveCeiling {
        /// The line.
        #[serde(rename = "line_c", with = "de::celsius")]
        line: Celsius,
        /// What was added to the reading.
        #[serde(rename = "allowance_c", with = "de::kelvin")]
        allowance: Kelvin,
    },
    /// The controller was gone, and the batch was continued.
    Resumed {
        /// How long it was gone, milliseconds; `None` where nobody knows.
        outage_ms: Option<u64>,
    },
    /// A person confirmed that the machine may heat again.
    HeatConfirmed,
    /// Another number of bottles was counted out than went in: it is counted once more.
    CountDiffers {
        /// How many went in, the control bottle not counted.
        loaded: u16,
        /// How many were counted out.
        counted: u16,
    },
}

impl Event {
    /// The phase that was entered, and why; `None` of every other event.
    pub const fn entered(&self) -> Option<(PhaseName, &Cause)> {
        let Self::Entered { phase, cause } = self else { return None };
        Some((*phase, cause))
    }

    /// How many bottles were confirmed to be in, if this is the entry of that, the control bottle not
    /// counted.
    pub const fn loaded(&self) -> Option<u16> {
        match self.entered() {
            Some((_, Cause::Loaded { bottles })) => Some(*bottles),
            Some(_) | None => None,
        }
    }
}

/// One entry that the engine makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, on the batch's own monotonic time, milliseconds.
    #[serde(rename = "tick_ms", with = "tick")]
    pub at: Tick,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// The readings behind it.
    pub readings_mc: Snapshot,
}

mod tick {
    use holder_hal::Tick;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(v: &Tick, to: S) -> Result<S::Ok, S::Error> {
        v.ms().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Tick, D::Error> {
        Ok(Tick::from_ms(u64::deserialize(d)?))
    }
}

/// Why an action was refused, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Bottles were confirmed when the machine was not waiting for them.
    #[error("not waiting for bottles in phase {0}; load them when the screen asks for it")]
    NotLoading(PhaseName),
    /// No bottles, in or out.
    #[error("a batch needs at least one bottle; count them and confirm again")]
    NoBottles,
    /// Unloading was confirmed when there is nothing to unload.
    #[error("not waiting for unloading in phase {0}; to end the batch early, stop it")]
    NotUnloading(PhaseName),
    /// Heat was confirmed when nothing waits for it.
    #[error(
        "heat does not wait for you; if an alarm keeps it off, deal with that and acknowledge it"
    )]
    HeatNotWaiting,
    /// There is no such alarm to acknowledge.
    #[error("alarm {} does not wait to be acknowledged; see which alarms stand", .0.number())]
    NothingToAcknowledge(Alarm),
    /// An alarm was acknowledged by nobody.
    #[error("an alarm is acknowledged by name; type yours")]
    NoName,
    /// The batch is over.
    #[error("the batch is over ({0}); start a new one")]
    Over(PhaseName),
}

/// All that one step has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// What the machine shall do until the next step.
    pub command: Command,
    /// Entries for the journal, in order.
    pub entries: Vec<Entry>,
    /// Set if an action was refused; nothing changed then.
    pub refusal: Option<Refusal>,
}

/// What a person does in this phase who does what is asked for, with so many bottles.
pub(crate) fn asked(phase: PhaseName, bottles: u16) -> Option<Action> {
    match phase {
        PhaseName::Load => Some(Action::ConfirmLoad { bottles }),
        PhaseName::Unload => Some(Action::ConfirmUnload { bottles }),
        PhaseName::Preheat
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Cool
        | PhaseName::Finished
        | PhaseName::Aborted => None,
    }
}

#[cfg(test)]
mod tests;
