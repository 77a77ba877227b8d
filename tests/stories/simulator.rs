//! A client speaks to the simulator as to a machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use crate::rig::Desk;

/// A simulator in its own process; it is told to stop when the story ends.
pub(crate) struct Running {
    child: Child,
    served: serde_json::Value,
}

impl Running {
    pub(crate) fn start(desk: &Desk, line: &str) -> Self {
        let mut program = desk.program();
        program.arg("--json").args(line.split_whitespace());
        program.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = program.spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut document = String::new();
        for line in stdout.lines() {
            let line = line.expect("text");
            document.push_str(&line);
            if line == "]" {
                break;
            }
        }
        let served = serde_json::from_str(&document).expect("one document");
        Self { child, served }
    }

    pub(crate) fn address(&self, index: usize) -> &str {
        self.served[index]["address"].as_str().expect("an address")
    }

    /// As it would stand in station.toml.
    pub(crate) fn url(&self, index: usize) -> &str {
        self.served[index]["url"].as_str().expect("a url")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_device_stands_in_the_middle_of_a_hold_at_62_5() {
    let desk = Desk::empty();
    let running = Running::start(&desk, "sim --device eurotherm-3200 --tcp 127.0.0.1:0");
    let mut wire = TcpStream::connect(running.address(0)).expect("it listens");
    // Read holding register 1 of unit id 1, as the Modbus specification writes it.
    wire.write_all(&[0, 7, 0, 0, 0, 6, 1, 3, 0, 1, 0, 1]).expect("sent");
    let mut answer = [0; 11];
    wire.read_exact(&mut answer).expect("answered");
    assert_eq!(answer, [0, 7, 0, 0, 0, 5, 1, 3, 2, 0x02, 0x71], "625 tenths of a degree");
}

#[test]
fn a_unit_is_checked_and_read_through_all_of_its_devices() {
    let desk = Desk::training();
    let running = Running::start(&desk, "sim --unit station.toml:demo --tcp 127.0.0.1:0");
    let (panel, probes) = (running.address(0), running.address(2));
    let text = desk.read("station.toml");
    let text = text.replace("127.0.0.1:15021", panel).replace("127.0.0.1:15022", probes);
    desk.write("station.toml", &text);
    let read = desk.run("unit read demo --json").expect_code(0).json();
    assert_eq!(read["simulated"], true);
    let channels = read["channels"].as_array().expect("channels");
    let milk = channels.iter().find(|channel| channel["role"] == "milk-1").expect("a milk probe");
    assert_eq!(milk["quality"], "good");
    assert_eq!(milk["source"], "bottles.channel_1");
    let check = desk.run("unit check demo --json").expect_code(0).json();
    let lines = check.as_array().expect("lines");
    assert!(lines.iter().any(|line| line["text"] == "is a simulator"), "{check:#}");
    assert!(lines.iter().all(|line| line["grade"] != "bad"), "{check:#}");
    let shown = desk.run("unit read demo").expect_code(0).stdout;
    assert!(shown.contains("SIMULATED"), "{shown}");
}

#[test]
fn a_unit_that_is_not_marked_simulated_refuses_the_simulator() {
    let desk = Desk::training();
    let running = Running::start(&desk, "sim --unit station.toml:demo --tcp 127.0.0.1:0");
    let text = desk.read("station.toml");
    let text = text.replace("127.0.0.1:15021", running.address(0));
    let text = text.replace("127.0.0.1:15022", running.address(2));
    let text = text.replace("training = true", "training = false");
    desk.write("real/station.toml", &text.replace("simulated = true", "simulated = false"));
    let refused = desk.run("--dir real unit read demo").expect_code(1);
    assert!(refused.stderr.contains("is a simulator"), "{}", refused.stderr);
}

#[test]
fn a_port_in_use_is_named() {
    let desk = Desk::empty();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = taken.local_addr().expect("it listens");
    desk.run(&format!("sim --device eurotherm-3200 --tcp {at}"))
        .expect_refusal(&["port is in use", &at.to_string()]);
}

#[test]
fn what_cannot_be_simulated_says_why() {
    let desk = Desk::training();
    desk.run("sim --unit station.toml:dem").expect_refusal(&["did you mean \"demo\"?"]);
    desk.run("sim --unit nowhere.toml:demo").expect_refusal(&["nowhere.toml"]);
    desk.run("sim --device eurotherm --tcp 127.0.0.1:0").expect_refusal(&["device profile"]);
    desk.run("sim --device eurotherm-3200 --tcp 127.0.0.1:0 --load 100000")
        .expect_refusal(&["at most"]);
    for line in ["--unit demo", "--unit station.toml:demo --tcp 127.0.0.1:1502", "--speed 61"] {
        desk.run(&format!("sim {line}")).expect_code(2);
    }
    for line in ["--load -1", "--seed -1", "--speed -5"] {
        let answer = desk.run(&format!("sim --unit station.toml:demo {line}")).expect_code(2);
        assert!(answer.stderr.contains("invalid value"), "{line}: {}", answer.stderr);
    }
    let missing = desk.run("sim --unit nowhere.toml:demo").stderr;
    assert_eq!(missing.matches("No such file").count(), 1, "{missing}");
}

#[cfg(unix)]
#[test]
fn a_unit_is_watched_until_ctrl_c() {
    let desk = Desk::training();
    let running = Running::start(&desk, "sim --unit station.toml:demo --tcp 127.0.0.1:0");
    let text = desk.read("station.toml").replace("127.0.0.1:15021", running.address(0));
    let text = text.replace("127.0.0.1:15022", running.address(2));
    desk.write("station.toml", &text.replace("period_ms = 1000", "period_ms = 200"));
    desk.run("unit read demo --watch --json").expect_code(2);
    let mut program = desk.program();
    program.args(["unit", "read", "demo", "--watch"]).stdout(Stdio::piped());
    let mut watching = program.spawn().expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    let mut tables = 0;
    while tables < 3 {
        let line = lines.next().expect("it goes on").expect("text");
        assert!(!line.contains('\u{1b}'), "no terminal, no colours: {line}");
        tables += usize::from(line.starts_with("milk-1 "));
    }
    let id = watching.id().to_string();
    let told = std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill");
    assert!(told.success());
    assert!(watching.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn a_device_on_a_pty_is_opened_by_its_link_and_its_url_can_be_pasted() {
    let desk = Desk::empty();
    let running = Running::start(&desk, "sim --device eurotherm-3200 --pty line?baud=19200");
    let link = running.address(0).to_owned();
    assert_eq!(running.served[0]["url"], format!("rtu://{link}?baud=19200"));
    let mut wire = std::fs::File::options().read(true).write(true).open(&link).expect("a pty");
    // Register 1 of unit 1, as datasheets print it; the sum of the answer was reckoned by hand.
    wire.write_all(&[1, 3, 0, 1, 0, 1, 0xD5, 0xCA]).expect("sent");
    let mut answer = [0; 7];
    wire.read_exact(&mut answer).expect("answered");
    assert_eq!(answer, [1, 3, 2, 0x02, 0x71, 0x79, 0x00], "625 tenths of a degree");
}

#[test]
fn rtu_through_a_socket_has_the_faults_that_were_asked_for() {
    let desk = Desk::empty();
    let line = "sim --device eurotherm-3200 --rtu-over-tcp 127.0.0.1:0 --fault echo \
                --fault exception:code=4,on=read";
    let running = Running::start(&desk, line);
    let mut wire = TcpStream::connect(running.address(0)).expect("it listens");
    let asked = [1, 3, 0, 1, 0, 1, 0xD5, 0xCA];
    wire.write_all(&asked).expect("sent");
    let mut answer = [0; 13];
    wire.read_exact(&mut answer).expect("answered");
    assert_eq!(answer[..8], asked, "the adapter's echo");
    assert_eq!(answer[8..11], [1, 0x83, 4], "the device refuses");
}

#[cfg(unix)]
#[test]
fn a_place_or_a_fault_that_cannot_be_is_refused_with_what_to_write() {
    let desk = Desk::training();
    desk.write("precious", "not ours");
    let device = "sim --device eurotherm-3200";
    desk.run(&format!("{device} --pty precious")).expect_refusal(&["something is there already"]);
    desk.run(&format!("{device} --serial /dev/holder-none"))
        .expect_refusal(&["/dev/holder-none", "device ports"]);
    desk.run(&format!("{device} --pty line --fault echo:bus=oven"))
        .expect_refusal(&["no bus \"oven\"", "eurotherm-3200"]);
    for (line, says) in [
        (device.to_owned(), "say where"),
        (format!("{device} --pty a --tcp 127.0.0.1:0"), "say where"),
        (format!("{device} --pty line?speed=3"), "baud"),
        (format!("{device} --pty line --fault lat:ms=3"), "there are silence, late"),
        (format!("{device} --pty line --fault late:ms=0"), "1 to 600000"),
        ("sim --unit station.toml:demo --pty line".to_owned(), "no bus on a serial port"),
    ] {
        let refused = desk.run(&line).expect_code(2);
        assert!(refused.stderr.contains(says), "{line}: {}", refused.stderr);
    }
    assert_eq!(desk.read("precious"), "not ours");
}
