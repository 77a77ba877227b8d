use holder_hal::{Command, MILK_PROBES_MAX, Tick};

use super::super::blocks::Commanded;
use super::*;

fn block(bath: f64) -> Block {
    Block {
        bath: Some(bath),
        milk: [None; MILK_PROBES_MAX],
        reference: None,
        commanded: Commanded::Off,
        cooled: false,
        follows_a_gap: false,
    }
}

/// Whether 303 lasts for a bath that stood at 63 °C, sank by so much when so many bottles were
/// told, and was seen for so long after that.
fn is_off(bottles: u16, sunk_k: f64, seen_s: u64) -> bool {
    let loaded = Tick::from_ms(1_000_000);
    let stage = |now: Tick, phase: PhaseName| {
        let loaded = (phase != PhaseName::Preheat && phase != PhaseName::Load).then_some(loaded);
        Stage { now, phase, loaded, bottles, command: Command::safe(false) }
    };
    let (mut watch, mut doubts) = (LoadWatch::default(), Doubts::default());
    watch.observe(&stage(Tick::from_ms(0), PhaseName::Preheat), &block(63.0), &mut doubts);
    watch.observe(&stage(Tick::from_ms(10_000), PhaseName::Load), &block(62.9), &mut doubts);
    for after_s in (0..=seen_s).step_by(10) {
        let now = loaded.plus_ms(after_s * 1_000);
        watch.observe(&stage(now, PhaseName::ComeUp), &block(63.0 - sunk_k), &mut doubts);
    }
    doubts.lasts(Alarm::LoadOff)
}

#[test]
fn many_bottles_that_the_bath_does_not_feel_are_not_in_but_only_after_three_minutes() {
    // 48 bottles take it down by 0.384 K at least.
    assert!(is_off(48, 0.38, 180));
    assert!(!is_off(48, 0.38, 170), "too early to tell");
    assert!(!is_off(48, 0.39, 600));
}

#[test]
fn few_bottles_need_not_show() {
    assert!(is_off(24, 0.1, 180));
    assert!(!is_off(23, 0.1, 180));
}

#[test]
fn a_bath_that_sinks_for_more_bottles_than_were_told_is_seen_at_once() {
    // 0.5 K and 0.12 K for each of 12 bottles: 1.94 K at most.
    assert!(is_off(12, 1.95, 0));
    assert!(!is_off(12, 1.93, 600));
}

#[test]
fn what_sinks_later_is_no_load_and_a_batch_that_holds_has_no_such_alarm() {
    let (mut watch, mut doubts) = (LoadWatch::default(), Doubts::default());
    let loaded = Tick::from_ms(100_000);
    let stage = |s: u64, phase: PhaseName| Stage {
        now: Tick::from_ms(s * 1_000),
        phase,
        loaded: Some(loaded),
        bottles: 48,
        command: Command::safe(false),
    };
    watch.observe(&stage(0, PhaseName::Preheat), &block(63.0), &mut doubts);
    watch.observe(&stage(100, PhaseName::ComeUp), &block(61.0), &mut doubts);
    watch.observe(&stage(300, PhaseName::ComeUp), &block(61.0), &mut doubts);
    watch.observe(&stage(310, PhaseName::ComeUp), &block(40.0), &mut doubts);
    assert!(!doubts.lasts(Alarm::LoadOff), "decided once");
    watch.observe(&stage(0, PhaseName::Preheat), &block(63.0), &mut doubts);
    watch.observe(&stage(110, PhaseName::ComeUp), &block(40.0), &mut doubts);
    assert!(doubts.lasts(Alarm::LoadOff));
    watch.observe(&stage(400, PhaseName::Hold), &block(62.9), &mut doubts);
    assert!(!doubts.lasts(Alarm::LoadOff));
}

#[test]
fn a_bath_that_sank_to_the_very_line_was_loaded_as_told() {
    let is_off = |bottles: u16, sunk_k: f64, after_s: u64| {
        let (mut watch, mut doubts) = (LoadWatch::default(), Doubts::default());
        let loaded = Tick::from_ms(1_000_000);
        let command = Command::safe(false);
        let before =
            Stage { now: loaded, phase: PhaseName::Preheat, loaded: None, bottles, command };
        watch.observe(&before, &block(0.0), &mut doubts);
        let stage = |after_s: u64| Stage {
            now: loaded.plus_ms(after_s * 1_000),
            phase: PhaseName::ComeUp,
            loaded: Some(loaded),
            ..before
        };
        watch.observe(&stage(0), &block(-sunk_k), &mut doubts);
        watch.observe(&stage(after_s), &block(-sunk_k), &mut doubts);
        doubts.lasts(Alarm::LoadOff)
    };
    let most_k = 0.5 + 0.12 * 12.0;
    assert!(!is_off(12, most_k, 10) && is_off(12, most_k.next_up(), 10));
    let least_k = 0.008 * 48.0;
    assert!(!is_off(48, least_k, 180) && is_off(48, least_k.next_down(), 180));
}
