//! The station's file is damaged: every command says so in the same words and with exit code 5, no
//! batch begins, and the machine is made safe all the same.

use std::fs;
use std::path::Path;

use crate::interruptions::{RUN, heard, is_off, killed, run_until, served, until};
use crate::rig::{Answer, Desk};

const PAGE: usize = 4096;

/// A way to damage a station's file, with what `db verify` and `run` find by it.
struct Kind {
    name: &'static str,
    damage: fn(&Path),
}

const KINDS: [Kind; 9] = [
    Kind { name: "a page in the middle is torn", damage: |path| tear(path, middle(path)) },
    Kind {
        name: "a page of the journal is torn",
        damage: |path| tear(path, root(path, "journal")),
    },
    Kind { name: "the batches are torn", damage: |path| tear(path, root(path, "batches")) },
    Kind { name: "a letter of an entry is another one", damage: flip },
    Kind { name: "the beginning is lost", damage: |path| overwrite(path, 0, &[0; PAGE]) },
    Kind { name: "the second half is lost", damage: cut },
    Kind { name: "no such version", damage: |path| sql(path, "PRAGMA user_version = -1") },
    Kind { name: "a table is gone", damage: |path| sql(path, "DROP TABLE pool_deposits") },
    Kind {
        name: "a word that nobody wrote",
        damage: |path| sql(path, "UPDATE batches SET phase = 'x'"),
    },
];

/// Runs SQL on the file, without the rules of the program.
fn sql(path: &Path, statements: &str) {
    let db = rusqlite::Connection::open(path).expect("a database");
    db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statements}")).expect("it can be done");
}

fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut whole = fs::read(path).expect("read");
    whole[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, whole).expect("written");
}

/// Bytes that are no page of a database.
fn tear(path: &Path, page: usize) {
    let garbage: Vec<u8> = (0..PAGE).map(|at| (at * 31 % 251) as u8 | 0x80).collect();
    overwrite(path, page * PAGE, &garbage);
}

fn middle(path: &Path) -> usize {
    fs::read(path).expect("read").len() / PAGE / 2
}

/// The first page of a table.
fn root(path: &Path, table: &str) -> usize {
    let db = rusqlite::Connection::open(path).expect("a database");
    let select = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
    let page: u32 = db.query_row(select, [table], |row| row.get(0)).expect("there is one");
    page as usize - 1
}

/// Changes a letter in what an entry says, wherever it stands: no page is torn, and only the chain
/// can tell.
fn flip(path: &Path) {
    let said = b"station made";
    let whole = fs::read(path).expect("read");
    let found = whole.windows(said.len()).enumerate().filter(|(_, bytes)| bytes == said);
    let places: Vec<usize> = found.map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "an entry says so");
    for at in places {
        overwrite(path, at, b"S");
    }
}

fn cut(path: &Path) {
    let whole = fs::read(path).expect("read");
    fs::write(path, &whole[..whole.len() / PAGE / 2 * PAGE]).expect("written");
}

/// All that was written is in the one file, as after a run that ended well.
fn settle(desk: &Desk) {
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    assert_eq!(emptied.expect("asked"), 0, "nobody else has it open");
}

/// A copy of the station, with its file damaged.
fn damaged(desk: &Desk, kind: &Kind) -> Desk {
    let copy = desk.copy();
    (kind.damage)(&copy.path("holder.db"));
    copy
}

const ADVICE: &str = "What to do: begin no batch with this file.";

/// What a command says of a damaged file: exit code 5, the same advice once, no reason twice.
#[track_caller]
fn says_so(answer: &Answer, of: &str) {
    assert_eq!(answer.code, 5, "{of}: {}\n{}", answer.stdout, answer.stderr);
    assert_eq!(answer.stderr.matches(ADVICE).count(), 1, "{of}: {}", answer.stderr);
    for word in ["Copy", "copy it to another disk", "holder db verify", "holder db restore BACKUP"]
    {
        let said = answer.stderr.to_lowercase();
        assert!(said.contains(&word.to_lowercase()), "{of}: no {word}: {}", answer.stderr);
    }
    says_nothing_twice(answer, of);
}

/// No run of five words stands twice in one message.
#[track_caller]
fn says_nothing_twice(answer: &Answer, of: &str) {
    const WORDS: usize = 5;
    let error = answer.stderr.rsplit("error: ").next().unwrap_or_default();
    let words: Vec<&str> = error.split_whitespace().collect();
    let runs: Vec<&[&str]> = words.windows(WORDS).collect();
    for (at, run) in runs.iter().enumerate() {
        let again = runs.get(at + WORDS..).is_some_and(|rest| rest.contains(run));
        assert!(!again, "{of}: {run:?} twice in: {error}");
    }
}

