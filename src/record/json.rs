//! Everything of one batch as one JSON document, for another program or another decade.
//!
//! Each moment is given twice: as milliseconds on the batch's own monotonic time (`tick_ms`),
//! by which durations are measured, and as wall-clock time (RFC 3339, UTC). Readings are raw,
//! as they came from the device; `params` holds the certificates that correct them. One period
//! is one line. `verdict` is the one that was kept when the batch was closed; `verdict_today` is there
//! where the exporting program decides otherwise, and `fits` is false where the record was not what was
//! written.

use std::fmt::Write as _;

use holder_hal::{Heat, Sample, Switch};
use serde::{Deserialize, Serialize};

use super::judgement::{Basis, Judgement};
use super::zone::{rfc3339, wall_ms};
use super::{RecordError, curve};
use crate::batch::event::{Action, Entry};
use crate::batch::params::BatchParams;
use crate::batch::verdict::Verdict;
use crate::software::Software;
use crate::store::MadeBy;
use crate::store::model::{BatchHeader, BatchRecord, FrozenText, Period, PoolRecord, Remark};

/// What the first keys of a document say, so that a reader knows what it has.
pub(super) const FORMAT: &str = "holder batch record";
/// Raised when a key changes its meaning.
pub(super) const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    software: String,
    exported: String,
    station: &'a str,
    time_zone: &'a str,
    journal_head: Head<'a>,
    header: Header<'a>,
    made_by: &'a [MadeBy],
    verdict: &'a Verdict,
    verdict_decided_by: String,
    verdict_kept: bool,
    verdict_today: Option<&'a Verdict>,
    fits: bool,
    params: &'a BatchParams,
    bottles_in: Option<u16>,
    bottles_out: Vec<u16>,
    pool: Option<&'a PoolRecord>,
    entries: Vec<StampedEntry<'a>>,
    actions: Vec<StampedAction<'a>>,
    remarks: &'a [Remark],
    texts: &'a [FrozenText],
}

#[derive(Serialize)]
struct Head<'a> {
    seq: i64,
    sha256: &'a str,
}

#[derive(Serialize)]
struct Header<'a> {
    #[serde(flatten)]
    header: &'a BatchHeader,
    started: String,
    closed: Option<String>,
}

#[derive(Serialize)]
struct StampedEntry<'a> {
    seq: i64,
    time: String,
    who: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Serialize)]
struct StampedAction<'a> {
    tick_ms: u64,
    time: String,
    who: &'a str,
    #[serde(flatten)]
    action: &'a Action,
}

#[derive(Serialize)]
struct Line {
    tick_ms: u64,
    time: String,
    phase: &'static str,
    milk: Vec<Option<Channel>>,
    bath: Channel,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lid: Option<Lid>,
    simulated: bool,
    heat: HeatCommand,
    agitator: bool,
    cooling: bool,
}

#[derive(Serialize)]
struct Channel {
    raw_c: Option<f64>,
    quality: &'static str,
    age_ms: u32,
}

#[derive(Serialize)]
struct Lid {
    closed: Option<bool>,
    quality: &'static str,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HeatCommand {
    Off,
    SetpointC(f64),
    DutyPermille(u16),
}

/// The whole batch as JSON.
///
/// # Errors
/// The JSON library refuses a value; none of ours is known to be refused.
pub fn export(
    record: &BatchRecord,
    judgement: &Judgement,
    exported_utc_ms: i64,
) -> Result<String, RecordError> {
    let fault = |why| RecordError::Json { batch: record.header.code.clone(), why };
    let whole = serde_json::to_string_pretty(&document(record, judgement, exported_utc_ms));
    let mut text = whole.map_err(fault)?;
    // The periods go in behind the last key, one a line.
    text.truncate(text.trim_end_matches(['}', '\n']).len());
    text.push_str(",\n  \"periods\": [");
    for (index, period) in record.periods.iter().enumerate() {
        let line = serde_json::to_string(&line(record, period)).map_err(fault)?;
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}\n    {line}");
    }
    text.push_str("\n  ]\n}\n");
    Ok(text)
}

