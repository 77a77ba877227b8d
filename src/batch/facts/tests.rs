//! What is known of readings made by hand: at the edges in time, and of the worst probe.

use holder_hal::{Sample, Switch};

use super::*;
use crate::batch::fixture::{milli, params, probe};

fn at(ms: u64) -> Tick {
    Tick::from_ms(ms)
}

fn reading(bath: i32, milk: [i32; 2]) -> Reading {
    let mut reading = Reading::nothing(2, true);
    reading.bath = Sample::good(milli(bath));
    for (probe, value) in reading.milk.iter_mut().flatten().zip(milk) {
        *probe = Sample::good(milli(value));
    }
    reading
}

#[test]
fn a_bath_value_is_used_for_one_and_a_half_periods_and_no_longer() {
    let params = params();
    let mut senses = Senses::new(&params);
    senses.observe(at(1_000), &params, &reading(63_500, [4_000; 2]));
    let mut known = |ms| {
        let facts = senses.facts(at(ms), &params, at(0));
        (facts.bath, facts.bath_is_new, facts.bath_lost_ms)
    };
    assert_eq!(known(1_000), (Some(milli(63_500)), true, 0));
    assert_eq!(known(2_500), (Some(milli(63_500)), false, 1_500));
    assert_eq!(known(2_501), (None, false, 1_501));
}

#[test]
fn only_a_good_lid_switch_that_the_unit_has_is_believed() {
    let open = |has_lid, quality, on| {
        let mut params = params();
        params.has_lid = has_lid;
        let mut senses = Senses::new(&params);
        let mut seen = reading(63_500, [4_000; 2]);
        seen.lid = Some(Switch { on, quality });
        senses.observe(at(0), &params, &seen);
        senses.facts(at(0), &params, at(0)).lid_open
    };
    assert!(open(true, Quality::Good, Some(false)));
    assert!(!open(true, Quality::Good, Some(true)));
    assert!(!open(true, Quality::Good, None));
    assert!(!open(true, Quality::Comm, Some(false)));
    assert!(!open(false, Quality::Good, Some(false)));
}

#[test]
fn the_worst_probe_counts_by_its_own_limit_and_the_hottest_by_its_own_uncertainty() {
    let mut params = params();
    params.milk[1].certificate.uncertainty = Kelvin::from_milli(300);
    let mut senses = Senses::new(&params);
    senses.observe(at(0), &params, &reading(63_500, [62_900, 63_050]));
    let facts = senses.facts(at(0), &params, at(0));
    assert_eq!(facts.clearance, Some(Kelvin::from_milli(50)), "63.05 - (62.5 + 0.3 + 0.2)");
    assert_eq!(facts.newest_clearance, facts.clearance);
    assert_eq!((facts.coldest, facts.hottest), (Some(milli(62_900)), Some(milli(63_050))));
    assert_eq!(facts.hottest_allowed_for, Some(milli(63_550)));
    assert_eq!(facts.newest_allowed_for, facts.hottest_allowed_for);
    let kept = facts.snapshot();
    assert_eq!(
        (kept.bath, kept.coldest, kept.hottest),
        (Some(milli(63_500)), Some(milli(62_900)), Some(milli(63_050)))
    );
}

#[test]
fn one_probe_without_a_value_leaves_nothing_to_go_by_and_its_time_counts() {
    let params = params();
    let mut senses = Senses::new(&params);
    let mut half = reading(63_500, [63_000; 2]);
    half.milk[1] = Some(Sample::missing(Quality::SensorOpen));
    senses.observe(at(7_000), &params, &half);
    let facts = senses.facts(at(7_000), &params, at(2_000));
    assert_eq!((facts.clearance, facts.newest_clearance), (None, None));
    assert_eq!((facts.milk_lost_ms, facts.milk_gap_ms), (5_000, 5_000));
    assert_eq!(facts.coldest, Some(milli(63_000)), "what is known is kept with the entry");
}

#[test]
fn after_an_outage_no_probe_is_blamed_but_the_gap_stays_a_gap() {
    let params = params();
    let mut senses = Senses::new(&params);
    assert_eq!(senses.resume(at(500)), None);
    senses.observe(at(1_000), &params, &reading(63_500, [63_000; 2]));
    assert_eq!(senses.resume(at(60_000)), Some(at(1_000)));
    let facts = senses.facts(at(61_000), &params, at(0));
    assert_eq!((facts.bath_lost_ms, facts.milk_lost_ms), (1_000, 1_000));
    assert_eq!(facts.milk_gap_ms, 60_000);
    assert!(!facts.bath_seen && facts.bath.is_none());
}

#[test]
fn a_probe_that_gave_nothing_since_an_outage_is_unread_and_before_any_outage_none_is() {
    let params = params();
    let mut senses = Senses::new(&params);
    let is_unread = |senses: &mut Senses, ms| senses.facts(at(ms), &params, at(0)).milk_unread;
    assert!(!is_unread(&mut senses, 0), "it may be read a moment later");
    senses.observe(at(1_000), &params, &reading(63_500, [63_000; 2]));
    senses.resume(at(60_000));
    assert!(is_unread(&mut senses, 60_000));
    let mut half = reading(63_500, [63_000; 2]);
    half.milk[1] = Some(Sample::missing(Quality::SensorOpen));
    senses.observe(at(61_000), &params, &half);
    assert!(is_unread(&mut senses, 61_000), "one of two");
    senses.observe(at(62_000), &params, &reading(63_500, [63_000; 2]));
    assert!(!is_unread(&mut senses, 62_000));
}

#[test]
fn what_came_with_the_newest_reading_includes_the_reference_if_the_unit_has_one() {
    let mut params = params();
    let mut seen = reading(63_500, [63_000; 2]);
    seen.reference = Some(Sample::good(milli(62_950)));
    let mut senses = Senses::new(&params);
    senses.observe(at(0), &params, &seen);
    assert_eq!(senses.fresh().reference, None);
    params.reference = Some(probe("reference.pv"));
    senses.observe(at(1_000), &params, &seen);
    assert_eq!(senses.fresh().reference, Some(milli(62_950)));
    assert_eq!(senses.fresh().bath, Some(milli(63_500)));
    assert_eq!(senses.fresh().milk[..2], [Some(milli(63_000)); 2]);
}
