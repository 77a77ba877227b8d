//! What an interrupted program left behind, and what follows from it. Pure: from the record and the
//! clock to the engine that goes on; `resume` does the rest with the machine.
//!
//! **Terms.** A batch is *left open* if its record was not closed. Its *outage* is the time from its
//! last stored input to the moment at which the machine was reached and safe again, milliseconds of the
//! batch's own time: known within one start of the computer, unknown across two. The batch's time goes
//! on by the outage; by more than every limit of the recipe, if it is unknown. What the check of the
//! record takes after that passes in the batch's time too, as a gap between readings.

use holder_hal::Tick;

use crate::batch::engine::Engine;
use crate::batch::event::{Entry, Event, Input};
use crate::batch::recipe::Recipe;
use crate::store::model::BatchRecord;
use crate::store::{ClockEntry, ReplayMisfit, revive};

/// A batch as its record gives it again.
#[derive(Clone, Debug)]
pub struct TakenUp {
    /// The engine after the last stored input.
    pub engine: Engine,
    /// The last stored input's tick.
    pub last: Tick,
    /// When its phase was entered.
    pub phase_since: Tick,
    /// All that its engine said so far.
    pub history: Vec<Entry>,
}

/// Replays the stored inputs into a fresh engine, and compares all that is stored of the old one.
///
/// # Errors
/// The first difference: the record is disputed, and nothing may go on from it.
pub fn take_up(record: &BatchRecord, inputs: &[(Tick, Input)]) -> Result<TakenUp, ReplayMisfit> {
    let engine = revive(record, inputs)?;
    let history: Vec<Entry> = record.entries.iter().map(|one| one.entry.clone()).collect();
    let entered = |entry: &&Entry| matches!(entry.event, Event::Entered { .. });
    Ok(TakenUp {
        engine,
        last: inputs.last().map_or(Tick::default(), |(at, _)| *at),
        phase_since: history.iter().rev().find(entered).map_or(Tick::default(), |entry| entry.at),
        history,
    })
}

/// The outage of a batch whose last input is at `last`, by its newest clock entry and by what the
/// clock shows `now`, with the speed at which the batch shall go on (of two speeds the one counts
/// that makes it longer). `None` where nobody knows.
pub fn outage_ms(entry: Option<&ClockEntry>, now: Option<&ClockEntry>, last: Tick) -> Option<u64> {
    let (then, now) = entry.zip(now)?;
    if then.moment.boot_id != now.moment.boot_id {
        return None;
    }
    let ran_ms = last.ms().checked_sub(then.tick_ms)? / u64::from(then.speed.max(1));
    let stopped_ms = then.moment.since_boot_ms.checked_add(ran_ms)?;
    let real_ms = now.moment.since_boot_ms.checked_sub(stopped_ms)?;
    real_ms.checked_mul(u64::from(now.speed.max(then.speed).max(1)))
}

/// Where the batch's own time goes on after its last input.
pub fn goes_on_at(last: Tick, outage_ms: Option<u64>, recipe: &Recipe) -> Tick {
    last.plus_ms(outage_ms.unwrap_or(recipe.beyond_every_limit_ms()).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::fixture;
    use crate::store::BootMoment;

    fn entry(boot_id: &str, since_boot_ms: u64, tick_ms: u64, speed: u32) -> ClockEntry {
        ClockEntry { moment: BootMoment { boot_id: boot_id.into(), since_boot_ms }, tick_ms, speed }
    }

    fn outage(then: &ClockEntry, now: &ClockEntry, last_ms: u64) -> Option<u64> {
        outage_ms(Some(then), Some(now), Tick::from_ms(last_ms))
    }

    #[test]
    fn within_one_start_of_the_computer_an_outage_is_measured_from_the_last_input() {
        let begun = entry("b1", 5_000, 0, 1);
        assert_eq!(outage(&begun, &entry("b1", 75_000, 0, 1), 60_000), Some(10_000));
        assert_eq!(outage(&begun, &entry("b2", 75_000, 0, 1), 60_000), None, "another start");
        assert_eq!(outage(&begun, &entry("b1", 64_999, 0, 1), 60_000), None, "it went back");
        assert_eq!(outage(&entry("b1", 5_000, 70_000, 1), &begun, 60_000), None, "an odd record");
        assert_eq!(outage_ms(None, Some(&begun), Tick::default()), None);
        assert_eq!(outage_ms(Some(&begun), None, Tick::default()), None);
    }

    #[test]
    fn on_a_simulated_machine_the_outage_is_in_its_own_time() {
        let resumed = entry("b1", 10_000, 600_000, 60);
        for speed in [60, 1] {
            let now = entry("b1", 13_000, 0, speed);
            let found = outage(&resumed, &now, 660_000);
            assert_eq!(found, Some(120_000), "a second until the crash, two without anybody");
        }
    }

    #[test]
    fn time_goes_on_by_the_outage_and_past_every_limit_if_nobody_knows_it() {
        let recipe = fixture::recipe();
        let last = Tick::from_ms(1_000);
        assert_eq!(goes_on_at(last, Some(500), &recipe), Tick::from_ms(1_500));
        assert_eq!(goes_on_at(last, Some(0), &recipe), Tick::from_ms(1_001), "never back");
        let unknown = goes_on_at(last, None, &recipe).ms_since(last);
        let limits = [recipe.heat_up.fail_ms, recipe.cooling.fail_ms, recipe.limits.load_max_ms];
        assert!(limits.iter().all(|limit| unknown > *limit), "{unknown}");
    }
}
