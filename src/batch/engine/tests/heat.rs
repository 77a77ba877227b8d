//! What takes the heat away: lost probes, silence, heat where none may be, a stop.

use super::*;
use crate::batch::interlock::Ruling;

/// REQ-HEAT-01
#[test]
fn every_quality_but_good_cuts_the_heat_within_two_periods() {
    for quality in Quality::ALL.into_iter().filter(|quality| *quality != Quality::Good) {
        for channel in 0..3 {
            let mut bench = Bench::holding(params());
            let bad = Sample { raw: Some(milli(63_000)), age_ms: 0, quality };
            match channel {
                0 => bench.reading.bath = bad,
                probe => bench.reading.milk[probe - 1] = Some(bad),
            }
            bench.seconds(2);
            assert!(!bench.heats(), "{quality:?} on channel {channel} left the heat on");
        }
    }
}

/// REQ-HEAT-01
#[test]
fn silence_cuts_the_heat_within_two_periods_and_stops_the_batch_in_the_end() {
    let mut bench = Bench::holding(params());
    bench.now_s += 2;
    bench.input(Input::Wake);
    assert!(!bench.heats());
    bench.now_s += 120;
    bench.input(Input::Wake);
    assert_eq!(bench.engine.phase(), PhaseName::Aborted);
    assert_eq!(bench.engine.accepts(), Some(false));
}

#[test]
fn before_the_bath_was_ever_read_there_is_no_heat() {
    let mut bench = Bench::new(params());
    bench.input(Input::Wake);
    assert!(!bench.heats());
    bench.reading.bath = Sample::missing(Quality::Comm);
    bench.seconds(1);
    assert!(!bench.heats());
}

/// REQ-HEAT-02
#[test]
fn one_reading_too_hot_cuts_the_heat_and_three_stop_the_batch() {
    let mut bench = Bench::holding(params());
    bench.reading.bath = Sample::good(milli(64_501));
    bench.seconds(1);
    assert!(!bench.heats() && bench.engine.phase() == PhaseName::Hold);
    assert!(bench.engine.stands(Alarm::OverTemperature));
    bench.reading.bath = Sample::good(milli(63_500));
    bench.seconds(1);
    assert!(bench.heats(), "a single spike must not stop the batch");
    bench.reading.bath = Sample::good(milli(64_501));
    bench.seconds(3);
    assert_eq!(bench.engine.phase(), PhaseName::Aborted);
    bench.reading.bath = Sample::good(milli(60_000));
    bench.seconds(60);
    assert!(!bench.heats(), "heat stays off");
}

#[test]
fn a_stop_turns_the_heat_off_at_once_and_leaves_a_running_cooling_on() {
    let stop = || Action::Stop { reason: "smoke".into() };
    let mut bench = Bench::holding(params());
    assert_eq!(bench.act(stop()), None);
    assert_eq!(bench.last.command, Command { heat: Heat::Off, agitator: true, cooling: false });

    let mut bench = Bench::holding(params());
    bench.until(PhaseName::Cool);
    bench.act(stop());
    assert_eq!(bench.last.command, Command { heat: Heat::Off, agitator: true, cooling: true });
    assert_eq!(bench.act(stop()), Some(Refusal::Over(PhaseName::Aborted)));
}

#[test]
fn an_over_temperature_is_over_only_when_the_bath_is_back() {
    let mut bench = Bench::holding(params());
    for (bath, heats) in [(64_501, false), (64_400, false), (63_801, false), (63_800, true)] {
        bench.reading.bath = Sample::good(milli(bath));
        bench.seconds(1);
        assert_eq!(bench.heats(), heats, "bath at {bath}");
    }
    for bath in [64_501, 64_499, 64_501, 64_499] {
        bench.reading.bath = Sample::good(milli(bath));
        bench.seconds(1);
        assert_eq!(bench.engine.phase(), PhaseName::Hold, "two readings above do not stop it");
    }
    bench.reading.bath = Sample::good(milli(64_501));
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Aborted, "the third one does");
}

/// The bath probe has slipped out of the bath and says that more heat is needed.
#[test]
fn milk_that_is_too_hot_cuts_the_heat_whatever_the_bath_probe_says() {
    let mut bench = Bench::holding(params());
    bench.reading.bath = Sample::good(milli(25_000));
    bench.reading.milk[0] = Some(Sample::good(milli(65_701)));
    bench.seconds(1);
    assert!(!bench.heats(), "one reading cuts the heat");
    assert!(bench.engine.stands(Alarm::MilkTooHot));
    assert_eq!(bench.engine.phase(), PhaseName::Hold, "but does not fail the batch");
    bench.milk(63_000);
    bench.seconds(1);
    assert!(bench.heats());
}

