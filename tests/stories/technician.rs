//! The person with the screwdriver: what is plugged in, who answers, does the machine do what its
//! description says, and what went over the wire.

use std::process::Stdio;

use crate::rig::{Answer, Desk};
use crate::simulator::Running;

/// A training station whose unit is served by a simulator.
fn served(speed: u32) -> (Desk, Running) {
    let desk = Desk::training();
    let line = format!("sim --unit station.toml:demo --tcp 127.0.0.1:0 --speed {speed}");
    let running = Running::start(&desk, &line);
    let text = desk.read("station.toml").replace("127.0.0.1:15021", running.address(0));
    desk.write("station.toml", &text.replace("127.0.0.1:15022", running.address(2)));
    (desk, running)
}

/// What `unit check` says of the commissioning.
fn known(desk: &Desk) -> String {
    let shown = desk.run("unit show demo --json").expect_code(0).json();
    shown["commissioning"].as_str().expect("a sentence").to_owned()
}

#[test]
fn a_unit_is_commissioned_with_water_and_the_journal_says_so_until_it_is_changed() {
    let desk = Desk::training();
    assert!(known(&desk).contains("not commissioned yet"));
    let done = desk.run("unit commission demo --fast --yes --json").expect_code(0).json();
    assert_eq!((done["outcome"].as_str(), done["who"].as_str()), (Some("passed"), Some("ana")));
    assert_eq!(done["simulated"], true);
    let steps = done["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 8);
    let heating = steps.iter().find(|step| step["step"] == "heating").expect("it heats");
    assert_eq!(heating["outcome"], "passed");
    assert!(heating["figures"]["rate_c_per_min"].as_f64().expect("a figure") > 0.5);
    assert!(done["curve"]["rows"].as_array().expect("rows").len() > 10);
    assert!(known(&desk).contains("by ana, as it is described now"), "{}", known(&desk));
    desk.run("db verify").expect_code(0);
    // A new certificate is no new machine; another relay is.
    let text = desk.read("station.toml").replace("SIM-0002", "K-77");
    desk.write("station.toml", &text);
    assert!(known(&desk).contains("as it is described now"));
    desk.write("station.toml", &text.replace("relays.relay_1", "relays.relay_3"));
    assert!(known(&desk).contains("its description has changed since"), "{}", known(&desk));
}

#[test]
fn a_real_machine_is_never_commissioned_by_itself() {
    let desk = Desk::empty();
    desk.run("init . --name Bank --time-zone UTC").expect_code(0);
    for option in ["--yes", "--speed 60", "--fast --yes"] {
        let line = format!("unit commission past-1 {option}");
        let refused = desk.run(&line).expect_code(1);
        assert!(refused.stderr.contains("real hardware"), "{}", refused.stderr);
    }
    // Nobody at the keyboard: the end of the input is a no.
    let refused = desk.run("unit commission past-1").expect_code(1);
    for word in ["nothing was switched", "If it may be heating: holder unit off past-1"] {
        assert!(refused.stderr.contains(word), "no {word} in {}", refused.stderr);
    }
}

#[test]
fn who_answers_on_a_bus_is_found_and_a_register_is_shown_in_every_order_and_unit() {
    let (desk, running) = served(1);
    let url = format!("tcp://{}", running.address(0));
    let found = desk.run(&format!("device probe {url} --ids 1-4 --timeout-ms 200 --json"));
    let found = found.expect_code(0).json();
    let ids: Vec<i64> = found["found"]
        .as_array()
        .expect("some")
        .iter()
        .filter_map(|one| one["unit_id"].as_i64())
        .collect();
    assert_eq!(ids, [1, 2], "controller and relays");
    let line = format!("device probe {url} --ids 1 --profile eurotherm-3200");
    let shown = desk.run(&line).expect_code(0).stdout;
    for word in ["ABCD", "CDAB", "BADC", "DCBA", "degC", "degF", "[22.", "pv_float"] {
        assert!(shown.contains(word), "no {word} in {shown}");
    }
    let points = desk.run(&format!("{line} --point pv --json")).expect_code(0).json();
    let reads = points["found"][0]["points"][0]["reads"].as_array().expect("reads").clone();
    assert_eq!(
        reads.iter().filter_map(|read| read["address"].as_i64()).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let silent = desk.run(&format!("device probe {url} --ids 9 --timeout-ms 100")).expect_code(4);
    assert!(silent.stderr.contains("A and B") && silent.stderr.contains(&url), "{}", silent.stderr);
    for line in [
        "device probe tcp://127.0.0.1:0",
        "device probe tcp://127.0.0.1:502 --ids 0",
        "device probe tcp://127.0.0.1:502 --profile julabo",
        "device probe serial:///dev/ttyS9",
        "device probe tcp://127.0.0.1:502 --ids 5-1",
    ] {
        desk.run(line).expect_code(2);
    }
}

#[test]
fn what_goes_over_the_wire_is_kept_and_shown_in_words() {
    let (desk, _running) = served(1);
    let said = desk.run("unit read demo --capture read.capture").expect_code(0).stderr;
    assert!(said.contains("holder device replay read.capture"), "{said}");
    let replay = desk.run("device replay read.capture --json").expect_code(0).json();
    assert_eq!(replay["unit"], "demo");
    assert_eq!(replay["ended"], true);
    assert_eq!(replay["figures"]["questions"], replay["figures"]["answers"]);
    let exchanges = replay["exchanges"].as_array().expect("exchanges");
    let bath = exchanges.iter().find(|one| one["question"] == "read holding_register 1");
    let bath = bath.expect("the bath was read");
    assert_eq!(bath["device"], "controller");
    let value = bath["values"][0].as_str().expect("decoded by the profile");
    assert!(value.starts_with("pv = 22."), "{value}");
    let shown = desk.run("device replay read.capture").expect_code(0).stdout;
    assert!(shown.contains("questions") && shown.contains("usually"), "{shown}");
    desk.run("unit check demo --capture read.capture")
        .expect_refusal(&["read.capture", "never overwritten"]);
    for (place, why) in [
        (".", "is a folder"),
        ("/dev/null", "is a device"),
        ("nowhere/x.capture", "there is no folder nowhere"),
    ] {
        let said = desk.run(&format!("unit read demo --capture {place}"));
        said.expect_refusal(&[place, why]);
    }
    desk.write("other.txt", "hello\n");
    desk.run("device replay other.txt").expect_refusal(&["other.txt", "--capture"]);
}

#[test]
fn the_ports_of_this_computer_are_one_document() {
    let desk = Desk::empty();
    let ports = desk.run("device ports --json").expect_code(0).json();
    for port in ports.as_array().expect("a list") {
        assert!(port["url_rtu"].as_str().is_some_and(|url| url.starts_with("rtu:///")), "{port}");
    }
    assert!(!desk.run("device ports").expect_code(0).stdout.is_empty());
}

#[test]
fn a_serial_port_that_is_not_there_is_told_before_anything_is_tried() {
    let desk = Desk::training();
    let text = desk.read("station.toml");
    let text = text.replace("tcp://127.0.0.1:15022", "rtu:///dev/ttyUSB97?baud=19200");
    desk.write("station.toml", &text);
    let Answer { code, stdout, .. } = desk.run("unit check demo");
    assert_eq!(code, 4, "{stdout}");
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("/dev/ttyUSB97 is not there"), "{words}");
    assert!(words.contains("use its name under /dev/serial/by-id"), "{words}");
}

#[test]
fn a_new_certificate_goes_into_the_journal_with_the_reason() {
    let desk = Desk::training();
    desk.run("run demo --water --fast --yes");
    let text = desk.read("station.toml").replace("SIM-0002", "K-77");
    desk.write("station.toml", &text.replace("# margin_c = 0.1", "margin_c = 0.1"));
    let mut program = desk.program();
    program.args(["run", "demo", "--water", "--fast", "--yes", "--reason", "sensor replaced"]);
    let said = Answer::of(program.output().expect("it starts")).stderr;
    assert!(said.contains("certificate K-77 of bottles.channel_0"), "{said}");
    let shown = desk.run("unit show demo --json").expect_code(0).json();
    let rows = shown["declared"].as_array().expect("rows");
    let why = |what: &str| {
        let row = rows.iter().find(|row| row["what"].as_str().is_some_and(|w| w.contains(what)));
        row.expect("it is there")["why"].clone()
    };
    assert_eq!(why("K-77"), "sensor replaced");
    assert_eq!(why("margin 0.1"), "sensor replaced");
    assert_eq!(why("SIM-0003"), "as written in station.toml");
    desk.run("db verify").expect_code(0);
}

/// REQ-CAL-01
#[test]
fn an_overdue_certificate_blocks_the_start_with_its_number_and_date() {
    let desk = Desk::training();
    let text = desk.read("station.toml").replacen("2099-12-31", "2026-02-01", 1);
    desk.write("station.toml", &text);
    desk.run("run demo --water --fast --yes").expect_refusal(&[
        "controller.pv",
        "SIM-0001",
        "2026-02-01",
        "overdue",
    ]);
    let words = desk.run("unit check demo").stdout;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("calibration overdue: controller.pv (SIM-0001)"), "{words}");
    assert!(words.contains("was valid until 2026-02-01"), "{words}");
}

