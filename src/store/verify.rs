//! Recomputing everything that is stored, and naming the first thing that does not fit.
//!
//! What a record proves rests on this: the chain of the journal, the seals over inputs, the hashes of
//! what was frozen, the projections against the journal, and the schema with its triggers. Samples of
//! an open batch that came after its last seal stand under their running hash alone, which the journal
//! does not know yet: they are counted apart.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rusqlite::Connection;

use super::journal::{GENESIS, Head, Row, hex};
use super::{Store, schema};

mod blocks;
mod facts;
mod misfit;
mod proved;

use facts::Facts;
pub use misfit::{Misfit, MisfitPlace};
use misfit::{same, same_hash};
pub use proved::Proved;

/// What was recomputed, all of it in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct VerifyReport {
    /// Entries of the journal.
    pub entries: i64,
    /// Hash of the newest entry, hexadecimal.
    pub head_hash: String,
    /// Batches.
    pub batches: usize,
    /// Sealed blocks.
    pub seals: usize,
    /// Inputs of the engine.
    pub inputs: i64,
    /// How many of them are readings.
    pub readings: i64,
    /// Readings that came after the last seal of an open batch.
    pub readings_unsealed: i64,
    /// Frozen texts of all batches.
    pub texts: usize,
}

/// SQLite's own check of this name, up to the first thing that it finds.
fn check_pages(db: &Connection, check: &'static str) -> Result<(), Misfit> {
    let found: String = db.query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0))?;
    let found = found.strip_prefix("*** in database main ***\n").unwrap_or(&found).to_owned();
    same(|| MisfitPlace::File, check, &"ok".to_owned(), &found)
}

/// SQLite's own checks of what is read whole afterwards: pages, order, indexes, types, references.
///
/// Not the CHECK constraints of the rows: of each row everything is hashed or compared with the
/// journal, so that one which breaks them is found anyhow, and named. They took longer than all the
/// rest (docs/decisions/0026).
fn check_file(db: &Connection) -> Result<(), Misfit> {
    let ok = "ok".to_owned();
    let ignore_checks = |ignore| db.pragma_update(None, "ignore_check_constraints", ignore);
    ignore_checks(true)?;
    let pages = check_pages(db, "integrity_check");
    // What is written later must not break them.
    ignore_checks(false)?;
    pages?;
    let mut select = db.prepare("PRAGMA foreign_key_check")?;
    let mut rows = select.query([])?;
    let found = match rows.next()? {
        None => ok.clone(),
        Some(row) => {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            format!("a row of {table} without its {parent}")
        }
    };
    same(|| MisfitPlace::File, "foreign_key_check", &ok, &found)
}

/// The whole schema as text.
fn schema_text(db: &Connection) -> Result<Vec<String>, Misfit> {
    let mut select = db.prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
         ORDER BY type, name",
    )?;
    let texts = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(texts)
}

/// The schema that the migrations make.
fn schema_expected() -> Result<&'static [String], Misfit> {
    static EXPECTED: OnceLock<Vec<String>> = OnceLock::new();
    if let Some(expected) = EXPECTED.get() {
        return Ok(expected);
    }
    let mut fresh = Connection::open_in_memory()?;
    schema::migrate(&mut fresh, schema::MIGRATIONS)?;
    let expected = schema_text(&fresh)?;
    Ok(EXPECTED.get_or_init(|| expected))
}

/// Tables, indexes and triggers are those that the migrations make.
fn check_schema(db: &Connection) -> Result<(), Misfit> {
    let (expected, found) = (schema_expected()?, schema_text(db)?);
    let none = "nothing".to_owned();
    for sql in expected {
        let present = if found.contains(sql) { sql } else { &none };
        same(|| MisfitPlace::File, "a part of the schema is missing", sql, present)?;
    }
    for sql in &found {
        let known = if expected.contains(sql) { sql } else { &none };
        same(|| MisfitPlace::File, "a part of the schema is not ours", known, sql)?;
    }
    Ok(())
}

/// Digits that name an entry: a mistake in them says nothing about the journal.
fn paper_digits(typed: &str) -> Result<String, Misfit> {
    Head::digits(typed).ok_or_else(|| Misfit::Differs {
        place: Box::new(MisfitPlace::Paper),
        what: "it was not looked for",
        expected: "16 to 64 hexadecimal digits".to_owned(),
        found: format!("`{typed}`"),
    })
}

/// Walks the chain, and collects what the journal says of everything else.
fn check_chain(db: &Connection, paper: Option<&str>) -> Result<(Facts, i64, String), Misfit> {
    let paper = paper.map(paper_digits).transpose()?;
    let mut seen = paper.is_none();
    let (mut seq, mut prev) = (0_i64, GENESIS);
    let mut facts = Facts::default();
    let mut select = db.prepare(&format!("SELECT {} FROM journal ORDER BY seq", Row::COLUMNS))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let row = Row::read(row)?;
        let place = || MisfitPlace::Entry { seq: row.seq };
        same(place, "a hole in the sequence", &(seq + 1), &row.seq)?;
        same_hash(place, "hash of the entry before", &prev, &row.prev_hash)?;
        same_hash(place, "hash of its content", &row.hash, &row.computed_hash())?;
        seen |= paper.as_ref().is_some_and(|hash| hex(&row.hash).starts_with(hash.as_str()));
        facts.note(&row)?;
        (seq, prev) = (row.seq, row.hash);
    }
    match paper {
        Some(expected) if !seen => Err(Misfit::Differs {
            place: Box::new(MisfitPlace::Paper),
            what: "no entry has it. Compare the digits with the paper once more. If they are right, \
                   the journal was rewritten, or cut off before it: let nobody decide about milk by it",
            expected,
            found: format!("a journal of {seq} entries that ends in {}", hex(&prev)),
        }),
        Some(_) | None => Ok((facts, seq, hex(&prev))),
    }
}

