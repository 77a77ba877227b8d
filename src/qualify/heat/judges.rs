//! Steps on the two judges: a dispute is never acceptable, and good batches pass.

use holder_sim::params::PlantParams;

use super::{c, found, words};
use crate::batch::verdict::{Outcome, Rule, Severity};
use crate::qualify::Seen;
use crate::qualify::bench::{Bench, judged};

pub(super) fn dispute(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let good = bench.good()?;
    let mut record = good.record.clone();
    record.header.engine_accepts = Some(false);
    let verdict = judged(&record);
    let disputed = found(&verdict, Rule::Disputed, Severity::Deviation)
        || found(&verdict, Rule::Disputed, Severity::Fail);
    Ok(Seen::that(
        good.verdict.outcome == Outcome::Acceptable
            && disputed
            && verdict.outcome != Outcome::Acceptable,
        "the same record is acceptable with the engine's word, and disputed and not acceptable against \
         it",
        format!("with: {}; against: {}", good.verdict.outcome, words(&verdict)),
    ))
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
