//! Donors, deposits and pools: the rules of [`crate::milk`], and where they are kept. Each change
//! writes its journal entry and its row in one transaction.

mod rows;

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::Value;

use super::Store;
use super::batches::NewBatch;
use super::error::{StoreError, garbled};
use super::journal::{self, Body, Kind as Entry, Place, Stamp};
use super::model::{BatchHeader, PoolRecord, PoolShare};
use super::read;
use crate::batch::params::Purpose;
use crate::batch::recipe::PoolRule;
use crate::milk::{Deposit, Donor, Kind, Pool, Refusal, Share, Status, check_code, ml, pool};

use rows::{deposit, donor, pool, rows};
pub(super) use rows::{deposits, donors, pools};

/// A deposit and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepositShown {
    /// The deposit.
    #[serde(flatten)]
    pub deposit: Deposit,
    /// The pool that it is in.
    pub pool: Option<String>,
}

/// A pool, what is left of it, and the batches that came from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolShown {
    /// The pool.
    #[serde(flatten)]
    pub pool: Pool,
    /// What no batch has drawn and none holds, microlitres. Below 0 if more bottles were
    /// confirmed than the pool has milk for.
    pub left_ul: i64,
    /// What is held for batches whose bottles are not in yet, microlitres.
    pub reserved_ul: i64,
    /// Codes of its batches, oldest first.
    pub batches: Vec<String>,
}

fn value<T: Serialize>(of: &T) -> Result<Value, StoreError> {
    serde_json::to_value(of).map_err(|error| garbled("entry", error))
}

fn shares(db: &Connection, deposits: &[String]) -> Result<Vec<Share>, StoreError> {
    let share = |code: &String| {
        let deposit = deposit(db, code)?.deposit;
        Ok(Share { donor: donor(db, &deposit.donor)?, deposit })
    };
    deposits.iter().map(share).collect()
}

/// Draws the milk of a batch from its pool, now that this many bottles are in: what was held for
/// it is over. If the pool does not have that much, the record says so, and the bottles are
/// counted all the same: they are in. Nothing is drawn for water.
pub(super) fn draw(
    db: &Connection,
    stamp: Stamp<'_>,
    batch: &str,
    tick_ms: u64,
    bottles: u16,
) -> Result<(), StoreError> {
    let BatchHeader { pool: Some(pool), bottle_ul, .. } = read::header(db, batch)? else {
        return Ok(());
    };
    let before = read::batch_state(db, batch)?;
    let volume_ul = bottle_ul.saturating_mul(i64::from(bottles));
    db.execute(
        "UPDATE batches SET volume_ul = ?, reserved_ul = 0 WHERE code = ?",
        params![volume_ul, batch],
    )?;
    let what = format!("{bottles} bottles are in: {} ml drawn from pool {pool}", ml(volume_ul));
    let body = Body::new(what).before(before).after(read::batch_state(db, batch)?);
    let place = |kind| Place::in_batch(kind, batch, Some(tick_ms));
    journal::append(db, stamp, place(Entry::BatchChanged), &body)?;
    let left_ul = pool_shown(db, &pool)?.left_ul;
    if left_ul < 0 {
        let text = format!(
            "{bottles} bottles take {} ml more than pool {pool} has; count the bottles, and \
             measure what is in them",
            ml(left_ul.saturating_neg())
        );
        journal::append(db, stamp, place(Entry::Remark), &Body::new(text))?;
    }
    Ok(())
}

