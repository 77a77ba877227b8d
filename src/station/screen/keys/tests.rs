//! What keys lead to, one after the other.

use super::*;

fn type_in(prompt: &mut Prompt, keys: &str, phase: PhaseName) -> Intent {
    let mut last = Intent::Say(None);
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            other => KeyCode::Char(other),
        };
        let event = KeyEvent::new(code, KeyModifiers::NONE);
        last = prompt.press(event.into(), Some(phase), Some(Alarm::LidOpen));
    }
    last
}

#[test]
fn bottles_take_a_number_and_a_yes() {
    let mut prompt = Prompt::Idle;
    assert_eq!(type_in(&mut prompt, "b48\n", PhaseName::Load), Intent::Say(None));
    assert_eq!(prompt, Prompt::BottlesSure(Way::In, 48));
    let sent = type_in(&mut prompt, "y", PhaseName::Load);
    assert_eq!(sent, Intent::Send(Action::ConfirmLoad { bottles: 48 }));
    assert_eq!(prompt, Prompt::Idle);
}

#[test]
fn anything_but_yes_confirms_nothing() {
    for keys in ["b48\nn", "b48\n\n", "b48\n\u{1b}", "b4\u{1b}"] {
        let mut prompt = Prompt::Idle;
        let intent = type_in(&mut prompt, keys, PhaseName::Load);
        assert_eq!(intent, Intent::Say(Some("Nothing was done.")), "{keys:?}");
        assert_eq!(prompt, Prompt::Idle);
    }
}

#[test]
fn no_bottles_and_too_many_are_asked_again() {
    for keys in ["b0\n", "b\n", "b70000\n"] {
        let mut prompt = Prompt::Idle;
        type_in(&mut prompt, keys, PhaseName::Load);
        assert_eq!(prompt, Prompt::Bottles(Way::In, String::new()), "{keys:?}");
    }
}

#[test]
fn a_scanned_bar_code_is_not_a_number_of_bottles() {
    let mut prompt = Prompt::Idle;
    let intent = type_in(&mut prompt, "b7312345678901\n", PhaseName::Load);
    assert_eq!((intent, prompt), (Intent::Say(None), Prompt::Idle));
}

#[test]
fn a_key_of_another_phase_asks_nothing() {
    let mut prompt = Prompt::Idle;
    type_in(&mut prompt, "b", PhaseName::Hold);
    type_in(&mut prompt, "u", PhaseName::Hold);
    assert_eq!(prompt, Prompt::Idle);
}

#[test]
fn a_stop_takes_a_yes_and_a_reason() {
    let mut prompt = Prompt::Idle;
    assert_eq!(type_in(&mut prompt, "sy\n", PhaseName::Hold), Intent::Say(None));
    let sent = type_in(&mut prompt, "2\n", PhaseName::Hold);
    let reason = "trouble with a bottle or the milk".to_owned();
    assert_eq!(sent, Intent::Send(Action::Stop { reason }));
    let sent = type_in(&mut prompt, "sysmell of smoke\n", PhaseName::Hold);
    assert_eq!(sent, Intent::Send(Action::Stop { reason: "smell of smoke".into() }));
}

