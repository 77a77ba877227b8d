//! The live screen's thread: takes views, draws them, reads keys, sends actions. The terminal is
//! restored whenever the thread leaves this file, by whatever way.

use std::io::{self, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyEvent};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::keys::{Intent, Key};
use super::state::ScreenState;
use super::{Ended, advice, draw};
use crate::batch::alarm::waiting;
use crate::batch::event::Action;
use crate::station::view::View;

/// How long one look at the keyboard takes at most.
const POLL: Duration = Duration::from_millis(50);
/// No key for so long (real time), and what comes next is meant for the question.
const SETTLED: Duration = Duration::from_millis(120);
/// A key that is stuck does not keep the screen from going on.
const FORGOTTEN_MAX: u32 = 16;
/// So many looks without a view, and what is shown is old: 5 s, more than two control periods.
const SILENT_POLLS: u32 = 100;

/// Shows views until no more come, the person leaves, or `stop` is set. If the terminal fails,
/// the views are taken in silence and the error is told at the end.
pub(super) fn show(
    mut views: mpsc::Receiver<View>,
    actions: &mpsc::Sender<Action>,
    stop: &AtomicBool,
) -> io::Result<Ended> {
    let shown = Screen::open().and_then(|mut screen| {
        let ended = screen.run(&mut views, actions, stop)?;
        Ok((ended, screen.last_word(ended)))
    });
    match shown {
        Ok((ended, last_word)) => {
            // The terminal is given back: what was on the screen is gone.
            last_word.map_or(Ok(()), |todo| writeln!(io::stderr(), "next: {todo}"))?;
            Ok(ended)
        }
        Err(lost) => {
            while views.blocking_recv().is_some() {}
            Err(lost)
        }
    }
}

/// The terminal while it is ours.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    state: ScreenState,
    polls_without_view: u32,
    /// Last, so that it is dropped last.
    _restore: Restore,
}

impl Screen {
    fn open() -> io::Result<Self> {
        let restore = Restore;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let term = std::env::var("TERM").unwrap_or_default();
        let state = ScreenState::new(draw::marker(&term));
        Ok(Self { terminal, state, polls_without_view: 0, _restore: restore })
    }

    fn run(
        &mut self,
        views: &mut mpsc::Receiver<View>,
        actions: &mpsc::Sender<Action>,
        stop: &AtomicBool,
    ) -> io::Result<Ended> {
        let mut is_open = true;
        while is_open && !stop.load(Ordering::Relaxed) {
            is_open = self.take_views(views)?;
            let state = &self.state;
            self.terminal.draw(|frame| draw::draw(frame, state))?;
            if !event::poll(POLL)? {
                self.polls_without_view = self.polls_without_view.saturating_add(1);
                self.state.silent = self.polls_without_view >= SILENT_POLLS;
                continue;
            }
            if let Event::Key(key) = event::read()?
                && self.press(key, actions)?
            {
                return Ok(Ended::Left);
            }
        }
        Ok(Ended::Closed)
    }

    /// What a person has to do who can read the screen no more.
    fn last_word(&self, ended: Ended) -> Option<&'static str> {
        let view = self.state.view.as_ref()?;
        advice::afterwards(&self.state, view, ended == Ended::Left)
    }

    /// Takes every view that waits; false if no more will come.
    fn take_views(&mut self, views: &mut mpsc::Receiver<View>) -> io::Result<bool> {
        let mut sound = false;
        let is_open = loop {
            match views.try_recv() {
                Ok(view) => {
                    sound |= self.state.take(view);
                    self.polls_without_view = 0;
                }
                Err(TryRecvError::Empty) => break true,
                Err(TryRecvError::Disconnected) => break false,
            }
        };
        if sound {
            io::stdout().write_all(b"\x07")?;
            io::stdout().flush()?;
        }
        Ok(is_open)
    }

    /// Follows one key; true if the person leaves.
    fn press(&mut self, key: KeyEvent, actions: &mpsc::Sender<Action>) -> io::Result<bool> {
        let phase = self.state.view.as_ref().map(|view| view.phase);
        let alarm = self.state.view.as_ref().and_then(|view| waiting(&view.alarms));
        let took_text = self.state.prompt.takes_text();
        match self.state.prompt.press(key.into(), phase, alarm) {
            Intent::Leave => return Ok(true),
            Intent::Repaint => self.terminal.clear()?,
            Intent::Say(word) => self.state.note = word.map(str::to_owned),
            Intent::Send(action) => {
                let said = match actions.try_send(action) {
                    Ok(()) => "Sent to the batch.",
                    Err(_) => "NOT SENT: the controller takes nothing now. Try again.",
                };
                self.state.note = Some(said.to_owned());
            }
        }
        if self.state.prompt.takes_text() && !took_text { forget_keys() } else { Ok(false) }
    }
}

/// What was typed before a question for a text could be seen is no part of its answer: whoever
/// pressed a twice has no name that begins so. A person, or a scanner in a hand, takes longer. True if
/// one of the keys is that by which a person leaves.
fn forget_keys() -> io::Result<bool> {
    for _ in 0..FORGOTTEN_MAX {
        if !event::poll(SETTLED)? {
            break;
        }
        if let Event::Key(key) = event::read()?
            && Key::from(key) == Key::Interrupt
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives the terminal back, also if taking it fails half-way.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that does not answer any more.
        let _ = disable_raw_mode();
        let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    }
}