/// A simulated device on a pty, and its url.
#[cfg(unix)]
fn on_a_pty(profile: &str) -> (Desk, Running, String) {
    let desk = Desk::empty();
    let running = Running::start(&desk, &format!("sim --device {profile} --pty line"));
    let scheme = if profile == "eurotherm-3200" { "rtu" } else { "serial" };
    let url = format!("{scheme}://{}", desk.path("line").display());
    (desk, running, url)
}

#[cfg(unix)]
#[test]
fn devices_on_serial_lines_are_found_and_their_traffic_is_shown() {
    let (desk, _running, url) = on_a_pty("eurotherm-3200");
    let line = format!("device probe {url} --ids 1-2 --timeout-ms 500 --profile eurotherm-3200");
    let found = desk.run(&format!("{line} --point pv --capture rtu.capture --json"));
    let found = found.expect_code(0).json();
    assert_eq!(found["found"].as_array().map(Vec::len), Some(1), "{found:#}");
    assert_eq!(found["found"][0]["points"][0]["reads"][1]["raw"], "0x0271", "62.5 °C in tenths");
    let shown = desk.run("device replay rtu.capture").expect_code(0).stdout;
    assert!(shown.contains("pv = 62.500 °C") && shown.contains("NO-ANSWER"), "{shown}");

    let (desk, _running, url) = on_a_pty("julabo");
    let line = format!("device probe {url} --profile julabo --timeout-ms 1000");
    let shown = desk.run(&format!("{line} --capture text.capture")).expect_code(0).stdout;
    assert!(shown.contains("62.5"), "{shown}");
    let shown = desk.run("device replay text.capture").expect_code(0).stdout;
    assert!(shown.contains("in_pv_00") && shown.contains("= 62.5"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_another_program_speaks_on_is_refused_with_its_name_and_number() {
    let (desk, _running, url) = on_a_pty("eurotherm-3200");
    desk.run("init . --training --time-zone UTC").expect_code(0);
    let text = desk.read("station.toml").replace("tcp://127.0.0.1:15021", &url);
    desk.write("station.toml", &text);
    let mut program = desk.program();
    // Silent unit ids keep it busy while the others try.
    program.args(["device", "probe", &url, "--ids", "2-200", "--timeout-ms", "500"]);
    program.stdout(Stdio::null()).stderr(Stdio::null());
    let mut busy = program.spawn().expect("it starts");
    let probe = format!("device probe {url} --ids 1 --timeout-ms 100");
    let held = (0..50).any(|_| desk.run(&probe).stderr.contains("is held by"));
    let tried = [&probe, "unit read demo", "run demo --water"].map(|line| desk.run(line));
    let id = busy.id();
    busy.kill().expect("it can be stopped");
    busy.wait().expect("it ends");
    assert!(held, "the first one has the port");
    for said in tried {
        let said = said.expect_code(4).stderr;
        let path = desk.path("line").display().to_string();
        for word in [&path, &format!("is held by holder (process {id})"), "End that program"] {
            assert!(said.contains(word), "no {word:?} in: {said}");
        }
    }
}

/// A solid-state relay that takes a share of full power, as a maker's sheet would describe it.
const POWER_MODULE: &str = r#"
title = "solid-state relay with a register for its share of full power"
protocol = "modbus"
source = "written for this story"
verified = "simulated"

[modbus]
function_codes = [3, 6]
report_server_id = true

[[point]]
name = "duty"
usual_role = "power"
title = "share of full power"
entity = "holding_register"
address = 10
data_type = "UINT16"
scale = 0.1
unit = "percent"
range = [0, 100]
write = { function = 6 }
verify = { tolerance = 0.1 }
"#;

#[test]
fn a_unit_that_is_driven_by_power_is_checked_commissioned_and_run() {
    let desk = Desk::training();
    desk.write("profiles/power-module.toml", POWER_MODULE);
    let text = desk.read("station.toml");
    let text = text
        .replace("setpoint = \"controller.remote_setpoint\"\n", "power = \"ssr.duty\"\n")
        .replace("heater = \"controller.instrument_mode\"\n", "")
        .replace(
            "[unit.demo.roles]",
            "[unit.demo.device.ssr]\nprofile = \"power-module\"\nbus = \"panel\"\naddress = 5\n\n\
             [unit.demo.heater]\npower_w = 6000\nbath_j_per_k = 173200\ndelay_s = 26\n\n\
             [unit.demo.roles]",
        );
    desk.write("station.toml", &text);
    let done = desk.run("unit commission demo --fast --yes --json").expect_code(0).json();
    let steps = done["steps"].as_array().expect("steps");
    let step = |word: &str| steps.iter().find(|step| step["step"] == word).expect("it is there");
    assert_eq!(step("heating")["outcome"], "passed", "{done:#}");
    let expected = step("off")["expected"].as_str().expect("a sentence");
    assert!(expected.contains("within 104 s"), "four times its delay: {expected}");
    let ran = desk.run("run demo --water --fast --yes --json").expect_code(0).json();
    assert_eq!(ran["verdict"]["outcome"], "acceptable", "{ran:#}");
}
