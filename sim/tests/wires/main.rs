//! The simulator on a pty and on sockets, asked by hand: raw bytes, and a checksum of our own.
//!
//! That something is *not* answered is shown without waiting: the next question is asked, and
//! its answer must be the first thing that comes.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot begin has failed")]

mod rig;

use std::time::Duration;

use holder_sim::{Place, SimError, Wiring};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_modbus::client::{Client, rtu};
use tokio_modbus::{Request, Response, Slave};
use tokio_serial::SerialStream;

use rig::*;

#[tokio::test]
async fn a_question_on_a_pty_is_answered_with_the_right_checksum() {
    let (server, mut wire) = on_pty(&[]).await;
    assert_eq!(summed(&ASK[..6]), ASK, "the checksum of this test is the datasheet's");
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    for byte in ASK {
        wire.send(&[byte]).await;
    }
    assert_eq!(wire.bytes(7).await, answer(), "byte by byte");
    assert_eq!(wire.ask(&[ASK, ASK].concat(), 14).await, [answer(), answer()].concat());
    wire.is_quiet(&server).await;
}

#[tokio::test]
async fn a_line_is_silent_for_unit_ids_that_nobody_has_and_for_broadcasts() {
    let (server, mut wire) = on_pty(&[]).await;
    wire.send(&summed(&[9, 3, 0, 1, 0, 1])).await;
    wire.send(&summed(&[0, 6, 0, 24, 0, 0])).await;
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    wire.is_quiet(&server).await;
    let bottles = wire.ask(&summed(&[247, 3, 0, 2, 0, 1]), 7).await;
    assert_eq!(bottles, summed(&[247, 3, 2, 0, 1]), "the panel is on the line: the lid is closed");
}

#[tokio::test]
async fn a_device_on_a_line_refuses_what_it_does_not_know_and_says_what_it_is() {
    let (server, mut wire) = on_pty(&[]).await;
    let nowhere = wire.ask(&summed(&[1, 3, 0x4E, 0x20, 0, 1]), 5).await;
    assert_eq!(nowhere, summed(&[1, 0x83, 2]));
    let unknown = wire.ask(&summed(&[1, 0x41, 7]), 5).await;
    assert_eq!(unknown, summed(&[1, 0xC1, 1]), "a function without a known length ends by silence");
    let mut marker = vec![1, 17, 12, 1, 0xFF];
    marker.extend(b"HOLDER-SIM");
    assert_eq!(wire.ask(&summed(&[1, 17]), 17).await, summed(&marker));
    wire.is_quiet(&server).await;
}

#[tokio::test]
async fn noise_on_the_line_costs_one_question_and_no_more() {
    let (_server, mut wire) = on_pty(&[]).await;
    wire.send(&[0x00, 0xFF, 0x41, 0x13, 0x99]).await;
    wire.send(&[0x55; 300]).await;
    let asked = async {
        // After the line's silence the next question is heard; until then some are lost.
        loop {
            wire.send(&ASK).await;
            let heard = tokio::time::timeout(Duration::from_millis(60), wire.bytes(7)).await;
            if let Ok(bytes) = heard {
                return bytes;
            }
        }
    };
    let heard = tokio::time::timeout(PATIENCE, asked).await.expect("the device recovers");
    assert_eq!(heard, answer());
}

#[tokio::test]
async fn each_fault_on_a_line_does_what_it_says_byte_for_byte() {
    let sound = answer();
    let mut bad_crc = sound.clone();
    bad_crc[6] ^= 0xFF;
    let expected: [(&str, Vec<u8>); 11] = [
        ("late:ms=5", sound.clone()),
        ("slow:ms=5", sound.clone()),
        ("short:bytes=2", sound[..5].to_vec()),
        ("duplicate", [sound.clone(), sound.clone()].concat()),
        ("wrong-unit", summed(&[2, 3, 2, 0x02, 0x71])),
        ("wrong-function", summed(&[1, 4, 2, 0x02, 0x71])),
        ("bad-crc", bad_crc),
        ("exception:code=4", summed(&[1, 0x83, 4])),
        ("echo", [&ASK[..], &sound].concat()),
        ("fewer:words=1", summed(&[1, 3, 0])),
        ("more:words=2", summed(&[1, 3, 6, 0x02, 0x71, 0, 0, 0, 0])),
    ];
    let (server, mut wire) = on_pty(&[]).await;
    for (text, bytes) in expected {
        server.set_faults(faults(&[text])).expect("no bus is named");
        assert_eq!(wire.ask(&ASK, bytes.len()).await, bytes, "{text}");
        wire.is_quiet(&server).await;
    }
}

