//! Each part is broken on purpose, and the step that is about it must fail: a step that passes
//! without what it claims is no evidence.

mod record;

use std::cell::Cell;

use holder_hal::{Celsius, Heat, Kelvin, Quality, Reading, Sample, Switch, Tick};

use super::tests::with_parts;
use super::{Parts, Program, Verdict, run};
use crate::batch::curve::Curve;
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Effects, Input};
use crate::batch::judge;
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;
use crate::batch::verdict;

/// What the step says with these parts.
fn seen(number: &str, parts: &dyn Parts) -> (Verdict, String) {
    with_parts(
        parts,
        |_| (),
        |bench| {
            let mut report = run(bench, |one| one == number, |_| ());
            let step = report.steps.pop().expect("there is such a step");
            (step.verdict, step.observed)
        },
    )
}

/// The step passes with the program as it is, and fails with each of these.
fn fails(number: &str, broken: &[(&str, &dyn Parts)]) {
    let (whole, observed) = seen(number, &Program);
    assert_eq!(whole, Verdict::Pass, "{number} on the program as it is: {observed}");
    for (what, parts) in broken {
        let (verdict, observed) = seen(number, *parts);
        assert_eq!(verdict, Verdict::Fail, "{number} with {what}: {observed}");
        assert!(!observed.starts_with("it stopped"), "{number} with {what}: {observed}");
    }
}

/// An engine that does not see what is the case: as good as one without the rule.
struct Blind(fn(&Engine, &mut Reading));

impl Parts for Blind {
    fn step(&self, engine: &mut Engine, now: Tick, input: Input) -> Effects {
        let shown = match input {
            Input::Reading(mut reading) => {
                (self.0)(engine, &mut reading);
                Input::Reading(reading)
            }
            Input::Operator(_) | Input::Wake => input,
        };
        engine.step(now, shown)
    }
}

/// A judge by another recipe, or of another curve.
struct Lax(fn(&mut Recipe, &mut Curve));

impl Parts for Lax {
    fn judge(&self, recipe: &Recipe, curve: &Curve) -> verdict::Verdict {
        let (mut recipe, mut curve) = (recipe.clone(), curve.clone());
        (self.0)(&mut recipe, &mut curve);
        judge::judge(&recipe, &curve)
    }
}

fn each_milk(reading: &mut Reading, change: impl Fn(Celsius) -> Celsius) {
    for sample in reading.milk.iter_mut().flatten() {
        sample.raw = sample.raw.map(&change);
    }
}

/// REQ-HOLD-01, REQ-JUDGE-02
#[test]
fn an_engine_that_takes_the_milk_for_warmer_than_it_reads_fails_the_steps_on_good_batches() {
    let blind = Blind(|_, reading| each_milk(reading, |raw| raw + Kelvin::from_milli(400)));
    fails("OQ-01", &[("the engine", &blind)]);
    fails("OQ-12", &[("the engine", &blind)]);
}

/// REQ-HOLD-01
#[test]
fn a_judge_without_margin_and_uncertainty_fails_the_step_below_the_limit() {
    let lax = Lax(|_, curve| {
        curve.margin = Kelvin::ZERO;
        curve.milk_uncertainty.fill(Kelvin::ZERO);
    });
    fails("OQ-02", &[("no allowance", &lax)]);
}

/// REQ-HOLD-02
#[test]
fn an_engine_or_a_judge_that_sees_no_cold_milk_fails_the_steps_on_restarts() {
    let blind = Blind(|engine, reading| {
        if engine.phase() == PhaseName::Hold {
            let warm = engine.params().target();
            each_milk(reading, |raw| raw.max(warm));
        }
    });
    let lax = Lax(|recipe, _| recipe.hold.floor = Celsius::from_milli(50_000));
    let broken: [(&str, &dyn Parts); 2] = [("the engine", &blind), ("the judge", &lax)];
    fails("OQ-03", &broken);
    fails("OQ-04", &broken);
    let patient = Lax(|recipe, _| recipe.hold.holds_restarted_max = 99);
    fails("OQ-04", &[("a judge that allows 99 restarts", &patient)]);
}

