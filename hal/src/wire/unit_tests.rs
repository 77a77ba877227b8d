//! A unit of three devices on two buses, against peers at the level of bytes.

use std::sync::{Arc, Mutex};

use super::fake::{Fake, Memory, Reaction, Shared, serve_memories};
use super::profile::{Profile, Value};
use super::{BusSpec, DeviceSpec, RoleSpec, UnitSpec, WireError, WiredUnit};
use crate::contract::{Command, Heat, Machine, Quality, Reading, Role, Sample};
use crate::units::Celsius;

/// Time-outs of 20 s: no test here waits for one.
const PATIENT_MS: u64 = 10_000;
/// Time-outs of 50 ms, for tests about silence.
const SHORT_MS: u64 = 150;

const EUROTHERM: &str = include_str!("../../../profiles/devices/eurotherm-3200.toml");
const TH8: &str = include_str!("../../../profiles/devices/icpdas-tm-th8.toml");
const RELAY: &str = include_str!("../../../profiles/devices/relay-generic-8.toml");

fn profile(name: &str, text: &str) -> Arc<Profile> {
    Arc::new(Profile::parse(name, text).unwrap())
}

/// A controller at 62.5 °C in standby, with one decimal and °C.
fn controller() -> Shared {
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
fn probes() -> Shared {
    let mut memory = Memory::with(&[(4, 0, 624), (4, 1, 626), (1, 266, 1), (1, 268, 1)]);
    (128..136).for_each(|address| memory.set(2, address, 0));
    Arc::new(Mutex::new(memory))
}

/// Eight relays, all open, and eight inputs of which the first is closed: the lid.
fn relays() -> Shared {
    let mut memory = Memory::default();
    (0..8).for_each(|address| {
        memory.set(1, address, 0);
        memory.set(2, address, u16::from(address == 0));
    });
    Arc::new(Mutex::new(memory))
}

struct Bench {
    controller: Shared,
    probes: Shared,
    relays: Shared,
    first: Fake,
    second: Fake,
}

impl Bench {
    async fn new() -> Self {
        let (controller, probes, relays) = (controller(), probes(), relays());
        let first = serve_memories(vec![(1, Arc::clone(&controller))]).await;
        let others = vec![(2, Arc::clone(&probes)), (3, Arc::clone(&relays))];
        let second = serve_memories(others).await;
        Self { controller, probes, relays, first, second }
    }

    fn spec(&self, simulated: bool, period_ms: u64) -> UnitSpec {
        spec(&self.first.url(), &self.second.url(), simulated, period_ms)
    }

    async fn unit(&self) -> WiredUnit {
        WiredUnit::connect(self.spec(false, PATIENT_MS)).await.unwrap()
    }
}

fn spec(first: &str, second: &str, simulated: bool, period_ms: u64) -> UnitSpec {
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
    UnitSpec::new(
        "pasteur",
        simulated,
        period_ms,
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
    )
    .unwrap()
}

fn good(milli: i32) -> Sample {
    Sample::good(Celsius::from_milli(milli))
}

fn heat(milli: i32) -> Command {
    let heat = Heat::Setpoint(Celsius::from_milli(milli));
    Command { heat, agitator: true, cooling: false }
}

fn writes(memory: &Shared) -> Vec<(u8, u16, u16)> {
    std::mem::take(&mut memory.lock().unwrap().writes)
}

#[tokio::test]
async fn a_reading_has_every_channel_and_no_channel_that_the_unit_lacks() {
    let bench = Bench::new().await;
    let reading = bench.unit().await.read().await;
    let mut expected = Reading::nothing(2, false);
    expected.bath = good(62_500);
    expected.milk[0] = Some(good(62_400));
    expected.milk[1] = Some(good(62_600));
    expected.lid = Some(crate::Switch { on: Some(true), quality: Quality::Good });
    assert_eq!(reading, expected);
}

#[tokio::test]
async fn a_broken_sensor_spoils_its_own_channel_only() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    bench.probes.lock().unwrap().set(2, 129, 1);
    let reading = unit.read().await;
    assert_eq!(reading.milk[0], Some(good(62_400)));
    assert_eq!(reading.milk[1].unwrap().quality, Quality::SensorOpen);
    bench.controller.lock().unwrap().set(3, 75, 1 << 5);
    assert_eq!(unit.read().await.bath.quality, Quality::SensorOpen);
    bench.controller.lock().unwrap().set(3, 75, 1 << 10);
    assert_eq!(unit.read().await.bath.quality, Quality::OutOfRange);
}

