//! Heat that could not be proved to be off when a batch or a commissioning ended. The line may come
//! back after we have given up, and a machine that was told to heat goes on with it: so it is told
//! again, until it confirms or a person ends the program.

use std::time::Duration;

use holder_hal::{Command, Machine};
use tokio::task::JoinHandle;

use super::conduct::tell;
use super::control_loop::SharedMachine;
use super::supervisor::{self, CTRL_C, SIGTERM, Signals};

/// How often a person who waits is told that it goes on (real time).
const TELL_EVERY: Duration = Duration::from_secs(60);

/// So many SIGTERM end the program, with the one that ended the work on the machine: the system sends
/// one before it goes down, and so does whoever does not know that the line is down.
const SIGTERMS_MIN: u32 = 2;

/// What tells the machine, beside all else that is done at the end; and who ends it.
pub(super) struct Insisting {
    task: JoinHandle<()>,
    told_to_stop: Signals,
    patience: Patience,
}

impl Insisting {
    /// Begins, unless the machine is known to be safe, or a person who is there ended the work and
    /// hears that its heater needs them. `told_by` is what ended it, if it did not end by itself.
    pub(super) fn begin<M: Machine + Send + 'static>(
        machine: SharedMachine<M>,
        safe: Command,
        told_by: Option<&str>,
        unsafe_because: Option<&str>,
    ) -> Option<Self> {
        // A terminal that was closed, or a system that asks, sees to no heater.
        let is_person_there = told_by.is_some_and(supervisor::is_told_by_person);
        let is_needed = unsafe_because.is_some() && !is_person_there;
        is_needed.then(|| Self {
            task: tokio::spawn(supervisor::make_safe_at_last(machine, safe)),
            // From now on, so that nobody has to press twice who did so while the record was closed.
            told_to_stop: Signals::listen(),
            patience: Patience { sigterms: u32::from(told_by == Some(SIGTERM)) },
        })
    }

    /// Waits until the machine has confirmed it, or a person ends the program; gives whether it
    /// has. `whose` machine that is stands in what the person hears.
    pub(super) async fn until_confirmed(self, say: fn(&str), whose: &str) -> bool {
        let Self { task, mut told_to_stop, patience } = self;
        confirmed(task, patience, async || told_to_stop.next().await, (say, whose)).await
    }
}

/// What is left of the patience with those who would end the program.
#[derive(Debug)]
struct Patience {
    sigterms: u32,
}

impl Patience {
    /// Whether this signal ends the program.
    fn ends_at(&mut self, signal: &str) -> bool {
        self.sigterms += u32::from(signal == SIGTERM);
        signal == CTRL_C || self.sigterms >= SIGTERMS_MIN
    }
}

