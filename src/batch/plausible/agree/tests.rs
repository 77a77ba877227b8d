use holder_hal::{Command, Kelvin, MILK_PROBES_MAX, Tick};

use super::super::blocks::Commanded;
use super::*;
use crate::batch::fixture;

fn block(milk: &[f64], reference: Option<f64>) -> Block {
    let mut slots = [None; MILK_PROBES_MAX];
    slots.iter_mut().zip(milk).for_each(|(slot, value)| *slot = Some(*value));
    Block {
        bath: Some(63.0),
        milk: slots,
        reference,
        commanded: Commanded::Off,
        cooled: false,
        follows_a_gap: false,
    }
}

fn in_phase(phase: PhaseName) -> Stage {
    let (now, command) = (Tick::from_ms(0), Command::safe(false));
    Stage { now, phase, loaded: Some(now), bottles: 48, command }
}

/// The same block so many times.
fn seen(phase: PhaseName, block: &Block, times: u32) -> Doubts {
    let (mut watch, mut doubts) = (Agreement::default(), Doubts::default());
    let params = BatchParams { reference: Some(fixture::probe("reference")), ..fixture::params() };
    for _ in 0..times {
        watch.observe(&params, &in_phase(phase), block, &mut doubts);
    }
    doubts
}

#[test]
fn probes_that_are_apart_for_a_minute_disagree() {
    let spread_k = fixture::recipe().probes.spread_max.as_f64();
    // The coldest stands at the bath: nothing is added for the gap.
    let apart = |over_k: f64| block(&[63.0, 63.0 + spread_k + over_k], None);
    assert!(seen(PhaseName::Hold, &apart(0.01), 6).lasts(Alarm::MilkDisagrees));
    assert!(!seen(PhaseName::Hold, &apart(0.01), 5).lasts(Alarm::MilkDisagrees));
    assert!(!seen(PhaseName::Hold, &apart(-0.01), 60).lasts(Alarm::MilkDisagrees));
    assert!(!seen(PhaseName::Cool, &apart(9.0), 60).lasts(Alarm::MilkDisagrees));
}

#[test]
fn while_the_milk_warms_bottles_differ_by_a_share_of_the_gap_to_the_bath() {
    let allowed_k = fixture::recipe().probes.spread_max.as_f64() + 0.6 * 20.0;
    let apart = |over_k: f64| block(&[43.0, 43.0 + allowed_k + over_k], None);
    assert!(seen(PhaseName::ComeUp, &apart(0.01), 6).lasts(Alarm::MilkDisagrees));
    assert!(!seen(PhaseName::ComeUp, &apart(-0.01), 60).lasts(Alarm::MilkDisagrees));
}

#[test]
fn one_block_that_agrees_ends_it_and_a_probe_without_a_value_begins_anew() {
    let (mut watch, mut doubts) = (Agreement::default(), Doubts::default());
    let (params, stage) = (fixture::params(), in_phase(PhaseName::Hold));
    let (apart, together) = (block(&[63.0, 66.0], None), block(&[63.0, 63.0], None));
    for _ in 0..6 {
        watch.observe(&params, &stage, &apart, &mut doubts);
    }
    assert!(doubts.lasts(Alarm::MilkDisagrees));
    watch.observe(&params, &stage, &together, &mut doubts);
    assert!(!doubts.lasts(Alarm::MilkDisagrees));
    for round in 0..12 {
        let silent = block(&[63.0], None);
        let block = if round == 5 { &silent } else { &apart };
        watch.observe(&params, &stage, block, &mut doubts);
        assert_eq!(doubts.lasts(Alarm::MilkDisagrees), round == 11, "{round}");
    }
}

#[test]
fn a_recorder_above_its_reference_is_seen_in_five_minute_means_of_the_hold() {
    let params = fixture::params();
    let rule = &params.recipe.probes;
    assert_eq!(rule.reference_mean_ms, 300_000);
    let allowed_k = rule.over_reference_max.as_f64() + 0.05;
    let over = |k: f64| block(&[63.0 + k, 63.0 + k], Some(63.0));
    let least_k = allowed_k + 0.001;
    let above = seen(PhaseName::Hold, &over(least_k), 30);
    assert!(above.lasts(Alarm::AboveReference));
    assert!(!seen(PhaseName::Hold, &over(least_k), 29).lasts(Alarm::AboveReference));
    assert!(!seen(PhaseName::Hold, &over(allowed_k - 0.001), 60).lasts(Alarm::AboveReference));
    assert!(!seen(PhaseName::ComeUp, &over(5.0), 60).lasts(Alarm::AboveReference));
}

