//! Real time on the simulated wires. The only file of this crate that reads a clock.

use std::time::Duration;

use tokio::time::Instant;

/// Left to tokio's timer, which is good to a millisecond or two.
const COARSE: Duration = Duration::from_millis(3);
/// Left to spinning: a sleep of the system comes back a little late.
const SPIN: Duration = Duration::from_micros(150);

/// Now.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the wires' own clock adapter")]
    Instant::now()
}

/// Waits until `until`, to a millisecond or so.
pub(crate) async fn until(until: Instant) {
    tokio::time::sleep_until(until).await;
}

/// Waits until `until` to some ten microseconds, on a thread of its own for the last stretch.
pub(crate) async fn precisely_until(until: Instant) {
    if until.saturating_duration_since(now()) > COARSE {
        tokio::time::sleep_until(until - COARSE).await;
    }
    let fine = move || {
        let left = until.saturating_duration_since(now());
        std::thread::sleep(left.saturating_sub(SPIN));
        while now() < until {
            std::hint::spin_loop();
        }
    };
    // The last stretch cannot fail; if the runtime ends meanwhile, nobody waits any more.
    let _waited = tokio::task::spawn_blocking(fine).await;
}
