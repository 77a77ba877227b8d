//! What the rules know of a machine: which readings come in, which command goes out.
//!
//! **Terms.** A *channel* is one thing that is read once per control period (bath, a milk
//! probe, the lid). A *reading* is all channels of one period. A *sample* is one channel of a
//! reading: a raw value with its age and quality, never a bare number. A *command* is what
//! the machine shall do until the next one.

use crate::units::{Celsius, Duty};

/// The most milk probes that one unit can have.
pub const MILK_PROBES_MAX: usize = 8;

/// The shortest control period, in milliseconds: a time-out of a third of it must still be fair
/// to a slow device.
pub const PERIOD_MS_MIN: u64 = 200;

/// The longest control period, in milliseconds: several must fit into the longest gap that a
/// hold allows (DOMAIN, `max_gap`).
pub const PERIOD_MS_MAX: u64 = 2000;

/// What a point of a device does for the unit: the words of `station.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Temperature of the bath, read.
    Bath,
    /// Temperature in a control bottle, read; numbered from 0.
    Milk(u8),
    /// Temperature of the independent indicating probe, read.
    Reference,
    /// Lid switch, read: true is closed.
    Lid,
    /// Heater enabled (true) or off, written.
    Heater,
    /// Bath set point of a machine that has its own controller, written.
    Setpoint,
    /// Heater duty of a machine that is driven by power, written.
    Power,
    /// Agitator or circulation pump, written: true is on.
    Agitator,
    /// Cold water valve, written: true is open.
    CoolingValve,
}

impl Role {
    /// Whether it is one of the means by which a machine heats.
    pub const fn heats(self) -> bool {
        match self {
            Self::Heater | Self::Setpoint | Self::Power => true,
            Self::Bath
            | Self::Milk(_)
            | Self::Reference
            | Self::Lid
            | Self::Agitator
            | Self::CoolingValve => false,
        }
    }

    /// Whether it is written; the others are read.
    pub const fn is_written(self) -> bool {
        match self {
            Self::Bath | Self::Milk(_) | Self::Reference | Self::Lid => false,
            Self::Heater | Self::Setpoint | Self::Power | Self::Agitator | Self::CoolingValve => {
                true
            }
        }
    }
}

impl core::fmt::Display for Role {
    /// The stable word: `bath`, `milk-0`, `cooling-valve`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bath => f.write_str("bath"),
            Self::Milk(index) => write!(f, "milk-{index}"),
            Self::Reference => f.write_str("reference"),
            Self::Lid => f.write_str("lid"),
            Self::Heater => f.write_str("heater"),
            Self::Setpoint => f.write_str("setpoint"),
            Self::Power => f.write_str("power"),
            Self::Agitator => f.write_str("agitator"),
            Self::CoolingValve => f.write_str("cooling-valve"),
        }
    }
}

/// How far a value can be trusted. Only `Good` ever counts towards a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Read in this period, within the range of the device.
    Good,
    /// Older than one control period.
    Stale,
    /// Outside the range that the profile allows.
    OutOfRange,
    /// The device says that the sensor is open, short or missing.
    SensorOpen,
    /// No trustworthy answer came from the device.
    Comm,
    /// Contradicts the other probes.
    Disagrees,
}

impl Quality {
    /// Every quality, in the order of its stored number.
    pub const ALL: [Self; 6] =
        [Self::Good, Self::Stale, Self::OutOfRange, Self::SensorOpen, Self::Comm, Self::Disagrees];

    /// The stable word for files, tables and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Stale => "stale",
            Self::OutOfRange => "out-of-range",
            Self::SensorOpen => "sensor-open",
            Self::Comm => "comm",
            Self::Disagrees => "disagrees",
        }
    }

    /// The quality with this stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quality| quality.word() == word)
    }
}

/// One temperature channel of one period, as it came from the device: not yet corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The raw value; `None` when no number came at all.
    pub raw: Option<Celsius>,
    /// How long ago the value came, in milliseconds, when the reading was made up; 0 without one.
    pub age_ms: u32,
    /// How far it can be trusted.
    pub quality: Quality,
}

impl Sample {
    /// A fresh value that can be trusted.
    pub const fn good(raw: Celsius) -> Self {
        Self { raw: Some(raw), age_ms: 0, quality: Quality::Good }
    }

    /// No value, for this reason.
    pub const fn missing(quality: Quality) -> Self {
        Self { raw: None, age_ms: 0, quality }
    }

    /// The raw value, if it can be trusted.
    pub fn trusted(self) -> Option<Celsius> {
        match self.quality {
            Quality::Good => self.raw,
            Quality::Stale
            | Quality::OutOfRange
            | Quality::SensorOpen
            | Quality::Comm
            | Quality::Disagrees => None,
        }
    }
}

/// One switch channel of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Closed, on or true; `None` when no answer came.
    pub on: Option<bool>,
    /// How far it can be trusted.
    pub quality: Quality,
}

/// All channels of one control period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The bath; a unit always has one.
    pub bath: Sample,
    /// The milk probes; `None` past the last one that the unit has.
    pub milk: [Option<Sample>; MILK_PROBES_MAX],
    /// The independent indicating probe, if the unit has one.
    pub reference: Option<Sample>,
    /// The lid switch (true is closed), if the unit has one.
    pub lid: Option<Switch>,
    /// Whether any device said, or the unit is marked, that this is not real hardware.
    pub simulated: bool,
}

impl Reading {
    /// A reading in which nothing answered, for a unit with `milk_probes` milk probes.
    pub fn nothing(milk_probes: usize, simulated: bool) -> Self {
        let missing = Sample::missing(Quality::Comm);
        let mut milk = [None; MILK_PROBES_MAX];
        milk.iter_mut().take(milk_probes).for_each(|probe| *probe = Some(missing));
        Self { bath: missing, milk, reference: None, lid: None, simulated }
    }
}

/// What the heater shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heat {
    /// No heat, by the strongest means that the machine has.
    Off,
    /// Hold the bath at this temperature (machines with their own controller).
    Setpoint(Celsius),
    /// Heat with this share of full power (machines driven by power).
    Duty(Duty),
}

/// What the machine shall do until the next command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// The heater.
    pub heat: Heat,
    /// The agitator or circulation pump: true is on.
    pub agitator: bool,
    /// The cold water valve: true is open.
    pub cooling: bool,
}

impl Command {
    /// The safe state: heater off, agitator on, and the valve as given, since a cooling that
    /// has begun goes on and one that has not must not begin by itself.
    pub const fn safe(cooling: bool) -> Self {
        Self { heat: Heat::Off, agitator: true, cooling }
    }

    /// Whether this command asks for heat.
    pub fn heats(&self) -> bool {
        self.heat != Heat::Off
    }
}

/// One machine, as the loop sees it. Errors of single channels are data in the reading; the
/// error type is for a command that could not be delivered or verified.
pub trait Machine {
    /// Why a command did not arrive.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Reads every channel once. Takes less than one control period: what has not come by then
    /// is missing in this reading.
    fn read(&mut self) -> impl Future<Output = Reading> + Send;

    /// Makes the machine follow `command` and verifies it by reading back.
    fn write(&mut self, command: &Command) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
