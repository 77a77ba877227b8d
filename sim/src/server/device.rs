//! The registers of one simulated device, laid out by its profile.
//!
//! **Terms.** A *cell* is one address of one table: a word, or a bit as 0 or 1. Cells of
//! points with a role are made new from the plant before each request; the others keep what
//! was written into them.

mod request;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use holder_hal::wire::profile::{Entity, Need, Point, Profile, Raw, Register, Unit, Value, Words};
use holder_hal::{Celsius, Duty, Quality, Role};

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
