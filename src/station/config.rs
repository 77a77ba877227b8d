//! What a station is: `station.toml`, and what follows from it for a batch.
//!
//! A *unit* is one pasteurizer: *buses* (wires), *devices* on them, *roles* (which point of
//! which device is the bath, a milk probe, …), a *certificate* per probe, the *margin* from the
//! control bottle to the coldest one, and the *cut*: what takes the heat away without us.
//!
//! | file | decides |
//! |---|---|
//! | `config` | what may stand in the file |
//! | `error` | why a station cannot be used as it is written |
//! | [`library`] | which recipes and profiles the station knows |
//! | [`unit`] | what a batch on a unit runs by: wires, parameters, texts to freeze |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use holder_hal::{Celsius, Kelvin};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::batch::certificate::Certificate;
use crate::batch::params::Cascade;
use crate::batch::recipe::de;
use crate::store::Station;
use crate::toml_file::{self, TomlError};

mod error;
pub mod library;
pub mod unit;

pub use error::ConfigError;
pub use library::Library;
pub use unit::Unit;

/// The file that makes a folder a station.
pub const STATION_FILE: &str = "station.toml";

/// A point of a device, written `device.point`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointRef {
    /// Name of the device within the unit.
    pub device: String,
    /// Name of the point in its profile.
    pub point: String,
}

impl std::fmt::Display for PointRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.device, self.point)
    }
}

impl<'de> Deserialize<'de> for PointRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.split_once('.') {
            Some((device, point)) if !device.is_empty() && !point.is_empty() => {
                Ok(Self { device: device.to_owned(), point: point.to_owned() })
            }
            Some(_) | None => Err(D::Error::custom(format!(
                "{text:?} must name a point as device.point, such as \"bottles.channel_0\""
            ))),
        }
    }
}

impl Serialize for PointRef {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A device on a bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// Name of its profile.
    pub profile: String,
    /// Name of its bus.
    pub bus: String,
    /// Its unit id on the bus: 1 to 247, or 255.
    pub address: u8,
}

/// Which point plays which role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesConfig {
    /// Temperature of the bath.
    pub bath: PointRef,
    /// Temperatures in the control bottles, all required.
    pub milk: Vec<PointRef>,
    /// The independent indicating probe, in the bottle of the first milk probe.
    pub reference: Option<PointRef>,
    /// Lid switch.
    pub lid: Option<PointRef>,
    /// Heater on or off.
    pub heater: Option<PointRef>,
    /// Bath set point of a machine that has its own controller.
    pub setpoint: Option<PointRef>,
    /// Heater duty of a machine that is driven by power.
    pub power: Option<PointRef>,
    /// Agitator or circulation pump.
    pub agitator: Option<PointRef>,
    /// Cold water valve.
    pub cooling_valve: Option<PointRef>,
}

/// What must be known of a heater that is driven by power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaterConfig {
    /// Power of the heater, watts.
    pub power_w: u32,
    /// Heat capacity of bath and vessel, joules per kelvin.
    pub bath_j_per_k: u32,
    /// Dead time + heater lag + half the bath probe's lag, milliseconds.
    #[serde(rename = "delay_s", with = "de::seconds")]
    pub delay_ms: u64,
}

/// What cuts the heat by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutBy {
    /// A device of the unit switches the heat off when it is no longer spoken to.
    DeviceWatchdog,
    /// A thermostat with its own probe and contactor.
    LimitThermostat,
}

/// The physical cut of a unit: what takes the heat away without us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutConfig {
    /// What cuts.
    pub by: CutBy,
    /// The bath temperature at which a limit thermostat cuts.
    #[serde(rename = "at_c", default, with = "option_celsius")]
    pub at: Option<Celsius>,
    /// The heat is off at the latest after this long, milliseconds.
    #[serde(rename = "within_s", with = "de::seconds")]
    pub within_ms: u64,
}

/// One pasteurizer, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitConfig {
    /// Whether it is not real hardware, whoever simulates it.
    #[serde(default)]
    pub simulated: bool,
    /// Control period, milliseconds.
    #[serde(default = "period_ms")]
    pub period_ms: u64,
    /// Most bottles that it holds, the control bottle not counted.
    pub bottles_max: u16,
    /// Distance from the control bottle to the coldest bottle, if it was measured.
    #[serde(rename = "margin_c", default, with = "option_kelvin")]
    pub margin: Option<Kelvin>,
    /// What cuts the heat by itself; without it the unit runs water only.
    pub cut: Option<CutConfig>,
    /// Wires by name: `tcp://host:port`.
    pub bus: BTreeMap<String, String>,
    /// Devices by name.
    pub device: BTreeMap<String, DeviceConfig>,
    /// Which point plays which role.
    pub roles: RolesConfig,
    /// The heater's figures; only for a unit with the role `power`.
    pub heater: Option<HeaterConfig>,
    /// Settings of the controller, where the default ones do not serve.
    pub cascade: Option<Cascade>,
    /// Certificates by probe: `device.point`.
    #[serde(default)]
    pub certificate: BTreeMap<String, Certificate>,
}

