//! A batch that is judged: what is read to be judged is what is proved.

use holder_hal::Tick;
use rusqlite::Connection;

use super::super::Store;
use super::super::error::StoreError;
use super::super::model::BatchRecord;
use super::blocks::{self, Blocks};
use super::facts::Facts;
use super::{Misfit, VerifyReport, check_chain, check_rows};
use crate::batch::event::Input;

/// A batch to be judged, as of one moment.
pub struct Proved {
    /// All of it.
    pub record: BatchRecord,
    /// Every input of the engine, in order.
    pub inputs: Vec<(Tick, Input)>,
    /// Whether it is what was written, as [`Store::batch_fits`] says it.
    pub fits: Result<(), Misfit>,
}

impl Store {
    /// Everything of a batch, as [`Store::load_to_replay`] gives it, and whether it is what was
    /// written: of one moment and read once, so that what is judged is what was proved.
    ///
    /// # Errors
    /// As [`Store::load_to_replay`]; it cannot be looked at whether it is what was written: that says
    /// nothing about it.
    pub fn load_proved(&self, code: &str) -> Result<Proved, StoreError> {
        let proved = self.load_checked(code).map_err(|why| self.told_apart(why))?;
        match self.looked(proved.fits) {
            Err(Misfit::Unreadable(why)) if !why.is_damage() => Err(why),
            fits => Ok(Proved { fits, ..proved }),
        }
    }

    fn load_checked(&self, code: &str) -> Result<Proved, StoreError> {
        let db = &self.db.unchecked_transaction()?;
        match check_chain(db, None) {
            Ok((facts, ..)) => self.load_against(db, code, &facts),
            Err(misfit) => {
                let (record, inputs) = self.load_each(db, code, |_| ())?;
                Ok(Proved { record, inputs, fits: Err(misfit) })
            }
        }
    }

    fn load_against(
        &self,
        db: &Connection,
        code: &str,
        facts: &Facts,
    ) -> Result<Proved, StoreError> {
        let mut blocks = facts.of_batch(code).map(|of_batch| Blocks::of(code, of_batch));
        let (record, inputs) = self.load_each(db, code, |input| {
            if let Ok(blocks) = &mut blocks {
                blocks.take(input);
            }
        })?;
        let fits = blocks.and_then(|blocks| {
            let mut report = VerifyReport::default();
            blocks::check_frozen(db, code, facts.of_batch(code)?, &mut report)?;
            blocks.finish(&mut report)?;
            check_rows(db, facts)
        });
        Ok(Proved { record, inputs, fits })
    }
}