/// A station with a batch that was closed, and one that a crash left open if `open`.
fn station(open: bool) -> (Desk, String) {
    let (desk, code) = killed("COME-UP");
    if !open {
        desk.run("run demo --abandon thrown-away --fast --yes").expect_code(0);
    }
    settle(&desk);
    desk.run("db verify").expect_code(0);
    (desk, code)
}

#[test]
fn every_command_that_meets_damage_ends_with_5_and_the_same_advice() {
    let (desk, code) = station(false);
    // Whether the command must find every damage, or only what it reads.
    let commands = [
        (true, "db verify".to_owned()),
        (true, "db backup copy.db".to_owned()),
        (true, "run demo --water --fast --yes".to_owned()),
        (true, "unit commission demo --fast --yes".to_owned()),
        (true, format!("batch verify {code}")),
        (false, "db stats".to_owned()),
        (false, "batch list".to_owned()),
        (false, format!("batch show {code}")),
        (false, format!("batch export {code} -o -")),
        (false, "donor list".to_owned()),
        (false, "donor add D-9".to_owned()),
        (false, "deposit list".to_owned()),
        (false, "pool list".to_owned()),
        (false, "unit show demo".to_owned()),
    ];
    for (finds_all, line) in commands {
        desk.copy().run(&line).expect_code(0);
        let mut found = 0;
        for kind in &KINDS {
            let answer = damaged(&desk, kind).run(&line);
            let of = format!("{line}, {}", kind.name);
            if answer.code == 0 && !finds_all {
                continue;
            }
            says_so(&answer, &of);
            found += 1;
        }
        assert!(found >= 3, "{line} found only {found}");
    }
}

#[test]
fn no_batch_begins_and_nothing_is_written_into_a_damaged_file() {
    let (desk, _) = station(false);
    for kind in &KINDS {
        let desk = damaged(&desk, kind);
        let before = fs::read(desk.path("holder.db")).expect("read");
        for line in ["run demo --water --fast --yes", "unit commission demo --fast --yes"] {
            let answer = desk.run(line);
            says_so(&answer, &format!("{line}, {}", kind.name));
            for word in ["PREHEAT", "Does heating heat?"] {
                assert!(!answer.stderr.contains(word), "{}: {}", kind.name, answer.stderr);
            }
            assert!(answer.stderr.contains("holder.db") || answer.stderr.contains("database"));
            let after = fs::read(desk.path("holder.db")).expect("read");
            assert!(before == after, "{line}, {}: the file is as it was", kind.name);
        }
    }
}

#[test]
fn a_file_that_is_missing_foreign_newer_or_in_use_is_no_damage() {
    let others = [
        Kind { name: "does not exist", damage: |path| fs::remove_file(path).expect("removed") },
        Kind { name: "another program", damage: |path| sql(path, "PRAGMA application_id = 77") },
        Kind { name: "newer holder", damage: |path| sql(path, "PRAGMA user_version = 9999") },
    ];
    for Kind { name: word, damage: change } in others {
        let desk = Desk::training();
        change(&desk.path("holder.db"));
        for line in ["db verify", "batch list", "donor add D-1", "run demo --water --fast --yes"] {
            let answer = desk.run(line).expect_refusal(&[word]);
            assert!(!answer.stderr.contains(ADVICE), "{line}: {}", answer.stderr);
            says_nothing_twice(&answer, line);
        }
    }
    let desk = Desk::training();
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    db.execute_batch("BEGIN EXCLUSIVE").expect("held");
    desk.run("donor add D-1").expect_refusal(&["in use by another program"]);
}

#[test]
fn an_interrupted_batch_is_not_continued_on_a_damaged_file() {
    let (desk, _) = station(true);
    for kind in &KINDS {
        let answer = damaged(&desk, kind).run("run demo --resume --fast --yes");
        says_so(&answer, kind.name);
        assert!(!answer.stderr.contains("continued."), "{}: {}", kind.name, answer.stderr);
        assert!(!answer.stderr.contains("Heater on"), "{}: {}", kind.name, answer.stderr);
    }
}

#[test]
fn a_page_that_was_torn_years_ago_does_not_cost_the_milk_that_waits() {
    let desk = Desk::training();
    desk.run("run demo --water --fast --yes").expect_code(0);
    let mut killed = run_until(&desk, "PREHEAT");
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    settle(&desk);
    let path = desk.path("holder.db");
    tear(&path, middle(&path));
    desk.run("db verify").expect_code(5);
    let resumed = desk.run("run demo --resume --fast --yes").expect_code(0);
    assert!(resumed.stdout.contains("verdict: acceptable"), "{}", resumed.stdout);
    says_so(&desk.run("run demo --water --fast --yes"), "the next batch");
}

