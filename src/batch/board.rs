//! Which alarms stand. An alarm latches: it stands until what raised it is over and a person has
//! acknowledged it. Of all that stand, the one that came first is kept apart from what followed.

use super::alarm::{Alarm, HeatRule, Standing};
use super::event::Event;

/// One flag for each alarm, in the order of [`Alarm::ALL`].
pub(super) type Flags = [bool; Alarm::COUNT];

/// The alarms that stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    lasting: Flags,
    unacknowledged: Flags,
    first: Option<Alarm>,
}

fn flag(flags: &Flags, alarm: Alarm) -> bool {
    flags.get(alarm.index()).copied().unwrap_or(false)
}

fn set(flags: &mut Flags, alarm: Alarm, value: bool) {
    if let Some(flag) = flags.get_mut(alarm.index()) {
        *flag = value;
    }
}

impl Board {
    /// Takes over what lasts now, and tells what changed.
    pub(super) fn update(&mut self, lasting: Flags, mut tell: impl FnMut(Event)) {
        if lasting == self.lasting {
            return;
        }
        let before = std::mem::replace(&mut self.lasting, lasting);
        for alarm in Alarm::ALL {
            match (flag(&before, alarm), flag(&lasting, alarm)) {
                (false, true) => {
                    let after = self.first.filter(|first| *first != alarm);
                    self.first = self.first.or(Some(alarm));
                    set(&mut self.unacknowledged, alarm, true);
                    tell(Event::Raised { alarm, after });
                }
                (true, false) => tell(Event::Cleared { alarm }),
                (true, true) | (false, false) => {}
            }
        }
        self.forget_first();
    }

    /// Takes the acknowledgement of an alarm; false if there was nothing to acknowledge.
    pub(super) fn acknowledge(&mut self, alarm: Alarm) -> bool {
        let waits = flag(&self.unacknowledged, alarm);
        set(&mut self.unacknowledged, alarm, false);
        self.forget_first();
        waits
    }

    /// A new first cause is looked for once nothing stands any more.
    fn forget_first(&mut self) {
        if !self.lasting.iter().chain(&self.unacknowledged).any(|stands| *stands) {
            self.first = None;
        }
    }

    /// Whether this alarm stands.
    pub(super) fn stands(&self, alarm: Alarm) -> bool {
        flag(&self.lasting, alarm) || flag(&self.unacknowledged, alarm)
    }

    /// Whether what raised this alarm lasts.
    pub(super) fn lasts(&self, alarm: Alarm) -> bool {
        flag(&self.lasting, alarm)
    }

    /// Whether heat may be on.
    pub(super) fn heat_allowed(&self) -> bool {
        !Alarm::ALL.into_iter().any(|alarm| match alarm.heat() {
            HeatRule::Stays => false,
            HeatRule::OffUntilOver => flag(&self.lasting, alarm),
            HeatRule::OffUntilAcknowledged => self.stands(alarm),
        })
    }

    /// All alarms that stand, by number.
    pub(super) fn standing(&self) -> impl Iterator<Item = Standing> {
        Alarm::ALL.into_iter().filter(|alarm| self.stands(*alarm)).map(|alarm| Standing {
            alarm,
            lasts: flag(&self.lasting, alarm),
            acknowledged: !flag(&self.unacknowledged, alarm),
            first: self.first == Some(alarm),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(alarms: &[Alarm]) -> Flags {
        Alarm::ALL.map(|alarm| alarms.contains(&alarm))
    }

    fn told(board: &mut Board, alarms: &[Alarm]) -> Vec<Event> {
        let mut events = Vec::new();
        board.update(with(alarms), |event| events.push(event));
        events
    }

    #[test]
    fn an_alarm_stands_until_it_is_over_and_acknowledged_in_either_order() {
        for over_first in [true, false] {
            let mut board = Board::default();
            told(&mut board, &[Alarm::LidOpen]);
            if over_first {
                told(&mut board, &[]);
            } else {
                assert!(board.acknowledge(Alarm::LidOpen));
            }
            assert!(board.stands(Alarm::LidOpen));
            if over_first {
                assert!(board.acknowledge(Alarm::LidOpen));
            } else {
                told(&mut board, &[]);
            }
            assert!(!board.stands(Alarm::LidOpen));
            assert!(!board.acknowledge(Alarm::LidOpen), "nothing is left to acknowledge");
        }
    }

    #[test]
    fn what_came_first_is_named_by_all_that_follow_until_nothing_stands() {
        let mut board = Board::default();
        let raised = |alarm, after| Event::Raised { alarm, after };
        let lost = told(&mut board, &[Alarm::BathProbeLost]);
        assert_eq!(lost, [raised(Alarm::BathProbeLost, None)]);
        let followed = told(&mut board, &[Alarm::BathProbeLost, Alarm::MilkTooHot]);
        assert_eq!(followed, [raised(Alarm::MilkTooHot, Some(Alarm::BathProbeLost))]);
        let first: Vec<Alarm> =
            board.standing().filter(|seen| seen.first).map(|seen| seen.alarm).collect();
        assert_eq!(first, [Alarm::BathProbeLost]);
        told(&mut board, &[]);
        board.acknowledge(Alarm::BathProbeLost);
        board.acknowledge(Alarm::MilkTooHot);
        assert_eq!(told(&mut board, &[Alarm::LidOpen]), [raised(Alarm::LidOpen, None)]);
    }

    #[test]
    fn heat_stays_off_for_as_long_as_the_rule_of_the_alarm_says() {
        let mut board = Board::default();
        told(&mut board, &[Alarm::BathProbeLost]);
        assert!(!board.heat_allowed());
        told(&mut board, &[]);
        assert!(board.heat_allowed(), "201 gives heat back by itself");
        told(&mut board, &[Alarm::BathJumps]);
        told(&mut board, &[]);
        assert!(!board.heat_allowed(), "203 waits for a person");
        board.acknowledge(Alarm::BathJumps);
        assert!(board.heat_allowed());
        told(&mut board, &[Alarm::LidOpen]);
        assert!(board.heat_allowed());
    }

    #[test]
    fn what_lasts_and_what_was_seen_are_told_apart() {
        let mut board = Board::default();
        told(&mut board, &[Alarm::LidOpen, Alarm::OrdersLost]);
        board.acknowledge(Alarm::OrdersLost);
        let standing = |board: &Board| -> Vec<(Alarm, bool, bool)> {
            board.standing().map(|seen| (seen.alarm, seen.lasts, seen.acknowledged)).collect()
        };
        let both = [(Alarm::LidOpen, true, false), (Alarm::OrdersLost, true, true)];
        assert_eq!(standing(&board), both);
        assert!(board.lasts(Alarm::LidOpen) && !board.lasts(Alarm::BathJumps));
        told(&mut board, &[]);
        assert_eq!(standing(&board), [(Alarm::LidOpen, false, false)]);
        assert!(!board.lasts(Alarm::LidOpen));
    }
}
