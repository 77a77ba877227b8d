//! The rules of the probes: that they agree, and that they speak often enough.

use std::collections::VecDeque;

use holder_hal::Kelvin;

use super::hold::Reason;
use super::means::div_up;
use super::seen::Seen;
use super::words::{degrees, finding, seconds, span};
use crate::batch::curve::Row;
use crate::batch::verdict::{Finding, Rule, Severity};

/// The record shows at least one reading a minute (DOMAIN, "sample interval").
const SHOWN_EVERY_MS: u64 = 60_000;

/// The largest difference between milk probes during the longest hold: when, and millikelvin.
pub(super) fn spread_max(seen: &Seen) -> Option<(u64, i64)> {
    if seen.probes() < 2 {
        return None;
    }
    let during = seen.during(seen.holds.longest?).iter();
    let spread = during.filter_map(|m| Some((m.t_ms, m.hottest?.over(m.coldest?))));
    spread.reduce(|most, next| if next.1 > most.1 { next } else { most })
}

/// The milk probes must agree during the hold.
pub(super) fn spread(seen: &Seen) -> Option<Finding> {
    let (at_ms, spread) = spread_max(seen)?;
    let limit = seen.recipe.probes.spread_max;
    (spread > i64::from(limit.milli())).then(|| {
        let spread = degrees(spread);
        let text = format!(
            "The milk probes differed by {spread} °C during the hold; {limit} °C is allowed."
        );
        finding(Rule::Spread, Severity::Deviation, Some(at_ms), text)
    })
}

/// A mean is compared with the reference only if its span holds at least this share of the
/// rows that it would hold at the pace of the hold (percent), both probes read: a mean over a
/// few readings is not that of five minutes.
const FILLED_PERCENT: u64 = 80;

/// The usual time from one row to the next, milliseconds; the median, so that holes do not count.
fn pace_ms(rows: &[Row]) -> Option<u64> {
    let steps = rows.iter().zip(rows.iter().skip(1));
    let mut steps: Vec<u64> = steps.map(|(a, b)| b.t_ms.saturating_sub(a.t_ms)).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied()
}

/// How far the recorder (milk probe 0) read above the reference at most, over the recipe's
/// mean within the longest hold: when, sum of the differences, and their count.
fn over_reference(seen: &Seen) -> Option<(u64, i64, i64)> {
    let hold = seen.holds.longest?;
    let rows = seen.rows.get(hold.first..=hold.last)?;
    let span_ms = seen.recipe.probes.reference_mean_ms.max(1);
    let (began_ms, pace_ms) = (rows.first()?.t_ms, pace_ms(rows)?);
    let needed = span_ms.saturating_mul(FILLED_PERCENT);
    let (mut sum, mut pairs) = (0_i64, VecDeque::new());
    let mut worst: Option<(u64, i64, i64)> = None;
    for row in rows {
        let recorder = row.milk.first().copied().flatten();
        if let (Some(recorder), Some(reference)) = (recorder, row.reference) {
            let over = i64::from(recorder.milli()) - i64::from(reference.milli());
            pairs.push_back((row.t_ms, over));
            sum += over;
        }
        while let Some(&(t_ms, over)) = pairs.front()
            && row.t_ms.saturating_sub(t_ms) >= span_ms
        {
            pairs.pop_front();
            sum -= over;
        }
        let filled_ms = pace_ms.saturating_mul(u64::try_from(pairs.len()).unwrap_or(u64::MAX));
        let is_full =
            row.t_ms.saturating_sub(began_ms) >= span_ms && filled_ms.saturating_mul(100) >= needed;
        let count = i64::try_from(pairs.len()).unwrap_or(i64::MAX);
        let product = |sum: i64, count: i64| i128::from(sum) * i128::from(count);
        let is_worse = worst.is_none_or(|(_, s, c)| product(sum, c) > product(s, count));
        if is_full && count > 0 && is_worse {
            worst = Some((row.t_ms, sum, count));
        }
    }
    worst
}

/// The recorder must not read higher than the indicating probe in the same bottle.
pub(super) fn reference(seen: &Seen) -> Option<Finding> {
    if !seen.curve.has_reference || seen.holds.complete.is_none() {
        return None;
    }
    let allowed = i64::from(seen.curve.half_resolution.milli())
        .saturating_add(i64::from(seen.recipe.probes.over_reference_max.milli()));
    let Some((at_ms, sum, count)) = over_reference(seen) else {
        let text = "The recorder could not be compared with the reference probe during the hold.";
        return Some(finding(Rule::Reference, Severity::Deviation, None, text));
    };
    let is_over = sum > count.saturating_mul(allowed);
    let severity = if is_over { Severity::Deviation } else { Severity::Note };
    let over = div_up(sum, count);
    let side = if over < 0 { "below" } else { "above" };
    let text = format!(
        "In means of {} the recorder read {} °C {side} the reference probe at its highest; \
         {} °C above is allowed.",
        span(seen.recipe.probes.reference_mean_ms),
        degrees(over.saturating_abs()),
        degrees(allowed)
    );
    Some(finding(Rule::Reference, severity, Some(at_ms), text))
}

