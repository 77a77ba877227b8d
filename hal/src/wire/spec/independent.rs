//! One value measures one thing: a probe that is compared with itself always agrees; and what this
//! program sets measures nothing, and obeys one role alone.
//!
//! Values are compared by where they are read (socket, unit id, table, addresses) and by the
//! profile's `same_as`, so that a second name or register, a second device or a second bus for
//! one socket hides nothing.

use super::{DeviceSpec, RoleSpec, SpecError, UnitSpec};
use crate::contract::Role;
use crate::wire::profile::{Access, Point};
use crate::wire::url::{BusUrl, Port};

impl UnitSpec {
    pub(super) fn check_independent(&self) -> Result<(), SpecError> {
        let probes: Vec<(&RoleSpec, &DeviceSpec, &Point)> = self
            .roles
            .iter()
            .filter(|given| measures(given.role))
            .filter_map(|given| self.role(given.role).map(|(device, point)| (given, device, point)))
            .collect();
        for (index, (given, device, point)) in probes.iter().enumerate() {
            let same = |(_, other_device, other_point): &&(&RoleSpec, &DeviceSpec, &Point)| {
                let registers = other_point.at.overlaps(&point.at)
                    || one_value((other_device, other_point), (device, point));
                self.is_one_device(other_device, device) && registers
            };
            if let Some((other, ..)) = probes.iter().take(index).find(same) {
                return Err(self.one_probe_twice(other, given));
            }
        }
        Ok(())
    }

    /// Two roles that write one point undo each other: an agitator that is on in the safe state
    /// would switch a heater of the same point on again.
    pub(super) fn check_outputs(&self) -> Result<(), SpecError> {
        let outputs: Vec<(&RoleSpec, &DeviceSpec, &Point)> = self
            .roles
            .iter()
            .filter(|given| given.role.is_written())
            .filter_map(|given| self.role(given.role).map(|(device, point)| (given, device, point)))
            .collect();
        for (index, (given, device, point)) in outputs.iter().enumerate() {
            let same = |(_, other_device, other): &&(&RoleSpec, &DeviceSpec, &Point)| {
                self.is_one_device(other_device, device) && is_one_output(other, point)
            };
            if let Some((other, ..)) = outputs.iter().take(index).find(same) {
                let rule = format!(
                    "the role {} writes the same point, and the two would undo each other. Give \
                     each its own output",
                    other.role
                );
                return Err(self.misfit(given, rule));
            }
        }
        Ok(())
    }

    /// What is set always shows what was set, whatever the milk does.
    pub(super) fn check_measurements(&self) -> Result<(), SpecError> {
        for given in self.roles.iter().filter(|given| !given.role.is_written()) {
            let Some((device, point)) = self.role(given.role) else { continue };
            let mut settings = device.profile.points().iter().filter(|other| other.write.is_some());
            let shows = |setting: &&Point| {
                let proof = setting.write.as_ref().map(|write| &write.verify_point);
                setting.name == point.name || proof == Some(&point.name)
            };
            if let Some(setting) = settings.find(shows) {
                let rule = format!(
                    "it shows what was written to {}, and measures nothing. Name the point of a \
                     probe or of an input",
                    setting.name
                );
                return Err(self.misfit(given, rule));
            }
        }
        Ok(())
    }

    fn misfit(&self, given: &RoleSpec, rule: String) -> SpecError {
        SpecError::Misfit {
            unit: self.name.clone(),
            device: given.device.clone(),
            point: given.point.clone(),
            role: given.role,
            rule,
        }
    }

    /// Whether two devices are one box: by name, or because both names lead to it.
    fn is_one_device(&self, first: &DeviceSpec, second: &DeviceSpec) -> bool {
        let socket = |device: &DeviceSpec| {
            let bus = self.buses.iter().find(|bus| bus.name == device.bus)?;
            let mut port = BusUrl::parse(&bus.url).ok()?.port;
            if let Port::Socket { host, .. } = &mut port {
                host.make_ascii_lowercase();
            }
            Some(port)
        };
        first.name == second.name
            || (first.address == second.address && socket(first) == socket(second))
    }

    fn one_probe_twice(&self, first: &RoleSpec, second: &RoleSpec) -> SpecError {
        let name = |given: &RoleSpec| format!("{}.{}", given.device, given.point);
        let place = if name(first) == name(second) {
            name(first)
        } else {
            format!("{} is {} by another name", name(second), name(first))
        };
        let (unit, first, second) = (self.name.clone(), first.role, second.role);
        SpecError::OneProbeTwice { unit, first, second, place }
    }
}

/// Whether two points of one device are one output. The items of one NESLAB message are not.
fn is_one_output(first: &Point, second: &Point) -> bool {
    let framed = matches!(first.at, Access::NeslabNc(_));
    first.name == second.name || (!framed && first.at.overlaps(&second.at))
}

/// Whether a role is a measurement that others are checked against.
const fn measures(role: Role) -> bool {
    match role {
        Role::Bath | Role::Milk(_) | Role::Reference => true,
        Role::Lid
        | Role::Heater
        | Role::Setpoint
        | Role::Power
        | Role::Agitator
        | Role::CoolingValve => false,
    }
}

/// Whether a profile says that two points of it are one measurement in two registers.
fn one_value(first: (&DeviceSpec, &Point), second: (&DeviceSpec, &Point)) -> bool {
    let origin = |(device, point): (&DeviceSpec, &Point)| {
        let name = point.same_as.clone().unwrap_or_else(|| point.name.clone());
        (device.profile.name().to_owned(), name)
    };
    origin(first) == origin(second)
}
