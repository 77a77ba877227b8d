//! What went over the wires, kept in a text file, and read back.
//!
//! **Terms.** A *capture* is one file: a head, then one line per event. An *event* is bytes that
//! were sent (`>`), bytes that came (`<`), or something to know (`!`: a port opened, a time-out).
//! Times are milliseconds since the capture began, on the clock of the wire's time-outs; the wall
//! clock stands in the head once.
//!
//! ```text
//! holder-capture 1
//! # program: holder 0.1.0
//! # unit: past-1
//! # started_utc_ms: 1795534809000
//! # bus probes: rtu:///dev/serial/by-id/usb-x?baud=9600
//! # device bottles: probes 1 icpdas-tm-th8
//! 12.041 probes > 01 04 00 00 00 02 71 CB
//! 19.377 probes < 01 04 04 02 70 02 72 3A 64
//! 352.004 probes ! no answer within 333 ms
//! # end: 3 events, 0 lost
//! ```
//!
//! | file | does |
//! |---|---|
//! | here | writing, on a thread of its own: a slow or full disk never holds a wire up |
//! | `read` | the text back into events; lines that cannot be understood are named and passed over |
//! | `frame` | bytes into frames, with their checksums |
//! | `exchange`, `words` | one question with its answer, in words and by a profile's points |
//! | `pair` | which answer belongs to which question, and what is wrong between them |
//! | `figures` | counts and turnaround times |
//!
//! Everything that reads is pure and takes any bytes.

mod exchange;
mod figures;
mod frame;
mod pair;
mod read;
#[cfg(test)]
mod tests;
mod words;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

pub use exchange::{Exchange, Mark, Trouble};
pub use figures::{Figures, Turnaround};
pub use pair::{Paired, decode_capture};
pub use read::{CaptureError, CaptureEvent, CaptureFile, Happened};

use super::spec::UnitSpec;
use super::timer::Moment;

/// The first line of a file of this version.
pub(crate) const FIRST_LINE: &str = "holder-capture 1";

/// Events that may wait for the disk: some minutes of a busy bus.
const WAITING_MAX: usize = 8192;

/// A capture that has grown to this many bytes is full: half a gigabyte is weeks of one unit.
const BYTES_MAX: u64 = 512 * 1024 * 1024;

/// How long the end waits for the disk.
const END_WITHIN: Duration = Duration::from_secs(5);
const LATE: &str = "the disk did not answer in time";

/// Between two looks at a queue that is full.
const END_PAUSE: Duration = Duration::from_millis(20);

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From us to the device.
    Sent,
    /// From the device to us.
    Received,
    /// Not bytes, but words (UTF-8) of the program: opened, closed, timed out.
    Event,
}

impl Direction {
    const fn sign(self) -> char {
        match self {
            Self::Sent => '>',
            Self::Received => '<',
            Self::Event => '!',
        }
    }
}

/// A device that a capture knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedDevice {
    /// Its name in the unit.
    pub name: String,
    /// The name of its bus.
    pub bus: String,
    /// Its unit id or address.
    pub unit_id: u8,
    /// The name of its profile.
    pub profile: String,
}

/// What stands at the head of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureHead {
    /// Which program wrote it, with its version.
    pub program: String,
    /// The unit, or what was probed.
    pub unit: String,
    /// The wall clock when it began, milliseconds since 1970 UTC.
    pub started_utc_ms: i64,
    /// The buses: name and url.
    pub buses: Vec<(String, String)>,
    /// The devices on them.
    pub devices: Vec<CapturedDevice>,
}

