//! The figures of a curve: for the reader, never for a decision on the hold.

use super::moments::Moment;
use super::probes;
use super::seen::{Seen, WARM_MILLI};
use super::words::{degrees, seconds};
use crate::batch::curve::Row;
use crate::batch::lethality::Bigelow;
use crate::batch::verdict::Figures;

pub(super) fn figures(seen: &Seen) -> Figures {
    let since_loading = |t_ms: u64| seen.known_ms(seen.start_ms, t_ms).map(seconds);
    let first_begin = seen.holds.first_begin.and_then(|at| seen.moments.get(at));
    let cooling = seen.cooling;
    let to_10_ms = cooling.and_then(|c| seen.known_ms(c.from_ms, c.cold_ms?));
    let plateau = seen.holds.longest.map(|hold| seen.during(hold)).unwrap_or_default();
    let coldest = plateau.iter().filter_map(|m| m.coldest).reduce(|a, b| a.colder(b));
    let hottest = plateau.iter().filter_map(|m| m.hottest).reduce(|a, b| a.hotter(b));
    let bigelow = Bigelow::equivalent(seen.recipe.figures.equivalent_z);
    Figures {
        come_up_s: first_begin.and_then(|moment| since_loading(moment.t_ms)),
        t58_to_floor_s: warm_to_floor_ms(seen).map(seconds),
        above_58_s: above_warm_ms(seen).map(seconds),
        hold_s: seen.holds.longest.map(|hold| seconds(hold.ms)),
        holds_restarted: u32::try_from(seen.holds.breaks.len()).unwrap_or(u32::MAX),
        plateau_min_c: coldest.map(|mean| mean.down().as_f64()),
        plateau_max_c: hottest.map(|mean| mean.up().as_f64()),
        plateau_mean_c: mean_over_time(plateau).map(thousandths),
        spread_max_c: probes::spread_max(seen).map(|(_, spread)| degrees(spread).as_f64()),
        cool_to_10_s: to_10_ms.map(seconds),
        cycle_s: seen.cooled_ms().and_then(since_loading),
        equivalent_min: equivalent_ms(seen, bigelow).map(|ms| thousandths(ms / 60_000.0)),
        z_c: bigelow.z.as_f64(),
        tref_c: bigelow.tref.as_f64(),
        gap_max_s: probes::gap_max_s(seen),
        samples: u64::try_from(seen.rows.len()).unwrap_or(u64::MAX),
    }
}

/// More digits than the probes have would only differ between machines.
fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// From 58 °C to the floor, for the last rise that reached it first.
fn warm_to_floor_ms(seen: &Seen) -> Option<u64> {
    let floor = i64::from(seen.recipe.hold.floor.milli());
    let mut warm_since: Option<u64> = None;
    for moment in seen.moments.iter().filter(|m| m.all_known()) {
        if !moment.is_heated_to(WARM_MILLI) {
            warm_since = None;
            continue;
        }
        let since = *warm_since.get_or_insert(moment.t_ms);
        if moment.is_heated_to(floor) {
            return seen.known_ms(since, moment.t_ms);
        }
    }
    None
}

/// Coldest probe at or above 58 °C in all, between readings that are not too far apart.
fn above_warm_ms(seen: &Seen) -> Option<u64> {
    let mut known = seen.moments.iter().filter(|m| m.all_known());
    let mut before = known.next()?;
    let mut total_ms = 0_u64;
    for moment in known {
        let step_ms = moment.t_ms.saturating_sub(before.t_ms);
        let is_warm = before.is_heated_to(WARM_MILLI) && moment.is_heated_to(WARM_MILLI);
        if is_warm && step_ms <= seen.curve.max_gap_ms {
            total_ms = total_ms.saturating_add(step_ms);
        }
        before = moment;
    }
    Some(total_ms)
}

/// Mean of the coldest probe by trapezoids, so that rows at uneven times weigh as they lasted.
fn mean_over_time(plateau: &[Moment]) -> Option<f64> {
    let known = || plateau.iter().filter_map(|m| Some((m.t_ms, m.coldest?.as_f64())));
    let mut area = 0.0;
    let mut total_s = 0.0;
    for ((from_ms, from), (to_ms, to)) in known().zip(known().skip(1)) {
        let step_s = seconds(to_ms.saturating_sub(from_ms));
        area += f64::midpoint(from, to) * step_s;
        total_s += step_s;
    }
    let only = known().next().map(|(_, celsius)| celsius);
    if total_s > 0.0 { Some(area / total_s) } else { only }
}

fn equivalent_ms(seen: &Seen, bigelow: Bigelow) -> Option<f64> {
    // The coldest reading counts only where every required probe has a good one.
    let coldest = |row: &Row| {
        let mut required = row.milk.iter().take(seen.probes()).copied();
        let first = required.next()??;
        required.try_fold(first, |coldest, reading| Some(coldest.min(reading?)))
    };
    let readings = seen.rows.iter().map(|row| (row.t_ms, coldest(row)));
    bigelow.equivalent_ms(readings, seen.curve.max_gap_ms)
}

#[cfg(test)]
mod tests;
