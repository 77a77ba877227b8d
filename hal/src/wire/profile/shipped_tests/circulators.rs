//! The circulators that speak commands: what their profiles say, and what each rule of such a
//! profile refuses.

use super::*;

const CIRCULATORS: [(&str, &str); 5] = [
    ("huber-pb", include_str!("../../../../../profiles/devices/huber-pb.toml")),
    ("julabo", include_str!("../../../../../profiles/devices/julabo.toml")),
    ("lauda", include_str!("../../../../../profiles/devices/lauda.toml")),
    ("neslab-nc", include_str!("../../../../../profiles/devices/neslab-nc.toml")),
    ("polyscience", include_str!("../../../../../profiles/devices/polyscience.toml")),
];

fn circulator(wanted: &str) -> (Profile, &'static str) {
    let (name, text) = CIRCULATORS.iter().find(|(name, _)| *name == wanted).unwrap();
    (Profile::parse(&format!("profiles/devices/{name}.toml"), text).unwrap(), text)
}

#[test]
fn every_circulator_has_bath_set_point_and_heater_and_can_be_stopped() {
    for (name, _) in CIRCULATORS {
        let (profile, _) = circulator(name);
        assert_eq!(profile.name(), name);
        assert!(profile.source().len() > 20 && profile.quirks().len() >= 5, "{name}");
        assert!(profile.quirks().iter().all(|quirk| quirk.ends_with('.')), "{name}");
        let used = |role: Role| {
            profile.points().iter().find(|point| point.usual_role == Some(role)).unwrap()
        };
        assert!(used(Role::Bath).unit.is_temperature(), "{name}");
        let setpoint = used(Role::Setpoint).write.as_ref().unwrap();
        assert_eq!(setpoint.off_value, Some(Celsius::from_milli(20_000)), "{name}");
        assert!(used(Role::Heater).write.is_some(), "{name}");
        // None of them is known to stop when nobody talks to it.
        assert!(profile.watchdog().is_none(), "{name}");
        let cut = profile.quirks().iter().any(|quirk| quirk.contains("cut"));
        assert!(cut, "{name} must say that the unit needs a cut");
    }
}

#[test]
fn every_circulator_tells_a_tenth_of_a_degree() {
    for (name, _) in CIRCULATORS {
        let (profile, _) = circulator(name);
        for point in profile.points().iter().filter(|point| point.unit.is_temperature()) {
            assert!((1..=100_000_000).contains(&point.step_nano()), "{name}.{}", point.name);
        }
    }
    let step = |name, point| circulator(name).0.point(point).unwrap().step_nano();
    assert_eq!(step("lauda", "bath_fine"), 1_000_000);
    assert_eq!(step("huber-pb", "internal"), 10_000_000);
    assert_eq!(step("neslab-nc", "internal"), 100_000_000);
}

#[test]
fn a_device_alone_on_its_line_has_the_address_0() {
    let check = |name, address| circulator(name).0.protocol().check_address(address);
    for (name, good, bad) in [
        ("julabo", [0, 32, 127], [128, 247, 255]),
        ("lauda", [0, 15, 127], [128, 200, 255]),
        ("neslab-nc", [1, 50, 100], [0, 101, 255]),
    ] {
        for address in good {
            assert_eq!(check(name, address), Ok(()), "{name} {address}");
        }
        for address in bad {
            assert!(check(name, address).is_err(), "{name} {address}");
        }
    }
    for name in ["huber-pb", "polyscience"] {
        assert_eq!(check(name, 0), Ok(()));
        assert!(check(name, 1).unwrap_err().contains("alone on its line: use 0"));
    }
}

