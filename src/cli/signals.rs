//! The signals by which a person ends a command that would go on for ever, and the one by which
//! the system would end a batch.

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
