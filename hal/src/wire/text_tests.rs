//! Protocols of text against the lines of the manuals.

use super::error::CallFault;
use super::line::{LineEnd, LineQuery};
use super::port::reply::Reply;
use super::profile::{Profile, Protocol, Raw, TextProtocol, Value, WriteMeans};
use super::text;
use crate::contract::Quality;
use crate::units::Celsius;

pub(super) const JULABO: &str = include_str!("../../../profiles/devices/julabo.toml");
pub(super) const LAUDA: &str = include_str!("../../../profiles/devices/lauda.toml");
pub(super) const HUBER: &str = include_str!("../../../profiles/devices/huber-pb.toml");
const POLYSCIENCE: &str = include_str!("../../../profiles/devices/polyscience.toml");
pub(super) const NESLAB: &str = include_str!("../../../profiles/devices/neslab-nc.toml");

pub(super) fn profile(text: &str) -> Profile {
    Profile::parse("p.toml", text).unwrap()
}

fn protocol(profile: &Profile) -> &TextProtocol {
    match profile.protocol() {
        Protocol::Text(text) => text,
        other @ (Protocol::Modbus(_) | Protocol::HuberPb | Protocol::NeslabNc) => {
            panic!("{} is no text", other.word())
        }
    }
}

pub(super) fn celsius(milli: i32) -> Value {
    Value::Temperature(Celsius::from_milli(milli))
}

/// What the point makes of these data.
pub(super) fn decoded(profile: &Profile, point: &str, raw: &Raw) -> (Option<Value>, Quality) {
    let decoded = profile.point(point).unwrap().decode(raw);
    (decoded.value, decoded.quality)
}

fn says(profile: &Profile, point: &str, line: &str) -> (Option<Value>, Quality) {
    decoded(profile, point, &Raw::Text(line.to_owned()))
}

/// The line that writes `value` into the point.
fn written(profile: &Profile, address: u8, point: &str, value: Value) -> LineQuery {
    let point = profile.point(point).unwrap();
    let raw = point.encode(value).unwrap();
    let (Raw::Text(value_text), WriteMeans::Text(write)) =
        (&raw, &point.write.as_ref().unwrap().means)
    else {
        panic!("{raw} is no text");
    };
    let command = text::phrase(write, value_text, value == Value::Switch(true));
    text::query(protocol(profile), address, &command, write.answer.is_some())
}

#[test]
fn julabo_is_spoken_to_as_in_its_manual() {
    let julabo = profile(JULABO);
    let text = protocol(&julabo);
    assert_eq!(text::query(text, 0, "in_pv_00", true).send, b"in_pv_00\r");
    // Magnum 91 manual, page 65: address 32.
    assert_eq!(text::query(text, 32, "in_sp_00", true).send, b"A032_in_sp_00\r");
    assert_eq!(text::answer(text, 32, b"A032_55.5").unwrap(), "55.5");
    let set = written(&julabo, 0, "setpoint", celsius(62_500));
    assert_eq!((set.send.as_slice(), set.end), (&b"out_sp_00 62.50\r"[..], LineEnd::NoAnswer));
    let start = written(&julabo, 32, "running", Value::Switch(true));
    assert_eq!(start.send, b"A032_out_mode_05 1\r");
    assert_eq!(written(&julabo, 0, "running", Value::Switch(false)).send, b"out_mode_05 0\r");
    assert_eq!(julabo.timing().pause_between_commands_ms, 250);
}

#[test]
fn the_status_of_a_julabo_is_its_number() {
    let julabo = profile(JULABO);
    for (line, number) in [
        ("00 MANUAL STOP", 0),
        ("01 MANUAL START", 1),
        ("02 REMOTE STOP", 2),
        ("03 REMOTE START", 3),
        ("-05 WORKING SENSOR", -5),
        ("-13 VALUE EXCEEDS TEMPERATURE LIMITS", -13),
    ] {
        assert_eq!(
            says(&julabo, "status", line),
            (Some(Value::Mode(number)), Quality::Good),
            "{line}"
        );
    }
    for garbage in ["", "REMOTE", "- 05", "0x3 REMOTE", "3.5 REMOTE", "99999999999"] {
        assert_eq!(says(&julabo, "status", garbage), (None, Quality::Comm), "{garbage}");
    }
    let check = julabo.checks().iter().find(|check| check.point == "status").unwrap();
    assert_eq!(check.raws, [2, 3]);
}