/// A program that heats the served machine is killed.
fn kill_while_heating(desk: &Desk) {
    let mut running = until(desk, RUN, "Heater on");
    running.kill().expect("killed");
    running.wait().expect("gone");
    settle(desk);
}

#[test]
fn a_machine_that_was_left_heating_is_made_safe_whatever_became_of_the_file() {
    let (desk, machine) = served();
    let clean = desk.copy();
    for kind in [&KINDS[0], &KINDS[2], &KINDS[4]] {
        for task in ["--resume", "--abandon gone", "--water"] {
            let desk = clean.copy();
            kill_while_heating(&desk);
            assert!(!is_off(&desk, &machine), "nothing has told it");
            (kind.damage)(&desk.path("holder.db"));
            let of = format!("{task}, {}", kind.name);
            let answer = desk.run(&format!("run demo --yes --speed 60 {task}"));
            assert!(is_off(&desk, &machine), "{of}: {}", answer.stderr);
            if task == "--resume" || kind.name != KINDS[0].name {
                says_so(&answer, &of);
                let words = ["Heat is off", "Heat was commanded off, and the machine confirmed it"];
                let told = words.iter().any(|word| answer.stderr.contains(word));
                assert!(told, "{of}: {}", answer.stderr);
            }
        }
    }
}

#[test]
fn a_commissioning_makes_the_machine_safe_before_it_finds_the_file_damaged() {
    let (desk, machine) = served();
    kill_while_heating(&desk);
    assert!(!is_off(&desk, &machine), "nothing has told it");
    (KINDS[4].damage)(&desk.path("holder.db"));
    says_so(&desk.run("unit commission demo --yes --speed 60"), KINDS[4].name);
    assert!(is_off(&desk, &machine));
}

/// Overwrites all that the running program has of the record on the disk.
fn ruin(desk: &Desk) {
    use std::io::Write as _;
    for name in ["holder.db", "holder.db-wal", "holder.db-shm"] {
        let length = fs::metadata(desk.path(name)).expect("there").len();
        let mut file = fs::File::options().write(true).open(desk.path(name)).expect("opened");
        let garbage = vec![0xa5; usize::try_from(length).expect("small")];
        file.write_all(&garbage).expect("overwritten");
    }
}

#[test]
fn a_batch_that_runs_when_the_file_is_ruined_is_brought_to_safety() {
    let (desk, machine) = served();
    let (mut running, lines) = heard(&desk, RUN, "Heater on");
    ruin(&desk);
    let said = lines.map(|line| line.expect("text") + "\n").collect::<String>();
    assert_eq!(running.wait().expect("it ends").code(), Some(5));
    assert!(is_off(&desk, &machine), "the heater was commanded off");
    // What would be refused is not advised.
    assert!(!said.contains("--resume"), "{said}");
    for word in ["It cannot go on with this file. Cool the milk", "--abandon", ADVICE] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    let again = desk.run(RUN);
    assert_eq!(again.code, 5, "{}", again.stderr);
}

#[test]
fn a_batch_whose_record_the_disk_lost_meanwhile_is_not_reported_as_good() {
    let desk = Desk::training();
    let (mut running, lines) = heard(&desk, "run demo --water --fast --yes", "PREHEAT");
    let file = fs::File::options().write(true).open(desk.path("holder.db")).expect("opened");
    file.set_len(0).expect("cut off");
    let said = lines.map(|line| line.expect("text") + "\n").collect::<String>();
    let ended = running.wait().expect("it ends");
    assert!(!said.contains("verdict is on the record"), "{said}");
    assert_eq!(ended.code(), Some(5), "acceptable by what the program had in its memory");
}

#[test]
fn a_message_gives_its_reason_once() {
    let locked = Desk::training();
    fs::write(locked.path("locks"), "in the way").expect("written");
    let not_text = Desk::training();
    fs::write(not_text.path("station.toml"), b"name = \"\xff\xfe\"").expect("written");
    fs::write(not_text.path("ours.toml"), b"name = \"\xff\xfe\"").expect("written");
    not_text.write("curve.json", "{");
    let cases = [
        (&locked, "run demo --water --fast --yes", "locks"),
        (&not_text, "run demo --water --fast --yes", "station.toml"),
        (&not_text, "recipe check ours.toml", "ours.toml"),
        (&not_text, "device check ours.toml", "ours.toml"),
        (&not_text, "judge curve.json", "curve.json"),
    ];
    for (desk, line, word) in cases {
        let answer = desk.run(line).expect_refusal(&[word]);
        says_nothing_twice(&answer, line);
    }
}
