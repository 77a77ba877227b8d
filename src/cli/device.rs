//! `holder device`: the kinds of devices that can be spoken to, what is plugged in, who answers.

mod ports;
mod probe;
mod replay;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use holder_hal::wire::Profile;
use holder_hal::wire::profile::{Point, Verified};
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::{files, out};

/// Devices: their profiles, what is plugged in, who answers, and what went over the wire
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder device list")]
pub(crate) enum DeviceCommand {
    /// List the device profiles that this station knows
    #[command(after_help = "Example:\n  holder device list")]
    List,
    /// Show a device profile: its points, its traps, and how far it was verified
    #[command(after_help = "Examples:\n  holder device show eurotherm-3200\n  \
                            holder device show eurotherm-3200 --toml > profiles/ours.toml")]
    Show {
        /// Name of the profile
        profile: String,
        /// Print the file itself, as a start for your own
        #[arg(long, conflicts_with = "json")]
        toml: bool,
    },
    /// Check a profile file before it is used
    #[command(after_help = "Example:\n  holder device check profiles/ours.toml")]
    Check {
        /// The file
        file: PathBuf,
    },
    /// Show the serial ports that are plugged in, and the url to write into station.toml
    #[command(after_help = "Example:\n  holder device ports")]
    Ports,
    /// Find out which unit ids answer on a bus, and what their registers say; reads only
    ///
    /// With a profile, each temperature is shown at its address and the two beside it, in every
    /// byte order, as °C and as °F, so that a wrong address, order or unit is seen.
    #[command(
        after_help = "Examples:\n  holder device probe tcp://192.168.1.20:502 --ids 1-10\n  \
                            holder device probe tcp://192.168.1.20:502 --ids 1 --profile eurotherm-3200\n  \
                            holder device probe tcp://192.168.1.20:502 --ids 1 --address 360 --data-type float32"
    )]
    Probe(probe::ProbeArgs),
    /// Show a capture in words: every question with its answer, and what is wrong
    #[command(after_help = "Examples:\n  holder device replay past-1.capture\n  \
                            holder device replay past-1.capture --wrong")]
    Replay(replay::ReplayArgs),
}

pub(crate) fn run(context: &Context, command: DeviceCommand) -> Result<(), Failure> {
    match command {
        DeviceCommand::List => list(context),
        DeviceCommand::Show { profile, toml } => show(context, &profile, toml),
        DeviceCommand::Check { file } => check(context, &file),
        DeviceCommand::Ports => ports::run(context),
        DeviceCommand::Probe(args) => probe::run(context, &args),
        DeviceCommand::Replay(args) => replay::run(context, &args),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let library = context.library()?;
    let mut documents = Vec::new();
    let mut rows = Vec::new();
    for name in library.profile_names() {
        let known = library.profile(name)?;
        documents.push(json!({
            "name": name, "title": known.profile.title(), "origin": known.origin,
            "protocol": known.profile.protocol().word(),
            "verified": known.profile.verified().word(),
        }));
        rows.push(vec![
            name.to_owned(),
            known.profile.protocol().word().to_owned(),
            known.profile.verified().word().to_owned(),
            known.profile.title().to_owned(),
        ]);
    }
    if context.json {
        return Ok(out::json(&documents)?);
    }
    Ok(out::text(&out::table(&["PROFILE", "PROTOCOL", "VERIFIED", "DEVICE"], &rows))?)
}

fn show(context: &Context, name: &str, toml: bool) -> Result<(), Failure> {
    let known = context.library()?.profile(name)?;
    if toml {
        return Ok(out::text(known.profile.text())?);
    }
    if context.json {
        return Ok(out::json(&document(&known.profile, &known.origin))?);
    }
    Ok(out::text(&in_words(&known.profile))?)
}

fn check(context: &Context, file: &Path) -> Result<(), Failure> {
    let text = files::read(file)?;
    let profile = Profile::parse(&file.display().to_string(), &text)
        .map_err(|error| Failure::Refused(error.into()))?;
    if context.json {
        let valid =
            json!({ "valid": true, "profile": document(&profile, &file.to_string_lossy()) });
        return Ok(out::json(&valid)?);
    }
    let points = profile.points();
    let unverified = points.iter().filter(|point| point.verified == Verified::Unverified);
    Ok(out::text(&format!(
        "{}: a valid profile of {} points, {} of them not verified against a manual or a device.",
        profile.name(),
        points.len(),
        unverified.count()
    ))?)
}

fn document(profile: &Profile, origin: &str) -> Value {
    let point = |point: &Point| {
        json!({
            "name": point.name, "title": point.title, "at": point.at.to_string(),
            "entity": point.register().map(|at| at.entity.word()),
            "address": point.register().map(|at| at.address), "data_type": point.at.kind(),
            "unit": point.unit.word(), "readable": point.readable,
            "writable": point.write.is_some(), "verified": point.verified.word(),
        })
    };
    let watchdog = profile.watchdog().map(|watchdog| {
        json!({
            "within_ms": watchdog.within_ms, "fed_by": watchdog.fed_by,
            "stops_heat": watchdog.stops_heat, "meaning": watchdog.meaning,
        })
    });
    json!({
        "name": profile.name(), "title": profile.title(), "origin": origin,
        "protocol": profile.protocol().word(), "source": profile.source(),
        "verified": profile.verified().word(), "quirks": profile.quirks(), "line": profile.line(),
        "watchdog": watchdog,
        "points": profile.points().iter().map(point).collect::<Vec<_>>(),
    })
}

fn in_words(profile: &Profile) -> String {
    let mut text = format!(
        "{}: {}\nsource: {}\nverified: {}\n\n",
        profile.name(),
        profile.title(),
        profile.source(),
        profile.verified().word()
    );
    let rows: Vec<Vec<String>> = profile
        .points()
        .iter()
        .map(|point| {
            let way = match (point.readable, point.write.is_some()) {
                (true, true) => "read, write",
                (true, false) => "read",
                (false, _) => "write",
            };
            let unsure = match point.verified {
                Verified::Unverified => " (unverified)",
                Verified::Manual | Verified::Simulated | Verified::Hardware => "",
            };
            vec![
                point.name.clone(),
                point.at.to_string(),
                way.to_owned(),
                format!("{}{unsure}", point.title),
            ]
        })
        .collect();
    text += &out::table(&["POINT", "WHERE", "HOW", "WHAT"], &rows);
    if !profile.line().is_empty() {
        text += &format!("\nits serial line, from the factory: ?{}\n", profile.line());
    }
    if let Some(watchdog) = profile.watchdog() {
        text += &format!("\nwatchdog: {}\n", watchdog.meaning);
    }
    if !profile.quirks().is_empty() {
        text += "\nto know before trusting it:\n";
        for quirk in profile.quirks() {
            text += &format!("- {quirk}\n");
        }
    }
    text
}
