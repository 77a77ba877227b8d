//! Readings that stand still. At a resolution of 0.1 °C a healthy probe may stand still for
//! minutes in the hold, so that a probe is judged by what its milk must have done meanwhile.

use super::seen::Seen;
use super::track::{Point, SETTLED_MS, Track};
use super::words::{degrees, finding, span};
use crate::batch::curve::Row;
use crate::batch::verdict::{Finding, Rule, Severity};

/// Below this mean gap milk may stand still, and the error of the bath probe weighs too much,
/// millikelvin.
const RAMP_MILLI: i64 = 1_000;

/// A stretch without change.
struct Stretch<'a> {
    from: &'a Point,
    to: &'a Point,
}

/// The stretches in which the milk probe shows one value.
fn stretches<'a>(track: &'a Track, points: &'a [Point]) -> impl Iterator<Item = Stretch<'a>> {
    let same = points.chunk_by(|a, b| a.milk == b.milk && !track.is_hole(a, b));
    same.filter_map(|same| Some(Stretch { from: same.first()?, to: same.last()? }))
}

/// A milk probe that showed one value although the slowest bottle would have followed the bath:
/// in the come-up and the cooling, where milk cannot stand still.
pub(super) fn stood_still(seen: &Seen, track: &Track) -> Option<Finding> {
    let rule = &seen.recipe.plausibility;
    let lag_ms = i64::try_from(rule.bottle_lag_max_ms).unwrap_or(i64::MAX).max(1);
    let until_ms = track.since_start(seen.cooled_ms().unwrap_or(u64::MAX));
    let points = track.between(SETTLED_MS, until_ms);
    let missed = |still: &Stretch| (still.to.gap_area_since(still.from) / lag_ms).abs();
    let allowed_area = i64::from(rule.still_max.milli()).saturating_mul(lag_ms);
    let is_ramp = |still: &Stretch| still.to.gap_mean_since(still.from).abs() >= RAMP_MILLI;
    // Nearly every stretch is far from it: spare the divisions.
    let too_long = stretches(track, points)
        .filter(|still| still.to.gap_area_since(still.from).abs() > allowed_area && is_ramp(still));
    // A probe that stands still only in the cooling cannot hide cold milk in the hold.
    let is_heated = |still: &Stretch| track.at_ms(still.from) < seen.heated_until_ms();
    let worst = too_long.max_by_key(|still| (is_heated(still), missed(still)))?;
    let severity = if is_heated(&worst) { Severity::Fail } else { Severity::Deviation };
    let text = format!(
        "Milk probe {} showed {} °C for {} without a change, while the bath must have changed the \
         milk by at least {} °C: it stood still.",
        track.probe + 1,
        degrees(worst.from.milk),
        span((worst.to.t_ms - worst.from.t_ms).unsigned_abs()),
        degrees(missed(&worst))
    );
    Some(finding(Rule::ProbeStill, severity, Some(track.at_ms(worst.from)), text))
}

/// Bath, milk and reference showed the very same values for too long: as a machine does whose
/// answers are repeated.
pub(super) fn unchanged(seen: &Seen) -> Option<Finding> {
    let until_ms = seen.heated_until_ms();
    let heated = seen.rows.partition_point(|row| row.t_ms <= until_ms);
    let rows = seen.rows.get(..heated)?;
    let same = |a: &Row, b: &Row| {
        b.bath.is_some()
            && (a.bath, a.reference) == (b.bath, b.reference)
            && (a.milk.iter().zip(&b.milk)).take(seen.probes()).all(|(a, b)| a == b)
    };
    let lasted = |same: &[Row]| {
        let (first, last) = (same.first()?, same.last()?);
        Some((first.t_ms, last.t_ms.saturating_sub(first.t_ms)))
    };
    let stretches = rows.chunk_by(same).filter_map(lasted);
    let (from_ms, ms) = stretches.max_by_key(|(_, ms)| *ms)?;
    let limit_ms = seen.recipe.plausibility.unchanged_max_ms;
    (ms > limit_ms).then(|| {
        let text = format!(
            "Bath and milk showed the very same values for {}; {} may pass: were they read?",
            span(ms),
            span(limit_ms)
        );
        finding(Rule::ProbeStill, Severity::Deviation, Some(from_ms), text)
    })
}

#[cfg(test)]
mod tests;
