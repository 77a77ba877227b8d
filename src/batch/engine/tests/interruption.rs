//! A batch whose controller was gone is taken up by the recipe's rule.

use super::*;
use crate::batch::recipe::WhenInterrupted;

/// The bench after an outage: a person continued the batch.
fn resumed(bench: &mut Bench, outage_s: u64) {
    bench.now_s += outage_s;
    assert_eq!(bench.act(Action::Resume { outage_ms: Some(outage_s * 1_000) }), None);
    assert!(!bench.heats(), "nothing is known of the machine yet");
}

#[test]
fn an_interrupted_hold_begins_again_and_heat_waits_for_a_person() {
    let mut bench = Bench::holding(params());
    bench.seconds(900);
    resumed(&mut bench, 300);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp);
    let broken = Cause::HoldBroken { by: HoldBreak::Interrupted, held_ms: 900_000 };
    assert_eq!(bench.causes().last(), Some(&&broken));
    bench.milk(60_000);
    bench.seconds(60);
    assert!(!bench.heats() && bench.engine.waits_for_heat());
    assert!(Alarm::ALL.iter().all(|alarm| !bench.engine.stands(*alarm)), "nobody is blamed");
    assert_eq!(bench.act(Action::ConfirmHeat), None);
    assert_eq!(bench.log.last().map(|entry| &entry.event), Some(&Event::HeatConfirmed));
    bench.seconds(1);
    assert!(bench.heats());
    assert_eq!(bench.act(Action::ConfirmHeat), Some(Refusal::HeatNotWaiting));
    bench.milk(63_000);
    bench.until(PhaseName::Hold);
    let began_s = bench.now_s;
    bench.until(PhaseName::Cool);
    assert_eq!(bench.now_s - began_s, 1_800, "a whole hold");
    bench.milk(9_000);
    bench.until(PhaseName::Unload);
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(bench.engine.accepts(), Some(true));
}

/// One reading may be missed before a probe is lost; but none was taken since the outage.
#[test]
fn after_an_outage_no_heat_comes_before_each_milk_probe_was_read_again() {
    let mut params = params();
    params.recipe.interruption.heat_needs_person = false;
    let mut bench = Bench::holding(params);
    bench.seconds(60);
    resumed(&mut bench, 30);
    bench.milk(60_000);
    let good = bench.reading.milk[1];
    bench.reading.milk[1] = Some(Sample::missing(Quality::SensorOpen));
    bench.seconds(1);
    assert!(!bench.heats(), "the other probe alone was read");
    bench.reading.milk[1] = good;
    bench.seconds(1);
    assert!(bench.heats());
    bench.reading.milk[1] = Some(Sample::missing(Quality::SensorOpen));
    bench.seconds(1);
    assert!(bench.heats(), "one reading may be missed");
}

#[test]
fn an_outage_that_is_too_long_or_of_unknown_length_fails_a_batch_with_milk_in_the_bath() {
    let max_ms = params().recipe.interruption.outage_max_ms;
    let outages = [Some(max_ms + 1), None];
    for outage_ms in outages {
        for warm in [false, true] {
            let mut bench = Bench::holding(params());
            if warm {
                // An open lid: back to the come-up.
                bench.reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
                bench.seconds(1);
            }
            bench.now_s += max_ms / 1_000 + 1;
            assert_eq!(bench.act(Action::Resume { outage_ms }), None);
            assert_eq!(bench.engine.phase(), PhaseName::Cool);
            assert_eq!(
                bench.last.command,
                Command { heat: Heat::Off, agitator: true, cooling: true }
            );
            bench.milk(9_000);
            bench.until(PhaseName::Unload);
            bench.act(Action::ConfirmUnload { bottles: 48 });
            assert_eq!(bench.engine.accepts(), Some(false), "{outage_ms:?}");
        }
    }
}

#[test]
fn what_the_outage_was_said_to_be_is_not_believed_against_the_readings() {
    let mut bench = Bench::holding(params());
    bench.now_s += 3_600;
    bench.act(Action::Resume { outage_ms: Some(1_000) });
    assert_eq!(bench.engine.phase(), PhaseName::Cool, "an hour lies between the readings");
}

