//! Whether orders reach the machine, counted in a row: what is an alarm, and what a person must act
//! on.

use holder_hal::Command;

use crate::batch::event::Action;

/// So many heat-off commands lost in a row, and a person must act.
const OFFS_LOST_MAX: u32 = 2;
/// So many orders lost in a row, and it is an alarm.
const LOST_MAX: u32 = 2;

/// Orders that were lost, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Orders {
    lost: u32,
    offs_lost: u32,
}

impl Orders {
    /// A command was sent: it arrived and was taken, or that is not known.
    pub(crate) fn sent(&mut self, command: &Command, arrived: bool) {
        self.lost = if arrived { 0 } else { self.lost.saturating_add(1) };
        self.offs_lost = match (arrived, command.heats()) {
            (true, _) => 0,
            (false, true) => self.offs_lost,
            (false, false) => self.offs_lost.saturating_add(1),
        };
    }

    /// What an engine that was `told` of lost orders, or not, must know now: that several were
    /// lost, or that they arrive again.
    pub(crate) fn changed(self, told: bool) -> Option<Action> {
        match (self.lost, told) {
            (0, true) => Some(Action::Orders { arrive: true }),
            (LOST_MAX.., false) => Some(Action::Orders { arrive: false }),
            (_, true | false) => None,
        }
    }

    /// Whether the newest order arrived.
    pub(crate) fn arrive(self) -> bool {
        self.lost == 0
    }

    /// Whether a person must switch the heat off at the machine.
    pub(crate) fn offs_are_lost(self) -> bool {
        self.offs_lost >= OFFS_LOST_MAX
    }
}

#[cfg(test)]
mod tests {
    use holder_hal::{Duty, Heat};

    use super::*;

    #[test]
    fn two_orders_lost_in_a_row_are_told_once_and_the_first_that_arrives_ends_it() {
        let off = Command::safe(false);
        let mut orders = Orders::default();
        orders.sent(&off, false);
        assert_eq!(orders.changed(false), None, "one may be lost");
        assert!(!orders.arrive());
        orders.sent(&off, true);
        orders.sent(&off, false);
        assert_eq!(orders.changed(false), None, "not in a row");
        orders.sent(&off, false);
        assert_eq!(orders.changed(false), Some(Action::Orders { arrive: false }));
        assert_eq!(orders.changed(true), None, "it knows");
        orders.sent(&off, true);
        assert_eq!(orders.changed(true), Some(Action::Orders { arrive: true }));
        assert!(orders.arrive());
    }

    #[test]
    fn a_lost_command_to_heat_asks_nobody_to_switch_off() {
        let heat = Command { heat: Heat::Duty(Duty::FULL), ..Command::safe(false) };
        let mut orders = Orders::default();
        for _ in 0..3 {
            orders.sent(&heat, false);
        }
        assert!(!orders.offs_are_lost());
        orders.sent(&Command::safe(false), false);
        assert!(!orders.offs_are_lost());
        orders.sent(&Command::safe(false), false);
        assert!(orders.offs_are_lost());
    }
}
