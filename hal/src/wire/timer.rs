//! The watch of the wire: how old an answer is, and when a reading must be over.
//!
//! Everywhere else time is an argument. Here it is not, on purpose: time-outs on the wire are
//! real time (DESIGN, "Time"), and an age must run on the same clock as they do, also in a run
//! at full or scaled speed. It is tokio's clock, so that a test can stop it, and this file is
//! the only one in the crate that reads it.

use std::time::Duration;

/// Pauses up to this long are waited for exactly, in milliseconds.
const FINE_MS: u64 = 20;

/// A moment on tokio's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(tokio::time::Instant);

impl Moment {
    #[expect(
        clippy::disallowed_methods,
        reason = "ages on the wire run on the clock of its time-outs; see the head of this file"
    )]
    pub(crate) fn now() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Milliseconds from `earlier` to `self`; 0 if `earlier` is later.
    pub(crate) fn ms_since(self, earlier: Self) -> u32 {
        let passed = self.0.saturating_duration_since(earlier.0);
        u32::try_from(passed.as_millis()).unwrap_or(u32::MAX)
    }

    /// The time from `earlier` to `self`; none if `earlier` is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// `self` and so many milliseconds more, rounded up so that it is over then.
    pub(crate) fn plus_ms(self, more_ms: u32) -> Self {
        self.plus(Duration::from_millis(u64::from(more_ms) + 1))
    }

    /// `self` and `more`.
    pub(crate) fn plus(self, more: Duration) -> Self {
        Self(self.0 + more)
    }
}

/// Waits. tokio counts in milliseconds, which on a fast line is a character or two: so the last
/// few are left to a thread that the system wakes more exactly.
pub(crate) async fn pause(time: Duration) {
    let fine = Duration::from_millis(FINE_MS);
    // Tests stop the clock, and a thread would not hear of it.
    if time > fine || cfg!(test) {
        tokio::time::sleep(time).await;
        return;
    }
    let slept = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
    if slept.is_err() {
        // The runtime is shutting down, and the wait with it.
        tokio::time::sleep(time).await;
    }
}

/// Does `work`, but not for longer than `limit`; says whether it was finished. What is not is
/// dropped where it stands.
pub(crate) async fn finished_within(limit: Duration, work: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(limit, work).await.is_ok()
}
