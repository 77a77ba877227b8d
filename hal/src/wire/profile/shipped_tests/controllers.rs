//! The controllers: the words of their manuals through their profiles.

use super::*;

#[test]
fn the_eurotherm_reads_62_5_as_tenths_and_as_float() {
    let eurotherm = shipped("eurotherm-3200");
    let wanted = Some(Value::Temperature(Celsius::from_milli(62_500)));
    let tenths = eurotherm.point("pv").unwrap().decode(&Raw::Words(smallvec::smallvec![0x0271]));
    assert_eq!((tenths.value, tenths.quality), (wanted, Quality::Good));
    let float = eurotherm
        .point("pv_float")
        .unwrap()
        .decode(&Raw::Words(smallvec::smallvec![0x427A, 0x0000]));
    assert_eq!((float.value, float.quality), (wanted, Quality::Good));
}

#[test]
fn standby_is_off_and_the_configuration_mode_is_neither() {
    let eurotherm = shipped("eurotherm-3200");
    let mode = eurotherm.point("instrument_mode").unwrap();
    assert_eq!(mode.encode(Value::Switch(false)), Ok(Raw::Words(smallvec::smallvec![1])));
    assert_eq!(mode.encode(Value::Switch(true)), Ok(Raw::Words(smallvec::smallvec![0])));
    assert_eq!(mode.decode(&Raw::Words(smallvec::smallvec![2])).quality, Quality::OutOfRange);
}

#[test]
fn the_status_bits_of_the_eurotherm_are_the_manuals() {
    let eurotherm = shipped("eurotherm-3200");
    for (bit, point) in [
        (5, "sensor_break"),
        (6, "loop_break"),
        (10, "pv_over_range"),
        (14, "remote_setpoint_lost"),
    ] {
        for other in 0..16 {
            let told = decoded(&eurotherm, point, &[1 << other]).value;
            assert_eq!(told, Some(Value::Switch(other == bit)), "{point}, bit {other}");
        }
    }
}

#[test]
fn the_watlow_speaks_fahrenheit_low_word_first_and_its_gateway_high_word_first() {
    // 62.5 °C is 144.5 °F: 0x43108000 as a float (DEVICES, vectors).
    let (watlow, gateway) = (shipped("watlow-ez-zone-pm"), shipped("watlow-gateway"));
    assert_eq!(decoded(&watlow, "pv", &[0x8000, 0x4310]).value, celsius(62_500));
    assert_eq!(decoded(&gateway, "pv", &[0x4310, 0x8000]).value, celsius(62_500));
    let setpoint = |profile: &Profile| {
        let value = Value::Temperature(Celsius::from_milli(62_500));
        profile.point("setpoint").unwrap().encode(value).unwrap()
    };
    assert_eq!(setpoint(&watlow), Raw::Words(smallvec::smallvec![0x8000, 0x4310]));
    assert_eq!(setpoint(&gateway), Raw::Words(smallvec::smallvec![0x4310, 0x8000]));
    // 75.0 is 42960000 in the manual's own example: of degrees Fahrenheit, 23.889 °C.
    assert_eq!(decoded(&watlow, "pv", &[0x0000, 0x4296]).value, celsius(23_889));
    // In the wrong order it is no temperature at all.
    assert_eq!(decoded(&watlow, "pv", &[0x4310, 0x8000]).quality, Quality::OutOfRange);
}

#[test]
fn each_zone_of_the_gateway_is_5000_further_up() {
    let gateway = shipped("watlow-gateway");
    for name in ["pv", "input_error", "control_mode", "setpoint", "comms_units", "save_settings"] {
        let address = |point: &str| register(&gateway, point).1;
        assert_eq!(address(&format!("zone_2_{name}")), address(name) + 5000, "{name}");
    }
}

#[test]
fn the_delta_says_in_place_of_a_temperature_what_is_wrong() {
    let delta = shipped("delta-dtb");
    assert_eq!(register(&delta, "pv"), (Entity::HoldingRegister, 4096));
    assert_eq!(decoded(&delta, "pv", &[0x0271]).value, celsius(62_500));
    for (word, quality, words) in [
        (0x8002, Quality::Stale, "starting"),
        (0x8003, Quality::SensorOpen, "no sensor"),
        (0x8004, Quality::SensorOpen, "input"),
        (0x8006, Quality::OutOfRange, "converter"),
        (0x8007, Quality::OutOfRange, "memory"),
    ] {
        let told = decoded(&delta, "pv", &[word]);
        assert_eq!((told.value, told.quality), (None, quality), "{word:#06X}");
        assert!(told.reason.contains(words), "{word:#06X}: {}", told.reason);
    }
}

#[test]
fn the_delta_reads_little_at_once_and_knows_no_function_16() {
    let Protocol::Modbus(modbus) = shipped("delta-dtb").protocol().clone() else {
        panic!("it is a Modbus device");
    };
    assert_eq!((modbus.words_per_read_max, modbus.bits_per_read_max), (8, 16));
    assert_eq!(modbus.function_codes, [2, 3, 5, 6]);
}

