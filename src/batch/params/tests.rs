//! Each rule for the start of a batch, at its edge.

use holder_hal::{Celsius, Quality};

use super::*;
use crate::batch::fixture::{milli, params, probe};

/// What these parameters are refused for, in words.
fn fault(change: impl FnOnce(&mut BatchParams)) -> Option<String> {
    let mut params = params();
    change(&mut params);
    params.check().err().map(|fault| fault.to_string())
}

#[test]
fn the_parameters_of_the_tests_can_begin() {
    assert_eq!(params().check(), Ok(()));
}

#[test]
fn a_unit_has_one_to_eight_milk_probes() {
    let with = |count| fault(|params| params.milk = vec![probe("probes.ch1"); count]);
    assert_eq!((with(1), with(MILK_PROBES_MAX)), (None, None));
    for count in [0, MILK_PROBES_MAX + 1] {
        let words = with(count).expect("refused");
        assert!(words.starts_with(&format!("{count} milk probes: a unit needs 1 to 8")), "{words}");
    }
}

#[test]
fn the_control_period_lies_between_200_and_2000_ms() {
    let with = |period_ms| fault(|params| params.period_ms = period_ms);
    assert_eq!((with(200), with(2_000)), (None, None));
    for period_ms in [199, 2_001] {
        let words = with(period_ms).expect("refused");
        assert_eq!(
            words,
            format!("a control period of {period_ms} ms: it must lie between 200 and 2000 ms")
        );
    }
}

#[test]
fn the_certificate_of_every_probe_is_looked_at() {
    let spoil = |probe: &mut Probe| probe.certificate.due = probe.certificate.date.clone();
    let faults = [
        fault(|params| spoil(&mut params.milk[1])),
        fault(|params| spoil(&mut params.bath)),
        fault(|params| {
            let mut reference = probe("reference.pv");
            spoil(&mut reference);
            params.reference = Some(reference);
        }),
    ];
    let sources = ["probes.ch2", "bath.pv", "reference.pv"];
    for (fault, source) in faults.into_iter().zip(sources) {
        assert_eq!(
            fault.expect("refused"),
            format!("certificate CAL-{source}: due = 2026-06-01 is not after date = 2026-06-01")
        );
    }
}

#[test]
fn an_uncertainty_includes_half_a_step_of_the_readings() {
    let with = |step| fault(|params| params.bath.resolution = Kelvin::from_milli(step));
    assert_eq!(with(200), None);
    let words = with(201).expect("refused");
    assert!(
        words.starts_with("bath.pv: uncertainty_c = 0.100 is less than half a step"),
        "{words}"
    );
}

#[test]
fn a_margin_is_not_negative_but_may_be_nothing() {
    let with = |margin| fault(|params| params.margin = Kelvin::from_milli(margin));
    assert_eq!(with(0), None);
    assert_eq!(with(-1).as_deref(), Some("margin_c = -0.001 is below 0"));
}

#[test]
fn the_controller_has_an_integral_time_and_a_range_of_set_points() {
    let words = "cascade: integral_s must be above 0 and bath_min_c not above bath_max_c";
    assert_eq!(fault(|params| params.cascade.integral_ms = 0).as_deref(), Some(words));
    assert_eq!(fault(|params| params.cascade.bath_min = milli(63_501)).as_deref(), Some(words));
    assert_eq!(fault(|params| params.cascade.bath_min = milli(63_500)), None);
}

#[test]
fn heat_is_cut_before_the_bath_reaches_the_ceiling_that_fails_a_batch() {
    let with = |fail| fault(|params| params.recipe.ceiling.fail = milli(fail));
    assert_eq!(params().bath_trip(), milli(64_500));
    assert_eq!(with(64_500), None);
    let words = with(64_499).expect("refused");
    assert!(words.contains("must not be above the recipe's ceiling.fail_c = 64.499"), "{words}");
}

#[test]
fn the_highest_limit_of_all_milk_probes_sets_the_target() {
    let mut params = params();
    params.milk[1].certificate.uncertainty = Kelvin::from_milli(150);
    assert_eq!(params.limit(&params.milk[0]), milli(62_800));
    assert_eq!(params.limit(&params.milk[1]), milli(62_850));
    assert_eq!((params.limit_max(), params.target()), (milli(62_850), milli(63_100)));
    params.milk.clear();
    assert_eq!(params.limit_max(), milli(62_700), "without probes: floor and margin");
}

#[test]
fn a_known_margin_lets_the_milk_be_held_a_little_higher_and_nothing_else() {
    assert_eq!(Cascade::KNOWN.target_above_limit, Kelvin::from_milli(300));
    let same = Cascade { target_above_limit: Kelvin::from_milli(250), ..Cascade::KNOWN };
    assert_eq!(same, Cascade::UNKNOWN);
}

#[test]
fn only_a_good_reading_is_trusted_and_it_is_corrected() {
    let mut probe = probe("probes.ch1");
    let offset = Kelvin::from_milli(-50);
    let point = crate::batch::certificate::OffsetPoint { at: Celsius::from_milli(0), offset };
    probe.certificate.offsets.push(point);
    let good = Sample::good(milli(62_850));
    assert_eq!(probe.trusted(good), Some(milli(62_800)));
    assert_eq!(probe.trusted(Sample { quality: Quality::Stale, ..good }), None);
}

#[test]
fn what_was_frozen_is_read_back_the_same_and_the_purpose_has_one_word() {
    let mut params = params();
    params.heater = Heater::Power { power_w: 3_000, bath_j_per_k: 90_000, delay_ms: 20_000 };
    params.reference = Some(probe("reference.pv"));
    let text = serde_json::to_string(&params).expect("written");
    assert_eq!(serde_json::from_str::<BatchParams>(&text).expect("read"), params);
    for (purpose, word) in [(Purpose::Milk, "milk"), (Purpose::Water, "water")] {
        assert_eq!(purpose.word(), word);
        assert_eq!(serde_json::to_value(purpose).expect("written"), word);
    }
}
