//! What stands in a device, and what it means: a value of a point, raw and decoded.

use crate::contract::Quality;
use crate::units::{Celsius, Duty};

/// An engineering value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A temperature, in °C whatever the device speaks.
    Temperature(Celsius),
    /// A share of full power.
    Percent(Duty),
    /// On (true) or off.
    Switch(bool),
    /// A number that names a state.
    Mode(i64),
}

impl core::fmt::Display for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Temperature(celsius) => write!(f, "{celsius} °C"),
            Self::Percent(duty) => write!(f, "{:.1} %", duty.share() * 100.0),
            Self::Switch(true) => f.write_str("on"),
            Self::Switch(false) => f.write_str("off"),
            Self::Mode(number) => write!(f, "{number}"),
        }
    }
}

/// Registers, in the order of their addresses. One or two need no memory of their own, and these
/// are read for every point in every period.
pub type Words = smallvec::SmallVec<[u16; 2]>;

/// What stands in a device for one point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Raw {
    /// A coil or discrete input.
    Bit(bool),
    /// One or two registers, in the order of their addresses.
    Words(Words),
    /// A line of text, without prefix and line end; of a value to be written, the value alone.
    Text(String),
    /// The data of a framed message.
    Bytes(Vec<u8>),
}

impl core::fmt::Display for Raw {
    /// As a technician sees it in a bus monitor: `0x0271`, `0x8000 0x4310`, `1`, `"62.50"`,
    /// `11 02 71`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bit(bit) => write!(f, "{}", u8::from(*bit)),
            Self::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("0x{word:04X}")).collect();
                f.write_str(&words.join(" "))
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => {
                let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                f.write_str(&bytes.join(" "))
            }
        }
    }
}

/// A raw value with what it means and how far it can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The engineering value; `None` when the raw value is not one.
    pub value: Option<Value>,
    /// How far it can be trusted, by this value alone: faults of other points come on top.
    pub quality: Quality,
    /// Why it cannot be trusted, in words; empty when it can.
    pub reason: String,
}

impl Decoded {
    /// Nothing came.
    pub(crate) const fn missing() -> Self {
        Self { value: None, quality: Quality::Comm, reason: String::new() }
    }
}
