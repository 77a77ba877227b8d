//! Nobody watched for longer than a turn can take: the program stood still, and goes on.

use holder_hal::{Machine, Tick};

use super::ControlLoop;
use crate::batch::event::{Action, Input};
use crate::station::recorder::RecordError;

/// So many periods a turn takes at most that waits for everything: a question, the disk, a command,
/// and the next question, each given up in time; half a period to spare.
const TURN_PERIODS_MAX: u64 = 4;

/// A machine of which nobody saw anything for longer than this was not watched, milliseconds: a batch
/// is taken up as after a crash. That is the recipe's `max_gap` (10 s), after which no hold counts on
/// anyway. A period that is late on a busy computer is far below; and at full power the fastest bath of
/// PLANT (7.8 kW, 28 l) comes in that time to no more than 0.7 K above its clamp, where no milk is
/// cooked.
pub(crate) fn unwatched_ms_max(max_gap_ms: u64, period_ms: u64) -> u64 {
    max_gap_ms.max(TURN_PERIODS_MAX * period_ms)
}

impl<M: Machine> ControlLoop<M> {
    /// A program that stood still (SIGSTOP, a computer that slept, a debugger) and goes on is where
    /// one is that was killed and started again: the machine did what it was told last, and nobody
    /// watched. Heat goes off, and the recipe's rule decides; whether that was the case.
    pub(super) async fn notice_absence(&mut self) -> Result<bool, RecordError> {
        let now = self.clock.now();
        let params = self.engine.params();
        let max_ms = unwatched_ms_max(params.recipe.hold.max_gap_ms, params.period_ms);
        let max_ms = self.clock.real_ms(max_ms);
        let gone_ms = self.newest.unwatched_ms(now).filter(|gone_ms| *gone_ms > max_ms);
        let Some(gone_ms) = gone_ms.filter(|_| !self.engine.phase().is_final()) else {
            return Ok(false);
        };
        tracing::warn!(gone_ms, "the program stood still");
        while let Ok(action) = self.actions.try_recv() {
            self.waiting.push_back(action);
        }
        // Whoever confirmed that before did not know of this.
        self.waiting.retain(|action| *action != Action::ConfirmHeat);
        self.take_up(now, Action::Resume { outage_ms: Some(gone_ms) }).await?;
        Ok(true)
    }

    /// The batch goes on after nobody watched it; what is read now came after that.
    pub(super) async fn take_up(&mut self, at: Tick, resume: Action) -> Result<(), RecordError> {
        self.take(at, Input::Operator(resume)).await?;
        self.newest.read_after_input();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_waits_for_everything_is_no_absence() {
        assert_eq!(unwatched_ms_max(10_000, 1_000), 10_000, "the recipe's max_gap");
        assert_eq!(
            unwatched_ms_max(3_000, 2_000),
            8_000,
            "two questions, a disk and a command: 7 s"
        );
    }
}
