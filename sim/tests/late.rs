//! No answer of a faulty line is taken for the answer to another question: the real client
//! against the simulator, on ptys, in real time.
//!
//! Two points with different values are asked for in turn, so that an answer to the one counts
//! as wrong for the other. An answer is late by at most the bound that the profile gives
//! (`timeout` and `late_max`), less what a busy machine may add.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holder_hal::Role;
use holder_hal::wire::profile::Value;
use holder_hal::wire::{
    BusSpec, CallFault, DeviceSpec, Profile, RoleSpec, UnitSpec, WireError, WiredUnit,
};
use holder_sim::{Pace, Place, PlantParams, SimOptions, SimServer, Start, Wiring};

const EUROTHERM: &str = include_str!("../../profiles/devices/eurotherm-3200.toml");
const POINTS: [&str; 2] = ["pv", "instrument_mode"];
/// Bounds of the profile: an answer comes at the latest 40 + 150 ms after its question.
const TIMES: &str = "[modbus]\ntimeout = \"40ms\"\nlate_max = \"150ms\"\n";
/// 40 ms less than the bound: what a busy machine may add.
const FAULTS: [&str; 5] = [
    "late:ms=1,to=150,every=2",
    "duplicate:every=3",
    "wrong-unit:every=7",
    "fewer:words=1,every=11",
    "echo:every=13",
];
const A_WHILE: Duration = Duration::from_millis(5);

/// What came of the questions on one line.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    right: u32,
    failed: u32,
    wrong: u32,
}

fn spec() -> UnitSpec {
    let text = EUROTHERM.replacen("[modbus]\n", TIMES, 1);
    let profile = Arc::new(Profile::parse("hasty.toml", &text).expect("a good profile"));
    let line = "line".to_owned();
    let bus = BusSpec { name: line.clone(), url: "rtu:///dev/holder?baud=115200".to_owned() };
    let device = "controller".to_owned();
    let role = |role, point: &str| RoleSpec { role, device: device.clone(), point: point.into() };
    let roles = vec![
        role(Role::Bath, "pv"),
        role(Role::Setpoint, "remote_setpoint"),
        role(Role::Heater, "instrument_mode"),
    ];
    let controller = DeviceSpec { name: device.clone(), profile, bus: line, address: 1 };
    UnitSpec::new("past-1", true, 1000, vec![bus], vec![controller], roles).expect("a unit")
}

/// Asks on one pty until `failures` questions failed.
async fn ask(seed: u64, failures: u32) -> Tally {
    let start = Start::MidHold;
    let options = SimOptions { listen: None, load: None, pace: Pace::Lockstep, start };
    let places = BTreeMap::from([("line".to_owned(), Place::Pty(None))]);
    let wiring = Wiring { places, ..Wiring::default() };
    let nominal = PlantParams::nominal();
    let server = SimServer::start_wired(&spec(), nominal, seed, options, wiring).await;
    let server = server.expect("a free pty");
    let served = server.as_served(&spec()).expect("the same unit on the pty");
    let mut unit = loop {
        // On a busy machine even a sound line may miss so short a time-out.
        match WiredUnit::connect(served.clone()).await {
            Ok(unit) => break unit,
            Err(_) => tokio::time::sleep(A_WHILE).await,
        }
    };
    let mut sound: Vec<Option<Value>> = Vec::new();
    for point in POINTS {
        sound.push(loop {
            match unit.read_point("controller", point).await {
                Ok(decoded) => break decoded.value,
                Err(_) => tokio::time::sleep(A_WHILE).await,
            }
        });
    }
    assert_ne!(sound[0], sound[1]);
    let faults = FAULTS.iter().map(|text| text.parse().expect("a fault")).collect();
    server.set_faults(faults).expect("no bus is named");
    let mut tally = Tally::default();
    for turn in (0..POINTS.len()).cycle() {
        match unit.read_point("controller", POINTS[turn]).await {
            Ok(decoded) if decoded.value == sound[turn] => tally.right += 1,
            Ok(_) => tally.wrong += 1,
            // The line rests after a fault, for as long as it says; then nothing was asked.
            Err(WireError::Call { fault: CallFault::HeldBack { left_ms }, .. }) => {
                tokio::time::sleep(Duration::from_millis(left_ms.into())).await;
            }
            Err(_) => tally.failed += 1,
        }
        if tally.failed >= failures {
            break;
        }
    }
    tally
}

/// On `lines` ptys side by side, until `failures` questions failed on each.
async fn ask_on(lines: u64, failures: u32) -> Tally {
    let asked: Vec<_> = (0..lines).map(|seed| tokio::spawn(ask(seed, failures))).collect();
    let mut sum = Tally::default();
    for line in asked {
        let tally = line.await.expect("the line was asked to its end");
        sum.right += tally.right;
        sum.failed += tally.failed;
        sum.wrong += tally.wrong;
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_on_a_faulty_line_is_taken_for_anothers() {
    let tally = ask_on(4, 10).await;
    assert_eq!(tally.wrong, 0, "{tally:?}");
    assert!(tally.right > 0 && tally.failed >= 40, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: the step lateness of .ci/run runs it"]
async fn ten_thousand_faulted_exchanges_on_ptys_give_no_wrong_value() {
    let tally = ask_on(40, 250).await;
    println!("{tally:?}");
    assert_eq!(tally.wrong, 0, "{tally:?}");
    assert!(tally.failed >= 10_000, "{tally:?}");
}
