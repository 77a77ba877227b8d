//! The station itself and its users.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::Store;
use super::error::{StoreError, garbled};
use super::journal::{self, Body, Kind, Place, Stamp};

/// The station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// Its time zone, IANA name.
    pub time_zone: String,
    /// Whether it is for training: simulated units only, everything marked TRAINING for ever.
    pub training: bool,
    /// When it was made, milliseconds since 1970 UTC.
    pub created_utc_ms: i64,
}

impl Station {
    /// Its time zone.
    pub(super) fn zone(&self) -> Result<jiff::tz::TimeZone, StoreError> {
        jiff::tz::TimeZone::get(&self.time_zone).map_err(|error| StoreError::BadName {
            what: "time zone",
            value: self.time_zone.clone(),
            why: format!("{error}; use an IANA name such as Europe/Berlin"),
        })
    }

    /// The day in the station's zone.
    pub(super) fn day(&self, utc_ms: i64) -> Result<jiff::civil::Date, StoreError> {
        let at = jiff::Timestamp::from_millisecond(utc_ms).map_err(|e| garbled("time", e))?;
        Ok(self.zone()?.to_datetime(at).date())
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), StoreError> {
    let printable = name.chars().all(|c| !c.is_control()) && name.trim() == name;
    if name.is_empty() || name.chars().count() > 80 || !printable {
        let why = "use 1 to 80 printable characters without spaces around".to_owned();
        return Err(StoreError::BadName { what, value: name.chars().take(80).collect(), why });
    }
    Ok(())
}

/// Checks that an entry says on whose behalf it is, in a name that can be read on one line.
pub(super) fn check_who(who: &str) -> Result<(), StoreError> {
    if who.trim().is_empty() || who.chars().count() > 80 || who.chars().any(char::is_control) {
        let why = "name yourself with 1 to 80 printable characters".to_owned();
        let value = who.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(StoreError::BadName { what: "user name", value, why });
    }
    Ok(())
}

/// Checks that a reason says something: it is what a reviewer reads years later.
pub(super) fn check_reason(why: &str) -> Result<(), StoreError> {
    if !why.chars().any(char::is_alphabetic) || why.chars().any(char::is_control) {
        let value = why.chars().filter(|c| !c.is_control()).take(80).collect();
        let why = "say why in words, on one line".to_owned();
        return Err(StoreError::BadName { what: "reason", value, why });
    }
    Ok(())
}

/// Writes the first entry of a new file.
pub(super) fn found(
    db: &mut rusqlite::Connection,
    station: &Station,
    who: &str,
) -> Result<(), StoreError> {
    check_name("station name", &station.name)?;
    station.zone()?;
    let tx = db.transaction()?;
    tx.execute(
        "INSERT INTO station (id, name, time_zone, training, created_utc_ms) VALUES (1, ?, ?, ?, ?)",
        params![station.name, station.time_zone, station.training, station.created_utc_ms],
    )?;
    let stamp = Stamp { utc_ms: station.created_utc_ms, who };
    let after = serde_json::to_value(station).map_err(|error| garbled("station", error))?;
    let body = Body::new("station made").after(after);
    journal::append(&tx, stamp, Place::of(Kind::Station, "station"), &body)?;
    Ok(tx.commit()?)
}

/// Reads the station's row.
pub(super) fn read(db: &rusqlite::Connection) -> Result<Station, StoreError> {
    let found = db
        .query_row(
            "SELECT name, time_zone, training, created_utc_ms FROM station WHERE id = 1",
            [],
            |row| {
                Ok(Station {
                    name: row.get(0)?,
                    time_zone: row.get(1)?,
                    training: row.get(2)?,
                    created_utc_ms: row.get(3)?,
                })
            },
        )
        .optional()?;
    found.ok_or_else(|| garbled("station", "its row is missing"))
}

impl Store {
    /// Adds a user.
    ///
    /// # Errors
    /// A name that cannot be used or is taken; the disk.
    pub fn add_user(&mut self, stamp: Stamp<'_>, name: &str) -> Result<(), StoreError> {
        check_name("user name", name)?;
        let tx = self.write()?;
        let added = tx.execute(
            "INSERT INTO users (name, added_utc_ms) VALUES (?, ?) ON CONFLICT DO NOTHING",
            params![name, stamp.utc_ms],
        )?;
        if added == 0 {
            let why = "there is a user of this name".to_owned();
            return Err(StoreError::BadName { what: "user name", value: name.to_owned(), why });
        }
        let after = serde_json::json!({ "name": name, "added_utc_ms": stamp.utc_ms });
        let body = Body::new("user added").after(after);
        journal::append(&tx, stamp, Place::of(Kind::User, name), &body)?;
        Ok(tx.commit()?)
    }

    /// The names of all users, sorted.
    ///
    /// # Errors
    /// The disk.
    pub fn users(&self) -> Result<Vec<String>, StoreError> {
        let mut found = self.db.prepare_cached("SELECT name FROM users ORDER BY name")?;
        let names = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }
}
