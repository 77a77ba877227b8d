//! Where a value of a device is found, in the terms of the protocol that the device speaks.
//!
//! What a value *means* (scale, unit, sentinels, range) is the same everywhere and stands in
//! [`Point`]; this module has only what differs from protocol to protocol.
//!
//! [`Point`]: super::Point

use core::fmt;

use super::point::{ByteOrder, DataType, Entity, WriteFunction};

/// How a point is reached: one kind for each family of protocols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Registers or a bit of a Modbus device.
    Register(Register),
    /// The answer to a line of text.
    Text(TextAccess),
    /// A variable of Huber's PB protocol.
    HuberPb(HuberVariable),
    /// Data of a message of the NESLAB NC protocol.
    NeslabNc(NeslabField),
}

/// Where a value is in a Modbus device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its table.
    pub entity: Entity,
    /// Its first address, 0-based.
    pub address: u16,
    /// Its layout.
    pub data_type: DataType,
    /// Its byte order.
    pub byte_order: ByteOrder,
}

/// How a value is asked for on a line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextAccess {
    /// The question, without prefix and line end; `None` for what can only be written.
    pub read: Option<String>,
    /// What the answer looks like.
    pub form: TextForm,
    /// Decimals that the device gives at least.
    pub decimals: u8,
}

/// What an answer in text looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// A decimal number: `+62.5`, ` 62.50`.
    Number,
    /// A whole number with words after it: `03 REMOTE START`.
    Code,
    /// One digit of a row of digits, counted from 0 at the left: a row of flags.
    Digit(u8),
    /// One of these words, each with the number that it stands for.
    Words(Vec<(String, i64)>),
}

/// A variable of Huber's PB protocol: one word of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HuberVariable {
    /// Its number, the `tt` of `{Mttvvvv`.
    pub number: u8,
    /// Its layout: `Int16`, `Uint16` or `Bit`.
    pub data_type: DataType,
}

/// Data of a NESLAB NC message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeslabField {
    /// The command whose answer has it.
    pub command: u8,
    /// Which part of the answer it is.
    pub part: NeslabPart,
}

/// A part of the data in a NESLAB NC answer. Bytes are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeslabPart {
    /// A qualifier byte that gives decimals and unit, and a signed word.
    Qualified,
    /// The qualifier byte alone.
    Qualifier,
    /// One bit of one byte; bit 0 is the lowest.
    Bit {
        /// The byte.
        byte: u8,
        /// The bit in it.
        bit: u8,
    },
}

/// How a point is written: one kind for each family of protocols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteMeans {
    /// By this Modbus function.
    Function(WriteFunction),
    /// By a line of text.
    Text(TextWrite),
    /// Huber PB: by the variable itself.
    HuberPb,
    /// By a NESLAB NC message.
    NeslabNc(NeslabWrite),
}

/// How a value is written on a line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextWrite {
    /// What is sent.
    pub phrase: Phrase,
    /// Decimals of the value in it.
    pub decimals: u8,
    /// The answer that means yes; `None` for a command that gets no answer.
    pub answer: Option<String>,
}

/// What is sent to write a value, without prefix and line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// A command with the value in the place of `{}`.
    Value(String),
    /// One command for on and another for off.
    Switch {
        /// The command for on.
        on: String,
        /// The command for off.
        off: String,
    },
}

/// How a value is written by a NESLAB NC message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeslabWrite {
    /// Two bytes of data, in the steps of qualifier 0x11.
    Word {
        /// The command.
        command: u8,
    },
    /// This item of the on/off array, the others left as they are.
    Item {
        /// The item, from 0.
        item: u8,
    },
}

impl Access {
    /// The word for its layout, in messages and lists.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Register(register) => register.data_type.word(),
            Self::Text(text) => match text.form {
                TextForm::Number => "NUMBER",
                TextForm::Code => "CODE",
                TextForm::Digit(_) => "DIGIT",
                TextForm::Words(_) => "WORDS",
            },
            Self::HuberPb(variable) => variable.data_type.word(),
            Self::NeslabNc(field) => match field.part {
                NeslabPart::Qualified => "QUALIFIED",
                NeslabPart::Qualifier => "QUALIFIER",
                NeslabPart::Bit { .. } => "BIT",
            },
        }
    }

    /// Whether two points share what is read, so that one proves nothing about the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Register(first), Self::Register(second)) => first.overlaps(second),
            (Self::Text(first), Self::Text(second)) => {
                first.read.is_some() && first.read == second.read
            }
            (Self::HuberPb(first), Self::HuberPb(second)) => first.number == second.number,
            (Self::NeslabNc(first), Self::NeslabNc(second)) => first.command == second.command,
            (Self::Register(_) | Self::Text(_) | Self::HuberPb(_) | Self::NeslabNc(_), _) => false,
        }
    }
}

impl Register {
    fn overlaps(&self, other: &Self) -> bool {
        let ends = |at: &Self| {
            let start = u32::from(at.address);
            (start, start + u32::from(at.data_type.span()))
        };
        let ((start, end), (other_start, other_end)) = (ends(self), ends(other));
        self.entity == other.entity && start < other_end && other_start < end
    }
}

impl fmt::Display for Access {
    /// As a technician finds it in the manual: `holding_register 26`, `in_pv_00`,
    /// `variable 0x01`, `command 0x20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(at) => write!(f, "{} {}", at.entity.word(), at.address),
            Self::Text(text) => f.write_str(text.read.as_deref().unwrap_or("(only written)")),
            Self::HuberPb(variable) => write!(f, "variable 0x{:02X}", variable.number),
            Self::NeslabNc(field) => write!(f, "command 0x{:02X}", field.command),
        }
    }
}
