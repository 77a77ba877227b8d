//! The holds of a curve: when each began, how long it lasted unbroken, and what broke it.
//!
//! A hold begins on the row at which the clearance has been high enough for long enough, and
//! counts from that row. It lasts up to the last row on which every required probe was read and
//! no mean was below its limit, so that nothing unproven counts: it is complete only on such a
//! row, as for the engine, and until then a break makes it begin again.

use super::moments::{Below, Gap, Moment};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::HoldRule;

/// One unbroken hold; rows are given by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// The row with which it began.
    pub(super) first: usize,
    /// The last row that counts.
    pub(super) last: usize,
    pub(super) ms: u64,
}

/// Why a hold was broken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Lid,
    Gap(Gap),
    Below(Below),
    Interrupted,
}

/// A hold that was broken before it was complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Break {
    /// When, on the curve's own time.
    pub(super) t_ms: u64,
    pub(super) held_ms: u64,
    pub(super) reason: Reason,
}

/// All holds of a curve.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// The row with which the first one began.
    pub(super) first_begin: Option<usize>,
    pub(super) longest: Option<Hold>,
    /// The first that reached the recipe's length.
    pub(super) complete: Option<Hold>,
    /// The last row of the complete hold, if that ended: by a break or by the controller.
    pub(super) ended: Option<usize>,
    pub(super) breaks: Vec<Break>,
}

/// Whether the controller no longer holds: what follows cannot be part of a hold.
pub(super) const fn is_past_hold(phase: PhaseName) -> bool {
    match phase {
        PhaseName::Cool | PhaseName::Unload | PhaseName::Finished | PhaseName::Aborted => true,
        PhaseName::Preheat | PhaseName::Load | PhaseName::ComeUp | PhaseName::Hold => false,
    }
}

fn reason(moment: &Moment) -> Option<Reason> {
    // Nobody watched: whatever the readings say now, it is not one hold.
    if moment.resumed {
        return Some(Reason::Interrupted);
    }
    if moment.lid_open {
        return Some(Reason::Lid);
    }
    moment.gap.map(Reason::Gap).or_else(|| moment.below.map(Reason::Below))
}

/// Finds the holds.
pub(super) fn holds(rule: &HoldRule, moments: &[Moment]) -> Holds {
    let mut holds = Holds::default();
    let mut open: Option<Hold> = None;
    let mut steady_since: Option<u64> = None;
    for (at, moment) in moments.iter().enumerate() {
        let reason = reason(moment);
        if let Some(hold) = open.as_mut() {
            match reason {
                None if moment.all_read => {
                    let began_ms = moments.get(hold.first).map_or(moment.t_ms, |m| m.t_ms);
                    (hold.last, hold.ms) = (at, moment.t_ms.saturating_sub(began_ms));
                }
                None => {}
                Some(reason) => {
                    let broken = *hold;
                    open = None;
                    holds.end(broken, rule);
                    holds.broken(moment.t_ms, broken, reason);
                }
            }
        }
        if open.is_none() {
            steady_since = steady(moment, steady_since);
            let steady_ms = steady_since.map(|since| moment.t_ms.saturating_sub(since));
            if steady_ms.is_some_and(|ms| ms >= rule.begin_after_ms) {
                open = Some(Hold { first: at, last: at, ms: 0 });
                steady_since = None;
                holds.first_begin.get_or_insert(at);
            }
        }
        // The phase is the one after this row, so this row itself still belongs to the hold.
        if moment.phase.is_some_and(is_past_hold) {
            if let Some(hold) = open {
                holds.end(hold, rule);
            }
            return holds;
        }
    }
    if let Some(hold) = open {
        holds.close(hold, rule);
    }
    holds
}

/// Since when the clearance has been high enough, without a gap and with the lid not open. The
/// row that ends a gap does not count yet.
fn steady(moment: &Moment, since: Option<u64>) -> Option<u64> {
    if moment.lid_open || !moment.begins || moment.gap.is_some() {
        return None;
    }
    since.filter(|_| !moment.resumed).or(Some(moment.t_ms))
}

impl Holds {
    /// Closes a hold that is over. The first one that is complete tells when cooling began.
    fn end(&mut self, hold: Hold, rule: &HoldRule) {
        self.close(hold, rule);
        if self.complete == Some(hold) {
            self.ended = Some(hold.last);
        }
    }

    fn close(&mut self, hold: Hold, rule: &HoldRule) {
        if self.longest.is_none_or(|longest| longest.ms < hold.ms) {
            self.longest = Some(hold);
        }
        if self.complete.is_none() && hold.ms >= rule.hold_ms {
            self.complete = Some(hold);
        }
    }

    /// Once a hold was complete, cooling begins: nothing restarts any more.
    fn broken(&mut self, t_ms: u64, hold: Hold, reason: Reason) {
        if self.complete.is_none() {
            self.breaks.push(Break { t_ms, held_ms: hold.ms, reason });
        }
    }
}

#[cfg(test)]
mod tests;
