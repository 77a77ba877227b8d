//! Sentences as a person reads them, word by word.

use holder_hal::{Kelvin, Tick};

use super::*;
use crate::batch::fixture::milli;
use crate::batch::phase::PhaseName;

fn entry(event: Event) -> Entry {
    let seen = Snapshot {
        bath: Some(milli(63_400)),
        coldest: Some(milli(62_796)),
        hottest: Some(milli(62_850)),
    };
    Entry { at: Tick::from_ms(0), event, readings_mc: seen }
}

#[test]
fn a_broken_hold_says_how_long_it_lasted_and_why_with_exact_figures() {
    let cause = Cause::HoldBroken { by: HoldBreak::BelowLimit, held_ms: 723_999 };
    let broken = entry(Event::Entered { phase: PhaseName::ComeUp, cause });
    assert_eq!(
        describe(&broken),
        "The hold was broken after 12 min 03 s: the coldest milk fell below the limit. The \
         milk is warmed again for a new hold. (bath 63.4 °C, milk probes 62.796 to 62.85 °C)"
    );
}

#[test]
fn a_passed_ceiling_names_the_line_and_what_was_added() {
    let (line, allowance) = (milli(63_500), Kelvin::from_milli(300));
    assert_eq!(
        sentence(&Event::AboveCeiling { line, allowance }),
        "The hottest milk went above 63.5 °C, with 0.3 °C added for uncertainty and margin."
    );
}

#[test]
fn a_value_that_could_not_be_trusted_is_said_to_be_missing() {
    let nothing = Snapshot { bath: None, coldest: None, hottest: None };
    let said = "no good bath reading at that moment, no good milk reading";
    assert_eq!(readings(&nothing), said);
    let half = Snapshot { hottest: Some(milli(62_500)), ..nothing };
    assert_eq!(readings(&half), said);
}

#[test]
fn a_typed_reason_cannot_move_the_cursor() {
    let cause = Cause::OperatorStop { reason: "steam\u{1b}[2J\nhere".into() };
    let text = sentence(&Event::Entered { phase: PhaseName::Aborted, cause });
    assert_eq!(text, "A person stopped the batch: “steam [2J here”. Heat is commanded off.");
}

#[test]
fn every_alarm_is_raised_with_its_number_and_its_advice() {
    for alarm in Alarm::ALL {
        let text = sentence(&Event::Raised { alarm, after: None });
        assert!(text.starts_with(&format!("ALARM {}", alarm.number())), "{text}");
        assert!(text.contains(alarm.advice()), "{text}");
    }
}

#[test]
fn temperatures_keep_the_decimals_they_need() {
    assert_eq!(
        [62_500, 62_850, 62_796, 4_000, -20].map(exact),
        ["62.5", "62.85", "62.796", "4.0", "-0.02"]
    );
}

fn entered(cause: Cause) -> String {
    sentence(&Event::Entered { phase: PhaseName::Cool, cause })
}

#[test]
fn the_way_of_a_batch_is_told_in_plain_sentences() {
    let told = [
        (Cause::Started, "The batch began; the empty bath is warmed."),
        (Cause::BathStable, "The bath is stable at its set point; bottles can go in."),
        (
            Cause::Loaded { bottles: 1 },
            "1 bottle was confirmed besides the control bottle; the milk is warmed.",
        ),
        (
            Cause::Loaded { bottles: 24 },
            "24 bottles were confirmed besides the control bottle; the milk is warmed.",
        ),
        (Cause::HoldBegun, "The milk stayed above the limit for long enough; the hold began."),
        (Cause::HoldComplete, "The hold is complete; the milk is cooled."),
        (Cause::Cooled, "The hottest milk is cold; bottles can come out."),
        (
            Cause::Unloaded { bottles: 48, loaded: 48 },
            "48 bottles were confirmed to be out besides the control bottle; the run is over.",
        ),
        (
            Cause::Unloaded { bottles: 1, loaded: 1 },
            "1 bottle was confirmed to be out besides the control bottle; the run is over.",
        ),
        (
            Cause::Unloaded { bottles: 47, loaded: 48 },
            "Fewer bottles were confirmed to be out (47) than went in (48); the run is over.",
        ),
        (
            Cause::Unloaded { bottles: 49, loaded: 48 },
            "More bottles were confirmed to be out (49) than went in (48): nobody can say which of them \
             were heated, and the batch has failed. The run is over.",
        ),
        (Cause::Resumed, "After the interruption the empty bath is warmed again."),
    ];
    for (cause, words) in told {
        assert_eq!(entered(cause), words);
    }
}

#[test]
fn what_took_too_long_says_what_became_of_the_batch() {
    let told = [
        (
            Cause::PreheatTooLong,
            "The bath was not stable within the recipe's time: the batch was stopped. Heat is \
             commanded off.",
        ),
        (
            Cause::LoadTooLong,
            "The bottles were not confirmed within the recipe's time: the batch was stopped. Heat \
             is commanded off.",
        ),
        (
            Cause::HeatUpTooLong,
            "The hold did not begin within the recipe's time: the batch has failed, and the milk \
             is cooled.",
        ),
        (
            Cause::CoolingTooLong,
            "The milk was not known to be cold within the recipe's time: the batch has failed. \
             Measure by hand how warm it is; bottles can come out.",
        ),
    ];
    for (cause, words) in told {
        assert_eq!(entered(cause), words);
    }
}

