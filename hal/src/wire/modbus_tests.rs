//! How points are gathered into reads.

use super::modbus::{Block, blocks};
use super::profile::{Entity, Profile};

fn planned(text: &str, wanted: &[&str]) -> Vec<(Entity, u16, u16, usize)> {
    let profile = Profile::parse("p.toml", text).unwrap();
    let index = |name: &&str| profile.points().iter().position(|point| point.name == *name);
    let wanted: Vec<usize> = wanted.iter().map(|name| index(name).unwrap()).collect();
    let blocks = blocks(profile.points(), &wanted, profile.modbus().unwrap());
    blocks.iter().map(|(b, points)| (b.entity, b.address, b.count, points.len())).collect()
}

const EUROTHERM: &str = include_str!("../../../profiles/devices/eurotherm-3200.toml");
const TH8: &str = include_str!("../../../profiles/devices/icpdas-tm-th8.toml");

#[test]
fn neighbours_are_read_in_one_block_and_gaps_are_not_read() {
    let wanted = ["pv", "working_setpoint", "target_setpoint", "sensor_break", "pv_over_range"];
    let expected = [
        (Entity::HoldingRegister, 1, 2, 2),
        (Entity::HoldingRegister, 5, 1, 1),
        (Entity::HoldingRegister, 75, 1, 2),
    ];
    assert_eq!(planned(EUROTHERM, &wanted), expected);
}

#[test]
fn the_tables_of_a_device_are_not_mixed() {
    let wanted = ["fault_0", "channel_1", "channel_0", "fault_1", "celsius"];
    let expected = [
        (Entity::Coil, 266, 1, 1),
        (Entity::DiscreteInput, 128, 2, 2),
        (Entity::InputRegister, 0, 2, 2),
    ];
    assert_eq!(planned(TH8, &wanted), expected);
}

#[test]
fn no_block_is_longer_than_the_device_allows() {
    let short = TH8.replace("words_per_read_max = 8", "words_per_read_max = 3");
    let names: Vec<String> = (0..8).map(|channel| format!("channel_{channel}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let input = Entity::InputRegister;
    assert_eq!(planned(&short, &names), [(input, 0, 3, 3), (input, 3, 3, 3), (input, 6, 2, 2)]);
    assert_eq!(planned(TH8, &names), [(input, 0, 8, 8)]);
}

#[test]
fn a_block_is_named_by_its_first_and_last_address() {
    let block = |count| Block { entity: Entity::Coil, address: 65_530, count };
    assert_eq!(block(1).words(), "coil 65530");
    assert_eq!(block(6).words(), "coil 65530 to 65535");
}