#[test]
fn a_recorder_above_its_reference_by_more_than_both_uncertainties_fails_the_batch() {
    // U = 0.1 °C each.
    let over = |k: f64| block(&[63.0 + k, 63.0 + k], Some(63.0));
    let fails = |k: f64| seen(PhaseName::Hold, &over(k), 30).fails;
    let limit_k = 0.2_f64.max(fixture::recipe().probes.over_reference_max.as_f64() + 0.05);
    assert_eq!(fails(limit_k + 0.001), Some(Alarm::AboveReference));
    assert_eq!(fails(limit_k - 0.001), None);
}

#[test]
fn a_mean_does_not_reach_over_a_broken_hold_in_which_the_reference_was_missing() {
    let params = BatchParams { reference: Some(fixture::probe("reference")), ..fixture::params() };
    let (mut watch, mut doubts) = (Agreement::default(), Doubts::default());
    let (over, silent) = (block(&[64.0, 64.0], Some(63.0)), block(&[64.0, 64.0], None));
    let mut seen = |phase, block: &Block, times: u32| {
        for _ in 0..times {
            watch.observe(&params, &in_phase(phase), block, &mut doubts);
        }
        doubts.lasts(Alarm::AboveReference)
    };
    assert!(!seen(PhaseName::Hold, &over, 29));
    assert!(!seen(PhaseName::ComeUp, &silent, 1));
    assert!(!seen(PhaseName::Hold, &over, 29), "the mean began anew");
    assert!(seen(PhaseName::Hold, &over, 1));
}

#[test]
fn probes_at_the_very_line_of_their_spread_agree() {
    let spread_k = fixture::recipe().probes.spread_max.as_f64();
    let apart = |hottest| Block { bath: Some(0.0), ..block(&[0.0, hottest], None) };
    assert!(!seen(PhaseName::Hold, &apart(spread_k), 60).lasts(Alarm::MilkDisagrees));
    assert!(seen(PhaseName::Hold, &apart(spread_k.next_up()), 6).lasts(Alarm::MilkDisagrees));
}

#[test]
fn probes_that_disagree_do_so_until_they_agree_even_past_a_block_without_a_value() {
    let (mut watch, mut doubts) = (Agreement::default(), Doubts::default());
    let (params, stage) = (fixture::params(), in_phase(PhaseName::Hold));
    let mut disagrees = |milk: &[f64]| {
        watch.observe(&params, &stage, &block(milk, None), &mut doubts);
        doubts.lasts(Alarm::MilkDisagrees)
    };
    for at in 1..=6 {
        assert_eq!(disagrees(&[63.0, 66.0]), at == 6);
    }
    assert!(disagrees(&[63.0]));
    assert!(disagrees(&[63.0, 66.0]));
    assert!(!disagrees(&[63.0, 63.0]));
}

#[test]
fn a_recorder_at_the_very_line_above_its_reference_is_good() {
    let over = |uncertain_milli: i32, over_k: f64| {
        let mut params = fixture::params();
        params.recipe.probes.reference_mean_ms = 10_000;
        params.milk[0].certificate.uncertainty = Kelvin::from_milli(uncertain_milli);
        params.reference = Some(fixture::probe("reference"));
        let (mut watch, mut doubts) = (Agreement::default(), Doubts::default());
        let block = block(&[over_k, over_k], Some(0.0));
        watch.observe(&params, &in_phase(PhaseName::Hold), &block, &mut doubts);
        (doubts.lasts(Alarm::AboveReference), doubts.fails.is_some())
    };
    let allowed_k = fixture::recipe().probes.over_reference_max.as_f64() + 0.1 / 2.0;
    // Where both uncertainties are less than the line of the alarm, it fails there, too.
    assert_eq!(over(0, allowed_k), (false, false));
    assert_eq!(over(0, allowed_k.next_up()), (true, true));
    // 0.9 and 0.1 °C.
    assert_eq!(over(900, 1.0), (true, false));
    assert_eq!(over(900, 1.0_f64.next_up()), (true, true));
}
