//! A unit as the station describes it: buses, devices on them, and which point plays which role.
//!
//! A `UnitSpec` exists only when it holds together; the program drives it, the simulator serves
//! the same one.

mod error;
mod independent;

use std::sync::Arc;

pub use error::SpecError;

use super::profile::{Point, Profile, Protocol, Unit};
use super::url::{BusUrl, Framing, Port};
use crate::contract::{MILK_PROBES_MAX, PERIOD_MS_MAX, PERIOD_MS_MIN, Role};

/// One physical port with its wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusSpec {
    /// Name within the unit.
    pub name: String,
    /// Where it is: see [`BusUrl`].
    pub url: String,
}

/// One device on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSpec {
    /// Name within the unit.
    pub name: String,
    /// What kind of device it is.
    pub profile: Arc<Profile>,
    /// Name of its bus.
    pub bus: String,
    /// Its address on the bus. Modbus: its unit id, 1 to 247, or 255 for a device that has its own
    /// TCP socket. Commands: 0 for a device that is alone on its line.
    pub address: u8,
}

/// Which point plays a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSpec {
    /// The role.
    pub role: Role,
    /// Name of the device.
    pub device: String,
    /// Name of the point in the device's profile.
    pub point: String,
}

/// A unit that holds together.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitSpec {
    name: String,
    simulated: bool,
    period_ms: u64,
    buses: Vec<BusSpec>,
    devices: Vec<DeviceSpec>,
    roles: Vec<RoleSpec>,
}

impl UnitSpec {
    /// A unit, checked. `period_ms` is the control period, [`PERIOD_MS_MIN`] to
    /// [`PERIOD_MS_MAX`]; time-outs are a third of it.
    ///
    /// # Errors
    /// The first thing that does not hold together.
    pub fn new(
        name: impl Into<String>,
        simulated: bool,
        period_ms: u64,
        buses: Vec<BusSpec>,
        devices: Vec<DeviceSpec>,
        roles: Vec<RoleSpec>,
    ) -> Result<Self, SpecError> {
        let spec = Self { name: name.into(), simulated, period_ms, buses, devices, roles };
        if !(PERIOD_MS_MIN..=PERIOD_MS_MAX).contains(&period_ms) {
            return Err(SpecError::Period { unit: spec.name, period_ms });
        }
        spec.checked()
    }

    /// The same with a period out of bounds, so that a test can be patient with its peers.
    #[cfg(test)]
    pub(crate) fn with_period(self, period_ms: u64) -> Self {
        Self { period_ms, ..self }
    }

    fn checked(self) -> Result<Self, SpecError> {
        self.check_buses()?;
        self.check_devices()?;
        for (index, role) in self.roles.iter().enumerate() {
            self.check_role(index, role)?;
        }
        self.check_whole()?;
        self.check_independent()?;
        self.check_measurements()?;
        self.check_outputs()?;
        self.check_schedule()?;
        Ok(self)
    }

    /// Its name in the station.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is marked as no real hardware.
    pub const fn simulated(&self) -> bool {
        self.simulated
    }

    /// The control period, in milliseconds.
    pub const fn period_ms(&self) -> u64 {
        self.period_ms
    }

    /// Its buses.
    pub fn buses(&self) -> &[BusSpec] {
        &self.buses
    }

    /// Its devices.
    pub fn devices(&self) -> &[DeviceSpec] {
        &self.devices
    }

    /// Its roles.
    pub fn roles(&self) -> &[RoleSpec] {
        &self.roles
    }

    /// The device of this name.
    pub fn device(&self, name: &str) -> Option<&DeviceSpec> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// Device and point that play `role`, if any do.
    pub fn role(&self, role: Role) -> Option<(&DeviceSpec, &Point)> {
        let given = self.roles.iter().find(|given| given.role == role)?;
        let device = self.device(&given.device)?;
        Some((device, device.profile.point(&given.point)?))
    }

    /// How many milk probes it has.
    pub fn milk_probes(&self) -> usize {
        self.roles.iter().filter(|given| matches!(given.role, Role::Milk(_))).count()
    }

