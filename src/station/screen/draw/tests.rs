//! The screen as pictures: every phase at two sizes, and what must never be missing from it.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::*;
use crate::batch::event::{Action, Alarm};
use crate::station::screen::keys::{Prompt, Way};
use crate::station::screen::rehearsal::Rehearsal;

/// A batch that has been in `phase` for `seconds`.
fn batch(phase: PhaseName, seconds: u64) -> (Rehearsal, ScreenState) {
    let (mut rehearsal, mut state) = (Rehearsal::new(), ScreenState::new(Marker::Braille));
    rehearsal.until(phase, seconds, &mut |view| {
        state.take(view);
    });
    (rehearsal, state)
}

/// Every sentence that a run of this purpose shows, one hold of which is broken.
fn told(purpose: Purpose, breaks: u32) -> String {
    let (mut rehearsal, mut state) = (Rehearsal::of(purpose), ScreenState::new(Marker::Braille));
    let mut told = String::new();
    let mut see = |state: &mut ScreenState, view: View| {
        state.take(view);
        told += &text(&picture(state, 80, 24));
    };
    for _ in 0..breaks {
        rehearsal.until(PhaseName::Hold, 5, &mut |view| {
            state.take(view);
        });
        rehearsal.lid_closed = false;
        see(&mut state, rehearsal.second());
        rehearsal.lid_closed = true;
        see(&mut state, rehearsal.second());
    }
    for phase in [PhaseName::Cool, PhaseName::Unload, PhaseName::Finished] {
        rehearsal.until(phase, 0, &mut |view| {
            state.take(view);
        });
        let view = rehearsal.second();
        see(&mut state, view);
    }
    told
}

fn picture(state: &ScreenState, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let mut lines = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        lines.push_str(row.trim_end());
        lines.push('\n');
    }
    lines
}

fn snapshot(name: &str, state: &ScreenState) {
    for (columns, rows) in [(80, 24), (120, 40)] {
        let picture = text(&picture(state, columns, rows));
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), picture);
    }
}

#[test]
fn preheat_looks_like_this() {
    snapshot("preheat", &batch(PhaseName::Preheat, 600).1);
}

#[test]
fn loading_looks_like_this() {
    snapshot("load", &batch(PhaseName::Load, 45).1);
}

#[test]
fn loading_with_the_second_step_of_the_question_looks_like_this() {
    let mut state = batch(PhaseName::Load, 45).1;
    state.prompt = Prompt::BottlesSure(Way::In, 48);
    snapshot("load_sure", &state);
}

#[test]
fn come_up_looks_like_this() {
    snapshot("come_up", &batch(PhaseName::ComeUp, 900).1);
}

#[test]
fn the_hold_looks_like_this() {
    snapshot("hold", &batch(PhaseName::Hold, 754).1);
}

#[test]
fn cooling_looks_like_this() {
    snapshot("cool", &batch(PhaseName::Cool, 300).1);
}

#[test]
fn the_end_looks_like_this() {
    snapshot("finished", &batch(PhaseName::Finished, 0).1);
}

/// A hold in which a probe came off and the lid was opened.
fn in_alarm() -> ScreenState {
    let (mut rehearsal, mut state) = batch(PhaseName::Hold, 600);
    rehearsal.unplugged = Some(1);
    rehearsal.lid_closed = false;
    for _ in 0..5 {
        state.take(rehearsal.second());
    }
    state
}

#[test]
fn an_alarm_looks_like_this() {
    let state = in_alarm();
    let seen = state.view.as_ref().unwrap().alarms.iter();
    let standing: Vec<Alarm> = seen.map(|seen| seen.alarm).collect();
    assert_eq!(standing, [Alarm::MilkProbeLost, Alarm::LidOpen]);
    snapshot("alarm", &state);
}

/// The probe is back, the lid is closed, and the heater heats again.
#[test]
fn an_alarm_that_is_over_does_not_say_that_the_heat_is_off() {
    let (mut rehearsal, mut state) = batch(PhaseName::ComeUp, 600);
    rehearsal.unplugged = Some(1);
    for _ in 0..5 {
        state.take(rehearsal.second());
    }
    let shown = text(&picture(&state, 80, 24));
    assert!(shown.contains("ALARM 202: a milk probe is lost; heat is commanded off"), "{shown}");
    assert!(shown.contains("Heater OFF"), "{shown}");
    rehearsal.unplugged = None;
    for _ in 0..5 {
        state.take(rehearsal.second());
    }
    let shown = text(&picture(&state, 80, 24));
    assert!(shown.contains("ALARM 202: a milk probe is lost: that is over"), "{shown}");
    assert!(shown.contains("Heater on"), "{shown}");
    let banner = shown.split("what happened").next().unwrap();
    assert!(!banner.contains("commanded off"), "{shown}");
}

