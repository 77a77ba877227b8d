use holder_hal::{Command, MILK_PROBES_MAX, Tick};

use super::*;
use crate::batch::fixture;

/// 4 kW in 200 kJ/K: 0.02 K/s, 0.2 K in a block.
const POWER: Heater = Heater::Power { power_w: 4_000, bath_j_per_k: 200_000, delay_ms: 20_000 };

struct Watched {
    params: BatchParams,
    balance: HeatBalance,
    doubts: Doubts,
    phase: PhaseName,
    milk: Option<f64>,
}

impl Watched {
    fn of(heater: Heater) -> Self {
        let params = BatchParams { heater, ..fixture::params() };
        let (balance, doubts) = (HeatBalance::new(&params), Doubts::default());
        Self { params, balance, doubts, phase: PhaseName::Preheat, milk: None }
    }

    /// One block; `None` is a bath that was not read.
    fn block(&mut self, bath: Option<f64>, commanded: Commanded, cooled: bool) -> &mut Self {
        let mut milk = [None; MILK_PROBES_MAX];
        milk.iter_mut().take(2).for_each(|slot| *slot = self.milk);
        let block = Block { bath, milk, reference: None, commanded, cooled, follows_a_gap: false };
        let now = Tick::from_ms(1_000_000);
        let (phase, command) = (self.phase, Command::safe(false));
        let stage = Stage { now, phase, loaded: Some(now), bottles: 48, command };
        self.balance.observe(&self.params, &stage, &block, &mut self.doubts);
        self
    }

    /// So many blocks, the bath `by_k` warmer with each.
    fn blocks(&mut self, times: u32, from: f64, by_k: f64, commanded: Commanded) -> &mut Self {
        for n in 0..times {
            self.block(Some(from + by_k * f64::from(n)), commanded, false);
        }
        self
    }

    fn fails(&self) -> bool {
        self.doubts.lasts(Alarm::HeaterFails)
    }

    fn stays_on(&self) -> bool {
        self.doubts.lasts(Alarm::HeaterStaysOn)
    }

    fn above(&self) -> bool {
        self.doubts.lasts(Alarm::BathAboveSetpoint)
    }
}

const FULL: Commanded = Commanded::Duty(1.0);
const AT_63: Commanded = Commanded::Setpoint(63.0);

#[test]
fn a_known_power_must_show_by_seventy_percent_after_three_minutes() {
    let rises =
        |k: f64, blocks: u32| Watched::of(POWER).blocks(blocks, 40.0, k / 18.0, FULL).fails();
    // 70 % of 3.6 K, less 0.405 K for the room and 0.3 K.
    assert!(rises(1.80, 20));
    assert!(!rises(1.80, 19), "two blocks must agree");
    assert!(!rises(1.83, 60));
    let half = Commanded::Duty(0.5);
    assert!(Watched::of(POWER).blocks(20, 40.0, 0.54 / 18.0, half).fails());
    assert!(!Watched::of(POWER).blocks(60, 40.0, 0.57 / 18.0, half).fails());
    assert!(!Watched::of(POWER).blocks(60, 40.0, 0.0, Commanded::Mixed).fails());
}

#[test]
fn bottles_take_heat_as_long_as_they_are_colder_than_the_bath() {
    let with_gap = |gap_k: f64| {
        let mut watched = Watched::of(POWER);
        (watched.phase, watched.milk) = (PhaseName::ComeUp, Some(60.0 - gap_k));
        watched.blocks(20, 60.0, 0.0, FULL).fails()
    };
    // 49 bottles take 0.2426 K in three minutes for each K of gap; 1.815 K are missing.
    assert!(with_gap(7.4) && !with_gap(7.6));
    let mut watched = Watched::of(POWER);
    watched.phase = PhaseName::ComeUp;
    assert!(!watched.blocks(40, 60.0, 0.0, FULL).fails(), "nobody knows the milk");
    let mut watched = Watched::of(POWER);
    watched.phase = PhaseName::Load;
    assert!(!watched.blocks(40, 60.0, 0.0, FULL).fails(), "bottles go in");
}

