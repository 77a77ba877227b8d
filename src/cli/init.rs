//! `holder init`: a new station.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;

use super::context::{Context, DATABASE_FILE};
use super::failure::Failure;
use super::{files, out};
use crate::invocation;
use crate::profiles;
use crate::station::config::{Library, STATION_FILE, StationConfig};
use crate::store::{Station, Store};

/// Where a station's own files lie (`Library::of_station`).
const OWN_FOLDERS: [&str; 2] = ["profiles", "recipes"];

/// Make a new station: its description station.toml and its memory holder.db
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  holder init bank --name \"Our milk bank\" --time-zone Europe/Paris\n  \
                  holder init practice --training\n  \
                  holder init bank --keep        a station.toml is there, its holder.db is not"
)]
pub(crate) struct InitArgs {
    /// Folder of the new station; it is made if it is not there [default: --dir]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// For practice: simulated units only, and every page is marked TRAINING, for ever
    #[arg(long)]
    training: bool,
    /// Name of the station, as it stands on every record
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Time zone in which times are shown, by its IANA name [default: that of the computer]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Keep the station.toml that is there as it is, and make only the missing holder.db
    #[arg(long, conflicts_with_all = ["training", "name", "time_zone"])]
    keep: bool,
}

pub(crate) fn run(context: &Context, args: InitArgs) -> Result<(), Failure> {
    let folder = args.folder.clone().unwrap_or_else(|| context.dir().to_owned());
    let station = match args.keep {
        true => make_memory(context, &folder)?,
        false => make(context, &folder, &station_text(&args)?)?,
    };
    let units: Vec<&String> = station.units.keys().collect();
    if context.json {
        return Ok(out::json(&json!({
            "folder": folder, "name": station.name, "time_zone": station.time_zone,
            "training": station.training, "units": units,
        }))?);
    }
    Ok(out::text(&next_steps(&args, &folder))?)
}

/// Makes the station that `text` describes in `folder`.
pub(super) fn make(context: &Context, folder: &Path, text: &str) -> Result<StationConfig, Failure> {
    let station_file = folder.join(STATION_FILE);
    let database = folder.join(DATABASE_FILE);
    if station_file.exists() && !database.exists() {
        return Err(Failure::refused(format!(
            "{} exists already, and {DATABASE_FILE} is not beside it; both were left as they are. \
             If this station had a memory, find it first: its disk, or its newest copy. If it is \
             new, `holder init {} --keep` makes {DATABASE_FILE} for the {STATION_FILE} as it stands",
            station_file.display(),
            invocation::quoted(&folder.display().to_string())
        )));
    }
    for file in [&station_file, &database] {
        if file.exists() {
            return Err(Failure::refused(format!(
                "{} exists already: this is a station, and it was left as it is; choose another \
                 folder",
                file.display()
            )));
        }
    }
    // What is written must be what is read, so it is read before it is written.
    let file = station_file.display().to_string();
    let station = StationConfig::parse(&file, text, Library::shipped())?;
    fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    found(context, &database, &station)?;
    let rest = files::write(&station_file, text.as_bytes(), false);
    if rest.is_err() {
        // No half of a station stays behind; if even this fails, the first error says why.
        let _ = fs::remove_file(&database);
    }
    rest?;
    make_own_folders(folder)?;
    Ok(station)
}

/// Makes the memory of a station that is described already. Nothing is overwritten.
fn make_memory(context: &Context, folder: &Path) -> Result<StationConfig, Failure> {
    let database = folder.join(DATABASE_FILE);
    let station = StationConfig::load(folder)?;
    // What SQLite keeps beside a database outlives it only where the database was taken away.
    let beside = ["", "-wal", "-journal"].map(|end| folder.join(format!("{DATABASE_FILE}{end}")));
    if let Some(file) = beside.iter().find(|file| file.exists()) {
        return Err(Failure::refused(format!(
            "{} is there: this station has a memory, or had one, and nothing was changed. --keep \
             is for a station that never had one",
            file.display()
        )));
    }
    found(context, &database, &station)?;
    make_own_folders(folder)?;
    Ok(station)
}

