//! Every shipped Modbus profile, served by the simulator and driven by the real client: what the
//! device needs before it takes a value is done, and what was written is proved.

#![allow(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::sync::Arc;

use holder_hal::wire::profile::{Point, Profile, Value};
use holder_hal::wire::{BusSpec, DeviceSpec, Grade, RoleSpec, UnitSpec, WiredUnit};
use holder_hal::{Celsius, Command, Heat, Machine, Role};
use holder_sim::{Pace, PlantParams, SimOptions, SimServer, Start};

macro_rules! shipped {
    ($name:literal) => {
        ($name, include_str!(concat!("../../profiles/devices/", $name, ".toml")))
    };
}

/// What has a bath, a set point and a heater of its own.
const CONTROLLERS: [(&str, &str); 8] = [
    shipped!("autonics-tk"),
    shipped!("delta-dtb"),
    shipped!("eurotherm-3200"),
    shipped!("novus-n1200"),
    shipped!("omron-e5cc"),
    shipped!("pixsys-drr245"),
    shipped!("watlow-ez-zone-pm"),
    shipped!("watlow-gateway"),
];
/// What has probes only.
const INPUTS: [(&str, &str); 3] =
    [shipped!("icpdas-tm-th8"), shipped!("intech-2300-rtd6"), shipped!("procon-pm6rtd")];

fn profile((name, text): (&str, &str)) -> Arc<Profile> {
    Arc::new(Profile::parse(&format!("{name}.toml"), text).expect("a shipped profile"))
}

/// The point that a unit would use for `role`; of two that can be written, the one that does not
/// wear out.
fn usual(profile: &Profile, role: Role) -> Option<&Point> {
    let written = matches!(role, Role::Heater | Role::Setpoint);
    let fits =
        |point: &&Point| point.usual_role == Some(role) && (!written || point.write.is_some());
    let wears = |point: &&Point| point.write.as_ref().is_some_and(|write| write.on_change_only);
    profile.points().iter().filter(fits).min_by_key(wears)
}

/// A unit of one device, with all the roles that it can play.
fn unit(profile: &Arc<Profile>, roles: &[Role]) -> UnitSpec {
    let role = |role: &Role| RoleSpec {
        role: *role,
        device: "device".to_owned(),
        point: usual(profile, *role).expect("the profile says which").name.clone(),
    };
    UnitSpec::new(
        "past-1",
        true,
        2000,
        vec![BusSpec { name: "wire".to_owned(), url: "tcp://127.0.0.1:1".to_owned() }],
        vec![DeviceSpec {
            name: "device".to_owned(),
            profile: Arc::clone(profile),
            bus: "wire".to_owned(),
            address: 1,
        }],
        roles.iter().map(role).collect(),
    )
    .expect("the unit holds together")
}

async fn served(spec: UnitSpec, start: Start) -> (SimServer, UnitSpec) {
    let listen = "127.0.0.1:0".parse().ok();
    let options = SimOptions { listen, load: None, pace: Pace::Lockstep, start };
    let server = SimServer::start(&spec, PlantParams::nominal(), 1, options)
        .await
        .expect("the system has a free port");
    let spec = server.as_served(&spec).expect("the same unit at another port");
    (server, spec)
}

#[tokio::test]
async fn each_controller_takes_heat_and_gives_it_up_again() {
    for shipped in CONTROLLERS {
        let profile = profile(shipped);
        let spec = unit(&profile, &[Role::Bath, Role::Setpoint, Role::Heater]);
        let (server, spec) = served(spec, Start::Cold).await;
        let name = profile.name();
        let mut unit = WiredUnit::connect(spec).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let heat = Heat::Setpoint(Celsius::from_milli(62_500));
        let command = Command { heat, agitator: false, cooling: false };
        for _ in 0..3 {
            let reading = unit.read().await;
            let bath = reading.bath.trusted().unwrap_or_else(|| panic!("{name}: {reading:?}"));
            assert!((bath.as_f64() - server.truth().bath_c).abs() < 1.0, "{name}: {bath}");
            unit.write(&command).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            server.advance(1000);
        }
        for _ in 0..20 {
            server.advance(3000);
            unit.read().await;
        }
        assert!(server.truth().heater_w > 1000.0, "{name}: {:?}", server.truth());
        unit.read().await;
        unit.write(&Command::safe(false)).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        server.advance(120_000);
        assert!(server.truth().heater_w < 1.0, "{name}: {:?}", server.truth());
        server.shutdown().await;
    }
}

