//! What can go wrong between the program and a device, in words that name device, port, field,
//! what came back, and what to try.

use core::fmt;

use thiserror::Error;

use super::holder::Holder;
use crate::contract::Role;

/// Where something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Name of the device in the unit.
    pub device: String,
    /// Its port: `tcp://192.168.1.20:502, unit id 1`.
    pub port: String,
    /// The point or the block of registers.
    pub field: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}), {}", self.device, self.port, self.field)
    }
}

/// How one question to a device went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallFault {
    /// No connection could be made.
    #[error("no connection: {cause}")]
    Dial {
        /// What the operating system says, and what to try.
        cause: String,
    },
    /// Another program has the port.
    #[error(
        "{path} is held by {}. End that program, or give the device a port of its own (`holder \
         device ports` lists them)",
        holder(by.as_ref())
    )]
    PortHeld {
        /// The device file.
        path: String,
        /// That program, if the system shows it.
        by: Option<Holder>,
    },
    /// Nothing came in time.
    #[error(
        "no answer within {timeout_ms} ms. Check the unit id, the wiring, speed and parity, and that \
         no other program talks to it"
    )]
    Silence {
        /// How long it was waited for, in milliseconds.
        timeout_ms: u64,
    },
    /// The connection broke.
    #[error("the connection broke: {cause}. It is made again by itself")]
    Broken {
        /// What the operating system says.
        cause: String,
    },
    /// What came is not an answer to the question.
    #[error("got an answer that does not fit the question ({misfit}): {got}. It was not used")]
    Foreign {
        /// What does not fit.
        misfit: String,
        /// What came, in hex.
        got: String,
    },
    /// What was sent came back.
    #[error(
        "the adapter hears its own sending: the question itself came back. Switch its echo off, or \
         use an adapter that switches direction by itself"
    )]
    Echo,
    /// It is left alone until no late answer can come any more.
    #[error(
        "left alone for {left_ms} ms more, so that a late answer is not taken for another's; other \
         devices on the bus go on"
    )]
    HeldBack {
        /// How long still, in milliseconds.
        left_ms: u32,
    },
    /// It was sent, and an answer proves nothing now.
    #[error(
        "sent, but unproved: for {left_ms} ms more an answer may be a late one to another question"
    )]
    Unproved {
        /// How long still, in milliseconds.
        left_ms: u32,
    },
    /// The device refused.
    #[error("the device refused with exception {code:#04X}, {meaning}")]
    Refused {
        /// The Modbus exception code.
        code: u8,
        /// What it means and what to try.
        meaning: &'static str,
    },
    /// The device refused, in its own words.
    #[error("the device refused with {answer}: {meaning}")]
    Rejected {
        /// What it answered.
        answer: String,
        /// What it means and what to try.
        meaning: String,
    },
    /// The time of the reading was over before it had answered.
    #[error(
        "not read within {limit_ms} ms, the time that one reading may take. Is the bus too slow for \
         this control period, or does a device on it not answer?"
    )]
    OutOfTime {
        /// How long the reading of one bus may take, in milliseconds.
        limit_ms: u64,
    },
    /// It was left alone, after failures.
    #[error("left alone after failures; it is asked again within {periods} control periods")]
    Resting {
        /// How many control periods it is left alone at most.
        periods: u32,
    },
}

fn holder(by: Option<&Holder>) -> String {
    by.map_or_else(
        || "another program, which the system does not show".to_owned(),
        Holder::to_string,
    )
}

impl CallFault {
    /// That the connection broke by this error: a closed one in our words, whatever a library calls
    /// it (a broken pipe, an early end of file).
    pub(crate) fn broken(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
        };
        let closed = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof];
        let cause = if closed.contains(&error.kind()) {
            "the device, or what is between, closed it".to_owned()
        } else {
            error.to_string()
        };
        Self::Broken { cause }
    }

    /// Whether nothing useful can be expected from the device now, so that it is left alone for
    /// a while; a plain refusal is an answer.
    pub(crate) const fn is_silence(&self) -> bool {
        match self {
            Self::Dial { .. }
            | Self::Silence { .. }
            | Self::Broken { .. }
            | Self::Foreign { .. }
            | Self::PortHeld { .. }
            | Self::Echo
            | Self::HeldBack { .. }
            | Self::Unproved { .. }
            | Self::OutOfTime { .. }
            | Self::Resting { .. } => true,
            // 0x0A and 0x0B: a gateway says that the device behind it does not answer.
            Self::Refused { code, .. } => matches!(code, 0x0A | 0x0B),
            Self::Rejected { .. } => false,
        }
    }
}

