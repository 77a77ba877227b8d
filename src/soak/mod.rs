//! The soak: whole batches in one process, from one number each, with everything that can go
//! wrong, until an invariant does not hold.
//!
//! **Terms.** A *seed* is one run: its [`scenario`] is drawn from it. The *rig* is the machine with
//! its probes, devices and wire; the *truth* is what the milk really went through, and only the
//! [`oracle`] sees it. An *invariant* is what must never happen (issue 4); a *residual* risk is one
//! that `docs/risk.md` names as not detectable: it is counted and told apart, never dropped.
//!
//! | file | holds |
//! |---|---|
//! | `dice` | chance from a seed, by a written algorithm |
//! | `fault` | the kinds of faults, and one of them |
//! | `scenario` | what a seed stands for |
//! | `rig` | the machine and everything between it and us |
//! | `hands` | the people |
//! | `record` | the disk and the store |
//! | `run` | the station's loop on all of these |
//! | `oracle` | what really happened to the milk |
//! | `outages` | what became of each time in which nobody ran the machine |
//! | `supply` | whether the heater has power that it must not have |
//! | `picture` | the truth of a run, drawn |
//! | `watch` | the invariants |
//! | `residual` | what nothing here can notice |
//! | `report` | what one run shows |
//! | `totals` | what all of them show |
//!
//! A run is single-threaded and touches neither clock nor disk nor network: a seed could not be
//! replayed otherwise. What lives there is tried elsewhere, with real processes:
//!
//! | what | here | elsewhere |
//! |---|---|---|
//! | a second program on the unit | the record refuses a second batch ([`record`]) | the lock: `stories/at_once.rs`, `interruptions.rs` |
//! | a disk | slow and stalled, what was not acknowledged lost | cut, torn and filled files: `stories/crashes.rs`, `small_disks.rs`, `damage.rs` |
//! | a killed program | at any moment of the batch | `tests/peers/kills.py` |
//! | the wire | late, stale, repeated and lost readings, lost commands | bytes: the tests of `hal` and `sim` |
//! | a clock | steps of the wall clock | the boot-time clock: `station/clock.rs` |

#[cfg(test)]
mod defects;
mod dice;
mod fault;
mod hands;
mod oracle;
mod outages;
pub(crate) mod picture;
mod record;
mod report;
mod residual;
mod rig;
mod run;
mod scenario;
mod supply;
#[cfg(test)]
mod tests;
pub(crate) mod totals;
mod watch;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::mpsc;

pub(crate) use report::{Report, of_scenario};
pub(crate) use run::{Done, NoRun, Wanted};
pub(crate) use scenario::Scenario;
pub(crate) use watch::Invariant;

use crate::batch::recipe::Recipe;
use totals::Totals;

/// Every so many seeds a run keeps a real store, beside those whose faults need one.
pub(crate) const STORE_EVERY: u64 = 10;

/// Which runs keep a real store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stores {
    /// All.
    All,
    /// Every tenth, and those whose faults need one.
    Some,
    /// Only those whose faults need one.
    Needed,
    /// None: a batch whose program was killed is closed, since nothing is there to go on from.
    None,
}

impl Stores {
    /// Whether this run keeps one.
    pub(crate) fn holds(self, scenario: &Scenario) -> bool {
        match self {
            Self::All => true,
            Self::Some => scenario.seed.is_multiple_of(STORE_EVERY) || scenario.needs_the_store(),
            Self::Needed => scenario.needs_the_store(),
            Self::None => false,
        }
    }
}

/// More threads than any machine of ours has cores for.
const THREADS_MAX: u64 = 256;

/// Runs all seeds on so many threads. Every report is `told` in the order of the seeds, whoever
/// ran it.
///
/// # Errors
/// A run that could not begin, or whose record could not be closed: the first by seed.
pub(crate) fn soak(
    seeds: Range<u64>,
    jobs: NonZeroUsize,
    stores: Stores,
    recipe: &Recipe,
    mut told: impl FnMut(&Report),
) -> Result<Totals, NoRun> {
    let mut totals = Totals::default();
    let (reports, waiting) = mpsc::sync_channel(1_024);
    // No thread without a seed, and none that only waits for a core.
    let count = seeds.end.saturating_sub(seeds.start).clamp(1, THREADS_MAX);
    let jobs = (jobs.get() as u64).min(count);
    std::thread::scope(|scope| {
        for job in 0..jobs {
            let (reports, seeds) = (reports.clone(), seeds.clone());
            scope.spawn(move || {
                let mut seed = seeds.start.saturating_add(job);
                while seed < seeds.end {
                    let scenario = Scenario::drawn(seed, recipe);
                    let wanted = Wanted { store: stores.holds(&scenario), ..Wanted::default() };
                    let report = of_scenario(&scenario, wanted).map(|(_, report)| report);
                    if reports.send((seed, report)).is_err() {
                        return;
                    }
                    seed = seed.saturating_add(jobs);
                }
            });
        }
        drop(reports);
        let (mut next, mut early) = (seeds.start, BTreeMap::new());
        for (seed, report) in waiting {
            early.insert(seed, report);
            while let Some(report) = early.remove(&next) {
                let report = report?;
                told(&report);
                totals.add(&report);
                next += 1;
            }
        }
        Ok(totals)
    })
}
