//! Writes a record as a curve that the judge reads back to the same verdict.

use std::io::{self, Write};

use holder_hal::{Celsius, Heat, Kelvin, Reading, Sample, Switch};

use super::plain;
use super::preamble::{TEXT_MARK, VERSION, counts, interruptions, of_recipe, seconds, sha256};
use super::seal;
use crate::batch::curve::{Curve, Row};
use crate::batch::verdict::Verdict;
use crate::record::curve::curve;
use crate::record::judgement::Judgement;
use crate::record::zone::{rfc3339, wall_ms};
use crate::software::Software;
use crate::store::model::{BatchRecord, Period};

/// Writes the record of a batch with its preamble. `judgement` stands in it for people: whoever reads
/// the curve back judges it anew. `recipe_text` is the recipe's text as it was frozen at the start.
///
/// # Errors
/// What the output says.
pub fn write(
    record: &BatchRecord,
    judgement: &Judgement,
    recipe_text: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let curve = curve(record);
    let mut lines = Vec::new();
    preamble(record, &curve, judgement, recipe_text, &mut lines)?;
    let mut table = csv::Writer::from_writer(&mut lines);
    table.write_record(header(&curve))?;
    for (period, row) in record.periods.iter().zip(&curve.rows) {
        table.write_record(cells(record, &curve, period, row))?;
    }
    table.flush()?;
    drop(table);
    out.write_all(&lines)?;
    writeln!(out, "{}{}", seal::MARK, seal::digest(&String::from_utf8_lossy(&lines)))
}

fn preamble(
    record: &BatchRecord,
    curve: &Curve,
    judgement: &Judgement,
    recipe_text: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let header = &record.header;
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let uncertainty: Vec<String> = curve.milk_uncertainty.iter().map(Kelvin::to_string).collect();
    let lines = [
        ("holder", VERSION.to_owned()),
        ("batch", header.code.clone()),
        ("station", record.station.clone()),
        ("unit", header.unit.clone()),
        ("purpose", header.purpose.word().to_owned()),
        ("simulated", header.simulated.to_string()),
        ("started_utc", rfc3339(header.started_utc_ms)),
        ("time_zone", record.time_zone.clone()),
        ("recipe_sha256", sha256(recipe_text)),
        ("uncertainty_c", uncertainty.join(", ")),
        ("margin_c", curve.margin.to_string()),
        ("margin_measured", curve.margin_measured.to_string()),
        ("half_resolution_c", curve.half_resolution.to_string()),
        ("load_s", or_none(curve.load_ms.map(seconds))),
        ("bottles_in", or_none(curve.bottles_in.map(|bottles| bottles.to_string()))),
        ("bottles_out", counts(&curve.counts_out)),
        ("has_reference", curve.has_reference.to_string()),
        ("has_lid", curve.has_lid.to_string()),
        ("engine_accepts", or_none(curve.engine_accepts.map(|accepts| accepts.to_string()))),
        ("engine_holds_broken", or_none(curve.engine_holds_broken.map(|n| n.to_string()))),
        ("end_phase", or_none(curve.end_phase.map(|phase| phase.word().to_owned()))),
        ("interruptions", interruptions(&curve.interruptions)),
        ("rows", curve.rows.len().to_string()),
        ("head_seq", record.head_seq.to_string()),
        ("head_hash", record.head_hash.clone()),
    ];
    let lines = lines.into_iter().chain(of_recipe(&record.params.recipe));
    for (key, value) in lines.chain(programs(judgement)) {
        let value: String = value.chars().map(plain).collect();
        writeln!(out, "# {key} = {value}")?;
    }
    // Parted at line feeds alone, so that the text is put together again to the byte.
    recipe_text.split('\n').try_for_each(|line| writeln!(out, "{TEXT_MARK}{line}"))
}

