//! Every rule of a profile is broken once: the error names file, line, key, value and rule.

use super::codec_tests::try_point;
use super::shipped_tests::{EUROTHERM, RELAY};
use super::*;

/// The error of a shipped profile in which one text is replaced by another.
fn broken(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in the profile");
    Profile::parse("x.toml", &text.replacen(from, to, 1)).unwrap_err().to_string()
}

fn line_of(text: &str, start: &str) -> usize {
    1 + text.lines().position(|line| line.starts_with(start)).unwrap()
}

fn point_error(lines: &str) -> String {
    try_point(lines).unwrap_err().to_string()
}

const HOLDING: &str = "entity = \"holding_register\"\n";
const WHOLE: &str = "data_type = \"INT16\"\nunit = \"degC\"\nrange = [0, 99]\n";

#[test]
fn an_unknown_key_is_refused_and_the_nearest_one_named() {
    let error = broken(EUROTHERM, "scale = 0.1", "scael = 0.1");
    let line = line_of(EUROTHERM, "scale = 0.1");
    let rule = "point.pv.scael = 0.1: unknown key; did you mean `scale`?";
    assert_eq!(error, format!("x.toml:{line}: {rule}"));
    let error = broken(EUROTHERM, "quirks = [", "qirks = [");
    assert!(
        error.starts_with("x.toml:8: qirks = [: unknown key; did you mean `quirks`?"),
        "{error}"
    );
    let error = broken(RELAY, "report_server_id = true", "report_server_id = true\nfoo = 1");
    assert!(
        error.contains("modbus.foo = 1: unknown key; known here are function_codes"),
        "{error}"
    );
}

#[test]
fn a_word_out_of_the_vocabulary_is_refused_and_the_nearest_one_named() {
    let error = broken(EUROTHERM, "data_type = \"INT16\"", "data_type = \"INT-16\"");
    let line = line_of(EUROTHERM, "data_type");
    let rule = "must be one of BIT, INT16, UINT16, INT32, UINT32, FLOAT32; did you mean \"INT16\"?";
    assert_eq!(error, format!("x.toml:{line}: point.pv.data_type = \"INT-16\": {rule}"));
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let error = broken(EUROTHERM, "address = 26", "address = = 26");
    let line = line_of(EUROTHERM, "address = 26");
    let start = format!("x.toml:{line}: address = = 26: this is not TOML:");
    assert!(error.starts_with(&start), "{error}");
}

#[test]
fn a_temperature_coarser_than_a_tenth_is_refused() {
    for lines in [
        format!("{HOLDING}{WHOLE}scale = 1"),
        format!("{HOLDING}{WHOLE}scale = 0.101"),
        format!("{HOLDING}{WHOLE}"),
        format!("{HOLDING}{WHOLE}scale = 0.5").replace("degC", "degF") + "\nconvert = \"degC\"",
    ] {
        let error = point_error(&lines);
        assert!(error.contains("coarser than 0.1 °C: 62.5 could not be told"), "{error}");
    }
    assert!(try_point(&format!("{HOLDING}{WHOLE}scale = 0.1")).is_ok());
}

#[test]
fn fahrenheit_needs_to_be_asked_for() {
    let lines = format!("{HOLDING}{WHOLE}scale = 0.1").replace("degC", "degF");
    let error = point_error(&lines);
    assert!(error.contains("p.unit = \"degF\": temperatures are in degC"), "{error}");
    let error = point_error(&format!("{HOLDING}{WHOLE}scale = 0.1\nconvert = \"degC\""));
    assert!(error.contains("only for unit = \"degF\""), "{error}");
}

#[test]
fn the_rules_of_one_point_are_each_refused_by_name() {
    let tenths = "unit = \"degC\"\nrange = [0, 99]\nscale = 0.1\n";
    let cases: [(String, &str); 17] = [
        (format!("{HOLDING}{WHOLE}scale = 0"), "from 0.000000001 to 1000"),
        (format!("{HOLDING}{WHOLE}scale = \"0.1\""), "must be a number"),
        (
            format!("{HOLDING}data_type = \"INT16\"\nunit = \"degC\"\nscale = 0.1"),
            "p.range: is missing",
        ),
        (format!("{HOLDING}{tenths}").replace("[0, 99]", "[99, 0]"), "data_type: is missing"),
        (
            format!("{HOLDING}data_type = \"INT16\"\n{tenths}").replace("[0, 99]", "[99, 0]"),
            "must be below",
        ),
        (
            format!("{HOLDING}data_type = \"INT16\"\n{tenths}").replace("[0, 99]", "[0]"),
            "[lowest, highest]",
        ),
        (format!("{HOLDING}data_type = \"BIT\"\nunit = \"switch\""), "p.bit: is missing"),
        (format!("{HOLDING}data_type = \"BIT\"\nbit = 16\nunit = \"switch\""), "from 0 to 15"),
        (
            format!("{HOLDING}data_type = \"BIT\"\nbit = 1\nunit = \"degC\"\nrange = [0, 1]"),
            "one bit is no temperature",
        ),
        (
            "entity = \"coil\"\ndata_type = \"INT16\"\nunit = \"switch\"".into(),
            "a coil holds one BIT",
        ),
        ("entity = \"coil\"\nunit = \"switch\"\nrange = [0, 1]".into(), "a switch has no range"),
        ("entity = \"coil\"\nunit = \"switch\"\non = 0".into(), "on and off must differ"),
        (
            "entity = \"coil\"\nunit = \"switch\"\nwrite = { function = 5 }".into(),
            "p.verify: is missing",
        ),
        (
            "entity = \"coil\"\nunit = \"switch\"\nwrite_only = true".into(),
            "a write_only point needs it",
        ),
        (
            "entity = \"coil\"\nunit = \"switch\"\nwrite = { function = 15 }\nverify = {}".into(),
            "5, 6 or 16",
        ),
        (
            format!(
                "{HOLDING}data_type = \"INT16\"\n{tenths}sentinels = [{{ value = 1, quality = \"good\", meaning = \"x\" }}]"
            ),
            "must be one of out-of-range, sensor-open, stale",
        ),
        (
            format!("{HOLDING}data_type = \"INT16\"\n{tenths}verified = \"perhaps\""),
            "must be one of unverified, manual",
        ),
    ];
    for (lines, rule) in cases {
        let error = point_error(&lines);
        assert!(error.starts_with("p.toml:") && error.contains(rule), "{lines}\n→ {error}");
    }
}