#[test]
fn each_way_to_break_a_hold_has_its_words() {
    let broken = [
        (HoldBreak::BelowLimit, "the coldest milk fell below the limit"),
        (HoldBreak::Gap, "a milk probe gave no good reading for too long"),
        (HoldBreak::LidOpened, "the lid was opened"),
        (HoldBreak::Interrupted, "the controller was gone"),
    ];
    for (by, words) in broken {
        assert_eq!(
            entered(Cause::RestartsExhausted { by, held_ms: 59_999 }),
            format!(
                "The hold was broken after 59 s: {words}. That is once more than the recipe \
                 allows: the batch has failed, and the milk is cooled."
            )
        );
    }
}

#[test]
fn what_fails_or_stops_a_batch_names_the_alarm_and_what_the_heat_does() {
    assert_eq!(
        entered(Cause::CeilingPassed),
        "The hottest milk went above the ceiling that fails a batch: the batch has failed, and the \
         milk is cooled."
    );
    let alarm = Alarm::MilkStuck;
    assert_eq!(
        entered(Cause::Implausible { alarm }),
        "After alarm 205 the milk is cooled, for the recipe's whole time: what its probe reads is \
         not believed."
    );
    assert_eq!(
        entered(Cause::Implausible { alarm: Alarm::HeaterFails }),
        "After alarm 104 the milk is cooled."
    );
    assert_eq!(
        entered(Cause::Interlock { alarm: Alarm::OverTemperature }),
        "Alarm 101 stopped the batch: the bath is too hot. Heat is commanded off and stays off."
    );
    assert_eq!(
        sentence(&Event::Failed { alarm }),
        "Alarm 205: a milk reading stands still. What the milk went through is not known: the \
         batch has failed."
    );
}

#[test]
fn an_interruption_that_is_not_allowed_tells_of_the_hold_only_if_it_broke_one() {
    let rest = "The recipe does not allow this interruption: the batch has failed, and the milk is \
                cooled.";
    assert_eq!(entered(Cause::InterruptionNotAllowed { held_ms: None }), rest);
    assert_eq!(
        entered(Cause::InterruptionNotAllowed { held_ms: Some(60_000) }),
        format!("The hold was broken after 1 min 00 s. {rest}")
    );
}

#[test]
fn an_alarm_is_told_from_its_beginning_to_its_end() {
    let alarm = Alarm::MilkTooHot;
    assert_eq!(
        sentence(&Event::Raised { alarm, after: Some(Alarm::BathProbeLost) }),
        "ALARM 102 (after 201): the milk is too hot; heat is commanded off; check that the bath \
         probe is in the bath, and the heater's relay."
    );
    assert_eq!(
        sentence(&Event::CountDiffers { loaded: 48, counted: 49 }),
        "Another number of bottles was counted out (49) than went in (48), the control bottle not \
         counted: they are to be counted again."
    );
    assert_eq!(
        sentence(&Event::Cleared { alarm }),
        "Alarm 102 (the milk is too hot): what raised it is over."
    );
    assert_eq!(
        sentence(&Event::Acknowledged { alarm, by: "Ann\tLee".into() }),
        "Alarm 102 (the milk is too hot) was acknowledged by Ann Lee."
    );
    assert_eq!(
        sentence(&Event::HeatConfirmed),
        "A person confirmed that the machine may heat again."
    );
}

#[test]
fn an_alarm_that_is_over_does_not_say_that_the_heat_is_off_unless_it_is() {
    assert_eq!(
        over(Alarm::BathProbeLost, None),
        "ALARM 201: the bath probe is lost: that is over, and not acknowledged. It keeps the heat \
         off no more."
    );
    let stuck = over(Alarm::BathStuck, Some(Alarm::LidOpen));
    assert!(stuck.starts_with("ALARM 210 (after 301): "), "{stuck}");
    assert!(stuck.ends_with("Heat stays off until it is acknowledged."), "{stuck}");
    assert!(!over(Alarm::LidOpen, None).contains("eat"), "it never cut the heat");
}

#[test]
fn an_outage_of_unknown_length_is_not_said_to_be_short() {
    let resumed = |outage_ms| sentence(&Event::Resumed { outage_ms });
    assert_eq!(
        resumed(Some(182_999)),
        "The controller was gone for 3 min 02 s; the batch was continued."
    );
    assert_eq!(
        resumed(None),
        "The controller was gone for an unknown time (nobody can show that it was short: it counts \
         as longer than every limit); the batch was continued."
    );
}

#[test]
fn probes_that_agree_are_read_once_and_one_side_alone_is_not_read() {
    let seen = Snapshot {
        bath: Some(milli(63_500)),
        coldest: Some(milli(62_850)),
        hottest: Some(milli(62_850)),
    };
    assert_eq!(readings(&seen), "bath 63.5 °C, milk probes 62.85 °C");
    let half = Snapshot { hottest: None, ..seen };
    assert_eq!(readings(&half), "bath 63.5 °C, no good milk reading");
}

#[test]
fn times_are_rounded_down_and_carry_at_sixty() {
    assert_eq!(
        [0, 999, 59_999, 60_000, 1_805_000, 3_723_000].map(duration),
        ["0 s", "0 s", "59 s", "1 min 00 s", "30 min 05 s", "62 min 03 s"]
    );
    assert_eq!(
        [0, 59_999, 60_000, 3_599_999, 3_600_000, 3_723_999, 90_061_000].map(elapsed),
        ["0:00:00", "0:00:59", "0:01:00", "0:59:59", "1:00:00", "1:02:03", "25:01:01"]
    );
}

#[test]
fn bottles_are_told_as_they_went_in_and_were_counted_out() {
    assert_eq!(bottles(Some(48), &[48]), "48 in, 48 out");
    assert_eq!(bottles(Some(48), &[49, 47]), "48 in, 47 out (at first 49)");
    assert_eq!(bottles(Some(48), &[]), "48 in, not counted out");
    assert_eq!(bottles(None, &[]), "none in");
}
