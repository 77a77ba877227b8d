//! Steps on the hold: it is whole, or it begins again.

use anyhow::Context as _;
use holder_hal::{Kelvin, Quality, Reading, Sample, Switch};

use super::{
    INTO_MS, agreed, both_words, broken_by, c, causes, entered, found, min, raw_of, shifted,
    touched, whole, words,
};
use crate::batch::event::{Cause, HoldBreak};
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity};
use crate::qualify::Seen;
use crate::qualify::bench::{Bench, Rehearsed};
use crate::qualify::report::Verdict as Said;

fn shift_milk(reading: &mut Reading, by: Kelvin) {
    for probe in &mut reading.milk {
        *probe = probe.map(|sample| shifted(sample, by));
    }
}

pub(super) fn good(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let Rehearsed { run, verdict, .. } = bench.good()?;
    let hold = &bench.params.recipe.hold;
    let (floor, need_s) = (hold.floor, hold.hold_ms as f64 / 1000.0);
    let limit = bench.params.limit_max();
    let held = verdict.figures.hold_s.is_some_and(|held| held >= need_s);
    let warm = run.true_coldest_in_hold_c.is_some_and(|coldest| coldest >= floor.as_f64());
    let above = verdict.figures.plateau_min_c.is_some_and(|least| least >= limit.as_f64() - 0.0005);
    Ok(Seen::that(
        verdict.outcome == Outcome::Acceptable && held && warm && above,
        format!(
            "acceptable; a hold of {} or more, judged values from {limit} °C; true coldest milk of all \
             bottles from {floor} °C",
            min(Some(need_s))
        ),
        format!(
            "{}; lowest judged value {}; true coldest milk in the hold {}; come-up {}",
            words(&verdict),
            c(verdict.figures.plateau_min_c),
            c(run.true_coldest_in_hold_c),
            min(verdict.figures.come_up_s)
        ),
    ))
}

pub(super) fn just_below(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let params = &bench.params;
    let probe = params.milk.first().context("no milk probe")?;
    let below = params.limit(probe) - Kelvin::from_milli(10);
    let raw = raw_of(probe, below);
    let (_, verdict) = touched(bench, |_, reading| {
        if let Some(sample) = reading.milk.first_mut() {
            *sample = Some(Sample::good(raw));
        }
    })?;
    // Whatever else such a record is refused for: the judge may not see the time held in it.
    let need_s = params.recipe.hold.hold_ms as f64 / 1000.0;
    let held = verdict.figures.hold_s.is_some_and(|held| held >= need_s);
    Ok(Seen::that(
        verdict.outcome != Outcome::Acceptable && !held,
        format!(
            "not acceptable, and no hold of {}: {below} °C is below the limit of {} °C",
            min(Some(need_s)),
            params.limit(probe)
        ),
        words(&verdict),
    ))
}

/// So long does the milk sink by a degree, and so long does it take to come back, milliseconds.
const SINKS_MS: u64 = 300_000;

/// The batch in which the milk probes fall ten minutes into each of the first `dips` holds.
fn dipped(bench: &Bench<'_>, dips: u64) -> anyhow::Result<Rehearsed> {
    let first = entered(&bench.good()?.record, PhaseName::Hold)?;
    // After a dip the hold begins again within minutes: half an hour is beyond the ten minutes of
    // the next one, and before its end.
    let starts: Vec<u64> = (0..dips).map(|dip| first.ms() + INTO_MS + dip * 1_200_000).collect();
    bench.spoiled(|at, reading| {
        let into_ms = starts.iter().filter_map(|start| at.ms().checked_sub(*start));
        if let Some(into_ms) = into_ms.filter(|into_ms| *into_ms < 2 * SINKS_MS).min() {
            // As slowly as milk can: what is faster than any bottle is judged as a jump.
            let deep_ms = into_ms.min(2 * SINKS_MS - into_ms);
            let sunk = i32::try_from(deep_ms * 1_000 / SINKS_MS).unwrap_or(0);
            shift_milk(reading, Kelvin::from_milli(-sunk));
        }
    })
}