/// Which programs made the record and this file, and which verdict is whose.
fn programs(judgement: &Judgement) -> [(&'static str, String); 6] {
    let outcome = |verdict: &Verdict| verdict.outcome.word().to_owned();
    let today = match (&judgement.otherwise, judgement.difference()) {
        (Some(today), Some(difference)) => format!("{}: {difference}", outcome(today)),
        _ => "the same".to_owned(),
    };
    [
        ("made_by", judgement.made_by()),
        ("exported_by", Software::this().to_string()),
        ("verdict", outcome(&judgement.verdict)),
        ("verdict_decided_by", judgement.decided_by()),
        ("verdict_today", today),
        ("fits", judgement.fits.to_string()),
    ]
}

/// The temperature channels: each has a corrected, a quality and a raw column.
fn channels(curve: &Curve) -> Vec<String> {
    let milk = (1..=curve.milk_uncertainty.len()).map(|probe| format!("milk_{probe}"));
    let reference = curve.has_reference.then(|| "reference".to_owned());
    milk.chain(["bath".to_owned()]).chain(reference).collect()
}

fn header(curve: &Curve) -> Vec<String> {
    let channels = channels(curve);
    let prefixed = |prefix: &str| channels.iter().map(|name| format!("{prefix}{name}")).collect();
    let (quality, raw): (Vec<String>, Vec<String>) = (prefixed("q_"), prefixed("raw_"));
    let mut header = vec!["t_s".to_owned(), "time".to_owned(), "phase".to_owned()];
    header.extend(channels);
    if curve.has_lid {
        header.push("lid".to_owned());
    }
    header.extend(quality);
    header.extend(raw);
    if curve.has_lid {
        header.push("q_lid".to_owned());
    }
    header.extend(["heat", "agitator", "cooling"].map(str::to_owned));
    header
}

fn cells(record: &BatchRecord, curve: &Curve, period: &Period, row: &Row) -> Vec<String> {
    let degrees =
        |value: Option<Celsius>| value.map_or(String::new(), |celsius| celsius.to_string());
    let samples = samples(curve, &period.reading);
    let t_ms = row.t_ms;
    let mut cells = vec![
        seconds(t_ms),
        rfc3339(wall_ms(record, t_ms)),
        row.phase.map_or(String::new(), |phase| phase.word().to_owned()),
    ];
    cells.extend(row.milk.iter().take(curve.milk_uncertainty.len()).copied().map(degrees));
    cells.push(degrees(row.bath));
    if curve.has_reference {
        cells.push(degrees(row.reference));
    }
    if curve.has_lid {
        let word = |closed| if closed { "closed" } else { "open" };
        cells.push(row.lid.map_or(String::new(), |closed| word(closed).to_owned()));
    }
    let quality = |sample: &Option<Sample>| sample.map_or("", |s| s.quality.word()).to_owned();
    cells.extend(samples.iter().map(quality));
    cells.extend(samples.iter().map(|sample| degrees(sample.and_then(|s| s.raw))));
    if curve.has_lid {
        let quality = |switch: Switch| switch.quality.word().to_owned();
        cells.push(period.reading.lid.map_or(String::new(), quality));
    }
    cells.push(heat(period.command.heat));
    cells.push(on_off(period.command.agitator));
    cells.push(on_off(period.command.cooling));
    cells
}

/// The samples in the order of the channels.
fn samples(curve: &Curve, reading: &Reading) -> Vec<Option<Sample>> {
    let milk = reading.milk.iter().take(curve.milk_uncertainty.len()).copied();
    let reference = curve.has_reference.then_some(reading.reference);
    milk.chain([Some(reading.bath)]).chain(reference).collect()
}

fn heat(heat: Heat) -> String {
    match heat {
        Heat::Off => "off".to_owned(),
        Heat::Setpoint(celsius) => format!("{celsius} C"),
        Heat::Duty(duty) => format!("{:.1} %", duty.share() * 100.0),
    }
}

fn on_off(on: bool) -> String {
    if on { "on".to_owned() } else { "off".to_owned() }
}