    /// The devices that heat, each once, by their names in the unit.
    pub fn heating_devices(&self) -> impl Iterator<Item = &DeviceSpec> {
        let heats = |device: &&DeviceSpec| {
            self.roles.iter().any(|given| given.role.heats() && given.device == device.name)
        };
        self.devices.iter().filter(heats)
    }

    /// Whether a device that heats has a watchdog that takes the heat away and that this unit
    /// keeps awake: one that is fed by points which it never writes guards nothing.
    pub fn has_stopping_watchdog(&self) -> bool {
        self.heating_devices().any(|device| {
            let writes = |point: &String| {
                let mut roles = self.roles.iter();
                roles.any(|given| given.device == device.name && given.point == *point)
            };
            device.profile.watchdog().is_some_and(|watchdog| {
                let fed = watchdog.fed_by.is_empty() || watchdog.fed_by.iter().any(writes);
                watchdog.stops_heat && fed
            })
        })
    }

    fn check_buses(&self) -> Result<(), SpecError> {
        let unit = || self.name.clone();
        for (index, bus) in self.buses.iter().enumerate() {
            if self.buses.iter().take(index).any(|other| other.name == bus.name) {
                let name = bus.name.clone();
                return Err(SpecError::NameTwice { unit: unit(), kind: "buses", name });
            }
            let refuse = |rule: String| {
                let (bus, url) = (bus.name.clone(), bus.url.clone());
                SpecError::Url { unit: unit(), bus, url, rule }
            };
            let url = BusUrl::parse(&bus.url).map_err(refuse)?;
            if let Some(other) = self.buses.iter().take(index).find(|other| shares(other, &url)) {
                let other = &other.name;
                return Err(refuse(format!(
                    "bus {other} is the same serial port, which one task alone can hold: put the \
                     devices of both on one bus"
                )));
            }
        }
        Ok(())
    }

    fn check_devices(&self) -> Result<(), SpecError> {
        let unit = || self.name.clone();
        for (index, device) in self.devices.iter().enumerate() {
            let mut before = self.devices.iter().take(index);
            if before.clone().any(|other| other.name == device.name) {
                let name = device.name.clone();
                return Err(SpecError::NameTwice { unit: unit(), kind: "devices", name });
            }
            if !self.buses.iter().any(|bus| bus.name == device.bus) {
                let known = self.buses.iter().map(|bus| bus.name.as_str());
                let user = format!("device {}", device.name);
                return Err(self.unknown(user, "bus", &device.bus, known));
            }
            self.check_framing(device)?;
            if let Err(rule) = device.profile.protocol().check_address(device.address) {
                let (device, address) = (device.name.clone(), device.address);
                return Err(SpecError::Address { unit: unit(), device, address, rule });
            }
            let same =
                |other: &&DeviceSpec| other.bus == device.bus && other.address == device.address;
            if let Some(other) = before.find(same) {
                return Err(SpecError::AddressTwice {
                    unit: unit(),
                    first: other.name.clone(),
                    second: device.name.clone(),
                    address: device.address,
                });
            }
        }
        Ok(())
    }

    /// A device speaks one kind of protocol, and its bus must carry it.
    fn check_framing(&self, device: &DeviceSpec) -> Result<(), SpecError> {
        let bus = self.buses.iter().find(|bus| bus.name == device.bus);
        let Some((bus, Ok(url))) = bus.map(|bus| (bus, BusUrl::parse(&bus.url))) else {
            return Ok(());
        };
        let name = &device.name;
        let rule = match (device.profile.protocol(), url.framing) {
            (Protocol::Modbus(_), Framing::ModbusTcp | Framing::ModbusRtu)
            | (Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc, Framing::Commands) => {
                return Ok(());
            }
            (Protocol::Modbus(_), Framing::Commands) => {
                format!("{name} speaks Modbus: write rtu:// or rtu+tcp:// (or tcp://)")
            }
            (
                Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc,
                Framing::ModbusTcp | Framing::ModbusRtu,
            ) => format!("{name} speaks no Modbus: write serial:// or serial+tcp://"),
        };
        let (unit, bus, url) = (self.name.clone(), bus.name.clone(), bus.url.clone());
        Err(SpecError::Url { unit, bus, url, rule })
    }

