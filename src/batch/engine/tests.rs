//! The engine on hand-made readings: every transition, every way to stop, every refusal. It
//! believes them all: milk that a test moves by hand is no milk. The watchers have whole batches
//! of their own, in `station/rehearsal/alarms.rs`.

mod count;
mod edges;
mod heat;
mod interruption;

use holder_hal::{Heat, Quality, Reading, Sample, Switch};

use super::*;
use crate::batch::event::HoldBreak;
use crate::batch::fixture::{milli, params};

/// A batch that is fed by hand, second by second.
struct Bench {
    engine: Engine,
    now_s: u64,
    reading: Reading,
    last: Effects,
    log: Vec<Entry>,
}

impl Bench {
    fn new(params: BatchParams) -> Self {
        let mut reading = Reading::nothing(params.milk.len(), true);
        reading.bath = Sample::good(milli(63_500));
        reading.milk.iter_mut().flatten().for_each(|probe| *probe = Sample::good(milli(4_000)));
        reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
        let engine = Engine::credulous(params).expect("valid parameters");
        let last = Effects { command: Command::safe(false), entries: vec![], refusal: None };
        Self { engine, now_s: 0, reading, last, log: vec![] }
    }

    fn input(&mut self, input: Input) {
        self.last = self.engine.step(Tick::from_ms(self.now_s * 1000), input);
        self.log.extend(self.last.entries.clone());
    }

    fn seconds(&mut self, count: u64) {
        for _ in 0..count {
            self.now_s += 1;
            self.input(Input::Reading(self.reading));
        }
    }

    fn milk(&mut self, value: i32) {
        self.reading.milk.iter_mut().flatten().for_each(|p| *p = Sample::good(milli(value)));
    }

    fn act(&mut self, action: Action) -> Option<Refusal> {
        self.input(Input::Operator(action));
        self.last.refusal.clone()
    }

    fn until(&mut self, phase: PhaseName) {
        for _ in 0..5 * 3600 {
            if self.engine.phase() == phase {
                return;
            }
            self.seconds(1);
        }
        panic!("{phase} was never reached; still in {}", self.engine.phase());
    }

    /// Loads 48 bottles and holds the milk at 63 °C until the hold begins.
    fn holding(params: BatchParams) -> Self {
        let mut bench = Self::new(params);
        bench.until(PhaseName::Load);
        assert_eq!(bench.act(Action::ConfirmLoad { bottles: 48 }), None);
        bench.seconds(60);
        bench.milk(63_000);
        bench.until(PhaseName::Hold);
        bench
    }

    fn causes(&self) -> Vec<&Cause> {
        self.log.iter().filter_map(|entry| Some(entry.event.entered()?.1)).collect()
    }

    fn heats(&self) -> bool {
        self.last.command.heats()
    }
}

#[test]
fn a_good_batch_goes_through_every_phase_and_is_accepted() {
    let mut bench = Bench::holding(params());
    let hold_began_s = bench.now_s;
    assert!(bench.heats());
    bench.until(PhaseName::Cool);
    assert_eq!(bench.now_s - hold_began_s, 1800, "30 minutes, not a second less");
    assert_eq!(bench.last.command, Command { heat: Heat::Off, agitator: true, cooling: true });
    bench.milk(10_000);
    bench.until(PhaseName::Unload);
    assert_eq!(bench.engine.accepts(), None, "nothing is decided before the end");
    assert_eq!(bench.act(Action::ConfirmUnload { bottles: 48 }), None);
    assert_eq!(bench.engine.accepts(), Some(true));
    let causes: Vec<Cause> = bench.causes().into_iter().cloned().collect();
    let expected = [
        Cause::Started,
        Cause::BathStable,
        Cause::Loaded { bottles: 48 },
        Cause::HoldBegun,
        Cause::HoldComplete,
        Cause::Cooled,
        Cause::Unloaded { bottles: 48, loaded: 48 },
    ];
    assert_eq!(causes, expected);
}

