//! Heat, device by device: whether a unit is told to heat, and who took the safe state.

use super::super::device::Target;
use super::super::error::WireError;
use super::super::spec::UnitSpec;
use super::{Step, WiredUnit};
use crate::contract::{Command, Role};

/// What came of telling the safe state to one device that is told anything at all.
#[derive(Clone, Debug)]
pub struct DeviceTold {
    /// Its name in the unit.
    pub device: String,
    /// Whether it confirmed all that it was told; else the first thing that it did not.
    pub confirmed: Result<(), WireError>,
}

impl WiredUnit {
    /// Tells the safe state as [`WiredUnit::tell_safe`], and gives what each device made of it, in the
    /// order of the unit. Those behind a bus that cannot be opened share its error. The cold water valve
    /// stays as it is: nobody has asked the device who it is.
    pub async fn tell_safe_each(spec: UnitSpec) -> Vec<DeviceTold> {
        let mut unit = Self::unconnected(spec);
        let mut stage = Self::safe_stage(unit.all_off(), &Command::safe(false));
        stage.retain(|step| step.safe);
        let mut tried = unit.deliver_each(&stage).await;
        let mut told = Vec::new();
        for (line_index, line) in unit.lines.iter().enumerate() {
            let Some(tried) = tried.get_mut(line_index) else { continue };
            for (index, device) in line.devices.iter().enumerate() {
                let is_its = |step: &&Step| {
                    let seat = unit.seat(step.role);
                    seat.is_some_and(|seat| (seat.line, seat.device) == (line_index, index))
                };
                let wanted = stage.iter().filter(is_its).count();
                if wanted == 0 {
                    continue;
                }
                let own = || tried.iter().filter(|(tried, _)| *tried == index);
                let fault = own().find_map(|(_, delivered)| delivered.clone().err());
                // What was not tried any more was behind a bus that is dead: its last error.
                let is_left = own().count() < wanted;
                let dead = tried.last().and_then(|(_, delivered)| delivered.clone().err());
                let fault = fault.or(dead.filter(|_| is_left));
                let device = device.name.clone();
                told.push(DeviceTold { device, confirmed: fault.map_or(Ok(()), Err) });
            }
        }
        told
    }

    /// Whether the unit is told to heat: its heater is on and its power above nothing, or, where it
    /// has neither, its set point above the one that is off. Beside a heater no set point counts: the
    /// controller may follow another one of its own. `None` if there is no such means, or one cannot be
    /// read and none is off.
    pub(crate) async fn is_told_to_heat(&mut self) -> Option<bool> {
        let (mut is_on, mut is_known) = (None, true);
        for step in self.all_off() {
            let Some(seat) = self.seat(step.role) else { continue };
            if step.role == Role::Setpoint && (is_on.is_some() || !is_known) {
                break;
            }
            let target = Target { point: seat.point, value: step.value, safe: true };
            let Some(line) = self.lines.get_mut(seat.line) else { continue };
            let Some(device) = line.devices.get(seat.device) else { continue };
            match device.is_off(&mut line.bus, target).await {
                Ok(Some(true)) => return Some(false),
                Ok(Some(false)) => is_on = Some(true),
                Ok(None) | Err(_) => is_known = false,
            }
        }
        is_on.filter(|_| is_known)
    }
}
