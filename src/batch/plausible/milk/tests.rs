use holder_hal::{Command, Tick};

use super::super::blocks::Commanded;
use super::*;
use crate::batch::fixture;

/// A watcher, and its time since the loading.
struct Watched {
    params: BatchParams,
    watch: MilkWatch,
    doubts: Doubts,
    since_s: f64,
}

impl Watched {
    /// From so many seconds after the loading on.
    fn from(since_s: f64) -> Self {
        let (watch, doubts) = (MilkWatch::default(), Doubts::default());
        Self { params: fixture::params(), watch, doubts, since_s }
    }

    /// One block; both probes show the same.
    fn block(&mut self, phase: PhaseName, bath: f64, milk: f64) -> &mut Self {
        self.shows(phase, bath, Some(milk))
    }

    /// The same; the milk may not have been read.
    fn shows(&mut self, phase: PhaseName, bath: f64, milk: Option<f64>) -> &mut Self {
        let mut slots = [None; MILK_PROBES_MAX];
        slots.iter_mut().take(2).for_each(|slot| *slot = milk);
        let block = Block {
            bath: Some(bath),
            milk: slots,
            reference: None,
            commanded: Commanded::Off,
            cooled: false,
            follows_a_gap: false,
        };
        let stage = Stage {
            now: Tick::from_ms((self.since_s * 1_000.0) as u64),
            phase,
            loaded: Some(Tick::from_ms(0)),
            bottles: 48,
            command: Command::safe(false),
        };
        self.watch.observe(&self.params, &stage, &block, &mut self.doubts);
        self.since_s += BLOCK_S;
        self
    }

    fn blocks(&mut self, phase: PhaseName, times: u32, bath: f64, milk: f64) -> &mut Self {
        for _ in 0..times {
            self.block(phase, bath, milk);
        }
        self
    }
}

use PhaseName::{ComeUp, Cool, Hold};

#[test]
fn milk_that_stands_still_where_the_slowest_bottle_moves_by_three_kelvin_is_stuck() {
    // A gap of 29.9 K through 1500 s: 0.199 K in each block; the first one is where it begins.
    for phase in [ComeUp, Cool] {
        let mut watched = Watched::from(400.0);
        watched.blocks(phase, 16, 63.0, 33.1);
        assert!(!watched.doubts.lasts(Alarm::MilkStuck), "3.0 K");
        watched.block(phase, 63.0, 33.1);
        assert!(watched.doubts.lasts(Alarm::MilkStuck), "3.2 K");
        assert_eq!(watched.doubts.fails, Some(Alarm::MilkStuck));
    }
}

#[test]
fn milk_that_moves_a_little_or_rests_in_the_hold_is_not_stuck() {
    let mut watched = Watched::from(400.0);
    for step in 0..60 {
        // More than 0.15 K and the resolution of 0.1 K each time.
        watched.block(ComeUp, 63.0, 33.0 + 0.26 * f64::from(step));
    }
    assert!(!watched.doubts.lasts(Alarm::MilkStuck));
    let mut watched = Watched::from(400.0);
    watched.blocks(Hold, 300, 63.0, 33.0);
    assert!(!watched.doubts.lasts(Alarm::MilkStuck));
    let mut watched = Watched::from(400.0);
    watched.blocks(ComeUp, 16, 63.0, 33.0).block(Hold, 63.0, 33.0).block(ComeUp, 63.0, 33.0);
    assert!(!watched.doubts.lasts(Alarm::MilkStuck), "it began anew");
}

#[test]
fn a_probe_without_five_kelvin_to_its_bath_soon_after_the_loading_is_in_the_bath() {
    let near = |from_s: f64, gap_k: f64, blocks: u32| {
        let mut watched = Watched::from(from_s);
        watched.blocks(ComeUp, blocks, 63.0, 63.0 - gap_k);
        watched.doubts.lasts(Alarm::MilkInBath)
    };
    assert!(near(100.0, 4.99, 2));
    assert!(!near(100.0, 4.99, 1), "two blocks must agree");
    assert!(!near(100.0, 5.0, 20));
    assert!(!near(30.0, 4.0, 3), "it ends at 50 s: too early");
    assert!(near(30.0, 4.0, 4), "60 s");
    assert!(!near(310.0, 4.0, 50), "after 5 min milk may be so warm");
}

#[test]
fn a_probe_that_was_put_into_the_milk_in_time_is_forgiven_and_later_fails_the_batch() {
    let mut watched = Watched::from(100.0);
    watched.blocks(ComeUp, 2, 63.0, 62.0).block(ComeUp, 63.0, 20.0);
    assert!(watched.doubts.lasts(Alarm::MilkInBath), "one block away is none");
    watched.block(ComeUp, 63.0, 20.5);
    assert!(!watched.doubts.lasts(Alarm::MilkInBath));
    let mut watched = Watched::from(100.0);
    // Found at 110 s; 710 s is 600 s later.
    watched.blocks(ComeUp, 62, 63.0, 62.0);
    assert_eq!(watched.doubts.fails, None);
    watched.block(ComeUp, 63.0, 62.0);
    assert_eq!(watched.doubts.fails, Some(Alarm::MilkInBath));
}

