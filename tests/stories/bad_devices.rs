//! Devices that are not as they should be: each message names the device, the port, the field,
//! what came back in hex, and what to try.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use crate::rig::Desk;

/// What a device does with a write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writes {
    /// Takes it.
    Kept,
    /// Says yes, and stays as it is: a read-only mode.
    Ignored,
    /// Refuses writes to this register with this exception.
    Refused(u16, u8),
}

/// Unit id, table and address.
type Cell = (u8, u8, u16);

/// A cell that is not as in a bench that is well; `None` takes it away.
type Change = (Cell, Option<u16>);

/// Registers by unit id, table and address, behind one socket.
struct Cells {
    cells: std::sync::Mutex<HashMap<Cell, u16>>,
    writes: Writes,
}

impl Cells {
    /// A controller with unit id 1, relays with 2 and thermistors with 3, all well.
    fn well() -> HashMap<Cell, u16> {
        let mut cells = HashMap::new();
        let controller = [
            (1, 220),
            (2, 0),
            (4, 0),
            (5, 0),
            (26, 0),
            (75, 0),
            (199, 1),
            (276, 0),
            (516, 0),
            (525, 1),
        ];
        cells.extend(controller.map(|(address, value)| ((1, 3, address), value)));
        for address in 0..8 {
            cells.insert((2, 1, address), 0);
            cells.insert((2, 2, address), u16::from(address == 0));
            cells.insert((3, 4, address), 220);
            cells.insert((3, 2, 128 + address), 0);
        }
        cells.extend([
            ((3, 1, 266), 1),
            ((3, 1, 268), 1),
            ((1, 3, 0x8002), 0x41B0),
            ((1, 3, 0x8003), 0),
        ]);
        cells
    }

    /// The answer to a question; `None` is silence.
    fn answer(&self, unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
        let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
        let mut cells = self.cells.lock().expect("cells");
        if !cells.keys().any(|(known, ..)| *known == unit) {
            return None;
        }
        Some(match pdu[0] {
            table @ 1..=4 => {
                let wanted = word(1)..word(1) + word(3);
                let values: Option<Vec<u16>> =
                    wanted.map(|address| cells.get(&(unit, table, address)).copied()).collect();
                match values {
                    None => vec![table | 0x80, 2],
                    Some(values) if table > 2 => {
                        let data: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
                        [&[table, u8::try_from(data.len()).expect("short")], data.as_slice()]
                            .concat()
                    }
                    Some(values) => {
                        let byte = |bits: &[u16]| {
                            bits.iter()
                                .rev()
                                .fold(0_u8, |byte, bit| (byte << 1) | u8::from(*bit != 0))
                        };
                        let data: Vec<u8> = values.chunks(8).map(byte).collect();
                        [&[table, u8::try_from(data.len()).expect("short")], data.as_slice()]
                            .concat()
                    }
                }
            }
            function @ (5 | 6) => match self.writes {
                Writes::Refused(address, code) if address == word(1) => vec![function | 0x80, code],
                Writes::Ignored => pdu.to_vec(),
                Writes::Kept | Writes::Refused(..) => {
                    let value = if function == 5 { u16::from(pdu[3] == 0xFF) } else { word(3) };
                    cells.insert((unit, if function == 5 { 1 } else { 3 }, word(1)), value);
                    pdu.to_vec()
                }
            },
            function => vec![function | 0x80, 1],
        })
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut head = [0; 7];
        while stream.read_exact(&mut head).is_ok() {
            let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
            if stream.read_exact(&mut pdu).is_err() {
                return;
            }
            let Some(answer) = self.answer(head[6], &pdu) else { continue };
            let length = u16::try_from(answer.len() + 1).expect("short").to_be_bytes();
            let frame = [&head[..4], &length, &head[6..7], answer.as_slice()].concat();
            if stream.write_all(&frame).is_err() {
                return;
            }
        }
    }
}

/// A device bench behind one socket, for as long as the story runs.
fn bench(change: &[Change], writes: Writes) -> SocketAddr {
    let mut cells = Cells::well();
    for (at, value) in change {
        match value {
            Some(value) => drop(cells.insert(*at, *value)),
            None => drop(cells.remove(at)),
        }
    }
    let cells = Arc::new(Cells { cells: std::sync::Mutex::new(cells), writes });
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("it listens");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let cells = Arc::clone(&cells);
            std::thread::spawn(move || cells.serve(stream));
        }
    });
    at
}

/// A station whose unit is made of these devices.
fn station(at: SocketAddr, from: &str, to: &str) -> Desk {
    let desk = Desk::training();
    let text = desk.read("station.toml");
    let text = text.replace("127.0.0.1:15021", &at.to_string());
    let text = text.replace("127.0.0.1:15022", &at.to_string());
    let text = text.replace("bus = \"probes\"\naddress = 1", "bus = \"probes\"\naddress = 3");
    assert!(text.contains(from), "{from} is not in it");
    desk.write("station.toml", &text.replace(from, to));
    desk
}

