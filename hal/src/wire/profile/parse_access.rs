//! Reads where a value is found, in the keys of the device's family of protocols.

use super::Protocol;
use super::access::{
    Access, HuberVariable, NeslabField, NeslabPart, Register, TextAccess, TextForm,
};
use super::error::ProfileError;
use super::parse_protocol::line;
use super::point::{ByteOrder, DataType, Entity, Unit};
use super::reader::{Field, Section};

const ENTITIES: [(&str, Entity); 4] = [
    ("coil", Entity::Coil),
    ("discrete_input", Entity::DiscreteInput),
    ("holding_register", Entity::HoldingRegister),
    ("input_register", Entity::InputRegister),
];
const DATA_TYPES: [(&str, DataType); 6] = [
    ("BIT", DataType::Bit(0)),
    ("INT16", DataType::Int16),
    ("UINT16", DataType::Uint16),
    ("INT32", DataType::Int32),
    ("UINT32", DataType::Uint32),
    ("FLOAT32", DataType::Float32),
];
const BYTE_ORDERS: [(&str, ByteOrder); 4] = [
    ("ABCD", ByteOrder::Abcd),
    ("CDAB", ByteOrder::Cdab),
    ("BADC", ByteOrder::Badc),
    ("DCBA", ByteOrder::Dcba),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextKind {
    Number,
    Code,
    Digit,
    Words,
}

const TEXT_KINDS: [(&str, TextKind); 4] = [
    ("NUMBER", TextKind::Number),
    ("CODE", TextKind::Code),
    ("DIGIT", TextKind::Digit),
    ("WORDS", TextKind::Words),
];
/// More decimals than are kept are of no use.
const DECIMALS_MAX: u16 = 3;
/// The most flags in one answer.
const DIGITS_MAX: u16 = 63;
/// The most data in one NESLAB message.
const BYTES_MAX: u16 = 8;

#[derive(Clone, Copy)]
enum NeslabKind {
    Qualified,
    Qualifier,
    Bit,
}

const NESLAB_KINDS: [(&str, NeslabKind); 3] = [
    ("QUALIFIED", NeslabKind::Qualified),
    ("QUALIFIER", NeslabKind::Qualifier),
    ("BIT", NeslabKind::Bit),
];

pub(crate) fn access(
    section: &mut Section<'_>,
    protocol: &Protocol,
    unit: Unit,
) -> Result<Access, ProfileError> {
    Ok(match protocol {
        Protocol::Modbus(_) => Access::Register(register(section)?),
        Protocol::Text(_) => Access::Text(text(section, unit)?),
        Protocol::HuberPb => Access::HuberPb(huber(section)?),
        Protocol::NeslabNc => Access::NeslabNc(neslab(section, unit)?),
    })
}

fn register(section: &mut Section<'_>) -> Result<Register, ProfileError> {
    let rule = "coil, discrete_input, holding_register or input_register";
    let entity = section.need("entity", rule)?.word(&ENTITIES)?;
    let field = section.need("address", "the 0-based address, as on the wire")?;
    let address = field.small(0, u16::MAX)?;
    let layout = section.maybe("data_type");
    let mut data_type = match &layout {
        Some(field) => field.word(&DATA_TYPES)?,
        None if entity.is_bit() => DataType::Bit(0),
        None => {
            return Err(
                section.missing("data_type", "INT16, UINT16, INT32, UINT32, FLOAT32 or BIT")
            );
        }
    };
    if let (true, Some(field), false) = (entity.is_bit(), &layout, data_type == DataType::Bit(0)) {
        return Err(field.refuse(format_args!("a {} holds one BIT", entity.word())));
    }
    if entity.is_bit() {
        if let Some(bit) = section.maybe("bit") {
            return Err(bit.refuse("only for data_type BIT in a register"));
        }
    } else {
        data_type = with_bit(section, data_type)?;
    }
    if address.checked_add(data_type.span() - 1).is_none() {
        let span = data_type.span();
        return Err(field.refuse(format_args!("{span} addresses from here go past 65535")));
    }
    let order = section.maybe("byte_order");
    let byte_order = order.map_or(Ok(ByteOrder::Abcd), |field| field.word(&BYTE_ORDERS))?;
    Ok(Register { entity, address, data_type, byte_order })
}

/// Which bit of a word, if it is one.
fn with_bit(section: &mut Section<'_>, data_type: DataType) -> Result<DataType, ProfileError> {
    match (section.maybe("bit"), data_type) {
        (Some(bit), DataType::Bit(_)) => {
            Ok(DataType::Bit(u8::try_from(bit.small(0, 15)?).unwrap_or_default()))
        }
        (None, DataType::Bit(_)) => {
            Err(section.missing("bit", "which bit of the register, 0 is the lowest"))
        }
        (Some(bit), _) => Err(bit.refuse("only for data_type BIT in a register")),
        (None, _) => Ok(data_type),
    }
}

fn text(section: &mut Section<'_>, unit: Unit) -> Result<TextAccess, ProfileError> {
    let read = section.maybe("read").map(|field| line(&field)).transpose()?;
    let kind = section.maybe("data_type");
    let kind = kind.map_or(Ok(TextKind::Number), |field| field.word(&TEXT_KINDS))?;
    let (digit, words) = (section.maybe("digit"), section.maybe("words"));
    let form = match (kind, &digit, &words) {
        (TextKind::Number, None, None) => TextForm::Number,
        (TextKind::Code, None, None) => TextForm::Code,
        (TextKind::Digit, Some(digit), None) => {
            TextForm::Digit(u8::try_from(digit.small(0, DIGITS_MAX)?).unwrap_or_default())
        }
        (TextKind::Words, None, Some(words)) => TextForm::Words(named_numbers(words)?),
        (TextKind::Digit, None, _) => {
            return Err(section.missing("digit", "which digit of the row, 0 is the first"));
        }
        (TextKind::Words, _, None) => {
            return Err(section.missing("words", "what the answers mean: { C = 0, F = 1 }"));
        }
        (TextKind::Number | TextKind::Code | TextKind::Words, Some(digit), _) => {
            return Err(digit.refuse("only for data_type DIGIT"));
        }
        (TextKind::Number | TextKind::Code | TextKind::Digit, _, Some(words)) => {
            return Err(words.refuse("only for data_type WORDS"));
        }
    };
    let decimals = decimals(section, unit, &form)?;
    Ok(TextAccess { read, form, decimals })
}

fn named_numbers(field: &Field<'_>) -> Result<Vec<(String, i64)>, ProfileError> {
    let mut words = Vec::new();
    for (word, number) in field.entries()? {
        words.push((word, number.integer(i32::MIN.into(), u32::MAX.into())?));
    }
    if words.is_empty() { Err(field.refuse("must not be empty")) } else { Ok(words) }
}

fn decimals(section: &mut Section<'_>, unit: Unit, form: &TextForm) -> Result<u8, ProfileError> {
    let field = section.maybe("decimals");
    let number = field.as_ref().map_or(Ok(0), |field| field.small(0, DECIMALS_MAX))?;
    let number = u8::try_from(number).unwrap_or_default();
    match (&field, unit) {
        (_, Unit::DegC | Unit::DegF) if *form != TextForm::Number => {
            Err(section.missing("data_type", "a temperature is a NUMBER"))
        }
        (None, Unit::DegC | Unit::DegF) => {
            Err(section.missing("decimals", "how many decimals the device gives, at least one"))
        }
        (Some(field), Unit::DegC | Unit::DegF) if number == 0 => Err(field.refuse(
            "whole degrees are coarser than 0.1 °C: 62.5 could not be told from its neighbours. \
             Set the device to one decimal or more",
        )),
        (Some(field), Unit::Switch | Unit::Mode) => {
            Err(field.refuse("only for degrees and percent"))
        }
        (Some(_) | None, _) => Ok(number),
    }
}

fn huber(section: &mut Section<'_>) -> Result<HuberVariable, ProfileError> {
    let number = section.need("variable", "the number of the variable, such as 0x01")?;
    let number = u8::try_from(number.small(0, u8::MAX.into())?).unwrap_or_default();
    let field = section.need("data_type", "INT16, UINT16 or BIT")?;
    let data_type = match field.word(&DATA_TYPES)? {
        DataType::Int32 | DataType::Uint32 | DataType::Float32 => {
            return Err(field.refuse("a variable holds one word: INT16, UINT16 or BIT"));
        }
        one @ (DataType::Bit(_) | DataType::Int16 | DataType::Uint16) => with_bit(section, one)?,
    };
    Ok(HuberVariable { number, data_type })
}

fn neslab(section: &mut Section<'_>, unit: Unit) -> Result<NeslabField, ProfileError> {
    let field = section.need("command", "the command byte that reads it, such as 0x20")?;
    let command = u8::try_from(field.small(0, u8::MAX.into())?).unwrap_or_default();
    let kind = section.need("data_type", "QUALIFIED, QUALIFIER or BIT")?;
    let (byte, bit) = (section.maybe("byte"), section.maybe("bit"));
    let part = match (kind.word(&NESLAB_KINDS)?, &byte, &bit) {
        (NeslabKind::Qualified, None, None) => NeslabPart::Qualified,
        (NeslabKind::Qualifier, None, None) => NeslabPart::Qualifier,
        (NeslabKind::Bit, Some(byte), Some(bit)) => NeslabPart::Bit {
            byte: u8::try_from(byte.small(0, BYTES_MAX - 1)?).unwrap_or_default(),
            bit: u8::try_from(bit.small(0, 7)?).unwrap_or_default(),
        },
        (NeslabKind::Bit, None, _) => {
            return Err(section.missing("byte", "which byte of the data, 0 is the first"));
        }
        (NeslabKind::Bit, _, None) => {
            return Err(section.missing("bit", "which bit of the byte, 0 is the lowest"));
        }
        (NeslabKind::Qualified | NeslabKind::Qualifier, Some(field), _)
        | (NeslabKind::Qualified | NeslabKind::Qualifier, None, Some(field)) => {
            return Err(field.refuse("only for data_type BIT"));
        }
    };
    if unit.is_temperature() && part != NeslabPart::Qualified {
        return Err(kind.refuse("a temperature is QUALIFIED"));
    }
    Ok(NeslabField { command, part })
}
