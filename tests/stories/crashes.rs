//! The disk fails under a running batch: its database, its log and the index of the log are cut,
//! torn and overwritten at random places. What is opened then is all that was acknowledged before
//! the damage, or it is refused; never anything else, and never a panic.
//!
//! **Fault model.** A run is frozen at random moments (SIGSTOP), and its three files are copied as
//! they stand: what a `kill -9` leaves. One damage per copy: cut; half a sector torn off and the rest
//! of the file gone; a run of sectors zeroed or filled with noise; a few bytes changed; removed.
//!
//! **What SQLite promises.** A commit is in the log when it returns, and what is read later ends at
//! the last commit whose frames all fit (<https://sqlite.org/walformat.html>). So damage in the log
//! takes away the end of the record from there, and nothing in the file can show it: only a hash on
//! paper does (`db verify --head`), and each such case here is looked for with it.
//!
//! `HOLDER_DAMAGES=5000 cargo test --test stories crashes -- --nocapture` does as many, and counts.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use holder::store::{Misfit, MisfitPlace, Store, replay};

use crate::rig::Desk;

/// Damages of a usual test run.
const DAMAGES: u64 = 40;
/// Sectors of the disks that we know of.
const SECTOR: usize = 512;
/// Frames of a log begin after its header, and with a header of their own.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// SplitMix64: the next number of a seed.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn below(seed: &mut u64, limit: usize) -> usize {
    usize::try_from(next(seed) % (limit.max(1) as u64)).expect("small")
}

/// The three files of a database at one moment; the log and its index may not be there.
#[derive(Clone)]
struct Files {
    database: Vec<u8>,
    log: Option<Vec<u8>>,
    index: Option<Vec<u8>>,
}

const NAMES: [&str; 3] = ["holder.db", "holder.db-wal", "holder.db-shm"];

impl Files {
    fn read(folder: &Path) -> Self {
        let [database, log, index] = NAMES.map(|name| fs::read(folder.join(name)).ok());
        Self { database: database.expect("a database"), log, index }
    }

    fn write(&self, folder: &Path) {
        let all = [Some(&self.database), self.log.as_ref(), self.index.as_ref()];
        for (name, bytes) in NAMES.into_iter().zip(all) {
            match bytes {
                Some(bytes) => fs::write(folder.join(name), bytes).expect("written"),
                None => drop(fs::remove_file(folder.join(name))),
            }
        }
    }

    /// Length of the log up to the last commit whose frames all lie before `limit`.
    fn last_commit_before(&self, limit: usize) -> usize {
        let log = self.log.as_deref().unwrap_or_default();
        let word = |at: usize| -> Option<u32> {
            let bytes = log.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        let Some(page) = word(8) else { return 0 };
        let size = FRAME_HEADER + usize::try_from(page).expect("a page");
        let mut end = 0;
        for start in (LOG_HEADER..).step_by(size) {
            let whole = start + size <= limit.min(log.len());
            let of_this_log = (word(start + 8), word(start + 12)) == (word(16), word(20));
            if !whole || !of_this_log {
                return end;
            }
            if word(start + 4) != Some(0) {
                end = start + size;
            }
        }
        end
    }
}

/// What a copy says when it is opened.
#[derive(Debug, PartialEq, Eq)]
enum Opened {
    /// Everything fits: the newest entry, its hash, and the number of inputs.
    Fits { entries: i64, head: String, inputs: i64 },
    /// Not opened, or something does not fit; in words.
    Refused(String),
}

/// Opens the files as the program does after a crash, and looks at everything.
fn open(folder: &Path, files: &Files) -> Opened {
    files.write(folder);
    let store = match Store::open(&folder.join(NAMES[0])) {
        Ok(store) => store,
        Err(error) => return Opened::Refused(error.to_string()),
    };
    // Whoever reads a damaged record gets an error, or what is there, and no panic.
    for header in store.open_batches().unwrap_or_default() {
        if let Ok((record, inputs)) = store.load_to_replay(&header.code) {
            let _ = replay(&record, &inputs);
        }
    }
    match store.verify(None) {
        Err(misfit) => Opened::Refused(misfit.to_string()),
        Ok(report) => {
            Opened::Fits { entries: report.entries, head: report.head_hash, inputs: report.inputs }
        }
    }
}

/// One damage to the bytes of a file, in a word.
fn damage(seed: &mut u64, bytes: &mut Vec<u8>) -> &'static str {
    let at = below(seed, bytes.len());
    let sector = at / SECTOR * SECTOR;
    let end = (sector + SECTOR * (1 + below(seed, 8))).min(bytes.len());
    match below(seed, 5) {
        0 => {
            bytes.truncate(at);
            "cut"
        }
        1 => {
            let half = (sector + SECTOR / 2).min(bytes.len());
            bytes.truncate(half);
            "torn"
        }
        2 => {
            bytes[sector..end].fill(0);
            "zeroed"
        }
        3 => {
            bytes[sector..end].iter_mut().for_each(|byte| *byte = next(seed) as u8);
            "noise"
        }
        _ => {
            let end = (at + 1 + below(seed, 8)).min(bytes.len());
            bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1 << below(seed, 8));
            "changed"
        }
    }
}

/// A station whose batch is running, frozen at random moments of it. A moment is some lines of
/// what the run says, one for each minute of the batch, and whatever it does just then.
fn frozen_moments(seed: &mut u64, count: usize) -> Vec<Files> {
    let desk = Desk::training();
    let mut program = desk.program();
    program.args(["run", "demo", "--water", "--fast", "--yes"]);
    let run = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut run = run.expect("it starts");
    let mut lines = BufReader::new(run.stderr.take().expect("piped")).lines();
    let pid = run.id().to_string();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("kill is there").success(), "{name}");
    };
    let mut moments = Vec::new();
    for _ in 0..count {
        for _ in 0..6 + below(seed, 6) {
            lines.next().expect("it runs").expect("text");
        }
        signal("-STOP");
        moments.push(Files::read(&desk.path(".")));
        signal("-CONT");
    }
    run.kill().expect("ours");
    run.wait().expect("ended");
    moments
}

