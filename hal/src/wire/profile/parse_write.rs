//! Reads how a point is written, and how the write is proved.

use super::access::{Access, NeslabWrite, Phrase, TextWrite, WriteMeans};
use super::error::ProfileError;
use super::parse_protocol::line;
use super::point::{Need, Unit, Write, WriteFunction};
use super::reader::{Field, Section};
use crate::units::Celsius;

const FUNCTIONS: [(i64, WriteFunction); 3] = [
    (5, WriteFunction::SingleCoil),
    (6, WriteFunction::SingleRegister),
    (16, WriteFunction::MultipleRegisters),
];
/// The items of the on/off array of NESLAB NC.
const ITEMS: u16 = 8;
/// More decimals than are kept are of no use.
const DECIMALS_MAX: u16 = 3;

/// The keys `write`, `verify` and `write_on_change_only`.
pub(crate) fn write(
    section: &mut Section<'_>,
    name: &str,
    unit: Unit,
    at: &Access,
) -> Result<Option<Write>, ProfileError> {
    let on_change_only = section.maybe("write_on_change_only");
    let Some(field) = section.maybe("write") else { return Ok(None) };
    let verify = section.need("verify", "each write is read back; say where")?;
    let on_change_only = on_change_only.map_or(Ok(false), |field| field.boolean())?;
    let mut section = field.section()?;
    let means = means(&mut section, unit, at)?;
    let needs = needs(&mut section)?;
    let off_value = match section.maybe("off_value") {
        Some(field) if !unit.is_temperature() => {
            return Err(field.refuse("only for a set point in degrees"));
        }
        Some(field) => {
            Some(Celsius::from_f64(field.number()?).ok_or_else(|| field.refuse("is absurd"))?)
        }
        None => None,
    };
    section.finish()?;

    let mut section = verify.section()?;
    let verify_point = match section.maybe("point") {
        Some(field) => field.text()?.to_owned(),
        None => name.to_owned(),
    };
    let tolerance =
        section.maybe("tolerance").map_or(Ok(0.0), |field| match field.number()? {
            wide if !(0.0..=1.0).contains(&wide) => Err(field.refuse("must be from 0 to 1")),
            number => Ok(number),
        })?;
    section.finish()?;
    let verify_tolerance_milli = (tolerance * 1000.0).round() as i64;
    Ok(Some(Write {
        means,
        verify_point,
        verify_tolerance_milli,
        needs,
        on_change_only,
        off_value,
    }))
}

fn means(section: &mut Section<'_>, unit: Unit, at: &Access) -> Result<WriteMeans, ProfileError> {
    match at {
        Access::Register(_) => {
            let code = section.need("function", "5, 6 or 16")?;
            let number = code.integer(0, 127)?;
            let function = FUNCTIONS.into_iter().find(|(known, _)| *known == number);
            let (_, function) =
                function.ok_or_else(|| code.refuse("writes are by function 5, 6 or 16"))?;
            Ok(WriteMeans::Function(function))
        }
        Access::Text(at) => Ok(WriteMeans::Text(text(section, unit, at.decimals)?)),
        Access::HuberPb(_) => Ok(WriteMeans::HuberPb),
        Access::NeslabNc(_) => Ok(WriteMeans::NeslabNc(neslab(section, unit)?)),
    }
}

fn text(section: &mut Section<'_>, unit: Unit, decimals: u8) -> Result<TextWrite, ProfileError> {
    let command = section.maybe("command");
    let (on, off) = (section.maybe("on_command"), section.maybe("off_command"));
    let phrase = match (&command, &on, &off) {
        (Some(field), None, None) => {
            let command = line(field)?;
            if command.matches("{}").count() != 1 {
                return Err(field.refuse("must have {} once, where the value goes"));
            }
            Phrase::Value(command)
        }
        (None, Some(on), Some(off)) if unit == Unit::Switch => {
            Phrase::Switch { on: line(on)?, off: line(off)? }
        }
        (None, Some(field), Some(_)) => return Err(field.refuse("only for unit = \"switch\"")),
        (None, _, _) => {
            let rule = "the command with {} for the value, or on_command and off_command";
            return Err(section.missing("command", rule));
        }
        (Some(field), _, _) => {
            return Err(field.refuse("either command, or on_command and off_command"));
        }
    };
    let rule = "the answer that means yes, or \"none\" for a command that gets no answer";
    let answer = line(&section.need("answer", rule)?)?;
    let answer = (answer != "none").then_some(answer);
    let decimals = match section.maybe("decimals") {
        Some(field) if matches!(unit, Unit::Switch | Unit::Mode) => {
            return Err(field.refuse("only for degrees and percent"));
        }
        Some(field) => {
            let least = u16::from(unit.is_temperature());
            u8::try_from(field.small(least, DECIMALS_MAX)?).unwrap_or_default()
        }
        None => decimals,
    };
    Ok(TextWrite { phrase, decimals, answer })
}

fn neslab(section: &mut Section<'_>, unit: Unit) -> Result<NeslabWrite, ProfileError> {
    let (command, item) = (section.maybe("command"), section.maybe("item"));
    match (&command, &item) {
        (Some(field), None) if unit.is_temperature() => {
            let command = u8::try_from(field.small(0, u8::MAX.into())?).unwrap_or_default();
            Ok(NeslabWrite::Word { command })
        }
        (None, Some(field)) if unit == Unit::Switch => {
            let item = u8::try_from(field.small(0, ITEMS - 1)?).unwrap_or_default();
            Ok(NeslabWrite::Item { item })
        }
        (Some(field), _) => Err(field.refuse("writes a temperature; a switch is an item")),
        (None, Some(field)) => Err(field.refuse("only for unit = \"switch\"")),
        (None, None) => {
            let rule = "the command byte that writes a temperature; for a switch, write item";
            Err(section.missing("command", rule))
        }
    }
}

fn needs(section: &mut Section<'_>) -> Result<Vec<Need>, ProfileError> {
    let mut needs = Vec::new();
    let Some(list) = section.maybe("needs") else { return Ok(needs) };
    for item in list.list()? {
        needs.push(need(&item)?);
    }
    Ok(needs)
}

/// A point with the raw value that it must have.
pub(crate) fn need(field: &Field<'_>) -> Result<Need, ProfileError> {
    let mut entry = field.section()?;
    let point = entry.need("point", "what must be so first")?.text()?.to_owned();
    let equals = entry.need("equals", "the raw value that it must have")?;
    let raw = equals.integer(i32::MIN.into(), u32::MAX.into())?;
    let once = entry.maybe("once").map_or(Ok(false), |field| field.boolean())?;
    entry.finish()?;
    Ok(Need { point, raw, once })
}
