//! Steps on the two judges: a dispute is never acceptable, and good batches pass.

use holder_sim::params::PlantParams;

use super::{agreed, both_words, c, found, words};
use crate::batch::event::{Cause, Event, HoldBreak};
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity, Verdict};
use crate::qualify::Seen;
use crate::qualify::bench::{Bench, Rehearsed};
use crate::store::model::{BatchRecord, StampedEntry};

pub(super) fn dispute(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let good = bench.good()?;
    let told = |run: &Rehearsed, change: &dyn Fn(&mut BatchRecord)| {
        let mut record = run.record.clone();
        change(&mut record);
        bench.judged(&record)
    };
    let against = told(&good, &|record| record.header.engine_accepts = Some(false));
    let undecided = told(&good, &|record| record.header.engine_accepts = None);
    let broken = told(&good, &|record| record.entries.extend(one_broken_hold(record)));
    let plant = PlantParams { coolant_l_min: 0.0, ..PlantParams::nominal() };
    let warm = bench.on(plant, bench.seed, |_, _| ())?;
    let accepted = told(&warm, &|record| record.header.engine_accepts = Some(true));
    let disputed = |verdict: &Verdict| {
        verdict.outcome != Outcome::Acceptable && found(verdict, Rule::Disputed, Severity::Fail)
    };
    Ok(Seen::that(
        good.verdict.outcome == Outcome::Acceptable
            && disputed(&against)
            && undecided.outcome == Outcome::Incomplete
            && disputed(&broken)
            && disputed(&accepted),
        "the good record is acceptable with the engine's word, disputed and not acceptable against it or \
         with a hold that only the engine saw broken, and incomplete without it; the warm batch is \
         disputed if the engine accepted it",
        format!(
            "with: {}; against: {}; undecided: {}; another count of broken holds: {}; warm, accepted by \
             the engine: {}",
            good.verdict.outcome,
            words(&against),
            undecided.outcome,
            words(&broken),
            words(&accepted)
        ),
    ))
}

/// An entry of a hold that was broken, as an engine would have written it at the last moment.
fn one_broken_hold(record: &BatchRecord) -> Option<StampedEntry> {
    let mut last = record.entries.last()?.clone();
    let cause = Cause::HoldBroken { by: HoldBreak::BelowLimit, held_ms: 0 };
    last.entry.event = Event::Entered { phase: PhaseName::ComeUp, cause };
    Some(last)
}

pub(super) fn count(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let loaded = bench.bottles();
    let (more, fewer) = (loaded.saturating_add(1), loaded.saturating_sub(1));
    let added = bench.counted(more, more)?;
    let again = bench.counted(more, loaded)?;
    // Of a single bottle none less can come out.
    let lost = (fewer > 0).then(|| bench.counted(fewer, fewer)).transpose()?;
    let decides = |run: &Rehearsed, severity, accepts| {
        let outcome = if accepts { Outcome::Acceptable } else { Outcome::Unacceptable };
        run.verdict.outcome == outcome
            && found(&run.verdict, Rule::BottleCount, severity)
            && agreed(run, accepts)
            && run.record.entries.iter().any(|one| is_asked_again(&one.entry.event))
    };
    let meets = decides(&added, Severity::Fail, false)
        && decides(&again, Severity::Deviation, true)
        && lost.as_ref().is_none_or(|lost| decides(lost, Severity::Deviation, true));
    let said = lost.as_ref().map_or_else(|| "no bottle less can come out".to_owned(), both_words);
    Ok(Seen::that(
        meets,
        format!(
            "{loaded} went in; a count that differs is asked for again. {more} out: both judges refuse the \
             batch; {fewer} out, or {more} and then {loaded}: acceptable, with a deviation"
        ),
        format!("{}. At first: {}. One less: {said}", both_words(&added), both_words(&again)),
    ))
}

fn is_asked_again(event: &Event) -> bool {
    matches!(event, Event::CountDiffers { .. })
}

pub(super) fn many(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let (mut accepted, mut restarts) = (0_u64, 0);
    let mut coldest = f64::INFINITY;
    let mut refused = Vec::new();
    for seed in bench.seed..bench.seed.saturating_add(bench.plants) {
        let run = bench.on(PlantParams::drawn(seed), seed, |_, _| ())?;
        restarts += run.verdict.figures.holds_restarted;
        coldest = coldest.min(run.run.true_coldest_in_hold_c.unwrap_or(f64::NEG_INFINITY));
        match run.verdict.outcome {
            Outcome::Acceptable => accepted += 1,
            Outcome::Unacceptable | Outcome::Incomplete => refused.push(seed.to_string()),
        }
    }
    let floor = bench.params.recipe.hold.floor;
    let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(", ") };
    Ok(Seen::that(
        accepted == bench.plants && coldest >= floor.as_f64(),
        format!(
            "{0} of {0} acceptable, and their true coldest milk never below {floor} °C in the hold",
            bench.plants
        ),
        format!(
            "{accepted} of {} acceptable (refused seeds: {refused}), {restarts} restarts; true coldest \
             milk {}",
            bench.plants,
            c(Some(coldest))
        ),
    ))
}
