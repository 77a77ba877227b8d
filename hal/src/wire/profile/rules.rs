//! The rules that concern several points of a profile, or a point and its device.

use toml::de::{DeTable, DeValue};

use super::error::ProfileError;
use super::point::{DataType, Entity, Fault, Need, Point, Unit, WriteFunction};
use super::reader::Source;
use super::{Modbus, Profile, Register, WriteMeans};
use crate::contract::Role;

/// Where a rule is broken: the table, the name of its entry, and the key.
struct Place<'a> {
    table: &'a str,
    entry: &'a str,
    key: &'a str,
}

struct Rules<'a> {
    source: Source<'a>,
    document: &'a DeTable<'a>,
    profile: &'a Profile,
}

pub(crate) fn check(
    source: Source<'_>,
    document: &DeTable<'_>,
    profile: &Profile,
) -> Result<(), ProfileError> {
    let rules = Rules { source, document, profile };
    for (index, point) in profile.points.iter().enumerate() {
        let before = profile.points.get(..index).unwrap_or_default();
        if before.iter().any(|other| other.name == point.name) {
            return Err(rules.refuse(&at(point, "name"), "two points have this name"));
        }
        rules.reading(point)?;
        rules.writing(point)?;
    }
    rules.checks()?;
    rules.watchdog()
}

const fn at<'a>(point: &'a Point, key: &'a str) -> Place<'a> {
    Place { table: "point", entry: point.name.as_str(), key }
}

