use super::*;
use holder_hal::{Celsius, Duty};

fn probes(plant: &Plant) -> [f64; 3] {
    let milk_c = plant.milk_probe_c(0).expect("the machine has a milk probe");
    [plant.bath_probe_c(), milk_c, plant.reference_probe_c()]
}

fn heated(seed: u64, slice_ms: u64) -> Vec<[f64; 3]> {
    let mut plant = Plant::new(PlantParams::nominal(), seed, 1);
    plant.command(&Command { heat: Heat::Duty(Duty::FULL), ..Command::safe(false) });
    plant.load(48);
    let mut curve = Vec::new();
    for _ in 0..60 {
        (0..10_000 / slice_ms).for_each(|_| plant.advance(slice_ms));
        curve.push(probes(&plant));
    }
    curve
}

#[test]
fn the_same_seed_gives_the_same_curve_however_time_is_sliced() {
    assert_eq!(heated(1, 1000), heated(1, 1000));
    assert_eq!(heated(1, 1000), heated(1, 40));
    assert_ne!(heated(1, 1000), heated(2, 1000));
}

#[test]
fn before_loading_the_control_bottle_stands_in_the_fridge() {
    let mut plant = Plant::new(PlantParams::nominal(), 1, 1);
    let setpoint = Heat::Setpoint(Celsius::from_milli(63_000));
    plant.command(&Command { heat: setpoint, ..Command::safe(false) });
    plant.advance(3_600_000);
    let truth = plant.truth();
    assert!((truth.bath_c - 63.0).abs() < 0.1, "bath {}", truth.bath_c);
    assert_eq!(truth.control_c, 4.0);
    assert_eq!(truth.coldest_milk(), None);
}

#[test]
fn a_part_that_is_not_in_yet_stays_cold_and_takes_no_heat() {
    let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 1, 62.75);
    plant.begin_load(48);
    plant.advance(60_000);
    let truth = plant.truth();
    assert!(truth.bath_c > 62.5, "nothing is in: {}", truth.bath_c);
    assert_eq!((truth.coldest_milk(), truth.control_c), (None, 4.0));
    plant.put_in(Part::Control);
    plant.advance(300_000);
    let control_c = plant.truth().control_c;
    assert!(control_c > 30.0 && plant.truth().bath_c > 62.0, "{:?}", plant.truth());
    Part::ALL.into_iter().for_each(|part| plant.put_in(part));
    let truth = plant.truth();
    assert_eq!((truth.coldest_milk(), truth.control_c), (Some(4.0), control_c));
}

#[test]
fn milk_probes_stand_where_they_were_put() {
    let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, 62.75);
    plant.stand_probe(1, Part::Fast);
    plant.load(48);
    plant.advance(300_000);
    let [control_c, fast_c] =
        [0, 1].map(|index| plant.milk_probe_c(index).expect("the machine has two"));
    assert!((control_c - plant.truth().control_c).abs() < 1.0, "{control_c}");
    assert!(fast_c > control_c + 1.0, "{fast_c} and {control_c}");
}

#[test]
fn in_the_middle_of_a_hold_every_probe_stands_at_the_set_point_for_hours() {
    let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, 62.5);
    for _ in 0..120 {
        plant.advance(60_000);
        for value_c in probes(&plant) {
            assert!((value_c - 62.5).abs() < 0.001, "a probe at {value_c}");
        }
    }
}

#[test]
fn a_heater_that_is_off_gives_no_heat_whatever_was_asked_before() {
    let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 1, 62.5);
    plant.command(&Command::safe(false));
    plant.advance(120_000);
    assert!(plant.truth().heater_w < 1.0);
}
