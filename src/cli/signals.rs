//! The signals by which a person ends a command that would go on for ever, and those by which the
//! system would end or stop a batch.

/// Lets a write beyond the limit on the length of files (`ulimit -f`) fail as on a full disk. Else
/// the system ends the program there and then (SIGXFSZ), with the heater as it was.
pub(super) fn survive_the_file_limit() {
    #[cfg(unix)]
    {
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;
        // Nobody looks at the flag: the failed write says it all. Without the handler nothing but
        // this one limit is lost.
        let _ = signal_hook::flag::register(
            signal_hook::consts::SIGXFSZ,
            Arc::new(AtomicBool::new(false)),
        );
    }
}

/// Lets no terminal stop this program (Ctrl-Z, or a read in the background): stopped, it would leave
/// the heater as it is and look at nothing. A read in the background then fails, as one without a
/// terminal does (termios(3)). Whoever types Ctrl-Z is told once how to end.
///
/// Only threads that begin after this have it: it comes before all else in a command that heats.
/// SIGSTOP cannot be held off.
pub(super) fn never_stopped_by_the_terminal() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        let stops = SigSet::from_iter([Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU]);
        if stops.thread_block().is_err() {
            // Nothing but these is lost.
            return;
        }
        let told = std::thread::Builder::new().name("ctrl-z".into()).spawn(|| {
            if SigSet::from(Signal::SIGTSTP).wait().is_ok() {
                super::out::note(
                    "holder is not stopped while a machine may be heating. Ctrl-C ends what runs: \
                     the heat is switched off first",
                );
            }
        });
        // Without the thread nobody is told, and nothing is stopped all the same.
        drop(told);
    }
}

/// Completes at Ctrl-C or SIGTERM.
pub(super) async fn until_stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
