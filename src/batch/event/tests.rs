//! The journal's words as they are stored: what was written years ago must still be read.

use super::*;
use crate::batch::fixture::milli;

fn seen() -> Snapshot {
    Snapshot { bath: Some(milli(63_401)), coldest: Some(milli(62_796)), hottest: None }
}

/// Written as this text, and read back as the same entry.
fn stands_as(event: Event, words: &str) {
    let entry = Entry { at: Tick::from_ms(723_999), event, readings_mc: seen() };
    let text = serde_json::to_string(&entry).expect("written");
    assert_eq!(
        text,
        format!(
            "{{\"tick_ms\":723999,{words},\"readings_mc\":{{\"bath\":63401,\"coldest\":62796,\
             \"hottest\":null}}}}"
        )
    );
    assert_eq!(serde_json::from_str::<Entry>(&text).expect("read"), entry);
}

#[test]
fn an_entry_is_stored_with_its_time_its_words_and_exact_readings_and_read_back_the_same() {
    stands_as(
        Event::Entered {
            phase: PhaseName::ComeUp,
            cause: Cause::HoldBroken { by: HoldBreak::BelowLimit, held_ms: 5 },
        },
        r#""event":"entered","phase":"come-up","cause":"hold-broken","by":"below-limit","held_ms":5"#,
    );
    let alarm = Alarm::MilkTooHot;
    stands_as(Event::Raised { alarm, after: None }, r#""event":"raised","alarm":"milk-too-hot""#);
    stands_as(
        Event::Raised { alarm, after: Some(Alarm::LidOpen) },
        r#""event":"raised","alarm":"milk-too-hot","after":"lid-open""#,
    );
    stands_as(
        Event::AboveCeiling { line: milli(63_500), allowance: Kelvin::from_milli(301) },
        r#""event":"above-ceiling","line_c":63.5,"allowance_c":0.301"#,
    );
    stands_as(Event::Resumed { outage_ms: None }, r#""event":"resumed","outage_ms":null"#);
    stands_as(Event::HeatConfirmed, r#""event":"heat-confirmed""#);
    stands_as(
        Event::CountDiffers { loaded: 48, counted: 49 },
        r#""event":"count-differs","loaded":48,"counted":49"#,
    );
    stands_as(
        Event::Entered {
            phase: PhaseName::Finished,
            cause: Cause::Unloaded { bottles: 49, loaded: 48 },
        },
        r#""event":"entered","phase":"finished","cause":"unloaded","bottles":49,"loaded":48"#,
    );
}

#[test]
fn an_action_is_stored_by_its_word_and_read_back_the_same() {
    let actions = [
        (Action::ConfirmLoad { bottles: 24 }, r#"{"action":"confirm-load","bottles":24}"#),
        (Action::ConfirmUnload { bottles: 48 }, r#"{"action":"confirm-unload","bottles":48}"#),
        (Action::Stop { reason: "steam".into() }, r#"{"action":"stop","reason":"steam"}"#),
        (Action::Resume { outage_ms: None }, r#"{"action":"resume","outage_ms":null}"#),
        (Action::ConfirmHeat, r#"{"action":"confirm-heat"}"#),
        (Action::Orders { arrive: false }, r#"{"action":"orders","arrive":false}"#),
        (Action::Record { keeps_up: false }, r#"{"action":"record","keeps_up":false}"#),
        (
            Action::Acknowledge { alarm: Alarm::LidOpen, by: "Ann".into() },
            r#"{"action":"acknowledge","alarm":"lid-open","by":"Ann"}"#,
        ),
    ];
    for (action, text) in actions {
        assert_eq!(serde_json::to_string(&action).expect("written"), text);
        assert_eq!(serde_json::from_str::<Action>(text).expect("read"), action);
    }
}

#[test]
fn an_entry_with_a_time_or_a_reading_that_is_no_whole_number_is_refused() {
    let good = r#"{"tick_ms":1,"event":"heat-confirmed","readings_mc":{"bath":1,"coldest":null,"hottest":null}}"#;
    assert!(serde_json::from_str::<Entry>(good).is_ok());
    for (part, bad) in [("\"tick_ms\":1", "\"tick_ms\":-1"), ("\"bath\":1", "\"bath\":62.5")] {
        assert!(serde_json::from_str::<Entry>(&good.replace(part, bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_refusal_says_why_and_what_to_do_instead() {
    let refusals = [
        (
            Refusal::NotLoading(PhaseName::Preheat),
            "not waiting for bottles in phase preheat; load them when the screen asks for it",
        ),
        (Refusal::NoBottles, "a batch needs at least one bottle; count them and confirm again"),
        (
            Refusal::NotUnloading(PhaseName::Hold),
            "not waiting for unloading in phase hold; to end the batch early, stop it",
        ),
        (
            Refusal::HeatNotWaiting,
            "heat does not wait for you; if an alarm keeps it off, deal with that and acknowledge it",
        ),
        (
            Refusal::NothingToAcknowledge(Alarm::LidOpen),
            "alarm 301 does not wait to be acknowledged; see which alarms stand",
        ),
        (Refusal::NoName, "an alarm is acknowledged by name; type yours"),
        (Refusal::Over(PhaseName::Finished), "the batch is over (finished); start a new one"),
    ];
    for (refusal, words) in refusals {
        assert_eq!(refusal.to_string(), words);
    }
}

#[test]
fn a_person_is_asked_to_load_and_to_unload_and_for_nothing_else() {
    for phase in PhaseName::ALL {
        let action = asked(phase, 12);
        match phase {
            PhaseName::Load => assert_eq!(action, Some(Action::ConfirmLoad { bottles: 12 })),
            PhaseName::Unload => assert_eq!(action, Some(Action::ConfirmUnload { bottles: 12 })),
            PhaseName::Preheat
            | PhaseName::ComeUp
            | PhaseName::Hold
            | PhaseName::Cool
            | PhaseName::Finished
            | PhaseName::Aborted => assert_eq!(action, None, "{phase}"),
        }
    }
}
