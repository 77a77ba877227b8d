//! Vectors of registers and values, from the manuals and from arithmetic by hand.

use super::*;
use crate::contract::Quality;
use crate::units::{Celsius, Duty};

/// A profile with one point made of these lines, on top of a table, address and name.
pub(crate) fn point(lines: &str) -> Point {
    try_point(lines).unwrap()
}

pub(crate) fn try_point(lines: &str) -> Result<Point, ProfileError> {
    let text = format!(
        "title = \"t\"\nprotocol = \"modbus\"\nsource = \"s\"\nverified = \"manual\"\n\
         [modbus]\nfunction_codes = [1, 2, 3, 4, 5, 6, 16]\nreport_server_id = false\n\
         [[point]]\nname = \"p\"\ntitle = \"a point\"\naddress = 1\n{lines}"
    );
    Profile::parse("p.toml", &text).map(|profile| profile.points()[0].clone())
}

const HOLDING: &str = "entity = \"holding_register\"\n";

fn holding(lines: &str) -> Point {
    point(&format!("{HOLDING}{lines}"))
}

fn words(words: &[u16]) -> Raw {
    Raw::Words(words.into())
}

fn celsius(milli: i32) -> Option<Value> {
    Some(Value::Temperature(Celsius::from_milli(milli)))
}

const TENTHS: &str = "data_type = \"INT16\"\nscale = 0.1\nunit = \"degC\"\nrange = [-50, 120]";

#[test]
fn tenths_of_a_degree_are_exact_both_ways() {
    let point = holding(TENTHS);
    assert_eq!(point.decode(&words(&[0x0271])).value, celsius(62_500));
    assert_eq!(point.decode(&words(&[0xFFFF])).value, celsius(-100));
    for raw in -500..=1200_i16 {
        let raw = words(&[raw.cast_unsigned()]);
        let decoded = point.decode(&raw);
        assert_eq!(decoded.quality, Quality::Good);
        assert_eq!(point.encode(decoded.value.unwrap()), Ok(raw));
    }
}

#[test]
fn a_set_point_is_rounded_to_the_nearest_step_of_the_device() {
    let point = holding(TENTHS);
    let raw = |milli| point.encode(Value::Temperature(Celsius::from_milli(milli)));
    assert_eq!(raw(63_449), Ok(words(&[634])));
    assert_eq!(raw(63_450), Ok(words(&[635])));
    assert_eq!(raw(-63_450), Ok(words(&[(-635_i16).cast_unsigned()])));
}

#[test]
fn a_float_comes_in_all_four_byte_orders() {
    let orders: [(&str, [u16; 2]); 4] = [
        ("ABCD", [0x427A, 0x1234]),
        ("CDAB", [0x1234, 0x427A]),
        ("BADC", [0x7A42, 0x3412]),
        ("DCBA", [0x3412, 0x7A42]),
    ];
    for (order, raw) in orders {
        let point = holding(&format!(
            "data_type = \"FLOAT32\"\nbyte_order = \"{order}\"\nunit = \"degC\"\nrange = [0, 99]"
        ));
        // 0x427A1234 is 62.517776…
        assert_eq!(point.decode(&words(&raw)).value, celsius(62_518), "{order}");
        let written = point.encode(Value::Temperature(Celsius::from_milli(62_500))).unwrap();
        assert_eq!(point.decode(&written).value, celsius(62_500), "{order}");
    }
}

#[test]
fn the_float_62_5_is_427a_0000() {
    let point = holding("data_type = \"FLOAT32\"\nunit = \"degC\"\nrange = [0, 99]");
    assert_eq!(point.decode(&words(&[0x427A, 0])).value, celsius(62_500));
    assert_eq!(
        point.encode(Value::Temperature(Celsius::from_milli(62_500))),
        Ok(words(&[0x427A, 0]))
    );
}

#[test]
fn a_watlow_says_144_5_fahrenheit_low_word_first() {
    let point = holding(
        "data_type = \"FLOAT32\"\nbyte_order = \"CDAB\"\nunit = \"degF\"\nconvert = \"degC\"\n\
         range = [0, 99]",
    );
    assert_eq!(point.decode(&words(&[0x8000, 0x4310])).value, celsius(62_500));
    assert_eq!(
        point.encode(Value::Temperature(Celsius::from_milli(62_500))),
        Ok(words(&[0x8000, 0x4310]))
    );
}

#[test]
fn fahrenheit_is_converted_with_one_rounding() {
    let point = holding(
        "data_type = \"INT16\"\nscale = 0.1\nunit = \"degF\"\nconvert = \"degC\"\nrange = [-40, 120]",
    );
    // (F − 32) · 5/9: 144.4 °F is 62.444… °C, 144.6 is 62.555…, −40 is −40.
    for (tenths, milli) in [(1445, 62_500), (1444, 62_444), (1446, 62_556), (-400, -40_000)] {
        let raw = words(&[i16::cast_unsigned(tenths)]);
        assert_eq!(point.decode(&raw).value, celsius(milli));
        assert_eq!(point.encode(celsius(milli).unwrap()), Ok(raw));
    }
}

