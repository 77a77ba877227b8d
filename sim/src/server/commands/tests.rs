//! The simulated circulators against their manuals' bytes, in whole and in pieces.

use std::sync::Arc;

use super::*;
use crate::params::PlantParams;
use crate::server::layout::Layout;

const JULABO: &str = include_str!("../../../../profiles/devices/julabo.toml");
const LAUDA: &str = include_str!("../../../../profiles/devices/lauda.toml");
const HUBER: &str = include_str!("../../../../profiles/devices/huber-pb.toml");
const POLYSCIENCE: &str = include_str!("../../../../profiles/devices/polyscience.toml");
const NESLAB: &str = include_str!("../../../../profiles/devices/neslab-nc.toml");

/// A circulator at 62.5 °C and a client of it.
struct Talk {
    speaker: Speaker,
    plant: Plant,
    heard: Vec<u8>,
}

impl Talk {
    fn to(text: &str, address: u8) -> Self {
        let profile = Arc::new(Profile::parse("p.toml", text).expect("a good profile"));
        let url = "serial+tcp://127.0.0.1:1";
        let layout = Layout::of_device(&profile, address, url).expect("a good layout");
        let speaker = Speaker::new(&layout.devices[0]).expect("one that is played");
        let plant = Plant::mid_hold(PlantParams::nominal(), 1, 0, 62.5);
        Self { speaker, plant, heard: Vec::new() }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.speaker.hear(&mut self.heard, bytes, &self.plant).0
    }

    /// The answer as text, which is the same when the bytes come one by one.
    fn say(&mut self, command: &str) -> String {
        let answer: Vec<u8> = command.bytes().flat_map(|byte| self.bytes(&[byte])).collect();
        String::from_utf8(answer).expect("text")
    }
}

#[test]
fn a_julabo_answers_questions_and_is_silent_to_orders() {
    let mut julabo = Talk::to(JULABO, 0);
    assert_eq!(julabo.say("in_pv_00\r"), "62.50\r\n");
    assert_eq!(julabo.say("version\r\n"), "HOLDER-SIM JULABO\r\n");
    assert_eq!(julabo.say("status\r"), "02 REMOTE STOP\r\n");
    assert_eq!(julabo.say("out_sp_00 62.50\r"), "");
    assert_eq!(julabo.say("out_mode_05 1\r"), "");
    assert_eq!(julabo.say("in_sp_00\r"), "62.50\r\n");
    assert_eq!(julabo.say("status\r"), "03 REMOTE START\r\n");
    let setpoint = Value::Temperature(Celsius::from_milli(62_500));
    let wanted = [(Role::Setpoint, setpoint), (Role::Heater, Value::Switch(true))];
    assert_eq!(julabo.speaker.written(), wanted);
}

#[test]
fn a_julabo_in_manual_mode_does_nothing_and_says_so_only_in_its_status() {
    let mut julabo = Talk::to(JULABO, 0);
    let Maker::Julabo(maker) = &mut julabo.speaker.maker else { panic!("another maker") };
    maker.remote = false;
    assert_eq!(julabo.say("out_mode_05 1\r"), "");
    assert!(julabo.say("status\r").starts_with("-09 "));
    assert_eq!(julabo.say("status\r"), "00 MANUAL STOP\r\n");
    assert_eq!(julabo.say("in_mode_05\r"), "0\r\n");
}

#[test]
fn a_julabo_complains_of_values_and_commands_in_its_status() {
    let mut julabo = Talk::to(JULABO, 0);
    for (command, complaint) in [
        ("out_sp_00 -60.00\r", "-10"),
        ("out_sp_00 300.00\r", "-11"),
        ("out_sp_00 150.00\r", "-13"),
        ("out_sp_00 warm\r", "-08"),
        ("OUT_SP_00 62.50\r", "-08"),
    ] {
        assert_eq!(julabo.say(command), "");
        assert!(julabo.say("status\r").starts_with(complaint), "{command}");
    }
    assert_eq!(julabo.say("in_sp_00\r"), "20.00\r\n");
}

