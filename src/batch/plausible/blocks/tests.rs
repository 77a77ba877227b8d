use holder_hal::{Celsius, Command, Duty, Tick};

use super::*;
use crate::batch::phase::PhaseName;

fn stage(ms: u64, heat: Heat) -> Stage {
    let command = Command { heat, ..Command::safe(false) };
    let now = Tick::from_ms(ms);
    Stage { now, phase: PhaseName::ComeUp, loaded: None, bottles: 48, command }
}

fn fresh(bath_milli: i32, milk_milli: i32) -> Fresh {
    let mut fresh = Fresh { bath: Some(Celsius::from_milli(bath_milli)), ..Fresh::default() };
    fresh.milk[0] = Some(Celsius::from_milli(milk_milli));
    fresh
}

/// The block of these commands, one a second.
fn commanded(heats: &[Heat]) -> Commanded {
    let mut blocks = Blocks::new(1_000);
    for (s, heat) in (0..).zip(heats) {
        assert!(blocks.take(&stage(s * 1_000, *heat), &fresh(63_000, 20_000)).is_none());
    }
    blocks.take(&stage(10_000, Heat::Off), &fresh(63_000, 20_000)).expect("ended").commanded
}

fn duty(permille: u16) -> Heat {
    Heat::Duty(Duty::from_permille(permille).expect("at most full"))
}

#[test]
fn a_block_is_the_mean_of_ten_seconds_and_comes_with_the_next_reading() {
    let mut blocks = Blocks::new(1_000);
    for s in 0..10 {
        let value = fresh(63_000 + s * 100, 20_000 - s * 100);
        let at_ms = u64::from(s.unsigned_abs()) * 1_000;
        assert!(blocks.take(&stage(at_ms, Heat::Off), &value).is_none());
    }
    let block = blocks.take(&stage(10_000, Heat::Off), &fresh(0, 0)).expect("ended");
    assert!((block.bath.expect("read") - 63.45).abs() < 1e-9, "{block:?}");
    assert!((block.milk[0].expect("read") - 19.55).abs() < 1e-9, "{block:?}");
    assert_eq!((block.milk[1], block.reference), (None, None));
    assert!(block.follows_a_gap, "nothing was before the first");
    assert_eq!((block.coldest(1), block.hottest(1)), (block.milk[0], block.milk[0]));
    assert_eq!((block.coldest(2), block.hottest(2)), (None, None), "one of two is silent");
}

#[test]
fn a_mean_needs_half_of_the_readings_of_a_block() {
    let mean_of = |readings: u64| {
        let mut blocks = Blocks::new(1_000);
        for s in 0..10 {
            let value = if s < readings { fresh(63_000, 20_000) } else { Fresh::default() };
            blocks.take(&stage(s * 1_000, Heat::Off), &value);
        }
        blocks.take(&stage(10_000, Heat::Off), &Fresh::default()).expect("ended").bath
    };
    assert_eq!(mean_of(4), None);
    assert_eq!(mean_of(5), Some(63.0));
}

#[test]
fn a_block_that_is_missing_is_told_by_the_next_one() {
    let mut blocks = Blocks::new(1_000);
    blocks.take(&stage(0, Heat::Off), &fresh(63_000, 20_000));
    assert!(blocks.take(&stage(10_000, Heat::Off), &fresh(63_000, 20_000)).is_some());
    let second = blocks.take(&stage(20_000, Heat::Off), &fresh(63_000, 20_000)).expect("ended");
    assert!(!second.follows_a_gap);
    blocks.take(&stage(40_000, Heat::Off), &fresh(63_000, 20_000)).expect("ended");
    let after = blocks.take(&stage(50_000, Heat::Off), &fresh(63_000, 20_000)).expect("ended");
    assert!(after.follows_a_gap, "nothing came from 30 to 40 s");
}

#[test]
fn what_was_commanded_is_told_as_far_as_it_is_one_thing() {
    let setpoint = |milli: i32| Heat::Setpoint(Celsius::from_milli(milli));
    assert_eq!(commanded(&[Heat::Off; 10]), Commanded::Off);
    assert_eq!(commanded(&[setpoint(63_000), setpoint(63_400)]), Commanded::Setpoint(63.4));
    assert_eq!(commanded(&[setpoint(63_000), Heat::Off]), Commanded::Mixed);
    assert_eq!(commanded(&[Heat::Off, setpoint(63_000)]), Commanded::Mixed);
    assert_eq!(commanded(&[Heat::Off, duty(500)]), Commanded::Mixed);
    let mean = |heats: &[Heat]| match commanded(heats) {
        Commanded::Duty(share) => share,
        other @ (Commanded::Off | Commanded::Setpoint(_) | Commanded::Mixed) => {
            panic!("{other:?}")
        }
    };
    assert!((mean(&[duty(1000), duty(500), duty(300)]) - 0.6).abs() < 1e-9);
    assert!((mean(&[duty(900), Heat::Off, Heat::Off]) - 0.3).abs() < 1e-9, "a cut is nothing");
}

#[test]
fn the_cold_water_of_one_second_is_cold_water_of_the_block_and_not_of_the_next() {
    let mut blocks = Blocks::new(1_000);
    let cooled =
        Stage { command: Command { cooling: true, ..Command::safe(false) }, ..stage(0, Heat::Off) };
    blocks.take(&cooled, &fresh(63_000, 20_000));
    assert!(blocks.take(&stage(10_000, Heat::Off), &Fresh::default()).expect("ended").cooled);
    assert!(!blocks.take(&stage(20_000, Heat::Off), &Fresh::default()).expect("ended").cooled);
}

#[test]
fn what_the_milk_probes_showed_before_the_bottles_were_in_is_forgotten() {
    let mut blocks = Blocks::new(1_000);
    for s in 0..5 {
        blocks.take(&stage(s * 1_000, Heat::Off), &fresh(63_000, 62_000));
    }
    blocks.forget_milk();
    for s in 5..10 {
        blocks.take(&stage(s * 1_000, Heat::Off), &fresh(63_000, 20_000));
    }
    let block = blocks.take(&stage(10_000, Heat::Off), &Fresh::default()).expect("ended");
    assert_eq!((block.bath, block.milk[0]), (Some(63.0), Some(20.0)));
}
