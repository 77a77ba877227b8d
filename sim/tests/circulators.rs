//! Circulators of commands behind serial-to-Ethernet sockets, driven through the real client of
//! `holder-hal`: the simulator's side was written from the manuals and shares nothing with it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot begin has failed")]

use std::sync::Arc;

use holder_hal::wire::profile::Profile;
use holder_hal::wire::{BusSpec, CheckLine, DeviceSpec, Grade, RoleSpec, UnitSpec, WiredUnit};
use holder_hal::{Celsius, Command, Heat, Machine, Role};
use holder_sim::{Pace, PlantParams, SimOptions, SimServer, Start};

/// A circulator: profile, address, and the points for bath, set point, heater and external probe.
struct Kind {
    name: &'static str,
    text: &'static str,
    address: u8,
    points: [&'static str; 3],
    external: Option<&'static str>,
    /// It has a question whose answer can say that it is a simulator.
    marks_itself: bool,
}

const JULABO: Kind = Kind {
    name: "julabo",
    text: include_str!("../../profiles/devices/julabo.toml"),
    address: 0,
    points: ["bath", "setpoint", "running"],
    // No time for it: the profile's quirks.
    external: None,
    marks_itself: true,
};
const LAUDA: Kind = Kind {
    name: "lauda",
    text: include_str!("../../profiles/devices/lauda.toml"),
    address: 0,
    points: ["bath_fine", "setpoint", "running"],
    external: Some("external"),
    marks_itself: true,
};
const POLYSCIENCE: Kind = Kind {
    name: "polyscience",
    text: include_str!("../../profiles/devices/polyscience.toml"),
    address: 0,
    points: ["bath", "setpoint", "running"],
    external: None,
    marks_itself: false,
};
const HUBER: Kind = Kind {
    name: "huber-pb",
    text: include_str!("../../profiles/devices/huber-pb.toml"),
    address: 0,
    points: ["internal", "setpoint", "tempering"],
    external: Some("process"),
    marks_itself: false,
};
const NESLAB: Kind = Kind {
    name: "neslab-nc",
    text: include_str!("../../profiles/devices/neslab-nc.toml"),
    address: 1,
    points: ["internal", "setpoint", "unit_on"],
    external: Some("external"),
    marks_itself: false,
};
const KINDS: [Kind; 5] = [JULABO, LAUDA, POLYSCIENCE, HUBER, NESLAB];

fn unit(kind: &Kind, address: u8, simulated: bool) -> UnitSpec {
    let profile = Profile::parse(&format!("{}.toml", kind.name), kind.text);
    let profile = Arc::new(profile.expect("a shipped profile"));
    let role = |role, point: &str| RoleSpec {
        role,
        device: "circulator".to_owned(),
        point: point.to_owned(),
    };
    let [bath, setpoint, heater] = kind.points;
    let mut roles =
        vec![role(Role::Bath, bath), role(Role::Setpoint, setpoint), role(Role::Heater, heater)];
    roles.extend(kind.external.map(|external| role(Role::Milk(0), external)));
    let (name, bus) = ("circulator".to_owned(), "line".to_owned());
    let url = "serial+tcp://127.0.0.1:1?baud=4800&parity=even&data_bits=7".to_owned();
    UnitSpec::new(
        "past-1",
        simulated,
        2000,
        vec![BusSpec { name: bus.clone(), url }],
        vec![DeviceSpec { name, profile, bus, address }],
        roles,
    )
    .unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

async fn served(unit: &UnitSpec, start: Start) -> (SimServer, UnitSpec) {
    let anywhere = "127.0.0.1:0".parse().ok();
    let options = SimOptions { listen: anywhere, load: None, pace: Pace::Lockstep, start };
    let server = SimServer::start(unit, PlantParams::nominal(), 1, options)
        .await
        .expect("the system has free ports");
    let spec = server.as_served(unit).expect("the same unit at other ports");
    (server, spec)
}

fn heat(milli: i32) -> Command {
    let heat = Heat::Setpoint(Celsius::from_milli(milli));
    Command { heat, agitator: true, cooling: false }
}

/// Reads, heats, reads again and stops a circulator of this kind.
async fn drives(kind: &Kind, address: u8) {
    let name = kind.name;
    let (server, spec) = served(&unit(kind, address, true), Start::MidHold).await;
    let mut driven = match WiredUnit::connect(spec).await {
        Ok(driven) => driven,
        Err(error) => panic!("{name}: {error}"),
    };
    assert!(driven.simulated());
    let reading = driven.read().await;
    let half = Some(Celsius::from_milli(62_500));
    assert_eq!(reading.bath.trusted(), half, "{name}: {:?}", driven.faults());
    if kind.external.is_some() {
        assert_eq!(reading.milk[0].and_then(|sample| sample.trusted()), half, "{name}");
    }
    let written = driven.write(&heat(63_000)).await;
    assert_eq!(written.map_err(|error| error.to_string()), Ok(()), "{name}");
    server.advance(1_800_000);
    let truth = server.truth();
    assert!((truth.bath_c - 63.0).abs() < 0.1, "{name}: the bath is at {}", truth.bath_c);
    driven.read().await;
    let stopped = driven.write(&Command::safe(false)).await;
    assert_eq!(stopped.map_err(|error| error.to_string()), Ok(()), "{name}");
    server.advance(600_000);
    let truth = server.truth();
    assert!(truth.heater_w < 1.0 && truth.bath_c < 62.9, "{name}: {truth:?}");
    assert_eq!(driven.faults().len(), 0, "{name}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_julabo_is_read_heated_and_stopped() {
    drives(&JULABO, 0).await;
}

#[tokio::test]
async fn a_lauda_is_read_heated_and_stopped_on_rs232_and_on_rs485() {
    drives(&LAUDA, 0).await;
    drives(&LAUDA, 15).await;
}

#[tokio::test]
async fn a_polyscience_is_read_heated_and_stopped() {
    drives(&POLYSCIENCE, 0).await;
}

#[tokio::test]
async fn a_huber_is_read_heated_and_stopped() {
    drives(&HUBER, 0).await;
}

#[tokio::test]
async fn a_neslab_is_read_heated_and_stopped() {
    drives(&NESLAB, 1).await;
}

#[tokio::test]
async fn what_can_say_that_it_is_a_simulator_is_refused_by_a_real_unit() {
    for kind in KINDS {
        let (server, _) = served(&unit(&kind, kind.address, true), Start::Cold).await;
        let real = server.as_served(&unit(&kind, kind.address, false)).expect("the same unit");
        match (kind.marks_itself, WiredUnit::connect(real).await) {
            (true, Err(refused)) => {
                let refused = refused.to_string();
                assert!(refused.contains("says that it is a simulator"), "{refused}");
                assert!(refused.contains("HOLDER-SIM"), "{refused}");
            }
            // The protocol has no words for it: docs/risk.md.
            (false, Ok(_)) => {}
            (true, Ok(_)) => panic!("{}: milk was entrusted to a simulator", kind.name),
            (false, Err(error)) => panic!("{}: {error}", kind.name),
        }
        server.shutdown().await;
    }
}

#[tokio::test]
async fn the_check_of_a_circulator_finds_nothing_bad() {
    for kind in KINDS {
        let (server, spec) = served(&unit(&kind, kind.address, true), Start::MidHold).await;
        let lines = WiredUnit::check(spec).await;
        let bad: Vec<&CheckLine> = lines.iter().filter(|line| line.grade == Grade::Bad).collect();
        assert!(bad.is_empty(), "{}: {bad:#?}", kind.name);
        let bath = lines.iter().find(|line| line.roles.contains(&"bath".to_owned()));
        assert!(bath.is_some_and(|line| line.text.contains("62.5")), "{}: {lines:#?}", kind.name);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn what_a_model_lacks_and_nobody_needs_is_a_note() {
    // A LAUDA without external probe refuses IN_PV_03 with ERR_33.
    let kind = Kind { external: None, ..LAUDA };
    let (server, spec) = served(&unit(&kind, 0, true), Start::MidHold).await;
    let lines = WiredUnit::check(spec).await;
    let external = lines.iter().find(|line| line.point.as_deref() == Some("external"));
    let external = external.expect("every point has its line");
    assert_eq!(external.grade, Grade::Note);
    assert!(external.text.contains("no external probe is plugged in"), "{}", external.text);
    // With a role it is what the unit cannot do without.
    let spec = server.as_served(&unit(&LAUDA, 0, true)).expect("the same unit");
    let lines = WiredUnit::check(spec).await;
    let bad = lines
        .iter()
        .any(|line| line.grade == Grade::Bad && line.point.as_deref() == Some("external"));
    assert!(bad, "{lines:#?}");
    server.shutdown().await;
}
