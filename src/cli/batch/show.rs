//! `holder batch show`: the verdict and its reasons first, then figures and events.

use serde_json::{Value, json};

use crate::batch::words;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::{out, verdict};
use crate::milk::ml;
use crate::record::curve::{bottles, bottles_in, counts_out};
use crate::record::judgement::{Basis, Judgement};
use crate::record::zone::{Zone, rfc3339};
use crate::software::Software;
use crate::store::model::{BatchRecord, Closing};

pub(super) fn run(context: &Context, code: &str) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    let (record, misfit) = super::load(&store, code)?;
    let judgement = super::judgement(&store, &record, misfit.as_ref())?;
    if context.json {
        let mut document = document(&record, &judgement)?;
        if let Value::Object(fields) = &mut document {
            fields.insert("fits".to_owned(), misfit.is_none().into());
            fields.insert("misfit".to_owned(), json!(misfit.as_ref().map(ToString::to_string)));
        }
        out::json(&document)?;
        return super::end(code, &judgement, misfit);
    }
    let training = if store.station().training { "TRAINING\n" } else { "" };
    let changed = if misfit.is_some() { "NOT WHAT WAS WRITTEN\n" } else { "" };
    let otherwise = if judgement.otherwise.is_some() { "JUDGED OTHERWISE TODAY\n" } else { "" };
    out::text(&format!("{changed}{otherwise}{training}{}", in_words(&record, &judgement)))?;
    super::end(code, &judgement, misfit)
}

/// All but the readings and the frozen texts, which `batch export` gives.
fn document(record: &BatchRecord, judgement: &Judgement) -> anyhow::Result<Value> {
    let texts: Vec<Value> = record
        .texts
        .iter()
        .map(|text| json!({ "kind": text.kind, "name": text.name, "sha256": text.sha256 }))
        .collect();
    let mut document = json!({
        "verdict": judgement.verdict, "verdict_decided_by": judgement.decided_by(),
        "verdict_kept": judgement.basis == Basis::Kept, "verdict_today": judgement.otherwise,
        "made_by": judgement.made_by, "software": Software::this().to_string(), "station": record.station, "time_zone": record.time_zone,
        "bottles_in": bottles_in(record), "bottles_out": counts_out(record),
        "started": rfc3339(record.header.started_utc_ms),
        "closed": record.header.closed_utc_ms.map(rfc3339),
        "pool_record": record.pool, "entries": record.entries, "actions": record.actions, "remarks": record.remarks,
        "params": record.params, "texts": texts,
        "journal_head": { "seq": record.head_seq, "sha256": record.head_hash },
    });
    let header = serde_json::to_value(&record.header)?;
    if let (Value::Object(document), Value::Object(header)) = (&mut document, header) {
        document.extend(header);
    }
    Ok(document)
}

/// Who decided the verdict above, and what this program says where it decides otherwise.
fn today(judgement: &Judgement) -> String {
    let basis = format!("\n{}\nby: {}\n", judgement.basis_words(), judgement.decided_by());
    let Some(today) = &judgement.otherwise else { return basis };
    format!("{basis}\nTODAY, by {}:\n{}", Software::this(), verdict::in_words(today))
}

fn in_words(record: &BatchRecord, judgement: &Judgement) -> String {
    let header = &record.header;
    let zone = Zone::named(&record.time_zone);
    let mark = if header.simulated { "   SIMULATED" } else { "" };
    let each = match header.bottle_ul {
        0 => String::new(),
        bottle_ul => format!(" of {} ml", ml(bottle_ul)),
    };
    // Those that were confirmed to be in; another number may have been told at the start.
    let count = bottles_in(record).unwrap_or(header.bottles);
    let what = match &header.pool {
        Some(pool) => format!("{count} bottles{each} of pool {pool}"),
        None => format!("water in {count} bottles{each}, never releasable"),
    };
    let planned = match header.bottles {
        told if told == count => String::new(),
        told => format!(" ({told} told at the start)"),
    };
    let closed = match (header.closed_utc_ms, header.closing) {
        (None, _) => format!("open, in {}", header.phase),
        (Some(at), Some(Closing::Interrupted)) => {
            format!("interrupted in {}, closed {}", header.phase, zone.stamp(at))
        }
        (Some(at), Some(Closing::Ended) | None) => {
            format!("{}, closed {}", header.phase, zone.stamp(at))
        }
    };
    let mut text = format!(
        "batch {}{mark}\n{what}, unit {}, recipe {}\nbottles {}{planned}, the control bottle not counted\nstarted {} by {}; {closed}\ntimes in {}\n\
         made by: {}\n\n{}{}",
        header.code,
        header.unit,
        header.recipe,
        bottles(record),
        zone.stamp(header.started_utc_ms),
        header.operator,
        zone.label(header.started_utc_ms),
        judgement.made_by().replace(", ", "\n         "),
        verdict::in_words(&judgement.verdict),
        today(judgement),
    );
    let row = |tick_ms, utc_ms, text| vec![words::elapsed(tick_ms), zone.clock(utc_ms), text];
    let entries = record.entries.iter().map(|stamped| {
        let at_ms = stamped.entry.at.ms();
        (at_ms, row(at_ms, stamped.utc_ms, words::describe(&stamped.entry)))
    });
    let remarks = record.remarks.iter();
    let remarks = remarks.map(|r| (r.tick_ms, row(r.tick_ms, r.utc_ms, r.text.clone())));
    let mut rows: Vec<(u64, Vec<String>)> = entries.chain(remarks).collect();
    rows.sort_by_key(|(at_ms, _)| *at_ms);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
    text += "\n";
    text += &out::list(&["ELAPSED", "TIME", "EVENT"], &rows, "no events");
    let count = record.periods.len();
    text += &format!("\n{count} readings stored; journal head {}\n", record.head_hash);
    text
}
