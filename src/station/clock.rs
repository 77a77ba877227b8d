//! The one adapter that reads the machine's clocks. Everybody else gets time as an argument.
//!
//! Durations are monotonic ticks of the boot-time clock, which goes on while a computer sleeps. Wall-clock time (UTC) is an annotation: its steps are
//! recorded and change nothing. Time-outs on the wire are always real time and not from here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holder_hal::Tick;
use holder_sim::server::SimServer;

use crate::store::{BootMoment, ClockEntry};

/// Milliseconds since 1970 UTC, by the machine's wall clock.
pub fn utc_now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the clock adapter")]
    let now = jiff::Timestamp::now();
    now.as_millisecond()
}

/// Time since the computer started, with what it slept.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let secs = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(secs, u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn since_boot_ms() -> u64 {
    u64::try_from(since_boot().as_millis()).unwrap_or(u64::MAX)
}

/// The system's name for the time since it was started (random(4): a new one at each start).
#[cfg(target_os = "linux")]
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Nothing is known of the starts of other systems.
#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<String> {
    None
}

/// Time since the first call. Whether it counts what the computer slept is up to the system.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "this is the clock adapter")]
    let now = std::time::Instant::now();
    now.duration_since(*FIRST.get_or_init(|| now))
}

/// The time of one unit's loop.
#[derive(Clone)]
pub enum Clock {
    /// Time passes by itself, `speed` times as fast as the wall clock (1 on real hardware).
    Running {
        /// When it showed `first`, by the boot-time clock.
        start: Duration,
        /// What it showed then.
        first: Tick,
        /// Scale, 1 to 60.
        speed: u32,
    },
    /// Time passes only when somebody waits, in lockstep with the simulator of this process.
    Lockstep {
        /// Now, milliseconds.
        now_ms: Arc<AtomicU64>,
        /// Wall-clock time of tick 0.
        start_utc_ms: i64,
        /// The simulated machine, which lives through the same time.
        machine: Arc<SimServer>,
    },
}

impl Clock {
    /// A clock that runs by itself from 0, `speed` times as fast as the wall clock.
    pub fn running(speed: u32) -> Self {
        Self::Running { start: since_boot(), first: Tick::default(), speed: speed.max(1) }
    }

    /// The same clock, put so that it showed `first` when it showed `was`: a batch is continued.
    #[must_use]
    pub fn set(self, was: Tick, first: Tick) -> Self {
        let first = first.plus_ms(self.now().ms_since(was));
        match self {
            Self::Running { speed, .. } => Self::Running { start: since_boot(), first, speed },
            Self::Lockstep { machine, .. } => {
                let passed = i64::try_from(first.ms()).unwrap_or(i64::MAX);
                let start_utc_ms = utc_now_ms().saturating_sub(passed);
                let now_ms = Arc::new(AtomicU64::new(first.ms()));
                Self::Lockstep { now_ms, start_utc_ms, machine }
            }
        }
    }

    /// What the boot-time clock shows now, against this one; `None` where time is virtual, or the
    /// system tells nothing of its starts.
    pub fn entry(&self) -> Option<ClockEntry> {
        match self {
            Self::Running { speed, .. } => {
                let moment = BootMoment { boot_id: boot_id()?, since_boot_ms: since_boot_ms() };
                Some(ClockEntry { moment, tick_ms: self.now().ms(), speed: *speed })
            }
            Self::Lockstep { .. } => None,
        }
    }

    /// A clock at 0 that moves with the simulator of this process.
    pub fn lockstep(machine: Arc<SimServer>) -> Self {
        Self::Lockstep { now_ms: Arc::default(), start_utc_ms: utc_now_ms(), machine }
    }

    /// Now.
    pub fn now(&self) -> Tick {
        match self {
            Self::Running { start, first, speed } => {
                let passed = since_boot().saturating_sub(*start);
                let real_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
                first.plus_ms(real_ms.saturating_mul(u64::from(*speed)))
            }
            Self::Lockstep { now_ms, .. } => Tick::from_ms(now_ms.load(Ordering::Acquire)),
        }
    }

    /// Wall-clock time now, milliseconds since 1970 UTC.
    pub fn utc_ms(&self) -> i64 {
        match self {
            Self::Running { .. } => utc_now_ms(),
            Self::Lockstep { start_utc_ms, .. } => {
                let passed = i64::try_from(self.now().ms()).unwrap_or(i64::MAX);
                start_utc_ms.saturating_add(passed)
            }
        }
    }

    /// Waits until `due`; returns at once if that is past.
    pub async fn sleep_until(&self, due: Tick) {
        let wait_ms = due.ms_since(self.now());
        match self {
            Self::Running { speed, .. } => {
                let real_us = wait_ms.saturating_mul(1000) / u64::from(*speed);
                tokio::time::sleep(Duration::from_micros(real_us)).await;
            }
            Self::Lockstep { now_ms, machine, .. } => {
                machine.advance(wait_ms);
                now_ms.fetch_add(wait_ms, Ordering::AcqRel);
                // Lets the servers' tasks and the person at the keyboard have their turn.
                tokio::task::yield_now().await;
            }
        }
    }

    /// How long the loop waits for the disk to acknowledge a period: half a period of real time;
    /// without end in lockstep, where the disk costs no virtual time.
    pub fn disk_patience(&self, period_ms: u64) -> Duration {
        match self {
            Self::Running { .. } => Duration::from_millis(period_ms / 2),
            Self::Lockstep { .. } => Duration::from_secs(30),
        }
    }

    /// How long one exchange with the machine may take, always in real time: one control period;
    /// in lockstep, where the wire costs no virtual time, long enough for a busy computer.
    pub fn wire_patience(&self, period_ms: u64) -> Duration {
        match self {
            Self::Running { .. } => Duration::from_millis(period_ms),
            Self::Lockstep { .. } => Duration::from_secs(30),
        }
    }

    /// How long this span of real time is on this clock, milliseconds: a disk, or a computer, is as
    /// slow as it is however fast a simulated machine's time is told to pass.
    pub fn real_ms(&self, real_ms: u64) -> u64 {
        match self {
            Self::Running { speed, .. } => real_ms.saturating_mul(u64::from(*speed)),
            Self::Lockstep { .. } => real_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_tells_what_the_boot_clock_has_counted_since_its_start_at_its_speed() {
        // As if it had been started when the computer was half as old as it is.
        let start = since_boot() / 2;
        let least_ms = u64::try_from(start.as_millis()).expect("small");
        let clock = |start, speed| Clock::Running { start, first: Tick::from_ms(7), speed };
        assert!(clock(start, 1).now().ms() >= 7 + least_ms);
        assert!(clock(start, 60).now().ms() >= 7 + 60 * least_ms);
        let was = Tick::from_ms(7 + least_ms / 2);
        let set = clock(start, 1).set(was, Tick::from_ms(1_000_000));
        assert!(set.now().ms() >= 1_000_000 + least_ms / 2, "it went on meanwhile");
        let later = clock(since_boot() * 2, 1).now();
        assert_eq!(later, Tick::from_ms(7), "time never goes back before its start");
    }
}
