//! Reads one `[[point]]`, with the rules that concern the point alone.

use super::error::ProfileError;
use super::parse::VERIFIED;
use super::point::{
    ByteOrder, DataType, Entity, Fault, Need, Point, Sentinel, Unit, Verified, Write, WriteFunction,
};
use super::reader::{Field, Section};
use super::scale::STEP_NANO_MAX;
use crate::contract::{Quality, Role};
use crate::units::Celsius;

const NANO: f64 = 1e9;

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
const UNITS: [(&str, Unit); 5] = [
    ("degC", Unit::DegC),
    ("degF", Unit::DegF),
    ("percent", Unit::Percent),
    ("switch", Unit::Switch),
    ("mode", Unit::Mode),
];
/// What a device can say of its own value.
const QUALITIES: [(&str, Quality); 3] = [
    ("out-of-range", Quality::OutOfRange),
    ("sensor-open", Quality::SensorOpen),
    ("stale", Quality::Stale),
];
const ROLES: [(&str, Role); 16] = [
    ("bath", Role::Bath),
    ("milk-0", Role::Milk(0)),
    ("milk-1", Role::Milk(1)),
    ("milk-2", Role::Milk(2)),
    ("milk-3", Role::Milk(3)),
    ("milk-4", Role::Milk(4)),
    ("milk-5", Role::Milk(5)),
    ("milk-6", Role::Milk(6)),
    ("milk-7", Role::Milk(7)),
    ("reference", Role::Reference),
    ("lid", Role::Lid),
    ("heater", Role::Heater),
    ("setpoint", Role::Setpoint),
    ("power", Role::Power),
    ("agitator", Role::Agitator),
    ("cooling-valve", Role::CoolingValve),
];
const FUNCTIONS: [(i64, WriteFunction); 3] = [
    (5, WriteFunction::SingleCoil),
    (6, WriteFunction::SingleRegister),
    (16, WriteFunction::MultipleRegisters),
];

pub(crate) fn point(mut section: Section<'_>, device: Verified) -> Result<Point, ProfileError> {
    let name = section.need("name", "each point has a name")?.text()?.to_owned();
    section.rename(format!("point.{name}"));
    let title = section.need("title", "what it is, in words")?.text()?.to_owned();
    let rule = "coil, discrete_input, holding_register or input_register";
    let entity = section.need("entity", rule)?.word(&ENTITIES)?;
    let (address, data_type) = place(&mut section, entity)?;
    let byte_order =
        section.maybe("byte_order").map_or(Ok(ByteOrder::Abcd), |f| f.word(&BYTE_ORDERS))?;
    let unit = unit(&mut section)?;
    let scale_from = scale_from(&mut section, data_type, unit)?;
    let scale_nano = match &scale_from {
        Some(_) => STEP_NANO_MAX,
        None => scale(&mut section, data_type, unit)?,
    };
    let range_milli = range(&mut section, unit)?;
    let on_off = on_off(&mut section, unit)?;
    let usual_role = section.maybe("usual_role").map(|field| field.word(&ROLES)).transpose()?;
    let same_as =
        section.maybe("same_as").map(|field| field.text().map(str::to_owned)).transpose()?;
    let sentinels = sentinels(&mut section, data_type)?;
    let faults = faults(&mut section)?;
    let readable = !section.maybe("write_only").map_or(Ok(false), |field| field.boolean())?;
    let on_change_only = section.maybe("write_on_change_only");
    let write = match section.maybe("write") {
        Some(field) => {
            let verify = section.need("verify", "each write is read back; say where")?;
            let on_change_only = on_change_only.map_or(Ok(false), |field| field.boolean())?;
            Some(write(&field, &verify, &name, unit, on_change_only)?)
        }
        None if !readable => return Err(section.missing("write", "a write_only point needs it")),
        None => None,
    };
    let source =
        section.maybe("source").map(|field| field.text().map(str::to_owned)).transpose()?;
    let verified = section.maybe("verified").map_or(Ok(device), |field| field.word(&VERIFIED))?;
    section.finish()?;
    Ok(Point {
        name,
        title,
        entity,
        address,
        data_type,
        byte_order,
        unit,
        scale_nano,
        scale_from,
        range_milli,
        on_off,
        usual_role,
        same_as,
        sentinels,
        faults,
        readable,
        write,
        source,
        verified,
    })
}

