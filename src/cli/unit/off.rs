//! `holder unit off`: the heat of a unit off, from the command line.

use std::time::Duration;

use serde_json::{Value, json};

use super::runtime;
use crate::cli::context::{Context, DATABASE_FILE};
use crate::cli::failure::Failure;
use crate::cli::{out, signals};
use crate::invocation;
use crate::station::in_time::in_time;
use crate::station::lock::{LockError, UnitLock};
use crate::station::off::{NotOff, switch_off};
use crate::station::resume;
use crate::store::Store;
use crate::store::model::BatchHeader;

/// A record that takes longer to be read (real time) is not waited for.
const READ_WITHIN: Duration = Duration::from_secs(2);

const UNTOLD: &str = "nothing was told to the machine: switch its heater off there";

pub(super) fn run(context: &Context, name: &str) -> Result<(), Failure> {
    signals::never_stopped_by_the_terminal();
    let untold = |_: &Failure| out::note(UNTOLD);
    let station = context.station_of_machine(name).inspect_err(untold)?;
    let unit = station.unit(name).map_err(Failure::from).inspect_err(untold)?;
    let spec = unit.spec().map_err(Failure::from).inspect_err(untold)?;
    let taken = UnitLock::take_to_make_safe(context.dir(), name)
        .and_then(|(lock, why)| Ok((lock.with_outputs(&spec)?, why)));
    let (_lock, unusable) = match taken {
        Ok((lock, unusable)) => (Some(lock), unusable),
        // A disk that is full, hangs or must not be written keeps no heater on.
        Err(why @ LockError::File { .. }) => (None, Some(why)),
        Err(why @ (LockError::Taken { .. } | LockError::Driven { .. })) => {
            out::note(&format!("unit {name}: nothing was told to the machine"));
            return Err(why.into());
        }
    };
    unusable.iter().for_each(|why| out::note(&why.to_string()));
    let open = left_open(context, name);
    // The milk of an open batch that was being cooled goes on being cooled.
    let cooling = open.as_ref().is_some_and(|open| resume::is_cooled(open.phase));
    let done = runtime()?.block_on(switch_off(&spec, cooling));
    report(context, name, &done, open.as_ref())?;
    match done {
        Ok(_) => Ok(()),
        Err(why) if why.is_unreachable() => Err(Failure::Unreachable(why.into())),
        Err(why) => Err(Failure::Refused(why.into())),
    }
}

/// The batch that an interrupted program left open on this unit, as far as the record can be read: one
/// that is damaged, or lies on a disk that hangs, keeps no heater on.
fn left_open(context: &Context, unit: &str) -> Option<BatchHeader> {
    let path = context.dir().join(DATABASE_FILE);
    let open = move || Store::open_read_only(&path)?.open_batches();
    in_time(READ_WITHIN, open)?.ok()?.into_iter().find(|header| header.unit == unit)
}

/// What is known of each device that was told, where the unit as a whole did not confirm it.
fn devices(done: &Result<bool, NotOff>) -> Vec<Value> {
    let told = done.as_ref().err().map(NotOff::told).unwrap_or_default().iter();
    let each = told.map(|told| {
        let why = told.confirmed.as_ref().err().map(ToString::to_string);
        json!({ "device": told.device, "confirmed": told.confirmed.is_ok(), "why": why })
    });
    each.collect()
}

fn report(
    context: &Context,
    unit: &str,
    done: &Result<bool, NotOff>,
    open: Option<&BatchHeader>,
) -> Result<(), Failure> {
    let (simulated, why) = match done {
        Ok(simulated) => (Some(*simulated), None),
        Err(why) => (None, Some(why.to_string())),
    };
    if context.json {
        return Ok(out::json(&json!({
            "unit": unit, "confirmed": done.is_ok(), "simulated": simulated, "why": why,
            "open_batch": open.map(|open| &open.code), "devices": devices(done),
        }))?);
    }
    if let Some(simulated) = simulated {
        let mark = if simulated { "SIMULATED\n" } else { "" };
        out::text(&format!(
            "{mark}unit {unit}: heat was switched off, and the machine confirmed it"
        ))?;
    }
    if let Some(open) = open {
        out::note(&format!(
            "batch {} is still open. To go on with it: {}. To give it up: {}",
            open.code,
            invocation::run(unit, "--resume"),
            invocation::run(unit, "--abandon 'WHY'")
        ));
    }
    Ok(())
}
