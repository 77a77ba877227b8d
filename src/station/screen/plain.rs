//! The plain lines, for where no person sits at a terminal: what happened, when it happened, and
//! one line of state for each minute of batch time. Times are since the batch began, `h:mm:ss`.

use std::io::{self, Write};
use std::thread;

use holder_hal::{Celsius, MILK_PROBES_MAX, Tick};
use ratatui::symbols::Marker;
use tokio::sync::mpsc;

use super::Ended;
use super::advice;
use super::state::{ScreenState, coldest};
use crate::batch::event::{Action, Entry, Event};
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;
use crate::batch::words;
use crate::station::view::{Shown, View};

/// Writes lines until no more views come. If the lines cannot be written, the views are taken in
/// silence, so that a closed pipe never holds up a batch; the error is told at the end.
pub(super) fn show(
    mut views: mpsc::Receiver<View>,
    mut to: impl Write,
    actions: &mpsc::Sender<Action>,
) -> io::Result<Ended> {
    let mut lines = Lines::default();
    let mut outcome = Ok(Ended::Closed);
    let mut listener = None;
    let mut was_asked = false;
    while let Some(view) = views.blocking_recv() {
        // A program may stand still again after heat was confirmed.
        if view.heat_waits && !was_asked {
            ask_for_heat(&mut to, &mut listener, actions.clone());
        }
        was_asked = view.heat_waits;
        if outcome.is_ok()
            && let Err(error) = lines.write(view, &mut to)
        {
            outcome = Err(error);
        }
    }
    outcome
}

/// Asks on the lines, and waits for the answer on standard input in a thread of its own: it may
/// never come, and then heat stays off. One that still waits hears this answer, too.
fn ask_for_heat(
    to: &mut impl Write,
    listener: &mut Option<thread::JoinHandle<()>>,
    actions: mpsc::Sender<Action>,
) {
    let said = writeln!(to, "{} Then type yes and press Enter.", advice::HEAT_WAITS);
    let listen = move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        let is_yes = |line: &String| line.trim().eq_ignore_ascii_case("yes");
        if lines.into_iter().any(|line| is_yes(&line)) {
            // The batch may be over by now.
            let _ = actions.blocking_send(Action::ConfirmHeat);
        }
    };
    let is_heard = listener.as_ref().is_some_and(|listener| !listener.is_finished());
    if said.is_ok() && !is_heard {
        forget_what_was_typed();
        // Without a thread nobody can answer: heat stays off.
        *listener = thread::Builder::new().name("answer".into()).spawn(listen).ok();
    }
}

/// What was typed before the question could be seen is no answer to it; at a pipe nobody types.
#[cfg(unix)]
fn forget_what_was_typed() {
    // What is no terminal keeps nothing that could be forgotten.
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
}

#[cfg(not(unix))]
fn forget_what_was_typed() {}

/// What the lines need to remember.
#[derive(Default)]
struct Lines {
    state: Option<ScreenState>,
    minute: u64,
    /// The last message, and when it was written.
    said: Option<(String, Tick)>,
}

/// A message that stands is written again after this long, milliseconds of batch time.
const SAID_EVERY_MS: u64 = 60_000;

impl Lines {
    fn write(&mut self, view: View, to: &mut impl Write) -> io::Result<()> {
        let is_first = self.state.is_none();
        let state = self.state.get_or_insert_with(|| ScreenState::new(Marker::default()));
        let news = view.news.clone();
        state.take(view);
        let Some(view) = &state.view else { return Ok(()) };
        if is_first {
            let simulated = if view.simulated { "SIMULATED, " } else { "" };
            let water = if view.purpose == Purpose::Water { "WATER, " } else { "" };
            let (batch, unit, recipe) = (&view.batch, &view.unit, &view.recipe);
            writeln!(to, "{simulated}{water}batch {batch}, unit {unit}, recipe {recipe}")?;
        }
        let entered = |entry: &Entry| matches!(entry.event, Event::Entered { .. });
        let newest = news.iter().rposition(entered);
        for (index, entry) in news.iter().enumerate() {
            writeln!(to, "{}  {}", clock(state, entry.at), happened(entry))?;
            if newest == Some(index) {
                writeln!(to, "         next: {}", advice::next(state, view))?;
            }
        }
        if let Some(message) = &view.message {
            let is_said = self
                .said
                .as_ref()
                .is_some_and(|(said, at)| said == message && view.at.ms_since(*at) < SAID_EVERY_MS);
            if !is_said {
                self.said = Some((message.clone(), view.at));
                writeln!(to, "{}  {message}", clock(state, view.at))?;
            }
        }
        let minute = state.elapsed_ms(view.at) / 60_000;
        if minute > self.minute {
            self.minute = minute;
            writeln!(to, "{}  {}", clock(state, view.at), status(view))?;
        }
        to.flush()
    }
}

fn clock(state: &ScreenState, at: Tick) -> String {
    words::elapsed(state.elapsed_ms(at))
}

fn happened(entry: &Entry) -> String {
    let what = words::describe(entry);
    match &entry.event {
        Event::Entered { phase, .. } => format!("{}: {what}", phase.word().to_uppercase()),
        Event::Raised { .. }
        | Event::Cleared { .. }
        | Event::Acknowledged { .. }
        | Event::Failed { .. }
        | Event::AboveCeiling { .. }
        | Event::Resumed { .. }
        | Event::HeatConfirmed
        | Event::CountDiffers { .. } => what,
    }
}