/// A reference that says nothing for too long cannot show that the recorder read true.
pub(super) fn reference_unread(seen: &Seen) -> Option<Finding> {
    let silence = silence_in_hold(seen, |row| row.reference.is_some());
    silence.filter(|_| seen.curve.has_reference).map(|Silence { from_ms, ms }| {
        let text = format!("The reference probe said nothing for {} during the hold.", span(ms));
        finding(Rule::Reference, Severity::Deviation, Some(from_ms), text)
    })
}

/// Two sound probes in one bottle answer apart by so much at most: in a ramp the faster one is
/// ahead by what the milk changes in this time, milliseconds.
const ANSWERS_APART_MS: i64 = 10_000;

/// The same comparison over the whole curve, where a ramp is allowed for: from the loading until
/// the milk is cooled.
pub(super) fn over_reference_anywhere(seen: &Seen) -> Option<Finding> {
    let span_ms = seen.recipe.probes.reference_mean_ms.max(1);
    let until_ms = seen.cooled_ms().unwrap_or_else(|| seen.heated_until_ms());
    let both = |row: &Row| Some((row.t_ms, row.milk.first().copied().flatten()?, row.reference?));
    let rows = seen.rows.iter().take_while(|row| row.t_ms <= until_ms).filter_map(both);
    let allowed = i64::from(seen.curve.half_resolution.milli())
        .saturating_add(i64::from(seen.recipe.probes.over_reference_max.milli()));
    let (mut sum, mut window) = (0_i64, VecDeque::new());
    let mut worst: Option<(u64, i64, i64)> = None;
    for (t_ms, recorder, reference) in rows {
        let over = i64::from(recorder.milli()) - i64::from(reference.milli());
        window.push_back((t_ms, over, i64::from(recorder.milli())));
        sum += over;
        let (mut from_ms, mut from) = (t_ms, i64::from(recorder.milli()));
        while let Some(&(old_ms, old_over, old)) = window.front()
            && t_ms.saturating_sub(old_ms) >= span_ms
        {
            (from_ms, from) = (old_ms, old);
            sum -= old_over;
            window.pop_front();
        }
        let ms = i64::try_from(t_ms.saturating_sub(from_ms)).unwrap_or(i64::MAX);
        if ms == 0 {
            continue;
        }
        let changed = (i64::from(recorder.milli()) - from).saturating_abs();
        let ramp = changed.saturating_mul(ANSWERS_APART_MS) / ms;
        let mean = sum / i64::try_from(window.len()).unwrap_or(i64::MAX).max(1);
        let beyond = mean - allowed.saturating_add(ramp);
        if beyond > 0 && worst.is_none_or(|(_, most, _)| beyond > most) {
            worst = Some((t_ms, beyond, mean));
        }
    }
    let (at_ms, beyond, mean) = worst?;
    let text = format!(
        "In means of {} over the whole curve the recorder read {} °C above the reference probe at \
         its highest, {} °C more than is allowed there.",
        span(seen.recipe.probes.reference_mean_ms),
        degrees(mean),
        degrees(beyond)
    );
    Some(finding(Rule::Reference, Severity::Deviation, Some(at_ms), text))
}

/// By the reference alone the milk must have stayed at the floor with the machine's margin: a
/// recorder that drifted beyond its uncertainty hides cold milk.
pub(super) fn reference_below_floor(seen: &Seen) -> Option<Finding> {
    let hold = seen.holds.complete.or(seen.holds.longest)?;
    let rows = seen.rows.get(hold.first..=hold.last)?;
    let margin = seen.curve.margin.max(Kelvin::ZERO);
    let least = i64::from((seen.recipe.hold.floor + margin).milli());
    let (mut sum, mut read) = (0_i64, VecDeque::new());
    let mut coldest: Option<(u64, i64)> = None;
    for row in rows {
        let Some(reference) = row.reference.map(|value| i64::from(value.milli())) else { continue };
        read.push_back((row.t_ms, reference));
        sum += reference;
        while let Some(&(t_ms, old)) = read.front()
            && row.t_ms.saturating_sub(t_ms) >= SHOWN_EVERY_MS
        {
            read.pop_front();
            sum -= old;
        }
        let mean = sum.div_euclid(i64::try_from(read.len()).unwrap_or(i64::MAX).max(1));
        if coldest.is_none_or(|(_, least)| mean < least) {
            coldest = Some((row.t_ms, mean));
        }
    }
    let (at_ms, mean) = coldest.filter(|(_, mean)| *mean < least)?;
    let text = format!(
        "By the reference probe the milk was at {} °C during the hold, in the mean of a minute; \
         with the margin it needs {} °C.",
        degrees(mean),
        degrees(least)
    );
    Some(finding(Rule::Reference, Severity::Fail, Some(at_ms), text))
}

