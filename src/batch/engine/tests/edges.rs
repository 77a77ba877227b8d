//! Each time and temperature of the engine at its edge: the last value that is allowed, and the
//! first that is not.

use super::*;

fn loaded(params: BatchParams) -> Bench {
    let mut bench = Bench::new(params);
    bench.until(PhaseName::Load);
    assert_eq!(bench.act(Action::ConfirmLoad { bottles: 48 }), None);
    bench
}

fn last_cause(bench: &Bench) -> Option<Cause> {
    bench.causes().last().map(|cause| (*cause).clone())
}

/// So many seconds the phase stays what it is, and one more ends it in this one.
fn lasts(bench: &mut Bench, seconds: u64, next: PhaseName) {
    let phase = bench.engine.phase();
    bench.seconds(seconds);
    assert_eq!(bench.engine.phase(), phase, "after {seconds} s");
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), next, "after {seconds} s and one more");
}

#[test]
fn a_bath_is_stable_after_two_minutes_within_three_tenths_either_way() {
    for (bath, stable) in [(63_200, true), (63_800, true), (63_199, false), (63_801, false)] {
        let mut bench = Bench::new(params());
        bench.reading.bath = Sample::good(milli(bath));
        bench.seconds(1);
        assert_eq!(bench.last.command, {
            Command { heat: Heat::Setpoint(milli(63_500)), agitator: true, cooling: false }
        });
        bench.seconds(119);
        assert_eq!(bench.engine.phase(), PhaseName::Preheat);
        bench.seconds(1);
        assert_eq!(bench.engine.phase() == PhaseName::Load, stable, "bath at {bath}");
    }
}

#[test]
fn one_reading_off_the_set_point_begins_the_two_minutes_again() {
    let mut bench = Bench::new(params());
    bench.seconds(100);
    bench.reading.bath = Sample::good(milli(63_000));
    bench.seconds(1);
    bench.reading.bath = Sample::good(milli(63_500));
    bench.seconds(1);
    lasts(&mut bench, 119, PhaseName::Load);
}

#[test]
fn preheating_loading_heating_up_and_cooling_end_after_the_recipes_time_and_not_in_it() {
    let mut short = params();
    short.recipe.limits.preheat_max_ms = 300_000;
    short.recipe.limits.load_max_ms = 60_000;
    (short.recipe.heat_up.note_ms, short.recipe.heat_up.fail_ms) = (600_000, 600_000);
    (short.recipe.cooling.note_ms, short.recipe.cooling.fail_ms) = (600_000, 600_000);

    let mut bench = Bench::new(short.clone());
    bench.reading.bath = Sample::good(milli(20_000));
    bench.seconds(1);
    lasts(&mut bench, 300, PhaseName::Aborted);
    assert_eq!(last_cause(&bench), Some(Cause::PreheatTooLong));

    let mut bench = Bench::new(short.clone());
    bench.until(PhaseName::Load);
    lasts(&mut bench, 60, PhaseName::Aborted);
    assert_eq!(last_cause(&bench), Some(Cause::LoadTooLong));

    let mut bench = loaded(short.clone());
    lasts(&mut bench, 600, PhaseName::Cool);
    assert_eq!(last_cause(&bench), Some(Cause::HeatUpTooLong));

    let mut bench = Bench::holding(short);
    bench.until(PhaseName::Cool);
    lasts(&mut bench, 600, PhaseName::Unload);
    assert_eq!(last_cause(&bench), Some(Cause::CoolingTooLong));
}

#[test]
fn milk_that_is_cold_in_the_last_second_allowed_was_cooled_in_time() {
    let mut short = params();
    (short.recipe.cooling.note_ms, short.recipe.cooling.fail_ms) = (600_000, 600_000);
    let mut bench = Bench::holding(short);
    bench.until(PhaseName::Cool);
    bench.seconds(590);
    bench.milk(10_000);
    lasts(&mut bench, 9, PhaseName::Unload);
    assert_eq!(last_cause(&bench), Some(Cause::Cooled));
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(bench.engine.accepts(), Some(true));
    assert_eq!(bench.last.command, Command { heat: Heat::Off, agitator: false, cooling: false });
}

#[test]
fn a_thousandth_above_ten_degrees_is_not_cold() {
    let mut bench = Bench::holding(params());
    bench.until(PhaseName::Cool);
    bench.milk(10_001);
    bench.seconds(60);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
}