#[test]
fn what_is_no_number_is_out_of_range() {
    let point = holding("data_type = \"FLOAT32\"\nunit = \"degC\"\nrange = [0, 99]");
    for bits in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX].map(f32::to_bits) {
        let decoded = point.decode(&words(&[(bits >> 16) as u16, bits as u16]));
        assert_eq!((decoded.value, decoded.quality), (None, Quality::OutOfRange));
    }
}

#[test]
fn outside_the_range_the_number_is_kept_but_does_not_count() {
    let decoded = holding(TENTHS).decode(&words(&[1201]));
    assert_eq!((decoded.value, decoded.quality), (celsius(120_100), Quality::OutOfRange));
    assert_eq!(decoded.reason, "120.100 is outside the range of this point");
}

#[test]
fn a_sentinel_is_known_by_its_bit_pattern_and_by_its_range() {
    // Delta DTB: 0x8002 starting, 0x8003 no sensor; a Procon's break is 32768 up.
    let point = holding(&format!(
        "{TENTHS}\nsentinels = [\n\
         {{ value = 0x8003, quality = \"sensor-open\", meaning = \"no sensor\" }},\n\
         {{ from = 31000, to = 32767, quality = \"sensor-open\", meaning = \"break\" }},\n\
         {{ value = 0x8002, quality = \"stale\", meaning = \"starting\" }} ]"
    ));
    for (raw, quality, reason) in [
        (0x8003, Quality::SensorOpen, "no sensor"),
        (31_000, Quality::SensorOpen, "break"),
        (32_767, Quality::SensorOpen, "break"),
        (0x8002, Quality::Stale, "starting"),
    ] {
        let decoded = point.decode(&words(&[raw]));
        assert_eq!((decoded.value, decoded.quality), (None, quality));
        assert_eq!(decoded.reason, reason);
    }
    let played = point.encode_sentinel(&point.sentinels[0]);
    assert_eq!(played, Ok(words(&[0x8003])));
}

#[test]
fn one_bit_of_a_status_word_is_a_switch_of_its_own() {
    let point = holding("data_type = \"BIT\"\nbit = 10\nunit = \"switch\"");
    assert_eq!(point.decode(&words(&[0b0000_0100_0000_0000])).value, Some(Value::Switch(true)));
    assert_eq!(point.decode(&words(&[0b1111_1011_1111_1111])).value, Some(Value::Switch(false)));
    assert_eq!(point.mask(), 1 << 10);
    assert_eq!(point.encode(Value::Switch(true)), Ok(words(&[1 << 10])));
}

#[test]
fn a_share_of_power_is_in_permille_and_never_beyond() {
    let point = holding("data_type = \"INT16\"\nscale = 0.1\nunit = \"percent\"");
    let duty = Duty::from_permille(375).unwrap();
    assert_eq!(point.decode(&words(&[375])).value, Some(Value::Percent(duty)));
    assert_eq!(point.encode(Value::Percent(duty)), Ok(words(&[375])));
    for raw in [1001, (-1_i16).cast_unsigned()] {
        assert_eq!(point.decode(&words(&[raw])).quality, Quality::OutOfRange);
    }
}

#[test]
fn double_words_keep_their_sign() {
    let point = holding(
        "data_type = \"INT32\"\nbyte_order = \"CDAB\"\nscale = 0.001\nunit = \"degC\"\n\
         range = [-50, 120]",
    );
    assert_eq!(point.decode(&words(&[0xFFFF, 0xFFFF])).value, celsius(-1));
    let written = point.encode(Value::Temperature(Celsius::from_milli(-1)));
    assert_eq!(written, Ok(words(&[0xFFFF, 0xFFFF])));
}

#[test]
fn what_does_not_fit_is_refused_and_not_cut() {
    let point = holding(TENTHS);
    let error = point.encode(Value::Temperature(Celsius::from_milli(4_000_000))).unwrap_err();
    assert_eq!(error.to_string(), "4000.000 °C does not fit into the INT16 of p");
    let error = point.encode(Value::Switch(true)).unwrap_err();
    assert_eq!(error.to_string(), "p takes a degC, not on");
}

#[test]
fn registers_of_another_shape_are_no_answer() {
    let point = holding(TENTHS);
    for raw in [words(&[]), words(&[1, 2]), Raw::Bit(true)] {
        assert_eq!(point.decode(&raw).quality, Quality::Comm);
    }
}
