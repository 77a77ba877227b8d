//! Donors, deposits and pools as they are read back.

use jiff::civil::Date;
use rusqlite::Connection;

use super::DepositShown;
use crate::milk::{Deposit, Donor, Kind, Pool, Refusal, Status};
use crate::store::error::{StoreError, garbled};

fn day(what: &str, text: &str) -> Result<Date, StoreError> {
    text.parse().map_err(|error| garbled(format!("{what} `{text}`"), error))
}

fn unknown(kind: Kind, code: &str) -> StoreError {
    Refusal::Unknown { kind, code: code.to_owned() }.into()
}

fn donor_row(row: &rusqlite::Row<'_>) -> Result<Donor, StoreError> {
    let (code, word): (String, String) = (row.get(0)?, row.get(1)?);
    let until = row.get::<_, Option<String>>(2)?.map(|until| day("day", &until)).transpose()?;
    let status = Status::from_parts(&word, until)
        .ok_or_else(|| garbled(format!("donor {code}"), format!("status `{word}`")))?;
    Ok(Donor { code, status })
}

fn deposit_row(row: &rusqlite::Row<'_>) -> Result<DepositShown, StoreError> {
    let deposit = Deposit {
        code: row.get(0)?,
        donor: row.get(1)?,
        volume_ul: row.get(2)?,
        expressed_on: day("day", &row.get::<_, String>(3)?)?,
        received_on: day("day", &row.get::<_, String>(4)?)?,
    };
    Ok(DepositShown { deposit, pool: row.get(5)? })
}

/// All rows of a query.
pub(super) fn rows<T>(
    db: &Connection,
    sql: &str,
    key: Option<&str>,
    read: impl Fn(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query(rusqlite::params_from_iter(key))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

const DONORS: &str = "SELECT code, status, cleared_until FROM donors";
const DEPOSITS: &str = "SELECT code, donor, volume_ul, expressed_on, received_on, pool \
     FROM deposits LEFT JOIN pool_deposits ON deposit = code";
const POOLS: &str = "SELECT code, made_on, expires_on, volume_ul FROM pools";

/// Every donor, by code.
pub(in crate::store) fn donors(db: &Connection) -> Result<Vec<Donor>, StoreError> {
    rows(db, &format!("{DONORS} ORDER BY code"), None, donor_row)
}

/// Every deposit, by code.
pub(in crate::store) fn deposits(db: &Connection) -> Result<Vec<DepositShown>, StoreError> {
    rows(db, &format!("{DEPOSITS} ORDER BY code"), None, deposit_row)
}

/// Every pool, by code.
pub(in crate::store) fn pools(db: &Connection) -> Result<Vec<Pool>, StoreError> {
    rows(db, &format!("{POOLS} ORDER BY code"), None, |row| pool_row(db, row))
}

pub(super) fn donor(db: &Connection, code: &str) -> Result<Donor, StoreError> {
    let found = rows(db, &format!("{DONORS} WHERE code = ?"), Some(code), donor_row)?;
    found.into_iter().next().ok_or_else(|| unknown(Kind::Donor, code))
}

pub(super) fn deposit(db: &Connection, code: &str) -> Result<DepositShown, StoreError> {
    let found = rows(db, &format!("{DEPOSITS} WHERE code = ?"), Some(code), deposit_row)?;
    found.into_iter().next().ok_or_else(|| unknown(Kind::Deposit, code))
}

fn pool_row(db: &Connection, row: &rusqlite::Row<'_>) -> Result<Pool, StoreError> {
    let code: String = row.get(0)?;
    let deposits = rows(
        db,
        "SELECT deposit FROM pool_deposits WHERE pool = ? ORDER BY position",
        Some(&code),
        |row| Ok(row.get(0)?),
    )?;
    Ok(Pool {
        made_on: day("day", &row.get::<_, String>(1)?)?,
        expires_on: day("day", &row.get::<_, String>(2)?)?,
        volume_ul: row.get(3)?,
        deposits,
        code,
    })
}

pub(super) fn pool(db: &Connection, code: &str) -> Result<Pool, StoreError> {
    let read = |row: &rusqlite::Row<'_>| pool_row(db, row);
    let found = rows(db, &format!("{POOLS} WHERE code = ?"), Some(code), read)?;
    found.into_iter().next().ok_or_else(|| unknown(Kind::Pool, code))
}