#[tokio::test]
async fn a_silent_device_leaves_the_others_on_its_line_their_voice() {
    let (_server, mut wire) = on_pty(&["silence:unit=1"]).await;
    wire.send(&ASK).await;
    let lid = wire.ask(&summed(&[247, 3, 0, 2, 0, 1]), 7).await;
    assert_eq!(lid, summed(&[247, 3, 2, 0, 1]), "the panel's answer is the first that comes");
}

#[tokio::test]
async fn noise_stands_before_or_inside_an_answer_and_surplus_bytes_behind_it() {
    let sound = answer();
    let (server, mut wire) = on_pty(&["noise:bytes=3"]).await;
    assert_eq!(wire.ask(&ASK, 10).await[3..], sound);
    wire.is_quiet(&server).await;
    server.set_faults(faults(&["noise:bytes=2,where=inside"])).expect("no bus is named");
    let inside = wire.ask(&ASK, 9).await;
    assert_eq!([&inside[..3], &inside[5..]].concat(), sound);
    wire.is_quiet(&server).await;
    server.set_faults(faults(&["long:bytes=4"])).expect("no bus is named");
    assert_eq!(wire.ask(&ASK, 11).await[..7], sound);
    wire.is_quiet(&server).await;
}

#[tokio::test]
async fn an_echoing_adapter_sends_questions_back_that_nobody_answers() {
    let (server, mut wire) = on_pty(&["echo"]).await;
    let to_nobody = summed(&[9, 6, 0, 26, 2, 0x71]);
    assert_eq!(wire.ask(&to_nobody, 8).await, to_nobody, "a write without a device \"succeeds\"");
    wire.is_quiet(&server).await;
}

#[tokio::test]
async fn a_late_answer_comes_after_the_answer_to_the_next_question() {
    let (_server, mut wire) = on_pty(&["late:ms=300,every=2"]).await;
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    wire.send(&ASK).await;
    let next = summed(&[1, 3, 0, 199, 0, 1]);
    let mode = summed(&[1, 3, 2, 0, 0]);
    let [first, second] = [wire.ask(&next, 7).await, wire.bytes(7).await];
    assert_eq!((first, second), (mode, answer()), "the trap of RTU: the late one comes last");
}

#[tokio::test]
async fn a_refused_write_changes_nothing_and_a_silent_one_does() {
    let (server, mut wire) = on_pty(&["exception:code=4,on=write"]).await;
    let standby = summed(&[1, 6, 0, 199, 0, 1]);
    assert_eq!(wire.ask(&standby, 5).await, summed(&[1, 0x86, 4]));
    let mode = summed(&[1, 3, 0, 199, 0, 1]);
    assert_eq!(wire.ask(&mode, 7).await, summed(&[1, 3, 2, 0, 0]), "reads are not struck");
    server.set_faults(faults(&["silence:on=write"])).expect("no bus is named");
    wire.send(&standby).await;
    assert_eq!(wire.ask(&mode, 7).await, summed(&[1, 3, 2, 0, 1]), "only the answer was lost");
}

#[tokio::test]
async fn an_unplugged_pty_hangs_up_takes_its_link_away_and_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("bath");
    let url = format!("rtu://{}?baud=19200&parity=even", link.display());
    let server = start(&url, Wiring::default()).await.expect("the folder is ours");
    assert_eq!(server.reached()[0].url, url);
    let mut wire = Wire(open(&link));
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    server.set_faults(faults(&["unplug"])).expect("no bus is named");
    let mut byte = [0];
    let gone = tokio::time::timeout(PATIENCE, wire.0.read(&mut byte)).await.expect("it hangs up");
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
    drop(wire);
    assert!(std::fs::symlink_metadata(&link).is_err(), "the device file is gone");
    server.set_faults(Vec::new()).expect("no faults");
    let back = async {
        while std::fs::symlink_metadata(&link).is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("it comes back");
    assert_eq!(Wire(open(&link)).ask(&ASK, 7).await, answer());
    server.shutdown().await;
    assert!(std::fs::symlink_metadata(&link).is_err(), "the link goes with the simulator");
}