impl CaptureHead {
    /// The head for a unit.
    pub fn of_unit(spec: &UnitSpec, program: &str, started_utc_ms: i64) -> Self {
        let device = |device: &super::spec::DeviceSpec| CapturedDevice {
            name: device.name.clone(),
            bus: device.bus.clone(),
            unit_id: device.address,
            profile: device.profile.name().to_owned(),
        };
        Self {
            program: program.to_owned(),
            unit: spec.name().to_owned(),
            started_utc_ms,
            buses: spec.buses().iter().map(|bus| (bus.name.clone(), bus.url.clone())).collect(),
            devices: spec.devices().iter().map(device).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{FIRST_LINE}\n# program: {}\n# unit: {}\n# started_utc_ms: {}\n",
            one_line(&self.program),
            one_line(&self.unit),
            self.started_utc_ms
        );
        for (name, url) in &self.buses {
            text += &format!("# bus {}: {}\n", word(name), one_line(url));
        }
        for device in &self.devices {
            let CapturedDevice { name, bus, unit_id, profile } = device;
            let (name, bus, profile) = (word(name), word(bus), word(profile));
            text += &format!("# device {name}: {bus} {unit_id} {profile}\n");
        }
        text
    }
}

/// A name as one word of a line.
fn word(name: &str) -> String {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == ':';
    let name: String = name.chars().map(|c| if odd(c) { '_' } else { c }).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

/// A text that stays on its line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Bytes as they stand in the file: `01 03 00 01`.
pub(crate) fn hex_bytes(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(" ")
}

enum Job {
    Event {
        at_us: u64,
        bus: String,
        direction: Direction,
        bytes: Vec<u8>,
    },
    /// Write what is there, and say how it went.
    End(SyncSender<CaptureEnd>),
}

/// How the writing of a capture went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureEnd {
    /// Events in the file.
    pub written: u64,
    /// Events that are not: the disk was slow or full.
    pub lost: u64,
    /// The first reason of the system, if it refused.
    pub why: Option<String>,
}

/// Writes a capture. Clones write to the same file; recording never waits.
#[derive(Clone)]
pub struct Capture {
    shared: Arc<Shared>,
}

struct Shared {
    jobs: SyncSender<Job>,
    /// What did not even fit into the queue.
    crowded_out: Arc<AtomicU64>,
    began: Moment,
}

impl core::fmt::Debug for Capture {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

impl Capture {
    /// Begins a capture in a new file.
    ///
    /// # Errors
    /// The file exists (a capture is evidence and is not overwritten), or cannot be written.
    pub fn create(path: &Path, head: &CaptureHead) -> io::Result<Self> {
        let mut file = File::create_new(path)?;
        file.write_all(head.text().as_bytes())?;
        Self::to(file, WAITING_MAX)
    }

    fn to(sink: impl Write + Send + 'static, waiting_max: usize) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(waiting_max);
        let crowded_out = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            sink: BufWriter::new(sink),
            bytes: 0,
            end: CaptureEnd::default(),
            crowded_out: Arc::clone(&crowded_out),
            told_lost: 0,
        };
        let thread = std::thread::Builder::new().name("capture".to_owned());
        thread.spawn(move || writer.run(&waiting))?;
        Ok(Self { shared: Arc::new(Shared { jobs, crowded_out, began: Moment::now() }) })
    }

    /// Microseconds since the capture began, for [`Capture::record`].
    pub fn now_us(&self) -> u64 {
        let passed = Moment::now().since(self.shared.began);
        u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
    }

