//! Means of readings over a sliding span of time, exact: a mean is kept as sum and count and is
//! compared without a division, so that 62.500 °C is not below 62.500 °C.

use std::cmp::Ordering;

use holder_hal::{Celsius, MILK_PROBES_MAX};

use crate::batch::curve::Row;

/// The mean of at least one reading, in millidegrees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    sum: i64,
    count: i64,
}

impl Mean {
    pub(super) fn at_least(self, milli: i64) -> bool {
        self.sum >= self.count.saturating_mul(milli)
    }

    pub(super) fn above(self, milli: i64) -> bool {
        self.sum > self.count.saturating_mul(milli)
    }

    /// The mean with `milli` added to every reading.
    pub(super) fn raised(self, milli: i64) -> Self {
        Self { sum: self.sum.saturating_add(self.count.saturating_mul(milli)), ..self }
    }

    pub(super) fn cmp(self, other: Self) -> Ordering {
        // Nearly always the probes have equally many readings: spare the wide products.
        if self.count == other.count {
            return self.sum.cmp(&other.sum);
        }
        let product = |sum: i64, count: i64| i128::from(sum) * i128::from(count);
        product(self.sum, other.count).cmp(&product(other.sum, self.count))
    }

    pub(super) fn colder(self, other: Self) -> Self {
        if other.cmp(self).is_lt() { other } else { self }
    }

    pub(super) fn hotter(self, other: Self) -> Self {
        if other.cmp(self).is_gt() { other } else { self }
    }

    /// How far this mean lies above the other, in millikelvin, rounded up: a figure that is
    /// compared with a limit must not look smaller than it is.
    pub(super) fn over(self, other: Self) -> i64 {
        if self.count == other.count {
            return div_up(self.sum.saturating_sub(other.sum), self.count);
        }
        let (above, count) = (
            i128::from(self.sum) * i128::from(other.count)
                - i128::from(other.sum) * i128::from(self.count),
            i128::from(self.count) * i128::from(other.count),
        );
        let up = above.div_euclid(count) + i128::from(above.rem_euclid(count) != 0);
        i64::try_from(up).unwrap_or(i64::MAX)
    }

    /// The temperature rounded down to a millidegree: for what must not be colder.
    pub(super) fn down(self) -> Celsius {
        celsius(self.sum.div_euclid(self.count))
    }

    /// The temperature rounded up to a millidegree: for what must not be hotter.
    pub(super) fn up(self) -> Celsius {
        celsius(div_up(self.sum, self.count))
    }

    /// Degrees as a float, for figures only.
    pub(super) fn as_f64(self) -> f64 {
        self.sum as f64 / self.count as f64 / 1000.0
    }
}

/// A quotient rounded up; the count is above zero.
pub(super) fn div_up(sum: i64, count: i64) -> i64 {
    sum.div_euclid(count) + i64::from(sum.rem_euclid(count) != 0)
}

fn celsius(milli: i64) -> Celsius {
    let bounded = milli.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    Celsius::from_milli(i32::try_from(bounded).unwrap_or(i32::MAX))
}

/// The good readings of every milk probe with t in (now − span, now].
pub(super) struct Sliding<'a> {
    rows: &'a [Row],
    span_ms: u64,
    first: usize,
    sums: [i64; MILK_PROBES_MAX],
    counts: [i64; MILK_PROBES_MAX],
}

impl<'a> Sliding<'a> {
    pub(super) fn new(rows: &'a [Row], span_ms: u64) -> Self {
        let (sums, counts) = ([0; MILK_PROBES_MAX], [0; MILK_PROBES_MAX]);
        // A span of nothing would lose the reading of this very moment.
        Self { rows, span_ms: span_ms.max(1), first: 0, sums, counts }
    }

    /// Moves the span to the next row, which must follow the one given before.
    pub(super) fn advance(&mut self, row: &Row) {
        self.count(row, 1);
        while let Some(old) = self.rows.get(self.first)
            && row.t_ms.saturating_sub(old.t_ms) >= self.span_ms
        {
            self.count(old, -1);
            self.first += 1;
        }
    }

    fn count(&mut self, row: &Row, weight: i64) {
        let totals = self.sums.iter_mut().zip(&mut self.counts);
        for ((sum, count), reading) in totals.zip(&row.milk) {
            if let Some(reading) = reading {
                *sum += weight * i64::from(reading.milli());
                *count += weight;
            }
        }
    }

    /// The means of the probes, in order; `None` where the span holds no good reading.
    pub(super) fn means(&self) -> impl Iterator<Item = Option<Mean>> + '_ {
        let pairs = self.sums.iter().zip(&self.counts);
        pairs.map(|(&sum, &count)| (count > 0).then_some(Mean { sum, count }))
    }
}

#[cfg(test)]
mod tests;
