//! What a unit must be to hold together.

use std::sync::Arc;

use super::profile::Profile;
use super::{BusSpec, DeviceSpec, RoleSpec, SpecError, UnitSpec};
use crate::contract::Role;

const TEXT: &str = "title = \"t\"\nprotocol = \"modbus\"\nsource = \"s\"\nverified = \"manual\"\n\
    [modbus]\nfunction_codes = [1, 3, 5, 6]\nreport_server_id = false\n\
    [[point]]\nname = \"pv\"\ntitle = \"t\"\nentity = \"holding_register\"\naddress = 1\n\
    data_type = \"INT16\"\nscale = 0.1\nunit = \"degC\"\nrange = [0, 99]\n\
    [[point]]\nname = \"sp\"\ntitle = \"t\"\nentity = \"holding_register\"\naddress = 2\n\
    data_type = \"INT16\"\nscale = 0.1\nunit = \"degC\"\nrange = [0, 99]\n\
    write_only = true\nwrite = { function = 6 }\nverify = { point = \"sp_read\" }\n\
    [[point]]\nname = \"sp_read\"\ntitle = \"t\"\nentity = \"holding_register\"\naddress = 20\n\
    data_type = \"INT16\"\nscale = 0.1\nunit = \"degC\"\nrange = [0, 99]\n\
    [[point]]\nname = \"power\"\ntitle = \"t\"\nentity = \"holding_register\"\naddress = 3\n\
    data_type = \"INT16\"\nscale = 0.1\nunit = \"percent\"\nwrite = { function = 6 }\nverify = {}\n\
    [[point]]\nname = \"relay\"\ntitle = \"t\"\nentity = \"coil\"\naddress = 1\nunit = \"switch\"\n\
    write = { function = 5 }\nverify = {}\n\
    [[point]]\nname = \"pv_2\"\ntitle = \"t\"\nentity = \"holding_register\"\naddress = 10\n\
    data_type = \"FLOAT32\"\nunit = \"degC\"\nrange = [0, 99]\n\
    [[point]]\nname = \"alias\"\ntitle = \"t\"\nentity = \"holding_register\"\naddress = 11\n\
    data_type = \"INT16\"\nscale = 0.1\nunit = \"degC\"\nrange = [0, 99]\n";

/// A unit that holds together, to be broken.
struct Draft {
    period_ms: u64,
    buses: Vec<BusSpec>,
    devices: Vec<DeviceSpec>,
    roles: Vec<RoleSpec>,
}

fn bus(name: &str, url: &str) -> BusSpec {
    BusSpec { name: name.into(), url: url.into() }
}

fn device(name: &str, bus: &str, address: u8) -> DeviceSpec {
    let profile = Arc::new(Profile::parse("box.toml", TEXT).unwrap());
    DeviceSpec { name: name.into(), profile, bus: bus.into(), address }
}

fn role(role: Role, device: &str, point: &str) -> RoleSpec {
    RoleSpec { role, device: device.into(), point: point.into() }
}

impl Draft {
    fn new() -> Self {
        Self {
            period_ms: 1000,
            buses: vec![bus("port", "tcp://127.0.0.1:502")],
            devices: vec![device("box", "port", 1)],
            roles: vec![role(Role::Bath, "box", "pv"), role(Role::Heater, "box", "relay")],
        }
    }

    fn with(roles: &[RoleSpec]) -> Self {
        let mut draft = Self::new();
        draft.roles.extend_from_slice(roles);
        draft
    }

    fn url(url: &str) -> Self {
        Self { buses: vec![bus("port", url)], ..Self::new() }
    }

    fn check(self) -> Result<UnitSpec, SpecError> {
        UnitSpec::new("u", false, self.period_ms, self.buses, self.devices, self.roles)
    }
}

#[test]
fn a_unit_that_holds_together_is_accepted() {
    for url in ["tcp://127.0.0.1:502", "tcp://[::1]:1502", "tcp://gateway.local:65535"] {
        let spec = Draft::url(url).check().unwrap();
        assert_eq!(spec.role(Role::Bath).unwrap().1.name, "pv");
        assert_eq!((spec.milk_probes(), spec.role(Role::Lid)), (0, None));
    }
}