/// REQ-HOLD-01
#[test]
fn the_hold_begins_after_twenty_seconds_above_the_limit_and_not_below_it() {
    let mut bench = Bench::new(params());
    bench.until(PhaseName::Load);
    bench.act(Action::ConfirmLoad { bottles: 1 });
    bench.milk(62_849);
    bench.seconds(600);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp, "limit 62.8 + 0.05 was not reached");
    bench.milk(62_850);
    // Ten seconds until the mean is there, then twenty.
    bench.seconds(9 + 20);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp);
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Hold);
}

/// REQ-HOLD-02
#[test]
fn one_probe_below_the_limit_breaks_the_hold_whatever_the_other_says() {
    let mut bench = Bench::holding(params());
    bench.seconds(600);
    bench.milk(62_800);
    bench.seconds(30);
    assert_eq!(bench.engine.phase(), PhaseName::Hold, "at the limit is not below it");
    bench.reading.milk[1] = Some(Sample::good(milli(62_799)));
    bench.seconds(10);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp);
    let last = bench.causes().into_iter().next_back().cloned();
    let Some(Cause::HoldBroken { by: HoldBreak::BelowLimit, held_ms }) = last else {
        panic!("the entry does not say why: {last:?}");
    };
    assert!((629_000..=639_000).contains(&held_ms), "{held_ms}");
}

/// REQ-HOLD-04
#[test]
fn ten_seconds_between_good_readings_are_borne_and_eleven_break_the_hold() {
    for (apart_s, phase) in [(10, PhaseName::Hold), (11, PhaseName::ComeUp)] {
        let mut bench = Bench::holding(params());
        bench.seconds(100);
        let good = bench.reading.milk[0].replace(Sample::missing(Quality::SensorOpen));
        bench.seconds(apart_s - 1);
        bench.reading.milk[0] = good;
        bench.seconds(1);
        assert_eq!(bench.engine.phase(), phase, "{apart_s} s apart");
    }
}

/// REQ-HOLD-02, REQ-HOLD-03
#[test]
fn an_opened_lid_restarts_the_hold_and_the_second_time_fails_the_batch() {
    let mut bench = Bench::holding(params());
    for phase in [PhaseName::ComeUp, PhaseName::Cool] {
        bench.until(PhaseName::Hold);
        bench.reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
        bench.seconds(1);
        assert_eq!(bench.engine.phase(), phase);
        bench.reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
    }
    bench.milk(9_000);
    bench.until(PhaseName::Unload);
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(bench.engine.accepts(), Some(false));
}

#[test]
fn milk_that_never_gets_warm_or_never_gets_cold_ends_the_wait() {
    let mut bench = Bench::new(params());
    bench.until(PhaseName::Load);
    bench.act(Action::ConfirmLoad { bottles: 48 });
    bench.until(PhaseName::Cool);
    assert!(bench.causes().contains(&&Cause::HeatUpTooLong));
    let mut bench = Bench::holding(params());
    bench.until(PhaseName::Cool);
    bench.until(PhaseName::Unload);
    assert!(bench.causes().contains(&&Cause::CoolingTooLong));
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(bench.engine.accepts(), Some(false));
}

fn lines_passed(bench: &Bench) -> usize {
    bench.log.iter().filter(|e| matches!(e.event, Event::AboveCeiling { .. })).count()
}

#[test]
fn the_ceiling_is_judged_with_uncertainty_and_margin_and_66_fails() {
    let mut bench = Bench::holding(params());
    bench.milk(65_700);
    bench.seconds(20);
    assert_eq!(lines_passed(&bench), 2, "65.7 + 0.1 + 0.2 is at 66, not above");
    assert_eq!(bench.engine.phase(), PhaseName::Hold);
    bench.milk(65_701);
    bench.seconds(20);
    assert_eq!(lines_passed(&bench), 3);
    assert_eq!(bench.engine.phase(), PhaseName::Cool, "failed: the milk is cooled");
    bench.milk(4_000);
    bench.until(PhaseName::Unload);
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(bench.engine.accepts(), Some(false));
}

