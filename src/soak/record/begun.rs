//! What a run begins with: a station with milk, and its batch.

use holder_hal::Tick;

use super::super::scenario::Scenario;
use super::{NOON_MS, WHO, boot};
use crate::milk::{Deposit, Status};
use crate::store::{ClockEntry, NewBatch, Stamp, Station, Store, StoreError};

/// The batch of a run.
pub(super) fn new_batch(scenario: &Scenario) -> NewBatch {
    NewBatch {
        simulated: true,
        pool: Some("P-1".into()),
        bottles: u16::try_from(scenario.plant.bottles).unwrap_or(u16::MAX),
        bottle_ul: (scenario.plant.bottle.volume_l * 1_000_000.0).round() as i64,
        operator: WHO.into(),
        started_utc_ms: NOON_MS,
        params: scenario.params.clone(),
        texts: Vec::new(),
        clock: Some(ClockEntry { moment: boot(0, Tick::default()), tick_ms: 0, speed: 1 }),
    }
}

/// A station in memory with enough milk for two batches.
pub(super) fn station_with_milk(scenario: &Scenario) -> Result<Store, StoreError> {
    let station = Station {
        name: "Soak".into(),
        time_zone: "UTC".into(),
        training: true,
        created_utc_ms: NOON_MS,
    };
    let stamp = Stamp { utc_ms: NOON_MS, who: WHO };
    let mut store = Store::in_memory(&station, WHO)?;
    let mut codes = Vec::new();
    for number in 1..=3 {
        let deposit = Deposit {
            code: format!("M-{number}"),
            donor: format!("D-{number}"),
            volume_ul: 20_000_000,
            expressed_on: jiff::civil::date(2026, 5, 1),
            received_on: jiff::civil::date(2026, 6, 1),
        };
        store.add_donor(stamp, &deposit.donor)?;
        let until = jiff::civil::date(2026, 12, 31);
        store.set_donor_status(stamp, &deposit.donor, Status::Cleared { until }, "serology")?;
        store.add_deposit(stamp, &deposit)?;
        codes.push(deposit.code);
    }
    store.add_pool(stamp, "P-1", &codes, &scenario.params.recipe.pool)?;
    Ok(store)
}