/// REQ-HOLD-03
#[test]
fn an_engine_or_a_judge_that_sees_no_lid_fails_the_step_on_the_lid() {
    let blind = Blind(|_, reading| {
        reading.lid = reading.lid.map(|_| Switch { on: Some(true), quality: Quality::Good });
    });
    let lax = Lax(|_, curve| curve.rows.iter_mut().for_each(|row| row.lid = Some(true)));
    fails("OQ-05", &[("the engine", &blind), ("the judge", &lax)]);
}

/// REQ-HOLD-04
#[test]
fn an_engine_or_a_judge_that_sees_no_gap_fails_the_step_on_gaps() {
    let blind = Blind(|_, reading| {
        if let [first, Some(second), ..] = &mut reading.milk {
            *first = first.map(|one| if one.raw.is_none() { *second } else { one });
        }
    });
    let lax = Lax(|_, curve| curve.max_gap_ms = 60_000);
    let strict = Lax(|_, curve| curve.max_gap_ms = 1_000);
    fails(
        "OQ-06",
        &[("the engine", &blind), ("the judge", &lax), ("a judge that allows no gap", &strict)],
    );
}

/// REQ-CEIL-01
#[test]
fn an_engine_or_a_judge_without_its_ceiling_fails_the_step_on_ceilings() {
    let blind = Blind(|engine, reading| {
        let below = engine.params().recipe.ceiling.fail - Kelvin::from_milli(500);
        each_milk(reading, |raw| raw.min(below));
    });
    let no_fail = Lax(|recipe, _| recipe.ceiling.fail = Celsius::from_milli(200_000));
    let no_deviation = Lax(|recipe, _| recipe.ceiling.deviation = recipe.ceiling.fail);
    let no_note = Lax(|recipe, _| recipe.ceiling.note = recipe.ceiling.deviation);
    fails(
        "OQ-07",
        &[
            ("the engine", &blind),
            ("a judge without the last line", &no_fail),
            ("a judge without the second line", &no_deviation),
            ("a judge without the first line", &no_note),
        ],
    );
}

/// Takes the milk for cooled as fast as with water, which it is not: slowly enough to be believed, for
/// an engine that saw it jump or stand still would cool on.
#[derive(Default)]
struct BelievesInCooling {
    cooled: Cell<Kelvin>,
}

impl Parts for BelievesInCooling {
    fn step(&self, engine: &mut Engine, now: Tick, input: Input) -> Effects {
        let shown = match input {
            Input::Reading(mut reading) if engine.phase() == PhaseName::Cool => {
                let cooled = self.cooled.get() + Kelvin::from_milli(50);
                self.cooled.set(cooled);
                each_milk(&mut reading, |raw| raw - cooled);
                Input::Reading(reading)
            }
            Input::Reading(_) | Input::Operator(_) | Input::Wake => input,
        };
        engine.step(now, shown)
    }
}

/// REQ-COOL-01
#[test]
fn an_engine_or_a_judge_that_believes_the_milk_cold_fails_the_step_on_cooling() {
    let blind = BelievesInCooling::default();
    let lax = Lax(|_, curve| {
        let cooled = curve.rows.iter_mut().filter(|row| row.phase == Some(PhaseName::Cool));
        for milk in cooled.flat_map(|row| &mut row.milk) {
            *milk = milk.map(|_| Celsius::from_milli(9_000));
        }
    });
    fails("OQ-08", &[("the engine", &blind), ("the judge", &lax)]);
}

/// REQ-SPREAD-01
#[test]
fn a_judge_that_allows_any_spread_fails_the_step_on_the_spread() {
    let lax = Lax(|recipe, _| recipe.probes.spread_max = Kelvin::from_milli(90_000));
    fails("OQ-09", &[("the judge", &lax)]);
}

/// REQ-JUDGE-01
#[test]
fn a_judge_that_does_not_ask_the_engine_fails_the_step_on_disputes() {
    let alone = Lax(|_, curve| {
        (curve.engine_accepts, curve.engine_holds_broken) = (Some(true), None);
    });
    let counts_nothing = Lax(|_, curve| curve.engine_holds_broken = None);
    let needs_no_word = Lax(|_, curve| {
        curve.engine_accepts = curve.engine_accepts.or(Some(true));
    });
    fails(
        "OQ-11",
        &[
            ("a judge that believes the engine", &alone),
            ("one that counts no breaks", &counts_nothing),
            ("one that needs no word of the engine", &needs_no_word),
        ],
    );
}

