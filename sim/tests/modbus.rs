//! The simulator on the wire, asked by hand: raw bytes of Modbus TCP, no client library.
//!
//! An independent client sees the same; with `holder sim` running as the comment says:
//! ```text
//! eurotherm-3200:  mbpoll -m tcp -p 1502 -a 1 -0 -r 1 -t 4 -1 127.0.0.1             → 625
//!                  mbpoll -m tcp -p 1502 -a 1 -0 -r 32770 -t 4:float -B -1 127.0.0.1 → 62.5
//!                  mbpoll -m tcp -p 1502 -a 9 -0 -r 1 -t 4 -1 127.0.0.1  → exit code 1
//! icpdas-tm-th8:   mbpoll -m tcp -p 1502 -a 1 -0 -r 0 -c 8 -t 3 -1 127.0.0.1         → 625 × 8
//! ```

#![allow(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use holder_hal::wire::profile::Profile;
use holder_sim::{Pace, PlantParams, SimError, SimOptions, SimServer, Start};

const EUROTHERM: &str = include_str!("../../profiles/devices/eurotherm-3200.toml");
const TH8: &str = include_str!("../../profiles/devices/icpdas-tm-th8.toml");
const RELAY: &str = include_str!("../../profiles/devices/relay-generic-8.toml");

const DELTA: &str = include_str!("../../profiles/devices/delta-dtb.toml");
const OMRON: &str = include_str!("../../profiles/devices/omron-e5cc.toml");
const WATLOW: &str = include_str!("../../profiles/devices/watlow-ez-zone-pm.toml");

const UNIT_ID: u8 = 1;
const PANEL: u8 = 247;

fn profile(text: &str) -> Arc<Profile> {
    Arc::new(Profile::parse("shipped.toml", text).expect("a shipped profile"))
}

fn options(start: Start) -> SimOptions {
    SimOptions { listen: None, load: None, pace: Pace::Lockstep, start }
}

async fn device(text: &str, start: Start) -> SimServer {
    let nominal = PlantParams::nominal();
    SimServer::start_device(&profile(text), UNIT_ID, "127.0.0.1:0", nominal, 1, options(start))
        .await
        .expect("the system has a free port")
}

/// A connection that asks with raw bytes.
struct Wire(TcpStream);