#[test]
fn on_rs485_only_the_addressed_device_answers() {
    let mut julabo = Talk::to(JULABO, 32);
    assert_eq!(julabo.say("A032_in_pv_00\r"), "A032_62.50\r\n");
    assert_eq!(julabo.say("A033_in_pv_00\r"), "");
    assert_eq!(julabo.say("in_pv_00\r"), "");
    let mut lauda = Talk::to(LAUDA, 15);
    // RE 1050 manual, page 70.
    assert_eq!(lauda.say("A015_OUT_SP_00_30.5\r"), "A015_OK\r");
    assert_eq!(lauda.say("A016_TYPE\r"), "");
}

#[test]
fn a_lauda_answers_everything() {
    let mut lauda = Talk::to(LAUDA, 0);
    assert_eq!(lauda.say("TYPE\r\n"), "HOLDER-SIM LAUDA\r\n");
    assert_eq!(lauda.say("IN_PV_00\r"), "62.50\r\n");
    assert_eq!(lauda.say("IN PV 10\r"), "62.500\r\n");
    assert_eq!(lauda.say("IN_MODE_02\r"), "1\r\n");
    assert_eq!(lauda.say("START\r"), "OK\r\n");
    assert_eq!(lauda.say("\n\rIN_MODE_02\r").lines().last(), Some("0"));
    assert_eq!(lauda.say("OUT_SP_00_62.50\r"), "OK\r\n");
    assert_eq!(lauda.say("OUT_SP_00_62.5O\r"), "ERR_5\r\n");
    assert_eq!(lauda.say("OUT_SP_00_500\r"), "ERR_6\r\n");
    assert_eq!(lauda.say("HELLO\r"), "ERR_3\r\n");
    assert_eq!(lauda.say("IN_SP_00\r"), "62.50\r\n");
    assert_eq!(lauda.say("STAT\r"), "0000000\r\n");
    lauda.speaker.external = None;
    assert_eq!(lauda.say("IN_PV_03\r"), "ERR_33\r\n");
}

#[test]
fn a_polyscience_minds_its_line_ends_and_capitals() {
    let mut polyscience = Talk::to(POLYSCIENCE, 0);
    assert_eq!(polyscience.say("RT\r"), "+62.5\r");
    assert_eq!(polyscience.say("RU\r"), "C\r");
    assert_eq!(polyscience.say("SO1\r"), "!\r");
    assert_eq!(polyscience.say("RW\r"), "1\r");
    assert_eq!(polyscience.say("SS62.5\r"), "!\r");
    assert_eq!(polyscience.say("RS\r"), "+62.5\r");
    assert_eq!(polyscience.say("rt\r"), "?\r");
    assert_eq!(polyscience.say("\nRT\r"), "?\r");
    assert_eq!(polyscience.say("SE1\r"), "!\r");
    assert_eq!(polyscience.say("RT\r"), "RT\r+62.5\r");
    assert_eq!(polyscience.say("SE0\r"), "SE0\r!\r");
    assert_eq!(polyscience.say("RT\r"), "+62.5\r");
}

#[test]
fn a_huber_is_silent_to_what_is_not_ten_characters() {
    let mut huber = Talk::to(HUBER, 0);
    assert_eq!(huber.say("{M01****\r\n"), "{S01186A\r\n");
    assert_eq!(huber.say("{M00186A\r\n"), "{S00186A\r\n");
    assert_eq!(huber.say("{M140001\r\n"), "{S140001\r\n");
    assert_eq!(huber.say("{M0A****\r\n"), "{S0A0013\r\n");
    assert_eq!(huber.say("{M77****\r\n"), "{S777FFF\r\n");
    for malformed in ["{M01***\r\n", "M01****\r\n", "{M01****\n", "{m01****\r\n", "{M00186a\r\n"] {
        assert_eq!(huber.say(malformed), "", "{malformed}");
    }
    // Above its limit the set point stays.
    assert_eq!(huber.say("{M311B58\r\n"), "{S311B58\r\n");
    assert_eq!(huber.say("{M002328\r\n"), "{S00186A\r\n");
    huber.speaker.external = None;
    assert_eq!(huber.say("{M07****\r\n"), "{S07C504\r\n");
}

