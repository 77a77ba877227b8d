//! What was frozen and sealed of a batch, against its hashes in the journal.

use rusqlite::{Connection, OptionalExtension};

use super::super::batches::id_of;
use super::super::journal::{GENESIS, hex, sha256};
use super::super::read;
use super::super::seal::{self, Block, InputRow, Seal};
use super::facts::BatchFacts;
use super::{Misfit, MisfitPlace, VerifyReport, same, same_hash};

/// Parameters and texts.
pub(super) fn check_frozen(
    db: &Connection,
    batch: &str,
    facts: &BatchFacts,
    report: &mut VerifyReport,
) -> Result<(), Misfit> {
    let id = id_of(db, batch)?;
    let params: Option<(String, Vec<u8>)> = db
        .query_row("SELECT json, sha256 FROM params WHERE batch = ?", [id], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (json, column) = params.unwrap_or_default();
    let place = || MisfitPlace::Params { batch: batch.to_owned() };
    same(place, "hash of their text", &facts.params_sha256, &hex(&sha256(&json)))?;
    same(place, "hash beside them", &facts.params_sha256, &hex(&column))?;
    let stored = read::texts(db, id)?;
    for (index, fact) in facts.texts.iter().enumerate() {
        let (kind, name) = (fact.kind.clone(), fact.name.clone());
        let place = || MisfitPlace::Text { batch: batch.to_owned(), kind, name };
        let found = stored.get(index).map_or_else(
            || "no text".to_owned(),
            |text| format!("{} {} {}", text.kind, text.name, hex(&sha256(&text.text))),
        );
        let expected = format!("{} {} {}", fact.kind, fact.name, fact.sha256);
        same(place, "hash of its text", &expected, &found)?;
    }
    let place = || MisfitPlace::Batch { batch: batch.to_owned() };
    same(place, "number of frozen texts", &facts.texts.len(), &stored.len())?;
    report.batches += 1;
    report.texts += stored.len();
    Ok(())
}

/// Compares a block with its seal.
fn check_seal(batch: &str, seal: &Seal, block: &Block) -> Result<(), Misfit> {
    let place = || MisfitPlace::Block {
        batch: batch.to_owned(),
        first_tick_ms: seal.first_tick_ms,
        last_tick_ms: seal.last_tick_ms,
    };
    let found = block.seal().map_or_else(|| "no inputs".to_owned(), |found| found.sha256);
    same(place, "hash of its inputs", &seal.sha256, &found)?;
    same(place, "readings in it", &seal.readings, &block.readings())
}

/// The inputs of one batch against their seals.
pub(super) fn check_blocks(
    db: &Connection,
    batch: &str,
    facts: &BatchFacts,
    report: &mut VerifyReport,
) -> Result<(), Misfit> {
    let id = id_of(db, batch)?;
    let place = || MisfitPlace::Batch { batch: batch.to_owned() };
    let mut seals = facts.seals.iter().map(|(_, seal)| seal).peekable();
    let mut block = Block::after(GENESIS);
    let mut edited = None;
    let mut count = 0_i64;
    let mut readings = 0_i64;
    let mut misfit = None;
    seal::each_input(db, id, 0, |input| {
        count += 1;
        readings += i64::from(input.is_reading());
        if misfit.is_some() {
            return Ok(());
        }
        let stored = input.running;
        misfit = same(place, "a hole in its inputs", &count, &input.n).err();
        let input = &InputRow { running: input.hash(block.running()), ..*input };
        block.add(input);
        let at = || MisfitPlace::Input { batch: batch.to_owned(), n: input.n };
        let fits = same_hash(at, "its running hash", &stored, &input.running);
        edited = edited.take().or(fits.err());
        if seals.peek().is_some_and(|seal| input.n >= seal.last_input) {
            let after = Block::after(*block.running());
            let sealed = std::mem::replace(&mut block, after);
            let seal = seals.next();
            misfit = misfit.take().or(seal.and_then(|s| check_seal(batch, s, &sealed).err()));
            report.seals += 1;
        }
        Ok(())
    })?;
    if let Some(misfit) = misfit {
        return Err(misfit);
    }
    // A seal that is left over has lost its inputs, in part or in whole.
    if let Some(seal) = seals.next() {
        check_seal(batch, seal, &block)?;
        return Err(Misfit::Differs {
            place: Box::new(place()),
            what: "its last sealed input",
            expected: seal.last_input.to_string(),
            found: count.to_string(),
        });
    }
    // What no seal covers has only its running hash; a seal names its whole block.
    if let Some(edited) = edited {
        return Err(edited);
    }
    if facts.closed {
        same(place, "inputs after its last seal", &true, &block.is_empty())?;
    }
    report.inputs += count;
    report.readings += readings;
    report.readings_unsealed += block.readings();
    Ok(())
}

/// Nothing is stored for a batch that the journal does not know.
pub(super) fn check_nothing_else(db: &Connection, report: &VerifyReport) -> Result<(), Misfit> {
    let count = |table: &str| -> Result<i64, Misfit> {
        Ok(db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?)
    };
    let whole = || MisfitPlace::File;
    same(whole, "rows of inputs", &report.inputs, &count("inputs")?)?;
    let batches = i64::try_from(report.batches).unwrap_or(i64::MAX);
    same(whole, "rows of parameters", &batches, &count("params")?)?;
    let unused: i64 = db.query_row(
        "SELECT count(*) FROM texts WHERE sha256 NOT IN (SELECT sha256 FROM batch_texts)",
        [],
        |row| row.get(0),
    )?;
    same(whole, "texts of no batch", &0, &unused)
}
