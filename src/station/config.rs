//! What a station is: `station.toml`, and what follows from it for a batch.
//!
//! A *unit* is one pasteurizer: *buses* (wires), *devices* on them, *roles* (which point of
//! which device is the bath, a milk probe, …), a *certificate* per probe, the *margin* from the
//! control bottle to the coldest one, and the *cut*: what takes the heat away without us.
//!
//! | file | decides |
//! |---|---|
//! | `config` | what a station is, and how it is read |
//! | `written` | what may stand in the file of a unit |
//! | `rules` | what a unit that is written must obey |
//! | `error` | why a station cannot be used as it is written |
//! | `frozen` | which texts of a unit are frozen with a batch |
//! | [`library`] | which recipes and profiles the station knows |
//! | [`mod@unit`] | what a batch on a unit runs by: wires and parameters |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::store::Station;
use crate::toml_file::{self, TomlError};

mod error;
mod frozen;
pub mod library;
mod rules;
pub mod unit;
mod written;

pub use error::ConfigError;
pub use library::Library;
pub use unit::Unit;
pub use written::{
    CutBy, CutConfig, DeviceConfig, HeaterConfig, PointRef, RolesConfig, UnitConfig,
};

/// The file that makes a folder a station.
pub const STATION_FILE: &str = "station.toml";

/// A station, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct StationFile {
    name: String,
    time_zone: String,
    #[serde(default)]
    training: bool,
    #[serde(default)]
    unit: BTreeMap<String, UnitConfig>,
}

/// A station: its file, and the recipes and profiles that it knows.
#[derive(Clone, Debug)]
pub struct StationConfig {
    /// The file, for messages.
    pub file: String,
    /// The station's name.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Whether it is for practice only: simulated units, and every page marked.
    pub training: bool,
    /// Its units by name.
    pub units: BTreeMap<String, UnitConfig>,
    /// What is shipped, and the station's own profiles and recipes.
    pub library: Library,
}

/// Reads a file of the station.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|why| ConfigError::Read { path: path.to_owned(), why })
}

impl StationConfig {
    /// Reads the station in `dir`, with its own profiles and recipes.
    ///
    /// # Errors
    /// There is no station, or one of its files breaks a rule: with file, line, key and rule.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let path = dir.join(STATION_FILE);
        if !path.is_file() {
            return Err(ConfigError::NoStation(dir.to_owned()));
        }
        Self::load_file(&path)
    }

    /// Reads a station from a file of any name; its own profiles and recipes lie beside it.
    ///
    /// # Errors
    /// As [`StationConfig::load`].
    pub fn load_file(path: &Path) -> Result<Self, ConfigError> {
        let library = Library::of_station(path.parent().unwrap_or(Path::new("")))?;
        Self::parse(&path.display().to_string(), &read(path)?, library)
    }

    /// Reads a station from `text`. `file` is for the messages.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(file: &str, text: &str, library: Library) -> Result<Self, ConfigError> {
        let written: StationFile = toml_file::parse(file, text)?;
        let rule = |key: &str, rule: String| TomlError::rule(file, text, key, rule);
        if written.name.trim().is_empty() {
            return Err(rule("name", "a station has a name".to_owned()).into());
        }
        if jiff::tz::TimeZone::get(&written.time_zone).is_err() {
            let words = "is no IANA time zone, such as \"Europe/Paris\" or \"America/New_York\"";
            return Err(rule("time_zone", words.to_owned()).into());
        }
        for (name, unit) in &written.unit {
            let section = format!("[unit.{name}]");
            let broken = if !is_name(name) {
                Some(("", format!("unit {name:?}: a name is 1 to 32 of a-z, 0-9 and -")))
            } else if written.training && !unit.simulated {
                let words = "a training station has simulated units only; write simulated = true";
                Some(("simulated", words.to_owned()))
            } else {
                unit.fault(name, &library)
            };
            if let Some((key, words)) = broken {
                return Err(TomlError::rule_in(file, text, &section, key, words).into());
            }
        }
        let StationFile { name, time_zone, training, unit: units } = written;
        Ok(Self { file: file.to_owned(), name, time_zone, training, units, library })
    }

    /// Checks that the file tells of the station whose memory this is.
    ///
    /// # Errors
    /// Name, time zone or training differ: they are fixed when the station is made.
    pub fn agrees_with(&self, memory: &Station) -> Result<(), ConfigError> {
        let differs = |key, here: &str, there: &str| {
            let (file, here, there) = (self.file.clone(), here.to_owned(), there.to_owned());
            Err(ConfigError::OtherStation { file, key, here, there })
        };
        if self.training != memory.training {
            let (here, there) = (self.training.to_string(), memory.training.to_string());
            return differs("training", &here, &there);
        }
        if self.time_zone != memory.time_zone {
            return differs("time_zone", &self.time_zone, &memory.time_zone);
        }
        if self.name != memory.name {
            return differs("name", &self.name, &memory.name);
        }
        Ok(())
    }

    /// The unit of this name.
    ///
    /// # Errors
    /// There is none; the message names the nearest and all known ones.
    pub fn unit(&self, name: &str) -> Result<Unit<'_>, ConfigError> {
        let known = self.units.get_key_value(name);
        known
            .map(|(name, written)| Unit { station: self, name, written })
            .ok_or_else(|| library::unknown("unit", name, self.units.keys().map(String::as_str)))
    }
}

/// Whether this can be the name of a unit or a recipe: it becomes part of file names.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests;
