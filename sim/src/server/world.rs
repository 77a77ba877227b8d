//! The plant with its devices: registers follow the probes, the heater follows the registers.

use holder_hal::wire::SIMULATOR_MARKER;
use holder_hal::wire::profile::Value;
use holder_hal::{Celsius, Command, Duty, Heat, Role};
use tokio_modbus::{ExceptionCode, Request, Response};

use super::commands::Speaker;
use super::device::Device;
use super::layout::Layout;
use super::panel;
use crate::plant::Plant;

/// How finely the watchdogs of devices watch, in milliseconds of the wire.
const WATCH_STEP_MS: u64 = 100;
/// Function code of Report Server ID.
const REPORT_SERVER_ID: u8 = 0x11;

/// By what the heater is driven, which follows from the roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drive {
    /// The machine's own controller follows a set point.
    Setpoint,
    /// A share of full power.
    Power,
    /// A relay, full power or none.
    Relay,
    /// Nothing on the wire drives it: it goes on as it began.
    Untouched(Heat),
}

/// What the devices' actuators are set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    heater: bool,
    setpoint: Celsius,
    power: Duty,
    agitator: bool,
    cooling: bool,
}

impl Settings {
    /// What an actuator's role is set to; `None` for what is only read.
    pub(crate) fn get(&self, role: Role) -> Option<Value> {
        match role {
            Role::Heater => Some(Value::Switch(self.heater)),
            Role::Setpoint => Some(Value::Temperature(self.setpoint)),
            Role::Power => Some(Value::Percent(self.power)),
            Role::Agitator => Some(Value::Switch(self.agitator)),
            Role::CoolingValve => Some(Value::Switch(self.cooling)),
            Role::Bath | Role::Milk(_) | Role::Reference | Role::Lid => None,
        }
    }

    /// Sets an actuator; what is only read stays as it is.
    fn set(&mut self, role: Role, value: Value) {
        match (role, value) {
            (Role::Heater, Value::Switch(on)) => self.heater = on,
            (Role::Setpoint, Value::Temperature(setpoint)) => self.setpoint = setpoint,
            (Role::Power, Value::Percent(power)) => self.power = power,
            (Role::Agitator, Value::Switch(on)) => self.agitator = on,
            (Role::CoolingValve, Value::Switch(on)) => self.cooling = on,
            _ => {}
        }
    }
}

/// One plant, served as several devices.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plant: Plant,
    settings: Settings,
    drive: Drive,
    devices: Vec<(usize, Device)>,
    /// The devices that speak commands.
    speakers: Vec<(usize, Speaker)>,
}

impl World {
    /// Serves `plant`, whose commanded state the registers show from the start.
    pub(crate) fn new(plant: Plant, layout: Layout) -> Self {
        let commanded = plant.commanded();
        let (setpoint, power) = match commanded.heat {
            Heat::Off => (Celsius::from_milli(0), Duty::OFF),
            Heat::Setpoint(setpoint) => (setpoint, Duty::from_share(plant.duty_share())),
            Heat::Duty(duty) => (Celsius::from_milli(0), duty),
        };
        let drive = if layout.has(Role::Setpoint) {
            Drive::Setpoint
        } else if layout.has(Role::Power) {
            Drive::Power
        } else if layout.has(Role::Heater) {
            Drive::Relay
        } else {
            Drive::Untouched(commanded.heat)
        };
        let settings = Settings {
            // Without a switch of its own the heater is always enabled.
            heater: commanded.heats() || !layout.has(Role::Heater),
            setpoint,
            power,
            agitator: commanded.agitator,
            cooling: commanded.cooling,
        };
        let mut world = Self { plant, settings, drive, devices: Vec::new(), speakers: Vec::new() };
        for device in layout.devices {
            match Speaker::new(&device) {
                Some(speaker) => world.speakers.push((device.bus, speaker)),
                None => world.devices.push((device.bus, Device::new(device))),
            }
        }
        if commanded.heats() {
            for (_, speaker) in &mut world.speakers {
                speaker.follow(settings.setpoint, settings.heater);
            }
            for (_, device) in &mut world.devices {
                device.show(&world.plant, &world.settings);
                device.start_following();
            }
        }
        world
    }

    /// Lets `ms` milliseconds of simulated time pass, `speed` times as fast as on the wire: a
    /// watchdog watches the wire. In steps, so that it acts when its time is over.
    pub(crate) fn advance(&mut self, ms: u64, speed: u32) {
        let speed = u64::from(speed.max(1));
        let mut left = ms;
        while left > 0 {
            let step = left.min(WATCH_STEP_MS.saturating_mul(speed));
            self.plant.advance(step);
            for (_, device) in &mut self.devices {
                for (role, value) in device.rest(step / speed) {
                    self.settings.set(role, value);
                }
            }
            self.plant.command(&self.command());
            left -= step;
        }
    }

    /// Answers a request on this bus to this unit id.
    pub(crate) fn answer(
        &mut self,
        bus: usize,
        unit_id: u8,
        request: &Request<'_>,
    ) -> Result<Response, ExceptionCode> {
        let addressed =
            |(on, device): &&mut (usize, Device)| *on == bus && device.unit_id() == unit_id;
        let device = self.devices.iter_mut().find(addressed);
        let is_panel = unit_id == panel::PANEL_UNIT_ID;
        if device.is_none() && !is_panel {
            return Err(ExceptionCode::GatewayTargetDevice);
        }
        if matches!(request, Request::ReportServerId) {
            return Ok(marker(unit_id));
        }
        let Some((_, device)) = device else {
            return panel::answer(&mut self.plant, request);
        };
        device.show(&self.plant, &self.settings);
        let (response, written) = device.answer(request)?;
        for (role, value) in written {
            self.settings.set(role, value);
        }
        self.plant.command(&self.command());
        Ok(response)
    }

