//! Owns the machine and the loop's task: however the task ends (return, error, panic, signal),
//! the machine is made safe.

use std::time::Duration;

use holder_hal::{Command, Heat, Machine};

use super::control_loop::{ControlLoop, LastCommand, SharedMachine, safe_command};
use super::recorder::{RecordError, Recorder};
use crate::batch::engine::Engine;
use crate::batch::phase::PhaseName;
use crate::store::model::{BatchHeader, Closing};

mod signals;

pub(super) use signals::Signals;

/// The safe state must have arrived after this long (real time), or a person must act.
const SAFE_WITHIN: Duration = Duration::from_secs(5);

/// Between two attempts (real time): a machine that was just switched on again gets a breath.
const SAFE_PAUSE: Duration = Duration::from_millis(200);

/// Work that is told to end has done so after this long (real time): at its next await.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// Ctrl-C: a person at the keyboard gives the batch up.
pub(super) const CTRL_C: &str = "Ctrl-C";
/// The same by the keys of the screen.
pub(super) const LEFT: &str = "the person at the screen";

/// Ends a program politely: a person does so from another terminal, and the system before it goes down.
pub(super) const SIGTERM: &str = "SIGTERM";

/// Whether a person who is there told the program to stop, at the keyboard or on the screen.
pub(super) fn is_told_by_person(by: &str) -> bool {
    [CTRL_C, LEFT].contains(&by)
}

/// How the loop of a batch ended.
#[derive(Debug)]
pub enum Ending {
    /// The batch came to its end.
    Over(Box<Engine>),
    /// The program was told to stop.
    Interrupted(&'static str),
    /// It was told to stop, or the batch was given up; but by its record the batch had come to its end in
    /// this phase.
    WasOver(PhaseName),
    /// The record could not be kept.
    RecordLost(RecordError),
    /// A defect in our own code.
    Panicked(String),
}

impl Ending {
    /// Whether the batch is over, or a person gave it up: then its record is closed. Whatever else
    /// ended the loop, the batch stays open, and a person decides.
    pub fn closes(&self) -> bool {
        match self {
            Self::Over(_) | Self::WasOver(_) => true,
            Self::Interrupted(by) => is_told_by_person(by),
            Self::RecordLost(_) | Self::Panicked(_) => false,
        }
    }

    /// Whether the batch is known to have come to its end.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Over(_) | Self::WasOver(_) => true,
            Self::Interrupted(_) | Self::RecordLost(_) | Self::Panicked(_) => false,
        }
    }

    /// Who told the program to stop, if somebody did.
    pub(super) fn told_by(&self) -> Option<&'static str> {
        match self {
            Self::Interrupted(by) => Some(by),
            Self::Over(_) | Self::WasOver(_) | Self::RecordLost(_) | Self::Panicked(_) => None,
        }
    }

    /// Whether a damaged file ended it.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::RecordLost(error) => error.is_damage(),
            Self::Over(_) | Self::Interrupted(_) | Self::WasOver(_) | Self::Panicked(_) => false,
        }
    }

    /// How it ended, after the batch's code: `was interrupted by SIGTERM`.
    pub fn words(&self) -> String {
        match self {
            Self::Over(engine) => format!("ended in phase {}", engine.phase()),
            Self::Interrupted(by) => format!("was interrupted by {by}"),
            Self::WasOver(phase) => format!("was over by then: it had ended in phase {phase}"),
            Self::RecordLost(error) => format!("was stopped: {error}"),
            Self::Panicked(error) => format!("was stopped by a defect of holder: {error}"),
        }
    }

    /// The same, once its record was closed with this first page.
    pub(super) fn closed_with(self, header: &BatchHeader) -> Self {
        match self {
            Self::Interrupted(_) if header.closing == Some(Closing::Ended) => {
                Self::WasOver(header.phase)
            }
            Self::Interrupted(_)
            | Self::Over(_)
            | Self::WasOver(_)
            | Self::RecordLost(_)
            | Self::Panicked(_) => self,
        }
    }
}

/// A loop's end, and whether the machine is known to be safe.
pub struct Outcome {
    /// How the loop ended.
    pub ending: Ending,
    /// The record of a batch that came to its end; its last steps may still wait for the disk.
    pub recorder: Option<Recorder>,
    /// The safe state in which the machine was to be left.
    pub safe: Command,
    /// Why it is not proved; `None` if it was written and read back.
    pub unsafe_because: Option<String>,
}

/// What guarded work came to.
#[derive(Debug)]
pub(super) struct Guard<T> {
    /// How it ended.
    pub(super) ended: Guarded<T>,
    /// The safe state in which the machine was to be left.
    pub(super) safe: Command,
    /// Why that is not proved; `None` if it was written and read back.
    pub(super) unsafe_because: Option<String>,
}