#[test]
fn an_address_and_its_span_stay_within_the_address_space() {
    let float =
        "entity = \"holding_register\"\ndata_type = \"FLOAT32\"\nunit = \"degC\"\nrange = [0, 99]";
    for (address, rule) in [
        ("65535", "2 addresses from here go past 65535"),
        ("65536", "must be a whole number from 0 to 65535"),
        ("-1", "must be a whole number from 0 to 65535"),
        ("1.5", "must be a whole number from 0 to 65535"),
    ] {
        let error = broken(EUROTHERM, "address = 0x8002", &format!("address = {address}"));
        assert!(error.contains("point.pv_float.address") && error.contains(rule), "{error}");
    }
    assert!(try_point(float).is_ok());
}

#[test]
fn the_rules_between_points_and_device_are_each_refused_by_name() {
    let cases = [
        (EUROTHERM, "name = \"pv_float\"", "name = \"pv\"", "point.pv.name = \"pv\": two points"),
        (EUROTHERM, "[3, 6, 16]", "[6, 16]", "takes function 3, not in function_codes"),
        (EUROTHERM, "[3, 6, 16]", "[3, 16]", "function 6 is not in function_codes"),
        (EUROTHERM, "[3, 6, 16]", "[3, 6, 22]", "this program can send functions"),
        (EUROTHERM, "words_per_read_max = 16", "words_per_read_max = 1", "longer than words_per"),
        (EUROTHERM, "point = \"sensor_break\"", "point = \"sensor\"", "there is no point sensor;"),
        (EUROTHERM, "point = \"sensor_break\"", "point = \"pv\"", "pv is not a switch"),
        (EUROTHERM, "point = \"remote_select\"", "point = \"pv\"", "pv cannot be written"),
        (EUROTHERM, "off_value = 0", "off_value = -5", "off_value is outside the range"),
        (EUROTHERM, "[\"remote_setpoint\"]", "[\"target_setpoint\"]", "would wear it out"),
        (EUROTHERM, "[\"remote_setpoint\"]", "[\"pv\"]", "pv cannot be written"),
        (EUROTHERM, "within = \"5s\"", "within = \"5\"", "must be \"…ms\" or \"…s\""),
        (EUROTHERM, "within = \"5s\"", "within = \"0s\"", "leave the table out"),
        (EUROTHERM, "point = \"display_units\"", "point = \"unit\"", "there is no point unit"),
        (EUROTHERM, "equals = 0", "equals = 70000", "does not fit into the UINT16"),
        (EUROTHERM, "protocol = \"modbus\"", "protocol = \"modbos\"", "did you mean \"modbus\"?"),
        (RELAY, "function = 5", "function = 6", "function 6 is not in function_codes"),
    ];
    for (text, from, to, rule) in cases {
        let error = broken(text, from, to);
        assert!(error.starts_with("x.toml:") && error.contains(rule), "{from} → {to}\n→ {error}");
    }
}

#[test]
fn a_float_cannot_be_written_by_a_function_for_one_register() {
    let error = point_error(
        "entity = \"holding_register\"\ndata_type = \"FLOAT32\"\nunit = \"degC\"\n\
         range = [0, 99]\nwrite = { function = 6 }\nverify = {}",
    );
    assert!(error.contains("function 6 cannot write a FLOAT32 of a holding_register"), "{error}");
}

#[test]
fn an_empty_file_says_what_it_lacks() {
    let error = Profile::parse("empty.toml", "").unwrap_err();
    assert_eq!(error.to_string(), "empty.toml:1: title: is missing: maker and model, in words");
}

#[test]
fn the_same_measurement_is_named_by_a_temperature_that_exists() {
    let same = "same_as = \"pv\"";
    for (to, rule) in [
        ("same_as = \"pw\"", "there is no point pw; there are pv, "),
        ("same_as = \"sensor_break\"", "one temperature names another, which names none itself"),
        ("same_as = \"pv_float\"", "one temperature names another, which names none itself"),
    ] {
        let error = broken(EUROTHERM, same, to);
        let line = line_of(EUROTHERM, same);
        let start = format!("x.toml:{line}: point.pv_float.{to}: {rule}");
        assert!(error.starts_with(&start), "{error}");
    }
}