/// What must be true of a copy whose log was damaged from `at` on: it is what a log cut after the
/// last commit before that place gives; what is lost shows against paper.
fn check_log(folder: &Path, moment: &Moment, damaged: &Files) -> &'static str {
    let mut cut = moment.whole.clone();
    let (before, after) = (moment.whole.log.as_deref(), damaged.log.as_deref());
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    // Zeros over zeros are no damage: the place is that of the first byte that differs.
    let at = if before == after { before.len() } else { same };
    if let Some(log) = &mut cut.log {
        log.truncate(moment.whole.last_commit_before(at));
    }
    let (expected, found) = (open(folder, &cut), open(folder, damaged));
    match (&expected, &found) {
        (Opened::Fits { .. }, _) => {
            let (length, cut) = (moment.whole.log.as_ref().map(Vec::len), cut.log.map(|l| l.len()));
            let all = "all before the damage is there";
            assert_eq!(found, expected, "{all}: at {at} of {length:?}, cut to {cut:?}");
        }
        (Opened::Refused(_), Opened::Refused(_)) => {}
        (Opened::Refused(why), Opened::Fits { .. }) => panic!("more than there was: {why}"),
    }
    against_paper(folder, moment, &found)
}

/// Compares a copy that was opened with the whole: all of it, refused, or a beginning of it that
/// only the hash on paper tells apart.
fn against_paper(folder: &Path, moment: &Moment, found: &Opened) -> &'static str {
    let Opened::Fits { head, entries, inputs } = found else { return "refused" };
    let there = &moment.opened;
    let Opened::Fits { head: paper, entries: all, inputs: all_inputs } = there else {
        panic!("what was copied does not verify: {there:?}")
    };
    if (head, inputs) == (paper, all_inputs) {
        return "nothing lost";
    }
    assert!(entries <= all && inputs <= all_inputs, "{found:?} of {there:?}");
    moment.store.verify(Some(head)).expect("a beginning of the same journal");
    if head == paper {
        // Inputs after the newest entry stand under no hash on paper yet.
        return "unsealed end lost";
    }
    let store = Store::open(&folder.join(NAMES[0])).expect("it opened before");
    let misfit = store.verify(Some(paper)).expect_err("the paper knows more");
    let Misfit::Differs { place, .. } = &misfit else { panic!("{misfit}") };
    assert_eq!(**place, MisfitPlace::Paper, "{misfit}");
    "end lost, seen by paper"
}

/// A moment of a run: its files, and what they hold undamaged.
struct Moment {
    whole: Files,
    store: Store,
    opened: Opened,
    _desk: Desk,
}

impl Moment {
    fn of(whole: Files) -> Self {
        let desk = Desk::empty();
        let opened = open(&desk.path("."), &whole);
        let store = Store::open(&desk.path(NAMES[0])).expect("whole");
        Self { whole, store, opened, _desk: desk }
    }
}

/// REQ-REC-01, REQ-REC-02, REQ-REC-03
#[test]
fn whatever_the_disk_does_nothing_that_was_acknowledged_is_changed_or_lost_unsaid() {
    let wanted = std::env::var("HOLDER_DAMAGES").ok().and_then(|count| count.parse().ok());
    let damages: u64 = wanted.unwrap_or(DAMAGES);
    let mut seed = 4;
    let moments: Vec<_> = frozen_moments(&mut seed, 4).into_iter().map(Moment::of).collect();
    let desk = Desk::empty();
    let folder = desk.path(".");
    let mut counted = BTreeMap::new();
    for number in 0..damages {
        let mut seed = number;
        let moment = &moments[below(&mut seed, moments.len())];
        let mut files = moment.whole.clone();
        let (place, outcome) = match below(&mut seed, 10) {
            0 => {
                files.index = None;
                ("index removed".to_owned(), lossless(&folder, moment, &files))
            }
            1 => {
                let what = damage(&mut seed, files.index.as_mut().expect("it ran"));
                (format!("index {what}"), lossless(&folder, moment, &files))
            }
            2 => {
                files.log = None;
                ("log removed".to_owned(), check_log(&folder, moment, &files))
            }
            3..=6 => {
                let what = damage(&mut seed, files.log.as_mut().expect("it ran"));
                (format!("log {what}"), check_log(&folder, moment, &files))
            }
            _ => {
                let what = damage(&mut seed, &mut files.database);
                let found = open(&folder, &files);
                let outcome = against_paper(&folder, moment, &found);
                assert!(matches!(outcome, "refused" | "nothing lost"), "{number}: {found:?}");
                (format!("database {what}"), outcome)
            }
        };
        *counted.entry(format!("{place}: {outcome}")).or_insert(0_u64) += 1;
    }
    for (what, count) in &counted {
        println!("{count:6}  {what}");
    }
    assert_eq!(counted.values().sum::<u64>(), damages);
    for seen in ["refused", "nothing lost", "end lost, seen by paper"] {
        assert!(counted.keys().any(|what| what.ends_with(seen)), "{seen}: {counted:#?}");
    }
}

/// The index of the log is made again from the log: nothing depends on it.
fn lossless(folder: &Path, moment: &Moment, files: &Files) -> &'static str {
    let found = open(folder, files);
    let outcome = against_paper(folder, moment, &found);
    assert_eq!(outcome, "nothing lost", "{found:?}");
    outcome
}
