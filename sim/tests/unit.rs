//! One plant served as three devices, driven through the real client of `holder-hal`.

#![allow(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use holder_hal::wire::profile::{Profile, Value};
use holder_hal::wire::{BusSpec, DeviceSpec, RoleSpec, UnitSpec, WiredUnit};
use holder_hal::{Celsius, Command, Heat, Machine, Role};
use holder_sim::{Pace, Place, PlantParams, SimOptions, SimServer, Start, Wiring};

const EUROTHERM: &str = include_str!("../../profiles/devices/eurotherm-3200.toml");
const TH8: &str = include_str!("../../profiles/devices/icpdas-tm-th8.toml");
const RELAY: &str = include_str!("../../profiles/devices/relay-generic-8.toml");

/// Panel and probes on buses of their own, over Modbus TCP.
fn unit(simulated: bool) -> UnitSpec {
    let buses = [("panel", "tcp://127.0.0.1:1"), ("probes", "tcp://127.0.0.1:2")];
    unit_on(simulated, &buses, 1)
}

/// The same on one serial line, where each device needs a unit id of its own.
fn unit_on_a_line() -> UnitSpec {
    unit_on(true, &[("line", "rtu:///dev/holder-test?baud=115200&parity=even")], 3)
}

fn unit_on(simulated: bool, buses: &[(&str, &str)], bottles: u8) -> UnitSpec {
    let (panel, _) = buses[0];
    let (probes, _) = buses[buses.len() - 1];
    let device = |name: &str, text: &str, bus: &str, address: u8| DeviceSpec {
        name: name.to_owned(),
        profile: Arc::new(Profile::parse(name, text).expect("a shipped profile")),
        bus: bus.to_owned(),
        address,
    };
    let role = |role, device: &str, point: &str| RoleSpec {
        role,
        device: device.to_owned(),
        point: point.to_owned(),
    };
    let bus =
        |(name, url): &(&str, &str)| BusSpec { name: (*name).to_owned(), url: (*url).to_owned() };
    UnitSpec::new(
        "past-1",
        simulated,
        1000,
        buses.iter().map(bus).collect(),
        vec![
            device("controller", EUROTHERM, panel, 1),
            device("relays", RELAY, panel, 2),
            device("bottles", TH8, probes, bottles),
        ],
        vec![
            role(Role::Bath, "controller", "pv"),
            role(Role::Setpoint, "controller", "remote_setpoint"),
            role(Role::Heater, "controller", "instrument_mode"),
            role(Role::Agitator, "relays", "relay_1"),
            role(Role::CoolingValve, "relays", "relay_2"),
            role(Role::Lid, "relays", "input_1"),
            role(Role::Milk(0), "bottles", "channel_0"),
            role(Role::Milk(1), "bottles", "channel_1"),
            role(Role::Reference, "bottles", "channel_2"),
        ],
    )
    .expect("the unit holds together")
}

async fn served(start: Start) -> (SimServer, UnitSpec) {
    let spec = unit(true);
    let anywhere = "127.0.0.1:0".parse().ok();
    let options = SimOptions { listen: anywhere, load: None, pace: Pace::Lockstep, start };
    let server = SimServer::start(&spec, PlantParams::nominal(), 1, options)
        .await
        .expect("the system has free ports");
    let spec = server.as_served(&spec).expect("the same unit at other ports");
    (server, spec)
}

