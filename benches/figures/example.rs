//! The batch that is measured: the strict recipe on the nominal machine with four milk probes.

use holder::batch::certificate::Certificate;
use holder::batch::judge::judge;
use holder::batch::params::{BatchParams, Cascade, Heater, MARGIN_UNKNOWN, Probe, Purpose};
use holder::batch::recipe::Recipe;
use holder::batch::verdict::{Outcome, Verdict};
use holder::profiles;
use holder::record::curve::curve;
use holder::station::rehearsal::{Rehearsal, rehearse};
use holder::store::model::{BatchRecord, PoolRecord, PoolShare};
use holder_hal::Kelvin;
use holder_sim::PlantParams;

/// Bottles in the machine, the control bottle not counted.
pub(crate) const BOTTLES: u16 = 48;
/// Any seed: the work is the same.
const SEED: u64 = 7;
/// Steps of the readings, kelvin.
const RESOLUTION_K: f64 = 0.1;
const MILK_PROBES: usize = 4;

fn probe(source: String) -> Probe {
    Probe {
        certificate: Certificate {
            number: format!("bench {source}"),
            date: "2026-01-01".into(),
            due: "2026-07-01".into(),
            by: "bench".into(),
            reference: "bench".into(),
            uncertainty: Kelvin::from_milli(100),
            offsets: Vec::new(),
        },
        source,
        resolution: Kelvin::from_milli(100),
    }
}

/// What is frozen at the start of the batch.
pub(crate) fn params() -> BatchParams {
    let text = profiles::recipe(profiles::RECIPE_DEFAULT).expect("the default recipe is shipped");
    BatchParams {
        purpose: Purpose::Milk,
        unit: "bench".into(),
        simulated: true,
        recipe: Recipe::parse(profiles::RECIPE_DEFAULT, text).expect("the shipped recipe is valid"),
        period_ms: 1_000,
        milk: (0..MILK_PROBES).map(|n| probe(format!("bottles.channel_{n}"))).collect(),
        bath: probe("controller.pv".into()),
        reference: None,
        has_lid: true,
        margin: MARGIN_UNKNOWN,
        margin_measured: false,
        heater: Heater::Setpoint,
        cascade: Cascade::UNKNOWN,
    }
}

/// A whole batch, plant and engine in this process.
pub(crate) fn rehearsed() -> Rehearsal {
    rehearsed_with(SEED)
}

fn rehearsed_with(seed: u64) -> Rehearsal {
    let run = rehearse(params(), PlantParams::nominal(), seed, RESOLUTION_K, BOTTLES);
    let run = run.expect("the parameters are valid");
    assert_eq!(run.engine.accepts(), Some(true), "what is measured must be a good batch");
    run
}

/// The same batch as the store would give it back.
pub(crate) fn record(run: &Rehearsal) -> BatchRecord {
    let mut record = run.record();
    record.header.pool = Some("P-2026-0001".into());
    record.pool = Some(pool());
    record.time_zone = "Europe/Berlin".into();
    record
}

fn pool() -> PoolRecord {
    let share = |n| PoolShare {
        deposit: format!("D-2026-000{n}"),
        donor: format!("N-000{n}"),
        volume_ul: 2_080_000,
        expressed_on: "2025-12-24".into(),
    };
    PoolRecord {
        code: "P-2026-0001".into(),
        volume_ul: 6_240_000,
        shares: (1..=3).map(share).collect(),
    }
}

/// The record with the judge's verdict on it, which must be a good one.
pub(crate) fn judged() -> (BatchRecord, Verdict) {
    judged_with(SEED)
}

/// The same with other noise on the probes.
pub(crate) fn judged_with(seed: u64) -> (BatchRecord, Verdict) {
    let record = record(&rehearsed_with(seed));
    let verdict = judge(&record.params.recipe, &curve(&record));
    assert_eq!(verdict.outcome, Outcome::Acceptable, "{:#?}", verdict.findings);
    (record, verdict)
}
