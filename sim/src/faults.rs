//! Faults on the wire: what goes wrong between a device that works and the one who asks it.
//!
//! A fault is data: what happens ([`FaultKind`]), to whom, how often and when. Its text form is
//! what `holder sim --fault` takes: a name, then settings, such as `late:ms=800,unit=1,every=5`.
//!
//! | name | settings | what happens to the answer |
//! |---|---|---|
//! | `silence` | | it is lost; the device did what it was asked |
//! | `late` | `ms`, perhaps `to` | it comes so much later (by chance between `ms` and `to`), while other questions are answered in time |
//! | `slow` | `ms` | the device takes so long, and other questions wait behind this one |
//! | `slow` | `baud` | its characters arrive one by one, at this speed |
//! | `short` | `bytes` | its last bytes are missing |
//! | `long` | `bytes` | bytes follow that nobody asked for |
//! | `duplicate` | | it comes twice |
//! | `fewer`, `more` | `words` | a sound answer with fewer or more registers than asked for |
//! | `wrong-unit` | | the unit id is another one |
//! | `wrong-function` | | the function code is another one |
//! | `wrong-address` | | the echo of a write names another register |
//! | `wrong-transaction` | | Modbus TCP: it carries the number of another question |
//! | `bad-crc` | | RTU: its checksum is wrong |
//! | `exception` | `code` | the device refuses, and does nothing |
//! | `echo` | | the question itself comes back first, as from an RS485 adapter |
//! | `noise` | `bytes`, `where` = `before` or `inside` | bytes that nobody sent |
//! | `unplug` | | the port is gone, and comes back when the fault ends |
//!
//! Every fault takes `unit` (a unit id; all of them unless given), `bus` (a bus of the unit),
//! `on` (`read` or `write`), `every` (each n-th exchange that it could strike), `chance` (0 to
//! 1, from the seed), `from` and `for` (seconds).
//!
//! Faults live in the time of the wire: `from` counts real seconds since the faults were set,
//! however fast simulated time runs.

use thiserror::Error;

mod text;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The answer is lost.
    Silence,
    /// The answer comes later; other questions are answered in time.
    Late {
        /// At least so late, in milliseconds, 1 to 600,000.
        ms: u32,
        /// At most so late, in milliseconds, `ms` or more; between both, chance decides.
        ms_max: u32,
    },
    /// The device takes this long for an answer, and what is asked meanwhile waits.
    Slow {
        /// Milliseconds, 1 to 600,000.
        ms: u32,
    },
    /// The characters of the answer arrive at this speed.
    SlowLine {
        /// Bits per second, 50 to 921,600; ten bits to a character.
        baud: u32,
    },
    /// The end of the answer is missing.
    Short {
        /// Bytes that are missing, 1 to 260.
        bytes: u16,
    },
    /// Bytes follow the answer.
    Long {
        /// How many, 1 to 260.
        bytes: u16,
    },
    /// The answer comes twice.
    Duplicate,
    /// A sound answer to a read, with fewer registers than asked for.
    Fewer {
        /// How many fewer, 1 to 125.
        words: u8,
    },
    /// A sound answer to a read, with more registers than asked for.
    More {
        /// How many more, 1 to 125.
        words: u8,
    },
    /// Another unit id in the answer.
    WrongUnit,
    /// Another function code in the answer.
    WrongFunction,
    /// The echo of a write names another register.
    WrongAddress,
    /// Modbus TCP: another transaction id in the answer.
    WrongTransaction,
    /// RTU: a checksum that does not fit.
    BadCrc,
    /// The device refuses, and does nothing.
    Exception {
        /// Modbus exception code, 1 to 255.
        code: u8,
    },
    /// The question comes back before the answer.
    Echo,
    /// Bytes that nobody sent.
    Noise {
        /// How many, 1 to 260.
        bytes: u16,
        /// In the middle of the answer instead of before it.
        inside: bool,
    },
    /// The port is gone.
    Unplug,
}

/// Which questions a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asking {
    /// All.
    #[default]
    Anything,
    /// Only those that read: Modbus functions 1 to 4, and 17.
    Reads,
    /// Only those that write: Modbus functions 5, 6, 15, 16, 22 and 23.
    Writes,
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Often {
    /// Each time.
    #[default]
    Always,
    /// Each n-th time, first at the n-th.
    Every(u32),
    /// By chance.
    Chance {
        /// Parts per million, 1 to 1,000,000.
        ppm: u32,
    },
}

/// One fault: what, to whom, how often, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpec {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only on the bus of this name.
    pub bus: Option<String>,
    /// Only with this unit id.
    pub unit_id: Option<u8>,
    /// Only for these questions.
    pub asking: Asking,
    /// How often.
    pub often: Often,
    /// When it begins, in real milliseconds since the faults were set.
    pub from_ms: u64,
    /// How long it lasts, in real milliseconds; `None` is for ever.
    pub for_ms: Option<u64>,
}

impl FaultSpec {
    /// Strikes always, everywhere, from now on.
    pub const fn always(kind: FaultKind) -> Self {
        Self {
            kind,
            bus: None,
            unit_id: None,
            asking: Asking::Anything,
            often: Often::Always,
            from_ms: 0,
            for_ms: None,
        }
    }

    /// Whether it can strike at this moment, in milliseconds since the faults were set.
    pub fn is_due(&self, at_ms: u64) -> bool {
        let since = at_ms.checked_sub(self.from_ms);
        since.is_some_and(|since| self.for_ms.is_none_or(|for_ms| since < for_ms))
    }

    /// Whether it concerns the bus of this name.
    pub fn is_on(&self, bus: &str) -> bool {
        self.bus.as_deref().is_none_or(|only| only == bus)
    }
}

/// Why a text is no fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultError {
    /// No fault has this name.
    #[error("fault {text:?}: there is no {name:?}; there are {known}")]
    Kind {
        /// The whole text.
        text: String,
        /// The name in it.
        name: String,
        /// All names.
        known: String,
    },
    /// The fault has no such setting.
    #[error("fault {text:?}: {name} has no setting {key:?}; it takes {known}")]
    Key {
        /// The whole text.
        text: String,
        /// Name of the fault.
        name: String,
        /// The setting.
        key: String,
        /// All its settings.
        known: String,
    },
    /// A setting is missing, is given twice, or has a value that it cannot have.
    #[error("fault {text:?}: {key} {rule}")]
    Value {
        /// The whole text.
        text: String,
        /// The setting.
        key: String,
        /// What it must be, and what it was.
        rule: String,
    },
}

#[cfg(test)]
mod tests;
