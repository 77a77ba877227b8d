//! `holder unit check`: reads everything, writes nothing, and says in plain words what is missing.

use std::path::Path;

use holder_hal::wire::{BusSpec, BusUrl, CheckLine, Grade, Port, Schedule, UnitSpec, WiredUnit};
use serde_json::{Value, json};

use super::{keep, runtime};
use crate::cli::capture::Kept;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::invocation;
use crate::station::config::Unit;
use crate::station::{commission, lock, ports};

mod record;

/// One line of the check, whoever found it.
struct Line {
    grade: Grade,
    /// Device and point, bus, or nothing.
    at: String,
    text: String,
    document: Value,
}

impl Line {
    fn own(grade: Grade, at: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let document = json!({ "grade": grade.word(), "at": at, "text": text });
        Self { grade, at: at.to_owned(), text, document }
    }

    fn of_wires(line: &CheckLine) -> Self {
        let place = [&line.device, &line.point].into_iter().flatten();
        let at = place.map(String::as_str).collect::<Vec<_>>().join(".");
        // What is about no device is about a role that none has.
        let at = if at.is_empty() { "roles".to_owned() } else { at };
        let roles = match line.roles.as_slice() {
            [] => String::new(),
            roles => format!("[{}] ", roles.join(", ")),
        };
        let document = json!({
            "grade": line.grade.word(), "device": line.device, "point": line.point,
            "roles": line.roles, "text": line.text,
        });
        Self { grade: line.grade, at, text: format!("{roles}{}", line.text), document }
    }
}

pub(super) fn run(context: &Context, name: &str, file: Option<&Path>) -> Result<(), Failure> {
    let station = context.station()?;
    let unit = station.unit(name)?;
    let spec = unit.spec()?;
    let runtime = runtime()?;
    let mut lines = about_ports(&unit);
    let kept = keep(context, file, &spec)?;
    let capture = Kept::handle(kept.as_ref());
    let wires = runtime.block_on(WiredUnit::check_heard(spec.clone(), capture));
    Kept::end(kept);
    let driver = lock::run_by(context.dir(), name);
    lines.extend(wires.iter().map(|line| match line.heats {
        true => about_heat(name, driver.as_deref()),
        false => Line::of_wires(line),
    }));
    lines.extend(about_schedule(&spec));
    lines.extend(about_milk(context, &unit)?);
    let record = record::look(context, &unit);
    lines.extend(record.lines);
    if context.json {
        out::json(&lines.iter().map(|line| &line.document).collect::<Vec<_>>())?;
    } else {
        let row =
            |line: &Line| vec![line.grade.word().to_owned(), line.at.clone(), line.text.clone()];
        let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
        out::text(&out::table(&["", "WHERE", "WHAT"], &rows))?;
    }
    let bad = lines.iter().filter(|line| line.grade == Grade::Bad).count();
    if bad == 0 {
        return Ok(());
    }
    // Whether the record is damaged, or the unit out of reach or set up wrongly, decides the exit code;
    // the lines say it all.
    let (lines, stand) = if bad == 1 { ("line", "stands") } else { ("lines", "stand") };
    let why = format!("unit {name}: {bad} {lines} above {stand} in the way of a run");
    if record.is_damaged {
        return Err(Failure::Damaged(anyhow::anyhow!(why)));
    }
    if wires.iter().all(|line| line.grade != Grade::Bad) {
        return Err(Failure::refused(why));
    }
    match runtime.block_on(WiredUnit::connect(spec)) {
        Err(error) if error.is_unreachable() => Err(Failure::Unreachable(anyhow::anyhow!(why))),
        Err(_) | Ok(_) => Err(Failure::refused(why)),
    }
}

/// A machine that is told to heat, and who runs it, if anybody does.
fn about_heat(unit: &str, driver: Option<&str>) -> Line {
    match driver {
        Some(driver) => {
            let text = format!("the machine is told to heat, by {driver}, which runs this unit");
            Line::own(Grade::Note, "heat", text)
        }
        None => {
            let off = invocation::command(format_args!("unit off {unit}"));
            let text = format!(
                "the machine is told to heat, and no holder runs this unit: nobody watches it. Switch \
                 it off: {off}"
            );
            Line::own(Grade::Bad, "heat", text)
        }
    }
}

/// What stands against opening the serial ports of the unit, before they are tried.
fn about_ports(unit: &Unit<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (bus, url) in &unit.written.bus {
        let Ok(BusUrl { port: Port::Serial { path }, .. }) = BusUrl::parse(url) else { continue };
        if let Some(fault) = ports::fault_of(&path) {
            lines.push(Line::own(Grade::Bad, bus, fault.words(&path)));
        }
        let may_move = ["/dev/ttyUSB", "/dev/ttyACM"].iter().any(|name| path.starts_with(name));
        if may_move {
            let text = format!(
                "{path} may be another adapter after the next start: use its name under \
                 /dev/serial/by-id, as `holder device ports` shows it"
            );
            lines.push(Line::own(Grade::Note, bus, text));
        }
    }
    lines
}

/// How much of a control period each bus needs. One that does not fit is refused before this.
fn about_schedule(spec: &UnitSpec) -> Vec<Line> {
    let period_ms = spec.period_ms();
    let line = |bus: &BusSpec| {
        let Schedule { readings_ms, timeout_ms, commands_ms, .. } = spec.schedule(&bus.name)?;
        let text = format!(
            "fits into the period of {period_ms} ms: reading takes about {readings_ms} ms, a \
             command to everything about {commands_ms} ms, a device that is silent {timeout_ms} ms"
        );
        Some(Line::own(Grade::Good, &bus.name, text))
    };
    spec.buses().iter().filter_map(line).collect()
}

/// What stands against milk on this unit, apart from its wires.
fn about_milk(context: &Context, unit: &Unit<'_>) -> Result<Vec<Line>, Failure> {
    let written = unit.written;
    let mut lines = vec![match written.cut {
        _ if written.simulated => Line::own(Grade::Note, "cut", unit.cut_in_words()),
        Some(_) => Line::own(
            Grade::Good,
            "cut",
            format!("what cuts the heat without us: {}", unit.cut_in_words()),
        ),
        None => Line::own(
            Grade::Note,
            "cut",
            "nothing is declared that cuts the heat if this program fails: the unit runs water \
             only. Fit an independent limit thermostat, and declare it as cut in station.toml",
        ),
    }];
    lines.push(match written.margin {
        Some(margin) => Line::own(Grade::Good, "margin", format!("margin_c = {margin}, measured")),
        None => {
            let text = "margin_c was not measured: a safe 0.2 °C is used";
            Line::own(Grade::Note, "margin", text)
        }
    });
    let today = context.today(&unit.station.time_zone)?;
    let faults = unit.calibration_faults(today);
    for (probe, certificate) in &written.certificate {
        let mine = |fault: &&String| fault.contains(&format!("{probe} ("));
        let found: Vec<&String> = faults.iter().filter(mine).collect();
        lines.extend(found.iter().map(|fault| Line::own(Grade::Bad, probe, fault.as_str())));
        if found.is_empty() {
            let text = format!(
                "certificate {} is valid until {}, uncertainty {} °C",
                certificate.number, certificate.due, certificate.uncertainty
            );
            lines.push(Line::own(Grade::Good, probe, text));
        }
    }
    // A station without a journal yet can be checked all the same.
    let known = match context.store_to_read() {
        Ok(store) => commission::known(&store, unit)?,
        Err(failure) => format!("the journal cannot be read: {}", failure.why()),
    };
    lines.push(Line::own(Grade::Note, "commissioning", known));
    Ok(lines)
}
