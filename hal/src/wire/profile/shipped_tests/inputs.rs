//! The input modules: the words of their manuals through their profiles.

use super::*;

#[test]
fn every_input_shows_62_5_in_tenths() {
    for (name, first, inputs) in
        [("icpdas-tm-th8", 0, 8), ("intech-2300-rtd6", 1, 6), ("procon-pm6rtd", 1, 6)]
    {
        let profile = shipped(name);
        for index in first..first + inputs {
            let point = format!("channel_{index}");
            assert_eq!(register(&profile, &point), (Entity::InputRegister, index), "{name}");
            assert_eq!(decoded(&profile, &point, &[0x0271]).value, celsius(62_500), "{name}");
            let role = u8::try_from(index - first).map(Role::Milk).unwrap();
            assert_eq!(profile.point(&point).unwrap().usual_role, Some(role), "{name}");
        }
    }
}

#[test]
fn a_broken_sensor_on_the_procon_is_32768_or_minus_32767() {
    let procon = shipped("procon-pm6rtd");
    for word in [0x8000, (-32_767_i16).cast_unsigned()] {
        let told = decoded(&procon, "channel_1", &[word]);
        assert_eq!((told.value, told.quality), (None, Quality::SensorOpen), "{word:#06X}");
    }
    // Its neighbour is no message, and no temperature either.
    assert_eq!(decoded(&procon, "channel_1", &[0x8002]).quality, Quality::OutOfRange);
}

#[test]
fn the_intech_has_an_error_bit_for_each_input_and_names_its_unit() {
    let intech = shipped("intech-2300-rtd6");
    for index in 1..=6 {
        let point = format!("channel_{index}");
        let faults = &intech.point(&point).unwrap().faults;
        assert_eq!(faults[0].point, format!("fault_{index}"));
        let told = decoded(&intech, &faults[0].point, &[1 << (index - 1)]);
        assert_eq!(told.value, Some(Value::Switch(true)));
    }
    // Register 40103: 1 is °C and must be, 2 is °F.
    assert_eq!(register(&intech, "unit"), (Entity::HoldingRegister, 102));
    let check = &intech.checks()[0];
    assert_eq!((check.point.as_str(), check.raws.as_slice()), ("unit", [1].as_slice()));
    let unit = intech.point("unit").unwrap();
    assert_eq!(unit.raw_whole(&Raw::Words(smallvec::smallvec![2])), Some(2));
}