#[test]
fn cooling_goes_on_at_once_and_the_outage_counts_as_time_to_cool() {
    for (outage_s, accepts) in [(1_200, true), (3_700, false)] {
        let mut bench = Bench::holding(params());
        bench.until(PhaseName::Cool);
        bench.seconds(60);
        resumed(&mut bench, outage_s);
        assert!(bench.last.command.cooling, "the valve is open before the first reading");
        bench.milk(9_000);
        bench.until(PhaseName::Unload);
        bench.act(Action::ConfirmUnload { bottles: 48 });
        assert_eq!(bench.engine.accepts(), Some(accepts), "{outage_s} s");
    }
}

#[test]
fn cold_milk_that_nobody_watched_for_too_long_is_not_accepted() {
    for (outage_ms, accepts) in [(Some(60_000), true), (Some(3_600_000), false), (None, false)] {
        let mut bench = Bench::holding(params());
        bench.until(PhaseName::Cool);
        bench.milk(9_000);
        bench.until(PhaseName::Unload);
        bench.act(Action::Resume { outage_ms });
        assert_eq!(bench.engine.phase(), PhaseName::Unload);
        bench.seconds(1);
        bench.act(Action::ConfirmUnload { bottles: 48 });
        assert_eq!(bench.engine.accepts(), Some(accepts), "{outage_ms:?}");
    }
}

#[test]
fn before_the_loading_the_bath_proves_itself_again_and_short_outages_leave_the_loading_alone() {
    let mut bench = Bench::new(params());
    bench.until(PhaseName::Load);
    resumed(&mut bench, 30);
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Load);
    assert!(!bench.heats(), "bottles may be in");
    bench.now_s += 5 * 3_600;
    bench.act(Action::Resume { outage_ms: None });
    assert_eq!(bench.engine.phase(), PhaseName::Preheat);
    assert_eq!(bench.act(Action::ConfirmHeat), None);
    bench.until(PhaseName::Load);
    assert!(bench.heats());
}

#[test]
fn a_batch_that_is_over_is_not_continued() {
    let mut bench = Bench::holding(params());
    bench.act(Action::Stop { reason: "test".into() });
    let refused = bench.act(Action::Resume { outage_ms: Some(0) });
    assert_eq!(refused, Some(Refusal::Over(PhaseName::Aborted)));
}

#[test]
fn a_recipe_may_forbid_interruptions_or_let_heat_come_back_by_itself() {
    let mut strict = params();
    strict.recipe.interruption = Default::default();
    let mut bench = Bench::holding(strict);
    bench.now_s += 1;
    bench.act(Action::Resume { outage_ms: Some(1_000) });
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
    let mut lax = params();
    lax.recipe.interruption.heat_needs_person = false;
    let mut bench = Bench::holding(lax);
    resumed(&mut bench, 5);
    bench.seconds(1);
    assert!(bench.heats(), "with the first reading");
}

#[test]
fn an_outage_of_the_recipes_time_is_allowed_whether_said_or_measured() {
    let max_ms = params().recipe.interruption.outage_max_ms;
    for (gone_s, said_ms) in [(1, max_ms), (max_ms / 1_000, 0)] {
        let mut bench = Bench::holding(params());
        bench.now_s += gone_s;
        assert_eq!(bench.act(Action::Resume { outage_ms: Some(said_ms) }), None);
        assert_eq!(bench.engine.phase(), PhaseName::ComeUp, "{gone_s} s, said {said_ms} ms");
    }
}

#[test]
fn a_batch_that_had_not_begun_begins_with_its_first_reading() {
    let mut bench = Bench::new(params());
    assert_eq!(bench.act(Action::Resume { outage_ms: None }), None);
    let told: Vec<&Event> = bench.log.iter().map(|entry| &entry.event).collect();
    assert_eq!(told, [&Event::Resumed { outage_ms: None }]);
    bench.seconds(1);
    assert_eq!(bench.causes(), [&Cause::Started]);
}