/// The run is refused with exit code `code`, and the reason has all of `words`.
fn refused(change: &[Change], writes: Writes, code: i32, words: &[&str]) {
    let at = bench(change, writes);
    let desk = station(at, "", "");
    let said = desk.run("run demo --water").expect_code(code).stderr;
    let port = format!("tcp://{at}, unit id");
    for word in words.iter().chain([&port.as_str()]) {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
    // Somebody answers: nobody need be asked who started it.
    assert!(!said.contains("has somebody started"), "{said}");
}

#[test]
fn a_bench_that_is_well_is_checked_without_a_bad_line() {
    let desk = station(bench(&[], Writes::Kept), "", "");
    let check = desk.run("unit check demo --json").expect_code(0).json();
    assert!(
        check.as_array().expect("lines").iter().all(|line| line["grade"] != "bad"),
        "{check:#}"
    );
}

#[test]
fn a_wrong_unit_id_is_silent_and_says_what_to_check() {
    let at = bench(&[], Writes::Kept);
    let desk = station(at, "address = 3", "address = 4");
    let said = desk.run("unit read demo").expect_code(4).stderr;
    for word in
        ["bottles", &format!("tcp://{at}, unit id 4"), "no answer within", "unit id, the wiring"]
    {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[test]
fn a_device_that_speaks_fahrenheit_or_whole_degrees_is_not_believed() {
    refused(
        &[((1, 3, 516), Some(1))],
        Writes::Kept,
        1,
        &["controller", "display_units: is 1 (0x0001), and must be 0", "to °C"],
    );
    refused(
        &[((1, 3, 525), Some(0))],
        Writes::Kept,
        1,
        &["controller", "display_decimals: is 0 (0x0000), and must be 1", "one decimal"],
    );
}

#[test]
fn a_probe_tells_a_device_in_fahrenheit_from_a_wrong_profile() {
    let at = bench(&[((1, 3, 516), Some(1))], Writes::Kept);
    let desk = Desk::empty();
    let line = format!("device probe tcp://{at} --ids 1 --profile eurotherm-3200");
    let said = desk.run(&line).expect_code(1).stderr;
    for word in ["unit id 1", "display_units is 1 (0x0001), and must be 0", "to °C"] {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[test]
fn a_set_point_that_the_device_refuses_names_the_exception_and_its_limits() {
    refused(
        &[],
        Writes::Refused(26, 3),
        4,
        &["controller", "remote_setpoint", "exception 0x03", "limits set on the device"],
    );
}

#[test]
fn a_device_that_takes_no_write_is_found_out_by_reading_back() {
    refused(
        &[],
        Writes::Ignored,
        4,
        &["relays", "relay_1: wrote on (1), but read back off (0)", "local mode"],
    );
    refused(
        &[],
        Writes::Refused(199, 4),
        4,
        &["instrument_mode", "exception 0x04", "writing enabled"],
    );
}

#[test]
fn a_profile_that_asks_past_what_the_device_has_names_the_block() {
    refused(
        &[((1, 3, 525), None)],
        Writes::Kept,
        1,
        &["controller", "display_decimals", "exception 0x02", "is the profile the right one"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_serial_port_that_another_program_holds_is_named_with_that_program() {
    // A file that this test holds open stands for a port; the check only looks at who holds it.
    let desk = Desk::training();
    let port = desk.path("ttyHELD");
    let held = std::fs::File::create(&port).expect("made");
    let text = desk.read("station.toml");
    let url = format!("rtu://{}", port.display());
    desk.write("station.toml", &text.replace("tcp://127.0.0.1:15022", &url));
    let words = desk.run("unit check demo").stdout;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let holder = format!("(process {})", std::process::id());
    assert!(words.contains("is held by") && words.contains(&holder), "{words}");
    drop(held);
}

#[cfg(unix)]
#[test]
fn frames_that_are_spoilt_on_a_line_ask_for_its_speed_and_parity() {
    let desk = Desk::empty();
    let _running = crate::simulator::Running::start(
        &desk,
        "sim --device eurotherm-3200 --pty line --fault bad-crc",
    );
    let link = desk.path("line").display().to_string();
    let said = desk.run(&format!("device probe rtu://{link} --ids 1 --timeout-ms 500"));
    let said = said.expect_code(4).stderr;
    for word in
        ["unit id 1", &link, "holding_register 0", "bad checksum", "01 ", "speed and parity"]
    {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

/// A unit of one device on a line that is not as the station says: `fault` on the line, and this
/// unit id in the station.
#[cfg(unix)]
fn a_line(fault: &str, unit_id: u8) -> (Desk, crate::simulator::Running) {
    let desk = Desk::training();
    let line = format!("sim --device eurotherm-3200 --pty line {fault}");
    let running = crate::simulator::Running::start(&desk, &line);
    let text = desk.read("station.toml");
    let text = text.replace("tcp://127.0.0.1:15021", running.url(0));
    let only = format!("profile = \"eurotherm-3200\"\nbus = \"panel\"\naddress = {unit_id}");
    let text = text.replace("profile = \"eurotherm-3200\"\nbus = \"panel\"\naddress = 1", &only);
    let text = text.replace("bus = \"panel\"\naddress = 2", "bus = \"panel\"\naddress = 9");
    desk.write("station.toml", &text);
    (desk, running)
}

#[cfg(unix)]
#[test]
fn at_the_start_the_reason_is_told_and_not_that_a_device_is_left_alone() {
    let cases: [(&str, u8, &[&str]); 2] = [
        ("", 7, &["unit id 7", "no answer within", "Check the unit id", "speed and parity"]),
        ("--fault bad-crc", 1, &["unit id 1", "bad checksum", "speed and parity", ": 01 "]),
    ];
    for (fault, unit_id, words) in cases {
        let (desk, running) = a_line(fault, unit_id);
        for line in ["unit read demo", "unit check demo --json"] {
            let answer = desk.run(line).expect_code(4);
            let said = format!("{}{}", answer.stdout, answer.stderr);
            for word in words.iter().chain([&"controller", &running.url(0)]) {
                assert!(said.contains(word), "no {word:?} in: {said}");
            }
            assert!(!said.contains("controller (left alone"), "{said}");
        }
    }
}
