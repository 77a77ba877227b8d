//! What may hang is asked on a thread of its own.

use std::sync::mpsc;
use std::time::Duration;

/// What `work` gives, if it does so within this time (real time): a disk or a resolver that hangs keeps
/// the thread that asked it, and nobody else. `None`, too, where the system has no thread to give.
pub(crate) fn in_time<R: Send + 'static>(
    within: Duration,
    work: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    ask(work).recv_timeout(within).ok()
}

/// The same, but waits on after `says` was called: for what nothing can be done without.
pub(crate) fn in_the_end<R: Send + 'static>(
    within: Duration,
    says: impl FnOnce(),
    work: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    let told = ask(work);
    match told.recv_timeout(within) {
        Ok(done) => Some(done),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            says();
            told.recv().ok()
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
    }
}

fn ask<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<R> {
    let (tell, told) = mpsc::channel();
    let asked = std::thread::Builder::new().name("in time".into()).spawn(move || {
        // Nobody waits any more for what was slow.
        let _ = tell.send(work());
    });
    // Without the thread nobody tells, and whoever waits hears that at once.
    drop(asked);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_hangs_keeps_nobody_and_what_answers_is_given() {
        let (disk, gate) = mpsc::channel::<()>();
        assert_eq!(in_time(Duration::ZERO, move || gate.recv().is_ok()), None);
        drop(disk);
        assert_eq!(in_time(LONG, || 7), Some(7));
        assert_eq!(in_time(LONG, || -> u8 { panic!("a defect") }), None);
    }

    #[test]
    fn a_person_hears_of_what_is_waited_for_in_the_end() {
        let (disk, gate) = mpsc::channel::<()>();
        let says = move || drop(disk);
        assert_eq!(in_the_end(Duration::ZERO, says, move || gate.recv().is_err()), Some(true));
        assert_eq!(in_the_end(LONG, || panic!("nobody waits"), || 7), Some(7));
    }
}
