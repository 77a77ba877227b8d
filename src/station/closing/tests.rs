//! A closed record has one verdict, whoever closes it; and no disk holds back what a person must know.

use holder_sim::params::PlantParams;

use super::trying::{TRIES, fit_trying};
use super::*;
use crate::batch::event::Effects;
use crate::batch::verdict::{Outcome, Rule};
use crate::station::conduct::ConductError;
use crate::station::fixture;
use crate::station::rehearsal::rehearse;
use crate::store::Step;

const NOW: Stamp<'_> = Stamp { utc_ms: 0, who: "ann" };

/// A new station with a batch of water that has begun.
fn begun() -> (tempfile::TempDir, Store, String) {
    let (dir, _, mut store) = fixture::station();
    let batch = store.begin_batch(&fixture::water()).expect("begun");
    (dir, store, batch)
}

fn tamper(dir: &tempfile::TempDir, sql: &str) {
    let db = rusqlite::Connection::open(dir.path().join("holder.db")).expect("opens");
    db.execute_batch(sql).expect("tampered");
}

/// A good batch of water as a controller with this defect stores it, in a file that somebody
/// changes before it is closed, and its verdict.
fn closed(defect: impl FnMut(&mut Effects), tampering: &str) -> (BatchRecord, Verdict) {
    closed_as(Closing::Ended, defect, tampering)
}

/// The same by a program that knows this of its end.
fn closed_as(
    closing: Closing,
    defect: impl FnMut(&mut Effects),
    tampering: &str,
) -> (BatchRecord, Verdict) {
    let (dir, mut store, batch) = over(defect);
    tamper(&dir, tampering);
    let accepts = (closing == Closing::Ended).then_some(true);
    let verdict = close_judged(&mut store, &batch, closing, accepts, NOW);
    (store.load_batch(&batch).expect("kept"), verdict.expect("closed").1)
}

/// A good batch of water that is over, as a controller with this defect stores it, and not closed.
fn over(mut defect: impl FnMut(&mut Effects)) -> (tempfile::TempDir, Store, String) {
    let params = fixture::water().params;
    let run = rehearse(params.clone(), PlantParams::nominal(), 1, 0.1, 48).expect("runs");
    let (dir, mut store, batch) = begun();
    let mut engine = Engine::new(params).expect("valid");
    for period in &run.periods {
        let action = crate::batch::event::asked(engine.phase(), 48);
        let inputs = action.map(Input::Operator).into_iter();
        for input in inputs.chain([Input::Reading(period.reading)]) {
            let mut effects = engine.step(period.at, input.clone());
            defect(&mut effects);
            let (at, phase) = (period.at, engine.phase());
            let (batch, input, effects) = (batch.as_str(), &input, &effects);
            let step = Step { batch, at, stamp: NOW, input, effects, phase };
            store.commit_step(&step).expect("kept");
        }
    }
    assert_eq!(engine.accepts(), Some(true));
    (dir, store, batch)
}

/// A disk that gives nothing of the log back (SQLite: disk I/O error), until it is mended.
struct FailedDisk {
    log: std::path::PathBuf,
    whole: Vec<u8>,
}

impl FailedDisk {
    fn of(dir: &tempfile::TempDir) -> Self {
        // Whoever has the file open forgets what it had read when another has written.
        tamper(dir, &format!("PRAGMA user_version = {}", version(dir)));
        let log = dir.path().join("holder.db-wal");
        let whole = std::fs::read(&log).expect("there");
        let file = std::fs::File::options().write(true).open(&log).expect("opens");
        file.set_len(0).expect("cut");
        Self { log, whole }
    }

    fn mend(&self) {
        std::fs::write(&self.log, &self.whole).expect("written");
    }
}

fn version(dir: &tempfile::TempDir) -> i64 {
    let db = rusqlite::Connection::open(dir.path().join("holder.db")).expect("opens");
    db.pragma_query_value(None, "user_version", |row| row.get(0)).expect("read")
}

#[test]
fn a_disk_that_fails_once_while_a_batch_is_closed_disputes_nothing() {
    let (dir, mut store, batch) = over(|_| ());
    let disk = FailedDisk::of(&dir);
    let failed = store.batch_fits(&batch).expect_err("the disk fails");
    assert!(matches!(failed, Misfit::Unreadable(StoreError::Disk(_))), "{failed}");
    let known = (Closing::Ended, Some(true));
    let (record, verdict) =
        close_trying(&mut store, &batch, known, NOW, &|| disk.mend()).expect("closed");
    assert_eq!(verdict.outcome, Outcome::Acceptable, "{verdict:#?}");
    assert!(record.remarks.is_empty(), "{:?}", record.remarks);
    store.verify(None).expect("verifies");
}

