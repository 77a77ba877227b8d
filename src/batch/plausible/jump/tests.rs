use super::*;

const BATH: f64 = 0.01;

/// Samples a second apart.
fn watched(bounds: Bounds, samples: &[f64]) -> (Jump, Vec<bool>) {
    let mut jump = Jump::default();
    let steps = (0..)
        .zip(samples)
        .map(|(s, value)| jump.sample(Tick::from_ms(s * 1_000), *value, bounds))
        .collect();
    (jump, steps)
}

#[test]
fn a_bath_may_rise_by_its_heater_and_fall_by_cold_bottles_and_no_further_at_once() {
    let step = |to: f64| watched(Bounds::bath(BATH), &[63.0, to]).1[1];
    assert!(!step(64.30) && step(64.32), "1.01 K and 0.3 K/s upwards");
    assert!(!step(59.00) && step(58.98), "3.01 K and 1 K/s downwards");
}

#[test]
fn milk_follows_no_faster_than_its_gap_lets_it() {
    let step = |gap_k: Option<f64>, to: f64| watched(Bounds::milk(0.1, gap_k), &[20.0, to]).1[1];
    // 0.4 K, twice the resolution, and 35 K through 70 s.
    assert!(!step(Some(35.0), 21.09) && step(Some(35.0), 21.11));
    assert!(!step(Some(35.0), 18.91) && step(Some(35.0), 18.89));
    // Without a bath reading the gap may be 100 K.
    assert!(!step(None, 22.02) && step(None, 22.04));
    // A small gap counts as 1 K.
    assert!(!step(Some(0.0), 20.61) && step(Some(0.0), 20.62));
}

#[test]
fn five_steps_raise_it_and_thirty_calm_samples_end_it() {
    let spikes =
        |count: usize| (0..count).flat_map(|_| [63.0, 80.0]).chain([63.0]).collect::<Vec<f64>>();
    assert!(!watched(Bounds::bath(BATH), &spikes(4)).0.lasts());
    let mut samples = spikes(5);
    assert!(watched(Bounds::bath(BATH), &samples).0.lasts());
    samples.extend([63.0; 28]);
    assert!(watched(Bounds::bath(BATH), &samples).0.lasts(), "29 calm samples");
    samples.push(63.0);
    let (jump, _) = watched(Bounds::bath(BATH), &samples);
    assert!(!jump.lasts());
    assert!(!jump.shift().up && !jump.shift().down, "spikes are no new level");
}

#[test]
fn five_samples_in_a_row_are_a_new_level_from_which_it_goes_on() {
    let up = [20.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0];
    let (jump, steps) = watched(Bounds::milk(0.1, Some(35.0)), &up);
    assert_eq!(steps, [false, true, true, true, true, true, false]);
    assert!(jump.lasts() && jump.shift().up && !jump.shift().down);
    let (jump, _) = watched(Bounds::milk(0.1, Some(35.0)), &[60.0, 20.0, 20.0, 20.0, 20.0, 20.0]);
    assert!(jump.shift().down && !jump.shift().up);
    let (jump, _) = watched(Bounds::milk(0.1, Some(35.0)), &up[..5]);
    assert!(!jump.shift().up, "four are none");
}

#[test]
fn a_step_is_forgotten_after_sixty_samples_without_one() {
    let rare = |calm: usize| {
        let one = [80.0].into_iter().chain(std::iter::repeat_n(63.0, calm));
        let all = (0..6).flat_map(|_| one.clone());
        std::iter::once(63.0).chain(all).chain([80.0]).collect::<Vec<f64>>()
    };
    assert!(!watched(Bounds::bath(BATH), &rare(60)).0.lasts());
    assert!(watched(Bounds::bath(BATH), &rare(29)).0.lasts());
}

/// Whether milk that was at 52 °C, and is at `to` after so long, made a step.
fn is_step_over(silence_ms: u64, baths: Option<[f64; 2]>, to: f64) -> bool {
    let bounds = Bounds::milk(0.1, Some(10.0)).over_silence(baths);
    let mut jump = Jump::default();
    jump.sample(Tick::from_ms(0), 52.0, bounds);
    jump.sample(Tick::from_ms(silence_ms), to, bounds)
}