#[test]
fn water_may_be_put_in_warm() {
    let mut watched = Watched::from(100.0);
    watched.params.purpose = Purpose::Water;
    watched.blocks(ComeUp, 90, 63.0, 62.0);
    assert!(!watched.doubts.lasts(Alarm::MilkInBath));
}

#[test]
fn milk_that_reads_warmer_than_the_bath_has_been_fails_after_two_blocks() {
    // Two uncertainties of 0.1 K and 0.3 K.
    let over = |over_k: f64, blocks: u32| {
        let mut watched = Watched::from(1_000.0);
        watched.blocks(ComeUp, blocks, 62.0, 62.0 + over_k);
        watched.doubts.fails
    };
    assert_eq!(over(0.51, 2), Some(Alarm::MilkAboveBath));
    assert_eq!(over(0.51, 1), None);
    assert_eq!(over(0.49, 20), None);
    let mut watched = Watched::from(1_000.0);
    watched.block(ComeUp, 63.0, 60.0).blocks(ComeUp, 3, 62.0, 63.4);
    assert_eq!(watched.doubts.fails, None, "the bath was hotter before");
    watched.blocks(ComeUp, 2, 62.0, 63.6);
    assert_eq!(watched.doubts.fails, Some(Alarm::MilkAboveBath));
}

#[test]
fn in_the_hold_a_five_minute_mean_above_what_the_bath_made_of_the_slowest_bottle_fails() {
    // Two uncertainties of 0.1 K and 0.1 K.
    let over = |over_k: f64, blocks: u32| {
        let mut watched = Watched::from(2_000.0);
        watched.blocks(Hold, blocks, 63.0, 63.0 + over_k);
        watched.doubts.fails
    };
    assert_eq!(over(0.31, 30), Some(Alarm::MilkAboveBath));
    assert_eq!(over(0.31, 29), None);
    assert_eq!(over(0.29, 90), None);
}

#[test]
fn milk_that_cools_with_its_bath_is_no_milk_above_its_bath() {
    let mut watched = Watched::from(2_000.0);
    let mut milk = 63.0;
    for step in 0..90 {
        let bath = 63.0 - 0.02 * f64::from(step);
        milk += (bath - milk) * BLOCK_S / MOVED_SLOWEST_S;
        watched.block(Hold, bath, milk);
    }
    assert_eq!(watched.doubts.fails, None);
    assert!(milk - 61.22 > 0.5, "by its lag it is far above: {milk}");
}

/// A bottle whose lag changes, for so many blocks each.
fn uptake(lags_s: &[(f64, u32)]) -> Watched {
    let mut watched = Watched::from(190.0);
    let mut milk = 10.0;
    for (lag_s, blocks) in lags_s {
        for _ in 0..*blocks {
            milk += (63.0 - milk) * BLOCK_S / lag_s;
            watched.block(ComeUp, 63.0, milk);
        }
    }
    watched
}

#[test]
fn an_uptake_of_heat_that_falls_to_half_is_water_that_does_not_move() {
    assert!(uptake(&[(400.0, 20), (800.0, 12)]).doubts.lasts(Alarm::AgitationLost));
    assert!(!uptake(&[(400.0, 20), (600.0, 20)]).doubts.lasts(Alarm::AgitationLost));
    assert!(uptake(&[(1_200.0, 12)]).doubts.lasts(Alarm::AgitationLost), "no such bottle");
    assert!(!uptake(&[(900.0, 40)]).doubts.lasts(Alarm::AgitationLost));
    assert!(!uptake(&[(400.0, 20), (800.0, 12), (400.0, 12)]).doubts.lasts(Alarm::AgitationLost));
}

#[test]
fn near_the_bath_the_uptake_says_nothing() {
    // Down to 4 K the milk takes 105 blocks of this lag at the most.
    let mut watched = uptake(&[(400.0, 110)]);
    watched.blocks(ComeUp, 30, 63.0, 61.0);
    assert!(!watched.doubts.lasts(Alarm::AgitationLost));
}

#[test]
fn blocks_that_were_not_read_make_no_uptake_better_than_it_is() {
    let mut watched = Watched::from(190.0);
    let mut milk = 10.0;
    for block in 0..40 {
        milk += (63.0 - milk) * BLOCK_S / 400.0;
        let is_silent = (12..15).contains(&block);
        watched.shows(ComeUp, 63.0, (!is_silent).then_some(milk));
        assert!(!watched.doubts.lasts(Alarm::AgitationLost), "block {block}");
    }
}