impl Store {
    /// Recomputes everything as of one moment. `paper` is a head hash from a printed record or
    /// an export (at least its first 16 digits): the journal must still contain it.
    ///
    /// # Errors
    /// The first thing that does not fit, with what was expected and what was found.
    pub fn verify(&self, paper: Option<&str>) -> Result<VerifyReport, Misfit> {
        self.looked(self.verified(paper))
    }

    fn verified(&self, paper: Option<&str>) -> Result<VerifyReport, Misfit> {
        let db = &self.db.unchecked_transaction()?;
        check_file(db)?;
        let (facts, entries, head_hash) = check_chain(db, paper)?;
        let mut report = VerifyReport { entries, head_hash, ..VerifyReport::default() };
        for (batch, facts) in &facts.batches {
            blocks::check_frozen(db, batch, facts, &mut report)?;
            blocks::check_blocks(db, batch, facts, &mut report)?;
        }
        check_rows(db, &facts)?;
        blocks::check_nothing_else(db, &report)?;
        check_schema(db)?;
        Ok(report)
    }

    /// Whether milk may be entrusted to this file: the chain of the journal, what is made from it,
    /// and the schema; before a new batch also SQLite's structure of every page. Of `open`, a batch
    /// that shall go on, all that is stored, and no page of others: its milk waits. What a closed
    /// batch had read is left to [`Store::verify`] (docs/decisions/0022). It only reads, and holds
    /// nobody up.
    ///
    /// # Errors
    /// The first thing that does not fit; no such batch.
    pub fn fit_to_run(&self, open: Option<&str>) -> Result<(), Misfit> {
        self.looked(self.fitting(open))
    }

    fn fitting(&self, open: Option<&str>) -> Result<(), Misfit> {
        let db = &self.db.unchecked_transaction()?;
        if let Some(code) = open {
            check_batch(db, code)?;
        } else {
            check_pages(db, "quick_check")?;
            let (facts, ..) = check_chain(db, None)?;
            check_rows(db, &facts)?;
        }
        check_schema(db)
    }

    /// Whether the record of one batch is what was written: the chain of the whole journal, the
    /// batch's seals and frozen texts, and the rows that stand on its record. It is what every
    /// reader of a record wants to know first; [`Store::verify`] looks at the rest of the file
    /// too.
    ///
    /// # Errors
    /// The first thing that does not fit; no such batch.
    pub fn batch_fits(&self, code: &str) -> Result<(), Misfit> {
        let looked = || check_batch(&*self.db.unchecked_transaction()?, code);
        self.looked(looked())
    }

    /// The same of several batches, as of one moment: the chain of the journal is walked once.
    /// Those that do not fit, by their code.
    ///
    /// # Errors
    /// What spoils them all: the chain, or the rows that stand on it. Something could not be
    /// looked at, which says nothing about it ([`Misfit::is_damage`]).
    pub fn misfits_of(&self, codes: &[&str]) -> Result<BTreeMap<String, Misfit>, Misfit> {
        let db = &self.db.unchecked_transaction()?;
        let (facts, ..) = check_chain(db, None)?;
        let mut misfits = BTreeMap::new();
        for code in codes {
            match check_record(db, &facts, code) {
                Ok(()) => {}
                Err(misfit) if misfit.is_damage() => {
                    misfits.insert((*code).to_owned(), misfit);
                }
                Err(unread) => return Err(unread),
            }
        }
        check_rows(db, &facts)?;
        Ok(misfits)
    }
}

/// The chain, one batch under it, and the rows that stand on the journal.
fn check_batch(db: &Connection, code: &str) -> Result<(), Misfit> {
    super::batches::id_of(db, code)?;
    let (facts, ..) = check_chain(db, None)?;
    check_record(db, &facts, code)?;
    check_rows(db, &facts)
}

/// What one batch had frozen and read, against the journal.
fn check_record(db: &Connection, facts: &Facts, code: &str) -> Result<(), Misfit> {
    let mut report = VerifyReport::default();
    let of_batch = facts.of_batch(code)?;
    blocks::check_frozen(db, code, of_batch, &mut report)?;
    blocks::check_blocks(db, code, of_batch, &mut report)
}

/// The rows that stand on the journal.
fn check_rows(db: &Connection, facts: &Facts) -> Result<(), Misfit> {
    facts.check_projections(db)?;
    facts::check_positions(db)
}

#[cfg(test)]
mod tests;
