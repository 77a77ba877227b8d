//! The facts of every judged row, before any rule is applied to them.
//!
//! **Terms.** *Limit* of a probe = floor + its expanded uncertainty + the machine's margin.
//! *Clearance*: how far the mean lies above the limit; that of the probe with the least counts.
//! A probe without a good reading in the span of the mean is *unknown*: it neither confirms a
//! hold nor breaks one until its gap is longer than `max_gap`. A probe is *read* on the rows that
//! have a good reading of it. The lid is *open* from the row that says so until one says closed.

use holder_hal::{Kelvin, MILK_PROBES_MAX};

use super::means::{Mean, Sliding};
use crate::batch::curve::{Curve, Row};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;

/// What one row says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) t_ms: u64,
    pub(super) phase: Option<PhaseName>,
    pub(super) lid_open: bool,
    /// The first row after the controller was gone.
    pub(super) resumed: bool,
    /// Every required probe has a good reading in this very row.
    pub(super) all_read: bool,
    /// The coldest mean; `None` unless every required probe is known.
    pub(super) coldest: Option<Mean>,
    /// The hottest mean of the known probes.
    pub(super) hottest: Option<Mean>,
    /// The same with uncertainty and margin added to each probe.
    pub(super) hottest_possible: Option<Mean>,
    /// Every required probe is known and clears its limit by what begins a hold.
    pub(super) begins: bool,
    /// A probe whose mean lies below its limit.
    pub(super) below: Option<Below>,
    /// A probe that was without good readings for too long when this row came, or still is.
    pub(super) gap: Option<Gap>,
}

/// A probe below its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Below {
    /// From 0.
    pub(super) probe: usize,
    pub(super) mean: Mean,
    /// Millidegrees.
    pub(super) limit: i64,
}

/// Time without a good reading, longer than `max_gap`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// From 0.
    pub(super) probe: usize,
    pub(super) ms: u64,
}

/// The lines against which one probe is held, in millidegrees.
#[derive(Clone, Copy, Debug)]
struct Lines {
    limit: i64,
    begin: i64,
    allowance: i64,
}

impl Moment {
    pub(super) fn all_known(&self) -> bool {
        self.coldest.is_some()
    }

    /// Whether every required probe is read and its mean at or below this.
    pub(super) fn is_cooled_to(&self, milli: i64) -> bool {
        self.all_read && self.hottest.is_some_and(|hottest| !hottest.above(milli))
    }

    /// Whether the coldest probe is known and at or above this.
    pub(super) fn is_heated_to(&self, milli: i64) -> bool {
        self.coldest.is_some_and(|coldest| coldest.at_least(milli))
    }
}

/// A margin or uncertainty below zero would make the judge laxer than the floor.
pub(super) fn at_least_zero(value: Kelvin) -> i64 {
    i64::from(value.milli().max(0))
}

fn lines(recipe: &Recipe, curve: &Curve) -> Vec<Lines> {
    let floor = i64::from(recipe.hold.floor.milli());
    let above = at_least_zero(recipe.hold.begin_above);
    let of = |uncertainty: &Kelvin| {
        let allowance = at_least_zero(*uncertainty) + at_least_zero(curve.margin);
        Lines { limit: floor + allowance, begin: floor + allowance + above, allowance }
    };
    curve.milk_uncertainty.iter().take(MILK_PROBES_MAX).map(of).collect()
}

/// The limits of the required probes, in millidegrees.
pub(super) fn limits(recipe: &Recipe, curve: &Curve) -> impl Iterator<Item = i64> {
    lines(recipe, curve).into_iter().map(|lines| lines.limit)
}

/// The facts of the rows from `first` on, one for one.
pub(super) fn moments(recipe: &Recipe, curve: &Curve, first: usize, start_ms: u64) -> Vec<Moment> {
    let (before, rows) = curve.rows.split_at_checked(first).unwrap_or_default();
    let mut lid = before.iter().rev().find_map(|row| row.lid);
    let lines = lines(recipe, curve);
    let mut sliding = Sliding::new(rows, recipe.hold.mean_ms);
    let mut last_good = [start_ms; MILK_PROBES_MAX];
    let back = curve.interruptions.iter().map(|one| one.at_ms);
    let mut back = back.filter(|at_ms| *at_ms > start_ms).peekable();
    let one = |row: &Row| {
        sliding.advance(row);
        let mut resumed = false;
        while back.next_if(|at_ms| *at_ms <= row.t_ms).is_some() {
            resumed = true;
        }
        lid = row.lid.or(lid);
        Moment {
            lid_open: lid == Some(false),
            resumed,
            gap: gap(row, &lines, &mut last_good, curve.max_gap_ms),
            ..facts(row, &lines, &sliding)
        }
    };
    rows.iter().map(one).collect()
}

fn facts(row: &Row, lines: &[Lines], sliding: &Sliding) -> Moment {
    let mut moment = Moment {
        t_ms: row.t_ms,
        phase: row.phase,
        lid_open: false,
        resumed: false,
        all_read: false,
        coldest: None,
        hottest: None,
        hottest_possible: None,
        begins: !lines.is_empty(),
        below: None,
        gap: None,
    };
    let mut all_known = true;
    moment.all_read = !lines.is_empty() && row.milk.iter().take(lines.len()).all(Option::is_some);
    for (probe, (lines, mean)) in lines.iter().zip(sliding.means()).enumerate() {
        let Some(mean) = mean else {
            all_known = false;
            continue;
        };
        let possible = mean.raised(lines.allowance);
        moment.coldest = Some(moment.coldest.map_or(mean, |coldest| coldest.colder(mean)));
        moment.hottest = Some(moment.hottest.map_or(mean, |hottest| hottest.hotter(mean)));
        let before = moment.hottest_possible;
        moment.hottest_possible = Some(before.map_or(possible, |hottest| hottest.hotter(possible)));
        moment.begins &= mean.at_least(lines.begin);
        if moment.below.is_none() && !mean.at_least(lines.limit) {
            moment.below = Some(Below { probe, mean, limit: lines.limit });
        }
    }
    if !all_known {
        moment.coldest = None;
        moment.begins = false;
    }
    moment
}

/// The longest gap above `max_gap_ms` that reaches this row, whether it ends here or lasts.
fn gap(row: &Row, lines: &[Lines], last_good: &mut [u64], max_gap_ms: u64) -> Option<Gap> {
    let mut worst: Option<Gap> = None;
    let probes = last_good.iter_mut().zip(&row.milk).take(lines.len());
    for (probe, (last, reading)) in probes.enumerate() {
        let gap = Gap { probe, ms: row.t_ms.saturating_sub(*last) };
        if gap.ms > max_gap_ms && worst.is_none_or(|worst| worst.ms < gap.ms) {
            worst = Some(gap);
        }
        if reading.is_some() {
            *last = row.t_ms;
        }
    }
    worst
}

#[cfg(test)]
mod tests;