#[test]
fn the_commands_of_the_omron_are_numbers_written_to_one_register() {
    let omron = shipped("omron-e5cc");
    for (point, on, off) in [
        ("comms_writing", 0x0001, 0x0000),
        ("run", 0x0100, 0x0101),
        ("ram_mode", 0x0401, 0x0400),
        ("automatic", 0x0900, 0x0901),
    ] {
        let command = omron.point(point).unwrap();
        assert_eq!(register(&omron, point), (Entity::HoldingRegister, 0), "{point}");
        assert!(!command.readable, "{point}");
        let word = |on| command.encode(Value::Switch(on)).unwrap();
        assert_eq!(word(true), Raw::Words(smallvec::smallvec![on]), "{point}");
        assert_eq!(word(false), Raw::Words(smallvec::smallvec![off]), "{point}");
        let proof = &command.write.as_ref().unwrap().verify_point;
        assert!(omron.point(proof).unwrap().readable, "{point}");
    }
    // Status 0x0300 is: stopped, writing allowed.
    assert_eq!(decoded(&omron, "running", &[0x0300]).value, Some(Value::Switch(false)));
    assert_eq!(decoded(&omron, "comms_writing_on", &[0x0300]).value, Some(Value::Switch(true)));
}

#[test]
fn what_has_its_scale_in_the_device_means_nothing_without_it() {
    for name in ["omron-e5cc", "autonics-tk"] {
        let profile = shipped(name);
        let pv = profile.point("pv").unwrap();
        let unread = pv.decode(&Raw::Words(smallvec::smallvec![625]));
        assert_eq!((unread.value, unread.quality), (None, Quality::Comm), "{name}");
        assert!(unread.reason.contains("decimals"), "{name}: {}", unread.reason);
        let setpoint = profile.point("setpoint").unwrap();
        let wanted = Value::Temperature(Celsius::from_milli(62_500));
        assert!(setpoint.encode(wanted).unwrap_err().to_string().contains("decimals"), "{name}");
        for (decimals, word) in [(1, 625), (2, 6250)] {
            let pv = pv.scaled(decimals).unwrap();
            assert_eq!(
                pv.decode(&Raw::Words(smallvec::smallvec![word])).value,
                celsius(62_500),
                "{name}"
            );
            let setpoint = setpoint.scaled(decimals).unwrap();
            assert_eq!(
                setpoint.encode(wanted),
                Ok(Raw::Words(smallvec::smallvec![word])),
                "{name}"
            );
        }
    }
}

#[test]
fn too_few_decimals_are_refused_with_what_to_set() {
    let pv = shipped("autonics-tk").point("pv").unwrap().clone();
    let coarse = pv.scaled(0).unwrap_err().to_string();
    assert!(coarse.contains("coarser than 0.1 °C") && coarse.contains("one decimal"), "{coarse}");
    for absurd in [-1, 5, 255, i64::MAX] {
        assert_eq!(pv.scaled(absurd), Err(ScaleFault::Absurd { decimals: absurd }));
    }
}

#[test]
fn the_autonics_says_open_hot_and_cold_by_numbers_that_are_none() {
    let pv = shipped("autonics-tk").point("pv").unwrap().scaled(1).unwrap();
    for (word, quality, words) in [
        (31_000, Quality::SensorOpen, "OPEN"),
        (30_000, Quality::OutOfRange, "HHHH"),
        (-30_000_i16, Quality::OutOfRange, "LLLL"),
    ] {
        let told = pv.decode(&Raw::Words(smallvec::smallvec![word.cast_unsigned()]));
        assert_eq!((told.value, told.quality), (None, quality), "{word}");
        assert!(told.reason.contains(words), "{word}: {}", told.reason);
    }
}

#[test]
fn run_is_zero_on_the_autonics_and_one_on_the_novus_and_the_pixsys() {
    for (name, point, on, off) in [
        ("autonics-tk", "run", 0, 1),
        ("novus-n1200", "run", 1, 0),
        ("pixsys-drr245", "start", 1, 0),
    ] {
        let profile = shipped(name);
        let run = profile.point(point).unwrap();
        assert_eq!(
            run.encode(Value::Switch(true)),
            Ok(Raw::Words(smallvec::smallvec![on])),
            "{name}"
        );
        assert_eq!(
            run.encode(Value::Switch(false)),
            Ok(Raw::Words(smallvec::smallvec![off])),
            "{name}"
        );
    }
}

#[test]
fn the_watchdog_of_the_pixsys_is_armed_before_anything_heats() {
    let pixsys = shipped("pixsys-drr245");
    let watchdog = pixsys.watchdog().unwrap();
    assert!(watchdog.stops_heat);
    let armed = watchdog.armed_by.as_ref().unwrap();
    assert_eq!((armed.point.as_str(), armed.raw), ("off_line_ms", 5000));
    assert_eq!(u64::try_from(armed.raw).unwrap(), watchdog.within_ms);
    for point in ["setpoint", "start"] {
        let write = pixsys.point(point).unwrap().write.as_ref().unwrap();
        assert!(write.needs.contains(armed), "{point}");
    }
}
