//! Real time on the simulated wires. The only file of this crate that reads a clock.

use std::time::Duration;

use tokio::time::Instant;

/// Left to tokio's timer, which is good to a millisecond or two.
const COARSE: Duration = Duration::from_millis(3);
/// Left to spinning: a thread's sleep comes back some 60 µs late, and its waker as much later.
const SPIN: Duration = Duration::from_micros(200);

/// Now.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the wires' own clock adapter")]
    Instant::now()
}

/// Waits until `until`, to a millisecond or so.
pub(crate) async fn until(until: Instant) {
    tokio::time::sleep_until(until).await;
}

/// Waits until `until` to some ten microseconds: by tokio's timer first, then by a sleeping
/// thread, and the last of it without giving up the processor.
pub(crate) async fn precisely_until(until: Instant) {
    if until.saturating_duration_since(now()) > COARSE {
        tokio::time::sleep_until(until - COARSE).await;
    }
    let left = until.saturating_duration_since(now()).saturating_sub(SPIN);
    if left > Duration::ZERO {
        // A sleep cannot fail; if the runtime ends meanwhile, nobody waits any more.
        let _slept = tokio::task::spawn_blocking(move || std::thread::sleep(left)).await;
    }
    while now() < until {
        std::hint::spin_loop();
    }
}