/// How guarded work ended.
#[derive(Debug)]
pub(super) enum Guarded<T> {
    /// By itself.
    Ended(T),
    /// The program was told to stop, by this.
    Told(&'static str),
    /// A defect in our own code.
    Panicked(String),
}

impl<T> Guarded<T> {
    /// Who told the program to stop, if somebody did.
    pub(super) fn told_by(&self) -> Option<&'static str> {
        match self {
            Self::Told(by) => Some(by),
            Self::Ended(_) | Self::Panicked(_) => None,
        }
    }
}

/// Does work on a machine in a task of its own, and makes the machine safe however it ends: by
/// itself, by a panic, or because `told_to_stop` completes. `leave` gives the safe state to leave it
/// in, from how the work ended by itself and the last command.
pub(super) async fn guard<M: Machine + Send + 'static, T: Send + 'static>(
    machine: SharedMachine<M>,
    last_command: LastCommand,
    work: impl Future<Output = T> + Send + 'static,
    told_to_stop: impl Future<Output = &'static str>,
    leave: impl FnOnce(Option<&T>, Command) -> Command,
) -> Guard<T> {
    let mut task = tokio::spawn(work);
    let ended = tokio::select! {
        joined = &mut task => match joined {
            Ok(ended) => Guarded::Ended(ended),
            Err(error) => Guarded::Panicked(error.to_string()),
        },
        signal = told_to_stop => {
            task.abort();
            // The task is gone before anybody else speaks to the machine, unless a defect of ours keeps
            // it from hearing that. It may have just ended by itself: then that is how it ended.
            match tokio::time::timeout(GONE_WITHIN, task).await {
                Ok(Ok(ended)) => Guarded::Ended(ended),
                Ok(Err(_)) | Err(_) => Guarded::Told(signal),
            }
        }
    };
    let by_itself = match &ended {
        Guarded::Ended(ended) => Some(ended),
        Guarded::Told(_) | Guarded::Panicked(_) => None,
    };
    let last = *last_command.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let safe = Command { heat: Heat::Off, ..leave(by_itself, last) };
    let unsafe_because = make_safe(&machine, safe, SAFE_WITHIN, SAFE_PAUSE).await;
    Guard { ended, safe, unsafe_because }
}

/// Runs a batch to its end, or to safety once `told_to_stop` completes, with who told.
pub async fn supervise<M: Machine + Send + 'static>(
    unit: ControlLoop<M>,
    told_to_stop: impl Future<Output = &'static str>,
) -> Outcome {
    let (machine, last_command) = (unit.machine.clone(), unit.last_command.clone());
    let leave = |ended: Option<&Result<_, RecordError>>, last| {
        safe_command(last, ended.is_some_and(Result::is_ok))
    };
    let guarded = guard(machine, last_command, unit.run(), told_to_stop, leave).await;
    let Guard { ended, safe, unsafe_because } = guarded;
    let (ending, recorder) = match ended {
        Guarded::Ended(Ok((engine, recorder))) => (Ending::Over(Box::new(engine)), Some(recorder)),
        Guarded::Ended(Err(error)) => (Ending::RecordLost(error), None),
        Guarded::Told(signal) => (Ending::Interrupted(signal), None),
        Guarded::Panicked(error) => (Ending::Panicked(error), None),
    };
    Outcome { ending, recorder, safe, unsafe_because }
}

/// Sends the safe state until it has arrived; says why it is not proved to have.
async fn make_safe<M: Machine>(
    machine: &SharedMachine<M>,
    command: Command,
    within: Duration,
    pause: Duration,
) -> Option<String> {
    let mut fault = None;
    let attempts = async {
        let mut machine = machine.lock().await;
        while let Err(error) = machine.write(&command).await {
            fault = Some(error.to_string());
            // Dials again, and moves on the rest that a lost device is given.
            let _ = tokio::time::timeout(within / 5, machine.read()).await;
            tokio::time::sleep(pause).await;
        }
    };
    match tokio::time::timeout(within, attempts).await {
        Ok(()) => None,
        Err(_) => {
            let seconds = within.as_secs();
            let why = fault.map(|fault| format!(": {fault}")).unwrap_or_default();
            Some(format!("not confirmed within {seconds} s{why}"))
        }
    }
}

/// Sends the safe state until it has arrived, however long that takes.
pub(super) async fn make_safe_at_last<M: Machine>(machine: SharedMachine<M>, safe: Command) {
    until_safe(&machine, safe, SAFE_WITHIN, SAFE_PAUSE).await;
}

async fn until_safe<M: Machine>(
    machine: &SharedMachine<M>,
    safe: Command,
    within: Duration,
    pause: Duration,
) {
    while make_safe(machine, safe, within, pause).await.is_some() {
        tokio::time::sleep(pause).await;
    }
}

/// Listens from now on; completes when the program is told to stop, with the signal's name.
pub(super) fn signalled() -> impl Future<Output = &'static str> {
    let mut signals = Signals::listen();
    async move { signals.next().await }
}

#[cfg(test)]
mod tests;