const fn period_ms() -> u64 {
    1000
}

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
    fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
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
                unit.fault(name)
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

/// Whether this can be the name of a unit: it becomes part of file names.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(fits)
}

impl UnitConfig {
    /// The probes: what the roles name as temperatures, the bath first.
    pub(crate) fn probes(&self) -> impl Iterator<Item = &PointRef> {
        std::iter::once(&self.roles.bath).chain(&self.roles.milk).chain(&self.roles.reference)
    }

    /// Key and rule of the first contradiction.
    fn fault(&self, unit: &str) -> Option<(&'static str, String)> {
        let thermostat = self.cut.filter(|cut| cut.by == CutBy::LimitThermostat);
        let watchdog = self.cut.filter(|cut| cut.by == CutBy::DeviceWatchdog);
        let rules = [
            ("bottles_max", self.bottles_max == 0, "a unit holds at least one bottle"),
            (
                "margin_c",
                self.margin.is_some_and(|margin| margin < Kelvin::ZERO),
                "must not be negative; leave it out until it is measured",
            ),
            ("milk", self.roles.milk.is_empty(), "a unit has at least one milk probe"),
            (
                "power",
                self.roles.power.is_some() && self.heater.is_none(),
                "a heater driven by power needs its figures: power_w, bath_j_per_k and delay_s \
                 in a table heater",
            ),
            (
                "power_w",
                self.roles.power.is_none() && self.heater.is_some(),
                "the heater's figures serve only a unit with the role power",
            ),
            (
                "cut",
                thermostat.is_some_and(|cut| cut.at.is_none()),
                "a limit thermostat has a temperature: add at_c",
            ),
            (
                "cut",
                watchdog.is_some_and(|cut| cut.at.is_some()),
                "a watchdog cuts after a time, not at a temperature: leave at_c out",
            ),
        ];
        let broken = rules.into_iter().find(|(_, broken, _)| *broken);
        broken.map(|(key, _, rule)| (key, rule.to_owned())).or_else(|| self.certificate_fault(unit))
    }

    fn certificate_fault(&self, unit: &str) -> Option<(&'static str, String)> {
        if let Some(missing) =
            self.probes().find(|probe| !self.certificate.contains_key(&probe.to_string()))
        {
            let rule = format!(
                "the probe {missing} has no certificate: add [unit.{unit}.certificate.\"{missing}\"]"
            );
            return Some(("", rule));
        }
        let is_probe = |name: &String| self.probes().any(|probe| probe.to_string() == *name);
        if let Some(stray) = self.certificate.keys().find(|name| !is_probe(name)) {
            let rule = format!("the certificate of {stray:?} belongs to no probe of this unit");
            return Some(("", rule));
        }
        for certificate in self.certificate.values() {
            let wrong = |text: &String| text.parse::<Date>().is_err();
            if wrong(&certificate.date) || wrong(&certificate.due) {
                let rule = format!(
                    "certificate {}: date and due are days, written YYYY-MM-DD",
                    certificate.number
                );
                return Some(("", rule));
            }
            if let Some(fault) = certificate.fault() {
                return Some(("", fault));
            }
        }
        None
    }
}

/// `*_c` that may be absent.
mod option_celsius {
    use super::{Celsius, Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wrapped(#[serde(with = "de::celsius")] Celsius);

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Celsius>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
    }

    pub(super) fn serialize<S: Serializer>(v: &Option<Celsius>, to: S) -> Result<S::Ok, S::Error> {
        v.map(Wrapped).serialize(to)
    }
}

/// `*_c` that is a difference and may be absent.
mod option_kelvin {
    use super::{Deserialize, Deserializer, Kelvin, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wrapped(#[serde(with = "de::kelvin")] Kelvin);

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Kelvin>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
    }

    pub(super) fn serialize<S: Serializer>(v: &Option<Kelvin>, to: S) -> Result<S::Ok, S::Error> {
        v.map(Wrapped).serialize(to)
    }
}

#[cfg(test)]
mod tests;
