//! What a probe found, as tables and as JSON.

use holder_hal::wire::WireError;
use holder_hal::wire::probe::{Guess, Presence, guesses};
use holder_hal::wire::profile::{Point, Raw};
use serde_json::{Value, json};

use super::conclude::Fit;
use super::{Found, Probed, is_guessed};
use crate::cli::out;

/// What each unit id said, point by point.
pub(super) fn in_words<'a>(url: &str, found: impl Iterator<Item = &'a Found>) -> String {
    let mut text = String::new();
    let mut tables = false;
    for one in found {
        let says = match one.presence {
            Presence::Answers => "answers".to_owned(),
            Presence::Refuses { code } => {
                format!("is there, and refused the first question with exception 0x{code:02X}")
            }
            Presence::Silent => continue,
        };
        // Alone on its line it has no number.
        let unit_id =
            if one.unit_id == 0 { String::new() } else { format!(", unit id {}", one.unit_id) };
        text += &format!("{url}{unit_id}: {says}\n");
        let (told, mute): (Vec<&Probed>, Vec<&Probed>) =
            one.points.iter().partition(|probed| probed.reads.iter().any(|(_, read)| read.is_ok()));
        text.extend(told.iter().map(|probed| point_in_words(probed)));
        text += &mute_in_words(&mute);
        tables |= told.iter().any(|probed| is_guessed(&probed.point));
    }
    if tables {
        text += "\n[ ] as the profile reads it; * can be true (−10 to 110 °C). If only a reading \
                 without [ ] can\nbe true, the profile is wrong there: address, byte order or unit.\n";
    }
    text
}

/// The points of which nothing came, one line for each reason.
fn mute_in_words(mute: &[&Probed]) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for probed in mute {
        let own = probed.reads.iter().find(|(shift, _)| *shift == 0);
        let Some((_, Err(error))) = own else { continue };
        let reason = fault_in_words(error);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&probed.point.name),
            None => reasons.push((reason, vec![&probed.point.name])),
        }
    }
    let line = |(reason, names): (String, Vec<&str>)| format!("\n{}: {reason}\n", names.join(", "));
    reasons.into_iter().map(line).collect()
}

/// What went wrong, without the place: it stands above.
fn fault_in_words(error: &WireError) -> String {
    if let WireError::Call { fault, .. } = error { fault.to_string() } else { error.to_string() }
}

fn point_in_words(probed: &Probed) -> String {
    let Probed { point, reads } = probed;
    let layout = format!("{}, {} × {}", point.at, point.at.kind(), point.scale_nano as f64 * 1e-9);
    if !is_guessed(point) {
        let said = match reads.first() {
            Some((_, Ok(raw))) => {
                let decoded = point.decode(raw);
                let value = decoded.value.map_or(decoded.reason, |value| value.to_string());
                format!("{value} ({raw})")
            }
            Some((_, Err(error))) => fault_in_words(error),
            None => String::new(),
        };
        return format!("\n{} ({layout}): {said}\n", point.name);
    }
    let mut text = format!("\n{} ({layout}), in °C:\n", point.name);
    let mut rows = Vec::new();
    let mut orders: Vec<&str> = Vec::new();
    for (shift, read) in reads {
        let address = address_of(point) + i32::from(*shift);
        match read {
            Ok(raw) => {
                let ways = guesses(point, raw);
                orders = ways.iter().take(ways.len() / 2).map(|g| g.byte_order.word()).collect();
                for half in ways.chunks(orders.len().max(1)) {
                    let unit = half.first().map_or("", |guess| guess.unit.word());
                    let cells = half.iter().map(cell);
                    let head = [address.to_string(), raw.to_string(), unit.to_owned()];
                    rows.push(head.into_iter().chain(cells).collect::<Vec<String>>());
                }
            }
            Err(error) => text += &format!("  {address}: {}\n", fault_in_words(error)),
        }
    }
    let head: Vec<&str> = ["ADDRESS", "RAW", "SPEAKS"].into_iter().chain(orders).collect();
    if !rows.is_empty() {
        text += &out::table(&head, &rows);
    }
    text
}

/// The first address of a register; only registers are probed.
pub(super) fn address_of(point: &Point) -> i32 {
    point.register().map_or(0, |at| at.address.into())
}

/// One reading: `[62.50]*` is the profile's, and can be true.
fn cell(guess: &Guess) -> String {
    let value = match guess.celsius() {
        Some(celsius) if celsius.abs() < 1e5 => format!("{celsius:.2}"),
        Some(_) | None => "–".to_owned(),
    };
    let value = if guess.as_written { format!("[{value}]") } else { value };
    if guess.plausible { format!("{value}*") } else { value }
}

/// What one unit id said, with what it means.
pub(super) fn document(found: &Found, fit: &Fit, profile: Option<&str>) -> Value {
    let says = match found.presence {
        Presence::Answers => json!({ "answers": true }),
        Presence::Refuses { code } => json!({ "answers": true, "exception": code }),
        Presence::Silent => json!({ "answers": false }),
    };
    let points: Vec<Value> = found.points.iter().map(point_document).collect();
    json!({
        "unit_id": found.unit_id, "presence": says, "points": points, "fit": fit.word(),
        "conclusion": fit.words(&found.who(), profile),
    })
}

fn point_document(probed: &Probed) -> Value {
    let point = &probed.point;
    let read = |(shift, read): &(i8, Result<Raw, WireError>)| {
        let address = address_of(point) + i32::from(*shift);
        match read {
            Ok(raw) if is_guessed(point) => {
                let ways = guesses(point, raw);
                let ways: Vec<Value> = ways.iter().map(guess_document).collect();
                json!({ "address": address, "raw": raw.to_string(), "readings": ways })
            }
            Ok(raw) => {
                let value = point.decode(raw).value.map(|value| value.to_string());
                json!({ "address": address, "raw": raw.to_string(), "value": value })
            }
            Err(error) => json!({ "address": address, "error": error.to_string() }),
        }
    };
    json!({
        "point": point.name, "entity": point.register().map(|at| at.entity.word()),
        "address": address_of(point), "data_type": point.at.kind(),
        "reads": probed.reads.iter().map(read).collect::<Vec<_>>(),
    })
}

fn guess_document(guess: &Guess) -> Value {
    json!({
        "byte_order": guess.byte_order.word(), "unit": guess.unit.word(),
        "value_c": guess.celsius(), "plausible": guess.plausible,
        "as_written": guess.as_written,
    })
}