/// The state of one moment in one line.
fn status(view: &View) -> String {
    let time = match view.held_ms {
        Some(held) => format!(
            ": {} of {}",
            words::duration(held.min(view.hold_ms)),
            words::duration(view.hold_ms)
        ),
        None => format!(": {}", words::duration(view.at.ms_since(view.phase_since))),
    };
    let mut parts = vec![format!("{}{time}", view.phase), format!("bath {}", value(view.bath))];
    if view.phase == PhaseName::Cool {
        parts.insert(1, format!("to {} °C", degrees(view.cooling_target)));
    }
    let probes = view.milk.iter().take(MILK_PROBES_MAX).flatten().enumerate();
    parts.extend(probes.map(|(index, probe)| format!("milk {} {}", index + 1, value(*probe))));
    parts.extend(view.reference.map(|probe| format!("reference {}", value(probe))));
    if coldest(view).is_none() {
        parts.push("coldest milk not known".to_owned());
    }
    parts.push(advice::machine(view).replace(" · ", ", "));
    parts.extend(view.alarms.iter().map(|seen| format!("ALARM {}", seen.alarm.number())));
    parts.join(", ")
}

/// A value as it is read, with what is wrong with it.
fn value(shown: Shown) -> String {
    let fault = advice::quality(shown.quality);
    match (shown.value.map(degrees), fault.is_empty()) {
        (Some(number), true) => format!("{number} °C"),
        (Some(number), false) => format!("{fault} ({number} °C)"),
        (None, true) => "no value".to_owned(),
        (None, false) => fault.to_owned(),
    }
}

/// Hundredths of a degree, rounded down, so that a value below a limit never looks like it.
pub(super) fn degrees(value: Celsius) -> String {
    format!("{:.2}", Celsius::from_milli(value.milli().div_euclid(10) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::station::screen::rehearsal::Rehearsal;

    fn whole_batch() -> Vec<View> {
        let mut views = Vec::new();
        Rehearsal::new().until(PhaseName::Finished, 0, &mut |view| views.push(view));
        views
    }

    fn sent(views: Vec<View>) -> (mpsc::Receiver<View>, thread::JoinHandle<bool>) {
        let (to, from) = mpsc::channel(4);
        let sender =
            thread::spawn(move || views.into_iter().all(|view| to.blocking_send(view).is_ok()));
        (from, sender)
    }

    #[test]
    fn a_whole_batch_reads_like_a_log_with_one_line_of_state_for_each_minute() {
        let views = whole_batch();
        let last = views.last().unwrap().at;
        let minutes = last.ms_since(views[0].at) / 60_000;
        let (from, _sender) = sent(views);
        let mut written = Vec::new();
        assert_eq!(show(from, &mut written, &nobody()).unwrap(), Ended::Closed);
        let written = String::from_utf8(written).unwrap();
        let (state, events): (Vec<&str>, Vec<&str>) =
            written.lines().partition(|line| line.contains("Agitator"));
        assert_eq!(state.len() as u64, minutes);
        insta::assert_snapshot!("events", events.join("\n"));
        insta::assert_snapshot!("state", [state[0], state[50], state[85]].join("\n"));
    }

    fn written(views: Vec<View>) -> String {
        let (from, _sender) = sent(views);
        let mut written = Vec::new();
        show(from, &mut written, &nobody()).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn lines_name_no_key_since_there_is_none() {
        let said = written(whole_batch());
        assert!(said.contains("Put in the bottles") && said.contains("Take the bottles out"));
        assert!(!said.contains("press"), "{said}");
    }

    #[test]
    fn a_message_that_stands_is_said_once_and_again_each_minute() {
        let mut rehearsal = Rehearsal::new();
        let mut views: Vec<View> = (0..150).map(|_| rehearsal.second()).collect();
        let said = "ATTENTION: switch the heater off at the machine";
        for view in &mut views {
            view.message = Some(said.to_owned());
        }
        views[149].message = Some("commands arrive again".to_owned());
        let lines = written(views);
        assert_eq!(lines.matches(said).count(), 3, "at 0:00, 1:00 and 2:00: {lines}");
        assert!(lines.contains("commands arrive again"), "{lines}");
    }

    #[test]
    fn heat_that_waits_again_is_asked_for_again() {
        let mut rehearsal = Rehearsal::new();
        let mut views: Vec<View> = (0..40).map(|_| rehearsal.second()).collect();
        for index in (10..20).chain(30..40) {
            views[index].heat_waits = true;
        }
        let said = written(views);
        assert_eq!(said.matches("Then type yes").count(), 2, "{said}");
    }

    fn nobody() -> mpsc::Sender<Action> {
        mpsc::channel(1).0
    }

    struct ClosedPipe;

    impl Write for ClosedPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_takes_every_view_in_silence_and_tells_at_the_end() {
        let (from, sender) = sent(whole_batch());
        let error = show(from, ClosedPipe, &nobody()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(sender.join().unwrap(), "the batch would have been held up");
    }
}