/// Nothing is known against its record: whoever starts next closes it.
#[test]
fn a_disk_that_goes_on_failing_leaves_the_batch_over_and_open() {
    let (dir, mut store, batch) = over(|_| ());
    let disk = FailedDisk::of(&dir);
    let tried = std::cell::Cell::new(1);
    let known = (Closing::Ended, Some(true));
    let rest = || tried.set(tried.get() + 1);
    let failed = close_trying(&mut store, &batch, known, NOW, &rest).expect_err("not closed");
    assert!(matches!(failed, StoreError::Disk(_)) && !failed.is_damage(), "{failed}");
    assert_eq!(tried.get(), TRIES);
    disk.mend();
    let open = store.load_batch(&batch).expect("kept");
    assert_eq!((open.header.closing, open.remarks), (None, vec![]));
    assert!(open.header.phase.is_final());
    let closed = close_judged(&mut store, &batch, Closing::Interrupted, None, NOW);
    assert_eq!(closed.expect("closed").1.outcome, Outcome::Acceptable);
}

/// REQ-JUDGE-01, REQ-REC-01
#[test]
fn a_record_that_its_inputs_do_not_give_again_is_disputed_and_says_so() {
    let (record, verdict) = closed(|_| (), "");
    assert_eq!(record.header.engine_accepts, Some(true));
    assert_eq!(verdict.outcome, Outcome::Acceptable, "{verdict:#?}");
    assert!(record.remarks.is_empty());

    let (record, verdict) = closed(|effects| effects.command.agitator = true, "");
    assert_eq!(record.header.engine_accepts, Some(false));
    assert_ne!(verdict.outcome, Outcome::Acceptable);
    assert!(verdict.findings.iter().any(|finding| finding.rule == Rule::Disputed));
    let said = &record.remarks.first().expect("a remark").text;
    assert!(said.starts_with("the stored inputs do not give"), "{said}");
    let this = Software::this();
    assert!(said.ends_with(&format!("made by: {this}; replayed by: {this}")), "{said}");
    // Whoever judges the record later comes to the same.
    assert_eq!(judge::judge(&record.params.recipe, &curve::curve(&record)), verdict);
}

/// Whoever ended its program, and whoever finds it later, comes to the one verdict.
#[test]
fn a_batch_that_was_over_before_its_program_was_ended_is_closed_as_ended() {
    let (record, verdict) = closed_as(Closing::Interrupted, |_| (), "");
    let BatchRecord { header, .. } = record;
    assert_eq!((header.closing, header.engine_accepts), (Some(Closing::Ended), Some(true)));
    assert_eq!(verdict.outcome, Outcome::Acceptable, "{verdict:#?}");

    // Of a record that is not to be believed nobody knows that it came to its end.
    let defect = |effects: &mut Effects| effects.command.agitator = true;
    let (record, verdict) = closed_as(Closing::Interrupted, defect, "");
    let BatchRecord { header, .. } = record;
    assert_eq!((header.closing, header.engine_accepts), (Some(Closing::Interrupted), Some(false)));
    assert_ne!(verdict.outcome, Outcome::Acceptable);
}

/// REQ-REC-01: the reference probe decides nothing live, so that the replay fits; the running
/// hash does not.
#[test]
fn a_record_that_was_changed_while_the_batch_ran_is_disputed_and_says_so() {
    let (record, verdict) = closed(
        |_| (),
        "DROP TRIGGER inputs_no_update;
         UPDATE inputs SET reference_mc = reference_mc + 1
         WHERE tick_ms = (SELECT max(tick_ms) FROM inputs WHERE reference_mc IS NOT NULL);",
    );
    assert_eq!(record.header.engine_accepts, Some(false));
    assert_ne!(verdict.outcome, Outcome::Acceptable);
    assert!(verdict.findings.iter().any(|finding| finding.rule == Rule::Disputed));
    let said = &record.remarks.first().expect("a remark").text;
    assert!(said.contains("not verify"), "{said}");
}