#[test]
fn a_bath_far_below_its_set_point_must_rise() {
    let rises = |k: f64, blocks: u32| {
        Watched::of(Heater::Setpoint).blocks(blocks, 40.0, k / 18.0, AT_63).fails()
    };
    assert!(rises(0.09, 20));
    assert!(!rises(0.09, 19));
    assert!(!rises(0.11, 60));
    assert!(!Watched::of(Heater::Setpoint).blocks(60, 40.0, 0.0, Commanded::Mixed).fails());
}

#[test]
fn a_bath_near_its_set_point_may_rest_but_not_fall() {
    let falls = |from: f64, k: f64| {
        Watched::of(Heater::Setpoint).blocks(20, from, -k / 18.0, AT_63).fails()
    };
    assert!(falls(62.0, 0.09) && !falls(62.0, 0.07));
    assert!(!falls(62.9, 0.05), "it is there");
}

#[test]
fn what_the_preheat_showed_of_the_power_is_asked_of_the_come_up() {
    // 8 K of gap take 1.94 K: more than the slowest heater gives, not more than this one.
    let after = |preheat_by_k: f64| {
        let mut watched = Watched::of(Heater::Setpoint);
        watched.blocks(30, 30.0, preheat_by_k, AT_63);
        watched.balance.loaded();
        (watched.phase, watched.milk) = (PhaseName::ComeUp, Some(50.0));
        watched.blocks(20, 58.0, 0.0, AT_63).fails()
    };
    assert!(after(0.2));
    assert!(!after(0.11));
}

#[test]
fn a_bath_that_rises_without_heat_has_a_heater_that_stays_on() {
    let after_rest = |rise_k: f64, blocks: u32| {
        let mut watched = Watched::of(Heater::Setpoint);
        watched.blocks(10, 60.0, 0.0, Commanded::Off);
        watched.blocks(blocks, 60.0 + rise_k, 0.0, Commanded::Off).stays_on()
    };
    assert!(after_rest(0.41, 2));
    assert!(!after_rest(0.41, 1), "two blocks must agree");
    assert!(!after_rest(0.39, 30) && !after_rest(RISES_K, 30));
    let mut watched = Watched::of(Heater::Setpoint);
    watched.milk = Some(62.0);
    watched.blocks(10, 60.0, 0.0, Commanded::Off).blocks(9, 60.5, 0.0, Commanded::Off);
    assert!(!watched.stays_on(), "its milk is warmer");
    let mut watched = Watched::of(Heater::Setpoint);
    watched.milk = Some(60.5);
    watched.blocks(10, 60.0, 0.0, Commanded::Off).blocks(2, 60.5, 0.0, Commanded::Off);
    assert!(watched.stays_on(), "its milk is as warm");
}

#[test]
fn what_is_left_in_the_element_is_no_heater_that_stays_on() {
    let rises = |k: f64| {
        let mut watched = Watched::of(Heater::Setpoint);
        watched.blocks(1, 60.0, 0.0, Commanded::Off);
        watched.blocks(8, 60.0 + k, 0.0, Commanded::Off).stays_on()
    };
    assert!(!rises(2.5) && rises(2.51));
    let mut watched = Watched::of(Heater::Setpoint);
    watched.blocks(10, 60.0, 0.0, Commanded::Off).blocks(2, 60.5, 0.0, Commanded::Off);
    assert!(watched.stays_on());
    watched.block(Some(60.5), AT_63, false);
    assert!(!watched.stays_on(), "now it is told to heat");
}

#[test]
fn a_duty_of_nothing_that_warms_the_bath_is_seen_where_the_power_is_known() {
    let none = Commanded::Duty(0.0);
    let mut watched = Watched::of(POWER);
    watched.blocks(12, 60.0, 0.0, none).blocks(1, 60.41, 0.0, none);
    assert!(!watched.stays_on(), "two blocks must agree");
    watched.blocks(1, 60.42, 0.0, none);
    assert!(watched.stays_on());
    let mut watched = Watched::of(POWER);
    watched.blocks(12, 60.0, 0.0, none).blocks(5, 60.39, 0.0, none);
    assert!(!watched.stays_on());
    watched = Watched::of(POWER);
    assert!(!watched.blocks(12, 0.0, 0.0, none).blocks(5, RISES_K, 0.0, none).stays_on());
    // What was asked for two minutes ago still counts.
    watched = Watched::of(POWER);
    watched.blocks(1, 60.0, 0.0, FULL).blocks(11, 60.0, 0.0, none).blocks(2, 60.41, 0.0, none);
    assert!(!watched.stays_on());
    watched.blocks(1, 60.41, 0.0, none);
    assert!(watched.stays_on());
    // A tenth of the power gives 0.24 K in twice a minute.
    let tenth = Commanded::Duty(0.1);
    let mut watched = Watched::of(POWER);
    watched.blocks(12, 60.0, 0.0, tenth).blocks(5, 60.63, 0.0, tenth);
    assert!(!watched.stays_on());
    watched = Watched::of(POWER);
    watched.blocks(12, 60.0, 0.0, tenth).blocks(5, 60.65, 0.0, tenth);
    assert!(watched.stays_on());
}