#[test]
fn a_probe_in_hot_water_before_loading_and_after_cooling_is_no_hot_milk() {
    let mut bench = Bench::new(params());
    bench.milk(75_000);
    bench.until(PhaseName::Load);
    bench.act(Action::ConfirmLoad { bottles: 48 });
    bench.milk(63_000);
    bench.until(PhaseName::Cool);
    bench.milk(4_000);
    bench.until(PhaseName::Unload);
    bench.milk(75_000);
    bench.seconds(60);
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(lines_passed(&bench), 0);
    assert_eq!(bench.engine.accepts(), Some(true));
}

#[test]
fn without_orders_that_arrive_there_is_no_heat() {
    let mut bench = Bench::holding(params());
    assert_eq!(bench.act(Action::Orders { arrive: false }), None);
    bench.seconds(1);
    assert!(!bench.heats() && bench.engine.stands(Alarm::OrdersLost));
    bench.act(Action::Orders { arrive: true });
    bench.seconds(1);
    assert!(
        bench.heats() && bench.engine.stands(Alarm::OrdersLost),
        "heat is back, the alarm waits"
    );
}

#[test]
fn without_a_record_that_keeps_up_there_is_no_heat() {
    let mut bench = Bench::holding(params());
    assert!(!bench.engine.record_is_behind());
    assert_eq!(bench.act(Action::Record { keeps_up: false }), None);
    assert!(!bench.heats() && bench.engine.record_is_behind());
    bench.act(Action::Record { keeps_up: true });
    assert!(bench.heats() && !bench.engine.record_is_behind());
}

/// A probe that froze cold in the come-up would call for hot bottles to be taken out.
#[test]
fn milk_that_is_doubted_is_not_known_to_be_cold() {
    let cooled = |doubt: fn(&mut Engine)| {
        let mut bench = Bench::holding(params());
        bench.until(PhaseName::Cool);
        doubt(&mut bench.engine);
        bench.milk(9_000);
        bench.seconds(60);
        bench.engine.phase()
    };
    assert_eq!(cooled(|_| ()), PhaseName::Unload);
    let reads_high = |engine: &mut Engine| engine.tally.implausible = Some(Alarm::AboveReference);
    assert_eq!(cooled(reads_high), PhaseName::Unload, "the coldest probe is believed");
    let jumped = |engine: &mut Engine| engine.tally.implausible = Some(Alarm::MilkJumps);
    assert_eq!(cooled(jumped), PhaseName::Cool);
    // What stands still has failed nothing yet.
    let mut engine = Bench::holding(params()).engine;
    assert!(!engine.milk_is_doubted());
    engine.board.update(Alarm::ALL.map(|alarm| alarm == Alarm::MilkStuck), |_| ());
    assert!(engine.milk_is_doubted());
}

/// This alarm is raised, and is over.
fn raised_once(bench: &mut Bench, alarm: Alarm) {
    let facts = bench.engine.senses.facts(bench.engine.now, &params(), Tick::default());
    for lasts in [true, false] {
        let lasting = Alarm::ALL.map(|one| lasts && one == alarm);
        bench.engine.note_alarms(&Ruling { lasting, ..Ruling::default() }, &facts, &mut Vec::new());
    }
}

#[test]
fn a_waiting_bath_that_did_not_get_its_heat_three_times_stops_the_batch() {
    let mut bench = Bench::new(params());
    bench.seconds(10);
    for _ in 0..3 {
        raised_once(&mut bench, Alarm::HeaterFails);
    }
    bench.until(PhaseName::Load);
    for (alarm, phase) in [
        (Alarm::HeaterFails, PhaseName::Load),
        (Alarm::BathJumps, PhaseName::Load),
        (Alarm::HeaterFails, PhaseName::Load),
        (Alarm::HeaterFails, PhaseName::Aborted),
    ] {
        raised_once(&mut bench, alarm);
        bench.seconds(1);
        assert_eq!(bench.engine.phase(), phase);
    }
    assert_eq!(bench.causes().last(), Some(&&Cause::Interlock { alarm: Alarm::HeaterFails }));
}
