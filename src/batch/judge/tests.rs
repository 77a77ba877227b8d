//! Each rule with a curve just inside of it and one just outside.

mod bottle;
mod hold;
mod interruption;
mod oracle;
mod plants;
mod plausible;
mod record;
mod rules;

use holder_hal::{Celsius, Kelvin, MILK_PROBES_MAX};

use super::judge;
use super::seen::Seen;
use super::track::Track;
use crate::batch::curve::{Curve, Row};
use crate::batch::fixture::recipe;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity, Verdict};

/// Floor 62.5 °C + uncertainty 0.1 °C + margin 0.2 °C.
pub(super) const LIMIT: i32 = 62_800;
/// What the milk has in the hold of [`good`].
pub(super) const HELD: i32 = 63_000;
/// The milk of [`good`] jumps from cold to hot here, seconds.
pub(super) const HOT_S: u64 = 1_200;
/// The mean is hot 9 s later, and the hold begins 20 s after that.
pub(super) const BEGIN_S: u64 = HOT_S + 29;
/// The hold is complete.
pub(super) const COMPLETE_S: u64 = BEGIN_S + 1_800;
/// The milk is cold for a minute when the curve ends.
pub(super) const END_S: u64 = COMPLETE_S + 901 + 60;

pub(super) fn milli(value: i32) -> Option<Celsius> {
    Some(Celsius::from_milli(value))
}

pub(super) fn row(t_s: u64, milk: &[i32]) -> Row {
    let mut slots = [None; MILK_PROBES_MAX];
    slots.iter_mut().zip(milk).for_each(|(slot, value)| *slot = milli(*value));
    let t_ms = t_s * 1_000;
    Row { t_ms, milk: slots, bath: None, reference: None, lid: None, phase: None, heats: None }
}

/// A foreign curve of two probes: cold, 30 min of hold to the second, a step to 40 °C, cold.
pub(super) fn good() -> Curve {
    let milk = |t_s| match t_s {
        0..HOT_S => 4_000,
        HOT_S..=COMPLETE_S => HELD,
        _ if t_s <= COMPLETE_S + 900 => 40_000,
        _ => 8_000,
    };
    Curve {
        milk_uncertainty: vec![Kelvin::from_milli(100); 2],
        margin: Kelvin::from_milli(200),
        margin_measured: true,
        max_gap_ms: 10_000,
        half_resolution: Kelvin::from_milli(5),
        load_ms: None,
        bottles_in: None,
        counts_out: Vec::new(),
        has_reference: false,
        has_lid: false,
        own_record: false,
        engine_accepts: None,
        engine_holds_broken: None,
        end_phase: None,
        cut_off: false,
        interruptions: Vec::new(),
        rows: (0..=END_S).map(|t_s| row(t_s, &[milk(t_s), milk(t_s)])).collect(),
    }
}

/// A curve of one milk probe beside its bath, loaded at second 0: seconds, then milk and bath in
/// millidegrees.
pub(super) fn beside(points: impl IntoIterator<Item = (u64, i32, i32)>) -> Curve {
    let row = |(t_s, milk, bath)| Row { bath: milli(bath), ..row(t_s, &[milk]) };
    let rows = points.into_iter().map(row).collect();
    let milk_uncertainty = vec![Kelvin::from_milli(100)];
    Curve { milk_uncertainty, load_ms: Some(0), rows, ..good() }
}

/// What the rules see of a curve, and of its first milk probe.
pub(super) fn asked<T>(curve: &Curve, ask: impl FnOnce(&Seen, &Track) -> T) -> T {
    let recipe = recipe();
    let seen = Seen::new(&recipe, curve);
    ask(&seen, &Track::of(&seen, 0))
}

/// The same as a record of ours: loaded after 100 s, finished, accepted by the engine.
pub(super) fn own() -> Curve {
    let phase = |t_s| match t_s {
        0..100 => PhaseName::Load,
        100..BEGIN_S => PhaseName::ComeUp,
        BEGIN_S..COMPLETE_S => PhaseName::Hold,
        COMPLETE_S..END_S => PhaseName::Cool,
        _ => PhaseName::Unload,
    };
    let mut curve = Curve {
        load_ms: Some(100_000),
        bottles_in: Some(48),
        counts_out: vec![48],
        own_record: true,
        engine_accepts: Some(true),
        end_phase: Some(PhaseName::Finished),
        ..good()
    };
    curve.rows.iter_mut().for_each(|row| row.phase = Some(phase(row.t_ms / 1_000)));
    curve
}

/// The curve with the rows of these seconds changed.
pub(super) fn with(mut curve: Curve, s: std::ops::Range<u64>, change: impl Fn(&mut Row)) -> Curve {
    let rows = curve.rows.iter_mut().filter(|row| s.contains(&(row.t_ms / 1_000)));
    rows.for_each(change);
    curve
}

/// Without the rows of these seconds.
pub(super) fn without(mut curve: Curve, s: std::ops::Range<u64>) -> Curve {
    curve.rows.retain(|row| !s.contains(&(row.t_ms / 1_000)));
    curve
}

/// Everything from `from_s` on comes later by `by_s`, and the row before is held until then.
pub(super) fn stretched(curve: Curve, from_s: u64, by_s: u64) -> Curve {
    let mut rows = Vec::new();
    for row in curve.rows {
        let t_s = row.t_ms / 1_000;
        if t_s == from_s {
            for s in 0..by_s {
                rows.push(Row { t_ms: (t_s + s) * 1_000, ..row });
            }
        }
        let later = if t_s >= from_s { by_s } else { 0 };
        rows.push(Row { t_ms: (t_s + later) * 1_000, ..row });
    }
    Curve { rows, ..curve }
}

pub(super) fn both(milli: i32) -> impl Fn(&mut Row) {
    move |row| row.milk.iter_mut().take(2).for_each(|v| *v = Some(Celsius::from_milli(milli)))
}

pub(super) fn verdict(curve: &Curve) -> Verdict {
    judge(&recipe(), curve)
}

/// How the rule was found, the heaviest.
pub(super) fn severity(verdict: &Verdict, rule: Rule) -> Option<Severity> {
    verdict.findings.iter().filter(|f| f.rule == rule).map(|f| f.severity).max()
}

fn outcome(curve: &Curve) -> Outcome {
    verdict(curve).outcome
}
