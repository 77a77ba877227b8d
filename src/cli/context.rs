//! What a command acts on: the station's folder, who acts, and how the answer is wanted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::failure::Failure;
use crate::station::clock;
use crate::station::config::{ConfigError, Library, STATION_FILE, StationConfig};
use crate::station::in_time::in_the_end;
use crate::store::{Stamp, Store};

/// The file that is the station's memory.
pub(crate) const DATABASE_FILE: &str = "holder.db";

/// A person hears of a station that takes longer to be read (real time).
const READ_WITHIN: Duration = Duration::from_secs(2);

/// What a command acts on.
#[derive(Debug)]
pub(crate) struct Context {
    dir: Option<PathBuf>,
    /// Whether stdout carries one JSON document.
    pub(crate) json: bool,
    user: Option<String>,
}

/// Who acts, and when.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) who: String,
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub(crate) utc_ms: i64,
}

impl Actor {
    pub(crate) fn stamp(&self) -> Stamp<'_> {
        Stamp { utc_ms: self.utc_ms, who: &self.who }
    }
}

impl Context {
    pub(crate) const fn new(dir: Option<PathBuf>, json: bool, user: Option<String>) -> Self {
        Self { dir, json, user }
    }

    /// The station's folder.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new("."))
    }

    /// The station.
    pub(crate) fn station(&self) -> Result<StationConfig, Failure> {
        Ok(StationConfig::load(self.dir())?)
    }

    /// The station, for a machine that may be heating: without it, and the profiles of the unit, nothing
    /// can be told, and if the disk hangs, a person must know.
    pub(crate) fn station_of_machine(&self, unit: &str) -> Result<StationConfig, Failure> {
        let (dir, unit) = (self.dir().to_owned(), unit.to_owned());
        let folder = self.dir().display();
        let says = || {
            super::out::note(&format!(
                "the disk has not given the description of unit {unit} yet ({STATION_FILE} and its \
                 profiles in {folder}), and without it nothing can be told to the machine: if it may \
                 be heating, switch its heater off there. Ctrl-C ends the waiting"
            ));
        };
        let name = unit.clone();
        let read = in_the_end(READ_WITHIN, says, move || {
            let station = StationConfig::load(&dir)?;
            // Its profiles are read whenever they are needed: from here on the system has them. What
            // is wrong with them is said by whoever needs them.
            let _ = station.unit(&name).map(|unit| unit.spec().map(|_| ()));
            Ok::<_, ConfigError>(station)
        });
        Ok(read.context("the system gives no threads")??)
    }

    /// The same context, in this folder and as this user where nobody said otherwise.
    pub(crate) fn or(&self, folder: &str, user: &str) -> Self {
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from(folder));
        let user = self.who().unwrap_or_else(|_| user.to_owned());
        Self { dir: Some(dir), json: self.json, user: Some(user) }
    }

    fn database(&self) -> PathBuf {
        self.dir().join(DATABASE_FILE)
    }

    /// The station's memory, to read.
    pub(crate) fn store_to_read(&self) -> Result<Store, Failure> {
        Ok(Store::open_read_only(&self.database())?)
    }

    /// The station's memory to write, and on whose behalf.
    pub(crate) fn store_to_write(&self) -> Result<(Store, Actor), Failure> {
        let actor = self.actor()?;
        let store = Store::open(&self.database())?;
        self.station()?.agrees_with(store.station())?;
        Ok((store, actor))
    }

    /// The station's memory to write, whatever its description says: to save it.
    pub(crate) fn memory_to_write(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.database())?)
    }

    /// Who acts, now.
    pub(crate) fn actor(&self) -> Result<Actor, Failure> {
        Ok(Actor { who: self.who()?, utc_ms: self.now_utc_ms() })
    }

    /// The recipes and profiles: of the station if there is one, else what is shipped.
    pub(crate) fn library(&self) -> Result<Library, Failure> {
        let is_station = self.dir().join(STATION_FILE).is_file();
        let library = is_station.then(|| Library::of_station(self.dir()));
        Ok(library.transpose()?.unwrap_or_else(Library::shipped))
    }

    /// Who acts: as told, else the user of the computer.
    pub(crate) fn who(&self) -> Result<String, Failure> {
        let who = self.user.clone().or_else(user_of_the_computer);
        who.filter(|who| !who.trim().is_empty()).ok_or_else(|| {
            Failure::refused("the journal must say who acts; name yourself with --as USER")
        })
    }

    /// Wall-clock time, milliseconds since 1970 UTC.
    pub(crate) fn now_utc_ms(&self) -> i64 {
        clock::utc_now_ms()
    }

    /// Today, in the station's zone.
    pub(crate) fn today(&self, time_zone: &str) -> Result<Date, Failure> {
        let zone = TimeZone::get(time_zone).context("the station's time zone is unknown")?;
        let now = Timestamp::from_millisecond(self.now_utc_ms()).context("the clock is wrong")?;
        Ok(now.to_zoned_datetime(zone).date())
    }
}

/// The name under which the person is logged in, if the computer tells it.
fn user_of_the_computer() -> Option<String> {
    let told = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|key| std::env::var(key).ok());
    told.filter(|name| !name.is_empty()).or_else(owner_of_the_process)
}

/// In a container nobody is logged in: the name of the account under which the program runs.
#[cfg(unix)]
fn owner_of_the_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = accounts.lines().map(|line| line.split(':'));
    let mut account = fields.find(|account| account.clone().nth(2) == Some(uid.as_str()))?;
    account.next().map(str::to_owned)
}

#[cfg(not(unix))]
fn owner_of_the_process() -> Option<String> {
    None
}
