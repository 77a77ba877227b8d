//! Invariant 2 on the machine itself: whether the heater has power that it must not have, from
//! the truth of the relay and from what reached the machine. It knows the cut as the unit
//! declares it, and nothing of how the rig goes about it.

use holder_hal::{Command, Tick};
use holder_sim::plant::Truth;

use super::scenario::Cut;

/// The plant computes in steps of so much, milliseconds: its relay follows that much later.
const STEP_MS: u64 = 500;
/// What a bath can gain in one such step at full power and more, K.
const STEP_K: f64 = 0.1;

/// Whose heat it is that the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// What was commanded.
    Commanded,
    /// The device took a set point of its own: until the next command, or its watchdog.
    Reset,
    /// A relay that sticks, or a device in manual, which takes no command and whose watchdog is fed
    /// by what it does not take.
    TakesNothing,
}

/// What the heater may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supply {
    cut: Cut,
    arrived: Tick,
    heats: bool,
}

impl Supply {
    /// A machine that was just switched on has no heat.
    pub(crate) const fn new(cut: Cut) -> Self {
        Self { cut, arrived: Tick::from_ms(0), heats: false }
    }

    /// A command reached the machine, and it follows it.
    pub(crate) fn arrived(&mut self, now: Tick, command: &Command) {
        (self.arrived, self.heats) = (now, command.heats());
    }

    /// When the last command reached the machine.
    pub(crate) const fn last_arrived(&self) -> Tick {
        self.arrived
    }

    /// What is wrong if the heater has power now; `None` where it has none, or may have it. A limit
    /// thermostat takes the power away whosever heat it is.
    pub(crate) fn misses(&self, now: Tick, truth: &Truth, own: Own) -> Option<String> {
        if truth.supply_share <= 0.0 {
            return None;
        }
        let silent_ms = now.ms_since(self.arrived);
        if own == Own::Commanded && !self.heats {
            return (silent_ms > STEP_MS)
                .then(|| format!("the heater has power {silent_ms} ms after it was told off"));
        }
        match self.cut {
            Cut::Watchdog(within_ms) => {
                (own != Own::TakesNothing && silent_ms > within_ms + STEP_MS).then(|| {
                    format!(
                        "the heater has power {silent_ms} ms after the last command arrived; the \
                         unit declares {within_ms} ms"
                    )
                })
            }
            Cut::Limit(limit_c) => (truth.bath_c > limit_c + STEP_K).then(|| {
                format!(
                    "the heater has power at {:.2} °C of the bath; the unit declares a limit of \
                     {limit_c:.2} °C",
                    truth.bath_c
                )
            }),
        }
    }
}