#[tokio::test]
async fn heating_gives_the_set_point_first_and_then_the_heat() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_470)).await.unwrap();
    let expected = [(6, 276, 1), (6, 26, 635), (6, 199, 0)];
    assert_eq!(writes(&bench.controller), expected);
    assert_eq!(writes(&bench.relays), [(5, 0, 1), (5, 1, 0)]);
}

#[tokio::test]
async fn what_stands_is_not_written_again() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_470)).await.unwrap();
    (writes(&bench.controller), writes(&bench.relays));
    unit.read().await;
    // The same register value, 63.5: the difference is below what the device can hold.
    unit.write(&heat(63_490)).await.unwrap();
    // The period here is 10 s, so the watchdog of the remote set point is always due.
    assert_eq!(writes(&bench.controller), [(6, 26, 635)]);
    assert_eq!(writes(&bench.relays), []);
}

#[tokio::test]
async fn the_watchdog_is_fed_at_half_its_time() {
    let bench = Bench::new().await;
    let mut unit = WiredUnit::connect(bench.spec(false, 1000)).await.unwrap();
    let mut fed = Vec::new();
    for period in 0..8 {
        unit.read().await;
        unit.write(&heat(63_000)).await.unwrap();
        let addresses: Vec<u16> = writes(&bench.controller).iter().map(|write| write.1).collect();
        if period > 0 {
            fed.push(addresses);
        }
    }
    // 5 s of the profile: every third second, as 2.5 s are past.
    let expected: [&[u16]; 7] = [&[], &[], &[26], &[], &[], &[26], &[]];
    assert_eq!(fed, expected);
}

#[tokio::test]
async fn a_value_that_somebody_changed_at_the_device_is_put_right() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    (writes(&bench.controller), writes(&bench.relays));
    bench.controller.lock().unwrap().set(3, 199, 0);
    bench.relays.lock().unwrap().set(1, 0, 0);
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&bench.controller)[0], (6, 199, 1));
    assert_eq!(writes(&bench.relays), [(5, 0, 1)]);
}

#[tokio::test]
async fn off_is_standby_first_and_then_the_lowest_set_point() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    writes(&bench.controller);
    unit.read().await;
    unit.write(&Command::safe(true)).await.unwrap();
    assert_eq!(writes(&bench.controller), [(6, 199, 1), (6, 26, 0)]);
    assert_eq!(writes(&bench.relays), [(5, 0, 1), (5, 1, 0), (5, 1, 1)]);
}

#[tokio::test]
async fn a_second_off_without_a_reading_in_between_is_written_again() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.write(&Command::safe(false)).await.unwrap();
    writes(&bench.controller);
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&bench.controller)[0], (6, 199, 1));
}

#[tokio::test]
async fn a_write_that_does_not_stick_is_an_error_with_both_values() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    bench.controller.lock().unwrap().stubborn.push(26);
    unit.read().await;
    let error = unit.write(&heat(63_000)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ctl ({}, unit id 1), remote_setpoint: wrote 63.000 °C (0x0276), but read back \
             0.000 °C (0x0000) from remote_setpoint. Is the device in local mode, locked, or \
             limited?",
            bench.first.url()
        )
    );
    // Without its set point the heater is not switched on.
    assert!(!writes(&bench.controller).iter().any(|write| write.1 == 199));
}

#[tokio::test]
async fn a_set_point_beyond_the_profile_is_never_sent() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    let error = unit.write(&heat(120_000)).await.unwrap_err();
    assert!(error.to_string().contains("the profile allows 0.000 to 95.000"), "{error}");
    assert_eq!(writes(&bench.controller), []);
}

