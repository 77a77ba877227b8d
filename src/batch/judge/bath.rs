//! Something cold that came into the bath: bottles that were added are colder than the control
//! bottle, which shows nothing of them.
//!
//! A bath whose heater works stands or rises once it has taken up its load; when its set point is
//! let down it falls by its loss to the room. What makes it fall faster took its heat away: cold
//! bottles, cold water, an open lid, a heater that failed. An open lid that was told is waited for
//! (`newcomer`), whatever came in under it. Only where the record says that no heat was wanted, or where
//! readings were missing, the interlocks may have cut the heat, and the milk that is still cold takes
//! the heat alone.

use super::seen::Seen;
use super::track::{Point, Track};
use super::words::{degrees, finding, span};
use crate::batch::curve::Row;
use crate::batch::verdict::{Finding, Rule, Severity};

/// Until then the bath may fall for the load itself, milliseconds (PLANT: 190 s with 3 kW).
const LOAD_TAKEN_MS: i64 = 300_000;
/// Means of so long are compared, milliseconds …
const MEAN_MS: i64 = 10_000;
/// … over so long.
const MINUTE_MS: i64 = 60_000;
/// The heaviest load of PLANT takes a kelvin a minute from its bath at a gap of 13 K: one tenth
/// of the gap is more than any takes.
const GAP_PER_FALL: i64 = 10;

/// Heat that was cut so long ago no longer matters, milliseconds: one missed reading may cut it,
/// and the device's own controller begins again from nothing.
const CUT_MS: i64 = 180_000;
/// So far above its level at the loading the bath is too hot, and the heat is cut, millikelvin …
const TOO_HOT_MILLI: i64 = 500;
/// … but never nearer to the floor than this, millikelvin: a load may have cooled the bath by
/// kelvins before it was confirmed, and no controller that works calls a bath too hot that has to
/// heat milk above the floor.
const CLAMP_LEAST_MILLI: i64 = 1_000;

/// How long something that the interlocks need was not read, or jumped, or no heat was wanted,
/// summed up to each row.
struct Blind(Vec<(i64, i64)>);

impl Blind {
    fn of<'a>(seen: &Seen<'a>, track: &Track) -> Self {
        let needed = |row: &Row| {
            row.bath.is_some() && row.milk.iter().take(seen.probes()).all(Option::is_some)
        };
        // A reading that jumps may cut the heat as one that is missing does.
        let jump = i64::from(seen.recipe.plausibility.jump_max.milli());
        let jumps = |before: &Row, row: &Row| {
            let pairs = before.milk.iter().zip(&row.milk).take(seen.probes());
            pairs
                .filter_map(|(a, b)| Some((a.as_ref()?.milli(), b.as_ref()?.milli())))
                .any(|(a, b)| (i64::from(a) - i64::from(b)).abs() > jump)
        };
        let (mut last_ms, mut total_ms) = (0, 0_i64);
        let mut before: Option<&Row> = None;
        let sum = |row: &'a Row| {
            let t_ms = track.since_start(row.t_ms);
            let step_ms = t_ms.saturating_sub(last_ms);
            last_ms = t_ms;
            let is_blind = !needed(row)
                || row.heats == Some(false)
                || step_ms.unsigned_abs() > seen.curve.max_gap_ms
                || before.is_some_and(|before| jumps(before, row));
            before = Some(row);
            if is_blind {
                total_ms = total_ms.saturating_add(step_ms);
            }
            (t_ms, total_ms)
        };
        Self(seen.rows.iter().map(sum).collect())
    }

    fn until(&self, t_ms: i64) -> i64 {
        let rows = self.0.partition_point(|(at_ms, _)| *at_ms <= t_ms);
        rows.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |(_, total_ms)| *total_ms)
    }

    /// Whether the heat may have been cut shortly before or between these two.
    fn may_have_cut(&self, from: &Point, to: &Point) -> bool {
        self.until(to.t_ms) > self.until(from.t_ms - CUT_MS)
    }
}

/// A bath that an open lid has cooled, or what came in under it, falls for no longer after the lid
/// was closed, milliseconds: cold bottles take the most at once, and a heater answers within a
/// minute and a half (PLANT: 13 s + 4 × 16 s).
const LID_MS: i64 = 120_000;

