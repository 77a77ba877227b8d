//! Framed protocols of commands against the byte vectors of the manuals, whole and byte by byte.

use super::error::CallFault;
use super::line::LineQuery;
use super::port::reply::Reply;
use super::profile::{Raw, Value};
use super::text_tests::{HUBER, NESLAB, celsius, decoded, profile};
use super::{huber_pb, neslab_nc};
use crate::contract::Quality;

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
    let word = |word| Raw::Words(smallvec::smallvec![word]);
    assert_eq!(decoded(&huber, "internal", &word(0x1857)), (Some(celsius(62_310)), Quality::Good));
    assert_eq!(decoded(&huber, "internal", &word(0xC504)), (None, Quality::SensorOpen));
    assert_eq!(decoded(&huber, "internal", &word(0x7FFF)), (None, Quality::OutOfRange));
    assert_eq!(decoded(&huber, "internal", &word(0xFF9C)), (Some(celsius(-1000)), Quality::Good));
}

#[test]
fn huber_is_given_62_5_as_186a() {
    let huber = profile(HUBER);
    let raw = huber.point("setpoint").unwrap().encode(celsius(62_500)).unwrap();
    assert_eq!(raw, Raw::Words(smallvec::smallvec![0x186A]));
    assert_eq!(huber_pb::write(0x00, 0x186A).send, b"{M00186A\r\n");
    assert_eq!(huber_pb::answer(0x00, b"{S00186A\r\n"), Ok(0x186A));
}

#[test]
fn the_status_of_a_huber_is_counted_from_its_lowest_bit() {
    let huber = profile(HUBER);
    // Controlling, circulating and pump: bits 0, 1 and 4.
    let status = Raw::Words(smallvec::smallvec![0x0013]);
    for (point, on) in [
        ("controlling", true),
        ("circulating", true),
        ("pump", true),
        ("error", false),
        ("warning", false),
    ] {
        assert_eq!(decoded(&huber, point, &status).0, Some(Value::Switch(on)), "{point}");
    }
    let error = decoded(&huber, "error", &Raw::Words(smallvec::smallvec![0x0100]));
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