#[test]
fn a_come_up_that_may_not_be_interrupted_fails_and_one_that_may_counts_its_twenty_seconds_anew() {
    for rule in [WhenInterrupted::Fail, WhenInterrupted::Restart] {
        let mut bench = warming(rule);
        resumed(&mut bench, 5);
        assert_eq!(bench.engine.phase(), PhaseName::Cool, "{rule:?}");
        let failed = Cause::InterruptionNotAllowed { held_ms: None };
        assert_eq!(bench.causes().last(), Some(&&failed));
    }
    let mut bench = warming(WhenInterrupted::Continue);
    resumed(&mut bench, 1);
    bench.seconds(20);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp);
    bench.seconds(1);
    assert_eq!(bench.engine.phase(), PhaseName::Hold);
}

/// A batch whose milk has been above the limit for nine seconds, and what its recipe says.
fn warming(come_up: WhenInterrupted) -> Bench {
    let mut params = params();
    params.recipe.interruption.come_up = come_up;
    let mut bench = Bench::new(params);
    bench.until(PhaseName::Load);
    bench.act(Action::ConfirmLoad { bottles: 48 });
    bench.milk(63_000);
    bench.seconds(10);
    assert_eq!(bench.engine.phase(), PhaseName::ComeUp);
    bench
}

#[test]
fn a_hold_that_may_not_be_interrupted_fails_and_tells_how_long_it_lasted() {
    let mut strict = params();
    strict.recipe.interruption.hold = WhenInterrupted::Fail;
    let mut bench = Bench::holding(strict);
    bench.seconds(60);
    resumed(&mut bench, 5);
    let failed = Cause::InterruptionNotAllowed { held_ms: Some(60_000) };
    assert_eq!(bench.causes().last(), Some(&&failed));
    assert_eq!(bench.engine.holds_broken(), 1);
}

#[test]
fn an_interruption_once_more_than_holds_may_restart_fails_the_batch() {
    let mut bench = Bench::holding(params());
    resumed(&mut bench, 1);
    bench.until(PhaseName::Hold);
    resumed(&mut bench, 1);
    let failed = Cause::RestartsExhausted { by: HoldBreak::Interrupted, held_ms: 0 };
    assert_eq!(bench.causes().last(), Some(&&failed));
    assert_eq!((bench.engine.phase(), bench.engine.holds_broken()), (PhaseName::Cool, 2));
}

#[test]
fn an_outage_of_unknown_length_while_milk_is_cooled_fails_the_batch_and_the_cooling_goes_on() {
    let mut bench = Bench::holding(params());
    bench.until(PhaseName::Cool);
    assert_eq!(bench.act(Action::Resume { outage_ms: None }), None);
    assert_eq!(bench.engine.phase(), PhaseName::Cool);
    let failed = Cause::InterruptionNotAllowed { held_ms: None };
    assert_eq!(bench.causes().last(), Some(&&failed));
    bench.milk(9_000);
    bench.until(PhaseName::Unload);
    bench.act(Action::ConfirmUnload { bottles: 48 });
    assert_eq!(bench.engine.accepts(), Some(false));
}

/// Some bottles may be in when the mains fail in the loading, and the bath is warmed again with them.
#[test]
fn milk_that_may_be_in_a_bath_that_preheats_again_is_not_overheated() {
    let mut bench = Bench::new(params());
    bench.reading.bath = Sample::good(milli(62_000));
    bench.milk(80_000);
    bench.seconds(1);
    assert!(bench.heats(), "no bottle was asked for: whatever the probe hangs in is not milk");
    bench.reading.bath = Sample::good(milli(63_500));
    bench.milk(20_000);
    bench.until(PhaseName::Load);
    bench.now_s += 1;
    assert_eq!(bench.act(Action::Resume { outage_ms: None }), None);
    assert_eq!(bench.engine.phase(), PhaseName::Preheat);
    bench.reading.bath = Sample::good(milli(62_000));
    bench.seconds(1);
    assert_eq!(bench.act(Action::ConfirmHeat), None);
    bench.seconds(1);
    assert!(bench.heats());
    bench.milk(80_000);
    bench.seconds(1);
    assert!(!bench.heats() && bench.engine.stands(Alarm::MilkTooHot));
}