#[test]
fn a_bath_that_climbs_above_its_set_point_goes_to_another_until_it_is_back() {
    let mut watched = Watched::of(Heater::Setpoint);
    watched.blocks(4, 63.61, 0.06, AT_63);
    assert!(!watched.above(), "three blocks must agree");
    watched.block(Some(63.85), AT_63, false);
    assert!(watched.above());
    watched.blocks(5, 63.85, 0.0, AT_63);
    assert!(watched.above(), "it is not back");
    watched.block(Some(63.6), AT_63, false);
    assert!(!watched.above());
    assert!(!Watched::of(Heater::Setpoint).blocks(9, 63.61, 0.04, AT_63).above(), "an overshoot");
    assert!(!Watched::of(Heater::Setpoint).blocks(3, 63.4, 0.06, AT_63).above(), "not above it");
    let shows = |baths: &[f64]| {
        let mut watched = Watched::of(Heater::Setpoint);
        let far_below = Commanded::Setpoint(-10.0);
        for bath in baths {
            watched.block(Some(*bath), far_below, false);
        }
        watched.above()
    };
    let [one, two] = [STILL_RISES_K, 2.0 * STILL_RISES_K];
    assert!(!shows(&[0.0, 0.0, one, one, two, two]), "0.1 K in 20 s are no rise");
    assert!(!shows(&[64.0, 64.0, 64.2, 64.2, 64.2, 64.2, 64.4]), "it rested in between");
}

/// A machine holds what its own probe shows; the bath here is corrected.
#[test]
fn what_is_held_is_the_set_point_by_the_machines_own_probe() {
    use crate::batch::certificate::OffsetPoint;
    use holder_hal::Kelvin;
    let reads_low_by = |milli: i32| {
        let mut watched = Watched::of(Heater::Setpoint);
        let (at, offset) = (Celsius::from_milli(62_500), Kelvin::from_milli(milli));
        watched.params.bath.certificate.offsets = vec![OffsetPoint { at, offset }];
        watched
    };
    assert!(reads_low_by(0).blocks(4, 63.61, 0.06, AT_63).blocks(1, 63.85, 0.0, AT_63).above());
    assert!(!reads_low_by(300).blocks(4, 63.61, 0.06, AT_63).blocks(1, 63.85, 0.0, AT_63).above());
    assert!(reads_low_by(0).blocks(40, 60.8, 0.0, AT_63).fails(), "2.2 K below it, and at rest");
    assert!(!reads_low_by(-2_200).blocks(40, 60.8, 0.0, AT_63).fails(), "the machine shows 63.0");
}

#[test]
fn cold_water_and_a_bath_that_was_not_read_begin_anew() {
    for (bath, cooled) in [(None, false), (Some(40.0), true)] {
        let mut watched = Watched::of(POWER);
        watched.blocks(25, 40.0, 0.0, FULL);
        assert!(watched.fails());
        watched.block(bath, FULL, cooled);
        assert!(!watched.fails());
        watched.blocks(19, 40.0, 0.0, FULL);
        assert!(!watched.fails());
        watched.blocks(1, 40.0, 0.0, FULL);
        assert!(watched.fails());
    }
}

