//! Device profiles: what a device is, said in TOML, parsed into typed maps.
//!
//! A *profile* says how one kind of device speaks; a *point* is one value of it (see
//! [`Point`]). The vocabulary is Telegraf's (`byte_order`, `data_type`, `scale`,
//! `pause_between_requests`) with the explicit `entity` of the W3C's Modbus binding, and keys of
//! our own for what safety needs. `profiles/devices/` has the shipped ones.

mod access;
mod codec;
mod codec_commands;
mod codec_registers;
#[cfg(test)]
mod codec_tests;
mod error;
#[cfg(test)]
mod family_rules_tests;
mod parse;
mod parse_access;
mod parse_point;
mod parse_protocol;
mod parse_write;
mod point;
mod reader;
mod rules;
#[cfg(test)]
mod rules_tests;
mod scale;
#[cfg(test)]
mod shipped_tests;
mod value;

pub use access::{
    Access, HuberVariable, NeslabField, NeslabPart, NeslabWrite, Phrase, Register, TextAccess,
    TextForm, TextWrite, WriteMeans,
};
pub(crate) use codec::thousandths;
pub use error::{EncodeError, ProfileError};
pub use point::{
    ByteOrder, DataType, Entity, Fault, Need, Point, Sentinel, Unit, Verified, Write, WriteFunction,
};
pub use scale::ScaleFault;
pub use value::{Decoded, Raw, Value, Words};

/// The family of protocols that a device speaks, with what is particular to the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Modbus, over any transport.
    Modbus(Modbus),
    /// Commands and answers as lines of text: Julabo, LAUDA, PolyScience and their like.
    Text(TextProtocol),
    /// Huber's PB protocol: ten characters to and fro.
    HuberPb,
    /// The NESLAB NC protocol: binary messages with a checksum.
    NeslabNc,
}

impl Protocol {
    /// The word in a profile.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Modbus(_) => "modbus",
            Self::Text(_) => "text",
            Self::HuberPb => "huber-pb",
            Self::NeslabNc => "neslab-nc",
        }
    }

    /// The address that a device has as it leaves the factory; 0 where it has none.
    pub const fn usual_address(&self) -> u8 {
        match self {
            Self::Modbus(_) | Self::NeslabNc => 1,
            Self::Text(_) | Self::HuberPb => 0,
        }
    }

    /// Whether a device can have this address.
    ///
    /// # Errors
    /// Which addresses it can have, in words.
    pub fn check_address(&self, address: u8) -> Result<(), &'static str> {
        let (good, rule) = match self {
            Self::Modbus(_) => (
                matches!(address, 1..=247 | 255),
                "0 addresses every device at once and 248 to 254 are reserved; use the unit id \
                 set on the device (1 to 247, or 255)",
            ),
            Self::Text(text) if text.address_prefix.is_some() => (
                address <= 127,
                "use 0 for a device alone on its line (RS232), or the address set on it (RS485: \
                 1 to 127)",
            ),
            Self::Text(_) | Self::HuberPb => {
                (address == 0, "such a device has no address and is alone on its line: use 0")
            }
            Self::NeslabNc => (
                (1..=100).contains(&address),
                "use 1 (RS232), or the address set on the device (RS485: 1 to 100)",
            ),
        };
        if good { Ok(()) } else { Err(rule) }
    }
}

/// What is particular to a device that speaks lines of text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextProtocol {
    /// What ends a line that is sent. What ends an answer is always CR, LF or CR LF.
    pub write_end: &'static str,
    /// What stands before each line, to and fro, when the device has an address: its zeros
    /// stand for the digits, as in `A000_`.
    pub address_prefix: Option<String>,
    /// Commands that are sent when the device is met, whatever it answers: some devices miss the
    /// first one, and some echo until they are told not to.
    pub warm_up: Vec<String>,
    /// The question who it is.
    pub identity: Option<String>,
    /// Answers that are refusals.
    pub refusals: Vec<Refusal>,
    /// The longest answer, in bytes.
    pub answer_len_max: usize,
}

/// An answer that means no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The answer, word for word; with a `*` at its end, how it begins.
    pub answer: String,
    /// What it means, and what to try.
    pub meaning: String,
}

