//! One milk probe beside the bath, row by row, with the heat that drove it.
//!
//! **Terms.** *Gap*: bath minus milk. *Gap area*: the gap summed over time; milk warms by this
//! area divided by the lag of its bottle. Integers throughout (millikelvin and milliseconds), so
//! that every machine comes to the same verdict.

use super::seen::Seen;
use crate::batch::curve::Row;

/// What lies later than this after the loading is no pasteurization, milliseconds; with
/// [`MILLI_MAX`] it keeps every sum within its integer.
const LAST_MS: i64 = 7 * 86_400_000;
/// No thermometer in a bath shows more, millidegrees.
const MILLI_MAX: i64 = 500_000;

/// Just after the loading a probe may still be on its way into the bottle, and the cold spot of a
/// bottle does not move yet, milliseconds.
pub(super) const SETTLED_MS: i64 = 60_000;
/// Over a longer hole in the readings nobody knows the heat, milliseconds; a logger that may be
/// silent for longer has longer ones.
const HOLE_MS: u64 = 60_000;
/// So far no reading of bath or bottle lies from the middle of its neighbours, millikelvin …
const STANDS_OUT_MILLI: i64 = 500;
/// … of which there are so many on each side.
const NEIGHBOURS: usize = 4;
/// The rise that shows the lag of a bottle, millikelvin.
const RISE_MILLI: i64 = 10_000;
/// The least that shows it, millikelvin.
const RISE_LEAST_MILLI: i64 = 4_000;

/// A row on which milk probe and bath were both read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// Since the loading.
    pub(super) t_ms: i64,
    pub(super) milk: i64,
    pub(super) bath: i64,
    bath_area: i64,
    gap_area: i64,
}

/// The points of one milk probe.
#[derive(Debug)]
pub(super) struct Track {
    /// From 0.
    pub(super) probe: usize,
    pub(super) points: Vec<Point>,
    start_ms: u64,
    hole_ms: i64,
}

impl Point {
    /// Mean of the bath since an earlier point, millidegrees.
    pub(super) fn bath_mean_since(&self, earlier: &Self) -> i64 {
        let ms = self.t_ms - earlier.t_ms;
        if ms > 0 { (self.bath_area - earlier.bath_area) / ms } else { self.bath }
    }

    /// Gap area since an earlier point, millikelvin × milliseconds.
    pub(super) fn gap_area_since(&self, earlier: &Self) -> i64 {
        self.gap_area - earlier.gap_area
    }

    /// Mean gap since an earlier point, millikelvin.
    pub(super) fn gap_mean_since(&self, earlier: &Self) -> i64 {
        let ms = self.t_ms - earlier.t_ms;
        if ms > 0 { self.gap_area_since(earlier) / ms } else { self.bath - self.milk }
    }
}

impl Track {
    /// The readings of milk probe `probe` (from 0) beside the bath, from the loading on.
    pub(super) fn of(seen: &Seen, probe: usize) -> Self {
        Self::over(seen.rows, probe, seen.start_ms, seen.curve.max_gap_ms)
    }

    /// The same of these rows, from `start_ms` on, where a logger may be silent for `max_gap_ms`.
    pub(super) fn over(rows: &[Row], probe: usize, start_ms: u64, max_gap_ms: u64) -> Self {
        let mut points: Vec<Point> = Vec::with_capacity(rows.len());
        for row in rows {
            let point = point(row, probe, start_ms);
            let Some(mut point) = point.filter(|point| point.t_ms <= LAST_MS) else { continue };
            if let Some(last) = points.last() {
                let ms = point.t_ms - last.t_ms;
                point.bath_area = last.bath_area + (last.bath + point.bath) * ms / 2;
                let gaps = last.bath - last.milk + point.bath - point.milk;
                point.gap_area = last.gap_area + gaps * ms / 2;
            }
            points.push(point);
        }
        let hole_ms = i64::try_from(HOLE_MS.max(max_gap_ms)).unwrap_or(i64::MAX);
        Self { probe, points, start_ms, hole_ms }
    }

    /// When this point was, on the curve's own time.
    pub(super) fn at_ms(&self, point: &Point) -> u64 {
        self.start_ms.saturating_add(u64::try_from(point.t_ms).unwrap_or(0))
    }

    /// A moment of the curve as milliseconds since the loading.
    pub(super) fn since_start(&self, at_ms: u64) -> i64 {
        i64::try_from(at_ms.saturating_sub(self.start_ms)).unwrap_or(i64::MAX)
    }

