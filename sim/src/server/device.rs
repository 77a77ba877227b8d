//! The registers of one simulated device, laid out by its profile.
//!
//! **Terms.** A *cell* is one address of one table: a word, or a bit as 0 or 1. Cells of
//! points with a role are made new from the plant before each request; the others keep what
//! was written into them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use holder_hal::wire::profile::{
    Entity, Modbus, Need, Point, Profile, Protocol, Raw, Register, Unit, Value, Words,
};
use holder_hal::{Celsius, Duty, Quality, Role};
use tokio_modbus::{ExceptionCode, Request, Response};

use super::layout::DeviceLayout;
use super::world::Settings;
use crate::plant::Plant;

/// What a write set: actuators with their new values.
type Written = Vec<(Role, Value)>;

/// One simulated device.
#[derive(Debug)]
pub(crate) struct Device {
    unit_id: u8,
    profile: Arc<Profile>,
    roles: BTreeMap<String, Role>,
    cells: BTreeMap<(Entity, u16), u16>,
    /// How long nobody has asked it anything, in milliseconds of the wire.
    unasked_ms: u64,
}

impl Device {
    /// A device as it leaves the factory and was set up: everything 0, then the raw values that
    /// the profile wants at start-up.
    pub(crate) fn new(layout: DeviceLayout) -> Self {
        let mut device = Self {
            unit_id: layout.unit_id,
            roles: with_aliases(&layout.profile, layout.roles.into_iter().collect()),
            profile: layout.profile,
            cells: BTreeMap::new(),
            unasked_ms: 0,
        };
        let profile = Arc::clone(&device.profile);
        for at in profile.points().iter().filter_map(Point::register) {
            for offset in 0..at.data_type.span() {
                device.cells.insert((at.entity, at.address.wrapping_add(offset)), 0);
            }
        }
        for point in profile.points().iter().filter(|point| point.unit == Unit::Switch) {
            device.put_value(point, Value::Switch(false));
        }
        let scales = profile.points().iter().filter_map(|point| point.scale_from.as_ref());
        for scale in scales.filter_map(|name| profile.point(name)) {
            if let Ok(one_decimal) = scale.encode_whole(1) {
                device.put(scale, &one_decimal);
            }
        }
        let is_open = |point: &&Point| {
            point.unit.is_temperature()
                && point.write.is_none()
                && !device.roles.contains_key(&point.name)
        };
        let open_inputs: Vec<&Point> = profile.points().iter().filter(is_open).collect();
        for point in open_inputs {
            device.put_open(point);
        }
        for check in profile.checks() {
            let usual = profile.point(&check.point).zip(check.raws.first());
            if let Some((point, Ok(raw))) = usual.map(|(p, raw)| (p, p.encode_whole(*raw))) {
                device.put(point, &raw);
            }
        }
        device
    }

    pub(crate) const fn unit_id(&self) -> u8 {
        self.unit_id
    }

    /// An input without a probe says so, by its sentinel or by its fault switch, if no point
    /// with a probe shares that switch.
    fn put_open(&mut self, point: &Point) {
        let open = point.sentinels.iter().find(|known| known.quality == Quality::SensorOpen);
        if let Some(Ok(raw)) = open.map(|sentinel| point.encode_sentinel(sentinel)) {
            self.put(point, &raw);
        }
        let profile = Arc::clone(&self.profile);
        let in_use = |name: &str| {
            let shares = |other: &&Point| other.faults.iter().any(|fault| fault.point == name);
            profile.points().iter().filter(shares).any(|other| self.roles.contains_key(&other.name))
        };
        let faults = point.faults.iter().filter(|fault| fault.quality == Quality::SensorOpen);
        let free: Vec<&Point> = faults
            .filter(|fault| !in_use(&fault.point))
            .filter_map(|fault| profile.point(&fault.point))
            .collect();
        for switch in free {
            self.put_value(switch, Value::Switch(true));
        }
    }

    /// Makes the cells of all points with a role say what is so now.
    pub(crate) fn show(&mut self, plant: &Plant, settings: &Settings) {
        let profile = Arc::clone(&self.profile);
        for point in profile.points() {
            let value = match self.roles.get(&point.name) {
                Some(role) => sensed(*role, plant).or_else(|| settings.get(*role)),
                // The output that a controller shows is what its heater gets.
                None if point.unit == Unit::Percent && point.write.is_none() => {
                    Some(Value::Percent(Duty::from_share(plant.duty_share())))
                }
                None => None,
            };
            if let Some(value) = value {
                self.put_value(point, value);
            }
        }
    }