#[tokio::test]
async fn a_unit_reads_every_channel_of_the_plant() {
    let (server, spec) = served(Start::MidHold).await;
    let mut unit = WiredUnit::connect(spec).await.expect("everything answers");
    let reading = unit.read().await;
    let half = Some(Celsius::from_milli(62_500));
    assert_eq!(reading.bath.trusted(), half);
    assert_eq!(reading.milk[0].and_then(|sample| sample.trusted()), half);
    assert_eq!(reading.milk[1].and_then(|sample| sample.trusted()), half);
    assert_eq!(reading.milk[2], None);
    assert_eq!(reading.reference.and_then(|sample| sample.trusted()), half);
    assert_eq!(reading.lid.and_then(|lid| lid.on), Some(true));
    assert!(reading.simulated);
    assert!(unit.faults().is_empty());
    let fault = unit.read_point("bottles", "fault_3").await.expect("the module answers");
    assert_eq!(fault.value, Some(Value::Switch(true)), "channel 3 has no probe");
    server.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn three_devices_on_one_serial_line_are_read_over_a_pty() {
    let spec = unit_on_a_line();
    let start = Start::MidHold;
    let options = SimOptions { listen: None, load: None, pace: Pace::Lockstep, start };
    let places = BTreeMap::from([("line".to_owned(), Place::Pty(None))]);
    let wiring = Wiring { places, ..Wiring::default() };
    let server = SimServer::start_wired(&spec, PlantParams::nominal(), 1, options, wiring).await;
    let server = server.expect("the system has a free pty");
    let served = server.as_served(&spec).expect("the same unit on the pty");
    assert!(served.buses()[0].url.starts_with("rtu:///dev/pts/"), "{}", served.buses()[0].url);
    assert!(served.buses()[0].url.ends_with("?baud=115200&parity=even"));
    reads_everything(served).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_serial_line_that_is_to_listen_is_served_as_behind_a_socket() {
    let spec = unit_on_a_line();
    let (listen, start) = ("127.0.0.1:0".parse().ok(), Start::MidHold);
    let options = SimOptions { listen, load: None, pace: Pace::Lockstep, start };
    let server = SimServer::start(&spec, PlantParams::nominal(), 1, options).await;
    let server = server.expect("the system has a free port");
    let served = server.as_served(&spec).expect("the same unit on a socket");
    assert!(served.buses()[0].url.starts_with("rtu+tcp://127.0.0.1:"), "{:?}", served.buses());
    reads_everything(served).await;
    server.shutdown().await;
}

/// Every channel of a unit in the middle of a hold.
async fn reads_everything(spec: UnitSpec) {
    let mut unit = WiredUnit::connect(spec).await.expect("everything answers");
    let reading = unit.read().await;
    let half = Some(Celsius::from_milli(62_500));
    assert_eq!(reading.bath.trusted(), half);
    assert_eq!(reading.milk[1].and_then(|sample| sample.trusted()), half);
    assert_eq!(reading.lid.and_then(|lid| lid.on), Some(true));
    assert!(reading.simulated && unit.faults().is_empty(), "{:?}", unit.faults());
}

#[tokio::test]
async fn a_command_reaches_the_plant_and_the_safe_state_stops_it() {
    let (server, spec) = served(Start::Cold).await;
    let mut unit = WiredUnit::connect(spec).await.expect("everything answers");
    let heat = Heat::Setpoint(Celsius::from_milli(63_000));
    let command = Command { heat, agitator: true, cooling: false };
    unit.write(&command).await.expect("each write is proved by reading back");
    for _ in 0..2400 {
        server.advance(1000);
    }
    let truth = server.truth();
    assert!((truth.bath_c - 63.0).abs() < 0.1, "the bath is at {}", truth.bath_c);
    unit.write(&Command::safe(true)).await.expect("the safe state is proved as well");
    server.advance(120_000);
    let truth = server.truth();
    assert!(truth.heater_w < 1.0 && truth.bath_c < 35.0, "{truth:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_unit_that_is_not_marked_simulated_refuses_the_simulator() {
    let (server, _) = served(Start::Cold).await;
    let spec = server.as_served(&unit(false)).expect("the same unit at other ports");
    let Err(refused) = WiredUnit::connect(spec).await else {
        panic!("real milk must not be entrusted to a simulator");
    };
    assert!(refused.to_string().contains("says that it is a simulator"), "{refused}");
    server.shutdown().await;
}
