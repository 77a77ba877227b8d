//! The signals that end a program.

#[cfg(unix)]
use std::future::poll_fn;
#[cfg(unix)]
use std::task::Poll;

#[cfg(unix)]
use signal_hook::consts;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CTRL_C;
#[cfg(unix)]
use super::SIGTERM;

/// The signals by which people, a terminal or the system end a program, as far as it can hear them
/// (signal(7)); SIGPIPE and SIGXFSZ show as a failed write. SIGXCPU comes at the soft limit on
/// computing time (`ulimit -S -t`); at the hard one the system ends the program as SIGKILL does.
#[cfg(unix)]
const ENDING_SIGNALS: [(i32, &str); 8] = [
    (consts::SIGINT, CTRL_C),
    (consts::SIGTERM, SIGTERM),
    (consts::SIGHUP, "SIGHUP"),
    (consts::SIGQUIT, "SIGQUIT"),
    (consts::SIGXCPU, "SIGXCPU"),
    (consts::SIGALRM, "SIGALRM"),
    (consts::SIGUSR1, "SIGUSR1"),
    (consts::SIGUSR2, "SIGUSR2"),
];

/// Those that whoever begins a program may want it not to hear: nohup, and a shell without job control
/// that begins it in the background, let it ignore them.
#[cfg(unix)]
const OF_A_TERMINAL: [i32; 3] = [consts::SIGHUP, consts::SIGINT, consts::SIGQUIT];

/// The signals that the program ignores, each a bit (proc(5), `SigIgn`): what it was begun with, as long
/// as nobody listens.
#[cfg(target_os = "linux")]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Other systems do not tell.
#[cfg(all(unix, not(target_os = "linux")))]
fn ignored() -> u64 {
    0
}

/// Whether this signal is in a set of them; they count from 1.
#[cfg(unix)]
fn is_in(set: u64, number: i32) -> bool {
    let bit = u32::try_from(number).ok().and_then(|number| number.checked_sub(1));
    bit.and_then(|bit| set.checked_shr(bit)).is_some_and(|set| set & 1 == 1)
}

/// The signals that tell the program to stop, one after the other.
pub(in crate::station) struct Signals {
    #[cfg(unix)]
    heard: Vec<(Signal, &'static str)>,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    pub(in crate::station) fn listen() -> Self {
        let unheard = ignored();
        let is_heard = |number: i32| !(OF_A_TERMINAL.contains(&number) && is_in(unheard, number));
        let wanted = ENDING_SIGNALS.into_iter().filter(|(number, _)| is_heard(*number));
        let heard = |(number, name)| Some((signal(SignalKind::from_raw(number)).ok()?, name));
        // One that cannot be heard takes none of the others with it.
        Self { heard: wanted.filter_map(heard).collect() }
    }

    /// The name of the next one.
    pub(in crate::station) async fn next(&mut self) -> &'static str {
        poll_fn(|context| {
            let mut heard = self.heard.iter_mut();
            let told =
                heard.find_map(|(one, name)| one.poll_recv(context).is_ready().then_some(*name));
            told.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Listens as soon as it is asked for the next one.
    pub(in crate::station) fn listen() -> Self {
        Self {}
    }

    /// The name of the next one.
    pub(in crate::station) async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => CTRL_C,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn signals_count_from_one() {
        // SIGHUP and SIGQUIT, as nohup in the background of a shell would leave it.
        let set = 0b101;
        assert_eq!(
            [1, 2, 3, 4, 64, 65, 0, -1].map(|number| is_in(set, number)),
            [true, false, true, false, false, false, false, false]
        );
        assert!(is_in(1 << 63, 64));
    }
}
