//! Readings that change faster than a bottle can: a probe pulled out of its bottle, put into the
//! bath, exchanged, or disturbed; a unit changed at the panel; the end of a frozen value.
//!
//! **Terms.** *Anchor*: the latest reading that is at least 20 s old and not in doubt. An
//! *excursion* begins with a reading that no bottle can have come to from the anchor, and ends
//! with one that this bottle would have come to. One that does not end is a *shift*.

use super::seen::Seen;
use super::track::{Point, SETTLED_MS, Track};
use super::words::{degrees, finding, span};
use crate::batch::verdict::{Finding, Rule, Severity};

/// In this time a probe shows nearly all of a new place, and a bottle little, milliseconds.
const ANCHOR_MS: i64 = 20_000;
/// Above what milk can have, longer than this is a shift, milliseconds: any bottle gets there.
const ABOVE_MAX_MS: i64 = 60_000;
/// So many excursions in a hold fail it: several must agree (DESIGN).
const IN_HOLD_MAX: usize = 3;

/// A stretch of readings that are not of the milk.
#[derive(Clone, Copy, Debug)]
struct Excursion {
    /// The last reading before.
    anchor: Point,
    /// The first that cannot be of the milk.
    first: Point,
    /// The first that is of it again; `None` is a shift.
    back: Option<Point>,
}

impl Excursion {
    fn is_above(&self) -> bool {
        self.first.milk > self.anchor.milk
    }

    fn lasted_ms(&self) -> i64 {
        self.back.map_or(0, |back| back.t_ms - self.first.t_ms)
    }
}

/// How far milk of this lag goes towards a bath so far away, in this time: the exponential by
/// its first two terms, which is exact enough for a fraction of the lag.
fn follows(gap: i64, ms: i64, lag_ms: i64) -> i64 {
    gap.saturating_mul(2 * ms) / (2 * lag_ms + ms).max(1)
}

/// The same over a hole in the readings, which may be longer than the lag: never beyond the bath.
fn follows_unread(gap: i64, ms: i64, lag_ms: i64) -> i64 {
    follows(gap, ms.min(2 * lag_ms), lag_ms)
}

/// The lines for one track.
#[derive(Clone, Copy, Debug)]
struct Lines {
    jump: i64,
    lag_min_ms: i64,
    /// The lag of this very bottle, if the come-up shows it.
    lag_own_ms: Option<i64>,
}

impl Lines {
    fn of(seen: &Seen, track: &Track) -> Self {
        let rule = &seen.recipe.plausibility;
        Self {
            jump: i64::from(rule.jump_max.milli()),
            lag_min_ms: i64::try_from(rule.bottle_lag_min_ms).unwrap_or(i64::MAX / 4),
            lag_own_ms: track.lag_own_ms(),
        }
    }

    /// Whether some bottle could have come from one reading to the other.
    fn can_be(&self, from: &Point, to: &Point) -> bool {
        let change = to.milk - from.milk;
        if change.abs() <= self.jump {
            return true;
        }
        let gap = to.bath_mean_since(from) - from.milk;
        let most = follows(gap, to.t_ms - from.t_ms, self.lag_min_ms);
        (most.min(0) - self.jump..=most.max(0) + self.jump).contains(&change)
    }

    /// Whether a bottle could have come from one reading to the other while nobody read it, in
    /// whichever of the two baths: this bottle, a quarter faster than it was, where its lag is
    /// known, since the fastest of all comes close to any bath within a minute or two.
    fn can_be_unread(&self, from: &Point, to: &Point) -> bool {
        let lag_ms = self.lag_own_ms.map_or(self.lag_min_ms, |own_ms| own_ms - own_ms / 5);
        let towards = |bath: i64| follows_unread(bath - from.milk, to.t_ms - from.t_ms, lag_ms);
        let (one, other) = (towards(from.bath), towards(to.bath));
        let (least, most) = (one.min(other).min(0), one.max(other).max(0));
        (least - self.jump..=most + self.jump).contains(&(to.milk - from.milk))
    }

    /// Whether this bottle comes from one reading to the other.
    fn is_back(&self, from: &Point, to: &Point) -> bool {
        let Some(lag_ms) = self.lag_own_ms else { return self.can_be(from, to) };
        let gap = to.bath_mean_since(from) - from.milk;
        let expected = follows(gap, to.t_ms - from.t_ms, lag_ms);
        let allowed = self.jump + expected.abs() / 4;
        (to.milk - from.milk - expected).abs() <= allowed
    }
}