fn pool_shown(db: &Connection, code: &str) -> Result<PoolShown, StoreError> {
    let pool = pool(db, code)?;
    let (drawn_ul, reserved_ul): (i64, i64) = db.query_row(
        "SELECT coalesce(sum(volume_ul), 0), coalesce(sum(reserved_ul), 0) FROM batches \
         WHERE pool = ?",
        [code],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let sql = "SELECT code FROM batches WHERE pool = ? ORDER BY id";
    let batches = rows(db, sql, Some(code), |row| Ok(row.get(0)?))?;
    let left_ul = pool.volume_ul.saturating_sub(drawn_ul).saturating_sub(reserved_ul);
    Ok(PoolShown { left_ul, reserved_ul, pool, batches })
}

/// The pool as it stands on a batch record.
pub(super) fn pool_record(db: &Connection, code: &str) -> Result<PoolRecord, StoreError> {
    let pool = pool(db, code)?;
    let share = |code: &String| {
        let deposit = deposit(db, code)?.deposit;
        Ok(PoolShare {
            deposit: deposit.code,
            donor: deposit.donor,
            volume_ul: deposit.volume_ul,
            expressed_on: deposit.expressed_on.to_string(),
        })
    };
    let shares = pool.deposits.iter().map(share).collect::<Result<_, StoreError>>()?;
    Ok(PoolRecord { code: pool.code, volume_ul: pool.volume_ul, shares })
}

/// Checks that a batch may start with its pool, and gives what is held for it,
/// microlitres.
pub(super) fn check_start(db: &Connection, new: &NewBatch, today: Date) -> Result<i64, StoreError> {
    match (new.params.purpose, &new.pool) {
        (Purpose::Water, None) => Ok(0),
        (Purpose::Water, Some(pool)) => Err(Refusal::PoolNotWanted { pool: pool.clone() }.into()),
        (Purpose::Milk, None) => Err(Refusal::PoolNeeded.into()),
        (Purpose::Milk, Some(code)) => {
            let shown = pool_shown(db, code)?;
            let shares = shares(db, &shown.pool.deposits)?;
            pool::check_pool(code, &shares, &new.params.recipe.pool, today)?;
            Ok(pool::check_draw(code, shown.left_ul, new.bottles, new.bottle_ul)?)
        }
    }
}

/// Refuses a code that names something already, in whatever letters: `d-3` on a label is `D-3`.
fn check_free(db: &Connection, kind: Kind, table: &str, code: &str) -> Result<(), StoreError> {
    check_code(kind, code)?;
    let taken = db
        .query_row(
            &format!("SELECT code FROM {table} WHERE code = ? COLLATE NOCASE"),
            [code],
            |row| row.get(0),
        )
        .optional()?;
    match taken {
        Some(code) => Err(Refusal::Taken { kind, code }.into()),
        None => Ok(()),
    }
}

impl Store {
    /// Adds a donor by code, in screening.
    ///
    /// # Errors
    /// A code that is none or is taken; the disk.
    pub fn add_donor(&mut self, stamp: Stamp<'_>, code: &str) -> Result<Donor, StoreError> {
        let tx = self.write()?;
        check_free(&tx, Kind::Donor, "donors", code)?;
        let donor = Donor { code: code.to_owned(), status: Status::Screening };
        tx.execute(
            "INSERT INTO donors (code, status) VALUES (?, ?)",
            params![code, donor.status.word()],
        )?;
        let body = Body::new("donor added").after(value(&donor)?);
        journal::append(&tx, stamp, Place::of(Entry::Donor, code), &body)?;
        tx.commit()?;
        Ok(donor)
    }

    /// Changes where a donor stands. `why` must hold no personal data: it stays for ever.
    ///
    /// # Errors
    /// No such donor, a reason without a word; the disk.
    pub fn set_donor_status(
        &mut self,
        stamp: Stamp<'_>,
        code: &str,
        status: Status,
        why: &str,
    ) -> Result<Donor, StoreError> {
        super::station::check_reason(why)?;
        let tx = self.write()?;
        let before = donor(&tx, code)?;
        let after = Donor { code: code.to_owned(), status };
        tx.execute(
            "UPDATE donors SET status = ?, cleared_until = ? WHERE code = ?",
            params![status.word(), status.cleared_until().map(|day| day.to_string()), code],
        )?;
        let body = Body::new(format!("donor is now {}", status.word()))
            .before(value(&before)?)
            .after(value(&after)?)
            .why(why);
        journal::append(&tx, stamp, Place::of(Entry::Donor, code), &body)?;
        tx.commit()?;
        Ok(after)
    }

    /// Records a deposit. Milk of any donor is received; whether it may be used is asked when
    /// it is pooled.
    ///
    /// # Errors
    /// A code that is taken, an unknown donor, a volume or days that cannot be; the disk.
    pub fn add_deposit(&mut self, stamp: Stamp<'_>, deposit: &Deposit) -> Result<(), StoreError> {
        deposit.check(self.station.day(stamp.utc_ms)?)?;
        let tx = self.write()?;
        check_free(&tx, Kind::Deposit, "deposits", &deposit.code)?;
        donor(&tx, &deposit.donor)?;
        tx.execute(
            "INSERT INTO deposits (code, donor, volume_ul, expressed_on, received_on) \
             VALUES (?, ?, ?, ?, ?)",
            params![
                deposit.code,
                deposit.donor,
                deposit.volume_ul,
                deposit.expressed_on.to_string(),
                deposit.received_on.to_string()
            ],
        )?;
        let body = Body::new("deposit received").after(value(deposit)?);
        journal::append(&tx, stamp, Place::of(Entry::Deposit, &deposit.code), &body)?;
        Ok(tx.commit()?)
    }

    /// Mixes deposits into a pool, by the recipe's rule.
    ///
    /// # Errors
    /// A code that is taken, an unknown deposit, or the first deposit and rule that stand
    /// against it; the disk.
    pub fn add_pool(
        &mut self,
        stamp: Stamp<'_>,
        code: &str,
        deposits: &[String],
        rule: &PoolRule,
    ) -> Result<Pool, StoreError> {
        let made_on = self.station.day(stamp.utc_ms)?;
        let tx = self.write()?;
        check_free(&tx, Kind::Pool, "pools", code)?;
        for name in deposits {
            if let Some(pool) = deposit(&tx, name)?.pool {
                return Err(Refusal::Pooled { deposit: name.clone(), pool }.into());
            }
        }
        let facts = pool::check_pool(code, &shares(&tx, deposits)?, rule, made_on)?;
        let pool = Pool {
            code: code.to_owned(),
            made_on,
            expires_on: facts.expires_on,
            volume_ul: facts.volume_ul,
            deposits: deposits.to_vec(),
        };
        let (made_on, expires_on) = (made_on.to_string(), facts.expires_on.to_string());
        tx.execute(
            "INSERT INTO pools (code, made_on, expires_on, volume_ul) VALUES (?, ?, ?, ?)",
            params![code, made_on, expires_on, facts.volume_ul],
        )?;
        for (position, deposit) in (0_i64..).zip(deposits) {
            tx.execute(
                "INSERT INTO pool_deposits (pool, position, deposit) VALUES (?, ?, ?)",
                params![code, position, deposit],
            )?;
        }
        let body = Body::new("pool mixed").after(value(&pool)?);
        journal::append(&tx, stamp, Place::of(Entry::Pool, code), &body)?;
        tx.commit()?;
        Ok(pool)
    }

    /// Every donor, by code.
    ///
    /// # Errors
    /// The disk, or a row that cannot be understood.
    pub fn donors(&self) -> Result<Vec<Donor>, StoreError> {
        donors(&self.db)
    }

    /// One donor.
    ///
    /// # Errors
    /// No such donor; the disk.
    pub fn donor(&self, code: &str) -> Result<Donor, StoreError> {
        donor(&self.db, code)
    }

    /// Every deposit with the pool that it is in, by code.
    ///
    /// # Errors
    /// The disk, or a row that cannot be understood.
    pub fn deposits(&self) -> Result<Vec<DepositShown>, StoreError> {
        deposits(&self.db)
    }

    /// One deposit with the pool that it is in.
    ///
    /// # Errors
    /// No such deposit; the disk.
    pub fn deposit(&self, code: &str) -> Result<DepositShown, StoreError> {
        deposit(&self.db, code)
    }

    /// Every pool with what is left of it, by code.
    ///
    /// # Errors
    /// The disk, or a row that cannot be understood.
    pub fn pools(&self) -> Result<Vec<PoolShown>, StoreError> {
        let db = &self.db.unchecked_transaction()?;
        pools(db)?.iter().map(|pool| pool_shown(db, &pool.code)).collect()
    }

    /// One pool with what is left of it.
    ///
    /// # Errors
    /// No such pool; the disk.
    pub fn pool(&self, code: &str) -> Result<PoolShown, StoreError> {
        pool_shown(&*self.db.unchecked_transaction()?, code)
    }
}

#[cfg(test)]
mod tests;