/// Address and layout.
fn place(section: &mut Section<'_>, entity: Entity) -> Result<(u16, DataType), ProfileError> {
    let address = section.need("address", "the 0-based address, as on the wire")?;
    let at = address.small(0, u16::MAX)?;
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
    let bit = section.maybe("bit");
    match (bit, data_type == DataType::Bit(0) && !entity.is_bit()) {
        (Some(bit), true) => {
            let index = u8::try_from(bit.small(0, 15)?).unwrap_or_default();
            data_type = DataType::Bit(index);
        }
        (None, true) => {
            return Err(section.missing("bit", "which bit of the register, 0 is the lowest"));
        }
        (Some(bit), false) => return Err(bit.refuse("only for data_type BIT in a register")),
        (None, false) => {}
    }
    if at.checked_add(data_type.span() - 1).is_none() {
        let span = data_type.span();
        return Err(address.refuse(format_args!("{span} addresses from here go past 65535")));
    }
    Ok((at, data_type))
}

fn unit(section: &mut Section<'_>) -> Result<Unit, ProfileError> {
    let field = section.need("unit", "degC, degF, percent, switch or mode")?;
    let unit = field.word(&UNITS)?;
    let convert = section.maybe("convert");
    match (&convert, unit) {
        (Some(convert), Unit::DegF) => convert.word(&[("degC", ())])?,
        (None, Unit::DegF) => {
            return Err(field.refuse(
                "temperatures are in degC: set the device to °C, or add convert = \"degC\" if it \
                 really speaks °F",
            ));
        }
        (Some(convert), Unit::DegC | Unit::Percent | Unit::Switch | Unit::Mode) => {
            return Err(convert.refuse("only for unit = \"degF\""));
        }
        (None, Unit::DegC | Unit::Percent | Unit::Switch | Unit::Mode) => {}
    }
    Ok(unit)
}

/// The point that says how many decimals this one has.
fn scale_from(
    section: &mut Section<'_>,
    data: DataType,
    unit: Unit,
) -> Result<Option<String>, ProfileError> {
    let Some(field) = section.maybe("scale_from") else { return Ok(None) };
    if let Some(scale) = section.maybe("scale") {
        return Err(scale.refuse("either scale, or scale_from where the device says it"));
    }
    match (unit, data) {
        (Unit::Switch | Unit::Mode, _) => {
            return Err(field.refuse("only for degrees and percent"));
        }
        (_, DataType::Float32 | DataType::Bit(_)) => {
            return Err(field.refuse("only for whole numbers: INT16, UINT16, INT32 or UINT32"));
        }
        _ => {}
    }
    let mut entry = field.section()?;
    let point = entry.need("point", "the point that says how many decimals it has")?;
    let point = point.text()?.to_owned();
    entry.finish()?;
    Ok(Some(point))
}

fn scale(section: &mut Section<'_>, data: DataType, unit: Unit) -> Result<i64, ProfileError> {
    let field = section.maybe("scale");
    let number = field.as_ref().map_or(Ok(1.0), Field::number)?;
    let nano = (number * NANO).round();
    let refuse = |rule: String| match &field {
        Some(field) => field.refuse(rule),
        None => section.missing("scale", rule),
    };
    if !(1.0..=1e12).contains(&nano) || (number * NANO - nano).abs() > 1e-3 {
        return Err(refuse("must be from 0.000000001 to 1000".to_owned()));
    }
    let nano = nano as i64;
    match (unit, data) {
        (Unit::Switch, _) if nano != 1_000_000_000 => {
            Err(refuse("a switch has no scale; use on and off".to_owned()))
        }
        (Unit::DegC | Unit::DegF, DataType::Bit(_)) => {
            Err(refuse("one bit is no temperature".to_owned()))
        }
        (Unit::DegC | Unit::DegF, DataType::Float32) => Ok(nano),
        (Unit::DegC | Unit::DegF, _) => {
            let step = if unit == Unit::DegF { nano / 9 * 5 } else { nano };
            if step > STEP_NANO_MAX {
                let step = step as f64 / NANO;
                return Err(refuse(format!(
                    "one step would be {step:.2} °C, coarser than 0.1 °C: 62.5 could not be told \
                     from its neighbours. Set the device to one decimal or more, and scale to 0.1 \
                     or less"
                )));
            }
            Ok(nano)
        }
        (Unit::Percent | Unit::Switch | Unit::Mode, _) => Ok(nano),
    }
}

fn range(section: &mut Section<'_>, unit: Unit) -> Result<Option<(i64, i64)>, ProfileError> {
    let Some(field) = section.maybe("range") else {
        if unit.is_temperature() {
            return Err(section.missing("range", "without it a fault passes for a temperature"));
        }
        return Ok(None);
    };
    if unit == Unit::Switch {
        return Err(field.refuse("a switch has no range"));
    }
    let ends = field.list()?;
    let [low, high] = ends.as_slice() else {
        return Err(field.refuse("must be [lowest, highest]"));
    };
    let milli = |end: &Field<'_>| {
        let number = end.number()? * 1000.0;
        if number.abs() > 1e9 { Err(end.refuse("is absurd")) } else { Ok(number.round() as i64) }
    };
    let (low, high) = (milli(low)?, milli(high)?);
    if low >= high {
        return Err(field.refuse("the lowest must be below the highest"));
    }
    Ok(Some((low, high)))
}