#[tokio::test]
async fn a_command_that_the_unit_has_no_means_for_is_refused_and_heat_goes_off() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    writes(&bench.controller);
    unit.read().await;
    let duty = Heat::Duty(crate::Duty::FULL);
    let error = unit.write(&Command { heat: duty, ..heat(0) }).await.unwrap_err();
    assert!(matches!(error, WireError::NoRole { role: Role::Power, .. }), "{error}");
    assert_eq!(writes(&bench.controller), [(6, 199, 1), (6, 26, 0)]);
}

#[tokio::test]
async fn a_dead_device_leaves_the_others_and_off_still_reaches_them() {
    let (probes, relays) = (probes(), relays());
    let controller = controller();
    let device = Arc::clone(&controller);
    let alive = Arc::new(Mutex::new(true));
    let switch = Arc::clone(&alive);
    let second = serve_memories(vec![(3, Arc::clone(&relays)), (2, probes)]).await;
    let first = Fake::start(move |question| match *switch.lock().unwrap() {
        true => Reaction::Answer(device.lock().unwrap().answer(&question.pdu)),
        false => Reaction::HangUp(Vec::new()),
    })
    .await;
    let spec = spec(&first.url(), &second.url(), false, PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    (writes(&controller), writes(&relays));

    *alive.lock().unwrap() = false;
    let reading = unit.read().await;
    assert_eq!(reading.bath, Sample::missing(Quality::Comm));
    assert_eq!(reading.milk[0], Some(good(62_400)));
    assert!(unit.faults()[0].to_string().contains("ctl"), "{:?}", unit.faults());
    let error = unit.write(&Command::safe(true)).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(writes(&relays), [(5, 1, 1)], "the valve follows although the controller is dead");

    // The controller comes back: checked, read, and everything asserted again.
    *alive.lock().unwrap() = true;
    unit.read().await;
    assert_eq!(unit.read().await.bath, good(62_500));
    unit.write(&Command::safe(true)).await.unwrap();
    assert_eq!(writes(&controller), [(6, 199, 1), (6, 26, 0)]);
}

#[tokio::test]
async fn a_device_that_comes_back_with_another_setting_is_not_believed() {
    let (device, probes, relays) = (controller(), probes(), relays());
    let memory = Arc::clone(&device);
    let second = serve_memories(vec![(3, relays), (2, probes)]).await;
    let broken = Arc::new(Mutex::new(false));
    let breaks = Arc::clone(&broken);
    let first = Fake::start(move |question| match std::mem::take(&mut *breaks.lock().unwrap()) {
        true => Reaction::HangUp(Vec::new()),
        false => Reaction::Answer(memory.lock().unwrap().answer(&question.pdu)),
    })
    .await;
    let spec = spec(&first.url(), &second.url(), false, PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    *broken.lock().unwrap() = true;
    unit.read().await;
    device.lock().unwrap().set(3, 516, 1);
    for _ in 0..4 {
        assert_eq!(unit.read().await.bath, Sample::missing(Quality::Comm));
    }
    let fault = unit.faults()[0].to_string();
    assert!(fault.contains("display_units: is 1 (0x0001), and must be 0"), "{fault}");
    // Off needs no trust.
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(device.lock().unwrap().cells[&(3, 199)], 1);
}

#[tokio::test]
async fn a_port_that_nobody_serves_is_not_dialled_in_a_storm() {
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("tcp://{}", dead.local_addr().unwrap());
    drop(dead);
    let bench = Bench::new().await;
    let spec = spec(&bench.first.url(), &url, false, 500);
    let error = WiredUnit::connect(spec.clone()).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("no connection"), "{error}");
    // Seen from inside: attempts in periods 1, 2, 4, 8 and then every fourth (2 s of 500 ms).
    let mut unit = WiredUnit::unconnected(spec);
    let mut attempts = Vec::new();
    for period in 1..=16 {
        let before = unit.lines_mut()[1].bus.back_off.failures();
        unit.read().await;
        let after = unit.lines_mut()[1].bus.back_off.failures();
        assert!(after <= before + 1, "one dial in a period, though two devices are behind it");
        if after > before {
            attempts.push(period);
        }
    }
    assert_eq!(attempts, [1, 2, 4, 8, 12, 16]);
}

#[tokio::test]
async fn a_simulator_is_refused_by_a_unit_that_is_not_marked_so() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().id = format!("{} eurotherm-3200", super::SIMULATOR_MARKER);
    let error = WiredUnit::connect(bench.spec(false, PATIENT_MS)).await.unwrap_err();
    assert!(matches!(error, WireError::SimulatedMachine { .. }), "{error}");
    assert!(error.to_string().contains("simulated = true"), "{error}");
    let mut unit = WiredUnit::connect(bench.spec(true, PATIENT_MS)).await.unwrap();
    assert!(unit.read().await.simulated);
}