#[test]
fn after_a_silence_milk_is_no_further_than_its_bath_can_have_taken_it() {
    // 70 s by 125 s: 0.429 of 11 K, and 0.6 K for noise and resolution.
    for baths in [[63.0, 63.0], [63.0, 52.0], [52.0, 63.0]] {
        let is_step = |to| is_step_over(70_000, Some(baths), to);
        assert!(!is_step(57.31) && is_step(57.33), "{baths:?}");
        assert!(!is_step(51.41) && is_step(51.39), "{baths:?}");
    }
    let cooled = |to| is_step_over(70_000, Some([41.0, 41.0]), to);
    assert!(!cooled(46.69) && cooled(46.67) && !cooled(52.59) && cooled(52.61));
    // Up to 10 s the wider line of samples holds: 0.6 K and 10 s of 10 K through 70 s.
    assert!(!is_step_over(10_000, Some([63.0; 2]), 54.02));
    assert!(is_step_over(10_000, Some([63.0; 2]), 54.04));
    assert!(is_step_over(10_001, Some([63.0; 2]), 53.5), "0.077 of 11 K and 0.6 K");
    // Without a bath nobody knows.
    assert!(!is_step_over(70_000, None, 90.0));
}

#[test]
fn a_probe_that_comes_back_elsewhere_and_stays_is_at_another_level() {
    let bounds = Bounds::milk(0.1, Some(0.1)).over_silence(Some([63.7; 2]));
    let mut jump = Jump::default();
    jump.sample(Tick::from_ms(0), 52.0, bounds);
    let back = |at_s: u64| Tick::from_ms(70_000 + at_s * 1_000);
    let steps: Vec<bool> = (0..6).map(|at_s| jump.sample(back(at_s), 63.7, bounds)).collect();
    assert_eq!(steps, [true, true, true, true, true, false]);
    assert!(jump.shift().up && jump.lasts());
}

#[test]
fn a_bath_starts_anew_after_a_silence_of_more_than_ten_seconds() {
    let mut jump = Jump::default();
    jump.sample(Tick::from_ms(0), 63.0, Bounds::bath(BATH));
    assert!(!jump.sample(Tick::from_ms(10_001), 20.0, Bounds::bath(BATH)));
    assert!(jump.sample(Tick::from_ms(20_001), 80.0, Bounds::bath(BATH)), "10 s are no silence");
}

#[test]
fn two_blocks_beyond_what_the_gap_can_make_are_a_new_level() {
    let blocks = |milk: [f64; 3]| {
        let mut jump = Jump::default();
        milk.into_iter().for_each(|milk| jump.block(Some(milk), Some(63.0), 0.1));
        jump
    };
    // Gap of 7 K: 0.1 K/s; 0.35 K of noise; 1.35 K after 10 s and 2.35 K after 20 s.
    assert!(blocks([56.0, 57.4, 58.4]).shift().up);
    assert!(!blocks([56.0, 57.3, 58.4]).shift().up, "the first is within");
    assert!(!blocks([56.0, 57.4, 58.3]).shift().up, "the second is within");
    assert!(blocks([56.0, 53.0, 52.0]).shift().down);
    assert!(!blocks([56.0, 58.0, 52.0]).lasts(), "in two directions");
    assert!(blocks([56.0, 57.4, 58.4]).lasts());
}

#[test]
fn an_interruption_or_a_block_without_a_value_begins_anew() {
    let mut jump = Jump::default();
    jump.block(Some(40.0), Some(63.0), 0.1);
    jump.interrupted();
    jump.block(Some(60.0), Some(63.0), 0.1);
    jump.block(Some(60.0), Some(63.0), 0.1);
    assert!(!jump.lasts());
    jump.block(None, Some(63.0), 0.1);
    jump.block(Some(20.0), Some(63.0), 0.1);
    jump.block(Some(20.0), Some(63.0), 0.1);
    assert!(!jump.lasts() && !jump.shift().down);
}

#[test]
fn each_second_lets_a_sample_go_further_and_its_very_line_is_no_step() {
    let bounds = Bounds { up_k: 1.0, up_k_s: 0.5, down_k: 2.0, down_k_s: 0.75, unread: None };
    let is_step = |after_ms: u64, step_k: f64| {
        let mut jump = Jump::default();
        jump.sample(Tick::from_ms(0), 0.0, bounds);
        jump.sample(Tick::from_ms(after_ms), step_k, bounds)
    };
    assert!(!is_step(2_000, 2.0) && is_step(2_000, 2.01));
    assert!(!is_step(4_000, 3.0) && is_step(4_000, 3.01));
    assert!(!is_step(2_000, -3.5) && is_step(2_000, -3.51));
    assert!(!is_step(4_000, -5.0) && is_step(4_000, -5.01));
}

#[test]
fn two_blocks_at_the_very_line_are_no_new_level() {
    let is_level = |milk: [f64; 3]| {
        let mut jump = Jump::default();
        milk.into_iter().for_each(|milk| jump.block(Some(milk), Some(70.0), 0.25));
        jump.lasts()
    };
    // Gap of 70 K: 1 K/s; 0.5 K of noise; 10.5 K after 10 s and 20.5 K after 20 s.
    assert!(is_level([0.0, 10.51, 20.51]));
    assert!(!is_level([0.0, 10.5, 20.51]));
    assert!(!is_level([0.0, 10.51, 20.5]));
}