#[test]
fn lauda_is_spoken_to_as_in_its_manual() {
    let lauda = profile(LAUDA);
    let text = protocol(&lauda);
    assert_eq!(written(&lauda, 0, "setpoint", celsius(62_500)).send, b"OUT_SP_00_62.50\r");
    // RE 1050 manual, page 70: A015_OUT_SP_00_30.5 is answered A015_OK, both ended by CR alone.
    let set = written(&lauda, 15, "setpoint", celsius(30_500));
    assert_eq!(set.send, b"A015_OUT_SP_00_30.50\r");
    assert_eq!(set.end.find(b"A015_OK\r"), Reply::Whole(b"A015_OK".to_vec()));
    assert_eq!(text::answer(text, 15, b"A015_OK").unwrap(), "OK");
    assert_eq!(written(&lauda, 0, "running", Value::Switch(true)).send, b"START\r");
    assert_eq!(written(&lauda, 0, "running", Value::Switch(false)).send, b"STOP\r");
    assert_eq!(says(&lauda, "running", "0").0, Some(Value::Switch(true)));
    assert_eq!(says(&lauda, "running", "1").0, Some(Value::Switch(false)));
    assert_eq!(says(&lauda, "bath", "62.50"), (Some(celsius(62_500)), Quality::Good));
    assert_eq!(says(&lauda, "bath_fine", "62.501"), (Some(celsius(62_501)), Quality::Good));
    // STAT: error, alarm, warning, over-temperature, low level, 0, external value missing.
    assert_eq!(says(&lauda, "low_level", "0000100").0, Some(Value::Switch(true)));
    assert_eq!(says(&lauda, "over_temperature", "0000100").0, Some(Value::Switch(false)));
    assert_eq!(says(&lauda, "low_level", "0000"), (None, Quality::Comm));
}

#[test]
fn the_errors_of_a_lauda_are_refusals_in_words() {
    let lauda = profile(LAUDA);
    let text = protocol(&lauda);
    for (answer, word) in [
        ("ERR_2", "input"),
        ("ERR_3", "does not know it"),
        ("ERR_5", "syntax"),
        ("ERR_6", "not allowed"),
        ("ERR_8", "module"),
        ("ERR_31", "blocked"),
        ("ERR_33", "no external probe"),
        ("ERR_36", "blocked"),
        ("ERR_77", "look it up"),
    ] {
        let fault = text::answer(text, 0, answer.as_bytes()).unwrap_err();
        assert!(matches!(fault, CallFault::Rejected { .. }) && !fault.is_silence());
        let words = fault.to_string();
        assert!(words.contains(answer) && words.contains(word), "{words}");
    }
    let fault = text::answer(text, 15, b"A015_ERR_6").unwrap_err();
    assert!(matches!(fault, CallFault::Rejected { .. }), "{fault}");
}

#[test]
fn polyscience_gets_cr_and_never_lf() {
    let polyscience = profile(POLYSCIENCE);
    let text = protocol(&polyscience);
    let asked = text::query(text, 0, "RT", true);
    assert_eq!(asked.send, b"RT\r");
    assert_eq!(asked.end.find(b"+62.5\r"), Reply::Whole(b"+62.5".to_vec()));
    assert_eq!(says(&polyscience, "bath", "+62.5"), (Some(celsius(62_500)), Quality::Good));
    assert_eq!(says(&polyscience, "bath", "-0.5"), (Some(celsius(-500)), Quality::Good));
    assert_eq!(written(&polyscience, 0, "running", Value::Switch(true)).send, b"SO1\r");
    assert_eq!(written(&polyscience, 0, "running", Value::Switch(false)).send, b"SO0\r");
    assert_eq!(written(&polyscience, 0, "setpoint", celsius(62_500)).send, b"SS62.5\r");
    assert_eq!(says(&polyscience, "unit", "C").0, Some(Value::Mode(0)));
    assert_eq!(says(&polyscience, "unit", "F").0, Some(Value::Mode(1)));
    assert_eq!(says(&polyscience, "unit", "K"), (None, Quality::Comm));
    let refused = text::answer(text, 0, b"?").unwrap_err();
    assert!(matches!(refused, CallFault::Rejected { .. }), "{refused}");
}

