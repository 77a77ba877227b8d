//! Where the program's log goes: to stderr, and during a batch through a thread of its own, so
//! that neither a stuck terminal nor a stuck disk holds up the control loop.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

/// Lines that may wait; more are dropped.
const LINES_MAX: usize = 1024;
/// How long the end waits for the last lines (real time).
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// The thread that writes the log during a batch, if there is one.
static ASIDE: Mutex<Option<SyncSender<Vec<u8>>>> = Mutex::new(None);

/// Starts the log, on stderr.
pub(super) fn start(verbose: u8) {
    let usual = match verbose {
        0 => "error",
        1 => "holder=info,holder_hal=info,holder_sim=info,warn",
        2 => "holder=debug,holder_hal=debug,holder_sim=debug,info",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::new(usual);
    // Only a second call in one process can fail, and it changes nothing.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Line);
    // Without colours: it may go to a file.
    let _ = log.with_ansi(false).try_init();
}

/// One line of the log on its way.
struct Line;

impl Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match &*ASIDE.lock().unwrap_or_else(PoisonError::into_inner) {
            // A full queue drops the line: the journal has what matters.
            Some(lines) => {
                let _ = lines.try_send(text.to_vec());
            }
            None => io::stderr().write_all(text)?,
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// While it lives, the log goes aside.
pub(super) struct Aside {
    ended: std::sync::mpsc::Receiver<()>,
}

/// Sends the log to `to` through a thread, until the guard is dropped.
///
/// # Errors
/// The system has no thread to give.
pub(super) fn aside(mut to: impl Write + Send + 'static) -> anyhow::Result<Aside> {
    let (lines, waiting) = sync_channel::<Vec<u8>>(LINES_MAX);
    let (running, ended) = sync_channel::<()>(0);
    let write = move || {
        for line in waiting {
            // Nobody is left to tell if the log cannot be written.
            let _ = to.write_all(&line).and_then(|()| to.flush());
        }
        drop(running);
    };
    thread::Builder::new().name("log".into()).spawn(write).context("no thread for the log")?;
    *ASIDE.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines);
    Ok(Aside { ended })
}

/// The same into a file, to which it is added; one that cannot be opened is an error before
/// anything began.
///
/// # Errors
/// The file cannot be written, or the system has no thread to give.
pub(super) fn to_file(path: &Path) -> anyhow::Result<Aside> {
    let file = File::options().create(true).append(true).open(path);
    aside(file.with_context(|| format!("the log {} cannot be written", path.display()))?)
}

impl Drop for Aside {
    fn drop(&mut self) {
        *ASIDE.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // Both answers mean the same here: the last line is written, or the writer is stuck.
        let _ = self.ended.recv_timeout(FLUSH_WITHIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal that takes nothing until it is let go.
    struct Stuck(std::sync::mpsc::Receiver<()>, SyncSender<Vec<u8>>);

    impl Write for Stuck {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(text.to_vec());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_terminal_holds_nobody_up_and_loses_no_line_that_fits() {
        let (go, gate) = sync_channel::<()>(0);
        let (shown, lines) = sync_channel(2 * LINES_MAX);
        let guard = aside(Stuck(gate, shown)).expect("a thread");
        for number in 0..2 * LINES_MAX {
            Line.write_all(number.to_string().as_bytes()).expect("never waits");
        }
        drop(go);
        drop(guard);
        let lines: Vec<Vec<u8>> = lines.iter().collect();
        assert!((LINES_MAX..2 * LINES_MAX).contains(&lines.len()), "{}", lines.len());
        // What fits comes whole and in order. A later line may take the place of the one that the
        // writer has in hand, whenever it took that.
        let number = |line: &Vec<u8>| String::from_utf8_lossy(line).parse::<usize>().ok();
        let numbers: Vec<usize> = lines.iter().filter_map(number).collect();
        assert!(numbers.iter().take(LINES_MAX).copied().eq(0..LINES_MAX));
        assert!(numbers.len() == lines.len() && numbers.is_sorted_by(|a, b| a < b));
    }
}
