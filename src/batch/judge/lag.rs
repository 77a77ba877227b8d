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
fn shown(track: &Track, points: &[Point]) -> Vec<Shown> {
    let mut found = Vec::new();
    let Some(mut from) = points.first() else { return found };
    for (at, (before, to)) in points.iter().zip(points.iter().skip(1)).enumerate() {
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

/// What the lags of a come-up tell, the heaviest only.
pub(super) fn lag(seen: &Seen, track: &Track) -> Option<Finding> {
    let rule = &seen.recipe.plausibility;
    let heated = track.between(SETTLED_MS, track.since_start(seen.heated_until_ms()));
    let lags = shown(track, heated);
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
    let slowest = slowest.filter(|slowest| {
        let limit = own_ms.saturating_mul(u64::from(rule.bottle_lag_change_max_percent)) / 100;
        slowest.lag_ms.unsigned_abs() > limit
    });
    if let Some(slowest) = slowest {
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