#[test]
fn a_refused_action_changes_nothing() {
    let mut bench = Bench::new(params());
    bench.until(PhaseName::Load);
    bench.act(Action::ConfirmLoad { bottles: 48 });
    bench.milk(63_000);
    bench.seconds(20);
    let before = bench.log.len();
    bench.now_s += 1;
    assert!(bench.act(Action::ConfirmUnload { bottles: 48 }).is_some());
    assert_eq!(bench.log.len(), before, "{:?}", bench.last.entries);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp);
}

#[test]
fn a_hold_that_would_begin_too_late_does_not_begin() {
    let mut params = params();
    params.recipe.heat_up.fail_ms = 600_000;
    params.recipe.heat_up.note_ms = 600_000;
    let mut bench = Bench::new(params);
    bench.until(PhaseName::Load);
    bench.act(Action::ConfirmLoad { bottles: 48 });
    bench.seconds(580);
    bench.milk(63_000);
    bench.seconds(21);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
    assert!(bench.causes().contains(&&Cause::HeatUpTooLong));
}

/// REQ-SEQ-01
#[test]
fn actions_out_of_place_are_refused_and_change_nothing() {
    let mut bench = Bench::new(params());
    bench.seconds(1);
    let load = |bottles| Action::ConfirmLoad { bottles };
    assert_eq!(bench.act(load(48)), Some(Refusal::NotLoading(PhaseName::Preheat)));
    assert_eq!(
        bench.act(Action::ConfirmUnload { bottles: 48 }),
        Some(Refusal::NotUnloading(PhaseName::Preheat))
    );
    bench.until(PhaseName::Load);
    assert_eq!(bench.act(load(0)), Some(Refusal::NoBottles));
    assert_eq!(bench.engine.phase(), PhaseName::Load);
}

#[test]
fn probes_that_cannot_serve_the_margin_are_refused_at_the_start() {
    let mut params = params();
    params.margin = Kelvin::from_milli(451);
    let fault = Engine::new(params.clone()).expect_err("63.301 > 63.3");
    assert!(matches!(fault, ParamsFault::TargetAboveClamp { .. }));
    params.margin = Kelvin::from_milli(450);
    assert!(Engine::new(params).is_ok());
}

#[test]
fn a_clock_that_goes_back_shortens_nothing() {
    let mut bench = Bench::holding(params());
    bench.seconds(1700);
    let reading = Input::Reading(bench.reading);
    bench.engine.step(Tick::from_ms(0), reading);
    assert_eq!(bench.engine.held_ms(), Some(1_700_000));
}

#[test]
fn an_alarm_is_acknowledged_by_name_once_and_stands_until_then() {
    let seen = |alarm, by: &str| Action::Acknowledge { alarm, by: by.into() };
    let mut bench = Bench::holding(params());
    bench.reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
    bench.seconds(1);
    bench.reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
    bench.seconds(1);
    assert!(bench.engine.stands(Alarm::LidOpen), "it is over, but nobody has seen it");
    assert_eq!(bench.act(seen(Alarm::LidOpen, "  ")), Some(Refusal::NoName));
    assert_eq!(bench.act(seen(Alarm::LidOpen, "Ann")), None);
    assert!(!bench.engine.stands(Alarm::LidOpen));
    let told = Event::Acknowledged { alarm: Alarm::LidOpen, by: "Ann".into() };
    assert!(bench.log.iter().any(|entry| entry.event == told));
    let again = bench.act(seen(Alarm::LidOpen, "Ann"));
    assert_eq!(again, Some(Refusal::NothingToAcknowledge(Alarm::LidOpen)));
}
