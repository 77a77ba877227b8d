//! What is judged of a curve: from the loading to the cooled milk.

use super::hold::{Hold, Holds, holds, is_past_hold};
use super::moments::{Moment, at_least_zero, moments};
use super::newcomer::{HeldBack, hold_back};
use super::track::Track;
use super::words::{UNKNOWN_SPAN, span};
use crate::batch::curve::{Curve, Row};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;

/// The first of the two temperatures that the literature counts from (EMBA), millidegrees.
pub(super) const WARM_MILLI: i64 = 58_000;

/// The temperature to which cooling is always reported, millidegrees.
const COLD_MILLI: i64 = 10_000;

/// Everything that the rules look at.
pub(super) struct Seen<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) curve: &'a Curve,
    /// The judged rows: from the loading on.
    pub(super) rows: &'a [Row],
    /// Their facts, one for one.
    pub(super) moments: Vec<Moment>,
    /// The loading, or the first row of a foreign curve.
    pub(super) start_ms: u64,
    pub(super) holds: Holds,
    /// Open lids that kept a hold from beginning; `None` where nothing is known to wait for.
    pub(super) held_back: Option<Vec<HeldBack>>,
    pub(super) cooling: Option<Cooling>,
    /// Whether the times of the whole curve rise throughout.
    pub(super) rises: bool,
}

/// Cooling, as far as it was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cooling {
    pub(super) from_ms: u64,
    /// When the hottest milk was at or below the recipe's target.
    pub(super) target_ms: Option<u64>,
    /// When the hottest milk was at or below 10 °C.
    pub(super) cold_ms: Option<u64>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(recipe: &'a Recipe, curve: &'a Curve) -> Self {
        let rises = curve.rows.is_sorted_by(|a, b| a.t_ms < b.t_ms);
        // Nothing can be said of times that do not rise: judge none of them.
        let first = if rises { first_judged(curve) } else { curve.rows.len() };
        let rows = curve.rows.get(first..).unwrap_or_default();
        let first_ms = rows.first().map_or(0, |row| row.t_ms);
        let start_ms = curve.load_ms.map_or(first_ms, |load_ms| load_ms.min(first_ms));
        let mut moments = moments(recipe, curve, first, start_ms);
        let held_back = opened(&mut moments, recipe, curve, rows, start_ms);
        let holds = holds(&recipe.hold, &moments);
        let cooling = None;
        let mut seen =
            Self { recipe, curve, rows, moments, start_ms, holds, held_back, cooling, rises };
        seen.cooling = seen.find_cooling();
        seen
    }

    /// Cooling begins where the curve says that the hold is over, or where the complete hold
    /// ended, whichever comes first: a phase that is told late makes cooling no shorter.
    fn find_cooling(&self) -> Option<Cooling> {
        let told = self.moments.iter().position(|m| m.phase.is_some_and(is_past_hold));
        let began = [told, self.holds.ended].into_iter().flatten().min()?;
        let from = self.moments.get(began..)?;
        let first_at = |milli| from.iter().find(|m| m.is_cooled_to(milli)).map(|m| m.t_ms);
        Some(Cooling {
            from_ms: from.first()?.t_ms,
            target_ms: first_at(i64::from(self.recipe.cooling.target.milli())),
            cold_ms: first_at(COLD_MILLI),
        })
    }

    pub(super) fn cooled_ms(&self) -> Option<u64> {
        self.cooling.and_then(|cooling| cooling.target_ms)
    }

    pub(super) fn last_ms(&self) -> u64 {
        self.rows.last().map_or(self.start_ms, |row| row.t_ms)
    }

    /// How long it was from one moment of the curve to another; `None` if the controller was gone in
    /// between for a time that nobody knows. The curve's own time goes on by more than every limit
    /// there, so that the rules still hold.
    pub(super) fn known_ms(&self, from_ms: u64, to_ms: u64) -> Option<u64> {
        let is_between = |at_ms: u64| from_ms < at_ms && at_ms <= to_ms;
        let mut unknown = self.curve.interruptions.iter().filter(|one| one.outage_ms.is_none());
        (!unknown.any(|one| is_between(one.at_ms))).then(|| to_ms.saturating_sub(from_ms))
    }

    /// The same for a sentence.
    pub(super) fn span_of(&self, from_ms: u64, to_ms: u64) -> String {
        self.known_ms(from_ms, to_ms).map_or_else(|| UNKNOWN_SPAN.to_owned(), span)
    }

    /// Number of required milk probes.
    pub(super) fn probes(&self) -> usize {
        self.curve.milk_uncertainty.len().min(holder_hal::MILK_PROBES_MAX)
    }

    /// Until when the milk is heated or held: the begin of cooling, else the end of the longest
    /// hold, else the end of the curve.
    pub(super) fn heated_until_ms(&self) -> u64 {
        let longest = self.holds.longest.and_then(|hold| self.rows.get(hold.last));
        let longest_ms = longest.map(|row| row.t_ms);
        let cooling_ms = self.cooling.map(|cooling| cooling.from_ms);
        cooling_ms.or(longest_ms).unwrap_or_else(|| self.last_ms())
    }

    /// The facts of one hold.
    pub(super) fn during(&self, hold: Hold) -> &[Moment] {
        self.moments.get(hold.first..=hold.last).unwrap_or_default()
    }

    /// The phase in which the record ends, if it tells.
    pub(super) fn end_phase(&self) -> Option<PhaseName> {
        self.curve.end_phase.or(self.curve.rows.last().and_then(|row| row.phase))
    }

    /// Whether the milk was seen hot and then cold: such a curve came to its end.
    pub(super) fn went_through(&self) -> bool {
        let target = i64::from(self.recipe.cooling.target.milli());
        let heated = self.moments.iter().position(|m| m.is_heated_to(WARM_MILLI));
        heated
            .and_then(|at| self.moments.get(at..))
            .is_some_and(|after| after.iter().any(|m| m.is_cooled_to(target)))
    }
}

