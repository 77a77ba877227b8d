//! Protocols of commands against the byte vectors of the manuals, whole and byte by byte.

use super::error::CallFault;
use super::line::{LineEnd, LineQuery};
use super::port::reply::Reply;
use super::profile::{Profile, Protocol, Raw, TextProtocol, Value, WriteMeans};
use super::{huber_pb, neslab_nc, text};
use crate::contract::Quality;
use crate::units::Celsius;

pub(crate) const JULABO: &str = include_str!("../../../profiles/devices/julabo.toml");
pub(crate) const LAUDA: &str = include_str!("../../../profiles/devices/lauda.toml");
const HUBER: &str = include_str!("../../../profiles/devices/huber-pb.toml");
const POLYSCIENCE: &str = include_str!("../../../profiles/devices/polyscience.toml");
const NESLAB: &str = include_str!("../../../profiles/devices/neslab-nc.toml");

fn profile(text: &str) -> Profile {
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

fn celsius(milli: i32) -> Value {
    Value::Temperature(Celsius::from_milli(milli))
}

/// What the point makes of these data.
fn decoded(profile: &Profile, point: &str, raw: &Raw) -> (Option<Value>, Quality) {
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

/// Every answer that is not quite this one: cut short at either end, longer, or with one byte
/// changed in every way.
fn spoilt(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let heads = (0..good.len()).map(move |len| good[..len].to_vec());
    let tails = (1..good.len()).map(move |from| good[from..].to_vec());
    let longer = [[good, &[0]].concat(), [&[0], good].concat(), good.repeat(2)];
    let changed = (0..good.len()).flat_map(move |at| {
        (1..=u8::MAX).map(move |other| {
            let mut bytes = good.to_vec();
            bytes[at] ^= other;
            bytes
        })
    });
    heads.chain(tails).chain(longer).chain(changed)
}

/// The answer is whole after its last byte and not before.
fn whole_only_at_its_end(query: &LineQuery, answer: &[u8]) {
    for len in 0..answer.len() {
        assert_eq!(query.end.find(&answer[..len]), Reply::Incomplete, "{len} bytes");
    }
    assert_eq!(query.end.find(answer), Reply::Whole(answer.to_vec()));
}

#[test]
fn huber_is_asked_as_in_its_manual_and_answers_62_31() {
    // manualslib.de 246408: {M01**** and {S011857; 0x1857 is 6231 hundredths.
    let query = huber_pb::read(0x01);
    assert_eq!(query.send, b"{M01****\r\n");
    let answer = b"{S011857\r\n";
    whole_only_at_its_end(&query, answer);
    assert_eq!(huber_pb::answer(0x01, answer), Ok(0x1857));
    let huber = profile(HUBER);
    let word = |word| Raw::Words(vec![word]);
    assert_eq!(decoded(&huber, "internal", &word(0x1857)), (Some(celsius(62_310)), Quality::Good));
    assert_eq!(decoded(&huber, "internal", &word(0xC504)), (None, Quality::SensorOpen));
    assert_eq!(decoded(&huber, "internal", &word(0x7FFF)), (None, Quality::OutOfRange));
    assert_eq!(decoded(&huber, "internal", &word(0xFF9C)), (Some(celsius(-1000)), Quality::Good));
}

#[test]
fn huber_is_given_62_5_as_186a() {
    let huber = profile(HUBER);
    let raw = huber.point("setpoint").unwrap().encode(celsius(62_500)).unwrap();
    assert_eq!(raw, Raw::Words(vec![0x186A]));
    assert_eq!(huber_pb::write(0x00, 0x186A).send, b"{M00186A\r\n");
    assert_eq!(huber_pb::answer(0x00, b"{S00186A\r\n"), Ok(0x186A));
}

#[test]
fn the_status_of_a_huber_is_counted_from_its_lowest_bit() {
    let huber = profile(HUBER);
    // Controlling, circulating and pump: bits 0, 1 and 4.
    let status = Raw::Words(vec![0x0013]);
    for (point, on) in [
        ("controlling", true),
        ("circulating", true),
        ("pump", true),
        ("error", false),
        ("warning", false),
    ] {
        assert_eq!(decoded(&huber, point, &status).0, Some(Value::Switch(on)), "{point}");
    }
    let error = decoded(&huber, "error", &Raw::Words(vec![0x0100]));
    assert_eq!(error.0, Some(Value::Switch(true)));
}

#[test]
fn an_answer_that_is_not_quite_hubers_is_never_another_variable() {
    let good = b"{S011857\r\n";
    for bytes in spoilt(good) {
        // A changed digit of the value is another value: the protocol has no checksum.
        let value_only = bytes.len() == good.len() && bytes[..4] == good[..4];
        match huber_pb::answer(0x01, &bytes) {
            Ok(word) => assert!(value_only && word != 0x1857, "{bytes:02X?}"),
            Err(fault) => assert!(matches!(fault, CallFault::Foreign { .. }), "{fault}"),
        }
    }
    for other in [b"{S021857\r\n", b"{M011857\r\n", b"{S01****\r\n", b"{S01185a\r\n"] {
        assert!(huber_pb::answer(0x01, other).is_err());
    }
    let fault = huber_pb::answer(0x01, b"{S001857\r\n").unwrap_err().to_string();
    assert!(fault.contains("asked for variable 01"), "{fault}");
}

const NESLAB_62_5: [u8; 9] = [0xCA, 0x00, 0x01, 0x20, 0x03, 0x11, 0x02, 0x71, 0x57];

#[test]
fn neslab_is_asked_as_in_its_manual_and_answers_62_5() {
    let query = neslab_nc::read(1, 0x20);
    assert_eq!(query.send, [0xCA, 0x00, 0x01, 0x20, 0x00, 0xDE]);
    whole_only_at_its_end(&query, &NESLAB_62_5);
    let data = neslab_nc::answer(1, 0x20, &NESLAB_62_5).unwrap();
    let neslab = profile(NESLAB);
    assert_eq!(
        decoded(&neslab, "internal", &Raw::Bytes(data)),
        (Some(celsius(62_500)), Quality::Good)
    );
    // The RTE manual's example: −10.5 °C.
    let cold = [0xCA, 0x00, 0x01, 0x20, 0x03, 0x11, 0xFF, 0x97, 0x34];
    let data = neslab_nc::answer(1, 0x20, &cold).unwrap();
    assert_eq!(decoded(&neslab, "internal", &Raw::Bytes(data)).0, Some(celsius(-10_500)));
    // Every request of the manual's table 1.
    for (command, sum) in [(0x09, 0xF5), (0x21, 0xDD), (0x70, 0x8E), (0x40, 0xBE), (0x60, 0x9E)] {
        assert_eq!(neslab_nc::read(1, command).send, [0xCA, 0, 1, command, 0, sum]);
    }
}

#[test]
fn neslab_is_given_62_5_and_switched_on_as_in_its_manual() {
    let neslab = profile(NESLAB);
    let raw = neslab.point("setpoint").unwrap().encode(celsius(62_500)).unwrap();
    assert_eq!(raw, Raw::Bytes(vec![0x11, 0x02, 0x71]));
    let query = neslab_nc::write_word(1, 0xF0, [0x02, 0x71]);
    assert_eq!(query.send, [0xCA, 0x00, 0x01, 0xF0, 0x02, 0x02, 0x71, 0x99]);
    let (command, on) = neslab_nc::write_item(1, 0, true);
    assert_eq!(command, 0x81);
    // ~(00+01+81+08+01+7·02) = ~99 = 66.
    assert_eq!(on.send, [0xCA, 0, 1, 0x81, 8, 1, 2, 2, 2, 2, 2, 2, 2, 0x66]);
}

#[test]
fn the_qualifier_of_a_neslab_decides_scale_and_unit() {
    let neslab = profile(NESLAB);
    let internal = |qualifier, high, low| {
        neslab.point("internal").unwrap().decode(&Raw::Bytes(vec![qualifier, high, low]))
    };
    assert_eq!(internal(0x21, 0x18, 0x6A).value, Some(celsius(62_500)));
    for without_unit in [0x10, 0x20, 0x12, 0x00] {
        let decoded = internal(without_unit, 0x02, 0x71);
        assert_eq!((decoded.value, decoded.quality), (None, Quality::Comm));
        assert!(decoded.reason.contains("02 71"), "{}", decoded.reason);
    }
    let short = neslab.point("internal").unwrap().decode(&Raw::Bytes(vec![0x11, 0x02]));
    assert_eq!(short.quality, Quality::Comm);
    let check = &neslab.checks()[0];
    let point = neslab.point(&check.point).unwrap();
    assert_eq!(point.raw_whole(&Raw::Bytes(vec![0x11, 2, 0x71])), Some(check.raws[0]));
}

#[test]
fn the_status_bits_of_a_neslab_are_those_of_its_table_2() {
    let neslab = profile(NESLAB);
    let status = |data: [u8; 5], point: &str| decoded(&neslab, point, &Raw::Bytes(data.into())).0;
    let on = Some(Value::Switch(true));
    assert_eq!(status([0x20, 0, 0, 0, 0], "rtd1_open"), on);
    assert_eq!(status([0x10, 0, 0, 0, 0], "rtd1_shorted"), on);
    assert_eq!(status([0, 0x08, 0, 0, 0], "rtd2_open"), on);
    assert_eq!(status([0, 0x04, 0, 0, 0], "rtd2_shorted"), on);
    assert_eq!(status([0, 0, 0x08, 0, 0], "low_level_fault"), on);
    assert_eq!(status([0, 0, 0, 0x08, 0], "unit_on"), on);
    assert_eq!(status([0, 0, 0, 0x01, 0], "heater_on"), on);
    assert_eq!(status([0xFF, 0xFF, 0xFF, 0xF7, 0xFF], "unit_on"), Some(Value::Switch(false)));
}

#[test]
fn every_change_of_one_byte_of_a_neslab_answer_is_refused() {
    for bytes in spoilt(&NESLAB_62_5) {
        let fault = neslab_nc::answer(1, 0x20, &bytes).unwrap_err();
        assert!(matches!(fault, CallFault::Foreign { .. }), "{bytes:02X?}: {fault}");
    }
    assert!(neslab_nc::answer(2, 0x20, &NESLAB_62_5).is_err(), "a foreign address");
    assert!(neslab_nc::answer(1, 0x21, &NESLAB_62_5).is_err(), "another command");
}

#[test]
fn an_error_of_a_neslab_is_a_refusal_in_words() {
    // ~(00+01+0F+02+01+20) = ~33 = CC, and ~(…03…) = CA.
    let refused = neslab_nc::answer(1, 0x20, &[0xCA, 0, 1, 0x0F, 2, 1, 0x20, 0xCC]).unwrap_err();
    assert!(refused.to_string().contains("does not know the command"), "{refused}");
    assert!(!refused.is_silence());
    let refused = neslab_nc::answer(1, 0x20, &[0xCA, 0, 1, 0x0F, 2, 3, 0x20, 0xCA]).unwrap_err();
    assert!(refused.to_string().contains("wrong checksum"), "{refused}");
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