pub(super) fn one_dip(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let run = dipped(bench, 1)?;
    Ok(broken_once(bench, &run, HoldBreak::BelowLimit, Rule::HoldRestarted))
}

/// What engine and judge must both say of a batch whose hold was broken once.
fn broken_once(bench: &Bench<'_>, run: &Rehearsed, by: HoldBreak, rule: Rule) -> Seen {
    let most = bench.params.recipe.hold.holds_restarted_max;
    let verdict = &run.verdict;
    let observed = both_words(run);
    let both = verdict.figures.holds_restarted == 1
        && found(verdict, Rule::HoldRestarted, Severity::Deviation)
        && found(verdict, rule, Severity::Deviation)
        && broken_by(&run.record) == [by];
    if most == 0 {
        let refused = verdict.outcome == Outcome::Unacceptable && agreed(run, false);
        return Seen::that(
            both && refused,
            "both judges see one hold broken, a deviation; this recipe allows none: unacceptable",
            observed,
        );
    }
    Seen::that(
        both && whole(bench, verdict) && agreed(run, true),
        format!(
            "both judges see one hold broken, a deviation, and then one whole hold: acceptable \
             (restarts that are allowed: {most})"
        ),
        observed,
    )
}

pub(super) fn three_dips(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let most = bench.params.recipe.hold.holds_restarted_max;
    let run = dipped(bench, 3)?;
    let exhausted =
        causes(&run.record).any(|cause| matches!(cause, Cause::RestartsExhausted { .. }));
    let meets = run.verdict.figures.holds_restarted > most
        && run.verdict.outcome == Outcome::Unacceptable
        && found(&run.verdict, Rule::HoldRestarted, Severity::Fail)
        && exhausted
        && agreed(&run, false);
    Ok(Seen::that(
        meets,
        format!("more than {most} restarts: unacceptable for that, and refused by the live engine"),
        both_words(&run),
    ))
}

pub(super) fn lid(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    if !bench.params.has_lid {
        let expected = "the hold begins again, with a deviation";
        return Ok(Seen::not(Said::NotApplicable, expected, "this unit has no lid switch"));
    }
    let first = entered(&bench.good()?.record, PhaseName::Hold)?.ms() + INTO_MS;
    let run = bench.spoiled(|at, reading| {
        if (first..first + 5_000).contains(&at.ms()) {
            reading.lid = Some(Switch { on: Some(false), quality: Quality::Good });
        }
    })?;
    Ok(broken_once(bench, &run, HoldBreak::LidOpened, Rule::Lid))
}

pub(super) fn gap(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let limit_ms = bench.params.recipe.hold.max_gap_ms;
    let first = entered(&bench.good()?.record, PhaseName::Hold)?.ms() + INTO_MS;
    let unplugged = |lasts_ms: u64| {
        bench.spoiled(|at, reading| {
            if (first..first + lasts_ms).contains(&at.ms())
                && let Some(probe) = reading.milk.first_mut()
            {
                *probe = Some(Sample::missing(Quality::SensorOpen));
            }
        })
    };
    let (short_ms, long_ms) = (limit_ms.saturating_sub(2_000), limit_ms + 5_000);
    let (short, long) = (unplugged(short_ms)?, unplugged(long_ms)?);
    let unbroken = short.verdict.figures.holds_restarted == 0
        && broken_by(&short.record).is_empty()
        && whole(bench, &short.verdict)
        && agreed(&short, true);
    let broken = broken_once(bench, &long, HoldBreak::Gap, Rule::HoldRestarted);
    Ok(Seen::that(
        unbroken && broken.verdict == Said::Pass,
        format!("{short_ms} ms: no restart, acceptable; {long_ms} ms: {}", broken.expected),
        format!("{short_ms} ms: {}. {long_ms} ms: {}", both_words(&short), broken.observed),
    ))
}