fn on_off(section: &mut Section<'_>, unit: Unit) -> Result<(i64, i64), ProfileError> {
    let (on, off) = (section.maybe("on"), section.maybe("off"));
    let word = |field: &Option<Field<'_>>, default| match field {
        Some(field) if unit != Unit::Switch => Err(field.refuse("only for unit = \"switch\"")),
        Some(field) => field.integer(0, u16::MAX.into()),
        None => Ok(default),
    };
    let pair = (word(&on, 1)?, word(&off, 0)?);
    match on.or(off) {
        Some(field) if pair.0 == pair.1 => Err(field.refuse("on and off must differ")),
        Some(_) | None => Ok(pair),
    }
}

fn sentinels(section: &mut Section<'_>, data: DataType) -> Result<Vec<Sentinel>, ProfileError> {
    let Some(field) = section.maybe("sentinels") else { return Ok(Vec::new()) };
    let mut sentinels = Vec::new();
    for item in field.list()? {
        let mut entry = item.section()?;
        let (value, from, to) = (entry.maybe("value"), entry.maybe("from"), entry.maybe("to"));
        let (raw_from, raw_to) = match (&value, &from, &to) {
            (Some(value), None, None) => (raw(value, data)?, raw(value, data)?),
            (None, Some(from), Some(to)) => (raw(from, data)?, raw(to, data)?),
            _ => return Err(item.refuse("needs either value, or from and to")),
        };
        if raw_from > raw_to {
            return Err(item.refuse("from must not be above to"));
        }
        let quality =
            entry.need("quality", "sensor-open, out-of-range or stale")?.word(&QUALITIES)?;
        let meaning = entry.need("meaning", "what the device says by it")?.text()?.to_owned();
        entry.finish()?;
        sentinels.push(Sentinel { raw_from, raw_to, quality, meaning });
    }
    Ok(sentinels)
}

/// A raw value; `0x8003` for an INT16 is the bit pattern, −32765.
fn raw(field: &Field<'_>, data: DataType) -> Result<f64, ProfileError> {
    Ok(match data {
        DataType::Float32 => f64::from(field.number()? as f32),
        DataType::Bit(_) => field.small(0, 1)?.into(),
        DataType::Uint16 => field.small(0, u16::MAX)?.into(),
        DataType::Int16 => {
            let whole = field.integer(i16::MIN.into(), u16::MAX.into())?;
            let wrapped = if whole > i16::MAX.into() { whole - 0x1_0000 } else { whole };
            wrapped as f64
        }
        DataType::Int32 => {
            let whole = field.integer(i32::MIN.into(), u32::MAX.into())?;
            let wrapped = if whole > i32::MAX.into() { whole - 0x1_0000_0000 } else { whole };
            wrapped as f64
        }
        DataType::Uint32 => field.integer(0, u32::MAX.into())? as f64,
    })
}

fn faults(section: &mut Section<'_>) -> Result<Vec<Fault>, ProfileError> {
    let Some(field) = section.maybe("faults") else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    for item in field.list()? {
        let mut entry = item.section()?;
        let point =
            entry.need("point", "the switch point that tells of the fault")?.text()?.to_owned();
        let quality =
            entry.need("quality", "sensor-open, out-of-range or stale")?.word(&QUALITIES)?;
        entry.finish()?;
        faults.push(Fault { point, quality });
    }
    Ok(faults)
}

fn write(
    field: &Field<'_>,
    verify: &Field<'_>,
    name: &str,
    unit: Unit,
    on_change_only: bool,
) -> Result<Write, ProfileError> {
    let mut section = field.section()?;
    let code = section.need("function", "5, 6 or 16")?;
    let number = code.integer(0, 127)?;
    let function = FUNCTIONS.into_iter().find(|(known, _)| *known == number);
    let (_, function) = function.ok_or_else(|| code.refuse("writes are by function 5, 6 or 16"))?;
    let mut needs = Vec::new();
    if let Some(list) = section.maybe("needs") {
        for item in list.list()? {
            needs.push(need(&item)?);
        }
    }
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
    Ok(Write { function, verify_point, verify_tolerance_milli, needs, on_change_only, off_value })
}

/// A point with the raw value that it must have.
pub(crate) fn need(field: &Field<'_>) -> Result<Need, ProfileError> {
    let mut entry = field.section()?;
    let point = entry.need("point", "what must be so first")?.text()?.to_owned();
    let equals = entry.need("equals", "the raw value that it must have")?;
    let raw = equals.integer(i32::MIN.into(), u32::MAX.into())?;
    entry.finish()?;
    Ok(Need { point, raw })
}