#[test]
fn the_period_is_within_the_bounds_of_the_contract() {
    for (period_ms, fits) in [(199, false), (200, true), (2000, true), (2001, false)] {
        assert_eq!(Draft { period_ms, ..Draft::new() }.check().is_ok(), fits, "{period_ms}");
    }
}

#[test]
fn one_value_does_not_measure_two_things() {
    let two = |first, second| Draft::with(&[role(first, "box", "pv"), second]);
    let milk = role(Role::Milk(0), "box", "pv_2");
    // A second device that is the first by another bus to the same socket.
    let twin = Draft {
        buses: vec![bus("port", "tcp://gw.local:502"), bus("back", "tcp://GW.local:502")],
        devices: vec![device("box", "port", 1), device("twin", "back", 1)],
        ..Draft::with(&[role(Role::Reference, "twin", "pv")])
    };
    let cases = [
        (
            Draft::with(&[role(Role::Milk(0), "box", "pv")]),
            "bath and milk-0 are one value (box.pv)",
        ),
        (Draft::with(&[role(Role::Reference, "box", "pv")]), "bath and reference are one value"),
        (two(Role::Reference, milk.clone()), "bath and reference are one value"),
        (
            Draft::with(&[milk.clone(), role(Role::Milk(1), "box", "pv_2")]),
            "milk-0 and milk-1 are one value (box.pv_2)",
        ),
        (
            Draft::with(&[milk.clone(), role(Role::Reference, "box", "alias")]),
            "milk-0 and reference are one value (box.alias is box.pv_2 by another name)",
        ),
        (twin, "bath and reference are one value (twin.pv is box.pv by another name)"),
    ];
    for (draft, rule) in cases {
        let error = draft.check().unwrap_err().to_string();
        assert!(error.contains(rule), "{rule} → {error}");
    }
    // The profile knows that two registers of the controller show one sensor.
    let error = Draft {
        devices: vec![DeviceSpec {
            profile: super::bench::profile("eurotherm-3200.toml", super::bench::EUROTHERM),
            ..device("box", "port", 1)
        }],
        roles: vec![
            role(Role::Bath, "box", "pv"),
            role(Role::Reference, "box", "pv_float"),
            role(Role::Heater, "box", "instrument_mode"),
        ],
        ..Draft::new()
    };
    let error = error.check().unwrap_err().to_string();
    assert!(error.contains("(box.pv_float is box.pv by another name)"), "{error}");
    // Its own address, or its own device, is its own probe.
    assert!(Draft::with(&[milk]).check().is_ok());
    let own = Draft {
        devices: vec![device("box", "port", 1), device("other", "port", 2)],
        ..Draft::with(&[role(Role::Reference, "other", "pv")])
    };
    assert!(own.check().is_ok());
}

#[test]
fn a_url_that_cannot_be_used_says_what_can() {
    for (url, rule) in [
        ("127.0.0.1:502", "must be tcp://host:port (Modbus TCP), rtu:///dev/"),
        ("tcp://127.0.0.1", "must be tcp://host:port, such as"),
        ("tcp://:502", "must be tcp://host:port, such as"),
        ("tcp://host:0", "\"0\" is no port"),
        ("tcp://host:70000", "\"70000\" is no port"),
        ("rtu:///dev/ttyUSB0?speed=9600", "\"speed\" is no setting"),
        ("serial:///dev/ttyUSB0", "box speaks Modbus: write rtu://"),
    ] {
        let error = Draft::url(url).check().unwrap_err().to_string();
        let start = format!("unit u: bus port: url = {url:?}: ");
        assert!(error.starts_with(&start) && error.contains(rule), "{error}");
    }
}

