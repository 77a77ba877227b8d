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

/// The inputs of one batch against their seals, one after the other.
pub(super) struct Blocks<'a> {
    batch: &'a str,
    facts: &'a BatchFacts,
    /// Those that are whole.
    seals: usize,
    block: Block,
    count: i64,
    readings: i64,
    /// The first block that does not fit its seal, or the first hole.
    misfit: Option<Misfit>,
    /// The first input that does not have its running hash.
    edited: Option<Misfit>,
}

impl<'a> Blocks<'a> {
    /// Before the first input.
    pub(super) const fn of(batch: &'a str, facts: &'a BatchFacts) -> Self {
        let block = Block::after(GENESIS);
        Self { batch, facts, seals: 0, block, count: 0, readings: 0, misfit: None, edited: None }
    }

    fn place(&self) -> MisfitPlace {
        MisfitPlace::Batch { batch: self.batch.to_owned() }
    }

    /// Takes in the next input.
    pub(super) fn take(&mut self, input: &InputRow<'_>) {
        self.count += 1;
        self.readings += i64::from(input.is_reading());
        if self.misfit.is_some() {
            return;
        }
        let stored = input.running;
        self.misfit = same(|| self.place(), "a hole in its inputs", &self.count, &input.n).err();
        let input = &InputRow { running: input.hash(self.block.running()), ..*input };
        self.block.add(input);
        if self.edited.is_none() {
            let at = || MisfitPlace::Input { batch: self.batch.to_owned(), n: input.n };
            self.edited = same_hash(at, "its running hash", &stored, &input.running).err();
        }
        let seal = self.facts.seals.get(self.seals).map(|(_, seal)| seal);
        if let Some(seal) = seal.filter(|seal| input.n >= seal.last_input) {
            let after = Block::after(*self.block.running());
            let sealed = std::mem::replace(&mut self.block, after);
            self.seals += 1;
            self.misfit = self.misfit.take().or(check_seal(self.batch, seal, &sealed).err());
        }
    }

    /// After the last input.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub(super) fn finish(self, report: &mut VerifyReport) -> Result<(), Misfit> {
        let place = || self.place();
        if let Some(misfit) = self.misfit {
            return Err(misfit);
        }
        // A seal that is left over has lost its inputs, in part or in whole.
        if let Some((_, seal)) = self.facts.seals.get(self.seals) {
            check_seal(self.batch, seal, &self.block)?;
            return Err(Misfit::Differs {
                place: Box::new(place()),
                what: "its last sealed input",
                expected: seal.last_input.to_string(),
                found: self.count.to_string(),
            });
        }
        // What no seal covers has only its running hash; a seal names its whole block.
        if let Some(edited) = self.edited {
            return Err(edited);
        }
        if self.count > 0 && self.seals == 0 {
            return Err(Misfit::Differs {
                place: Box::new(place()),
                what: "its first input, which is sealed when it is stored",
                expected: "no inputs before the first seal".to_owned(),
                found: self.count.to_string(),
            });
        }
        if self.facts.closed {
            same(place, "inputs after its last seal", &true, &self.block.is_empty())?;
        }
        report.seals += self.seals;
        report.inputs += self.count;
        report.readings += self.readings;
        report.readings_unsealed += self.block.readings();
        Ok(())
    }
}

/// The inputs of one batch against their seals.
pub(super) fn check_blocks(
    db: &Connection,
    batch: &str,
    facts: &BatchFacts,
    report: &mut VerifyReport,
) -> Result<(), Misfit> {
    let id = id_of(db, batch)?;
    let mut blocks = Blocks::of(batch, facts);
    seal::each_input(db, id, 0, |input| {
        blocks.take(input);
        Ok(())
    })?;
    blocks.finish(report)
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