#[test]
fn a_rise_at_the_very_line_of_a_known_power_is_enough() {
    let given_k = (0..18).fold(0.0, |sum, _| sum + 0.02 * 10.0);
    let line_k = 0.7 * given_k - 0.0 - 450.0 / 200_000.0 * 180.0 - 0.3;
    let rises =
        |k: f64| Watched::of(POWER).blocks(18, 0.0, 0.0, FULL).blocks(2, k, 0.0, FULL).fails();
    assert!(!rises(line_k) && rises(line_k.next_down()));
}

#[test]
fn what_is_asked_of_a_bath_changes_just_beyond_two_and_a_fifth_of_a_kelvin_below_its_set_point() {
    let rests =
        |below_k: f64| Watched::of(Heater::Setpoint).blocks(20, 63.0 - below_k, 0.0, AT_63).fails();
    assert!(!rests(2.0) && rests(2.01));
    let falls = |below_k: f64| {
        let wanted = Commanded::Setpoint(below_k);
        let mut watched = Watched::of(Heater::Setpoint);
        watched.blocks(18, 0.0, 0.0, wanted).blocks(2, -0.09, 0.0, wanted).fails()
    };
    assert!(!falls(0.2) && falls(0.2_f64.next_up()));
}

#[test]
fn bottles_that_can_take_all_that_the_slowest_heater_gives_explain_a_bath_that_rests() {
    let fails = |gap_k: f64| {
        let mut watched = Watched::of(Heater::Setpoint);
        (watched.phase, watched.milk) = (PhaseName::ComeUp, Some(-gap_k));
        // At 0 °C, where the gap is exact; that the bath is so cold is told besides.
        watched.blocks(20, 0.0, 0.0, AT_63).balance.fails >= 2
    };
    // 1.584 K less 0.1 K; 49 bottles take 0.24255 K for each K of gap.
    let line_k = 6.118_326_118_326_118;
    assert!(!fails(line_k) && fails(6.1183) && !fails(6.1184));
}

#[test]
fn a_loading_begins_the_balance_anew() {
    let mut watched = Watched::of(POWER);
    assert!(watched.blocks(25, 40.0, 0.0, FULL).fails());
    watched.balance.loaded();
    assert!(!watched.blocks(19, 40.0, 0.0, FULL).fails());
    assert!(watched.blocks(1, 40.0, 0.0, FULL).fails());
}

/// A bath in this phase that was at its clamp of 63.5 °C and is so far below it for some blocks.
fn falls(phase: PhaseName, away_k: f64, blocks: u32, commanded: Commanded) -> bool {
    let mut watched = Watched::of(Heater::Setpoint);
    watched.phase = phase;
    watched.blocks(1, 63.5, 0.0, commanded);
    watched.blocks(blocks, 63.5 - away_k, 0.0, commanded).fails()
}

#[test]
fn a_bath_that_was_warm_sinks_by_no_more_than_bottles_can_take() {
    for phase in [PhaseName::Load, PhaseName::ComeUp, PhaseName::Hold] {
        assert!(falls(phase, 6.51, 2, AT_63) && falls(phase, 6.51, 2, FULL), "{phase}");
        assert!(!falls(phase, 6.51, 1, AT_63), "{phase}: two blocks must agree");
        assert!(!falls(phase, 6.49, 10, AT_63), "{phase}");
        assert!(!falls(phase, 40.0, 200, Commanded::Off), "{phase}: nothing is asked without heat");
    }
    assert!(!falls(PhaseName::Preheat, 40.0, 10, AT_63), "it has to come there first");
}

#[test]
fn a_bath_that_waits_is_back_at_its_clamp_within_a_quarter_of_an_hour() {
    assert!(falls(PhaseName::Load, 2.01, 91, AT_63));
    assert!(!falls(PhaseName::Load, 2.01, 90, AT_63));
    assert!(!falls(PhaseName::Load, 2.0, 500, AT_63));
}

/// 6 kW in 150 kJ/K: 0.04 K/s.
const STRONG: Heater = Heater::Power { power_w: 6_000, bath_j_per_k: 150_000, delay_ms: 20_000 };

/// What a bath that cooled to 50 °C without heat shows when it is heated again.
fn after_a_pause(heater: Heater, blocks: u32, by_k: f64) -> bool {
    let mut watched = Watched::of(heater);
    watched.phase = PhaseName::Load;
    watched.blocks(1, 63.5, 0.0, FULL).blocks(3, 50.0, 0.0, Commanded::Off);
    assert!(!watched.fails(), "what raised it is over without heat");
    watched.blocks(blocks, 50.0, by_k, FULL).fails()
}

