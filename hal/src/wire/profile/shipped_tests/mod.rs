//! The profiles that are shipped: what all of them keep, and the words of their manuals.

mod circulators;
mod controllers;
mod inputs;

use super::*;
use crate::contract::{Quality, Role};
use crate::units::Celsius;

pub(crate) const EUROTHERM: &str =
    include_str!("../../../../../profiles/devices/eurotherm-3200.toml");
pub(crate) const RELAY: &str = include_str!("../../../../../profiles/devices/relay-generic-8.toml");

/// Every shipped Modbus profile: name and text.
const SHIPPED: [(&str, &str); 12] = [
    ("autonics-tk", include_str!("../../../../../profiles/devices/autonics-tk.toml")),
    ("delta-dtb", include_str!("../../../../../profiles/devices/delta-dtb.toml")),
    ("eurotherm-3200", include_str!("../../../../../profiles/devices/eurotherm-3200.toml")),
    ("icpdas-tm-th8", include_str!("../../../../../profiles/devices/icpdas-tm-th8.toml")),
    ("intech-2300-rtd6", include_str!("../../../../../profiles/devices/intech-2300-rtd6.toml")),
    ("novus-n1200", include_str!("../../../../../profiles/devices/novus-n1200.toml")),
    ("omron-e5cc", include_str!("../../../../../profiles/devices/omron-e5cc.toml")),
    ("pixsys-drr245", include_str!("../../../../../profiles/devices/pixsys-drr245.toml")),
    ("procon-pm6rtd", include_str!("../../../../../profiles/devices/procon-pm6rtd.toml")),
    ("relay-generic-8", include_str!("../../../../../profiles/devices/relay-generic-8.toml")),
    ("watlow-ez-zone-pm", include_str!("../../../../../profiles/devices/watlow-ez-zone-pm.toml")),
    ("watlow-gateway", include_str!("../../../../../profiles/devices/watlow-gateway.toml")),
];

/// The file of the shipped profile of this name.
pub(crate) fn text(wanted: &str) -> &'static str {
    SHIPPED.iter().find(|(name, _)| *name == wanted).unwrap().1
}

/// The shipped profile of this name.
fn shipped(name: &str) -> Profile {
    Profile::parse(&format!("profiles/devices/{name}.toml"), text(name)).unwrap()
}

fn all() -> impl Iterator<Item = Profile> {
    SHIPPED.iter().map(|(name, _)| shipped(name))
}

/// What the point of this name makes of raw words.
fn decoded(profile: &Profile, point: &str, words: &[u16]) -> Decoded {
    profile.point(point).unwrap().decode(&Raw::Words(words.into()))
}

fn celsius(milli: i32) -> Option<Value> {
    Some(Value::Temperature(Celsius::from_milli(milli)))
}

/// A point whose scale stands in the device, as with one decimal; another one as it is.
fn with_one_decimal(point: &Point) -> Point {
    if point.scale_from.is_some() { point.scaled(1).unwrap() } else { point.clone() }
}

#[test]
fn every_shipped_profile_parses_and_is_named_after_its_file() {
    for (name, _) in SHIPPED {
        assert_eq!(shipped(name).name(), name);
    }
}

#[test]
fn every_shipped_profile_names_its_source_and_tells_its_traps() {
    for profile in all() {
        let name = profile.name();
        assert!(profile.source().len() > 20, "{name}: {}", profile.source());
        assert!(!profile.quirks().is_empty(), "{name}");
        for quirk in profile.quirks() {
            assert!(quirk.ends_with('.') && quirk.contains(' '), "{name}: {quirk}");
        }
    }
}

#[test]
fn every_shipped_profile_says_which_points_a_unit_would_use() {
    for profile in all() {
        let used = |role: Role, written: bool| {
            let mut points = profile.points().iter();
            points.any(|point| point.usual_role == Some(role) && written <= point.write.is_some())
        };
        let name = profile.name();
        let controller = used(Role::Bath, false) && used(Role::Setpoint, true);
        let probes = (0..6).all(|index| used(Role::Milk(index), false));
        let relays = used(Role::Agitator, true) && used(Role::CoolingValve, true);
        assert!(controller && used(Role::Heater, true) || probes || relays, "{name}");
    }
}

#[test]
fn every_temperature_can_tell_a_tenth_of_a_degree() {
    for profile in all() {
        let points = profile.points().iter().filter(|point| point.unit.is_temperature());
        for point in points.map(with_one_decimal) {
            let step = point.encode_whole(1).unwrap();
            let none = point.encode_whole(0).unwrap();
            let milli = |raw: &Raw| match point.decode(raw).value {
                Some(Value::Temperature(celsius)) => celsius.milli(),
                other => panic!("{}: {other:?}", point.name),
            };
            let float = point.register().unwrap().data_type == DataType::Float32;
            let wide = milli(&step) - milli(&none);
            assert!(
                float || (0..=100).contains(&wide),
                "{}.{}: {wide}",
                profile.name(),
                point.name
            );
        }
    }
}

#[test]
fn every_set_point_from_0_to_95_comes_back_within_half_a_step() {
    for profile in all() {
        let writable = |point: &&Point| point.unit.is_temperature() && point.write.is_some();
        for point in profile.points().iter().filter(writable).map(with_one_decimal) {
            for milli in (0..=95_000).step_by(7) {
                let raw = point.encode(Value::Temperature(Celsius::from_milli(milli))).unwrap();
                let Some(Value::Temperature(back)) = point.decode(&raw).value else {
                    panic!("{}.{}: {milli} gives {raw}", profile.name(), point.name);
                };
                let off = back.milli().abs_diff(milli);
                assert!(
                    off <= 50,
                    "{}.{}: {milli} comes back as {back}",
                    profile.name(),
                    point.name
                );
            }
        }
    }
}

#[test]
fn what_was_not_read_in_a_manual_says_so() {
    let eurotherm = shipped("eurotherm-3200");
    assert_eq!(eurotherm.point("pv").unwrap().verified, Verified::Manual);
    assert_eq!(eurotherm.point("display_decimals").unwrap().verified, Verified::Unverified);
    assert_eq!(eurotherm.verified(), Verified::Unverified);
}

/// Table and first address of a point.
fn register(profile: &Profile, point: &str) -> (Entity, u16) {
    let register = profile.point(point).unwrap().register().unwrap();
    (register.entity, register.address)
}