async fn confirmed(
    mut task: JoinHandle<()>,
    mut patience: Patience,
    mut next_signal: impl AsyncFnMut() -> &'static str,
    (say, whose): (fn(&str), &str),
) -> bool {
    loop {
        if !task.is_finished() {
            let said = format!(
                "ATTENTION: {whose}: the machine has not confirmed that its heat is off. Switch the \
                 heater off at the machine. holder goes on telling it until it confirms; Ctrl-C or a \
                 second SIGTERM ends that."
            );
            tell(say, said).await;
        }
        let signal = tokio::select! {
            biased;
            done = &mut task => {
                let said = match &done {
                    Ok(()) => format!(
                        "{whose}: heat was commanded off once more, and the machine confirmed it"
                    ),
                    Err(defect) => format!(
                        "ATTENTION: {whose}: a defect of holder ({defect}); nothing tells the machine \
                         any more: see that its heater is off"
                    ),
                };
                tell(say, said).await;
                return done.is_ok();
            }
            signal = next_signal() => Some(signal),
            () = tokio::time::sleep(TELL_EVERY) => None,
        };
        if let Some(signal) = signal.filter(|signal| patience.ends_at(signal)) {
            task.abort();
            let said = "nothing tells the machine any more: see that its heater is off";
            tell(say, format!("ATTENTION: {whose}: ended by {signal}; {said}")).await;
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use holder_hal::Reading;
    use tokio::sync::{Notify, mpsc};

    use super::*;

    /// A machine that hears nothing.
    struct Deaf;

    #[derive(Debug, thiserror::Error)]
    #[error("the wire is cut")]
    struct Cut;

    impl Machine for Deaf {
        type Error = Cut;

        async fn read(&mut self) -> Reading {
            Reading::nothing(1, true)
        }

        async fn write(&mut self, _: &Command) -> Result<(), Cut> {
            Err(Cut)
        }
    }

    #[tokio::test]
    async fn only_a_person_who_is_there_ends_the_work_without_more_ado() {
        let begun = |told_by, why| {
            let machine = Arc::new(tokio::sync::Mutex::new(Deaf));
            Insisting::begin(machine, Command::safe(false), told_by, why)
        };
        let unproved = Some("not confirmed within 5 s");
        for told_by in [None, Some("SIGHUP"), Some(SIGTERM), Some("SIGQUIT"), Some("SIGXCPU")] {
            let insisting = begun(told_by, unproved);
            insisting.unwrap_or_else(|| panic!("{told_by:?} leaves it heating")).task.abort();
            assert!(begun(told_by, None).is_none(), "{told_by:?}: it is safe");
        }
        for told_by in [CTRL_C, supervisor::LEFT] {
            assert!(begun(Some(told_by), unproved).is_none(), "{told_by}");
        }
    }

    #[test]
    fn ctrl_c_ends_it_at_once_and_sigterm_at_its_second_time() {
        let ends = |sigterms, signals: &[&str]| {
            let mut patience = Patience { sigterms };
            signals.iter().map(|signal| patience.ends_at(signal)).collect::<Vec<_>>()
        };
        assert_eq!(ends(0, &["SIGHUP", "SIGQUIT", "SIGALRM", CTRL_C]), [false, false, false, true]);
        assert_eq!(ends(0, &[SIGTERM, "SIGHUP", SIGTERM]), [false, false, true]);
        assert_eq!(ends(1, &["SIGHUP", SIGTERM]), [false, true], "one has ended the batch");
    }

    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn say(text: &str) {
        SAID.lock().expect("said").push(text.to_owned());
    }

    /// A person hears of every signal that does not end it, and in the end of what did.
    #[tokio::test]
    async fn it_goes_on_until_the_machine_has_confirmed_it_or_a_person_ends_it() {
        for (signals, is_confirmed) in
            [(vec!["SIGHUP", SIGTERM], true), (vec!["SIGHUP", CTRL_C], false)]
        {
            let back = Arc::new(Notify::new());
            let comes = back.clone();
            let task = tokio::spawn(async move { comes.notified().await });
            let (sent, mut heard) = mpsc::channel(1);
            let next = async || match heard.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            };
            let waiting = confirmed(task, Patience { sigterms: 0 }, next, (say, "unit demo"));
            let person = async move {
                for signal in signals {
                    sent.send(signal).await.expect("heard");
                }
                // The last one is taken when the next could be put behind it.
                sent.reserve().await.ok();
                back.notify_one();
            };
            let (done, ()) = tokio::join!(waiting, person);
            assert_eq!(done, is_confirmed);
            let said: Vec<String> = SAID.lock().expect("said").drain(..).collect();
            let last = said.last().expect("something was said");
            let word = if is_confirmed { "the machine confirmed it" } else { "ended by Ctrl-C" };
            assert!(last.contains(word), "{said:?}");
            let goes_on = said.iter().filter(|said| said.contains("goes on telling it")).count();
            assert_eq!(goes_on, if is_confirmed { 3 } else { 2 }, "{said:?}");
        }
    }
}