#[test]
fn a_bath_that_cooled_without_heat_gets_two_minutes_to_rise_again() {
    assert!(after_a_pause(STRONG, 12, 0.0));
    assert!(!after_a_pause(STRONG, 11, 0.0));
    assert!(!after_a_pause(STRONG, 15, 0.03), "0.3 K in ten blocks");
    assert!(after_a_pause(STRONG, 12, 0.02), "0.22 K in twelve");
    let slowest = Heater::Power { power_w: 3_000, bath_j_per_k: 270_000, delay_ms: 20_000 };
    assert!(!after_a_pause(slowest, 15, 0.0), "0.011 K/s barely makes up for the room");
}

/// Whether a bath that fell and is heated again beside milk `gap_k` colder than it, and rises by
/// `by_k` with each block, fails the batch.
fn fails_again(phase: PhaseName, fell_k: f64, gap_k: f64, by_k: f64, blocks: u32) -> Option<Alarm> {
    let mut watched = Watched::of(STRONG);
    (watched.phase, watched.milk) = (phase, Some(50.0 - gap_k));
    watched.blocks(1, 63.5, 0.0, FULL).blocks(2, 63.5 - fell_k, 0.0, FULL);
    watched.blocks(1, 50.0, 0.0, Commanded::Off).blocks(blocks, 50.0, by_k, FULL);
    watched.doubts.fails
}

#[test]
fn a_bath_that_fell_and_does_not_rise_when_it_is_heated_again_fails_the_batch() {
    let (come_up, failed) = (PhaseName::ComeUp, Some(Alarm::HeaterFails));
    assert_eq!(fails_again(come_up, 13.5, 0.0, 0.0, 12), failed);
    assert_eq!(fails_again(PhaseName::Hold, 13.5, 0.0, 0.0, 12), failed);
    assert_eq!(fails_again(come_up, 13.5, 0.0, 0.0, 11), None, "twelve blocks must agree");
    assert_eq!(fails_again(come_up, 13.5, 0.0, 0.03, 60), None, "it rises");
    assert_eq!(fails_again(come_up, 6.4, 0.0, 0.0, 15), None, "it cooled only without heat");
    assert_eq!(fails_again(PhaseName::Load, 13.5, 0.0, 0.0, 60), None, "no milk is told to be in");
}

#[test]
fn no_rise_is_asked_of_a_bath_whose_bottles_take_all_that_its_heater_gives() {
    // 48 bottles take 0.1617 K of each kelvin of gap in two minutes; 1.72 K are given, 0.444 lost.
    let fails = |gap_k| fails_again(PhaseName::ComeUp, 13.5, gap_k, 0.0, 12);
    assert_eq!(fails(6.0), Some(Alarm::HeaterFails));
    assert_eq!(fails(6.1), None);
}

#[test]
fn what_the_bath_did_before_the_bottles_came_is_no_fall() {
    let mut watched = Watched::of(STRONG);
    watched.phase = PhaseName::Load;
    watched.blocks(1, 63.5, 0.0, FULL).blocks(2, 50.0, 0.0, FULL);
    assert!(watched.fails(), "as after a refill with cold water");
    watched.balance.loaded();
    (watched.phase, watched.milk) = (PhaseName::ComeUp, Some(50.0));
    assert!(!watched.blocks(1, 50.0, 0.0, FULL).fails(), "how deep it is begins anew");
    watched.blocks(12, 50.0, 0.0, FULL);
    assert_eq!(watched.doubts.fails, None);
}

#[test]
fn one_deep_block_is_no_fall() {
    let mut watched = Watched::of(STRONG);
    (watched.phase, watched.milk) = (PhaseName::ComeUp, Some(50.0));
    watched.blocks(1, 63.5, 0.0, FULL).blocks(1, 50.0, 0.0, FULL);
    watched.blocks(1, 50.0, 0.0, Commanded::Off).blocks(12, 50.0, 0.0, FULL);
    assert!(watched.fails() && watched.doubts.fails.is_none());
}
