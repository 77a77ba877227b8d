//! The same for what reads, checks and exports the record.

use super::*;
use crate::record::RecordError;
use crate::record::judgement::Judgement;
use crate::store::model::BatchRecord;
use crate::store::{
    JournalEntry, Misfit, MisfitPlace, ReplayMisfit, Store, StoreError, VerifyReport,
};

/// A record that is recomputed by other code.
struct Verifies(fn(&Store, Option<&str>) -> Result<VerifyReport, Misfit>);

impl Parts for Verifies {
    fn verify(&self, store: &Store, paper: Option<&str>) -> Result<VerifyReport, Misfit> {
        (self.0)(store, paper)
    }
}

/// REQ-REC-02, REQ-REC-03
#[test]
fn a_check_of_the_record_that_names_nothing_or_the_wrong_place_fails_the_steps_on_changes() {
    let nothing = Verifies(|_, _| Ok(VerifyReport::default()));
    let somewhere = Verifies(|store, paper| {
        store.verify(paper).map_err(|misfit| match misfit {
            Misfit::Differs { what, expected, found, .. } => {
                Misfit::Differs { place: Box::new(MisfitPlace::File), what, expected, found }
            }
            other @ Misfit::Unreadable(_) => other,
        })
    });
    let no_hashes = Verifies(|store, paper| {
        store.verify(paper).map_err(|misfit| match misfit {
            Misfit::Differs { place, what, .. } => {
                Misfit::Differs { place, what, expected: String::new(), found: String::new() }
            }
            other @ Misfit::Unreadable(_) => other,
        })
    });
    let no_paper = Verifies(|store, _| store.verify(None));
    let broken: [(&str, &dyn Parts); 3] =
        [("no check", &nothing), ("the file", &somewhere), ("no hashes", &no_hashes)];
    fails("OQ-31", &broken);
    fails("OQ-32", &broken);
    fails("OQ-32", &[("no look at the paper", &no_paper)]);
}

/// A replay that looks at nothing.
struct Believes;

impl Parts for Believes {
    fn replay(&self, _: &BatchRecord, inputs: &[(Tick, Input)]) -> Result<usize, ReplayMisfit> {
        Ok(inputs.len())
    }
}

/// REQ-REC-01
#[test]
fn a_replay_that_compares_nothing_fails_the_step_on_reading_back() {
    fails("OQ-30", &[("the replay", &Believes)]);
}

/// A record that is read, noted or exported by other code.
#[derive(Default)]
struct Reads {
    /// What becomes of each record that is read.
    load: Option<fn(&mut BatchRecord)>,
    /// Only of every second one.
    second: bool,
    count: Cell<u32>,
    /// What becomes of the newest entry.
    entry: Option<fn(JournalEntry) -> Option<JournalEntry>>,
    /// What becomes of a record before it is exported.
    export: Option<fn(&mut BatchRecord)>,
}

impl Parts for Reads {
    fn load(&self, store: &Store, batch: &str) -> Result<BatchRecord, StoreError> {
        let mut record = store.load_batch(batch)?;
        self.count.set(self.count.get() + 1);
        if let Some(change) =
            self.load.filter(|_| !self.second || self.count.get().is_multiple_of(2))
        {
            change(&mut record);
        }
        Ok(record)
    }

    fn newest_entry(&self, store: &Store, kind: &str) -> Result<Option<JournalEntry>, StoreError> {
        let entry = Program.newest_entry(store, kind)?;
        Ok(match self.entry {
            Some(change) => entry.and_then(change),
            None => entry,
        })
    }

    fn export(
        &self,
        record: &BatchRecord,
        judgement: &Judgement,
        now_utc_ms: i64,
    ) -> Result<String, RecordError> {
        let mut record = record.clone();
        self.export.iter().for_each(|change| change(&mut record));
        Program.export(&record, judgement, now_utc_ms)
    }
}

/// REQ-REC-04
#[test]
fn a_restored_record_that_lacks_an_entry_or_its_origin_fails_the_step_on_backups() {
    let lacks =
        Reads { load: Some(|record| drop(record.entries.pop())), second: true, ..Reads::default() };
    let silent = Reads { entry: Some(|_| None), ..Reads::default() };
    let vague = Reads {
        entry: Some(|mut entry| {
            entry.body.after = None;
            Some(entry)
        }),
        ..Reads::default()
    };
    let torn = Verifies(|_, _| Err(Misfit::Unreadable(StoreError::Missing("holder.db".into()))));
    fails(
        "OQ-33",
        &[
            ("an entry that is lost", &lacks),
            ("a restoration that nobody notes", &silent),
            ("one that does not say from what", &vague),
            ("a copy that does not verify", &torn),
        ],
    );
}

/// REQ-REC-05
#[test]
fn an_audit_trail_that_tells_another_action_or_person_fails_its_step() {
    let other = Reads { load: Some(|record| record.actions.reverse()), ..Reads::default() };
    let nobody = Reads {
        load: Some(|record| record.actions.iter_mut().for_each(|one| one.who = "x".into())),
        ..Reads::default()
    };
    fails("OQ-34", &[("another order", &other), ("another person", &nobody)]);
}

/// REQ-REC-06, REQ-SIM-01
#[test]
fn an_export_that_changes_a_reading_or_loses_its_mark_fails_its_step() {
    // Before the loading nothing is judged: the verdict is the same.
    let other = Reads {
        export: Some(|record| {
            record.periods[10].reading.bath = Sample::good(Celsius::from_milli(0))
        }),
        ..Reads::default()
    };
    let unmarked =
        Reads { export: Some(|record| record.header.simulated = false), ..Reads::default() };
    fails("OQ-35", &[("another reading", &other)]);
    fails("OQ-36", &[("no mark", &unmarked)]);
}
