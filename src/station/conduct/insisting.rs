//! Heat that a batch could not prove to be off when it ended. The line may come back after we have
//! given up, and a machine that was told to heat goes on with it: so it is told again, until it
//! confirms or a person ends the program.

use std::pin::Pin;
use std::time::Duration;

use holder_hal::{Command, Machine};
use tokio::task::JoinHandle;

use super::super::control_loop::SharedMachine;
use super::super::supervisor::{self, Ending};
use super::tell;

/// How often a person who waits is told that it goes on (real time).
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What tells the machine, beside all else that is done at the end of a batch; and who ends it.
pub(super) struct Insisting {
    task: JoinHandle<()>,
    told_to_stop: Pin<Box<dyn Future<Output = &'static str> + Send>>,
}

impl Insisting {
    /// Begins, unless the machine is known to be safe or somebody told the program to end.
    pub(super) fn begin<M: Machine + Send + 'static>(
        machine: SharedMachine<M>,
        safe: Command,
        ending: &Ending,
        unsafe_because: Option<&str>,
    ) -> Option<Self> {
        let goes_on = match ending {
            Ending::Over(_) | Ending::RecordLost(_) | Ending::Panicked(_) => true,
            Ending::Interrupted(_) => false,
        };
        let is_needed = goes_on && unsafe_because.is_some();
        is_needed.then(|| Self {
            task: tokio::spawn(supervisor::make_safe_at_last(machine, safe)),
            // From now on, so that nobody has to press twice who did so while the record was closed.
            told_to_stop: Box::pin(supervisor::signalled()),
        })
    }

    /// Waits until the machine has confirmed it, or a person ends the program; gives whether it
    /// has.
    pub(super) async fn until_confirmed(mut self, say: fn(&str), batch: &str) -> bool {
        loop {
            if !self.task.is_finished() {
                let said = format!(
                    "ATTENTION: batch {batch}: the machine has not confirmed that its heat is off. \
                     Switch the heater off at the machine. holder goes on telling it until it \
                     confirms; Ctrl-C ends that."
                );
                tell(say, said).await;
            }
            tokio::select! {
                done = &mut self.task => {
                    let said = match &done {
                        Ok(()) => format!(
                            "batch {batch}: heat was commanded off once more, and the machine \
                             confirmed it"
                        ),
                        Err(defect) => format!(
                            "ATTENTION: batch {batch}: a defect of holder ({defect}); nothing tells \
                             the machine any more: see that its heater is off"
                        ),
                    };
                    tell(say, said).await;
                    return done.is_ok();
                }
                signal = &mut self.told_to_stop => {
                    self.task.abort();
                    let said = "nothing tells the machine any more: see that its heater is off";
                    tell(say, format!("ATTENTION: batch {batch}: ended by {signal}; {said}")).await;
                    return false;
                }
                () = tokio::time::sleep(TELL_EVERY) => {}
            }
        }
    }
}
