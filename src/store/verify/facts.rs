//! What the journal says of everything else, and the projections against it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::{StoreError, garbled};
use super::super::journal::{Kind, Row};
use super::super::seal::Seal;
use super::super::{milk, read, station};
use super::{Misfit, MisfitPlace};

/// What the journal says of one frozen text.
#[derive(Debug, Deserialize)]
pub(super) struct TextFact {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) sha256: String,
}

/// What the journal says when a batch starts.
#[derive(Debug, Deserialize)]
struct Started {
    state: Value,
    params_sha256: String,
    texts: Vec<TextFact>,
}

/// What the journal says of one batch.
#[derive(Debug)]
pub(super) struct BatchFacts {
    pub(super) params_sha256: String,
    pub(super) texts: Vec<TextFact>,
    /// Each seal with the number of its entry.
    pub(super) seals: Vec<(i64, Seal)>,
    pub(super) closed: bool,
    state: Value,
}

/// What the journal says.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) batches: BTreeMap<String, BatchFacts>,
    /// The newest state of each row, by table and key.
    rows: BTreeMap<(&'static str, String), Value>,
}

fn parsed<T: serde::de::DeserializeOwned>(row: &Row, value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| garbled(format!("entry {}", row.seq), error))
}

impl Facts {
    /// Takes in one entry.
    pub(super) fn note(&mut self, row: &Row) -> Result<(), StoreError> {
        let Some(kind) = Kind::from_word(&row.kind) else { return Ok(()) };
        let after = row.body()?.after.unwrap_or_default();
        let table = match kind {
            Kind::Station => "station",
            Kind::User => "users",
            Kind::Donor => "donors",
            Kind::Deposit => "deposits",
            Kind::Pool => "pools",
            Kind::BatchStarted
            | Kind::BatchChanged
            | Kind::BatchClosed
            | Kind::Event
            | Kind::Action
            | Kind::ActionRefused
            | Kind::Seal
            | Kind::Remark
            | Kind::Clock => return self.note_batch(row, kind, after),
            // They stand for themselves: no table is made of them.
            Kind::StationFiles | Kind::Backup | Kind::Restored => return Ok(()),
        };
        self.rows.insert((table, row.subject.clone()), after);
        Ok(())
    }

    fn note_batch(&mut self, row: &Row, kind: Kind, after: Value) -> Result<(), StoreError> {
        let code = row.batch.clone().unwrap_or_default();
        if kind == Kind::BatchStarted {
            let Started { state, params_sha256, texts } = parsed(row, after)?;
            let facts =
                BatchFacts { params_sha256, texts, seals: Vec::new(), closed: false, state };
            self.batches.insert(code, facts);
            return Ok(());
        }
        let facts = self.batches.get_mut(&code);
        let facts = facts.ok_or_else(|| garbled(format!("entry {}", row.seq), "no such batch"))?;
        match kind {
            Kind::BatchChanged => facts.state = after,
            Kind::BatchClosed => {
                facts.state = after;
                facts.closed = true;
            }
            Kind::Event => {
                let entered = after.get("event").and_then(Value::as_str) == Some("entered");
                let phase = after.get("phase").filter(|_| entered);
                if let (Some(phase), Some(state)) = (phase, facts.state.as_object_mut()) {
                    state.insert("phase".to_owned(), phase.clone());
                }
            }
            Kind::Seal => facts.seals.push((row.seq, parsed(row, after)?)),
            Kind::Action | Kind::ActionRefused | Kind::Remark | Kind::Clock => {}
            Kind::Station
            | Kind::User
            | Kind::Donor
            | Kind::Deposit
            | Kind::Pool
            | Kind::StationFiles
            | Kind::Backup
            | Kind::Restored
            | Kind::BatchStarted => {}
        }
        Ok(())
    }

    /// What the journal says of one batch.
    pub(super) fn of_batch(&self, code: &str) -> Result<&BatchFacts, Misfit> {
        self.batches.get(code).ok_or_else(|| Misfit::Differs {
            place: Box::new(MisfitPlace::Batch { batch: code.to_owned() }),
            what: "the journal does not know it",
            expected: "an entry of its start".to_owned(),
            found: "none".to_owned(),
        })
    }

    /// Compares every row of every projection with the journal, both ways.
    pub(super) fn check_projections(&self, db: &Connection) -> Result<(), Misfit> {
        let stored = stored_rows(db)?;
        let mut said: BTreeMap<_, _> = self.rows.iter().map(keyed).collect();
        said.extend(self.batches.iter().map(|(code, facts)| (("batches", &**code), &facts.state)));
        let found: BTreeMap<_, _> = stored.iter().map(keyed).collect();
        let keys: BTreeSet<_> = said.keys().chain(found.keys()).collect();
        for key in keys {
            let (expected, found) = match (said.get(key), found.get(key)) {
                (Some(said), Some(found)) => apart(said, found),
                (said, found) => (whole(said), whole(found)),
            };
            let place = || MisfitPlace::Row { table: key.0, key: key.1.to_owned() };
            super::same(place, "its content against the journal", &expected, &found)?;
        }
        Ok(())
    }
}

