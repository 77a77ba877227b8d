//! The rules that the families brought: scales in the device, watchdogs to be armed, commands.

use super::shipped_tests::text;
use super::*;

/// The error of a shipped profile in which one text is replaced by another.
fn broken(name: &str, from: &str, to: &str) -> String {
    let shipped = text(name);
    assert!(shipped.contains(from), "{from} is not in {name}");
    Profile::parse("x.toml", &shipped.replacen(from, to, 1)).unwrap_err().to_string()
}

fn refused(name: &str, from: &str, to: &str, words: &[&str]) {
    let error = broken(name, from, to);
    assert!(error.starts_with("x.toml:") && !error.starts_with("x.toml:1:"), "{error}");
    for word in words {
        assert!(error.contains(word), "{word} is not in: {error}");
    }
}

const SCALE: &str = "scale_from = { point = \"decimals\" }";

#[test]
fn a_scale_in_the_device_is_a_whole_number_that_can_be_read() {
    let to = |point: &str| format!("scale_from = {{ point = \"{point}\" }}");
    let cases = [
        (to("decimal"), "there is no point decimal"),
        (to("heat_output"), "heat_output must be a whole number that can be read"),
        (to("by_hand"), "by_hand must be a whole number that can be read"),
        ("scale_from = \"decimals\"".to_owned(), "must be a table"),
        (format!("{SCALE}\nscale = 0.1"), "either scale, or scale_from"),
        ("scale_from = { points = \"decimals\" }".to_owned(), "did you mean `point`?"),
    ];
    for (to, rule) in cases {
        refused("autonics-tk", SCALE, &to, &["point.pv", rule]);
    }
}

#[test]
fn only_whole_numbers_of_degrees_or_percent_take_a_scale_from_the_device() {
    let float = format!("data_type = \"FLOAT32\"\n{SCALE}");
    let whole = format!("data_type = \"INT16\"\n{SCALE}");
    refused("autonics-tk", &whole, &float, &["point.pv.scale_from", "only for whole numbers"]);
    let unit = format!("data_type = \"UINT16\"\n{SCALE}\nunit = \"mode\"");
    let mode = "data_type = \"UINT16\"\nunit = \"mode\"";
    refused("autonics-tk", mode, &unit, &["point.decimals", "only for degrees and percent"]);
}

#[test]
fn a_raw_number_means_nothing_for_a_point_whose_scale_stands_in_the_device() {
    let by_hand = "needs = [{ point = \"by_hand\", equals = 0 }]";
    let setpoint = "needs = [{ point = \"setpoint\", equals = 0 }]";
    let words = ["point.run.write", "setpoint has its scale in the device"];
    refused("autonics-tk", by_hand, setpoint, &words);
    let check = "point = \"unit\"\nequals = 0";
    let pv = "point = \"pv\"\nequals = 0";
    refused("autonics-tk", check, pv, &["check.pv.equals", "a raw number means nothing"]);
}

#[test]
fn what_gives_heat_needs_the_watchdog_that_must_be_armed() {
    let armed = "{ point = \"off_line_ms\", equals = 5000 }";
    let needs = format!("needs = [{armed}]");
    let rule = "gives heat, so its needs must have the watchdog: { point = \"off_line_ms\", equals \
                = 5000 }";
    refused("pixsys-drr245", &needs, "needs = []", &["point.setpoint.write", rule]);
    let shorter = needs.replace("5000", "4000");
    refused("pixsys-drr245", &needs, &shorter, &["point.setpoint.write", rule]);
    refused("pixsys-drr245", &format!("    {armed},\n"), "", &["point.start.write", rule]);
}

#[test]
fn a_watchdog_is_armed_by_a_point_that_can_be_written_and_read() {
    let by = |point: &str| format!("armed_by = {{ point = \"{point}\", equals = 5000 }}");
    for (point, rule) in [
        ("off_line", "there is no point off_line"),
        ("heat_output", "heat_output must be writable, and readable"),
    ] {
        refused("pixsys-drr245", &by("off_line_ms"), &by(point), &["watchdog.armed_by", rule]);
    }
    let huge = by("off_line_ms").replace("5000", "70000");
    let words = ["watchdog.armed_by", "70000 does not fit into the UINT16"];
    refused("pixsys-drr245", &by("off_line_ms"), &huge, &words);
}

#[test]
fn a_profile_that_asks_for_more_than_the_device_allows_is_refused() {
    for (name, from, to, words) in [
        ("delta-dtb", "words_per_read_max = 8", "words_per_read_max = 126", "from 1 to 125"),
        ("delta-dtb", "bits_per_read_max = 16", "bits_per_read_max = 2001", "from 1 to 2000"),
        ("delta-dtb", "bits_per_read_max = 16", "bits_per_read_max = 0", "from 1 to 2000"),
        ("delta-dtb", "[2, 3, 5, 6]", "[3, 5, 6]", "takes function 2, not in function_codes"),
        ("delta-dtb", "[2, 3, 5, 6]", "[2, 3, 6]", "function 5 is not in function_codes"),
        (
            "delta-dtb",
            "write = { function = 6 }",
            "write = { function = 16 }",
            "function 16 is not",
        ),
        ("watlow-ez-zone-pm", "{ function = 16,", "{ function = 6,", "cannot write a FLOAT32"),
        (
            "watlow-ez-zone-pm",
            "words_per_read_max = 16",
            "words_per_read_max = 1",
            "is longer than",
        ),
        ("watlow-ez-zone-pm", "address = 2172", "address = 65535", "go past 65535"),
        ("watlow-ez-zone-pm", "address = 2172", "address = 65536", "from 0 to 65535"),
        ("watlow-ez-zone-pm", "convert = \"degC\"\n", "", "add convert = \"degC\""),
        ("novus-n1200", "scale = 0.1", "scale = 1", "coarser than 0.1 °C"),
    ] {
        refused(name, from, to, &[words]);
    }
}

#[test]
fn a_command_that_cannot_be_read_is_proved_by_a_point_that_can() {
    let proof = "verify = { point = \"running\" }";
    refused("omron-e5cc", proof, "verify = {}", &["point.run", "cannot be read back"]);
    let mode = "verify = { point = \"decimals\" }";
    refused("omron-e5cc", proof, mode, &["point.run", "decimals has another unit"]);
}

#[test]
fn a_memory_that_wears_out_is_never_refreshed_by_a_watchdog() {
    let fed = "fed_by = []";
    let worn = "fed_by = [\"setpoint\"]";
    let words = ["watchdog.fed_by", "feeding it would wear it out"];
    refused("pixsys-drr245", fed, worn, &words);
}

#[test]
fn a_check_concerns_points_that_exist() {
    let words = ["check.zone_2_comms_units.concerns", "there is no point zone_2_pw"];
    refused("watlow-gateway", "[\"zone_2_pv\",", "[\"zone_2_pw\",", &words);
}