impl Wire {
    fn to(server: &SimServer) -> Self {
        let (_, address) = server.addrs()[0];
        let stream = TcpStream::connect(address).expect("the simulator listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
        Self(stream)
    }

    /// Sends a PDU to `unit_id` and returns the PDU of the answer.
    fn ask(&mut self, unit_id: u8, pdu: &[u8]) -> Vec<u8> {
        let length = u16::try_from(pdu.len() + 1).expect("a PDU is short").to_be_bytes();
        let mut frame = vec![0x12, 0x34, 0, 0, length[0], length[1], unit_id];
        frame.extend(pdu);
        self.0.write_all(&frame).expect("the connection stands");
        let mut header = [0; 7];
        self.0.read_exact(&mut header).expect("an answer comes");
        assert_eq!(header[..4], [0x12, 0x34, 0, 0], "the transaction comes back");
        assert_eq!(header[6], unit_id);
        let mut answer = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])) - 1];
        self.0.read_exact(&mut answer).expect("the whole answer comes");
        answer
    }

    /// The registers from `address` on, by function 3.
    fn holding(&mut self, unit_id: u8, address: u16, count: u8) -> Vec<u16> {
        let [high, low] = address.to_be_bytes();
        let answer = self.ask(unit_id, &[3, high, low, 0, count]);
        assert_eq!(answer[..2], [3, count * 2], "{answer:02X?}");
        answer[2..].chunks(2).map(|word| u16::from_be_bytes([word[0], word[1]])).collect()
    }

    /// Writes a register by function 6 and returns the answer.
    fn write(&mut self, unit_id: u8, address: u16, word: u16) -> Vec<u8> {
        let ([high, low], [word_high, word_low]) = (address.to_be_bytes(), word.to_be_bytes());
        self.ask(unit_id, &[6, high, low, word_high, word_low])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_a_hold_at_exactly_62_5() {
    let server = device(EUROTHERM, Start::MidHold).await;
    let mut wire = Wire::to(&server);
    for _ in 0..60 {
        assert_eq!(wire.ask(UNIT_ID, &[3, 0, 1, 0, 1]), [3, 2, 0x02, 0x71]);
        assert_eq!(wire.ask(UNIT_ID, &[3, 0x80, 2, 0, 2]), [3, 4, 0x42, 0x7A, 0, 0]);
        server.advance(60_000);
    }
    assert_eq!(wire.holding(UNIT_ID, 5, 1), [625], "the working set point");
    assert_eq!(wire.holding(UNIT_ID, 199, 1), [0], "instrument mode run");
    assert_eq!(wire.holding(UNIT_ID, 525, 1), [1], "one decimal, as the profile checks");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_module_shows_the_milk_on_every_channel() {
    let server = device(TH8, Start::MidHold).await;
    let answer = Wire::to(&server).ask(UNIT_ID, &[4, 0, 0, 0, 8]);
    assert_eq!(answer[..2], [4, 16]);
    assert!(answer[2..].chunks(2).all(|word| word == [0x02, 0x71]), "{answer:02X?}");
    let faults = Wire::to(&server).ask(UNIT_ID, &[2, 0, 128, 0, 8]);
    assert_eq!(faults, [2, 1, 0], "no channel is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_module_moves_the_actuators_and_shows_the_lid() {
    let server = device(RELAY, Start::MidHold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.ask(UNIT_ID, &[1, 0, 0, 0, 8]), [1, 1, 0b0000_0001], "the agitator runs");
    assert_eq!(wire.ask(UNIT_ID, &[2, 0, 0, 0, 1]), [2, 1, 1], "the lid is closed");
    assert_eq!(wire.ask(UNIT_ID, &[5, 0, 1, 0xFF, 0]), [5, 0, 1, 0xFF, 0]);
    server.advance(60_000);
    let bath_c = server.truth().bath_c;
    assert!(bath_c < 45.0, "cold water runs into the bath, which has {bath_c} °C");
    server.set_lid(false);
    assert_eq!(wire.ask(UNIT_ID, &[2, 0, 0, 0, 1]), [2, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_device_would_refuse_is_refused() {
    let server = device(EUROTHERM, Start::MidHold).await;
    let mut wire = Wire::to(&server);
    let cases: [(u8, &[u8], [u8; 2], &str); 10] = [
        (9, &[3, 0, 1, 0, 1], [0x83, 0x0B], "a unit id that nobody has"),
        (UNIT_ID, &[4, 0, 1, 0, 1], [0x84, 1], "a function that the device does not know"),
        (UNIT_ID, &[15, 0, 0, 0, 1, 1, 1], [0x8F, 1], "another one"),
        (UNIT_ID, &[0x64, 0], [0xE4, 1], "a function that nobody knows"),
        (UNIT_ID, &[3, 0x03, 0xE7, 0, 1], [0x83, 2], "an address that is not in the map"),
        (UNIT_ID, &[3, 0xFF, 0xFF, 0, 2], [0x83, 2], "a block past the last address"),
        (UNIT_ID, &[3, 0, 1, 0, 0], [0x83, 3], "no register at all"),
        (UNIT_ID, &[3, 0, 1, 0, 125], [0x83, 3], "more registers than the device gives at once"),
        (UNIT_ID, &[6, 0, 26, 0x07, 0xD0], [0x86, 3], "a set point of 200 °C"),
        (UNIT_ID, &[6, 0, 1, 0, 0], [0x86, 2], "a write to what can only be read"),
    ];
    for (unit_id, pdu, refusal, why) in cases {
        assert_eq!(wire.ask(unit_id, pdu), refusal, "{why}");
    }
    assert_eq!(wire.holding(UNIT_ID, 26, 1), [625], "and nothing has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unit_id_of_the_simulator_says_that_it_is_one() {
    let server = device(TH8, Start::Cold).await;
    let mut wire = Wire::to(&server);
    for unit_id in [UNIT_ID, PANEL] {
        let answer = wire.ask(unit_id, &[17]);
        assert!(answer.windows(10).any(|bytes| bytes == b"HOLDER-SIM"), "{answer:02X?}");
    }
    assert_eq!(wire.ask(9, &[17]), [0x91, 0x0B]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_remote_set_point_waits_for_being_selected() {
    let server = device(EUROTHERM, Start::Cold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.write(UNIT_ID, 26, 630), [0x86, 4], "remote is not selected");
    assert_eq!(wire.write(UNIT_ID, 276, 1), [6, 0x01, 0x14, 0, 1]);
    assert_eq!(wire.write(UNIT_ID, 26, 630), [6, 0, 26, 0x02, 0x76]);
    assert_eq!(wire.holding(UNIT_ID, 5, 1), [630], "the working set point follows");
    server.advance(60_000);
    assert_eq!(server.truth().heater_w, 0.0, "the instrument still stands by");
    assert_eq!(wire.write(UNIT_ID, 199, 0), [6, 0, 199, 0, 0]);
    server.advance(60_000);
    assert!(server.truth().heater_w > 5000.0, "a cold bath is heated with all power");
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_means_no_heat_whatever_the_set_point() {
    let server = device(EUROTHERM, Start::MidHold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.write(UNIT_ID, 26, 900), [6, 0, 26, 0x03, 0x84]);
    server.advance(60_000);
    assert_eq!(wire.holding(UNIT_ID, 4, 1), [1000], "full output towards 90 °C");
    assert_eq!(wire.write(UNIT_ID, 199, 1), [6, 0, 199, 0, 1]);
    server.advance(120_000);
    assert_eq!(wire.holding(UNIT_ID, 4, 1), [0]);
    assert!(server.truth().heater_w < 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panel_loads_and_unloads_like_a_technician() {
    let server = device(EUROTHERM, Start::Cold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.holding(PANEL, 0, 4), [0, 0, 1, 0]);
    assert_eq!(wire.write(PANEL, 0, 48), [6, 0, 0, 0, 48]);
    assert_eq!(wire.write(PANEL, 2, 0), [6, 0, 2, 0, 0]);
    server.advance(70_000_000);
    assert_eq!(wire.holding(PANEL, 0, 4), [48, 4464, 0, 1], "70 000 s are 1 × 65 536 + 4464");
    assert_eq!(server.bottles(), 48);
    assert_eq!(wire.write(PANEL, 0, 0), [6, 0, 0, 0, 0]);
    assert_eq!(server.truth().coldest_milk(), None);
    assert_eq!(wire.write(PANEL, 0, 201), [0x86, 3], "no bath holds so many");
    assert_eq!(wire.write(PANEL, 1, 5), [0x86, 3], "time is not set by hand");
    assert_eq!(wire.write(PANEL, 4, 5), [0x86, 2]);
    assert_eq!(wire.ask(PANEL, &[4, 0, 0, 0, 1]), [0x84, 1]);
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_it() {
    let first = device(EUROTHERM, Start::Cold).await;
    let (_, taken) = first.addrs()[0];
    let second = SimServer::start_device(
        &profile(TH8),
        UNIT_ID,
        &taken.to_string(),
        PlantParams::nominal(),
        1,
        options(Start::Cold),
    )
    .await;
    let error = second.expect_err("the port is taken");
    assert!(matches!(error, SimError::PortInUse { .. }), "{error}");
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
    first.shutdown().await;
}

#[tokio::test]
async fn a_device_cannot_have_the_unit_id_of_the_panel() {
    let nominal = PlantParams::nominal();
    let given = options(Start::Cold);
    let started =
        SimServer::start_device(&profile(TH8), PANEL, "127.0.0.1:0", nominal, 1, given).await;
    assert!(matches!(started, Err(SimError::PanelAddress { .. })));
}

#[tokio::test(start_paused = true)]
async fn scaled_time_runs_by_itself_as_many_times_as_fast() {
    let given = SimOptions { pace: Pace::Scaled { speed: 60 }, ..options(Start::Cold) };
    let nominal = PlantParams::nominal();
    let at = "127.0.0.1:0";
    let server = SimServer::start_device(&profile(TH8), UNIT_ID, at, nominal, 1, given)
        .await
        .expect("the system has a free port");
    // The runtime's clock is paused: this jumps, it does not wait.
    tokio::time::sleep(Duration::from_millis(10_050)).await;
    assert_eq!(server.elapsed_ms(), 600_000);
    let too_fast = SimOptions { pace: Pace::Scaled { speed: 61 }, ..given };
    let refused = SimServer::start_device(&profile(TH8), UNIT_ID, at, nominal, 1, too_fast).await;
    assert!(matches!(refused, Err(SimError::Speed { speed: 61 })));
}

#[tokio::test]
async fn after_the_shutdown_the_port_is_free_again() {
    let server = device(EUROTHERM, Start::Cold).await;
    let (_, address): (_, SocketAddr) = server.addrs()[0].clone();
    server.shutdown().await;
    let given = SimOptions { listen: Some(address), ..options(Start::Cold) };
    let nominal = PlantParams::nominal();
    let again =
        SimServer::start_device(&profile(TH8), UNIT_ID, "127.0.0.1:1", nominal, 1, given).await;
    assert_eq!(again.expect("the port is free").addrs()[0].1, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_lets_nobody_write_before_its_write_enable_bit_is_set() {
    let server = device(DELTA, Start::Cold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.ask(UNIT_ID, &[5, 0x08, 0x14, 0xFF, 0]), [0x85, 4]);
    assert_eq!(wire.ask(UNIT_ID, &[2, 0x08, 0x10, 0, 1]), [2, 1, 0]);
    assert_eq!(wire.ask(UNIT_ID, &[1, 0x08, 0x10, 0, 1]), [0x81, 1], "it knows no function 1");
    assert_eq!(wire.ask(UNIT_ID, &[5, 0x08, 0x10, 0xFF, 0]), [5, 0x08, 0x10, 0xFF, 0]);
    assert_eq!(wire.ask(UNIT_ID, &[5, 0x08, 0x14, 0xFF, 0]), [5, 0x08, 0x14, 0xFF, 0]);
    assert_eq!(wire.ask(UNIT_ID, &[2, 0x08, 0x14, 0, 1]), [2, 1, 1], "it runs");
    let multiple = [16, 0x10, 0x01, 0, 1, 2, 0x02, 0x71];
    assert_eq!(wire.ask(UNIT_ID, &multiple), [0x90, 1], "nor function 16");
    assert_eq!(wire.ask(UNIT_ID, &[3, 0x10, 0, 0, 9]), [0x83, 3], "at most 8 words at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_omron_takes_commands_by_number_and_shows_them_in_its_status() {
    let server = device(OMRON, Start::Cold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.holding(UNIT_ID, 0x2407, 1), [0x0500], "stopped, by hand, writing off");
    assert_eq!(wire.write(UNIT_ID, 0, 0x0100), [0x86, 4], "writing is off");
    assert_eq!(wire.write(UNIT_ID, 0, 0x0777), [0x86, 3], "no such command");
    assert_eq!(wire.ask(UNIT_ID, &[3, 0, 0, 0, 1]), [0x83, 2], "commands cannot be read");
    for command in [0x0001, 0x0401, 0x0900, 0x0100] {
        let [high, low] = u16::to_be_bytes(command);
        assert_eq!(wire.write(UNIT_ID, 0, command), [6, 0, 0, high, low]);
    }
    assert_eq!(wire.holding(UNIT_ID, 0x2407, 1), [0x0210]);
    assert_eq!(wire.write(UNIT_ID, 0x2103, 630), [6, 0x21, 0x03, 0x02, 0x76]);
    server.advance(60_000);
    assert!(server.truth().heater_w > 5000.0, "a cold bath is heated with all power");
    assert_eq!(wire.write(UNIT_ID, 0, 0x0101), [6, 0, 0, 1, 1]);
    assert_eq!(wire.holding(UNIT_ID, 0x2407, 1), [0x0310]);
    server.advance(120_000);
    assert!(server.truth().heater_w < 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_omron_in_a_hold_runs_by_itself_and_lets_write() {
    let server = device(OMRON, Start::MidHold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.holding(UNIT_ID, 0x2000, 3), [625, 0, 625]);
    assert_eq!(wire.holding(UNIT_ID, 0x2407, 1), [0x0210], "runs, automatic, to RAM, writing on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watlow_shows_fahrenheit_with_the_low_word_first() {
    let server = device(WATLOW, Start::MidHold).await;
    let mut wire = Wire::to(&server);
    assert_eq!(wire.holding(UNIT_ID, 360, 2), [0x8000, 0x4310]);
    assert_eq!(wire.holding(UNIT_ID, 2160, 2), [0x8000, 0x4310]);
    assert_eq!(wire.holding(UNIT_ID, 2490, 1), [30], "°F, as it leaves the factory");
    assert_eq!(wire.holding(UNIT_ID, 1880, 1), [10], "automatic");
}