fn whole(row: Option<&&Value>) -> String {
    row.map_or_else(|| "no row".to_owned(), ToString::to_string)
}

/// Two rows, of which only what differs is shown: the first page of a batch with its verdict fills a
/// screen, and what was changed in it is one word.
fn apart(one: &Value, other: &Value) -> (String, String) {
    let (one, other) = only_what_differs(one, other);
    (one.to_string(), other.to_string())
}

fn only_what_differs(one: &Value, other: &Value) -> (Value, Value) {
    let (Value::Object(ones), Value::Object(others)) = (one, other) else {
        return (one.clone(), other.clone());
    };
    let (mut left, mut right) = (serde_json::Map::new(), serde_json::Map::new());
    for key in ones.keys().chain(others.keys().filter(|key| !ones.contains_key(*key))) {
        match (ones.get(key), others.get(key)) {
            (Some(one), Some(other)) if one != other => {
                let (one, other) = only_what_differs(one, other);
                left.insert(key.clone(), one);
                right.insert(key.clone(), other);
            }
            (Some(_), Some(_)) | (None, None) => {}
            (Some(one), None) => {
                left.insert(key.clone(), one.clone());
            }
            (None, Some(other)) => {
                right.insert(key.clone(), other.clone());
            }
        }
    }
    (Value::Object(left), Value::Object(right))
}

/// A row of a projection, borrowed.
fn keyed<'a>(
    ((table, key), row): (&'a (&'static str, String), &'a Value),
) -> ((&'static str, &'a str), &'a Value) {
    ((*table, key), row)
}

/// Deposits of a pool and texts of a batch stand at 0, 1, 2 and so on: their order is part of what
/// the journal says.
pub(super) fn check_positions(db: &Connection) -> Result<(), Misfit> {
    for (table, key) in [("pool_deposits", "pool"), ("batch_texts", "batch")] {
        let sql = format!(
            "SELECT CAST({key} AS TEXT), position, n FROM (SELECT {key}, position, \
             row_number() OVER (PARTITION BY {key} ORDER BY position) - 1 AS n FROM {table}) \
             WHERE position <> n LIMIT 1"
        );
        let mut select = db.prepare(&sql)?;
        let mut rows = select.query([])?;
        if let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            let place = || MisfitPlace::Row { table, key };
            super::same(place, "its position", &row.get::<_, i64>(2)?, &row.get::<_, i64>(1)?)?;
        }
    }
    Ok(())
}

fn value<T: Serialize>(of: &T) -> Result<Value, StoreError> {
    serde_json::to_value(of).map_err(|error| garbled("row", error))
}

/// Every row of the projections as the journal would say it.
fn stored_rows(db: &Connection) -> Result<BTreeMap<(&'static str, String), Value>, Misfit> {
    let mut rows = BTreeMap::new();
    rows.insert(("station", "station".to_owned()), value(&station::read(db)?)?);
    let mut users = db.prepare("SELECT name, added_utc_ms FROM users")?;
    let mut found = users.query([])?;
    while let Some(row) = found.next()? {
        let (name, added_utc_ms): (String, i64) = (row.get(0)?, row.get(1)?);
        let user = serde_json::json!({ "name": name, "added_utc_ms": added_utc_ms });
        rows.insert(("users", name), user);
    }
    for donor in milk::donors(db)? {
        rows.insert(("donors", donor.code.clone()), value(&donor)?);
    }
    for shown in milk::deposits(db)? {
        rows.insert(("deposits", shown.deposit.code.clone()), value(&shown.deposit)?);
    }
    for pool in milk::pools(db)? {
        rows.insert(("pools", pool.code.clone()), value(&pool)?);
    }
    for header in read::headers(db, "")? {
        rows.insert(("batches", header.code.clone()), read::batch_state(db, &header.code)?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_two_rows_only_what_differs_is_shown() {
        let row = json!({ "code": "B-1", "bottles": 6, "verdict": { "outcome": "unacceptable", "hold_s": 9 } });
        let mut changed = row.clone();
        changed["verdict"]["outcome"] = json!("acceptable");
        let shown = apart(&row, &changed);
        assert_eq!(shown.0, r#"{"verdict":{"outcome":"unacceptable"}}"#);
        assert_eq!(shown.1, r#"{"verdict":{"outcome":"acceptable"}}"#);
        assert_eq!(apart(&row, &row).0, apart(&row, &row).1);
        let longer = json!({ "code": "B-1", "bottles": 6, "verdict": null, "added": 1 });
        let shown = apart(&row, &longer);
        assert_eq!(shown.0, r#"{"verdict":{"hold_s":9,"outcome":"unacceptable"}}"#);
        assert_eq!(shown.1, r#"{"added":1,"verdict":null}"#);
    }
}
