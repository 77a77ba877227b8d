//! A unit of three devices on two buses, for tests alone: peers at the level of bytes. What does not fit
//! in it is a mistake of the test, which ends there.

use std::sync::{Arc, Mutex};

use super::fake::{Fake, Memory, Shared, serve_memories};
use super::profile::Profile;
use super::unit::Line;
use super::{BusSpec, DeviceSpec, RoleSpec, UnitSpec, WiredUnit};
use crate::contract::{Command, Heat, Machine, Reading, Role, Sample};
use crate::units::Celsius;

/// Time-outs of 20 s and readings of 48 s: a peer that answers is never too late, however busy
/// the machine is.
pub(crate) const PATIENT_MS: u64 = 60_000;

pub(crate) const EUROTHERM: &str = include_str!("../../../profiles/devices/eurotherm-3200.toml");
const TH8: &str = include_str!("../../../profiles/devices/icpdas-tm-th8.toml");
const RELAY: &str = include_str!("../../../profiles/devices/relay-generic-8.toml");

pub(crate) fn profile(name: &str, text: &str) -> Arc<Profile> {
    Arc::new(Profile::parse(name, text).unwrap())
}

/// A controller at 62.5 °C in standby, with one decimal and °C.
pub(crate) fn controller() -> Shared {
    let memory = Memory::with(&[
        (3, 1, 625),
        (3, 26, 0),
        (3, 75, 0),
        (3, 199, 1),
        (3, 276, 0),
        (3, 516, 0),
        (3, 525, 1),
    ]);
    Arc::new(Mutex::new(memory))
}

/// Eight thermistors, of which two are used: 62.4 and 62.6 °C.
pub(crate) fn probes() -> Shared {
    let mut memory = Memory::with(&[(4, 0, 624), (4, 1, 626), (1, 266, 1), (1, 268, 1)]);
    (128..136).for_each(|address| memory.set(2, address, 0));
    Arc::new(Mutex::new(memory))
}

/// Eight relays, all open, and eight inputs of which the first is closed: the lid.
pub(crate) fn relays() -> Shared {
    let mut memory = Memory::default();
    (0..8).for_each(|address| {
        memory.set(1, address, 0);
        memory.set(2, address, u16::from(address == 0));
    });
    Arc::new(Mutex::new(memory))
}

pub(crate) struct Bench {
    pub(crate) controller: Shared,
    pub(crate) probes: Shared,
    pub(crate) relays: Shared,
    pub(crate) first: Fake,
    pub(crate) second: Fake,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let (controller, probes, relays) = (controller(), probes(), relays());
        let first = serve_memories(vec![(1, Arc::clone(&controller))]).await;
        let others = vec![(2, Arc::clone(&probes)), (3, Arc::clone(&relays))];
        let second = serve_memories(others).await;
        Self { controller, probes, relays, first, second }
    }

    pub(crate) fn spec(&self, simulated: bool, period_ms: u64) -> UnitSpec {
        spec(&self.first.url(), &self.second.url(), simulated, period_ms)
    }

    pub(crate) async fn unit(&self) -> WiredUnit {
        WiredUnit::connect(self.spec(false, PATIENT_MS)).await.unwrap()
    }
}

pub(crate) fn spec(first: &str, second: &str, simulated: bool, period_ms: u64) -> UnitSpec {
    let bus = |name: &str, url: &str| BusSpec { name: name.into(), url: url.into() };
    let device = |name: &str, profile, bus: &str, address| DeviceSpec {
        name: name.into(),
        profile,
        bus: bus.into(),
        address,
    };
    let role = |role, device: &str, point: &str| RoleSpec {
        role,
        device: device.into(),
        point: point.into(),
    };
    let spec = UnitSpec::new(
        "pasteur",
        simulated,
        1000,
        vec![bus("first", first), bus("second", second)],
        vec![
            device("ctl", profile("eurotherm-3200.toml", EUROTHERM), "first", 1),
            device("probes", profile("icpdas-tm-th8.toml", TH8), "second", 2),
            device("relays", profile("relay-generic-8.toml", RELAY), "second", 3),
        ],
        vec![
            role(Role::Bath, "ctl", "pv"),
            role(Role::Setpoint, "ctl", "remote_setpoint"),
            role(Role::Heater, "ctl", "instrument_mode"),
            role(Role::Milk(0), "probes", "channel_0"),
            role(Role::Milk(1), "probes", "channel_1"),
            role(Role::Lid, "relays", "input_1"),
            role(Role::Agitator, "relays", "relay_1"),
            role(Role::CoolingValve, "relays", "relay_2"),
        ],
    );
    spec.unwrap().with_period(period_ms)
}

/// The same unit with its three devices on one bus: unit ids 1 to 3.
pub(crate) fn on_one_bus(url: &str, simulated: bool) -> UnitSpec {
    let spec = spec(url, url, simulated, 1000);
    let mut devices = spec.devices().to_vec();
    devices.iter_mut().for_each(|device| device.bus = "first".to_owned());
    let (buses, roles) = (spec.buses()[..1].to_vec(), spec.roles().to_vec());
    let spec = UnitSpec::new("pasteur", simulated, 1000, buses, devices, roles);
    spec.unwrap().with_period(PATIENT_MS)
}

/// A unit with a short period and much patience, met and read once.
pub(crate) async fn patient(spec: UnitSpec) -> WiredUnit {
    let mut unit = WiredUnit::unconnected(spec);
    unit.lines_mut().iter_mut().for_each(Line::be_patient);
    unit.read().await;
    unit
}

/// The reading without its ages, which depend on how busy the machine is.
pub(crate) fn ageless(mut reading: Reading) -> Reading {
    let Reading { bath, milk, reference, lid: _, simulated: _ } = &mut reading;
    let probes = milk.iter_mut().chain([reference]).filter_map(Option::as_mut);
    probes.chain([bath]).for_each(|sample| sample.age_ms = 0);
    reading
}

pub(crate) fn good(milli: i32) -> Sample {
    Sample::good(Celsius::from_milli(milli))
}

pub(crate) fn heat(milli: i32) -> Command {
    let heat = Heat::Setpoint(Celsius::from_milli(milli));
    Command { heat, agitator: true, cooling: false }
}

pub(crate) fn writes(memory: &Shared) -> Vec<(u8, u16, u16)> {
    std::mem::take(&mut memory.lock().unwrap().writes)
}

pub(crate) fn forget(memories: &[&Shared]) {
    memories.iter().for_each(|memory| memory.lock().unwrap().writes.clear());
}