/// Makes the memory of `station`, with who made it as its first user.
fn found(context: &Context, database: &Path, station: &StationConfig) -> Result<(), Failure> {
    let actor = context.actor()?;
    let founded = Station {
        name: station.name.clone(),
        time_zone: station.time_zone.clone(),
        training: station.training,
        created_utc_ms: actor.utc_ms,
    };
    let mut store = Store::create(database, &founded, &actor.who)?;
    let added = store.add_user(actor.stamp(), &actor.who);
    drop(store);
    if added.is_err() {
        // No half of a station stays behind; if even this fails, the first error says why.
        let _ = fs::remove_file(database);
    }
    Ok(added?)
}

fn make_own_folders(folder: &Path) -> Result<(), Failure> {
    for own in OWN_FOLDERS {
        let own = folder.join(own);
        fs::create_dir_all(&own)
            .with_context(|| format!("the folder {} cannot be made", own.display()))?;
    }
    Ok(())
}

fn next_steps(args: &InitArgs, dir: &Path) -> String {
    let here = |words: &str| invocation::command_in(dir, words);
    let folder = dir.display();
    if args.keep {
        return format!(
            "made {folder}/{DATABASE_FILE}, an empty memory, for the station that \
             {folder}/{STATION_FILE} describes; that file was left as it is.\nLook at it:  {}",
            here("unit list")
        );
    }
    let made = format!(
        "made a station in {folder}: station.toml, holder.db; its own device profiles and recipes \
         go into profiles and recipes\n"
    );
    if args.training {
        // Both at the same pace: else the one heats while the other thinks that no time has passed.
        let described = invocation::quoted(&format!("{folder}/{STATION_FILE}:demo"));
        format!(
            "{made}It is for practice: its unit demo is simulated, and every page is marked \
             TRAINING.\nStart the machine:  holder sim --unit {described} --speed 60\n\
             Then run water, in another terminal:\n                    {}",
            here("run demo --water --yes --speed 60")
        )
    } else {
        format!(
            "{made}Now describe your machine in {folder}/{STATION_FILE}, then try it:\n  {}",
            here("unit check past-1")
        )
    }
}

/// The station's file: a shipped one with the name and zone of this station.
fn station_text(args: &InitArgs) -> Result<String, Failure> {
    let shipped = if args.training { "demo" } else { "first" };
    let text = profiles::station(shipped)
        .with_context(|| format!("the station {shipped} is not in the program"))?;
    let zone = args.time_zone.clone().unwrap_or_else(zone_of_the_computer);
    let mut text = replace_value(text, "time_zone", &zone);
    if let Some(name) = &args.name {
        text = replace_value(&text, "name", name);
    }
    Ok(text)
}

fn zone_of_the_computer() -> String {
    TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}

/// The text with the value of its first `key = …` replaced by a string.
fn replace_value(text: &str, key: &str, value: &str) -> String {
    let quoted = toml::Value::String(value.to_owned()).to_string();
    let mut done = false;
    let line = |line: &str| {
        let is_it = !done && line.starts_with(key) && line.contains(" = ");
        done |= is_it;
        if is_it { format!("{key} = {quoted}\n") } else { format!("{line}\n") }
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(training: bool) -> InitArgs {
        InitArgs {
            folder: None,
            training,
            keep: false,
            name: Some("Bank \"Nord\" \\ Süd".to_owned()),
            time_zone: Some("America/New_York".to_owned()),
        }
    }

    #[test]
    fn a_new_station_carries_its_name_and_zone_whatever_characters_are_in_them() {
        for training in [true, false] {
            let text = station_text(&args(training)).expect("shipped");
            let station = StationConfig::parse("x", &text, Library::shipped()).expect("valid");
            assert_eq!(station.name, "Bank \"Nord\" \\ Süd");
            assert_eq!(station.time_zone, "America/New_York");
            assert_eq!(station.training, training);
            assert!(text.contains("# "), "the comments stay");
        }
    }
}