/// What a Modbus device allows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Modbus {
    /// The function codes that it answers.
    pub function_codes: Vec<u8>,
    /// The most registers in one read.
    pub words_per_read_max: u16,
    /// The most coils or inputs in one read.
    pub bits_per_read_max: u16,
    /// Whether function 17 (Report Server ID) may be sent to it.
    pub report_server_id: bool,
}

/// How long the device wants to be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// How long the bus must rest between two requests, in milliseconds.
    pub pause_between_requests_ms: u64,
    /// How long the bus must wait from the end of one command to the beginning of the next, in
    /// milliseconds; an answer falls into this time.
    pub pause_between_commands_ms: u64,
    /// How long an answer may take, in milliseconds; `None` is a third of the control period.
    pub timeout_ms: Option<u64>,
    /// How late an answer can still come after its time-out, in milliseconds: for so long the
    /// device is left alone then.
    pub late_ms_max: u64,
}

/// What the device does when nobody talks to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watchdog {
    /// It acts when it was not fed for this long, in milliseconds.
    pub within_ms: u64,
    /// The points whose writing feeds it; empty when any question does.
    pub fed_by: Vec<String>,
    /// The setting that switches it on, if it is not on by itself.
    pub armed_by: Option<Need>,
    /// Whether the heater is off after it has acted: one that goes on heating is not a stop.
    pub stops_heat: bool,
    /// What the device does then, in words.
    pub meaning: String,
}

/// A raw value that a point must have when the program meets the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Name of the point.
    pub point: String,
    /// The raw values that it may have, the usual one first; never empty.
    pub raws: Vec<i64>,
    /// Why, and what to do on the device when it has another.
    pub why: String,
    /// Names of the points that it is about, where the device is several in one: a unit that uses
    /// none of them does not need it. Empty for all.
    pub concerns: Vec<String>,
}

impl Check {
    /// Whether a unit needs it that uses the points for which `used` is true.
    pub(crate) fn concerns_one(&self, used: impl Fn(&str) -> bool) -> bool {
        self.concerns.is_empty() || self.concerns.iter().any(|name| used(name))
    }

    /// The raw values in words: `1`, `one of 2, 3`.
    pub fn words(&self) -> String {
        let words: Vec<String> = self.raws.iter().map(ToString::to_string).collect();
        if words.len() == 1 { words.concat() } else { format!("one of {}", words.join(", ")) }
    }
}

/// One kind of device.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    name: String,
    text: String,
    title: String,
    protocol: Protocol,
    timing: Timing,
    source: String,
    verified: Verified,
    quirks: Vec<String>,
    line: String,
    points: Vec<Point>,
    checks: Vec<Check>,
    watchdog: Option<Watchdog>,
}

impl Profile {
    /// Parses and checks a profile. Its name is that of the file without folder and `.toml`.
    ///
    /// # Errors
    /// The first rule that it breaks, with file, line, key and value.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ProfileError> {
        parse::profile(file_name, text)
    }

    /// The name by which a station refers to it: `eurotherm-3200`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole file, as it is frozen with a batch.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Maker and model, in words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The family of protocols.
    pub const fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// How long it wants to be waited for.
    pub const fn timing(&self) -> Timing {
        self.timing
    }

    /// What it allows, if it is a Modbus device.
    pub(crate) const fn modbus(&self) -> Option<&Modbus> {
        match &self.protocol {
            Protocol::Modbus(modbus) => Some(modbus),
            Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc => None,
        }
    }

    /// The manual and page that it was made from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How far it was checked as a whole: never better than its worst point.
    pub fn verified(&self) -> Verified {
        self.points.iter().map(|point| point.verified).min().unwrap_or(self.verified)
    }

    /// What a technician should know before trusting it.
    pub fn quirks(&self) -> &[String] {
        &self.quirks
    }

    /// The settings of its serial line as it leaves the factory, as a url has them:
    /// `baud=4800&parity=even&data_bits=7&flow=rtscts`; empty for 9600 8N1 and no handshake.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Every point, in the order of the file.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The point of this name.
    pub fn point(&self, name: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.name == name)
    }

    /// What must be so at start-up.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Names of the points that say how many decimals others have, each once.
    pub(crate) fn scales(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.points.iter().filter_map(|point| point.scale_from.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Its watchdog on the communication, if it has one.
    pub const fn watchdog(&self) -> Option<&Watchdog> {
        self.watchdog.as_ref()
    }
}