#[tokio::test]
async fn a_pty_has_one_client_at_a_time_and_is_free_again_when_that_goes() {
    let (server, wire) = on_pty(&["late:ms=150"]).await;
    drop(wire);
    for _ in 0..2 {
        let mut wire = Wire(open(&path(&server)));
        // So late that the simulator has unlocked its pty meanwhile, as it does all the time.
        assert_eq!(wire.ask(&ASK, 7).await, answer());
        let builder = tokio_serial::new(path(&server).to_string_lossy(), 9600);
        let second = SerialStream::open(&builder).expect_err("the line is taken");
        assert!(second.to_string().contains("exclusive lock"), "{second}");
    }
}

#[tokio::test]
async fn a_link_replaces_what_a_simulator_left_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let start_at = |name: &str| {
        let url = format!("rtu://{}", at(name).display());
        async move { start(&url, Wiring::default()).await }
    };
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).expect("a link");
    let first = start_at("dangling").await.expect("a dangling link is replaced");
    let again = start_at("dangling").await.expect_err("one simulator per link");
    assert!(matches!(again, SimError::LinkInUse { .. }), "{again}");
    first.shutdown().await;
    start_at("dangling").await.expect("free again").shutdown().await;

    std::fs::write(at("file"), "precious").expect("a file");
    std::os::unix::fs::symlink(at("file"), at("link")).expect("a link");
    for taken in ["file", "link"] {
        let refused = start_at(taken).await.expect_err("what is not ours stays");
        assert!(matches!(refused, SimError::LinkTaken { .. }), "{refused}");
        assert!(refused.to_string().contains("--pty"), "{refused}");
    }
    assert_eq!(std::fs::read_to_string(at("file")).expect("still there"), "precious");
    let nowhere = start_at("no/such/folder").await.expect_err("there is no folder");
    assert!(nowhere.to_string().contains("folder must be there"), "{nowhere}");
}

#[tokio::test]
async fn a_serial_port_that_is_missing_and_a_bus_that_is_missing_are_named() {
    let missing = Place::Serial("/dev/holder-no-such-port".into());
    let refused = start("rtu:///dev/x", wiring(missing, &[])).await.expect_err("it is not there");
    assert!(refused.to_string().contains("/dev/holder-no-such-port"), "{refused}");
    let refused = start("rtu:///dev/x", wiring(Place::Pty(None), &["echo:bus=oven"])).await;
    let refused = refused.expect_err("no such bus").to_string();
    assert!(refused.contains("\"oven\"; there are eurotherm-3200"), "{refused}");
}

#[tokio::test]
async fn a_serial_port_is_served_at_the_other_end_of_a_cable() {
    let (mut ours, theirs) = SerialStream::pair().expect("a cable");
    let name = tokio_serial::SerialPort::name(&theirs).expect("its name");
    let place = Place::Serial(name.into());
    let server = start("rtu:///dev/x?baud=9600", wiring(place, &["duplicate"])).await;
    let _server = server.expect("the port opens");
    let twice = Wire(&mut ours).ask(&ASK, 14).await;
    assert_eq!(twice, [answer(), answer()].concat());
}

#[tokio::test]
async fn rtu_through_a_socket_is_rtu_with_the_same_faults() {
    let (server, mut wire) = on_socket("rtu+tcp", &[]).await;
    assert!(server.reached()[0].url.starts_with("rtu+tcp://127.0.0.1:"));
    assert!(server.reached()[0].url.ends_with("?baud=9600"));
    wire.send(&summed(&[9, 3, 0, 1, 0, 1])).await;
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    server.set_faults(faults(&["short:bytes=6"])).expect("no bus is named");
    assert_eq!(wire.ask(&ASK, 1).await, [1]);
    wire.is_quiet(&server).await;
}