    /// Makes the device as one that already follows: what must be set before its actuators can
    /// be written is set, and the points that prove a write say what was written.
    pub(crate) fn start_following(&mut self) {
        let profile = Arc::clone(&self.profile);
        let with_role =
            profile.points().iter().filter(|point| self.roles.contains_key(&point.name));
        // Commands share one register: what one says is overwritten by the next.
        let values: Vec<(&Point, Option<Value>)> =
            with_role.map(|point| (point, self.value(point))).collect();
        for (point, value) in values {
            self.meet_needs(point);
            if let Some(value) = value {
                self.put_value(point, value);
            }
            self.show_readback(point);
        }
    }

    fn meet_needs(&mut self, point: &Point) {
        let profile = Arc::clone(&self.profile);
        for need in point.write.iter().flat_map(|write| &write.needs) {
            let other = profile.point(&need.point);
            if let Some((other, Ok(raw))) = other.map(|other| (other, other.encode_whole(need.raw)))
            {
                self.put(other, &raw);
                self.show_readback(other);
            }
        }
    }

    fn show_readback(&mut self, point: &Point) {
        let profile = Arc::clone(&self.profile);
        let Some(proof) = point.write.as_ref().and_then(|write| profile.point(&write.verify_point))
        else {
            return;
        };
        if proof.name == point.name || self.roles.contains_key(&proof.name) {
            return;
        }
        if let Some(value) = self.value(point) {
            self.put_value(proof, value);
        }
    }

    /// What a point says now.
    fn value(&self, point: &Point) -> Option<Value> {
        self.scaled(point).decode(&self.get(point)).value
    }