/// Why a unit could not be connected, or a command not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// A question to a device went wrong.
    #[error("{place}: {fault}")]
    Call {
        /// Device, port and field.
        place: Box<Place>,
        /// How.
        fault: CallFault,
    },
    /// A value was written, and another was read back.
    #[error(
        "{place}: wrote {wrote}, but read back {read}. Is the device in local mode, locked, or \
         limited?"
    )]
    NotVerified {
        /// Device, port and field.
        place: Box<Place>,
        /// What was written, as value and in hex.
        wrote: String,
        /// What was read back, as value and in hex.
        read: String,
    },
    /// A value that the device must not be given.
    #[error("{place}: {value} was not written: {rule}")]
    Unwritable {
        /// Device, port and field.
        place: Box<Place>,
        /// The value.
        value: String,
        /// Why not.
        rule: String,
    },
    /// A setting of the device is not what the profile needs.
    #[error("{place}: is {read}, and must be {expected}: {why}")]
    WrongSetting {
        /// Device, port and field.
        place: Box<Place>,
        /// What was read, raw and in hex.
        read: String,
        /// What it must be, raw: `1`, `one of 2, 3`.
        expected: String,
        /// Why, and what to set.
        why: String,
    },
    /// The device says how many decimals its numbers have, and that cannot serve.
    #[error("{place}: is {read}: {rule}")]
    WrongScale {
        /// Device, port and the point that says it.
        place: Box<Place>,
        /// What was read.
        read: String,
        /// Why it cannot serve, and what to set.
        rule: String,
    },
    /// A unit that is not marked simulated met our simulator.
    #[error(
        "unit {unit}: {device} ({port}) says that it is a simulator ({id:?}). Real milk must not \
         be entrusted to it. If this unit is for practice, mark it simulated = true"
    )]
    SimulatedMachine {
        /// The unit.
        unit: String,
        /// The device.
        device: String,
        /// Its port.
        port: String,
        /// What it answered.
        id: String,
    },
    /// A command that the unit has no means for; the heat was commanded off instead.
    #[error("unit {unit} has no {role} role, so it cannot follow this command; heat is off")]
    NoRole {
        /// The unit.
        unit: String,
        /// The role that is missing.
        role: Role,
    },
    /// A device or point that the unit does not have.
    #[error("unit {unit} has no readable point {name}")]
    NoPoint {
        /// The unit.
        unit: String,
        /// As it was asked for: `device.point`.
        name: String,
    },
    /// More than one thing went wrong at once.
    #[error("{first} (and {} more: {})", .others.len(), join(.others))]
    Several {
        /// The first, and most important.
        first: Box<WireError>,
        /// The others.
        others: Vec<WireError>,
    },
}

fn join(errors: &[WireError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl WireError {
    /// Whether the machine could not be reached at all (as opposed to: it answered, and wrongly).
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Call { fault, .. } => fault.is_silence(),
            Self::Several { first, .. } => first.is_unreachable(),
            Self::NotVerified { .. }
            | Self::Unwritable { .. }
            | Self::WrongSetting { .. }
            | Self::WrongScale { .. }
            | Self::SimulatedMachine { .. }
            | Self::NoRole { .. }
            | Self::NoPoint { .. } => false,
        }
    }

    /// Whether not even a connection could be made.
    pub(crate) const fn is_dial(&self) -> bool {
        matches!(
            self,
            Self::Call { fault: CallFault::Dial { .. } | CallFault::PortHeld { .. }, .. }
        )
    }

    /// One error out of those that happened; `None` if there are none.
    pub(crate) fn from_many(errors: Vec<Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        let others: Vec<Self> = errors.collect();
        if others.is_empty() {
            return Some(first);
        }
        Some(Self::Several { first: Box::new(first), others })
    }
}