/// When the lid was told open, as far as the hold waits for what came in.
struct Lid(Vec<i64>);

impl Lid {
    fn of(seen: &Seen, track: &Track) -> Self {
        let moments = seen.moments.iter().filter(|moment| moment.lid_open);
        let is_waited_for = seen.held_back.is_some();
        Self(moments.filter(|_| is_waited_for).map(|m| track.since_start(m.t_ms)).collect())
    }

    /// Whether it was open shortly before or between these two.
    fn was_open(&self, from: &Point, to: &Point) -> bool {
        let next = self.0.partition_point(|at_ms| *at_ms < from.t_ms - LID_MS);
        self.0.get(next).is_some_and(|at_ms| *at_ms <= to.t_ms)
    }
}

/// A fall of the bath beyond what is allowed, millikelvin.
struct Fall {
    then: Point,
    at: Point,
    ms: i64,
    fell: i64,
    allowed: i64,
}

/// The latest point that lies at least this long before.
fn before(points: &[Point], from: usize, span_ms: i64, at: &Point) -> usize {
    let mut first = from;
    while points.get(first + 1).is_some_and(|next| at.t_ms - next.t_ms >= span_ms) {
        first += 1;
    }
    first
}

fn falls(points: &[Point], a_minute: i64, is_cut: impl Fn(&Point, &Point) -> bool) -> Vec<Fall> {
    let (mut minute, mut earlier, mut recent) = (0, 0, 0);
    let mut found = Vec::new();
    for at in points {
        minute = before(points, minute, MINUTE_MS, at);
        recent = before(points, recent, MEAN_MS, at);
        let Some((then, lately)) = points.get(minute).zip(points.get(recent)) else { continue };
        earlier = before(points, earlier, MEAN_MS, then);
        let Some(before_then) = points.get(earlier) else { continue };
        let ms = at.t_ms - then.t_ms;
        if ms < MINUTE_MS || then.t_ms - before_then.t_ms < MEAN_MS {
            continue;
        }
        let fell = then.bath_mean_since(before_then) - at.bath_mean_since(lately);
        let allowed = |a_minute: i64| a_minute.saturating_mul(ms) / MINUTE_MS;
        if fell <= allowed(a_minute) {
            continue;
        }
        let taken = at.gap_mean_since(then).max(0) / GAP_PER_FALL;
        let allowed = allowed(if is_cut(then, at) { a_minute + taken } else { a_minute });
        if fell > allowed {
            found.push(Fall { then: *then, at: *at, ms, fell, allowed });
        }
    }
    found
}

/// The bath fell faster than the room and the milk can have cooled it, after it had taken up the
/// load and before the hold was over.
pub(super) fn fall(seen: &Seen, track: &Track) -> Option<Finding> {
    let from_ms = if seen.curve.load_ms.is_some() { LOAD_TAKEN_MS } else { 0 };
    let heated = track.between(from_ms, track.since_start(seen.heated_until_ms()));
    let a_minute = i64::from(seen.recipe.plausibility.bath_fall_max.milli());
    let (blind, lid) = (Blind::of(seen, track), Lid::of(seen, track));
    let clamp_least = i64::from(seen.recipe.hold.floor.milli()) + CLAMP_LEAST_MILLI;
    let too_hot = track.points.first()?.bath.max(clamp_least) + TOO_HOT_MILLI;
    let was_too_hot = |from: &Point| {
        track.between(from.t_ms - CUT_MS, from.t_ms).iter().any(|point| point.bath > too_hot)
    };
    let is_cut = |from: &Point, to: &Point| blind.may_have_cut(from, to);
    let falls = falls(heated, a_minute, is_cut).into_iter();
    let worst = falls
        .filter(|fall| !was_too_hot(&fall.then) && !lid.was_open(&fall.then, &fall.at))
        .max_by_key(|fall| fall.fell - fall.allowed)?;
    let text = format!(
        "The bath fell by {} °C within {}; {} °C is allowed: something cold came in, the lid was \
         open, or the heater failed. Bottles that were added are colder than the control bottle.",
        degrees(worst.fell),
        span(worst.ms.unsigned_abs()),
        degrees(worst.allowed)
    );
    Some(finding(Rule::BathFall, Severity::Fail, Some(track.at_ms(&worst.at)), text))
}

#[cfg(test)]
mod tests;