    fn check_role(&self, index: usize, given: &RoleSpec) -> Result<(), SpecError> {
        if self.roles.iter().take(index).any(|other| other.role == given.role) {
            return Err(SpecError::RoleTwice { unit: self.name.clone(), role: given.role });
        }
        let user = || format!("the role {}", given.role);
        let Some(device) = self.device(&given.device) else {
            let known = self.devices.iter().map(|device| device.name.as_str());
            return Err(self.unknown(user(), "device", &given.device, known));
        };
        let Some(point) = device.profile.point(&given.point) else {
            let known = device.profile.points().iter().map(|point| point.name.as_str());
            return Err(self.unknown(user(), "point", &given.point, known));
        };
        let misfit = |rule: String| SpecError::Misfit {
            unit: self.name.clone(),
            device: given.device.clone(),
            point: given.point.clone(),
            role: given.role,
            rule,
        };
        let kind = demands(given.role);
        if !kind.fits(point.unit) {
            return Err(misfit(format!(
                "it must be {}, and is {}",
                kind.words(),
                point.unit.word()
            )));
        }
        match given.role.is_written() {
            true if point.write.is_none() => {
                Err(misfit("the profile gives no way to write it".into()))
            }
            false if !point.readable => Err(misfit("it is write-only".into())),
            true | false => Ok(()),
        }
    }

    fn check_whole(&self) -> Result<(), SpecError> {
        let incomplete = |rule: String| SpecError::Incomplete { unit: self.name.clone(), rule };
        if self.role(Role::Bath).is_none() {
            return Err(incomplete("no point plays the role bath; a unit always has one".into()));
        }
        let probes = self.milk_probes();
        if probes > MILK_PROBES_MAX {
            return Err(incomplete(format!(
                "has {probes} milk probes; the most is {MILK_PROBES_MAX}"
            )));
        }
        let number = |index: usize| u8::try_from(index).ok().map(Role::Milk);
        if let Some(hole) =
            (0..probes).find(|index| number(*index).and_then(|role| self.role(role)).is_none())
        {
            return Err(incomplete(format!(
                "milk probes are numbered from 0 without holes, and milk-{hole} is missing"
            )));
        }
        let setpoint = self.role(Role::Setpoint);
        if setpoint.is_some() && self.role(Role::Power).is_some() {
            let rule = "has both a setpoint and a power role; a machine is driven by one of them";
            return Err(incomplete(rule.into()));
        }
        let lowers =
            |point: &Point| point.write.as_ref().is_some_and(|write| write.off_value.is_some());
        let can_stop =
            self.role(Role::Heater).is_some() || setpoint.is_none_or(|(_, point)| lowers(point));
        if !can_stop {
            let rule = "nothing can switch the heat off: give it the role heater, or a set point \
                        whose profile has an off_value";
            return Err(incomplete(rule.into()));
        }
        Ok(())
    }

    fn unknown<'a>(
        &self,
        user: String,
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> SpecError {
        let known: Vec<&str> = known.collect();
        let (unit, name, known) = (self.name.clone(), name.to_owned(), known.join(", "));
        SpecError::Unknown { unit, user, kind, name, known }
    }
}

/// Whether `bus` is on the serial port of `url`. A socket can be called twice.
fn shares(bus: &BusSpec, url: &BusUrl) -> bool {
    let serial = |port: &Port| matches!(port, Port::Serial { .. });
    serial(&url.port) && BusUrl::parse(&bus.url).is_ok_and(|other| other.port == url.port)
}

/// What kind of value a role is about.
#[derive(Clone, Copy)]
enum Kind {
    Temperature,
    Percent,
    Switch,
}

impl Kind {
    const fn fits(self, unit: Unit) -> bool {
        match self {
            Self::Temperature => unit.is_temperature(),
            Self::Percent => matches!(unit, Unit::Percent),
            Self::Switch => matches!(unit, Unit::Switch),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Temperature => "a temperature",
            Self::Percent => "a percentage",
            Self::Switch => "a switch",
        }
    }
}

/// What kind of value a role is about.
const fn demands(role: Role) -> Kind {
    match role {
        Role::Bath | Role::Milk(_) | Role::Reference | Role::Setpoint => Kind::Temperature,
        Role::Power => Kind::Percent,
        Role::Lid | Role::Heater | Role::Agitator | Role::CoolingValve => Kind::Switch,
    }
}
