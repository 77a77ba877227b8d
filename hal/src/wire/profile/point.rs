//! What a profile says of one value of a device.
//!
//! **Terms.** A *point* is one value in one place. *Raw* is what stands in the device there;
//! *engineering value* is what it means. Temperatures are °C past this module, whatever the device
//! speaks. Addresses are 0-based, as on the wire.

use super::access::{Access, Register, WriteMeans};
use crate::contract::{Quality, Role};
use crate::units::Celsius;

/// Which of the four tables of a Modbus device a point is in (the words of W3C WoT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A bit that can be written; read with function 1.
    Coil,
    /// A bit that can only be read; function 2.
    DiscreteInput,
    /// A word that can be written; function 3.
    HoldingRegister,
    /// A word that can only be read; function 4.
    InputRegister,
}

impl Entity {
    /// The word in a profile.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Coil => "coil",
            Self::DiscreteInput => "discrete_input",
            Self::HoldingRegister => "holding_register",
            Self::InputRegister => "input_register",
        }
    }

    /// The Modbus function code that reads it.
    pub const fn read_function(self) -> u8 {
        match self {
            Self::Coil => 1,
            Self::DiscreteInput => 2,
            Self::HoldingRegister => 3,
            Self::InputRegister => 4,
        }
    }

    /// Whether an address of this table holds one bit (and not a word of 16).
    pub const fn is_bit(self) -> bool {
        match self {
            Self::Coil | Self::DiscreteInput => true,
            Self::HoldingRegister | Self::InputRegister => false,
        }
    }
}

/// How the raw value is laid out (Telegraf's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// One bit: of a coil or discrete input, or this bit (0 is the lowest) of a register.
    Bit(u8),
    /// One word, two's complement.
    Int16,
    /// One word.
    Uint16,
    /// Two words, two's complement.
    Int32,
    /// Two words.
    Uint32,
    /// Two words, IEEE 754 single precision.
    Float32,
}

impl DataType {
    /// The word in a profile.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bit(_) => "BIT",
            Self::Int16 => "INT16",
            Self::Uint16 => "UINT16",
            Self::Int32 => "INT32",
            Self::Uint32 => "UINT32",
            Self::Float32 => "FLOAT32",
        }
    }

    /// How many addresses it takes.
    pub const fn span(self) -> u16 {
        match self {
            Self::Bit(_) | Self::Int16 | Self::Uint16 => 1,
            Self::Int32 | Self::Uint32 | Self::Float32 => 2,
        }
    }
}

/// In which order the four bytes of a two-word value come; A is the most significant.
/// For one word, `Cdab` and `Abcd` are the same, and so are `Badc` and `Dcba`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// High word first, as the Modbus specification has it.
    #[default]
    Abcd,
    /// Low word first.
    Cdab,
    /// High word first, the bytes of each word swapped.
    Badc,
    /// Low word first, the bytes of each word swapped.
    Dcba,
}

impl ByteOrder {
    /// Every order, for a probe that shows a value in all of them.
    pub const ALL: [Self; 4] = [Self::Abcd, Self::Cdab, Self::Badc, Self::Dcba];

    /// The word in a profile.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Abcd => "ABCD",
            Self::Cdab => "CDAB",
            Self::Badc => "BADC",
            Self::Dcba => "DCBA",
        }
    }
}

/// What the engineering value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The device speaks °C.
    DegC,
    /// The device speaks °F, and the profile asks for the conversion to °C.
    DegF,
    /// Share of full power.
    Percent,
    /// On or off.
    Switch,
    /// A number that names a state.
    Mode,
}

impl Unit {
    /// The word in a profile.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DegC => "degC",
            Self::DegF => "degF",
            Self::Percent => "percent",
            Self::Switch => "switch",
            Self::Mode => "mode",
        }
    }

    /// Whether the engineering value is a temperature.
    pub const fn is_temperature(self) -> bool {
        match self {
            Self::DegC | Self::DegF => true,
            Self::Percent | Self::Switch | Self::Mode => false,
        }
    }
}

/// How far an entry was checked against the real device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verified {
    /// From memory, from another driver or from a machine-made register list.
    Unverified,
    /// Read in the maker's manual.
    Manual,
    /// Tried against an independent program that plays the device.
    Simulated,
    /// Tried against the device.
    Hardware,
}

