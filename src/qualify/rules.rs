//! Steps on what may begin at all: heat, units, certificates.

use anyhow::Context as _;
use holder_hal::{Celsius, Command, Heat, Tick};
use jiff::ToSpan as _;

use super::bench::Bench;
use super::{Seen, Step};
use crate::batch::params::Purpose;
use crate::station::lock::{LockError, UnitLock};
use crate::station::permit::HeatPermit;

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "OQ-20",
        requirement: "REQ-HEAT-03",
        method: "Ask for heat before any sample is committed, one period after one, and 1 ms later.",
        run: permit,
    },
    Step {
        number: "OQ-21",
        requirement: "REQ-UNIT-01",
        method: "Take a unit twice; then give it back and take it again.",
        run: lock,
    },
    Step {
        number: "OQ-22",
        requirement: "REQ-CAL-01",
        method: "Ask for the parameters of a batch today, and on the day after the first certificate \
                 of the unit is due.",
        run: calibration,
    },
];

fn permit(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let period_ms = bench.params.period_ms;
    let warm = Command {
        heat: Heat::Setpoint(Celsius::from_milli(63_500)),
        agitator: true,
        cooling: false,
    };
    let mut permit = HeatPermit::new(period_ms);
    let at = Tick::from_ms(10_000);
    let before = permit.grant(at, warm).heats();
    permit.committed(at);
    let heats_at =
        |after_ms: u64| permit.grant(Tick::from_ms(at.ms().saturating_add(after_ms)), warm).heats();
    let (fresh, old) = (heats_at(period_ms), heats_at(period_ms.saturating_add(1)));
    let word = |heats: bool| if heats { "on" } else { "off" };
    Ok(Seen::that(
        !before && fresh && !old,
        format!("off before any commit; on up to {period_ms} ms after one; then off"),
        format!(
            "before: {}; after {period_ms} ms: {}; 1 ms later: {}",
            word(before),
            word(fresh),
            word(old)
        ),
    ))
}

fn lock(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let first = UnitLock::take(bench.folder, "oq")?;
    let second = UnitLock::take(bench.folder, "oq");
    let refused = matches!(second, Err(LockError::Taken { .. }));
    let said = second.err().map_or_else(|| "taken twice".to_owned(), |why| why.to_string());
    drop(first);
    let again = UnitLock::take(bench.folder, "oq").is_ok();
    Ok(Seen::that(
        refused && again,
        "the second is refused; after the first is gone it is free",
        format!("second: {said}; afterwards: {}", if again { "free" } else { "still taken" }),
    ))
}

fn calibration(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let params = &bench.params;
    let probes = params.milk.iter().chain([&params.bath]).chain(&params.reference);
    let dues = probes.filter_map(|probe| probe.certificate.due.parse::<jiff::civil::Date>().ok());
    let due = dues.min().context("no certificate has a due date")?;
    let after = due.checked_add(1.day())?;
    let valid = bench.unit.params(Purpose::Water, bench.recipe, bench.today).is_ok();
    let overdue = bench.unit.params(Purpose::Water, bench.recipe, after);
    let refused = overdue.is_err();
    let said = overdue.err().map_or_else(|| "allowed".to_owned(), |why| why.to_string());
    Ok(Seen::that(
        valid && refused && said.contains(&due.to_string()),
        format!("allowed on {}; refused on {after}, with the day {due}", bench.today),
        format!("{}: {}; {after}: {said}", bench.today, if valid { "allowed" } else { "refused" }),
    ))
}