fn document<'a>(
    record: &'a BatchRecord,
    judgement: &'a Judgement,
    exported_utc_ms: i64,
) -> Document<'a> {
    let header = &record.header;
    let entries = record.entries.iter().map(|stamped| StampedEntry {
        seq: stamped.seq,
        time: rfc3339(stamped.utc_ms),
        who: &stamped.who,
        entry: &stamped.entry,
    });
    let actions = record.actions.iter().map(|stamped| StampedAction {
        tick_ms: stamped.tick_ms,
        time: rfc3339(stamped.utc_ms),
        who: &stamped.who,
        action: &stamped.action,
    });
    Document {
        format: FORMAT,
        version: VERSION,
        software: Software::this().to_string(),
        exported: rfc3339(exported_utc_ms),
        station: &record.station,
        time_zone: &record.time_zone,
        journal_head: Head { seq: record.head_seq, sha256: &record.head_hash },
        header: Header {
            header,
            started: rfc3339(header.started_utc_ms),
            closed: header.closed_utc_ms.map(rfc3339),
        },
        made_by: &judgement.made_by,
        verdict: &judgement.verdict,
        verdict_decided_by: judgement.decided_by(),
        verdict_kept: judgement.basis == Basis::Kept,
        verdict_today: judgement.otherwise.as_ref(),
        fits: judgement.fits,
        params: &record.params,
        bottles_in: curve::bottles_in(record),
        bottles_out: curve::counts_out(record),
        pool: record.pool.as_ref(),
        entries: entries.collect(),
        actions: actions.collect(),
        remarks: &record.remarks,
        texts: &record.texts,
    }
}

fn line(record: &BatchRecord, period: &Period) -> Line {
    let (reading, command) = (&period.reading, &period.command);
    let milk = reading.milk.iter().take(record.params.milk.len());
    Line {
        tick_ms: period.at.ms(),
        time: rfc3339(wall_ms(record, period.at.ms())),
        phase: period.phase.word(),
        milk: milk.map(|sample| sample.map(channel)).collect(),
        bath: channel(reading.bath),
        reference: reading.reference.map(channel),
        lid: reading.lid.map(lid),
        simulated: reading.simulated,
        heat: match command.heat {
            Heat::Off => HeatCommand::Off,
            Heat::Setpoint(wanted) => HeatCommand::SetpointC(wanted.as_f64()),
            Heat::Duty(duty) => HeatCommand::DutyPermille(duty.permille()),
        },
        agitator: command.agitator,
        cooling: command.cooling,
    }
}

fn channel(sample: Sample) -> Channel {
    let raw_c = sample.raw.map(|raw| raw.as_f64());
    Channel { raw_c, quality: sample.quality.word(), age_ms: sample.age_ms }
}

fn lid(switch: Switch) -> Lid {
    Lid { closed: switch.on, quality: switch.quality.word() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::record::fixture;

    fn exported() -> (BatchRecord, Verdict, Value) {
        let (record, verdict) = fixture::troubled();
        let text =
            export(&record, &Judgement::now(verdict.clone()), 1_773_480_000_000).expect("exported");
        let value = serde_json::from_str(&text).expect("JSON");
        (record, verdict, value)
    }

    #[test]
    fn nothing_of_the_record_is_lost() {
        let (record, verdict, value) = exported();
        for (key, count) in [
            ("periods", record.periods.len()),
            ("entries", record.entries.len()),
            ("actions", record.actions.len()),
            ("texts", record.texts.len()),
        ] {
            assert_eq!(value[key].as_array().map(Vec::len), Some(count), "{key}");
        }
        let params: BatchParams = serde_json::from_value(value["params"].clone()).expect("params");
        assert_eq!(params, record.params);
        let judged: Verdict = serde_json::from_value(value["verdict"].clone()).expect("verdict");
        assert_eq!(judged, verdict);
        assert_eq!(value["journal_head"]["sha256"], record.head_hash);
        assert_eq!(value["pool"]["shares"][2]["donor"], "M-0067");
        assert_eq!((&value["bottles_in"], &value["bottles_out"]), (&48.into(), &[48][..].into()));
    }

    #[test]
    fn a_moment_stands_as_ticks_and_as_wall_clock_time() {
        let (_, _, value) = exported();
        assert_eq!(value["header"]["started"], "2026-03-14T07:12:00.000Z");
        assert_eq!(value["periods"][1]["tick_ms"], 1_000);
        assert_eq!(value["periods"][1]["time"], "2026-03-14T07:12:01.000Z");
        assert_eq!(value["entries"][1]["tick_ms"], 180_000);
        assert_eq!(value["entries"][1]["time"], "2026-03-14T07:15:00.000Z");
        assert_eq!(value["actions"][0]["time"], "2026-03-14T07:16:00.000Z");
    }

    #[test]
    fn a_missing_reading_has_no_number_and_says_why() {
        let (_, _, value) = exported();
        let lost = &value["periods"][2_400]["milk"][1];
        assert_eq!(
            *lost,
            serde_json::json!({"raw_c": null, "quality": "sensor-open", "age_ms": 0})
        );
    }

    #[test]
    fn a_record_without_periods_is_still_a_document() {
        let (mut record, verdict) = fixture::good();
        record.periods.clear();
        let text = export(&record, &Judgement::now(verdict), 0).expect("exported");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["periods"], serde_json::json!([]));
    }
}