#[test]
fn an_answer_of_another_device_on_the_line_is_refused() {
    let lauda = profile(LAUDA);
    for foreign in ["A016_62.50", "62.50", "A15_62.50", "a015_62.50", "A015", "xA015_62.50"] {
        let fault = text::answer(protocol(&lauda), 15, foreign.as_bytes()).unwrap_err();
        assert!(matches!(fault, CallFault::Foreign { .. }), "{foreign}: {fault}");
        assert!(fault.to_string().contains("A015_"), "{fault}");
    }
    let noise = text::answer(protocol(&lauda), 0, &[0xE2, 0x32, 0x8D]).unwrap_err();
    assert!(noise.to_string().contains("E2 32 8D"), "{noise}");
}

#[test]
fn numbers_in_text_are_read_exactly_and_garbage_is_quoted() {
    let lauda = profile(LAUDA);
    let bath = lauda.point("bath").unwrap();
    let read = |line: &str| bath.decode(&Raw::Text(line.to_owned()));
    for (line, milli) in [
        ("62.50", 62_500),
        (" 62.50 ", 62_500),
        ("+62.50", 62_500),
        ("062.50", 62_500),
        ("-0.50", -500),
        ("62.4995", 62_500),
        ("62.4994", 62_499),
        ("0.00", 0),
    ] {
        assert_eq!(read(line).value, Some(celsius(milli)), "{line}");
        assert_eq!(read(line).quality, Quality::Good, "{line}");
    }
    for line in [
        "",
        "+",
        ".50",
        "62.5O",
        "62,50",
        "6 2.50",
        "--62.50",
        "+-6.25",
        "62.50 C",
        "1e2.00",
        "NaN",
        "inf",
        "62..5",
        "62.50.1",
        "0x3E",
        "---.--",
        "9999999999.00",
        "١٢.٥٠",
        "62.5000000000",
    ] {
        let decoded = read(line);
        assert_eq!((decoded.value, decoded.quality), (None, Quality::Comm), "{line}");
        assert!(decoded.reason.contains(&format!("{:?}", line.trim())), "{}", decoded.reason);
    }
    // Fewer decimals than the device gives: 62.5 may be anything from 62.45 to 62.55.
    let coarse = read("62.5");
    assert_eq!((coarse.value, coarse.quality), (None, Quality::Comm));
    assert!(coarse.reason.contains("fewer decimals than 2"), "{}", coarse.reason);
    let hot = read("120.00");
    assert_eq!((hot.value, hot.quality), (Some(celsius(120_000)), Quality::OutOfRange));
}

#[test]
fn every_hundredth_survives_the_way_there_and_back() {
    for (name, text, point) in
        [("julabo", JULABO, "setpoint"), ("lauda", LAUDA, "setpoint"), ("huber", HUBER, "setpoint")]
    {
        let profile = profile(text);
        let point = profile.point(point).unwrap();
        for hundredths in 0..=9500 {
            let value = celsius(hundredths * 10);
            let raw = point.encode(value).unwrap();
            assert_eq!(point.decode(&raw).value, Some(value), "{name}: {raw}");
        }
    }
}

#[test]
fn what_a_set_point_needs_is_written_and_read_as_the_same_number() {
    for (name, text) in [("julabo", JULABO), ("huber", HUBER), ("neslab", NESLAB)] {
        let profile = profile(text);
        let need = &profile.point("setpoint").unwrap().write.as_ref().unwrap().needs[0];
        assert!(need.once, "{name}");
        let limit = profile.point(&need.point).unwrap();
        let raw = limit.encode_whole(need.raw).unwrap();
        assert_eq!(limit.raw_whole(&raw), Some(need.raw), "{name}: {raw}");
        assert_eq!(limit.decode(&raw).value, Some(celsius(70_000)), "{name}: {raw}");
    }
}
