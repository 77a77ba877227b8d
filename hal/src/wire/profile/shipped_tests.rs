//! The profiles that are shipped, and the rules that profiles must keep.

use super::*;
use crate::contract::Quality;
use crate::units::Celsius;

pub(crate) const EUROTHERM: &str = include_str!("../../../../profiles/devices/eurotherm-3200.toml");
pub(crate) const TH8: &str = include_str!("../../../../profiles/devices/icpdas-tm-th8.toml");
pub(crate) const RELAY: &str = include_str!("../../../../profiles/devices/relay-generic-8.toml");

fn shipped(name: &str, text: &str) -> Profile {
    Profile::parse(&format!("profiles/devices/{name}.toml"), text).unwrap()
}

#[test]
fn every_shipped_profile_parses_and_is_named_after_its_file() {
    for (name, text, points) in [
        ("eurotherm-3200", EUROTHERM, 14),
        ("icpdas-tm-th8", TH8, 18),
        ("relay-generic-8", RELAY, 16),
    ] {
        let profile = shipped(name, text);
        assert_eq!(profile.name(), name);
        assert_eq!(profile.points().len(), points);
        assert!(!profile.quirks().is_empty() && !profile.source().is_empty());
    }
}

#[test]
fn what_was_not_read_in_a_manual_says_so() {
    let eurotherm = shipped("eurotherm-3200", EUROTHERM);
    assert_eq!(eurotherm.point("pv").unwrap().verified, Verified::Manual);
    assert_eq!(eurotherm.point("display_decimals").unwrap().verified, Verified::Unverified);
    assert_eq!(eurotherm.verified(), Verified::Unverified);
}

#[test]
fn the_eurotherm_reads_62_5_as_tenths_and_as_float() {
    let eurotherm = shipped("eurotherm-3200", EUROTHERM);
    let wanted = Some(Value::Temperature(Celsius::from_milli(62_500)));
    let tenths = eurotherm.point("pv").unwrap().decode(&Raw::Words(vec![0x0271]));
    assert_eq!((tenths.value, tenths.quality), (wanted, Quality::Good));
    let float = eurotherm.point("pv_float").unwrap().decode(&Raw::Words(vec![0x427A, 0x0000]));
    assert_eq!((float.value, float.quality), (wanted, Quality::Good));
}

#[test]
fn standby_is_off_and_the_configuration_mode_is_neither() {
    let eurotherm = shipped("eurotherm-3200", EUROTHERM);
    let mode = eurotherm.point("instrument_mode").unwrap();
    assert_eq!(mode.encode(Value::Switch(false)), Ok(Raw::Words(vec![1])));
    assert_eq!(mode.encode(Value::Switch(true)), Ok(Raw::Words(vec![0])));
    assert_eq!(mode.decode(&Raw::Words(vec![2])).quality, Quality::OutOfRange);
}