#[test]
fn a_batch_can_be_given_up_on_a_file_that_cannot_be_read_whole() {
    let (dir, mut store, batch) = begun();
    let garbled = "DROP TRIGGER journal_no_update;
                   UPDATE journal SET who = CAST(x'ff' AS TEXT) WHERE seq = 1;";
    tamper(&dir, garbled);
    let misfit = store.batch_fits(&batch).expect_err("garbled");
    assert!(matches!(misfit, Misfit::Unreadable(_)), "{misfit}");
    let given_up = (Closing::Interrupted, None);
    let verdict = close_trying(&mut store, &batch, given_up, NOW, &|| ());
    assert_ne!(verdict.expect("closed").1.outcome, Outcome::Acceptable);
    let record = store.load_batch(&batch).expect("kept");
    assert_eq!(record.header.closing, Some(Closing::Interrupted));
    assert_eq!(record.remarks.first().map(|said| said.text.clone()), Some(misfit.to_string()));
}

#[tokio::test]
async fn a_disk_that_hangs_does_not_hold_the_warning_back() {
    let why = within(Duration::ZERO, std::future::pending::<Result<(), _>>()).await;
    let why = Box::new(why.expect_err("it hangs"));
    let unsafe_because = Some("the wire is cut".to_owned());
    let (batch, unit, is_over) = ("B-1".into(), "u".into(), true);
    let error = ConductError::NotClosed { batch, unit, is_over, unsafe_because, why };
    let text = error.to_string();
    assert!(text.starts_with("ATTENTION: batch B-1: the machine did not confirm"), "{text}");
    assert!(text.contains("Switch the heater off at the machine."), "{text}");
    assert!(text.contains("the disk did not answer"), "{text}");
}

#[test]
fn a_record_in_a_file_of_many_years_has_the_time_that_its_journal_takes() {
    assert_eq!(patience(0), CLOSE_WITHIN);
    // 0022: 21 s for 469 MB on a busy computer; five years of it, on one ten times as slow.
    assert!(patience(5 * 469) > Duration::from_secs(10 * 5 * 21), "{:?}", patience(5 * 469));
}

#[test]
fn a_file_that_is_in_use_for_a_moment_is_no_misfit() {
    let disk = || StoreError::Disk("disk I/O error".to_owned());
    // What SQLite makes of a read that the system refused.
    let malformed = || StoreError::Damaged("malformed".to_owned());
    for why in [StoreError::Locked, disk(), malformed()] {
        let mut answers = vec![Ok(()), Err(Misfit::Unreadable(why))];
        let fits = fit_trying(|| answers.pop().expect("asked twice"), &|| ());
        assert!(matches!(fits, Ok(Ok(()))), "{fits:?}");
    }
    let lasting = fit_trying(|| Err(malformed().into()), &|| ());
    assert!(matches!(lasting, Ok(Err(misfit)) if misfit.is_damage()));
    assert!(fit_trying(|| Err(disk().into()), &|| ()).is_err(), "nothing is known");
}

#[test]
fn every_end_but_a_good_one_says_whether_the_heat_is_off() {
    let broken = Ending::Panicked("a defect".into());
    let said = safety("B-1", &broken, None).expect("said");
    assert!(said.contains("B-1") && said.contains("heat was commanded off"), "{said}");
    let engine = Engine::new(fixture::water().params).expect("valid");
    let over = Ending::Over(Box::new(engine));
    assert_eq!(safety("B-1", &over, None), None);
    assert!(safety("B-1", &over, Some("cut")).expect("said").starts_with("ATTENTION"));
}

static SAID: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

#[tokio::test]
async fn whoever_ends_the_program_while_the_file_is_closed_is_answered_and_not_kept() {
    let say: fn(&str) = |text| SAID.lock().expect("said").push(text.to_owned());
    let (disk, gate) = std::sync::mpsc::channel::<()>();
    let closing = std::thread::spawn(move || {
        let _ = gate.recv();
    });
    let told = async || "Ctrl-C";
    assert!(!file_closed(closing, false, say, told).await, "it hangs");
    let said: Vec<String> = SAID.lock().expect("said").drain(..).collect();
    let [said] = said.as_slice() else { panic!("{said:?}") };
    for word in ["Ctrl-C was heard", "the station's file is being closed", "10 s"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    drop(disk);
    let closed = std::thread::spawn(|| ());
    let nobody = async || std::future::pending().await;
    assert!(file_closed(closed, false, say, nobody).await);
    assert!(SAID.lock().expect("said").is_empty());
}
