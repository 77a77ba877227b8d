//! The screen of a running batch: live on a terminal, or as plain lines.
//!
//! It shows [`View`]s and sends what a person does as [`Action`]s; it decides nothing. It runs on
//! a thread of its own, so that a slow or dead terminal never holds up the control loop, and a
//! screen that is lost never ends a batch: it goes on taking views until the channel closes.

mod advice;
mod big;
mod chart;
mod draw;
mod keys;
mod live;
mod panel;
mod plain;
#[cfg(test)]
mod rehearsal;
mod state;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::view::View;
use crate::batch::event::Action;
use crate::invocation;

/// How a batch is shown.
pub enum Mode {
    /// On the whole terminal, with keys.
    Live,
    /// As lines, for a log or a pipe; nothing can be entered but the `yes` to heat after an
    /// interruption.
    Plain(Box<dyn Write + Send>),
}

impl Mode {
    /// Live if a person sits at both ends and the terminal is ours, else plain lines to standard
    /// error, where they do not get between a program and its results.
    pub fn for_this_terminal() -> Self {
        if io::stdin().is_terminal() && io::stdout().is_terminal() && is_in_foreground() {
            Self::Live
        } else {
            Self::Plain(Box::new(io::stderr()))
        }
    }
}

/// Whether the terminal is ours. In the background (`holder run … &`) it belongs to the shell and to
/// the person who types there: a screen would write over both, and read keys that were not for it
/// (tcgetpgrp(3)). One that controls no session belongs to nobody else.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let ours = rustix::process::getpgrp();
    !rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group != ours)
}

#[cfg(not(unix))]
fn is_in_foreground() -> bool {
    true
}

/// Why the screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No more views come.
    Closed,
    /// The person left, by `q` and `y` or by Ctrl-C: treat it like a signal to stop.
    Left,
}

/// Why the screen could not go on. The batch did.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The terminal or the file behind the lines failed.
    #[error(
        "the screen was lost ({0}); the batch went on without it: see `{list}`",
        list = invocation::command("batch list")
    )]
    Lost(io::Error),
    /// The screen's thread ended by a bug.
    #[error(
        "the screen ended by a bug; the batch went on without it: see `{list}`",
        list = invocation::command("batch list")
    )]
    Died,
}

/// Shows every view until the channel closes or the person leaves; the terminal is restored
/// whatever happens, also if this future is dropped.
///
/// Entries are shown once each, so views come through a channel that keeps them all. A capacity
/// of 1024 lets a fast simulation run freely; a real loop uses `try_send` and never waits.
///
/// # Errors
/// The screen failed. It is told only when the channel has closed, so that an error here never
/// stands for the end of a batch.
pub async fn run(
    views: mpsc::Receiver<View>,
    actions: mpsc::Sender<Action>,
    mode: Mode,
) -> Result<Ended, ScreenError> {
    let (tell, told) = oneshot::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let (running, ended) = std::sync::mpsc::channel::<()>();
    let _guard = matches!(mode, Mode::Live).then(|| StopOnDrop { stop: Arc::clone(&stop), ended });
    let show = move || {
        let outcome = match mode {
            Mode::Live => live::show(views, &actions, &stop),
            Mode::Plain(to) => plain::show(views, to, &actions),
        };
        // Nobody listens any more if the future was dropped.
        let _ = tell.send(outcome);
        drop(running);
    };
    thread::Builder::new().name("screen".into()).spawn(show).map_err(ScreenError::Lost)?;
    match told.await {
        Ok(outcome) => outcome.map_err(ScreenError::Lost),
        Err(_) => Err(ScreenError::Died),
    }
}

/// Ends the screen's thread and waits until it has restored the terminal, but not for ever.
struct StopOnDrop {
    stop: Arc<AtomicBool>,
    ended: std::sync::mpsc::Receiver<()>,
}

impl StopOnDrop {
    /// Several polls of the keyboard.
    const PATIENCE: Duration = Duration::from_millis(400);
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Both answers mean the same here: the thread is gone, or the terminal hangs.
        let _ = self.ended.recv_timeout(Self::PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::phase::PhaseName;

    #[tokio::test]
    async fn plain_lines_end_when_no_more_views_come() {
        let (to, views) = mpsc::channel(4);
        let (actions, _kept) = mpsc::channel(4);
        let running = tokio::spawn(run(views, actions, Mode::Plain(Box::new(io::sink()))));
        let mut views = Vec::new();
        rehearsal::Rehearsal::new().until(PhaseName::Load, 1, &mut |view| views.push(view));
        for view in views {
            to.send(view).await.unwrap();
        }
        drop(to);
        assert_eq!(running.await.unwrap().unwrap(), Ended::Closed);
    }
}
