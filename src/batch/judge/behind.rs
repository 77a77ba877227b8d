//! How far the other milk probes are behind the one in the control bottle: a figure for the mapping
//! of a machine, never a decision on a batch.
//!
//! A batch of milk follows its control bottle. A water run that maps a machine requires every probe,
//! so its hold begins only when the slowest has come, and no figure of that hold tells how late it
//! was. Therefore one looks from the moment at which the control bottle alone would have begun it.

use holder_hal::{Celsius, MILK_PROBES_MAX};

use super::hold::is_past_hold;
use super::means::{Mean, Sliding};
use super::seen::Seen;
use crate::batch::curve::Curve;
use crate::batch::recipe::Recipe;

/// The probes from the moment at which the first one alone would have begun the hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// What each milk probe read at that moment: the mean that is judged, in the order of the curve.
    pub at_begin: Vec<Celsius>,
    /// How much colder than the first the coldest was at the worst, from that moment until cooling
    /// began, rounded up, in millikelvin; 0 if none was colder.
    pub max_mk: i64,
}

/// Looks at the first probe of the curve alone, and at all of them from where it begins a hold.
///
/// `None` if it never does, or if a probe gave nothing to trust for the whole span of a mean: then
/// nobody knows how cold it was.
pub fn behind_first(recipe: &Recipe, curve: &Curve) -> Option<Behind> {
    let mut alone = curve.clone();
    alone.milk_uncertainty.truncate(1);
    let seen = Seen::new(recipe, &alone);
    let begin = seen.holds.first_begin?;
    let probes = curve.milk_uncertainty.len().min(MILK_PROBES_MAX);
    let mut sliding = Sliding::new(seen.rows, recipe.hold.mean_ms);
    let mut behind: Option<Behind> = None;
    for (at, row) in seen.rows.iter().enumerate() {
        sliding.advance(row);
        if at < begin {
            continue;
        }
        let means: Vec<Mean> = sliding.means().take(probes).collect::<Option<_>>()?;
        let coldest = means.iter().copied().reduce(Mean::colder)?;
        let mk = means.first()?.over(coldest);
        let first =
            || Behind { at_begin: means.iter().map(|mean| mean.down()).collect(), max_mk: 0 };
        let known = behind.get_or_insert_with(first);
        known.max_mk = known.max_mk.max(mk);
        // The phase is the one after this row: this one still belongs to the hold.
        if row.phase.is_some_and(is_past_hold) {
            break;
        }
    }
    behind
}

#[cfg(test)]
mod tests;