/// What is said of the circulator `name` when one text of its profile is replaced by another.
fn broken(name: &str, from: &str, to: &str) -> String {
    let (_, text) = circulator(name);
    assert!(text.contains(from), "{from} is not in the profile");
    Profile::parse("x.toml", &text.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn the_rules_of_text_are_each_refused_by_name() {
    for (from, to, rule) in [
        ("protocol = \"text\"", "protocol = \"telnet\"", "must be one of modbus, text, huber-pb"),
        ("[text]", "[modbus]", "text: is missing"),
        ("write_end = \"CR\"", "write_end = \"TAB\"", "must be one of CR, LF, CRLF"),
        ("address_prefix = \"A000_\"", "address_prefix = \"A_\"", "one row of 1 to 3 zeros"),
        ("address_prefix = \"A000_\"", "address_prefix = \"A0_0\"", "one row of 1 to 3 zeros"),
        ("warm_up = [\"version\"]", "warm_up = [\"ver\\r\"]", "plain ASCII in one line"),
        ("identity = \"version\"", "identity = \"\"", "must not be empty"),
        ("pause_between_commands = \"250ms\"", "pause_between_commands = \"250\"", "\"…ms\""),
        ("decimals = 1\nunit = \"degC\"", "unit = \"degC\"", "decimals: is missing"),
        ("decimals = 1\nunit", "decimals = 0\nunit", "coarser than 0.1 °C"),
        ("decimals = 1\nunit", "decimals = 4\nunit", "from 0 to 3"),
        ("read = \"in_pv_00\"", "raed = \"in_pv_00\"", "unknown key; did you mean `read`?"),
        ("read = \"in_pv_00\"", "entity = \"coil\"\nread = \"x\"", "unknown key"),
        ("read = \"in_pv_00\"", "read = \"in_pv_°C\"", "plain ASCII"),
        (
            "data_type = \"CODE\"\nunit = \"mode\"",
            "data_type = \"DIGIT\"\nunit = \"mode\"",
            "digit",
        ),
        (
            "data_type = \"CODE\"\nunit = \"mode\"",
            "data_type = \"WORDS\"\nunit = \"mode\"",
            "words",
        ),
        (
            "data_type = \"CODE\"\nunit = \"mode\"",
            "digit = 1\nunit = \"mode\"",
            "only for data_type",
        ),
        ("out_sp_00 {}", "out_sp_00", "must have {} once"),
        ("out_sp_00 {}", "out {} {}", "must have {} once"),
        ("decimals = 2, answer = \"none\", off", "decimals = 2, off", "answer: is missing"),
        ("on_command = \"out_mode_05 1\", ", "", "command: is missing"),
        ("on_command = \"out_mode_05 1\"", "command = \"a {}\"", "either command, or on_command"),
        ("point = \"high_limit\", equals", "point = \"low\", equals", "there is no point low"),
        ("equals = [2, 3]", "equals = []", "must not be empty"),
        ("point = \"status\", equals = [-5], ", "point = \"status\", ", "say with equals"),
        (
            "point = \"status\", equals = [-5]",
            "point = \"heating\", equals = [1]",
            "is not a switch",
        ),
    ] {
        let error = broken("julabo", from, to);
        assert!(error.starts_with("x.toml:") && error.contains(rule), "{from} → {to}\n{error}");
    }
}

#[test]
fn the_rules_of_frames_are_each_refused_by_name() {
    for (name, from, to, rule) in [
        ("huber-pb", "[huber-pb]", "[huber_pb]", "did you mean `huber-pb`?"),
        ("huber-pb", "variable = 0x01", "variable = 0x100", "from 0 to 255"),
        ("huber-pb", "data_type = \"INT16\"", "data_type = \"INT32\"", "holds one word"),
        ("huber-pb", "bit = 0\n", "", "bit: is missing"),
        ("huber-pb", "scale = 0.01", "scale = 1", "coarser than 0.1 °C"),
        ("huber-pb", "write = {}", "write = { function = 6 }", "unknown key"),
        ("neslab-nc", "command = 0x20", "command = 300", "from 0 to 255"),
        ("neslab-nc", "data_type = \"QUALIFIED\"", "data_type = \"INT16\"", "QUALIFIED, QUALIFIER"),
        ("neslab-nc", "data_type = \"QUALIFIED\"", "data_type = \"QUALIFIER\"", "is QUALIFIED"),
        ("neslab-nc", "byte = 3\n", "", "byte: is missing"),
        ("neslab-nc", "byte = 3\nbit = 3", "byte = 3\nbit = 8", "from 0 to 7"),
        ("neslab-nc", "write = { item = 0 }", "write = { item = 8 }", "from 0 to 7"),
        ("neslab-nc", "write = { item = 0 }", "write = { command = 0x81 }", "a switch is an item"),
        ("neslab-nc", "command = 0xE0", "item = 1", "only for unit = \"switch\""),
    ] {
        let error = broken(name, from, to);
        assert!(error.starts_with("x.toml:") && error.contains(rule), "{from} → {to}\n{error}");
    }
}