    /// The point with the scale that stands in the device now.
    fn scaled<'p>(&self, point: &'p Point) -> Cow<'p, Point> {
        let scale = point.scale_from.as_ref().and_then(|name| self.profile.point(name));
        let decimals = scale.and_then(|scale| scale.raw_whole(&self.get(scale)));
        let scaled = decimals.and_then(|decimals| point.scaled(decimals).ok());
        scaled.map_or(Cow::Borrowed(point), Cow::Owned)
    }

    /// Lets time pass in which nobody asks it anything, and says which actuators its watchdog
    /// set: one that is armed stops the heat when its time is over.
    pub(crate) fn rest(&mut self, ms: u64) -> Written {
        self.unasked_ms = self.unasked_ms.saturating_add(ms);
        let profile = Arc::clone(&self.profile);
        let Some(watchdog) = profile.watchdog() else { return Written::new() };
        let armed = watchdog.armed_by.as_ref().is_some_and(|need| self.is_met(need));
        if !armed || !watchdog.stops_heat || self.unasked_ms <= watchdog.within_ms {
            return Written::new();
        }
        let heats = |point: &&Point| self.roles.get(&point.name) == Some(&Role::Heater);
        let Some(heater) = profile.points().iter().find(heats) else { return Written::new() };
        self.put_value(heater, Value::Switch(false));
        self.show_readback(heater);
        vec![(Role::Heater, Value::Switch(false))]
    }

    /// Answers a request, and says which actuators it set.
    pub(crate) fn answer(
        &mut self,
        request: &Request<'_>,
    ) -> Result<(Response, Written), ExceptionCode> {
        self.unasked_ms = 0;
        let modbus = match self.profile.protocol() {
            Protocol::Modbus(modbus) => modbus,
            // Nothing but Modbus comes here.
            Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc => {
                return Err(ExceptionCode::IllegalFunction);
            }
        };
        if !modbus.function_codes.contains(&request.function_code().value()) {
            return Err(ExceptionCode::IllegalFunction);
        }
        let bits = |words: Vec<u16>| words.into_iter().map(|word| word != 0).collect();
        let response = match request {
            Request::ReadCoils(address, count) => {
                Response::ReadCoils(bits(self.read(Entity::Coil, *address, *count, modbus)?))
            }
            Request::ReadDiscreteInputs(address, count) => {
                let cells = self.read(Entity::DiscreteInput, *address, *count, modbus)?;
                Response::ReadDiscreteInputs(bits(cells))
            }
            Request::ReadHoldingRegisters(address, count) => {
                let cells = self.read(Entity::HoldingRegister, *address, *count, modbus)?;
                Response::ReadHoldingRegisters(cells)
            }
            Request::ReadInputRegisters(address, count) => {
                let cells = self.read(Entity::InputRegister, *address, *count, modbus)?;
                Response::ReadInputRegisters(cells)
            }
            Request::WriteSingleCoil(address, on) => {
                let written = self.write(Entity::Coil, *address, &[u16::from(*on)])?;
                return Ok((Response::WriteSingleCoil(*address, *on), written));
            }
            Request::WriteSingleRegister(address, word) => {
                let written = self.write(Entity::HoldingRegister, *address, &[*word])?;
                return Ok((Response::WriteSingleRegister(*address, *word), written));
            }
            Request::WriteMultipleRegisters(address, words) => {
                let written = self.write(Entity::HoldingRegister, *address, words)?;
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                return Ok((Response::WriteMultipleRegisters(*address, count), written));
            }
            Request::WriteMultipleCoils(..)
            | Request::ReportServerId
            | Request::MaskWriteRegister(..)
            | Request::ReadWriteMultipleRegisters(..)
            | Request::ReadDeviceIdentification(..)
            | Request::Custom(..) => return Err(ExceptionCode::IllegalFunction),
        };
        Ok((response, Vec::new()))
    }

    fn read(
        &self,
        entity: Entity,
        address: u16,
        count: u16,
        modbus: &Modbus,
    ) -> Result<Vec<u16>, ExceptionCode> {
        let most =
            if entity.is_bit() { modbus.bits_per_read_max } else { modbus.words_per_read_max };
        if !(1..=most).contains(&count) {
            return Err(ExceptionCode::IllegalDataValue);
        }
        let end = address.checked_add(count - 1).ok_or(ExceptionCode::IllegalDataAddress)?;
        (address..=end)
            .map(|at| {
                let readable = points_at(&self.profile, entity, at).any(|point| point.readable);
                let cell = self.cells.get(&(entity, at)).filter(|_| readable);
                cell.copied().ok_or(ExceptionCode::IllegalDataAddress)
            })
            .collect()
    }

    /// Writes cells if every one of them may be written, and nothing otherwise.
    fn write(
        &mut self,
        entity: Entity,
        address: u16,
        words: &[u16],
    ) -> Result<Written, ExceptionCode> {
        let before = self.cells.clone();
        let written = self.try_write(entity, address, words);
        if written.is_err() {
            self.cells = before;
        }
        written
    }

    fn try_write(
        &mut self,
        entity: Entity,
        address: u16,
        words: &[u16],
    ) -> Result<Written, ExceptionCode> {
        let profile = Arc::clone(&self.profile);
        let mut touched: Vec<&str> = Vec::new();
        for (offset, word) in (0_u16..).zip(words) {
            let at = address.checked_add(offset).ok_or(ExceptionCode::IllegalDataAddress)?;
            self.cells.insert((entity, at), *word);
            let writable: Vec<&Point> =
                points_at(&profile, entity, at).filter(|point| point.write.is_some()).collect();
            if writable.is_empty() {
                return Err(ExceptionCode::IllegalDataAddress);
            }
            // One register may take several commands: the number says which is meant.
            let meant = |point: &&&Point| point.readable || self.value(point).is_some();
            let before = touched.len();
            touched.extend(writable.iter().filter(meant).map(|point| point.name.as_str()));
            if touched.len() == before {
                return Err(ExceptionCode::IllegalDataValue);
            }
        }
        let mut written = Written::new();
        for point in profile.points() {
            let cells = touched.iter().filter(|name| **name == point.name).count();
            if cells == 0 {
                continue;
            }
            // Half of a two-word value is no value.
            if cells != point.register().map_or(0, |at| usize::from(at.data_type.span())) {
                return Err(ExceptionCode::IllegalDataValue);
            }
            if let Some(value) = self.accept(point)? {
                written.extend(self.roles.get(&point.name).map(|role| (*role, value)));
                self.show_readback(point);
            }
        }
        Ok(written)
    }

    /// Checks a point that was just written as the device would.
    fn accept(&self, point: &Point) -> Result<Option<Value>, ExceptionCode> {
        let needs = point.write.iter().flat_map(|write| &write.needs);
        if !needs.into_iter().all(|need| self.is_met(need)) {
            return Err(ExceptionCode::ServerDeviceFailure);
        }
        let decoded = self.scaled(point).decode(&self.get(point));
        match decoded.quality {
            Quality::Good => Ok(decoded.value),
            Quality::Stale
            | Quality::OutOfRange
            | Quality::SensorOpen
            | Quality::Comm
            | Quality::Disagrees => Err(ExceptionCode::IllegalDataValue),
        }
    }

    /// Whether what another write needs is so, as the point that proves it says.
    fn is_met(&self, need: &Need) -> bool {
        let profile = &self.profile;
        let Some(point) = profile.point(&need.point) else { return false };
        let Some(write) = &point.write else { return false };
        let proof = profile.point(&write.verify_point).unwrap_or(point);
        let wanted = point.encode_whole(need.raw).ok().and_then(|raw| point.decode(&raw).value);
        wanted.is_some() && self.value(proof) == wanted
    }

    fn get(&self, point: &Point) -> Raw {
        let Some(register) = point.register() else { return Raw::Words(Words::new()) };
        let cell = |offset: u16| {
            let at = register.address.wrapping_add(offset);
            self.cells.get(&(register.entity, at)).copied().unwrap_or(0)
        };
        if register.entity.is_bit() {
            Raw::Bit(cell(0) != 0)
        } else {
            Raw::Words((0..register.data_type.span()).map(cell).collect())
        }
    }

    /// A value that the point cannot hold leaves it as it is.
    fn put_value(&mut self, point: &Point, value: Value) {
        if let Ok(raw) = self.scaled(point).encode(value) {
            self.put(point, &raw);
        }
    }

    fn put(&mut self, point: &Point, raw: &Raw) {
        let words = match raw {
            Raw::Bit(on) => vec![u16::from(*on)],
            Raw::Words(words) => words.to_vec(),
            Raw::Text(_) | Raw::Bytes(_) => return,
        };
        let Some(Register { entity, address, .. }) = point.register() else { return };
        let mask = if entity.is_bit() { 1 } else { point.mask() };
        for (offset, word) in (0_u16..).zip(words) {
            let at = (*entity, address.wrapping_add(offset));
            let cell = self.cells.entry(at).or_insert(0);
            *cell = (*cell & !mask) | (word & mask);
        }
    }
}

