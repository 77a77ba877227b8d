//! What may have come in after the control bottle: nobody saw it, and the control bottle shows
//! nothing of it. So a bottle that is as cold as milk can be counts as milk from the last row on
//! that told an open lid, and no hold begins before it is warm. The load may have come in until it was
//! confirmed: its last bottle, too, must have been at the floor for as long as the hold.
//!
//! It stands in the same bath as the control bottle. What it is *behind* the control bottle shrinks
//! by the same share in the same time, whatever the bath does: the lag of this batch tells in which. Where
//! the water stopped, and the lag grew, it takes longer than was waited for: then it is looked at again
//! where the hold began. Over a hole in the readings nobody knows that anything was warmed.

use super::hold::is_past_hold;
use super::lag::{self, Grown};
use super::moments::Moment;
use super::seen::Seen;
use super::track::{Point, SETTLED_MS, Track};
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

/// The hottest milk at this moment above the coldest that can be, millikelvin.
fn most_behind(moment: &Moment) -> i64 {
    let hottest = moment.hottest.map_or(WARMEST_MILLI, |mean| i64::from(mean.up().milli()));
    hottest - COLDEST_MILLI
}

/// Keeps holds from beginning while something that came in may be below `line` (floor and widest
/// uncertainty, millidegrees). Tells each opening that did.
pub(super) fn hold_back(moments: &mut [Moment], line: i64, lag_ms: i64) -> Vec<HeldBack> {
    let mut open: Option<(u64, i64)> = None;
    let mut held_back: Vec<HeldBack> = Vec::new();
    let heated = |moment: &&mut Moment| !moment.phase.is_some_and(is_past_hold);
    for moment in moments.iter_mut().take_while(heated) {
        if moment.lid_open {
            open = Some((moment.t_ms, most_behind(moment)));
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

/// What may have come in late, where it was below the floor when the last hold of the recipe's length had
/// to begin: the last bottle of a load that was confirmed late, and whatever came in under an open lid
/// into water that stood still then, or while nothing was read. Only where the come-up shows the lag:
/// of a load that was warm by then nobody knows it.
pub(super) fn too_late(seen: &Seen, tracks: &[Track]) -> Option<Finding> {
    let hold = seen.holds.complete?;
    seen.curve.load_ms?;
    let began_ms = seen.rows.get(hold.last)?.t_ms.checked_sub(seen.recipe.hold.hold_ms)?;
    let own_ms = tracks.iter().filter_map(Track::lag_own_ms).max()?;
    let grown = tracks.iter().filter_map(|track| lag::grown(seen, track)).reduce(Grown::worse);
    let floor = i64::from(seen.recipe.hold.floor.milli());
    let is_cold = |warmest: &i64| *warmest < floor - BELOW_FLOOR_MILLI;
    // Of several probes the one that proves most counts.
    let of_load = tracks.iter().filter_map(|track| last_of_load(track, grown, began_ms)).max();
    let of_lid = tracks.iter().filter_map(|track| {
        let lags = Lags { own_ms, grown, eighth_permille: EIGHTH_PERMILLE };
        under_the_lid(seen, track, lags, began_ms)
    });
    let (warmest, how) = if let Some(warmest) = of_load.filter(is_cold) {
        let how = "The control bottle had warmed before the load was confirmed. A bottle that went \
                   in last";
        (warmest, how)
    } else {
        let how = "The lid was open. A bottle that came in cold then warmed more slowly than the \
                   hold waited for, and";
        (of_lid.max().filter(is_cold)?, how)
    };
    let text = format!(
        "{how} was at {} °C when the last {} of the hold began.",
        degrees(warmest),
        span(seen.recipe.hold.hold_ms)
    );
    Some(finding(Rule::Hold, Severity::Fail, Some(began_ms), text))
}

/// The lags by which a bottle warms.
#[derive(Clone, Copy)]
struct Lags {
    /// At first, milliseconds.
    own_ms: i64,
    /// Since the water stood still, if it did.
    grown: Option<Grown>,
    eighth_permille: i64,
}

impl Lags {
    /// What is left of `behind` from a time since the loading to a point. Over a hole in the readings
    /// nobody knows that anything was warmed.
    fn left(self, track: &Track, behind: i64, from_ms: i64, then: &Point) -> i64 {
        let since_ms = self.grown.map_or(then.t_ms, |grown| grown.since_ms);
        let since_ms = since_ms.min(then.t_ms).max(from_ms);
        let moved_ms = watched_ms(track, from_ms, since_ms);
        let behind = left(behind, moved_ms, self.own_ms, self.eighth_permille);
        let Some(grown) = self.grown else { return behind };
        let stood_ms = watched_ms(track, since_ms, then.t_ms);
        left(behind, stood_ms, grown.lag_ms, self.eighth_permille)
    }
}

/// How warm a bottle is at this time of the curve that came in with the loading, as cold as milk can
/// be, millidegrees; `None` where the probe does not show it.
fn last_of_load(track: &Track, grown: Option<Grown>, at_ms: u64) -> Option<i64> {
    let own_ms = track.lag_own_ms()?;
    let lags = Lags { own_ms, grown, eighth_permille: EIGHTH_OF_LOAD_PERMILLE };
    // Nothing is ever colder than milk: by the first readings it was behind by no more than they are
    // above that.
    let first = track.calm(0, SETTLED_MS).min_by_key(|point| point.milk)?;
    let then = at(track, at_ms)?;
    Some(then.milk - lags.left(track, first.milk - COLDEST_MILLI, first.t_ms, then))
}

/// The same of one that came in with the last row before it that told an open lid.
fn under_the_lid(seen: &Seen, track: &Track, lags: Lags, at_ms: u64) -> Option<i64> {
    let before = seen.moments.iter().take_while(|moment| moment.t_ms <= at_ms);
    let open = before.filter(|moment| moment.lid_open).last()?;
    let then = at(track, at_ms)?;
    let open_ms = track.since_start(open.t_ms);
    Some(then.milk - lags.left(track, most_behind(open), open_ms, then))
}

/// The first point from this time of the curve on.
fn at(track: &Track, at_ms: u64) -> Option<&Point> {
    track.calm(track.since_start(at_ms), i64::MAX).next()
}

/// How long it was from one time since the loading to another, without the holes in the readings.
fn watched_ms(track: &Track, from_ms: i64, to_ms: i64) -> u64 {
    let points = track.between(from_ms, to_ms);
    let steps = points.iter().zip(points.iter().skip(1));
    let watched = steps.filter(|(a, b)| !track.is_hole(a, b)).map(|(a, b)| b.t_ms - a.t_ms);
    watched.sum::<i64>().unsigned_abs()
}

#[cfg(test)]
mod tests;