#[test]
fn only_letters_go_into_a_name() {
    let mut prompt = Prompt::Acknowledge(Alarm::LidOpen, String::new());
    let (control, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
    let stray =
        [('a', control), ('h', alt), ('x', control | alt), ('S', control | KeyModifiers::SHIFT)];
    for (letter, with) in stray {
        prompt.press(KeyEvent::new(KeyCode::Char(letter), with).into(), None, None);
    }
    for code in [KeyCode::Tab, KeyCode::Left, KeyCode::F(1), KeyCode::Char('\u{7}')] {
        prompt.press(KeyEvent::new(code, KeyModifiers::NONE).into(), None, None);
    }
    assert_eq!(prompt, Prompt::Acknowledge(Alarm::LidOpen, String::new()));
    for (letter, with) in [('L', KeyModifiers::SHIFT), ('ł', control | alt)] {
        prompt.press(KeyEvent::new(KeyCode::Char(letter), with).into(), None, None);
    }
    // A scanner ends with Enter.
    let sent = type_in(&mut prompt, " \n", PhaseName::Hold);
    let action = Action::Acknowledge { alarm: Alarm::LidOpen, by: "Lł".into() };
    assert_eq!(sent, Intent::Send(action));
}

#[test]
fn an_alarm_is_acknowledged_by_a_name_and_not_without_one() {
    let mut prompt = Prompt::Idle;
    for nothing in ["a\n", "  \n"] {
        let said = type_in(&mut prompt, nothing, PhaseName::Hold);
        assert!(matches!(said, Intent::Say(Some(word)) if word.contains("your name")), "{said:?}");
    }
    assert_eq!(prompt, Prompt::Acknowledge(Alarm::LidOpen, String::new()));
    let sent = type_in(&mut prompt, "Ann B.\n", PhaseName::Hold);
    let action = Action::Acknowledge { alarm: Alarm::LidOpen, by: "Ann B.".into() };
    assert_eq!(sent, Intent::Send(action));
    let key = Key::Letter('a');
    let said = prompt.press(key, Some(PhaseName::Hold), None);
    assert_eq!(said, Intent::Say(Some("No alarm waits to be acknowledged.")));
}

#[test]
fn heat_comes_back_after_an_interruption_by_two_keys() {
    let mut prompt = Prompt::Idle;
    let sent = type_in(&mut prompt, "hy", PhaseName::ComeUp);
    assert_eq!(sent, Intent::Send(Action::ConfirmHeat));
    let nothing = type_in(&mut prompt, "hn", PhaseName::ComeUp);
    assert_eq!(nothing, Intent::Say(Some("Nothing was done.")));
}

#[test]
fn leaving_a_running_batch_takes_a_yes_and_a_finished_one_none() {
    let mut prompt = Prompt::Idle;
    assert_eq!(type_in(&mut prompt, "q", PhaseName::Hold), Intent::Say(None));
    assert_eq!(type_in(&mut prompt, "y", PhaseName::Hold), Intent::Leave);
    assert_eq!(type_in(&mut Prompt::Idle, "q", PhaseName::Finished), Intent::Leave);
}

#[test]
fn ctrl_c_is_heard_in_every_question() {
    for letter in ['c', '\\', '4'] {
        let pressed = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let mut prompt = Prompt::StopReason("because".into());
        assert_eq!(prompt.press(pressed.into(), Some(PhaseName::Hold), None), Intent::Leave);
    }
}

#[test]
fn a_question_that_the_phase_has_overtaken_goes_away() {
    let mut prompt = Prompt::BottlesSure(Way::In, 48);
    prompt.settle(PhaseName::Load);
    assert_eq!(prompt, Prompt::BottlesSure(Way::In, 48));
    prompt.settle(PhaseName::Aborted);
    assert_eq!(prompt, Prompt::Idle);
}

/// Nothing stands there that one could press through: the number that came out is typed.
#[test]
fn bottles_that_come_out_are_counted_and_the_number_is_typed() {
    let mut prompt = Prompt::Idle;
    assert_eq!(type_in(&mut prompt, "u\n", PhaseName::Unload), Intent::Say(Some(COUNT_THEM)));
    assert_eq!(prompt, Prompt::Bottles(Way::Out, String::new()));
    for nothing in ["\n", "0\n", "y", "yy\n"] {
        assert!(!matches!(type_in(&mut prompt, nothing, PhaseName::Unload), Intent::Send(_)));
    }
    type_in(&mut prompt, "47\n", PhaseName::Unload);
    assert_eq!(prompt, Prompt::BottlesSure(Way::Out, 47));
    let sent = type_in(&mut prompt, "y", PhaseName::Unload);
    assert_eq!(sent, Intent::Send(Action::ConfirmUnload { bottles: 47 }));
    for (keys, way) in [("u7312345678901\n", "press u"), ("b7312345678901\n", "press b")] {
        let phase = if way == "press u" { PhaseName::Unload } else { PhaseName::Load };
        let mut said = Vec::new();
        for c in keys.chars() {
            said.push(type_in(&mut prompt, &c.to_string(), phase));
        }
        let told =
            |intent: &Intent| matches!(intent, Intent::Say(Some(word)) if word.contains(way));
        assert_eq!(said.iter().filter(|intent| told(intent)).count(), 1, "{keys:?}");
    }
    for (way, fits, not) in [
        (Way::Out, PhaseName::Unload, PhaseName::Load),
        (Way::In, PhaseName::Load, PhaseName::Unload),
    ] {
        let mut prompt = Prompt::Bottles(way, "4".into());
        prompt.settle(fits);
        assert_eq!(prompt, Prompt::Bottles(way, "4".into()));
        prompt.settle(not);
        assert_eq!(prompt, Prompt::Idle);
    }
}