/// Adds the other faces of what has a role: a point whose usual role is the one that another
/// point of the device plays as its own usual role shows the same (a value as word and float).
fn with_aliases(profile: &Profile, mut roles: BTreeMap<String, Role>) -> BTreeMap<String, Role> {
    let usual = |point: &&Point| roles.get(&point.name).copied() == point.usual_role;
    let played: Vec<Role> =
        profile.points().iter().filter(usual).filter_map(|point| point.usual_role).collect();
    for point in profile.points() {
        if let Some(role) = point.usual_role.filter(|role| played.contains(role)) {
            roles.entry(point.name.clone()).or_insert(role);
        }
    }
    roles
}

/// The points that a cell belongs to: several if they are bits of one word.
fn points_at(profile: &Profile, entity: Entity, address: u16) -> impl Iterator<Item = &Point> {
    let holds = move |at: &Register| {
        let offset = address.checked_sub(at.address);
        at.entity == entity && offset.is_some_and(|n| n < at.data_type.span())
    };
    profile.points().iter().filter(move |point| point.register().is_some_and(holds))
}

/// What a role that is read says now; `None` for actuators.
fn sensed(role: Role, plant: &Plant) -> Option<Value> {
    let temperature = |value_c: f64| Celsius::from_f64(value_c).map(Value::Temperature);
    match role {
        Role::Bath => temperature(plant.bath_probe_c()),
        Role::Milk(index) => plant.milk_probe_c(index.into()).and_then(temperature),
        Role::Reference => temperature(plant.reference_probe_c()),
        Role::Lid => Some(Value::Switch(plant.lid_closed())),
        Role::Heater | Role::Setpoint | Role::Power | Role::Agitator | Role::CoolingValve => None,
    }
}