#[tokio::test]
async fn modbus_tcp_has_its_faults_in_the_frame_and_in_its_header() {
    let ask = [0x12, 0x34, 0, 0, 0, 6, 1, 3, 0, 1, 0, 1];
    let (server, mut wire) = on_socket("tcp", &[]).await;
    let sound = [0x12, 0x34, 0, 0, 0, 5, 1, 3, 2, 0x02, 0x71];
    assert_eq!(wire.ask(&ask, 11).await, sound);
    let faulty: [(&str, &[u8]); 3] = [
        ("wrong-transaction", &[0x12, 0x35, 0, 0, 0, 5, 1, 3, 2, 0x02, 0x71]),
        ("exception:code=6", &[0x12, 0x34, 0, 0, 0, 3, 1, 0x83, 6]),
        ("short:bytes=2", &[0x12, 0x34, 0, 0, 0, 5, 1, 3, 2]),
    ];
    for (text, bytes) in faulty {
        server.set_faults(faults(&[text])).expect("no bus is named");
        assert_eq!(wire.ask(&ask, bytes.len()).await, bytes, "{text}");
    }
    server.set_faults(Vec::new()).expect("no faults");
    let nobody = [0, 1, 0, 0, 0, 6, 9, 3, 0, 1, 0, 1];
    assert_eq!(wire.ask(&nobody, 9).await, [0, 1, 0, 0, 0, 3, 9, 0x83, 0x0B]);
    wire.send(&[0, 1, 0, 9, 0, 6, 9, 3, 0, 1, 0, 1]).await;
    let mut byte = [0];
    assert_eq!(wire.0.read(&mut byte).await.expect("an end"), 0, "no Modbus TCP, no connection");
}

#[tokio::test]
async fn a_listener_that_is_unplugged_ends_its_connections_and_comes_back_at_the_same_port() {
    let (server, mut wire) = on_socket("rtu+tcp", &[]).await;
    let (_, address) = server.addrs()[0];
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    server.set_faults(faults(&["unplug:for=0.2s"])).expect("no bus is named");
    let mut byte = [0];
    let gone = tokio::time::timeout(PATIENCE, wire.0.read(&mut byte)).await.expect("it ends");
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
    let back = async {
        loop {
            if let Ok(stream) = TcpStream::connect(address).await {
                return stream;
            }
            tokio::task::yield_now().await;
        }
    };
    let stream = tokio::time::timeout(PATIENCE, back).await.expect("it comes back by itself");
    assert_eq!(Wire(stream).ask(&ASK, 7).await, answer());
}

#[tokio::test]
async fn a_client_that_we_did_not_write_reads_and_writes_on_the_pty() {
    let (server, wire) = on_pty(&[]).await;
    let mut client = rtu::attach_slave(wire.0, Slave(1));
    let read = client.call(Request::ReadHoldingRegisters(1, 2)).await;
    let read = read.expect("sound frames").expect("no exception");
    assert_eq!(read, Response::ReadHoldingRegisters(vec![625, 625]));
    let write = client.call(Request::WriteSingleRegister(199, 1)).await;
    let write = write.expect("sound frames").expect("no exception");
    assert_eq!(write, Response::WriteSingleRegister(199, 1));
    server.advance(120_000);
    assert!(server.truth().heater_w < 5.0, "standby took the heat away");
}

#[tokio::test]
async fn a_paced_line_answers_with_the_same_bytes() {
    let paced = Wiring { paced: true, ..wiring(Place::Pty(None), &[]) };
    let server = start("rtu:///dev/x?baud=57600", paced).await.expect("a free pty");
    let mut wire = Wire(open(&path(&server)));
    assert_eq!(wire.ask(&ASK, 7).await, answer());
    let both = wire.ask(&summed(&[1, 3, 0, 1, 0, 2]), 9).await;
    assert_eq!(both, summed(&[1, 3, 4, 0x02, 0x71, 0x02, 0x71]));
    wire.is_quiet(&server).await;
}
