use super::*;
use crate::batch::fixture;

struct Watched {
    params: BatchParams,
    plausibility: Plausibility,
    second: u64,
}

impl Watched {
    fn new() -> Self {
        let params = fixture::params();
        let plausibility = Plausibility::new(&params);
        Self { params, plausibility, second: 0 }
    }

    /// One reading, a second after the last one; both milk probes show the same.
    fn reading(&mut self, phase: PhaseName, bath: i32, milk: i32) -> Doubts {
        let mut fresh = Fresh { bath: Some(Celsius::from_milli(bath)), ..Fresh::default() };
        fresh.milk.iter_mut().take(2).for_each(|slot| *slot = Some(Celsius::from_milli(milk)));
        let stage = Stage {
            now: Tick::from_ms(self.second * 1_000),
            phase,
            loaded: Some(Tick::from_ms(0)),
            bottles: 12,
            command: Command::safe(false),
        };
        self.second += 1;
        self.plausibility.observe(&self.params, stage, &fresh);
        *self.plausibility.doubts()
    }

    fn readings(&mut self, phase: PhaseName, times: u32, bath: i32, milk: i32) -> Doubts {
        let doubts = (0..times).map(|_| self.reading(phase, bath, milk));
        doubts.last().unwrap_or_default()
    }
}

use PhaseName::{ComeUp, Cool, Load, Preheat};

#[test]
fn one_sample_of_bath_or_milk_that_cannot_be_cuts_heat_and_five_raise_the_alarm() {
    for (bath, milk, alarm) in
        [(80_000, 20_000, Alarm::BathJumps), (63_000, 40_000, Alarm::MilkJumps)]
    {
        let mut watched = Watched::new();
        assert!(!watched.readings(ComeUp, 3, 63_000, 20_000).cut);
        for step in 1..=5 {
            let doubts = watched.reading(ComeUp, bath, milk);
            assert!(doubts.cut, "{alarm:?}");
            assert_eq!(doubts.lasts(alarm), step == 5, "{alarm:?} {step}");
        }
        assert!(!watched.reading(ComeUp, bath, milk).cut, "it is the new level");
    }
}

#[test]
fn milk_that_steps_to_a_warmer_level_fails_and_in_the_cooling_to_a_colder_one() {
    let stepped = |phase: PhaseName, from: i32, to: i32| {
        let mut watched = Watched::new();
        watched.readings(phase, 3, 63_000, from);
        watched.readings(phase, 5, 63_000, to).fails
    };
    assert_eq!(stepped(ComeUp, 20_000, 50_000), Some(Alarm::MilkJumps));
    assert_eq!(stepped(ComeUp, 50_000, 20_000), None);
    assert_eq!(stepped(Cool, 50_000, 20_000), Some(Alarm::MilkJumps));
    assert_eq!(stepped(Load, 20_000, 50_000), None, "the probe goes into its bottle");
}

#[test]
fn a_bath_that_falls_at_once_and_stays_down_fails_only_with_milk_in_it() {
    let fell = |phase: PhaseName| {
        let mut watched = Watched::new();
        watched.readings(phase, 3, 63_000, 50_000);
        let doubts = watched.readings(phase, 5, 60_500, 50_000);
        assert_eq!(doubts.lasts(Alarm::BathJumps), doubts.fails.is_some());
        doubts.fails
    };
    assert_eq!(fell(ComeUp), Some(Alarm::BathJumps));
    assert_eq!(fell(PhaseName::Hold), Some(Alarm::BathJumps));
    for phase in [Preheat, Load, Cool] {
        assert_eq!(fell(phase), None, "{phase:?}");
    }
}

#[test]
fn the_alarm_of_a_bath_that_fell_is_over_in_the_cooling_but_the_batch_stays_failed() {
    let mut watched = Watched::new();
    watched.readings(ComeUp, 3, 63_000, 50_000);
    assert!(watched.readings(ComeUp, 60, 60_500, 50_000).lasts(Alarm::BathJumps));
    let doubts = watched.reading(Cool, 60_500, 50_000);
    assert!(!doubts.lasts(Alarm::BathJumps));
    assert_eq!(doubts.fails, Some(Alarm::BathJumps));
}

#[test]
fn a_slow_step_over_two_blocks_is_a_new_level() {
    let mut watched = Watched::new();
    watched.readings(ComeUp, 10, 63_000, 56_000);
    // 0.4 K/s: each sample alone could be, two blocks could not.
    for step in 0..10 {
        let doubts = watched.reading(ComeUp, 63_000, 56_000 + 400 * step);
        assert!(!doubts.cut, "{step}");
    }
    assert_eq!(watched.readings(ComeUp, 9, 63_000, 60_000).fails, None);
    let doubts = watched.readings(ComeUp, 2, 63_000, 60_000);
    assert_eq!(doubts.fails, Some(Alarm::MilkJumps));
    assert!(watched.reading(ComeUp, 63_000, 60_000).lasts(Alarm::MilkJumps));
}

#[test]
fn what_the_milk_probes_showed_before_the_bottles_were_in_is_no_step() {
    let mut watched = Watched::new();
    watched.readings(ComeUp, 3, 63_000, 60_000);
    watched.plausibility.forget_milk();
    let doubts = watched.readings(ComeUp, 5, 63_000, 4_000);
    assert!(!doubts.cut && !doubts.lasts(Alarm::MilkJumps));
}

#[test]
fn what_failed_the_batch_first_stays_the_reason() {
    let mut doubts = Doubts::default();
    doubts.fail(Alarm::MilkStuck, false);
    assert_eq!(doubts.fails, None);
    doubts.fail(Alarm::MilkJumps, true);
    doubts.fail(Alarm::MilkStuck, true);
    assert_eq!(doubts.fails, Some(Alarm::MilkJumps));
}