#[tokio::test]
async fn a_real_device_may_answer_anything_to_who_are_you_or_nothing() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().id = "EI-BISYNCH 3216".to_owned();
    assert!(!bench.unit().await.read().await.simulated);

    let device = controller();
    let first = Fake::start(move |question| match question.pdu[0] {
        17 => Reaction::Silence,
        _ => Reaction::Answer(device.lock().unwrap().answer(&question.pdu)),
    })
    .await;
    let spec = spec(&first.url(), &bench.second.url(), false, SHORT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    assert_eq!(unit.read().await.bath, good(62_500));
}

#[tokio::test]
async fn a_silent_unit_id_costs_one_time_out_and_is_then_left_alone() {
    let bench = Bench::new().await;
    // The relays have unit id 3; nobody has it here.
    let second = serve_memories(vec![(2, Arc::clone(&bench.probes))]).await;
    let spec = spec(&bench.first.url(), &second.url(), false, SHORT_MS);
    let error = WiredUnit::connect(spec.clone()).await.unwrap_err().to_string();
    assert!(error.contains("relays") && error.contains("no answer within 50 ms"), "{error}");
    let mut unit = WiredUnit::unconnected(spec);
    let reading = unit.read().await;
    assert_eq!(reading.milk[0], Some(good(62_400)));
    assert_eq!(reading.lid.unwrap().quality, Quality::Comm);
}

#[tokio::test]
async fn a_check_reads_everything_and_writes_nothing() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().set(3, 516, 1);
    let lines = WiredUnit::check(bench.spec(false, PATIENT_MS)).await;
    let about = |device: &str, point: &str| {
        let found = lines.iter().find(|line| {
            line.device.as_deref() == Some(device) && line.point.as_deref() == Some(point)
        });
        found.cloned().unwrap()
    };
    let pv = about("ctl", "pv");
    assert_eq!(pv.grade, super::Grade::Good);
    assert_eq!(pv.roles, ["bath"]);
    assert_eq!(pv.text, "process value: temperature of the bath: 62.500 °C (0x0271)");
    let units = about("ctl", "display_units");
    assert_eq!(units.grade, super::Grade::Bad);
    assert!(units.text.contains("set the display units (UNITS) of the controller to °C"));
    // This controller has no upper registers: said, and not fatal to the rest.
    assert!(about("ctl", "pv_float").text.contains("exception 0x02"));
    assert_eq!(about("probes", "channel_1").roles, ["milk-1"]);
    for memory in [&bench.controller, &bench.probes, &bench.relays] {
        assert_eq!(writes(memory), []);
    }
}

#[tokio::test]
async fn one_point_can_be_read_by_name() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    let pv = unit.read_point("ctl", "pv").await.unwrap();
    assert_eq!(pv.value, Some(Value::Temperature(Celsius::from_milli(62_500))));
    let error = unit.read_point("ctl", "pressure").await.unwrap_err();
    assert_eq!(error.to_string(), "unit pasteur has no readable point ctl.pressure");
}