impl Verified {
    /// The word in a profile.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Manual => "manual",
            Self::Simulated => "simulated",
            Self::Hardware => "hardware",
        }
    }
}

/// Raw values that are no measurement but a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sentinel {
    /// The lowest raw value that means this.
    pub raw_from: f64,
    /// The highest raw value that means this.
    pub raw_to: f64,
    /// What the value is worth then; never `Good`.
    pub quality: Quality,
    /// What the device says by it.
    pub meaning: String,
}

/// Another point of the device that, when on, makes this one worthless.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Name of a switch or mode point of the same profile.
    pub point: String,
    /// The numbers of a mode that tell of the fault; empty for a switch.
    pub modes: Vec<i64>,
    /// What the value is worth then; never `Good`.
    pub quality: Quality,
}

/// The function that writes a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteFunction {
    /// Function 5.
    SingleCoil,
    /// Function 6.
    SingleRegister,
    /// Function 16.
    MultipleRegisters,
}

impl WriteFunction {
    /// The Modbus function code.
    pub const fn code(self) -> u8 {
        match self {
            Self::SingleCoil => 5,
            Self::SingleRegister => 6,
            Self::MultipleRegisters => 16,
        }
    }
}

/// A point that must hold a raw value before another can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// Name of a point of the same profile that can be written.
    pub point: String,
    /// The raw value that it must have.
    pub raw: i64,
    /// It is made sure of once for as long as the device is trusted, not before each write:
    /// for slow lines.
    pub once: bool,
}

/// How a point is written and how the write is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// By what it is written.
    pub means: WriteMeans,
    /// The point that is read back afterwards: the same one, or an independent one.
    pub verify_point: String,
    /// How far the read-back may be from what was written, in thousandths of the unit.
    pub verify_tolerance_milli: i64,
    /// What must be so before it can be written, such as a write-enable bit.
    pub needs: Vec<Need>,
    /// The memory wears out: never write what is there already, nor refresh it.
    pub on_change_only: bool,
    /// What a set point is set to when the heater is commanded off.
    pub off_value: Option<Celsius>,
}

/// One value of a device.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// Name within the profile, as roles and messages use it.
    pub name: String,
    /// What it is, in a technician's words.
    pub title: String,
    /// Where it is found.
    pub at: Access,
    /// Its unit.
    pub unit: Unit,
    /// What one raw step is worth, in billionths of the unit that the device speaks. Text and
    /// qualified numbers carry their own decimals, so that it is one unit there.
    pub scale_nano: i64,
    /// The point that says how many decimals the numbers of this one have, if the device decides:
    /// until it was read the point means nothing, and `scale_nano` is the coarsest that may be.
    pub scale_from: Option<String>,
    /// The engineering values that can be true, in thousandths (°C, %, or the number itself).
    pub range_milli: Option<(i64, i64)>,
    /// The raw numbers for on and off (switches).
    pub on_off: (i64, i64),
    /// The role that it usually plays in a unit, for a simulator that has the profile alone.
    pub usual_role: Option<Role>,
    /// Raw values that mean something else.
    pub sentinels: Vec<Sentinel>,
    /// The point that shows the same measurement in another register, if there is one: the two
    /// are one probe.
    pub same_as: Option<String>,
    /// Points that make this one worthless.
    pub faults: Vec<Fault>,
    /// Whether it can be read.
    pub readable: bool,
    /// How it is written, if it can be.
    pub write: Option<Write>,
    /// Manual and page, where it differs from the profile's.
    pub source: Option<String>,
    /// How far it was checked.
    pub verified: Verified,
}

impl Point {
    /// Where it is in a Modbus device; `None` in a device of another protocol.
    pub const fn register(&self) -> Option<&Register> {
        match &self.at {
            Access::Register(register) => Some(register),
            Access::Text(_) | Access::HuberPb(_) | Access::NeslabNc(_) => None,
        }
    }

    /// The smallest difference that can be told, in billionths of the unit that the device speaks;
    /// of a floating number, what is stored.
    pub fn step_nano(&self) -> i64 {
        match &self.at {
            Access::Register(Register { data_type: DataType::Float32, .. }) => 1_000_000,
            Access::Register(_) | Access::HuberPb(_) => self.scale_nano,
            Access::Text(text) => 1_000_000_000 / 10_i64.pow(text.decimals.min(9).into()),
            Access::NeslabNc(_) => 100_000_000,
        }
    }
}