/// Heats in some of the periods in which it reads nothing.
struct HeatsBlindly {
    nothing: Cell<u32>,
    periods: std::ops::RangeInclusive<u32>,
}

impl Parts for HeatsBlindly {
    fn step(&self, engine: &mut Engine, now: Tick, input: Input) -> Effects {
        let is_nothing = matches!(&input, Input::Reading(reading) if reading.bath.raw.is_none());
        let count = if is_nothing { self.nothing.get() + 1 } else { 0 };
        self.nothing.set(count);
        let mut effects = engine.step(now, input);
        if self.periods.contains(&count) {
            effects.command.heat = Heat::Setpoint(Celsius::from_milli(63_500));
        }
        effects
    }
}

/// REQ-HEAT-01
#[test]
fn heat_in_any_period_from_the_third_without_a_reading_fails_the_step_on_silence() {
    for periods in [1..=3, 3..=3, 59..=59, 100..=100] {
        let what = format!("heat in {periods:?}");
        let parts = HeatsBlindly { nothing: Cell::new(0), periods };
        fails("OQ-13", &[(&what, &parts)]);
    }
}

/// REQ-HEAT-02
#[test]
fn an_engine_that_never_sees_its_trip_fails_the_step_on_the_hot_bath() {
    let blind = Blind(|engine, reading| {
        let trip = engine.params().bath_trip();
        reading.bath.raw = reading.bath.raw.map(|raw| raw.min(trip));
    });
    let jumps_only = Blind(|engine, reading| {
        // The one sample above the trip is taken for a jump: heat is off, but not by 101.
        let trip = engine.params().bath_trip();
        if reading.bath.raw.is_some_and(|raw| raw > trip) {
            reading.bath = Sample::good(Celsius::from_milli(20_000));
        }
    });
    fails("OQ-14", &[("no trip", &blind), ("another cut instead", &jumps_only)]);
}

/// An engine that takes what went in for what came out.
#[derive(Default)]
struct Uncounting(Cell<u16>);

impl Parts for Uncounting {
    fn step(&self, engine: &mut Engine, now: Tick, mut input: Input) -> Effects {
        match &mut input {
            Input::Operator(Action::ConfirmLoad { bottles }) => self.0.set(*bottles),
            Input::Operator(Action::ConfirmUnload { bottles }) => *bottles = self.0.get(),
            Input::Operator(_) | Input::Reading(_) | Input::Wake => {}
        }
        engine.step(now, input)
    }
}

/// REQ-COUNT-01
#[test]
fn an_engine_or_a_judge_that_does_not_count_fails_the_step_on_the_count() {
    let blind = Lax(|_, curve| curve.counts_out = curve.bottles_in.into_iter().collect());
    let forgets = Lax(|_, curve| drop(curve.counts_out.drain(..curve.counts_out.len() - 1)));
    fails(
        "OQ-15",
        &[
            ("the engine", &Uncounting::default()),
            ("the judge", &blind),
            ("a judge that forgets the first count", &forgets),
        ],
    );
}

/// An engine that says yes to this action whenever it comes.
struct Obeys(fn(&Action) -> bool);

impl Parts for Obeys {
    fn step(&self, engine: &mut Engine, now: Tick, input: Input) -> Effects {
        let obeyed = matches!(&input, Input::Operator(action) if (self.0)(action));
        let mut effects = engine.step(now, input);
        effects.refusal = effects.refusal.filter(|_| !obeyed);
        effects
    }
}

/// REQ-SEQ-01
#[test]
fn an_engine_that_takes_either_action_too_early_fails_the_step_on_the_order() {
    let loads = Obeys(|action| matches!(action, Action::ConfirmLoad { .. }));
    let unloads = Obeys(|action| matches!(action, Action::ConfirmUnload { .. }));
    fails("OQ-37", &[("loading", &loads), ("unloading", &unloads)]);
}