#[test]
fn milk_that_should_have_moved_by_just_three_kelvin_is_not_stuck_yet() {
    // A gap of 150 K through 1500 s: 1 K in each block.
    let mut watched = Watched::from(400.0);
    assert!(!watched.blocks(Cool, 4, 150.0, 0.0).doubts.lasts(Alarm::MilkStuck));
    assert!(watched.block(Cool, 150.0, 0.0).doubts.lasts(Alarm::MilkStuck));
}

#[test]
fn steps_of_the_display_are_no_movement() {
    let swings = |by_k: f64| {
        let mut watched = Watched::from(400.0);
        for step in 0..40 {
            watched.block(ComeUp, 63.0, 33.0 + by_k * f64::from(step % 2));
        }
        watched.doubts.lasts(Alarm::MilkStuck)
    };
    // 0.15 K and the resolution of 0.1 K.
    assert!(swings(0.24) && !swings(0.26));
}

#[test]
fn a_missing_block_begins_anew() {
    let mut watched = Watched::from(1_000.0);
    watched.block(ComeUp, 62.0, 62.6);
    watched.watch.interrupted();
    assert_eq!(watched.block(ComeUp, 62.0, 62.6).doubts.fails, None, "above its bath");
    assert_eq!(watched.block(ComeUp, 62.0, 62.6).doubts.fails, Some(Alarm::MilkAboveBath));
    let mut watched = Watched::from(100.0);
    watched.block(ComeUp, 63.0, 60.0).watch.interrupted();
    assert!(!watched.block(ComeUp, 63.0, 60.0).doubts.lasts(Alarm::MilkInBath));
    assert!(watched.block(ComeUp, 63.0, 60.0).doubts.lasts(Alarm::MilkInBath));
    let mut watched = uptake(&[(400.0, 20), (1_600.0, 30)]);
    assert!(watched.doubts.lasts(Alarm::AgitationLost));
    watched.watch.interrupted();
    assert!(!watched.block(ComeUp, 63.0, 30.0).doubts.lasts(Alarm::AgitationLost));
}

#[test]
fn milk_at_the_very_line_above_its_bath_may_be_there() {
    // Two uncertainties of 0.1 K.
    let over = |phase, over_k: f64| {
        let mut watched = Watched::from(1_000.0);
        watched.blocks(phase, 30, 0.0, over_k).doubts.fails
    };
    let line_k = 0.2 + ABOVE_BATH_K;
    assert_eq!(over(ComeUp, line_k), None);
    assert_eq!(over(ComeUp, line_k.next_up()), Some(Alarm::MilkAboveBath));
}

#[test]
fn a_mean_of_the_hold_at_the_very_line_may_be_there() {
    let over = |sum_k: f64| {
        let mut watched = Watched::from(2_000.0);
        // One block alone is none above its bath.
        watched.blocks(Hold, 29, 0.0, 0.0).block(Hold, 0.0, sum_k).doubts.fails
    };
    let sum_k = (0.2 + ABOVE_BATH_IN_HOLD_K) * 30.0;
    assert_eq!(over(sum_k), None);
    assert_eq!(over(sum_k + 0.001), Some(Alarm::MilkAboveBath));
}

#[test]
fn milk_that_does_not_cool_with_its_bath_in_the_hold_fails() {
    let over = |milk: f64| {
        let mut watched = Watched::from(2_000.0);
        watched.block(Hold, 63.0, milk).blocks(Hold, 29, 60.0, milk).doubts.fails
    };
    // Of 3 K the slowest bottle has lost 0.533 K in the mean: 62.467 °C, and 0.3 K.
    assert_eq!(over(62.76), None);
    assert_eq!(over(62.77), Some(Alarm::MilkAboveBath));
}

#[test]
fn at_a_gap_of_four_kelvin_the_uptake_still_counts() {
    let rests = |gap_k: f64| {
        let mut watched = Watched::from(400.0);
        watched.blocks(ComeUp, 12, 63.0, 63.0 - gap_k).doubts.lasts(Alarm::AgitationLost)
    };
    assert!(rests(4.0) && !rests(3.99));
}

#[test]
fn an_uptake_as_of_a_lag_of_a_thousand_seconds_is_none_of_water_that_rests() {
    let warms = |each_k: f64| {
        let mut watched = Watched::from(190.0);
        for step in 0..30 {
            // A gap of 50 K all the time.
            let milk = each_k * f64::from(step);
            watched.block(ComeUp, milk + 50.0, milk);
        }
        watched.doubts.lasts(Alarm::AgitationLost)
    };
    assert!(!warms(0.5) && warms(0.4999));
}
