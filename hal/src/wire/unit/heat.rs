//! Whether a unit's devices say that they are told to heat: read only, for `unit check`.

use super::super::device::Target;
use super::WiredUnit;
use crate::contract::Role;

impl WiredUnit {
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