#[test]
fn a_hold_and_a_cooling_do_not_end_on_a_moment_at_which_a_probe_was_silent() {
    let silent = Some(Sample::missing(Quality::SensorOpen));
    let mut bench = Bench::holding(params());
    bench.seconds(1_799);
    let good = std::mem::replace(&mut bench.reading.milk[0], silent);
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Hold, "1800 s, but nobody saw the last one");
    bench.reading.milk[0] = good;
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);

    bench.milk(10_000);
    bench.seconds(9);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
    let good = std::mem::replace(&mut bench.reading.milk[0], silent);
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
    bench.reading.milk[0] = good;
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Unload);
}

#[test]
fn before_the_hold_ten_seconds_between_readings_are_borne_and_an_open_lid_begins_anew() {
    let silent = Some(Sample::missing(Quality::SensorOpen));
    for (apart_s, begins) in [(10, true), (11, false)] {
        let mut bench = loaded(params());
        bench.milk(63_000);
        bench.seconds(11);
        let good = std::mem::replace(&mut bench.reading.milk[0], silent);
        bench.seconds(apart_s - 1);
        bench.reading.milk[0] = good;
        bench.seconds(21 - apart_s);
        let is_hold = bench.engine.phase() == PhaseName::Hold;
        assert_eq!(is_hold, begins, "{apart_s} s apart");
    }
    let mut bench = loaded(params());
    bench.milk(63_000);
    bench.seconds(15);
    bench.reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
    bench.seconds(1);
    let open_s = bench.now_s;
    bench.reading.lid = Some(Switch { on: Some(true), quality: Quality::Good });
    bench.until(PhaseName::Hold);
    // Nobody saw a lag, so 1.2 times 1000 s, and ln(63.0 / 0.2) = 5.75 of them: then twenty seconds.
    assert_eq!(bench.now_s - open_s, 6_904 + 20);
}

#[test]
fn control_works_on_the_milk_as_it_reads() {
    let bench = Bench::holding(params());
    let Heat::Setpoint(bath) = bench.last.command.heat else {
        panic!("a set-point machine gets a set point: {:?}", bench.last.command);
    };
    // 63.05 + 1.5 x 0.05, and what half a minute has added.
    assert!((63_125..63_140).contains(&bath.milli()), "{bath}");
}

#[test]
fn a_probe_that_is_lost_while_milk_is_cooled_does_not_stop_the_cooling() {
    let mut bench = Bench::holding(params());
    bench.until(PhaseName::Cool);
    bench.reading.bath = Sample::missing(Quality::SensorOpen);
    bench.seconds(params().recipe.limits.probe_lost_max_ms / 1_000 + 10);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
    assert!(bench.last.command.cooling && bench.engine.stands(Alarm::BathProbeLost));
}

#[test]
fn the_ceiling_counts_until_the_milk_is_cold() {
    for (hottest, accepts) in [(65_700, true), (65_701, false)] {
        let mut bench = Bench::holding(params());
        bench.until(PhaseName::Cool);
        bench.milk(hottest);
        bench.seconds(20);
        bench.milk(9_000);
        bench.until(PhaseName::Unload);
        bench.act(Action::ConfirmUnload { bottles: 48 });
        assert_eq!(bench.engine.accepts(), Some(accepts), "{hottest}");
    }
}

#[test]
fn each_line_of_the_ceiling_is_told_once_with_what_was_added() {
    let mut bench = Bench::holding(params());
    bench.milk(65_000);
    bench.seconds(60);
    let passed: Vec<&Event> = bench
        .log
        .iter()
        .map(|entry| &entry.event)
        .filter(|event| matches!(event, Event::AboveCeiling { .. }))
        .collect();
    let ceiling = &bench.engine.params().recipe.ceiling;
    let allowance = Kelvin::from_milli(300);
    let told =
        [ceiling.note, ceiling.deviation].map(|line| Event::AboveCeiling { line, allowance });
    assert_eq!(passed, told.iter().collect::<Vec<_>>());
}

#[test]
fn what_the_engine_knows_is_told_in_and_out_of_a_hold() {
    let mut bench = loaded(params());
    assert_eq!((bench.engine.held_ms(), bench.engine.holds_broken()), (None, 0));
    bench.milk(63_000);
    bench.until(PhaseName::Hold);
    bench.seconds(7);
    assert_eq!(bench.engine.held_ms(), Some(7_000));
    bench.reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
    bench.seconds(1);
    assert_eq!((bench.engine.held_ms(), bench.engine.holds_broken()), (None, 1));
    let standing: Vec<Alarm> = bench.engine.alarms().map(|seen| seen.alarm).collect();
    assert_eq!(standing, [Alarm::LidOpen]);
    assert!(!bench.engine.orders_lost());
    bench.act(Action::Orders { arrive: false });
    assert!(bench.engine.orders_lost());
    assert_eq!(bench.engine.params(), &params());
}