    /// How many devices speak commands on this bus.
    pub(crate) fn speakers(&self, bus: usize) -> usize {
        self.speakers.iter().filter(|(on, _)| *on == bus).count()
    }

    /// Lets every device of commands on this bus hear bytes; `heard` has what each of them heard
    /// on this connection and has not understood yet.
    pub(crate) fn hear(&mut self, bus: usize, heard: &mut [Vec<u8>], received: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        let mine = self.speakers.iter_mut().filter(|(on, _)| *on == bus);
        for ((_, speaker), heard) in mine.zip(heard) {
            let (answer, written) = speaker.hear(heard, received, &self.plant);
            answers.extend(answer);
            for (role, value) in written {
                self.settings.set(role, value);
            }
        }
        self.plant.command(&self.command());
        answers
    }

    /// What the actuators together make the machine do.
    fn command(&self) -> Command {
        let Settings { heater, setpoint, power, agitator, cooling } = self.settings;
        let heat = match self.drive {
            Drive::Untouched(heat) => heat,
            Drive::Setpoint | Drive::Power | Drive::Relay if !heater => Heat::Off,
            Drive::Setpoint => Heat::Setpoint(setpoint),
            Drive::Power => Heat::Duty(power),
            Drive::Relay => Heat::Duty(Duty::FULL),
        };
        Command { heat, agitator, cooling }
    }
}

/// The answer to function 17: length, unit id, running, marker. Built by hand because
/// tokio-modbus 0.17.0 counts one byte too few for its own `Response::ReportServerId`, so that
/// the last byte is left over on the wire and spoils the next answer.
fn marker(unit_id: u8) -> Response {
    const RUNNING: u8 = 0xFF;
    let marker = SIMULATOR_MARKER.as_bytes();
    let length = u8::try_from(marker.len() + 2).unwrap_or(u8::MAX);
    let data = [length, unit_id, RUNNING].into_iter().chain(marker.iter().copied()).collect();
    Response::Custom(REPORT_SERVER_ID, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::PlantParams;
    use crate::server::layout::Layout;
    use holder_hal::wire::Profile;
    use std::sync::Arc;

    /// A machine that is driven by power and speaks °F, low word first, as some do.
    const POWER: &str = r#"
        title = "a machine driven by power"
        protocol = "modbus"
        source = "made up"
        verified = "unverified"
        [modbus]
        function_codes = [1, 3, 5, 16]
        report_server_id = true
        [[point]]
        name = "bath"
        usual_role = "bath"
        title = "bath"
        entity = "holding_register"
        address = 10
        data_type = "FLOAT32"
        byte_order = "CDAB"
        unit = "degF"
        convert = "degC"
        range = [0, 100]
        [[point]]
        name = "power"
        usual_role = "power"
        title = "share of full power"
        entity = "holding_register"
        address = 20
        data_type = "UINT16"
        scale = 0.1
        unit = "percent"
        write = { function = 16 }
        verify = { tolerance = 0.1 }
        [[point]]
        name = "heater"
        usual_role = "heater"
        title = "heater enabled"
        entity = "coil"
        address = 0
        unit = "switch"
        write = { function = 5 }
        verify = { tolerance = 0 }
    "#;

    fn world(text: &str, plant: Plant) -> World {
        let profile = Arc::new(Profile::parse("made-up.toml", text).expect("a good profile"));
        let layout = Layout::of_device(&profile, 1, "tcp://127.0.0.1:0").expect("a good unit id");
        World::new(plant, layout)
    }

    #[test]
    fn a_device_of_fahrenheit_with_the_low_word_first_shows_its_own_words() {
        let mut world = world(POWER, Plant::mid_hold(PlantParams::nominal(), 1, 0, 62.5));
        // 62.5 °C is 144.5 °F: words 8000 4310 on a Watlow (its Communications manual).
        let answer = world.answer(0, 1, &Request::ReadHoldingRegisters(10, 2));
        assert_eq!(answer, Ok(Response::ReadHoldingRegisters(vec![0x8000, 0x4310])));
        let half = world.answer(0, 1, &Request::ReadHoldingRegisters(11, 1));
        assert_eq!(half, Ok(Response::ReadHoldingRegisters(vec![0x4310])));
    }

    #[test]
    fn a_machine_driven_by_power_heats_only_while_its_heater_is_enabled() {
        let mut world = world(POWER, Plant::new(PlantParams::nominal(), 1, 0));
        let half_power = Request::WriteMultipleRegisters(20, vec![500].into());
        assert_eq!(world.answer(0, 1, &half_power), Ok(Response::WriteMultipleRegisters(20, 1)));
        world.advance(120_000, 1);
        assert_eq!(world.plant.truth().heater_w, 0.0);
        let enable = Request::WriteSingleCoil(0, true);
        assert_eq!(world.answer(0, 1, &enable), Ok(Response::WriteSingleCoil(0, true)));
        world.advance(120_000, 1);
        assert!((world.plant.truth().heater_w - 3000.0).abs() < 1.0);
        let too_much = Request::WriteMultipleRegisters(20, vec![1001].into());
        assert_eq!(world.answer(0, 1, &too_much), Err(ExceptionCode::IllegalDataValue));
    }
}
