//! Reads one `[[point]]`, with the rules that concern the point alone.

use super::access::{Access, TextAccess};
use super::error::ProfileError;
use super::parse::VERIFIED;
use super::point::{DataType, Fault, Point, Sentinel, Unit, Verified};
use super::reader::{Field, Section};
use super::scale::STEP_NANO_MAX;
use super::{Protocol, parse_access, parse_write};
use crate::contract::{Quality, Role};

const NANO: f64 = 1e9;

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
pub(crate) fn point(
    mut section: Section<'_>,
    protocol: &Protocol,
    device: Verified,
) -> Result<Point, ProfileError> {
    let name = section.need("name", "each point has a name")?.text()?.to_owned();
    section.rename(format!("point.{name}"));
    let title = section.need("title", "what it is, in words")?.text()?.to_owned();
    let unit = unit(&mut section)?;
    let at = parse_access::access(&mut section, protocol, unit)?;
    let scale_from = scale_from(&mut section, &at, unit)?;
    let scale_nano = match &scale_from {
        Some(_) => STEP_NANO_MAX,
        None => scale(&mut section, &at, unit)?,
    };
    let range_milli = range(&mut section, unit)?;
    let on_off = on_off(&mut section, unit)?;
    let usual_role = section.maybe("usual_role").map(|field| field.word(&ROLES)).transpose()?;
    let same_as =
        section.maybe("same_as").map(|field| field.text().map(str::to_owned)).transpose()?;
    let sentinels = sentinels(&mut section, &at)?;
    let faults = faults(&mut section)?;
    let readable = match &at {
        Access::Text(TextAccess { read, .. }) => read.is_some(),
        Access::Register(_) | Access::HuberPb(_) | Access::NeslabNc(_) => {
            !section.maybe("write_only").map_or(Ok(false), |field| field.boolean())?
        }
    };
    let write = parse_write::write(&mut section, &name, unit, &at)?;
    if write.is_none() && !readable {
        return Err(match &at {
            Access::Text(_) => section.missing("read", "the question; without it, write"),
            Access::Register(_) | Access::HuberPb(_) | Access::NeslabNc(_) => {
                section.missing("write", "a write_only point needs it")
            }
        });
    }
    let source =
        section.maybe("source").map(|field| field.text().map(str::to_owned)).transpose()?;
    let verified = section.maybe("verified").map_or(Ok(device), |field| field.word(&VERIFIED))?;
    section.finish()?;
    Ok(Point {
        name,
        title,
        at,
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
    at: &Access,
    unit: Unit,
) -> Result<Option<String>, ProfileError> {
    let Some(field) = section.maybe("scale_from") else { return Ok(None) };
    if let Some(scale) = section.maybe("scale") {
        return Err(scale.refuse("either scale, or scale_from where the device says it"));
    }
    match (unit, layout(at)) {
        (Unit::Switch | Unit::Mode, _) => {
            return Err(field.refuse("only for degrees and percent"));
        }
        (_, Some(DataType::Float32 | DataType::Bit(_)) | None) => {
            return Err(field.refuse("only for whole numbers: INT16, UINT16, INT32 or UINT32"));
        }
        (Unit::DegC | Unit::DegF | Unit::Percent, Some(_)) => {}
    }
    let mut entry = field.section()?;
    let point = entry.need("point", "the point that says how many decimals it has")?;
    let point = point.text()?.to_owned();
    entry.finish()?;
    Ok(Some(point))
}

/// The layout of the numbers in it: text and qualified numbers carry their own decimals.
const fn layout(at: &Access) -> Option<DataType> {
    match at {
        Access::Register(register) => Some(register.data_type),
        Access::HuberPb(variable) => Some(variable.data_type),
        Access::Text(_) | Access::NeslabNc(_) => None,
    }
}

fn scale(section: &mut Section<'_>, at: &Access, unit: Unit) -> Result<i64, ProfileError> {
    let Some(data) = layout(at) else { return Ok(1_000_000_000) };
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

fn sentinels(section: &mut Section<'_>, at: &Access) -> Result<Vec<Sentinel>, ProfileError> {
    let data = layout(at);
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
fn raw(field: &Field<'_>, data: Option<DataType>) -> Result<f64, ProfileError> {
    let Some(data) = data else { return field.number() };
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
        let point = entry.need("point", "the point that tells of the fault")?.text()?.to_owned();
        let modes = entry.maybe("equals");
        let modes = modes
            .map_or(Ok(Vec::new()), |field| field.integers(i32::MIN.into(), u32::MAX.into()))?;
        let quality =
            entry.need("quality", "sensor-open, out-of-range or stale")?.word(&QUALITIES)?;
        entry.finish()?;
        faults.push(Fault { point, modes, quality });
    }
    Ok(faults)
}
