//! Which programs made the record of a batch, from the entries that begin, continue and close it.

use rusqlite::params;
use serde::Serialize;
use serde_json::Value;

use super::Store;
use super::batches::id_of;
use super::error::StoreError;
use super::journal::{Body, Kind, Row};
use crate::batch::event::Action;
use crate::software::Software;

/// What a program did to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MadeStep {
    /// It began the batch.
    Begun,
    /// It went on with it after an interruption.
    Continued,
    /// It closed the record, and decided the verdict that was kept.
    Closed,
}

impl MadeStep {
    const fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Continued => "continued",
            Self::Closed => "closed",
        }
    }
}

/// One entry of a record with the program that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MadeBy {
    /// What was done.
    pub step: MadeStep,
    /// Number of the entry in the journal.
    pub seq: i64,
    /// The program; `None` in entries from before programs were recorded.
    pub program: Option<Software>,
}

/// The programs of a record in words: one, if one did all of it.
pub fn made_by_words(made_by: &[MadeBy]) -> String {
    let none = || "not recorded".to_owned();
    let program = |made: &MadeBy| made.program.as_ref().map_or_else(none, ToString::to_string);
    let mut programs: Vec<String> = made_by.iter().map(program).collect();
    programs.dedup();
    match programs.as_slice() {
        [] => none(),
        [one] => one.clone(),
        _ => {
            let each = made_by.iter().map(|made| (made.step.word(), program(made)));
            each.map(|(step, by)| format!("{step} by: {by}")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Whether `program` alone made the record; `None` where that cannot be told.
pub fn made_by_alone(made_by: &[MadeBy], program: &Software) -> Option<bool> {
    let same = made_by.iter().map(|made| made.program.as_ref().and_then(|made| made.is(program)));
    let same: Vec<Option<bool>> = same.collect();
    if same.contains(&Some(false)) {
        return Some(false);
    }
    (!same.is_empty() && !same.contains(&None)).then_some(true)
}

impl Store {
    /// The programs that began, continued and closed a batch, in order.
    ///
    /// # Errors
    /// No such batch, the disk, or an entry that cannot be understood.
    pub fn made_by(&self, code: &str) -> Result<Vec<MadeBy>, StoreError> {
        id_of(&self.db, code)?;
        let mut select = self.db.prepare_cached(&format!(
            "SELECT {} FROM journal WHERE batch = ?1 AND kind IN (?2, ?3, ?4) ORDER BY seq",
            Row::COLUMNS
        ))?;
        let kinds = [Kind::BatchStarted, Kind::Action, Kind::BatchClosed].map(Kind::word);
        let mut rows = select.query(params![code, kinds[0], kinds[1], kinds[2]])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let row = Row::read(row)?;
            let Body { after, program, .. } = row.body()?;
            let Some(step) = step(&row.kind, after) else { continue };
            all.push(MadeBy { step, seq: row.seq, program });
        }
        Ok(all)
    }
}

/// What an entry says that was done to the record; `None` for any other action than going on.
fn step(kind: &str, after: Option<Value>) -> Option<MadeStep> {
    if kind == Kind::BatchStarted.word() {
        return Some(MadeStep::Begun);
    }
    if kind == Kind::BatchClosed.word() {
        return Some(MadeStep::Closed);
    }
    let action = serde_json::from_value(after?).ok()?;
    matches!(action, Action::Resume { .. }).then_some(MadeStep::Continued)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{commit, new, run, stop, tamper, water_batch};
    use super::*;
    use crate::batch::event::Input;
    use holder_hal::Tick;

    fn built(version: &str) -> Software {
        Software { version: version.to_owned(), commit: Some("abc".to_owned()) }
    }

    fn made(step: MadeStep, program: Option<Software>) -> MadeBy {
        MadeBy { step, seq: 1, program }
    }

    #[test]
    fn a_batch_names_the_program_that_began_continued_and_closed_it_under_the_hash() {
        let (_dir, path, mut store) = new();
        let (batch, mut engine) = run(&mut store, &water_batch(), 3);
        let resume = Input::Operator(Action::Resume { outage_ms: Some(1_000) });
        commit(&mut store, &batch, &mut engine, Tick::from_ms(4_000), &resume).expect("kept");
        stop(&mut store, &batch, &mut engine, Tick::from_ms(5_000));
        let made_by = store.made_by(&batch).expect("read");
        let steps: Vec<MadeStep> = made_by.iter().map(|made| made.step).collect();
        assert_eq!(steps, [MadeStep::Begun, MadeStep::Continued, MadeStep::Closed]);
        assert!(made_by.iter().all(|made| made.program == Some(Software::this())), "{made_by:?}");
        assert_eq!(made_by_words(&made_by), Software::this().to_string());
        store.verify(None).expect("verifies");
        assert!(store.made_by("B-1").is_err());

        let other = "UPDATE journal SET body = json_set(body, '$.program.version', '9.9.9') \
                     WHERE kind = 'batch-closed'";
        tamper(&path, other);
        assert_eq!(
            made_by_alone(&store.made_by(&batch).expect("read"), &Software::this()),
            Some(false)
        );
        store.verify(None).expect_err("it is hashed with its entry");
    }

    #[test]
    fn an_entry_from_before_programs_were_recorded_says_so() {
        let (_dir, path, mut store) = new();
        let (batch, mut engine) = run(&mut store, &water_batch(), 3);
        stop(&mut store, &batch, &mut engine, Tick::from_ms(5_000));
        tamper(&path, "UPDATE journal SET body = json_remove(body, '$.program')");
        let made_by = store.made_by(&batch).expect("read");
        assert_eq!(made_by.len(), 2);
        assert!(made_by.iter().all(|made| made.program.is_none()), "{made_by:?}");
        assert_eq!(made_by_words(&made_by), "not recorded");
        assert_eq!(made_by_alone(&made_by, &Software::this()), None);
    }

    #[test]
    fn several_programs_are_told_step_by_step_and_one_other_is_enough() {
        let (old, this) = (built("0.1.0"), built("0.2.0"));
        let begun = made(MadeStep::Begun, Some(old));
        let closed = made(MadeStep::Closed, Some(this.clone()));
        let unknown = made(MadeStep::Closed, None);
        let said = made_by_words(&[begun.clone(), closed.clone()]);
        assert_eq!(
            said,
            "begun by: holder 0.1.0 (commit abc), closed by: holder 0.2.0 (commit abc)"
        );
        assert!(
            made_by_words(&[begun.clone(), unknown.clone()]).ends_with("closed by: not recorded")
        );
        for (made_by, alone) in [
            (vec![closed.clone()], Some(true)),
            (vec![begun.clone(), closed.clone()], Some(false)),
            (vec![unknown.clone(), begun], Some(false)),
            (vec![unknown, closed], None),
            (vec![], None),
        ] {
            assert_eq!(made_by_alone(&made_by, &this), alone, "{made_by:?}");
        }
    }
}