/// All excursions from a minute after the loading to the end of the hold.
fn excursions(
    points: &[Point],
    lines: Lines,
    is_hole: impl Fn(&Point, &Point) -> bool,
) -> Vec<Excursion> {
    let mut found = Vec::new();
    let (mut anchor, mut open): (usize, Option<Excursion>) = (0, None);
    for (at, point) in points.iter().enumerate().skip(1) {
        if let Some(mut excursion) = open {
            let lasts_ms = point.t_ms - excursion.first.t_ms;
            if lines.is_back(&excursion.anchor, point) {
                excursion.back = Some(*point);
            } else if !excursion.is_above() || lasts_ms <= ABOVE_MAX_MS {
                continue;
            }
            found.push(excursion);
            (open, anchor) = (None, at);
            continue;
        }
        while points.get(anchor + 1).is_some_and(|next| point.t_ms - next.t_ms >= ANCHOR_MS) {
            anchor += 1;
        }
        let pair = points.get(anchor).zip(points.get(anchor + 1));
        let from = pair.filter(|(from, next)| {
            let unread = is_hole(from, next);
            !if unread { lines.can_be_unread(from, point) } else { lines.can_be(from, point) }
        });
        let from = from.map(|(from, _)| from);
        open = from.map(|from| Excursion { anchor: *from, first: *point, back: None });
    }
    found.extend(open);
    found
}

/// What the readings did that no milk does.
pub(super) fn jumps(seen: &Seen, track: &Track) -> Vec<Finding> {
    let until_ms = track.since_start(seen.heated_until_ms());
    let from_ms = if seen.curve.load_ms.is_some() { SETTLED_MS } else { 0 };
    let lines = Lines::of(seen, track);
    let points = track.between(from_ms, until_ms);
    let found = excursions(points, lines, |before, after| track.is_hole(before, after));
    let in_hold = found.iter().filter(|excursion| is_in_hold(seen, track, excursion)).count();
    let weight = |excursion: &Excursion| {
        let lasted_ms = excursion.lasted_ms().unsigned_abs();
        let is_long = lasted_ms > seen.curve.max_gap_ms;
        let is_in_hold = is_in_hold(seen, track, excursion);
        match excursion.back {
            None => Severity::Fail,
            Some(_) if is_in_hold && excursion.is_above() && is_long => Severity::Fail,
            Some(_) if is_in_hold && in_hold >= IN_HOLD_MAX => Severity::Fail,
            Some(_) if is_in_hold || is_long => Severity::Deviation,
            Some(_) => Severity::Note,
        }
    };
    let told = |excursion: &Excursion| {
        let severity = weight(excursion);
        let text = sentence(track.probe, excursion);
        finding(Rule::ProbeJump, severity, Some(track.at_ms(&excursion.first)), text)
    };
    // One of a kind is enough to decide; hundreds of spikes are one fault.
    let mut findings: Vec<Finding> = found.iter().map(told).collect();
    findings.sort_by_key(|found| std::cmp::Reverse(found.severity));
    let many = findings.len();
    findings.truncate(1);
    if let (Some(first), true) = (findings.first_mut(), many > 1) {
        first.text = format!("{} This is one of {many} such changes.", first.text);
    }
    findings
}

/// Whether it touches the hold that counts, or the readings with which that began.
fn is_in_hold(seen: &Seen, track: &Track, excursion: &Excursion) -> bool {
    let Some(hold) = seen.holds.complete.or(seen.holds.longest) else { return false };
    let t_ms = |row: usize| seen.rows.get(row).map_or(0, |row| track.since_start(row.t_ms));
    let rule = &seen.recipe.hold;
    let before_ms = rule.begin_after_ms.saturating_add(rule.mean_ms);
    let before_ms = i64::try_from(before_ms).unwrap_or(i64::MAX);
    let from_ms = t_ms(hold.first).saturating_sub(before_ms);
    let back_ms = excursion.back.map_or(i64::MAX, |back| back.t_ms);
    back_ms >= from_ms && excursion.first.t_ms <= t_ms(hold.last)
}

fn sentence(probe: usize, excursion: &Excursion) -> String {
    let Excursion { anchor, first, back } = excursion;
    let verb = if excursion.is_above() { "rose" } else { "fell" };
    let after = match back {
        None => "and did not come back: it is not the milk that it shows".to_owned(),
        Some(_) => format!(
            "and came back after {}: it was not the milk that it showed",
            span(excursion.lasted_ms().unsigned_abs())
        ),
    };
    format!(
        "Milk probe {} {verb} from {} to {} °C within {}, faster than any bottle, {after}.",
        probe + 1,
        degrees(anchor.milk),
        degrees(first.milk),
        span((first.t_ms - anchor.t_ms).unsigned_abs())
    )
}

#[cfg(test)]
mod tests;