#[test]
fn a_machine_that_does_not_confirm_is_not_said_to_be_off() {
    let (mut rehearsal, mut state) = batch(PhaseName::Hold, 60);
    rehearsal.confirmed = false;
    rehearsal.unplugged = Some(0);
    let mut view = rehearsal.second();
    view.message = Some(
        "ATTENTION: switch the heater off at the machine; it does not confirm that the heat is \
         off. (a command did not arrive: controller (tcp://192.168.1.20:502, unit id 1), \
         instrument_mode: no answer within 333 ms. Check the unit id, the wiring, speed and parity, \
         and that no other program talks to it)"
            .to_owned(),
    );
    state.take(view);
    for (columns, rows) in [(120, 40), (80, 24), (80, 12), (60, 15), (40, 12)] {
        let shown = text(&picture(&state, columns, rows));
        let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let all_of_it = "ATTENTION: switch the heater off at the machine;";
        assert!(flat.contains(all_of_it), "{columns}x{rows}:\n{shown}");
        let is_told = flat.contains("NOT CONFIRMED by the machine, only told: Heater");
        assert!(is_told || rows < 14, "{columns}x{rows}:\n{shown}");
    }
    let shown = text(&picture(&state, 80, 24));
    assert!(shown.contains("it does not confirm that the\nheat is off."), "{shown}");
}

#[test]
fn an_alarm_is_told_by_word_and_reverse_video_at_every_size() {
    let state = in_alarm();
    for (columns, rows) in [(200, 60), (120, 40), (80, 24), (80, 12), (60, 15), (40, 10)] {
        let buffer = picture(&state, columns, rows);
        let y = text(&buffer).lines().position(|line| line.starts_with("ALARM 202"));
        let y = u16::try_from(y.unwrap_or_else(|| panic!("{columns}x{rows}"))).unwrap();
        for x in 0..columns {
            assert!(buffer[(x, y)].modifier.contains(Modifier::REVERSED), "{columns}x{rows}");
        }
    }
}

#[test]
fn no_size_of_the_terminal_breaks_the_picture() {
    let (_, calm) = batch(PhaseName::Hold, 60);
    let alarmed = in_alarm();
    for columns in (0..130).step_by(7).chain([1, 2]) {
        for rows in (0..45).step_by(4).chain([1, 2, 3]) {
            let area = picture(&calm, columns, rows).area;
            assert_eq!((area.width, area.height), (columns, rows));
            picture(&alarmed, columns, rows);
        }
    }
}

#[test]
fn phase_time_and_the_next_step_are_there_on_a_small_terminal() {
    let (_, state) = batch(PhaseName::Hold, 754);
    for (columns, rows) in [(80, 12), (50, 10), (40, 8)] {
        let shown = text(&picture(&state, columns, rows));
        for wanted in ["HOLD", "17:26", "left of 30 min 00 s", "Do not open", "bath"] {
            assert!(shown.contains(wanted), "{columns}x{rows} lacks {wanted}:\n{shown}");
        }
    }
}

#[test]
fn the_time_left_is_never_zero_while_the_hold_lasts() {
    let (_, state) = batch(PhaseName::Hold, 60);
    let mut view = state.view.clone().unwrap();
    for (held_ms, shown) in [(0, "30:00"), (1_799_001, "0:01"), (1_799_999, "0:01")] {
        view.held_ms = Some(held_ms);
        assert_eq!(time(&state, &view).0, shown);
    }
}

#[test]
fn the_coldest_milk_is_not_known_while_any_probe_cannot_be_trusted() {
    let shown = text(&picture(&in_alarm(), 80, 24));
    assert!(shown.contains("coldest milk not known"), "{shown}");
    assert!(shown.contains("sensor open"), "{shown}");
}

#[test]
fn eight_probes_in_alarm_leave_room_for_what_matters_of_them() {
    let mut state = in_alarm();
    let view = state.view.as_mut().unwrap();
    let (good, lost) = (view.milk[0], view.milk[1]);
    view.milk = [good, good, good, lost, good, good, good, good];
    let shown = text(&picture(&state, 80, 24));
    assert!(shown.contains("coldest milk not known"), "{shown}");
    assert!(shown.contains("--.--!"), "{shown}");
}

#[test]
fn a_batch_that_failed_says_so_until_its_end() {
    let (mut rehearsal, mut state) = batch(PhaseName::Hold, 600);
    for _ in 0..2 {
        rehearsal.lid_closed = false;
        state.take(rehearsal.second());
        rehearsal.lid_closed = true;
        let phase = state.view.as_ref().unwrap().phase;
        if phase == PhaseName::ComeUp {
            rehearsal.until(PhaseName::Hold, 5, &mut |view| {
                state.take(view);
            });
        }
    }
    rehearsal.until(PhaseName::Finished, 0, &mut |view| {
        state.take(view);
    });
    let shown = text(&picture(&state, 80, 24));
    assert!(shown.contains("THIS BATCH HAS FAILED"), "{shown}");
    assert!(shown.contains("keep them apart"), "{shown}");
}