#[test]
fn a_neslab_answers_with_the_bytes_of_its_manual() {
    let mut neslab = Talk::to(NESLAB, 1);
    let temperature = [0xCA, 0, 1, 0x20, 0, 0xDE];
    assert_eq!(neslab.bytes(&temperature), [0xCA, 0, 1, 0x20, 3, 0x11, 2, 0x71, 0x57]);
    // ~(01+F0+03+11+02+71) = ~78 = 87.
    let set = [0xCA, 0, 1, 0xF0, 2, 2, 0x71, 0x99];
    assert_eq!(neslab.bytes(&set), [0xCA, 0, 1, 0xF0, 3, 0x11, 2, 0x71, 0x87]);
    let on = [0xCA, 0, 1, 0x81, 8, 1, 2, 2, 2, 2, 2, 2, 2, 0x66];
    assert_eq!(neslab.bytes(&on)[..6], [0xCA, 0, 1, 0x81, 8, 1]);
    assert_eq!(neslab.bytes(&[0xCA, 0, 1, 9, 0, 0xF5])[8] & 0b1000, 0b1000);
    let [wrong_sum, unknown] = [[0xCA, 0, 1, 0x20, 0, 0xDF], [0xCA, 0, 1, 0x55, 0, 0xA9]];
    assert_eq!(neslab.bytes(&wrong_sum)[3..7], [0x0F, 2, 3, 0x20]);
    assert_eq!(neslab.bytes(&unknown)[3..7], [0x0F, 2, 1, 0x55]);
    assert_eq!(neslab.bytes(&[0xCA, 0, 2, 0x20, 0, 0xDD]), [0; 0], "another address");
    let pieces: Vec<u8> =
        [0x00].iter().chain(&temperature).flat_map(|byte| neslab.bytes(&[*byte])).collect();
    assert_eq!(pieces.len(), 9);
}

#[test]
fn numbers_are_as_the_manuals_allow_them() {
    for (text, expected) in [
        ("62.5", 62_500),
        ("62.50", 62_500),
        ("-.5", -500),
        ("62.", 62_000),
        ("0062", 62_000),
        ("9999.99", 9_999_990),
    ] {
        assert_eq!(milli(text), Some(expected), "{text}");
    }
    for text in ["", "-", ".", "--1", "+1", "1.234", "12345", "2147483647", "1e3", "١", "1 "] {
        assert_eq!(milli(text), None, "{text}");
    }
}

#[test]
fn whatever_comes_nobody_panics() {
    for (text, address) in [(JULABO, 0), (LAUDA, 15), (HUBER, 0), (POLYSCIENCE, 0), (NESLAB, 1)] {
        let mut talk = Talk::to(text, address);
        let mut noise = 0x2545_F491_4F6C_DD1D_u64;
        for _ in 0..20_000 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let alphabet = b"{}MS0123456789ABF*._- \r\nOUT_SPin_svtaRW\xCA\x00\x01\x20\x81";
            let byte = alphabet[usize::try_from(noise % 60).expect("small") % alphabet.len()];
            talk.bytes(&[byte]);
        }
        talk.bytes(b"\r\n");
        assert!(talk.heard.len() <= COMMAND_LEN_MAX);
    }
}

#[test]
fn noise_is_forgotten() {
    for (text, address) in [(JULABO, 0), (LAUDA, 0), (HUBER, 0), (POLYSCIENCE, 0), (NESLAB, 1)] {
        let mut talk = Talk::to(text, address);
        talk.bytes(&[0x55; 5000]);
        assert!(talk.heard.len() <= COMMAND_LEN_MAX);
    }
}
