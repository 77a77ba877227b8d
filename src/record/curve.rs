//! What the judge reads of a record: the stored readings, corrected by the frozen certificates.

use holder_hal::{Celsius, Kelvin, MILK_PROBES_MAX, Quality, Sample, Switch};

use crate::batch::curve::{Curve, Interruption, Row};
use crate::batch::event::{Cause, Event};
use crate::batch::params::{BatchParams, Probe};
use crate::batch::words;
use crate::store::model::{BatchRecord, Period};

/// The curve of a record. Only what was good when it was stored is in it.
pub fn curve(record: &BatchRecord) -> Curve {
    let params = &record.params;
    let resolution = params.milk.first().map_or(0, |probe| probe.resolution.milli());
    let loaded = record.entries.iter().find(|stamped| stamped.entry.event.loaded().is_some());
    Curve {
        milk_uncertainty: params.milk.iter().map(|p| p.certificate.uncertainty).collect(),
        margin: params.margin,
        margin_measured: params.margin_measured,
        max_gap_ms: params.recipe.hold.max_gap_ms,
        half_resolution: Kelvin::from_milli(resolution / 2),
        load_ms: loaded.map(|stamped| stamped.entry.at.ms()),
        has_reference: params.reference.is_some(),
        has_lid: params.has_lid,
        own_record: true,
        bottles_in: bottles_in(record),
        counts_out: counts_out(record),
        engine_accepts: record.header.engine_accepts,
        engine_holds_broken: Some(holds_broken(record)),
        end_phase: Some(record.header.phase),
        cut_off: false,
        interruptions: interruptions(record),
        rows: record.periods.iter().map(|period| row(params, period)).collect(),
    }
}

/// How many bottles were confirmed to be in, the control bottle not counted; `None` before that.
pub(crate) fn bottles_in(record: &BatchRecord) -> Option<u16> {
    record.entries.iter().find_map(|stamped| stamped.entry.event.loaded())
}

/// Both in words.
pub(crate) fn bottles(record: &BatchRecord) -> String {
    words::bottles(bottles_in(record), &counts_out(record))
}

/// Every count of the bottles that came out, in order; the last one counts.
pub(crate) fn counts_out(record: &BatchRecord) -> Vec<u16> {
    let of = |event: &Event| match event {
        Event::CountDiffers { counted, .. } => Some(*counted),
        Event::Entered { cause: Cause::Unloaded { bottles, .. }, .. } => Some(*bottles),
        Event::Entered { .. }
        | Event::Raised { .. }
        | Event::Cleared { .. }
        | Event::Acknowledged { .. }
        | Event::Failed { .. }
        | Event::AboveCeiling { .. }
        | Event::Resumed { .. }
        | Event::HeatConfirmed => None,
    };
    record.entries.iter().filter_map(|stamped| of(&stamped.entry.event)).collect()
}

/// How many holds the engine saw broken.
fn holds_broken(record: &BatchRecord) -> u32 {
    let breaks = record.entries.iter().filter(|stamped| is_broken_hold(&stamped.entry.event));
    u32::try_from(breaks.count()).unwrap_or(u32::MAX)
}

/// Whether this entry says that a hold was broken.
fn is_broken_hold(event: &Event) -> bool {
    matches!(
        event,
        Event::Entered {
            cause: Cause::HoldBroken { .. }
                | Cause::RestartsExhausted { .. }
                | Cause::InterruptionNotAllowed { held_ms: Some(_) },
            ..
        }
    )
}

/// Every interruption of the controller that the record tells of, in order.
pub(super) fn interruptions(record: &BatchRecord) -> Vec<Interruption> {
    let of = |event: &Event, at_ms| match event {
        Event::Resumed { outage_ms } => Some(Interruption { at_ms, outage_ms: *outage_ms }),
        Event::Entered { .. }
        | Event::Raised { .. }
        | Event::Cleared { .. }
        | Event::Acknowledged { .. }
        | Event::Failed { .. }
        | Event::AboveCeiling { .. }
        | Event::HeatConfirmed
        | Event::CountDiffers { .. } => None,
    };
    let entries = record.entries.iter();
    entries.filter_map(|stamped| of(&stamped.entry.event, stamped.entry.at.ms())).collect()
}

fn row(params: &BatchParams, period: &Period) -> Row {
    let reading = &period.reading;
    let mut milk = [None; MILK_PROBES_MAX];
    for ((slot, probe), sample) in milk.iter_mut().zip(&params.milk).zip(reading.milk) {
        *slot = trusted(Some(probe), sample);
    }
    Row {
        t_ms: period.at.ms(),
        milk,
        bath: params.bath.trusted(reading.bath),
        reference: trusted(params.reference.as_ref(), reading.reference),
        lid: reading.lid.filter(|_| params.has_lid).and_then(told),
        phase: Some(period.phase),
        heats: Some(period.command.heats()),
    }
}

fn told(switch: Switch) -> Option<bool> {
    switch.on.filter(|_| switch.quality == Quality::Good)
}

fn trusted(probe: Option<&Probe>, sample: Option<Sample>) -> Option<Celsius> {
    probe.zip(sample).and_then(|(probe, sample)| probe.trusted(sample))
}