    /// Whether nobody knows what happened between two points that follow each other.
    pub(super) fn is_hole(&self, before: &Point, after: &Point) -> bool {
        after.t_ms - before.t_ms > self.hole_ms
    }

    /// The lag of this very bottle as the first 10 K of the come-up show it, milliseconds.
    pub(super) fn lag_own_ms(&self) -> Option<i64> {
        self.lag_over_ms(RISE_MILLI)
    }

    /// The same by a rise of less, where there was no more: of a load that was confirmed late.
    pub(super) fn lag_at_least_ms(&self) -> Option<i64> {
        self.lag_own_ms().or_else(|| self.lag_over_ms(RISE_LEAST_MILLI))
    }

    fn lag_over_ms(&self, rise_milli: i64) -> Option<i64> {
        let mut calm = self.calm(SETTLED_MS, i64::MAX);
        let first = calm.next()?;
        let (mut before, mut gap_area) = (first, 0);
        for point in calm {
            if self.is_hole(before, point) {
                return None;
            }
            let gaps = before.bath - before.milk + point.bath - point.milk;
            gap_area += gaps * (point.t_ms - before.t_ms) / 2;
            before = point;
            let rise = point.milk - first.milk;
            if rise >= rise_milli {
                return Some(gap_area / rise).filter(|lag_ms| *lag_ms > 0);
            }
        }
        None
    }

    /// The points of this time without those that stand out of their neighbours: one spike must not
    /// make a bottle look faster, or colder, than it is.
    pub(super) fn calm(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = &Point> {
        let first = self.points.partition_point(|point| point.t_ms < from_ms);
        let points = self.points.iter().enumerate().skip(first);
        let points = points.take_while(move |(_, point)| point.t_ms <= to_ms);
        points.filter(|(at, _)| !self.stands_out(*at)).map(|(_, point)| point)
    }

    /// Whether the bath or the milk of this point does. Where it rises or falls all the time a point
    /// is the middle of its neighbours; at either end of the track there are fewer of them.
    fn stands_out(&self, at: usize) -> bool {
        let each = NEIGHBOURS.min(at).min(self.points.len().saturating_sub(at + 1));
        let around = self.points.get(at - each..=at + each).unwrap_or_default();
        let Some(own) = around.get(each) else { return false };
        // The middle one is within reach if more than half are below its upper end and above its lower.
        let is_far = |of: fn(&Point) -> i64| {
            let (least, most) = (of(own) - STANDS_OUT_MILLI, of(own) + STANDS_OUT_MILLI);
            let above = around.iter().filter(|point| of(point) >= least).nth(each);
            let below = around.iter().filter(|point| of(point) <= most).nth(each);
            above.is_none() || below.is_none()
        };
        is_far(|point| point.milk) || is_far(|point| point.bath)
    }

    /// The points from one time since the loading to another, both included.
    pub(super) fn between(&self, from_ms: i64, to_ms: i64) -> &[Point] {
        let first = self.points.partition_point(|point| point.t_ms < from_ms);
        let end = self.points.partition_point(|point| point.t_ms <= to_ms);
        self.points.get(first..end).unwrap_or_default()
    }
}

fn point(row: &Row, probe: usize, start_ms: u64) -> Option<Point> {
    let milk = row.milk.get(probe).copied().flatten()?;
    let clamped = |milli: i32| i64::from(milli).clamp(-MILLI_MAX, MILLI_MAX);
    let t_ms = i64::try_from(row.t_ms.saturating_sub(start_ms)).unwrap_or(i64::MAX);
    let (milk, bath) = (clamped(milk.milli()), clamped(row.bath?.milli()));
    Some(Point { t_ms, milk, bath, bath_area: 0, gap_area: 0 })
}

/// Every point with the latest one that lies at least `span_ms` before it.
pub(super) fn spans(points: &[Point], span_ms: i64) -> impl Iterator<Item = (&Point, &Point)> {
    let mut first = 0;
    points.iter().filter_map(move |last| {
        while points.get(first + 1).is_some_and(|next| last.t_ms - next.t_ms >= span_ms) {
            first += 1;
        }
        let from = points.get(first)?;
        (last.t_ms - from.t_ms >= span_ms).then_some((from, last))
    })
}

#[cfg(test)]
mod tests;