impl Rules<'_> {
    fn reading(&self, point: &Point) -> Result<(), ProfileError> {
        if let (Some(modbus), Some(register)) = (self.profile.modbus(), point.register()) {
            self.reading_registers(point, register, modbus)?;
        }
        self.scale_from(point)?;
        if let Some(name) = &point.same_as {
            match self.profile.point(name) {
                // One step, so that nobody has to follow a chain.
                Some(other)
                    if other.unit.is_temperature()
                        && point.unit.is_temperature()
                        && other.same_as.is_none() => {}
                Some(_) => {
                    let rule = "one temperature names another, which names none itself";
                    return Err(self.refuse(&at(point, "same_as"), rule));
                }
                None => return Err(self.unknown(&at(point, "same_as"), name)),
            }
        }
        point.faults.iter().try_for_each(|fault| self.fault(point, fault))
    }

    fn reading_registers(
        &self,
        point: &Point,
        register: &Register,
        modbus: &Modbus,
    ) -> Result<(), ProfileError> {
        let function = register.entity.read_function();
        if point.readable && !modbus.function_codes.contains(&function) {
            let entity = register.entity.word();
            let rule =
                format!("reading a {entity} takes function {function}, not in function_codes");
            return Err(self.refuse(&at(point, "entity"), rule));
        }
        if !register.entity.is_bit() && register.data_type.span() > modbus.words_per_read_max {
            let rule = "is longer than words_per_read_max";
            return Err(self.refuse(&at(point, "data_type"), rule));
        }
        Ok(())
    }

    /// How many decimals a point has is a plain number that can be read.
    fn scale_from(&self, point: &Point) -> Result<(), ProfileError> {
        let Some(name) = &point.scale_from else { return Ok(()) };
        let here = at(point, "scale_from");
        match self.profile.point(name) {
            Some(other)
                if other.unit == Unit::Mode
                    && other.readable
                    && other.scale_nano == 1_000_000_000
                    && other.register().is_some_and(|at| at.data_type != DataType::Float32) =>
            {
                Ok(())
            }
            Some(_) => {
                let rule = format!(
                    "{name} must be a whole number that can be read: unit = \"mode\", without scale"
                );
                Err(self.refuse(&here, rule))
            }
            None => Err(self.unknown(&here, name)),
        }
    }

    /// A raw number that the file compares a point with.
    fn raw(&self, place: &Place<'_>, point: &Point, raw: i64) -> Result<(), ProfileError> {
        if point.scale_from.is_some() {
            let rule = format!(
                "{} has its scale in the device: a raw number means nothing for it",
                point.name
            );
            return Err(self.refuse(place, rule));
        }
        point.encode_whole(raw).map(|_| ()).map_err(|error| self.refuse(place, error.to_string()))
    }

    /// What tells of a fault is a switch, or a mode of which some numbers do.
    fn fault(&self, point: &Point, fault: &Fault) -> Result<(), ProfileError> {
        let here = at(point, "faults");
        let Some(other) = self.profile.point(&fault.point) else {
            return Err(self.unknown(&here, &fault.point));
        };
        let rule = match (other.unit, fault.modes.is_empty()) {
            _ if !other.readable => format!("{} is not a switch that can be read", fault.point),
            (Unit::Switch, true) | (Unit::Mode, false) => return Ok(()),
            (Unit::Mode, true) => {
                format!("{} is a mode: say with equals which numbers tell of it", fault.point)
            }
            (Unit::Switch, false) => format!("{} is a switch: it takes no equals", fault.point),
            (Unit::DegC | Unit::DegF | Unit::Percent, _) => {
                format!("{} is not a switch that can be read", fault.point)
            }
        };
        Err(self.refuse(&here, rule))
    }

    fn writing(&self, point: &Point) -> Result<(), ProfileError> {
        let Some(write) = &point.write else { return Ok(()) };
        let here = at(point, "write");
        if let (WriteMeans::Function(function), Some(register)) = (&write.means, point.register()) {
            self.write_function(point, register, *function)?;
        }
        match self.profile.point(&write.verify_point) {
            None => return Err(self.unknown(&at(point, "verify"), &write.verify_point)),
            Some(other) if !other.readable => {
                let rule = format!("{} cannot be read back; name another point", other.name);
                return Err(self.refuse(&at(point, "verify"), rule));
            }
            Some(other) if !same_kind(other.unit, point.unit) => {
                let rule = format!("{} has another unit", other.name);
                return Err(self.refuse(&at(point, "verify"), rule));
            }
            Some(_) => {}
        }
        for need in &write.needs {
            match self.profile.point(&need.point) {
                None => return Err(self.unknown(&here, &need.point)),
                Some(other) if other.write.is_none() => {
                    return Err(self.refuse(&here, format!("{} cannot be written", other.name)));
                }
                Some(other)
                    if other.write.as_ref().is_some_and(|write| !write.needs.is_empty()) =>
                {
                    let rule = format!("{} has needs of its own; list them here", other.name);
                    return Err(self.refuse(&here, rule));
                }
                Some(other) => self.raw(&here, other, need.raw)?,
            }
        }
        let outside = write
            .off_value
            .zip(point.range_milli)
            .is_some_and(|(off, (low, high))| !(low..=high).contains(&off.milli().into()));
        if outside {
            return Err(self.refuse(&here, "off_value is outside the range of this point"));
        }
        Ok(())
    }

    fn write_function(
        &self,
        point: &Point,
        register: &Register,
        function: WriteFunction,
    ) -> Result<(), ProfileError> {
        let here = at(point, "write");
        let code = function.code();
        let known = |modbus: &Modbus| modbus.function_codes.contains(&code);
        if !self.profile.modbus().is_some_and(known) {
            return Err(self.refuse(&here, format!("function {code} is not in function_codes")));
        }
        let fits = match (register.entity, function) {
            (Entity::Coil, WriteFunction::SingleCoil)
            | (Entity::HoldingRegister, WriteFunction::MultipleRegisters) => true,
            (Entity::HoldingRegister, WriteFunction::SingleRegister) => {
                register.data_type.span() == 1
            }
            (Entity::DiscreteInput | Entity::InputRegister, _)
            | (Entity::Coil, WriteFunction::SingleRegister | WriteFunction::MultipleRegisters)
            | (Entity::HoldingRegister, WriteFunction::SingleCoil) => false,
        };
        let one_bit = !register.entity.is_bit() && matches!(register.data_type, DataType::Bit(_));
        if !fits || one_bit {
            let (entity, data) = (register.entity.word(), register.data_type.word());
            let rule = format!("function {code} cannot write a {data} of a {entity}");
            return Err(self.refuse(&here, rule));
        }
        Ok(())
    }

    fn checks(&self) -> Result<(), ProfileError> {
        for check in &self.profile.checks {
            let here = Place { table: "check", entry: &check.point, key: "point" };
            match self.profile.point(&check.point) {
                None => return Err(self.unknown(&here, &check.point)),
                Some(point) if !point.readable => {
                    return Err(self.refuse(&here, "cannot be read"));
                }
                Some(point) => {
                    let here = Place { key: "equals", ..here };
                    for raw in &check.raws {
                        self.raw(&here, point, *raw)?;
                    }
                }
            }
            let here = Place { key: "concerns", ..here };
            if let Some(name) =
                check.concerns.iter().find(|name| self.profile.point(name).is_none())
            {
                return Err(self.unknown(&here, name));
            }
        }
        Ok(())
    }

    fn watchdog(&self) -> Result<(), ProfileError> {
        let Some(watchdog) = &self.profile.watchdog else { return Ok(()) };
        let here = Place { table: "watchdog", entry: "", key: "fed_by" };
        for name in &watchdog.fed_by {
            let Some(point) = self.profile.point(name) else {
                return Err(self.unknown(&here, name));
            };
            match &point.write {
                None => return Err(self.refuse(&here, format!("{name} cannot be written"))),
                Some(write) if write.on_change_only => {
                    let rule =
                        format!("{name} is write_on_change_only: feeding it would wear it out");
                    return Err(self.refuse(&here, rule));
                }
                Some(_) => {}
            }
        }
        watchdog.armed_by.as_ref().map_or(Ok(()), |armed| self.armed(armed))
    }

    /// A watchdog that must be switched on is switched on before anything heats: whatever gives
    /// heat needs it.
    fn armed(&self, armed: &Need) -> Result<(), ProfileError> {
        let here = Place { table: "watchdog", entry: "", key: "armed_by" };
        match self.profile.point(&armed.point) {
            None => return Err(self.unknown(&here, &armed.point)),
            Some(point) if !point.readable || point.write.is_none() => {
                let rule = format!("{} must be writable, and readable to prove it", point.name);
                return Err(self.refuse(&here, rule));
            }
            Some(point) => self.raw(&here, point, armed.raw)?,
        }
        let heats = |point: &&Point| point.usual_role.is_some_and(Role::heats);
        for point in self.profile.points.iter().filter(heats) {
            if point.write.as_ref().is_some_and(|write| !write.needs.contains(armed)) {
                let rule = format!(
                    "gives heat, so its needs must have the watchdog: {{ point = \"{}\", equals = \
                     {} }}",
                    armed.point, armed.raw
                );
                return Err(self.refuse(&at(point, "write"), rule));
            }
        }
        Ok(())
    }

    fn unknown(&self, place: &Place<'_>, name: &str) -> ProfileError {
        let names: Vec<&str> =
            self.profile.points.iter().map(|point| point.name.as_str()).collect();
        self.refuse(place, format!("there is no point {name}; there are {}", names.join(", ")))
    }

    /// The error at `place`, with the line and the text that the file has there.
    fn refuse(&self, place: &Place<'_>, rule: impl Into<String>) -> ProfileError {
        let found = self.find(place);
        let span = found.map_or(0..0, toml::Spanned::span);
        let written = self.source.text.get(span.clone()).unwrap_or_default();
        let value = written.lines().next().unwrap_or_default().chars().take(60).collect();
        let parts = [place.table, place.entry, place.key];
        let key: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        ProfileError {
            file: self.source.file.to_owned(),
            line: self.source.line(span.start),
            key: key.join("."),
            value,
            rule: rule.into(),
        }
    }

    fn find(&self, place: &Place<'_>) -> Option<&toml::Spanned<DeValue<'_>>> {
        let (_, table) = self.document.iter().find(|(key, _)| key.get_ref() == place.table)?;
        if place.entry.is_empty() {
            return table.get_ref().get(place.key).or(Some(table));
        }
        // The last one: of two entries with one name, the second is the mistake.
        let mut entries = table.get_ref().as_array()?.iter().rev();
        let named = |entry: &&toml::Spanned<DeValue<'_>>| {
            let name = |key| entry.get_ref().get(key).and_then(|value| value.get_ref().as_str());
            name("name") == Some(place.entry) || name("point") == Some(place.entry)
        };
        let entry = entries.find(named)?;
        entry.get_ref().get(place.key).or(Some(entry))
    }
}

const fn same_kind(a: Unit, b: Unit) -> bool {
    match (a, b) {
        (Unit::DegC | Unit::DegF, Unit::DegC | Unit::DegF)
        | (Unit::Percent, Unit::Percent)
        | (Unit::Switch, Unit::Switch)
        | (Unit::Mode, Unit::Mode) => true,
        (Unit::DegC | Unit::DegF | Unit::Percent | Unit::Switch | Unit::Mode, _) => false,
    }
}