/// A lid switch that says nothing for too long cannot show that the lid stayed closed.
pub(super) fn lid_unread(seen: &Seen) -> Option<Finding> {
    let silence = silence_in_hold(seen, |row| row.lid.is_some());
    silence.filter(|_| seen.curve.has_lid).map(|Silence { from_ms, ms }| {
        let text = format!("The lid switch said nothing for {} during the hold.", span(ms));
        finding(Rule::Lid, Severity::Deviation, Some(from_ms), text)
    })
}

/// The longest time without such a row in the longest hold, if it is longer than `max_gap`.
fn silence_in_hold(seen: &Seen, is_told: impl Fn(&Row) -> bool) -> Option<Silence> {
    let hold = seen.holds.longest?;
    let rows = seen.rows.get(hold.first..=hold.last)?;
    let mut last_ms = rows.first()?.t_ms;
    let told = rows.iter().filter(|row| is_told(row)).chain(rows.last());
    let silences = told.map(|row| {
        let silence = Silence { from_ms: last_ms, ms: row.t_ms.saturating_sub(last_ms) };
        last_ms = row.t_ms;
        silence
    });
    let longest = silences.reduce(|a, b| if b.ms > a.ms { b } else { a })?;
    (longest.ms > seen.curve.max_gap_ms).then_some(longest)
}

/// Time without a good reading of one probe, or a word of a switch.
struct Silence {
    from_ms: u64,
    ms: u64,
}

/// Every silence of one probe between loading and cooled milk (or the end of the curve).
fn silences<'a>(seen: &'a Seen, probe: usize) -> impl Iterator<Item = Silence> + 'a {
    let end_ms = seen.cooled_ms().unwrap_or(seen.last_ms());
    let is_good =
        move |row: &&Row| row.t_ms < end_ms && row.milk.get(probe).is_some_and(Option::is_some);
    let good = seen.rows.iter().filter(is_good).map(|row| row.t_ms);
    let mut from_ms = seen.start_ms;
    good.chain([end_ms]).map(move |t_ms| {
        let silence = Silence { from_ms, ms: t_ms.saturating_sub(from_ms) };
        from_ms = t_ms;
        silence
    })
}

/// The longest time without a good reading of a required milk probe, seconds; `None` if one of
/// these times is not known.
pub(super) fn gap_max_s(seen: &Seen) -> Option<f64> {
    if seen.rows.is_empty() {
        return None;
    }
    let all = (0..seen.probes()).flat_map(|probe| silences(seen, probe));
    let known = |s: Silence| seen.known_ms(s.from_ms, s.from_ms.saturating_add(s.ms));
    let all: Option<Vec<u64>> = all.map(known).collect();
    all?.into_iter().max().map(seconds)
}

/// Readings too far apart outside of a hold; within one they break it.
pub(super) fn sample_interval(seen: &Seen) -> Vec<Finding> {
    let limit_ms = SHOWN_EVERY_MS.max(seen.curve.max_gap_ms);
    let broke_hold = |silence: &Silence| {
        let during = silence.from_ms..=silence.from_ms.saturating_add(silence.ms);
        seen.holds
            .breaks
            .iter()
            .any(|broken| matches!(broken.reason, Reason::Gap(_)) && during.contains(&broken.t_ms))
    };
    let of_probe = |probe| {
        let too_long = silences(seen, probe).filter(|s| s.ms > limit_ms && !broke_hold(s));
        let longest = too_long.max_by_key(|s| s.ms)?;
        let text = format!(
            "Milk probe {} gave no good reading for {}; one is required every {}.",
            probe + 1,
            seen.span_of(longest.from_ms, longest.from_ms.saturating_add(longest.ms)),
            span(limit_ms)
        );
        Some(finding(Rule::SampleInterval, Severity::Deviation, Some(longest.from_ms), text))
    };
    (0..seen.probes()).filter_map(of_probe).collect()
}

#[cfg(test)]
mod tests;
