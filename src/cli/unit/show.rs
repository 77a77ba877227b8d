//! `holder unit show`: what a unit is made of, and since when, by the journal.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::station::config::Unit;
use crate::station::{changes, commission};
use crate::store::Store;

pub(super) fn run(context: &Context, name: &str) -> Result<(), Failure> {
    let station = context.station()?;
    let unit = station.unit(name)?;
    let spec = unit.spec()?;
    let store = context.store_to_read()?;
    let known = commission::known(&store, &unit)?;
    let declared = declared(&store, &unit)?;
    let devices = spec.devices().iter();
    let devices: Vec<Value> = devices
        .map(|device| {
            json!({
                "device": device.name, "profile": device.profile.name(), "bus": device.bus,
                "address": device.address, "verified": device.profile.verified().word(),
            })
        })
        .collect();
    if context.json {
        return Ok(out::json(&json!({
            "unit": name, "simulated": unit.written.simulated, "period_ms": spec.period_ms(),
            "buses": unit.written.bus, "devices": devices, "roles": unit.written.roles,
            "commissioning": known,
            "declared": declared.iter().map(|row| &row.document).collect::<Vec<_>>(),
        }))?);
    }
    let mark = if unit.written.simulated { " (simulated)" } else { "" };
    let mut text = format!("unit {name}{mark}: {known}\n\n");
    let rows: Vec<Vec<String>> = spec
        .devices()
        .iter()
        .map(|device| {
            let url = unit.written.bus.get(&device.bus).cloned().unwrap_or_default();
            let address = device.address.to_string();
            vec![device.name.clone(), device.profile.name().to_owned(), address, url]
        })
        .collect();
    text += &out::table(&["DEVICE", "PROFILE", "ADDRESS", "BUS"], &rows);
    let rows: Vec<Vec<String>> = spec
        .roles()
        .iter()
        .map(|role| vec![role.role.to_string(), format!("{}.{}", role.device, role.point)])
        .collect();
    text += &format!("\n{}", out::table(&["ROLE", "POINT"], &rows));
    let rows = declared.into_iter().map(|row| vec![row.since, row.what]).collect::<Vec<_>>();
    text += &format!("\n{}", out::table(&["IN THE JOURNAL SINCE", "WHAT"], &rows));
    Ok(out::text(&text)?)
}

/// One certificate, the margin or the cut.
struct Row {
    since: String,
    what: String,
    document: Value,
}

fn declared(store: &Store, unit: &Unit<'_>) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for one in changes::declared(unit)? {
        let (since, document) = match changes::newest(store, &one)? {
            Some((entry, same)) => {
                let day = store.day(entry.utc_ms)?.to_string();
                let why = entry.body.why.clone().unwrap_or_default();
                let since = if same {
                    format!("{day}, by {}: {why}", entry.who)
                } else {
                    format!("not yet; another since {day}")
                };
                let document = json!({
                    "what": one.title, "since": day, "who": entry.who, "why": why, "same": same,
                });
                (since, document)
            }
            None => {
                let document = json!({ "what": one.title, "since": null, "same": false });
                ("not yet: the next run enters it".to_owned(), document)
            }
        };
        rows.push(Row { since, what: one.title, document });
    }
    Ok(rows)
}
