//! A unit on its wires: every bus with its devices, driven as one machine.
//!
//! Buses work side by side, the devices of one bus one after the other. Reading never fails as a
//! whole, and is over within the control period: what does not answer, or not in time, leaves
//! `Comm` on its channels. Of a command, what belongs to the safe state (heat away, agitator on)
//! goes first and is tried everywhere; what brings heat goes last, and only if all that it rests
//! on has arrived.

mod heat;
mod line;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::bus::Bus;
use super::capture::Capture;
use super::device::{Device, Owner, Target};
use super::error::WireError;
use super::polled::{polled, roles};
use super::port::Record;
use super::profile::{Decoded, Value};
use super::spec::UnitSpec;
use super::timer::Moment;
use super::url::BusUrl;
use crate::contract::{Command, Heat, Machine, Quality, Reading, Role, Sample, Switch};
use crate::units::Duty;

pub use heat::DeviceTold;
pub(crate) use line::Line;

/// A time-out is this part of the control period (DEVICES, section C).
pub(crate) const TIMEOUTS_PER_PERIOD: u64 = 3;

/// The part of the control period that a reading may take, in tenths: the rest is for the
/// command.
pub(crate) const READING_TENTHS: u64 = 8;

/// Where the point of a role is.
#[derive(Clone, Copy)]
struct Seat {
    role: Role,
    line: usize,
    device: usize,
    point: usize,
}

/// A unit on its wires.
pub struct WiredUnit {
    spec: UnitSpec,
    lines: Vec<Line>,
    seats: Vec<Seat>,
}

impl core::fmt::Debug for WiredUnit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WiredUnit").field("spec", &self.spec.name()).finish_non_exhaustive()
    }
}

impl WiredUnit {
    /// Connects every bus, asks every device who it is, makes its start-up checks and reads it
    /// once. Writes nothing.
    ///
    /// # Errors
    /// What did not answer, is not set up as its profile needs, or is a simulator although the
    /// unit is not marked so.
    pub async fn connect(spec: UnitSpec) -> Result<Self, WireError> {
        Self::connect_heard(spec, None).await
    }

    /// The same, with all that goes over its wires kept in `capture`.
    ///
    /// # Errors
    /// As [`WiredUnit::connect`].
    pub async fn connect_heard(
        spec: UnitSpec,
        capture: Option<Capture>,
    ) -> Result<Self, WireError> {
        let mut unit = Self::unconnected(spec);
        unit.keep(capture);
        let met = join_all(unit.lines.iter_mut().map(Line::meet)).await;
        let errors: Vec<WireError> = met.into_iter().filter_map(Result::err).collect();
        WireError::from_many(errors).map_or(Ok(unit), Err)
    }

    /// Tells the safe state to all of a unit that answers, without asking first who it is: for a
    /// machine that may still be heating, and of which a part cannot be met.
    ///
    /// # Errors
    /// Which parts did not confirm it.
    pub async fn tell_safe(spec: UnitSpec, cooling: bool) -> Result<(), WireError> {
        Self::unconnected(spec).write(&Command::safe(cooling)).await
    }

    /// The unit before anything was sent.
    pub(crate) fn unconnected(spec: UnitSpec) -> Self {
        let owner = Owner {
            unit: spec.name().to_owned(),
            simulated: spec.simulated(),
            period_ms: spec.period_ms(),
        };
        let mut lines = Vec::new();
        let mut seats = Vec::new();
        for bus in spec.buses() {
            // The spec was checked: its urls parse.
            let Ok(url) = BusUrl::parse(&bus.url) else { continue };
            let members = || spec.devices().iter().filter(|device| device.bus == bus.name);
            let timeout = Duration::from_millis(spec.period_ms() / TIMEOUTS_PER_PERIOD);
            let mut bus_line = Bus::new(url, spec.period_ms(), timeout);
            members().for_each(|member| bus_line.know(member.address, member.profile.timing()));
            let mut devices = Vec::new();
            for member in members() {
                let polled = polled(&spec, &member.name, &member.profile);
                for (role, point) in roles(&spec, &member.name, &member.profile) {
                    seats.push(Seat { role, line: lines.len(), device: devices.len(), point });
                }
                devices.push(Device::new(member, &bus.url, owner.clone(), &polled));
            }
            let reading_ms = spec.period_ms() * READING_TENTHS / 10;
            lines.push(Line { bus: bus_line, devices, reading_ms });
        }
        Self { spec, lines, seats }
    }

