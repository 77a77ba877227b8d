//! How the milk follows the bath. The lag of a bottle hardly changes within a batch (2 % over the
//! good plants of the simulator): one that grows is a stopped agitator, one outside of every
//! bottle's range is another bottle or another probe than was told.

use super::seen::Seen;
use super::track::{Point, SETTLED_MS, Track};
use super::words::{finding, seconds};
use crate::batch::verdict::{Finding, Rule, Severity};

/// A rise of this shows the lag, millikelvin.
const RISE_MILLI: i64 = 3_000;
/// It must last for so many readings.
const STAYS: usize = 12;
/// With a smaller gap the error of the bath probe weighs too much, millikelvin.
const GAP_MIN_MILLI: i64 = 2_000;

/// The lag that one rise shows.
#[derive(Clone, Copy, Debug)]
struct Shown {
    to: Point,
    lag_ms: i64,
}

/// The lags of the rises one after the other.
fn shown(track: &Track, points: &[&Point]) -> Vec<Shown> {
    let mut found = Vec::new();
    let Some(mut from) = points.first().copied() else { return found };
    for (at, (before, to)) in points.iter().copied().zip(points.iter().copied().skip(1)).enumerate()
    {
        if track.is_hole(before, to) {
            from = to;
        }
        let rise = to.milk - from.milk;
        if rise < RISE_MILLI {
            continue;
        }
        // A spike is no rise.
        let mut next = points.iter().skip(at + 1).take(STAYS);
        if next.any(|next| next.milk - from.milk < RISE_MILLI) {
            continue;
        }
        if to.gap_mean_since(from) >= GAP_MIN_MILLI {
            found.push(Shown { to: *to, lag_ms: to.gap_area_since(from) / rise });
        }
        from = to;
    }
    found
}

/// The lags of the come-up.
fn risen(seen: &Seen, track: &Track) -> Vec<Shown> {
    let until_ms = track.since_start(seen.heated_until_ms());
    let points: Vec<&Point> = track.calm(SETTLED_MS, until_ms).collect();
    shown(track, &points)
}

/// The milk that is cooled shows its lag from here …
const COOLED_FROM_MILLI: i64 = 50_000;
/// … to here, millidegrees: whether the water moves shows again after the hold, where milk and bath
/// were at rest.
const COOLED_TO_MILLI: i64 = 20_000;

/// The lag that the cooling shows.
fn cooled_ms(seen: &Seen, track: &Track) -> Option<i64> {
    let cooling_ms = track.since_start(seen.cooling?.from_ms);
    let cooled_to =
        |milli: i64| track.calm(cooling_ms, i64::MAX).find(move |point| point.milk <= milli);
    let (from, to) = (cooled_to(COOLED_FROM_MILLI)?, cooled_to(COOLED_TO_MILLI)?);
    let between = track.between(from.t_ms, to.t_ms);
    let is_unread = between.windows(2).any(|pair| matches!(pair, [a, b] if track.is_hole(a, b)));
    let fell = from.milk - to.milk;
    (fell > 0 && !is_unread).then(|| -to.gap_area_since(from) / fell)
}

/// A lag that has grown by more than a bottle's can: the water stood still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grown {
    /// The slowest that was shown, milliseconds.
    pub(super) lag_ms: i64,
    /// Until then since the loading it had surely not grown, milliseconds.
    pub(super) since_ms: i64,
}

impl Grown {
    /// Of two probes in one bath the worse.
    pub(super) fn worse(self, other: Self) -> Self {
        let lag_ms = self.lag_ms.max(other.lag_ms);
        Self { lag_ms, since_ms: self.since_ms.min(other.since_ms) }
    }
}

/// Whether the lag of this batch grew, in the come-up or until the cooling showed it.
pub(super) fn grown(seen: &Seen, track: &Track) -> Option<Grown> {
    let own_ms = track.lag_own_ms()?.unsigned_abs();
    let risen = risen(seen, track);
    let is_slow = |lag_ms: i64| is_grown(seen, own_ms, lag_ms);
    let sound = risen.iter().take_while(|shown| !is_slow(shown.lag_ms)).count();
    // The water may have stopped within the last rise that does not show it yet.
    let last_sound = sound.checked_sub(2).and_then(|last| risen.get(last));
    let since_ms = last_sound.map_or(0, |shown| shown.to.t_ms);
    let lags = risen.iter().map(|shown| shown.lag_ms).chain(cooled_ms(seen, track));
    lags.max().filter(|lag_ms| is_slow(*lag_ms)).map(|lag_ms| Grown { lag_ms, since_ms })
}

fn is_grown(seen: &Seen, own_ms: u64, lag_ms: i64) -> bool {
    let percent = u64::from(seen.recipe.plausibility.bottle_lag_change_max_percent);
    lag_ms.unsigned_abs() > own_ms.saturating_mul(percent) / 100
}

/// What the lags of a come-up tell, the heaviest only.
pub(super) fn lag(seen: &Seen, track: &Track) -> Option<Finding> {
    let rule = &seen.recipe.plausibility;
    let lags = risen(seen, track);
    let own_ms = track.lag_own_ms()?.unsigned_abs();
    let number = track.probe + 1;
    let whole_s = |ms: u64| seconds(ms).round();
    let range =
        format!("{} to {} s", whole_s(rule.bottle_lag_min_ms), whole_s(rule.bottle_lag_max_ms));
    if own_ms < rule.bottle_lag_min_ms {
        let text = format!(
            "Milk probe {number} followed the bath with a lag of {} s; a bottle has {range}: the \
             probe was not in the milk.",
            whole_s(own_ms)
        );
        return Some(finding(Rule::BottleLag, Severity::Fail, None, text));
    }
    let slowest = lags.into_iter().max_by_key(|shown| shown.lag_ms);
    if let Some(slowest) = slowest.filter(|slowest| is_grown(seen, own_ms, slowest.lag_ms)) {
        let text = format!(
            "The milk at probe {number} followed the bath with a lag of {} s at first and of {} s \
             later; {} % is allowed: the agitator stood still, or the bottles were moved.",
            whole_s(own_ms),
            whole_s(slowest.lag_ms.unsigned_abs()),
            rule.bottle_lag_change_max_percent
        );
        let at_ms = Some(track.at_ms(&slowest.to));
        return Some(finding(Rule::BottleLag, Severity::Deviation, at_ms, text));
    }
    (own_ms > rule.bottle_lag_max_ms).then(|| {
        let text = format!(
            "The milk at probe {number} followed the bath with a lag of {} s; a bottle in an \
             agitated bath has {range}: the agitator stood still, or the bottles are larger.",
            whole_s(own_ms)
        );
        finding(Rule::BottleLag, Severity::Deviation, None, text)
    })
}

#[cfg(test)]
mod tests;
