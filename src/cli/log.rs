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

use super::out;
use crate::station::in_time::in_time;

/// Lines that may wait; more are dropped.
const LINES_MAX: usize = 1024;
/// How long the end waits for the last lines (real time).
const FLUSH_WITHIN: Duration = Duration::from_secs(1);
/// How long a run waits for its log file to open (real time).
const OPENED_WITHIN: Duration = Duration::from_millis(500);

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
pub(super) fn aside(to: impl Write + Send + 'static) -> anyhow::Result<Aside> {
    through(move || to)
}

fn through<W: Write>(open: impl FnOnce() -> W + Send + 'static) -> anyhow::Result<Aside> {
    let (lines, waiting) = sync_channel::<Vec<u8>>(LINES_MAX);
    let (running, ended) = sync_channel::<()>(0);
    let write = move || {
        let mut to = open();
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

/// The same into a file, to which it is added. A disk that takes no log, or hangs, keeps nobody from
/// making a machine safe: the log is given up then, and a person is told.
///
/// # Errors
/// The system has no thread to give.
pub(super) fn to_file(path: &Path) -> anyhow::Result<Aside> {
    let (log, told) = to_file_within(path, OPENED_WITHIN)?;
    if let Some(why) = told {
        out::note(&format!(
            "the log {} cannot be written: {why}; there is none now",
            path.display()
        ));
    }
    Ok(log)
}

fn to_file_within(path: &Path, within: Duration) -> anyhow::Result<(Aside, Option<String>)> {
    let (opened, told) = sync_channel(1);
    let path = path.to_owned();
    let log = through(move || -> Box<dyn Write> {
        let file = File::options().create(true).append(true).open(path);
        // Nobody waits for it any more, if that took too long.
        let _ = opened.send(file.as_ref().err().map(ToString::to_string));
        file.map_or_else(|_| Box::new(io::sink()) as Box<dyn Write>, |file| Box::new(file))
    })?;
    let hangs = || Some("the disk does not answer".to_owned());
    Ok((log, told.recv_timeout(within).unwrap_or_else(|_| hangs())))
}

/// Lets no defect of ours wait for a terminal that takes nothing: it would keep a heater on.
pub(super) fn panics_aside() {
    std::panic::set_hook(Box::new(|defect| {
        let said = defect.to_string();
        // Whether it was said or not, what follows a defect comes first.
        let _ = in_time(FLUSH_WITHIN, move || out::note(&said));
    }));
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

    /// One log aside at a time.
    static ONE: Mutex<()> = Mutex::new(());

    #[cfg(unix)]
    #[test]
    fn a_log_that_cannot_be_opened_or_hangs_keeps_nobody_waiting() {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = tempfile::tempdir().expect("a folder");
        let long = Duration::from_secs(60);
        let (log, told) = to_file_within(dir.path(), long).expect("a thread");
        assert!(told.is_some_and(|why| why.contains("directory")), "a folder takes no log");
        Line.write_all(b"lost").expect("never waits");
        drop(log);

        // A pipe without a reader opens for no writer (fifo(7)).
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo is there").success());
        let (log, told) = to_file_within(&pipe, Duration::ZERO).expect("a thread");
        assert!(told.is_some_and(|why| why.contains("does not answer")));
        Line.write_all(b"late").expect("never waits");
        let _reader = File::open(&pipe).expect("read");
        drop(log);

        let file = dir.path().join("holder.log");
        let (log, told) = to_file_within(&file, long).expect("a thread");
        assert_eq!(told, None);
        Line.write_all(b"a line").expect("never waits");
        drop(log);
        assert_eq!(std::fs::read(&file).expect("there"), b"a line");
    }

    #[test]
    fn a_stuck_terminal_holds_nobody_up_and_loses_no_line_that_fits() {
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
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