    /// Keeps what goes over the wires from now on; of those not opened yet.
    pub(crate) fn keep(&mut self, capture: Option<Capture>) {
        let Some(capture) = capture else { return };
        for (line, bus) in self.lines.iter_mut().zip(self.spec.buses()) {
            line.bus.keep(Record { bus: bus.name.as_str().into(), capture: capture.clone() });
        }
    }

    /// What the unit is made of.
    pub const fn spec(&self) -> &UnitSpec {
        &self.spec
    }

    /// Whether the unit is marked simulated, or a device said that it is a simulator.
    pub fn simulated(&self) -> bool {
        self.spec.simulated() || self.devices().any(|device| device.heard_marker)
    }

    /// Why devices do not answer as they should, as of the last reading: one error per device.
    pub fn faults(&self) -> Vec<&WireError> {
        self.devices().filter_map(|device| device.fault.as_ref()).collect()
    }

    fn devices(&self) -> impl Iterator<Item = &Device> {
        self.lines.iter().flat_map(|line| line.devices.iter())
    }

    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// Reads one point now, whether a role uses it or not.
    ///
    /// # Errors
    /// `NoPoint` if there is none of this name that can be read, else how the question failed.
    pub async fn read_point(&mut self, device: &str, point: &str) -> Result<Decoded, WireError> {
        let name = format!("{device}.{point}");
        let no_point = WireError::NoPoint { unit: self.spec.name().to_owned(), name };
        for line in &mut self.lines {
            let Some(found) = line.devices.iter().find(|other| other.name == device) else {
                continue;
            };
            let profile = Arc::clone(&found.profile);
            let Some(point) = profile.point(point).filter(|point| point.readable) else { break };
            let (_, decoded) = found.read_value(&mut line.bus, point).await?;
            return Ok(decoded);
        }
        Err(no_point)
    }

    fn seat(&self, role: Role) -> Option<Seat> {
        self.seats.iter().copied().find(|seat| seat.role == role)
    }

    /// What the last poll says of a role's point, and how old that is in milliseconds.
    fn decoded(&self, seat: Seat, now: Moment) -> Option<(Decoded, u32)> {
        let device = self.lines.get(seat.line)?.devices.get(seat.device)?;
        let (mut decoded, age_ms) = (device.polled(seat.point), device.age_ms(seat.point, now));
        if decoded.quality == Quality::Good && u64::from(age_ms) > self.spec.period_ms() {
            decoded.quality = Quality::Stale;
        }
        Some((decoded, age_ms))
    }

    fn sample(&self, seat: Seat, now: Moment) -> Option<Sample> {
        let (decoded, age_ms) = self.decoded(seat, now)?;
        let raw = match decoded.value {
            Some(Value::Temperature(celsius)) => Some(celsius),
            Some(Value::Percent(_) | Value::Switch(_) | Value::Mode(_)) | None => None,
        };
        let quality = match raw {
            None if decoded.quality == Quality::Good => Quality::Comm,
            Some(_) | None => decoded.quality,
        };
        Some(Sample { raw, age_ms, quality })
    }

    fn switch(&self, seat: Seat, now: Moment) -> Option<Switch> {
        let (decoded, _) = self.decoded(seat, now)?;
        let on = match decoded.value {
            Some(Value::Switch(on)) => Some(on),
            Some(Value::Temperature(_) | Value::Percent(_) | Value::Mode(_)) | None => None,
        };
        Some(Switch { on, quality: decoded.quality })
    }

    fn reading(&self, now: Moment) -> Reading {
        let mut reading = Reading::nothing(self.spec.milk_probes(), self.simulated());
        for seat in self.seats.iter().copied() {
            match seat.role {
                Role::Bath => reading.bath = self.sample(seat, now).unwrap_or(reading.bath),
                Role::Milk(index) => {
                    if let Some(probe) = reading.milk.get_mut(usize::from(index)) {
                        *probe = self.sample(seat, now);
                    }
                }
                Role::Reference => reading.reference = self.sample(seat, now),
                Role::Lid => reading.lid = self.switch(seat, now),
                Role::Setpoint
                | Role::Power
                | Role::Heater
                | Role::Agitator
                | Role::CoolingValve => {}
            }
        }
        reading
    }

    /// Delivers one stage of a command, the buses side by side; what did not arrive.
    async fn deliver(&mut self, stage: &[Step]) -> Vec<WireError> {
        let tried = self.deliver_each(stage).await.into_iter().flatten();
        tried.filter_map(|(_, delivered)| delivered.err()).collect()
    }