    /// Keeps what just went over the wire of `bus`. Returns at once, whatever the disk does: what
    /// finds no room is counted as lost. `at_us` is [`Capture::now_us`] of when it went.
    pub fn record(&self, bus: &str, direction: Direction, bytes: &[u8], at_us: u64) {
        let (bus, bytes) = (bus.to_owned(), bytes.to_vec());
        let sent = self.shared.jobs.try_send(Job::Event { at_us, bus, direction, bytes });
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = sent {
            self.shared.crowded_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps words about `bus`, such as that its port was opened.
    pub fn event(&self, bus: &str, text: &str) {
        self.record(bus, Direction::Event, text.as_bytes(), self.now_us());
    }

    /// Writes what is still waiting, and says how the writing went. What is recorded afterwards is
    /// lost.
    pub fn end(&self) -> CaptureEnd {
        self.end_within(END_WITHIN)
    }

    fn end_within(&self, within: Duration) -> CaptureEnd {
        let (reply, answer) = sync_channel(1);
        let gone = |why: &str| {
            let lost = self.shared.crowded_out.load(Ordering::Relaxed);
            CaptureEnd { written: 0, lost, why: Some(why.to_owned()) }
        };
        // A queue that is full is one that nobody empties, or not fast enough.
        let mut job = Job::End(reply);
        let began = Moment::now();
        while let Err(fault) = self.shared.jobs.try_send(job) {
            job = match fault {
                TrySendError::Full(job) => job,
                TrySendError::Disconnected(_) => return gone("the capture was ended before"),
            };
            if Moment::now().since(began) >= within {
                return gone(LATE);
            }
            std::thread::sleep(END_PAUSE);
        }
        answer.recv_timeout(within).unwrap_or_else(|_| gone(LATE))
    }
}

/// The thread's side.
struct Writer<W: Write> {
    sink: BufWriter<W>,
    bytes: u64,
    end: CaptureEnd,
    crowded_out: Arc<AtomicU64>,
    /// Losses that stand in the file already.
    told_lost: u64,
}

impl<W: Write> Writer<W> {
    fn run(mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Event { at_us, bus, direction, bytes } => {
                        self.event(at_us, &bus, direction, &bytes);
                    }
                    Job::End(reply) => {
                        // Whoever asked may have given up waiting.
                        let _ = reply.send(self.finish());
                        return;
                    }
                }
                next = waiting.try_recv().ok();
            }
            // Nothing waits: what was seen so far is worth having if the program dies now.
            self.flush();
        }
        self.finish();
    }

    fn event(&mut self, at_us: u64, bus: &str, direction: Direction, bytes: &[u8]) {
        self.tell_lost(at_us, bus);
        let what = match direction {
            Direction::Sent | Direction::Received => hex_bytes(bytes),
            Direction::Event => one_line(&String::from_utf8_lossy(bytes)),
        };
        if self.line(at_us, bus, direction.sign(), &what) {
            self.end.written += 1;
        } else {
            self.end.lost += 1;
        }
    }

    /// A gap in the file says so where it is.
    fn tell_lost(&mut self, at_us: u64, bus: &str) {
        let lost = self.lost();
        if lost > self.told_lost {
            let text = format!("{} events before this one were lost", lost - self.told_lost);
            if self.line(at_us, bus, '!', &text) {
                self.told_lost = lost;
            }
        }
    }

    fn lost(&self) -> u64 {
        self.end.lost + self.crowded_out.load(Ordering::Relaxed)
    }

    fn line(&mut self, at_us: u64, bus: &str, sign: char, what: &str) -> bool {
        let (ms, us) = (at_us / 1000, at_us % 1000);
        self.put(&format!("{ms}.{us:03} {} {sign} {what}\n", word(bus)))
    }

    fn put(&mut self, text: &str) -> bool {
        if self.end.why.is_some() {
            return false;
        }
        if self.bytes > BYTES_MAX {
            self.end.why = Some(format!("the capture is full at {BYTES_MAX} bytes"));
            return false;
        }
        self.bytes += text.len() as u64;
        let written = self.sink.write_all(text.as_bytes());
        self.refused(written)
    }

    fn flush(&mut self) {
        let flushed = self.sink.flush();
        self.refused(flushed);
    }

    fn refused(&mut self, done: io::Result<()>) -> bool {
        match done {
            Ok(()) => true,
            Err(error) => {
                self.end.why = self.end.why.take().or_else(|| Some(error.to_string()));
                false
            }
        }
    }

    fn finish(&mut self) -> CaptureEnd {
        let text = format!("# end: {} events, {} lost\n", self.end.written, self.lost());
        self.put(&text);
        self.flush();
        CaptureEnd { lost: self.lost(), ..self.end.clone() }
    }
}