/// Keeps holds from beginning after an open lid. A foreign curve that does not show the lag of its
/// bottles is judged as read.
fn opened(
    moments: &mut [Moment],
    recipe: &Recipe,
    curve: &Curve,
    rows: &[Row],
    start_ms: u64,
) -> Option<Vec<HeldBack>> {
    if !moments.iter().any(|moment| moment.lid_open) {
        return None;
    }
    let probes = curve.milk_uncertainty.iter().take(holder_hal::MILK_PROBES_MAX);
    let lag = |probe| Track::over(rows, probe, start_ms, curve.max_gap_ms).lag_at_least_ms();
    let slowest_ms = (0..probes.len()).filter_map(lag).max();
    let limit_ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let rule = &recipe.plausibility;
    let longest_ms = curve.own_record.then(|| limit_ms(rule.bottle_lag_max_ms));
    let lag_ms = slowest_ms.or(longest_ms)?;
    let widest = probes.map(|uncertainty| at_least_zero(*uncertainty)).max().unwrap_or(0);
    let line = i64::from(recipe.hold.floor.milli()) + widest;
    Some(hold_back(moments, line, lag_ms.max(limit_ms(rule.bottle_lag_min_ms))))
}

/// The first row from the loading on; a foreign curve begins with its first row, and of an own
/// record without a loading there is nothing to judge.
fn first_judged(curve: &Curve) -> usize {
    let Some(load_ms) = curve.load_ms else {
        return if curve.own_record { curve.rows.len() } else { 0 };
    };
    // The row of the very moment of the loading came before it if its phase says so.
    let loads = |row: &Row| matches!(row.phase, Some(PhaseName::Preheat | PhaseName::Load));
    let is_before = |row: &Row| row.t_ms < load_ms || (row.t_ms == load_ms && loads(row));
    curve.rows.iter().rposition(is_before).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests;