    /// The same, with what came of each part that was tried: by line, with its device.
    async fn deliver_each(&mut self, stage: &[Step]) -> Vec<Vec<(usize, Result<(), WireError>)>> {
        let mut targets: Vec<Vec<(usize, Target)>> = vec![Vec::new(); self.lines.len()];
        for step in stage {
            let Some(seat) = self.seat(step.role) else { continue };
            let target = Target { point: seat.point, value: step.value, safe: step.safe };
            if let Some(line) = targets.get_mut(seat.line) {
                line.push((seat.device, target));
            }
        }
        let work = self.lines.iter_mut().zip(targets).map(|(line, targets)| line.deliver(targets));
        join_all(work).await
    }

    /// The means of this unit for `heat`: what is off, what gives the strength, what enables.
    fn plan(&self, heat: Heat) -> Result<Plan, WireError> {
        let missing = |role| WireError::NoRole { unit: self.spec.name().to_owned(), role };
        match heat {
            Heat::Off => Ok(Plan { off: self.all_off(), strength: None }),
            Heat::Setpoint(celsius) => match self.seat(Role::Setpoint) {
                Some(_) => Ok(Plan::heating(Role::Setpoint, Value::Temperature(celsius))),
                None => Err(missing(Role::Setpoint)),
            },
            Heat::Duty(duty) => match self.seat(Role::Power) {
                Some(_) if duty == Duty::OFF => {
                    let off = vec![Step::off(Role::Power, Value::Percent(duty))];
                    Ok(Plan { off, strength: None })
                }
                Some(_) => Ok(Plan::heating(Role::Power, Value::Percent(duty))),
                None => Err(missing(Role::Power)),
            },
        }
    }

    /// What goes first: `off`, then agitator and valve.
    fn safe_stage(mut off: Vec<Step>, command: &Command) -> Vec<Step> {
        off.push(Step::agitator(command.agitator));
        off.push(Step::other(Role::CoolingValve, Value::Switch(command.cooling)));
        off
    }

    /// Every means to take heat away, the strongest first.
    fn all_off(&self) -> Vec<Step> {
        let mut off = vec![
            Step::off(Role::Heater, Value::Switch(false)),
            Step::off(Role::Power, Value::Percent(Duty::OFF)),
        ];
        let low = self.spec.role(Role::Setpoint).and_then(|(_, point)| point.write.as_ref());
        if let Some(celsius) = low.and_then(|write| write.off_value) {
            off.push(Step::off(Role::Setpoint, Value::Temperature(celsius)));
        }
        off
    }
}

/// One part of a command.
#[derive(Clone, Copy)]
struct Step {
    role: Role,
    value: Value,
    /// It belongs to the safe state, so nothing may keep it from being tried.
    safe: bool,
}

impl Step {
    const fn off(role: Role, value: Value) -> Self {
        Self { role, value, safe: true }
    }

    const fn other(role: Role, value: Value) -> Self {
        Self { role, value, safe: false }
    }

    /// On is the safe state of an agitator.
    const fn agitator(on: bool) -> Self {
        Self { role: Role::Agitator, value: Value::Switch(on), safe: on }
    }
}

/// How a command about heat is carried out: what takes heat away, and what gives its strength.
struct Plan {
    off: Vec<Step>,
    strength: Option<Step>,
}

impl Plan {
    const fn heating(role: Role, value: Value) -> Self {
        Self { off: Vec::new(), strength: Some(Step::other(role, value)) }
    }
}

impl Machine for WiredUnit {
    type Error = WireError;

    async fn read(&mut self) -> Reading {
        // Nearly every unit has one bus: nothing to join, and no memory of its own for that.
        match self.lines.as_mut_slice() {
            [only] => only.poll().await,
            lines => drop(join_all(lines.iter_mut().map(Line::poll)).await),
        }
        self.reading(Moment::now())
    }

    async fn write(&mut self, command: &Command) -> Result<(), WireError> {
        let (plan, refusal) = match self.plan(command.heat) {
            Ok(plan) => (plan, None),
            Err(error) => (Plan { off: self.all_off(), strength: None }, Some(error)),
        };
        let first = Self::safe_stage(plan.off, command);
        let mut errors: Vec<WireError> = refusal.into_iter().collect();
        errors.extend(self.deliver(&first).await);
        if let Some(strength) = plan.strength {
            let failed = self.deliver(&[strength]).await;
            if failed.is_empty() {
                let enable = Step::other(Role::Heater, Value::Switch(true));
                errors.extend(self.deliver(&[enable]).await);
            }
            errors.extend(failed);
        }
        WireError::from_many(errors).map_or(Ok(()), Err)
    }
}