#[test]
fn nobody_is_told_to_label_freeze_or_keep_water() {
    let milk = told(Purpose::Milk, 0) + &told(Purpose::Milk, 2);
    for words in ["quarantine", "keep them apart", "Tell QA", "cannot be released"] {
        assert!(milk.contains(words), "{words} is not said of milk either");
    }
    for breaks in [0, 2] {
        let water = told(Purpose::Water, breaks);
        for words in ["quarantine", "keep them apart", "Tell QA", "cannot be released"] {
            assert!(!water.contains(words), "{words} is said of water:\n{water}");
        }
        assert!(water.contains(" WATER "), "{water}");
        let last = if breaks == 0 { "Pour the water away" } else { "why the run failed" };
        assert!(water.contains(last), "{water}");
    }
}

#[test]
fn cooling_shows_where_it_ends() {
    let (_, state) = batch(PhaseName::Cool, 300);
    for (columns, rows) in [(80, 24), (80, 12)] {
        let shown = text(&picture(&state, columns, rows));
        assert!(shown.contains("cool to    10.00 °C"), "{columns}x{rows}:\n{shown}");
    }
}

/// Whatever is said, what the keys do is said beside it: a message stays for as long as nothing happens.
#[test]
fn the_keys_are_told_beside_every_message() {
    let mut state = in_alarm();
    let long = "ATTENTION: switch the heater off at the machine. ".repeat(9);
    for note in ["Nothing was done.", "Sent to the batch.", &long] {
        state.note = Some(note.to_owned());
        let shown = text(&picture(&state, 80, 24));
        let begins = note.get(..16).expect("long enough");
        assert!(shown.contains(begins) && shown.contains("a = acknowledge    s = stop"), "{shown}");
    }
}

/// The screen goes with the batch, and what to do with the bottles was on it.
#[test]
fn what_to_do_with_the_bottles_is_said_when_the_screen_is_gone() {
    let said = |phase, has_left| {
        let state = batch(phase, 0).1;
        let view = state.view.clone().expect("seen");
        advice::afterwards(&state, &view, has_left)
    };
    let label = "Label the bottles and freeze them in quarantine until QA has seen the record.";
    assert_eq!(said(PhaseName::Finished, false), Some(label));
    let cold = "Put any bottles into cold water now and keep them apart. Tell QA.";
    assert_eq!(said(PhaseName::Hold, true), Some(cold));
    assert_eq!(said(PhaseName::Preheat, true), None, "it is empty");
    assert_eq!(said(PhaseName::Hold, false), None, "a signal ended the program: it is open");
}

#[test]
fn a_stop_before_loading_sends_nobody_to_bottles_that_are_not_there() {
    let (mut rehearsal, mut state) = batch(PhaseName::Preheat, 60);
    state.take(rehearsal.act(Action::Stop { reason: "started by mistake".into() }));
    assert!(!state.may_hold_bottles());
    let (mut rehearsal, mut state) = batch(PhaseName::Load, 30);
    state.take(rehearsal.act(Action::Stop { reason: "smell of smoke".into() }));
    let shown = text(&picture(&state, 80, 24));
    assert!(shown.contains("[aborted]") && shown.contains("cold water"), "{shown}");
    assert!(state.may_hold_bottles());
}

#[test]
fn a_sound_is_made_for_alarms_and_for_calls_but_not_for_every_view() {
    let (mut rehearsal, mut state) = batch(PhaseName::Hold, 60);
    assert!(!state.take(rehearsal.second()));
    rehearsal.lid_closed = false;
    assert!(state.take(rehearsal.second()));
    assert!(!state.take(rehearsal.second()));
}

#[test]
fn old_figures_are_called_old() {
    let (_, mut state) = batch(PhaseName::Hold, 60);
    state.silent = true;
    assert!(text(&picture(&state, 80, 24)).contains("NO NEWS"));
}

/// The first number that differs is told with the load, and asked for again; more out than in fail.
#[test]
fn a_count_that_is_not_the_load_is_asked_for_again_in_plain_words() {
    let counted = |first: u16, again: u16| {
        let (mut rehearsal, mut state) = batch(PhaseName::Unload, 10);
        assert!(text(&picture(&state, 80, 24)).contains("count them. Then press u."));
        assert!(state.take(rehearsal.act(Action::ConfirmUnload { bottles: first })), "a sound");
        let asked = text(&picture(&state, 80, 24));
        state.take(rehearsal.second());
        let still = text(&picture(&state, 80, 24));
        state.take(rehearsal.act(Action::ConfirmUnload { bottles: again }));
        (asked, still, text(&picture(&state, 80, 24)))
    };
    let (asked, still, ended) = counted(50, 50);
    for word in ["You counted 50, and 48 went in", "and count again", "once more", "press u"] {
        assert!(asked.contains(word), "no {word} in {asked}");
    }
    assert!(still.contains("once more") && still.contains("You counted 50"), "{still}");
    for word in ["THIS BATCH HAS FAILED", "keep them apart", "[finished]"] {
        assert!(ended.contains(word), "no {word} in {ended}");
    }
    let (_, _, ended) = counted(47, 47);
    assert!(!ended.contains("FAILED") && ended.contains("freeze them in quarantine"), "{ended}");
}
