//! Whether a milk probe was in the milk: cold milk in a hot bath lags far behind it, and milk is
//! never hotter than the bath that heats it.

use super::seen::Seen;
use super::track::{Point, Track, spans};
use super::words::{degrees, finding, span};
use crate::batch::verdict::{Finding, Rule, Severity};

/// The gap is looked at from 2 to 5 min after the loading: later, warm milk may be near the bath.
const GAP_FROM_MS: i64 = 120_000;
const GAP_UNTIL_MS: i64 = 300_000;
/// Points over less than this say nothing of the gap, milliseconds.
const GAP_SPAN_MIN_MS: i64 = 60_000;
/// Below this the bath was not preheated, and the milk may be near it, millidegrees.
const PREHEATED_MILLI: i64 = 50_000;

/// Milk and bath are compared in means of so long, as recorder and reference are.
const OVER_SPAN_MS: i64 = 300_000;

/// The points between which the gap is looked at.
fn gap_points(track: &Track) -> Option<(&Point, &Point)> {
    let points = track.between(GAP_FROM_MS, GAP_UNTIL_MS);
    let (first, last) = (points.first()?, points.last()?);
    (last.t_ms - first.t_ms >= GAP_SPAN_MIN_MS).then_some((first, last))
}

/// Minutes after the loading the milk must lie far below a preheated bath. A foreign curve does
/// not tell its loading.
pub(super) fn gap_after_loading(seen: &Seen, track: &Track) -> Option<Finding> {
    seen.curve.load_ms?;
    let number = track.probe + 1;
    let (first, last) = gap_points(track)?;
    let gap = last.gap_mean_since(first);
    let least = seen.recipe.plausibility.gap_after_loading_min;
    let is_preheated = last.bath_mean_since(first) >= PREHEATED_MILLI;
    (is_preheated && gap < i64::from(least.milli())).then(|| {
        let text = format!(
            "2 to 5 min after the loading the gap between the bath and milk probe {number} was {} \
             °C; with cold milk it is at least {least:.1} °C: the probe was not in the milk.",
            degrees(gap)
        );
        finding(Rule::ProbePlace, Severity::Fail, Some(track.at_ms(last)), text)
    })
}

/// While it is heated or held, the milk is not hotter than the bath: such a milk probe reads too
/// high, or it is no milk probe.
pub(super) fn milk_over_bath(seen: &Seen, track: &Track) -> Option<Finding> {
    let heated = track.between(0, track.since_start(seen.heated_until_ms()));
    // Milk that cools with its bath, heat being off, is hotter by its lag: that is no fault.
    let lag_max_ms = i64::try_from(seen.recipe.plausibility.bottle_lag_max_ms).unwrap_or(i64::MAX);
    let lag_ms = track.lag_own_ms().unwrap_or(lag_max_ms).min(lag_max_ms);
    let over = |from: &Point, to: &Point| {
        let fell = (from.milk - to.milk).max(0);
        let by_lag = fell.saturating_mul(lag_ms) / (to.t_ms - from.t_ms).max(1);
        -to.gap_mean_since(from) - by_lag
    };
    let most = seen.recipe.plausibility.milk_over_bath_max;
    let most_milli = i64::from(most.milli());
    // Nearly every span is far from it: spare the divisions.
    let is_above = |(from, to): &(&Point, &Point)| {
        -to.gap_area_since(from) > most_milli.saturating_mul(to.t_ms - from.t_ms)
    };
    let above = spans(heated, OVER_SPAN_MS).filter(is_above);
    let over = above.map(|(from, to)| (to, over(from, to)));
    let (at, over) = over.reduce(|most, next| if next.1 > most.1 { next } else { most })?;
    (over > most_milli).then(|| {
        let text = format!(
            "In means of {} milk probe {} read {} °C higher than the bath can have made the milk; \
             {most} °C is allowed: one of the two probes reads wrong, or they are exchanged.",
            span(OVER_SPAN_MS.unsigned_abs()),
            track.probe + 1,
            degrees(over)
        );
        finding(Rule::ProbePlace, Severity::Fail, Some(track.at_ms(at)), text)
    })
}

/// What of this could not be judged, because the curve does not show it. Our own record has a
/// bath and a loading: where they are missing, QA must decide.
pub(super) fn unseen(seen: &Seen, track: &Track) -> Option<Finding> {
    let severity = if seen.curve.own_record { Severity::Deviation } else { Severity::Note };
    let lacks = |text: &str| Some(finding(Rule::ProbePlace, severity, None, text));
    // The bath of such a batch may well have been read.
    if seen.curve.own_record && seen.curve.load_ms.is_none() {
        return lacks(
            "No bottles were confirmed to be in: whether the probes were in the milk, whether the \
             agitator ran and whether something cold came into the bath could not be judged.",
        );
    }
    if track.points.len() < 2 {
        return lacks(
            "The bath was not read: whether the probes were in the milk, whether the agitator ran \
             and whether something cold came into the bath could not be judged.",
        );
    }
    if seen.curve.load_ms.is_none() {
        return lacks(
            "The curve does not tell its loading: the gap between bath and milk after it could \
             not be judged.",
        );
    }
    let shows_gap = gap_points(track).is_some();
    if !shows_gap && track.since_start(seen.last_ms()) >= GAP_UNTIL_MS {
        return lacks(
            "Bath and milk were not read from 2 to 5 min after the loading: the gap between them \
             could not be judged.",
        );
    }
    None
}

#[cfg(test)]
mod tests;
