//! `holder device probe` says what its findings mean, and its exit code says it to a program.

use crate::rig::Desk;
use crate::simulator::Running;

/// A simulated device behind a socket, and its url.
fn on_a_socket(desk: &Desk, profile: &str) -> (Running, String) {
    let running = Running::start(desk, &format!("sim --device {profile} --tcp 127.0.0.1:0"));
    let url = format!("tcp://{}", running.address(0));
    (running, url)
}

#[test]
fn a_profile_that_does_not_fit_is_concluded_in_a_sentence_and_not_in_a_row_of_refusals() {
    let desk = Desk::empty();
    let (_running, url) = on_a_socket(&desk, "icpdas-tm-th8");
    let wrong = format!("device probe {url} --ids 1 --profile eurotherm-3200");
    let said = desk.run(&wrong).expect_code(1);
    for word in ["unit id 1 does not fit eurotherm-3200", "holder device list", url.as_str()] {
        assert!(said.stderr.contains(word), "no {word:?} in: {}", said.stderr);
    }
    assert_eq!(said.stdout.matches("refused with exception 0x02").count(), 1, "{}", said.stdout);
    assert!(said.stdout.contains("pv, target_setpoint"), "{}", said.stdout);
    assert!(!said.stdout.contains("[ ]"), "a legend of nothing: {}", said.stdout);
    let found = desk.run(&format!("{wrong} --json")).expect_code(1).json();
    assert_eq!(found["found"][0]["fit"], "unlike");
    // Its own profile fits, and so says one of several unit ids.
    let right = format!("device probe {url} --ids 1 --profile icpdas-tm-th8");
    let said = desk.run(&right).expect_code(0).stdout;
    assert!(said.contains("unit id 1 fits icpdas-tm-th8"), "{said}");
    // A single address that is not there.
    let said = desk.run(&format!("device probe {url} --ids 1 --address 4000")).expect_code(1);
    assert!(said.stderr.contains("count from 1"), "{}", said.stderr);
}

/// The temperature of the controller, at the address of a manual that counts from 1 read wrongly.
const ONE_ADDRESS_OFF: &str = r#"
title = "a controller, one address off"
protocol = "modbus"
source = "written for this story"
verified = "simulated"

[modbus]
function_codes = [3]
report_server_id = false

[[point]]
name = "pv"
usual_role = "bath"
title = "temperature of the bath"
entity = "holding_register"
address = 0
data_type = "INT16"
scale = 0.1
unit = "degC"
range = [-10, 110]
"#;

#[test]
fn a_temperature_that_is_true_at_another_address_only_is_told_with_that_address() {
    let desk = Desk::empty();
    let (_running, url) = on_a_socket(&desk, "eurotherm-3200");
    desk.write("station.toml", "name = \"x\"\ntime_zone = \"UTC\"\n");
    desk.write("profiles/mine.toml", ONE_ADDRESS_OFF);
    let said = desk.run(&format!("device probe {url} --ids 1 --profile mine")).expect_code(1);
    assert!(said.stdout.contains("[62.50]*"), "the neighbour is shown: {}", said.stdout);
    for word in ["does not fit mine", "pv at address 1", "62.50 °C"] {
        assert!(said.stderr.contains(word), "no {word:?} in: {}", said.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_circulator_has_no_unit_id_and_no_table_of_byte_orders() {
    let desk = Desk::empty();
    let running = Running::start(&desk, "sim --device julabo --pty line");
    let url = running.url(0);
    let factory = "line?baud=4800&parity=even&data_bits=7&flow=rtscts";
    assert!(url.ends_with(factory), "as its profile says: {url}");
    let said = desk.run(&format!("device probe {url} --profile julabo --timeout-ms 1000"));
    let said = said.expect_code(0).stdout;
    assert!(!said.contains("unit id") && !said.contains("byte order"), "{said}");
    assert!(said.contains("the device fits julabo, but for external"), "{said}");
    assert!(said.contains("no sensor is plugged in"), "{said}");
    let silent = desk.run(&format!("device probe {url} --profile lauda")).expect_code(4).stderr;
    assert!(silent.contains("flow control") && !silent.contains("unit id"), "{silent}");
}
