//! What may have come in after the control bottle: nobody saw it, and the control bottle shows
//! nothing of it. So a bottle that is as cold as milk can be counts as milk from the last row on
//! that told an open lid, and no hold begins before it is warm. The load may have come in until it was
//! confirmed: its last bottle, too, must have been at the floor for as long as the hold.
//!
//! It stands in the same bath as the control bottle. What it is *behind* the control bottle shrinks
//! by the same share in the same time, whatever the bath does: the lag of this batch tells in which.

use super::hold::is_past_hold;
use super::moments::Moment;
use super::seen::Seen;
use super::track::{SETTLED_MS, Track};
use super::words::{degrees, finding, span};
use crate::batch::verdict::{Finding, Rule, Severity};

/// Milk is put in liquid: nothing is colder, millidegrees.
const COLDEST_MILLI: i64 = 0;
/// Where no probe was read a bottle is no warmer than this, millidegrees.
const WARMEST_MILLI: i64 = 100_000;
/// An eighth of what it is behind is gone after this share of the lag, thousandths: −ln(7/8) =
/// 0.1335, and a tenth more for a bottle in a slow place (PLANT: the control bottle is within 5 %
/// of the slowest).
const EIGHTH_PERMILLE: i64 = 147;
/// For the bottles of the load the margin has that tenth already.
const EIGHTH_OF_LOAD_PERMILLE: i64 = 134;
/// A bottle of the load that was this far below the floor shows a load that took too long,
/// millidegrees: noise and steps of a reading are less.
const BELOW_FLOOR_MILLI: i64 = 100;
/// After so many eighths nothing is left that anybody could measure.
const EIGHTHS_MAX: i64 = 80;

/// An open lid that kept a hold from beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldBack {
    /// The last row that told the lid open, on the curve's own time.
    pub(super) open_ms: u64,
    /// The first row after it on which nothing but time had kept a hold from beginning.
    pub(super) until_ms: u64,
}

/// What is left of `behind` millikelvin after this time, with this lag, both in milliseconds; an
/// eighth goes in so many thousandths of the lag.
fn left(behind: i64, since_ms: u64, lag_ms: i64, eighth_permille: i64) -> i64 {
    let eighth_ms = (lag_ms.saturating_mul(eighth_permille) / 1_000).max(1);
    let eighths = i64::try_from(since_ms).unwrap_or(i64::MAX) / eighth_ms;
    (0..eighths.min(EIGHTHS_MAX)).fold(behind, |left, _| left - left / 8)
}

/// Keeps holds from beginning while something that came in may be below `line` (floor and widest
/// uncertainty, millidegrees). Tells each opening that did.
pub(super) fn hold_back(moments: &mut [Moment], line: i64, lag_ms: i64) -> Vec<HeldBack> {
    let mut open: Option<(u64, i64)> = None;
    let mut held_back: Vec<HeldBack> = Vec::new();
    let heated = |moment: &&mut Moment| !moment.phase.is_some_and(is_past_hold);
    for moment in moments.iter_mut().take_while(heated) {
        if moment.lid_open {
            let hottest = moment.hottest.map_or(WARMEST_MILLI, |mean| i64::from(mean.up().milli()));
            open = Some((moment.t_ms, hottest - COLDEST_MILLI));
            continue;
        }
        let Some((open_ms, behind)) = open.filter(|_| moment.begins) else { continue };
        let behind = left(behind, moment.t_ms.saturating_sub(open_ms), lag_ms, EIGHTH_PERMILLE);
        moment.begins = moment.coldest.is_some_and(|mean| mean.at_least(line + behind));
        let last = held_back.last_mut().filter(|last| last.open_ms == open_ms);
        match last {
            Some(last) if !moment.begins => last.until_ms = moment.t_ms,
            None if !moment.begins => {
                held_back.push(HeldBack { open_ms, until_ms: moment.t_ms });
            }
            Some(_) | None => {}
        }
    }
    held_back
}

/// The last bottle of a load that was confirmed late, where it was below the floor when the last hold
/// of the recipe's length had to begin. Only where the come-up shows the lag: of a load that was warm
/// by then nobody knows it.
pub(super) fn late_load(seen: &Seen) -> Option<Finding> {
    let hold = seen.holds.complete?;
    seen.curve.load_ms?;
    let began_ms = seen.rows.get(hold.last)?.t_ms.checked_sub(seen.recipe.hold.hold_ms)?;
    let tracks = (0..seen.probes()).map(|probe| Track::of(seen, probe));
    // Of several probes the one that proves most counts.
    let warmest =
        tracks.filter_map(|track| last_of_load(&track, track.since_start(began_ms))).max()?;
    let floor = i64::from(seen.recipe.hold.floor.milli());
    (warmest < floor - BELOW_FLOOR_MILLI).then(|| {
        let text = format!(
            "The control bottle had warmed before the load was confirmed. A bottle that went in last \
             was at {} °C when the last {} of the hold began.",
            degrees(warmest),
            span(seen.recipe.hold.hold_ms)
        );
        finding(Rule::Hold, Severity::Fail, Some(began_ms), text)
    })
}

/// How warm a bottle is at this time since the loading that came in with the loading, as cold as milk
/// can be, millidegrees; `None` where the probe does not show it.
fn last_of_load(track: &Track, at_ms: i64) -> Option<i64> {
    let lag_ms = track.lag_own_ms()?;
    // Nothing is ever colder than milk: by the first readings it was behind by no more than they are
    // above that.
    let first = track.between(0, SETTLED_MS).iter().min_by_key(|point| point.milk)?;
    let then = track.between(at_ms, i64::MAX).first()?;
    let since_ms = u64::try_from(then.t_ms - first.t_ms).ok()?;
    let behind = first.milk - COLDEST_MILLI;
    Some(then.milk - left(behind, since_ms, lag_ms, EIGHTH_OF_LOAD_PERMILLE))
}

#[cfg(test)]
mod tests;