#[tokio::test]
async fn off_reaches_a_controller_that_was_never_written_to() {
    for shipped in CONTROLLERS {
        let profile = profile(shipped);
        let spec = unit(&profile, &[Role::Bath, Role::Setpoint, Role::Heater]);
        let (server, spec) = served(spec, Start::MidHold).await;
        let name = profile.name();
        let mut unit = WiredUnit::connect(spec).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(unit.read().await.bath.trusted(), Some(Celsius::from_milli(62_500)), "{name}");
        unit.write(&Command::safe(false)).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        server.advance(120_000);
        assert!(server.truth().heater_w < 1.0, "{name}: {:?}", server.truth());
        server.shutdown().await;
    }
}

#[tokio::test]
async fn each_input_module_shows_the_milk_and_says_which_input_is_open() {
    for shipped in INPUTS {
        let profile = profile(shipped);
        let milk = unit_of_probes(&profile);
        let (server, spec) = served(milk, Start::MidHold).await;
        let name = profile.name();
        let mut unit = WiredUnit::connect(spec).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let half = Some(Celsius::from_milli(62_500));
        let reading = unit.read().await;
        assert_eq!(reading.bath.trusted(), half, "{name}");
        assert_eq!(reading.milk[0].and_then(|sample| sample.trusted()), half, "{name}");
        let spare = profile.points().iter().filter(|point| point.usual_role == Some(Role::Milk(5)));
        let spare = spare.map(|point| point.name.clone()).next().expect("six inputs at least");
        let open = unit.read_point("device", &spare).await.expect("it answers");
        let faulty = profile.point(&spare).map(|point| &point.faults).expect("it is there");
        match faulty.first() {
            Some(fault) => {
                let told = unit.read_point("device", &fault.point).await.expect("it answers");
                assert_eq!(told.value, Some(Value::Switch(true)), "{name}");
            }
            None => assert_eq!(open.quality.word(), "sensor-open", "{name}"),
        }
        server.shutdown().await;
    }
}

/// Bath and one milk probe on the first two inputs.
fn unit_of_probes(profile: &Arc<Profile>) -> UnitSpec {
    let role = |role: Role, usual_role: Role| RoleSpec {
        role,
        device: "device".to_owned(),
        point: usual(profile, usual_role).expect("it has such an input").name.clone(),
    };
    let roles = vec![role(Role::Bath, Role::Milk(0)), role(Role::Milk(0), Role::Milk(1))];
    let bus = BusSpec { name: "wire".to_owned(), url: "tcp://127.0.0.1:1".to_owned() };
    let device = DeviceSpec {
        name: "device".to_owned(),
        profile: Arc::clone(profile),
        bus: "wire".to_owned(),
        address: 1,
    };
    UnitSpec::new("past-1", true, 2000, vec![bus], vec![device], roles).expect("it holds together")
}

#[tokio::test]
async fn a_check_of_each_family_finds_nothing_bad_and_says_what_its_watchdog_does() {
    for shipped in CONTROLLERS {
        let profile = profile(shipped);
        let spec = unit(&profile, &[Role::Bath, Role::Setpoint, Role::Heater]);
        let (server, spec) = served(spec, Start::MidHold).await;
        let name = profile.name();
        let lines = WiredUnit::check(spec).await;
        let bad: Vec<_> = lines.iter().filter(|line| line.grade == Grade::Bad).collect();
        assert!(bad.is_empty(), "{name}: {bad:?}");
        let watchdog = profile.watchdog().map_or("no watchdog that is known", |dog| &dog.meaning);
        assert!(lines.iter().any(|line| line.text.contains(watchdog)), "{name}: {lines:?}");
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_machine_with_a_stopping_watchdog_cools_when_the_program_is_gone_and_others_heat_on() {
    for (shipped, stops) in [
        (shipped!("pixsys-drr245"), true),
        (shipped!("eurotherm-3200"), false),
        (shipped!("omron-e5cc"), false),
    ] {
        let profile = profile(shipped);
        let spec = unit(&profile, &[Role::Bath, Role::Setpoint, Role::Heater]);
        let (server, spec) = served(spec, Start::Cold).await;
        let name = profile.name();
        let mut unit = WiredUnit::connect(spec).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let heat = Heat::Setpoint(Celsius::from_milli(62_500));
        unit.read().await;
        let command = Command { heat, agitator: false, cooling: false };
        unit.write(&command).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        for _ in 0..20 {
            server.advance(3000);
            unit.read().await;
        }
        assert!(server.truth().heater_w > 1000.0, "{name}: {:?}", server.truth());
        // The program is gone: nobody asks any more.
        drop(unit);
        server.advance(120_000);
        let heater_w = server.truth().heater_w;
        assert_eq!(heater_w < 1.0, stops, "{name}: {heater_w} W");
        server.shutdown().await;
    }
}