#[test]
fn names_that_nothing_has_are_refused_with_those_that_exist() {
    let unknown = [
        (Draft { devices: vec![device("box", "prt", 1)], ..Draft::new() }, "device box names bus"),
        (Draft::with(&[role(Role::Lid, "bx", "relay")]), "the role lid names device \"bx\""),
        (Draft::with(&[role(Role::Lid, "box", "rely")]), "the role lid names point \"rely\""),
    ];
    for (draft, rule) in unknown {
        let error = draft.check().unwrap_err().to_string();
        assert!(error.contains(rule) && error.contains("known: "), "{error}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_by_name() {
    let both = role(Role::Setpoint, "box", "sp");
    let cases = [
        (Draft { period_ms: 5, ..Draft::new() }, "period_ms = 5"),
        (
            Draft {
                buses: vec![bus("port", "tcp://a:1"), bus("port", "tcp://a:2")],
                ..Draft::new()
            },
            "two buses named",
        ),
        (
            Draft {
                devices: vec![device("box", "port", 1), device("box", "port", 2)],
                ..Draft::new()
            },
            "two devices named",
        ),
        (
            Draft {
                devices: vec![device("box", "port", 1), device("b", "port", 1)],
                ..Draft::new()
            },
            "box and b share unit id 1",
        ),
        (
            Draft { devices: vec![device("box", "port", 0)], ..Draft::new() },
            "address = 0: 0 addresses every device",
        ),
        (
            Draft { devices: vec![device("box", "port", 250)], ..Draft::new() },
            "248 to 254 are reserved",
        ),
        (Draft::with(&[role(Role::Bath, "box", "pv")]), "the role bath is given twice"),
        (
            Draft::with(&[role(Role::Reference, "box", "sp")]),
            "box.sp cannot be reference: it is write-only",
        ),
        (
            Draft::with(&[role(Role::Reference, "box", "relay")]),
            "it must be a temperature, and is switch",
        ),
        (Draft::with(&[role(Role::Setpoint, "box", "pv")]), "the profile gives no way to write it"),
        (Draft::with(&[role(Role::Power, "box", "sp")]), "it must be a percentage, and is degC"),
        (Draft::with(&[role(Role::Milk(1), "box", "pv_2")]), "milk-0 is missing"),
        (
            Draft::with(&[both.clone(), role(Role::Power, "box", "power")]),
            "both a setpoint and a power",
        ),
        (
            Draft { roles: vec![role(Role::Heater, "box", "relay")], ..Draft::new() },
            "no point plays the role bath",
        ),
        (
            Draft { roles: vec![role(Role::Bath, "box", "pv"), both], ..Draft::new() },
            "nothing can switch the heat off",
        ),
    ];
    for (draft, rule) in cases {
        let error = draft.check().unwrap_err().to_string();
        assert!(error.starts_with("unit u: ") && error.contains(rule), "{rule} → {error}");
    }
}

#[test]
fn what_is_set_measures_nothing() {
    for (measuring, point) in [(Role::Milk(0), "sp_read"), (Role::Lid, "relay")] {
        let text = Draft::with(&[role(measuring, "box", point)]).check().unwrap_err().to_string();
        assert!(text.contains(&format!("box.{point} cannot be {measuring}")), "{text}");
        assert!(text.contains("measures nothing"), "{text}");
    }
}

#[test]
fn two_roles_do_not_write_one_output() {
    // The heater is the relay: switching the agitator on, as is safe, would heat.
    let text =
        Draft::with(&[role(Role::Agitator, "box", "relay")]).check().unwrap_err().to_string();
    assert!(text.contains("box.relay cannot be agitator"), "{text}");
    assert!(text.contains("the role heater writes the same point"), "{text}");
    // The same box by another name, on a second connection to it.
    let mut draft = Draft::with(&[role(Role::Agitator, "again", "relay")]);
    draft.buses.push(bus("second", "tcp://127.0.0.1:502"));
    draft.devices.push(device("again", "second", 1));
    let text = draft.check().unwrap_err().to_string();
    assert!(text.contains("again.relay cannot be agitator"), "{text}");
}
