//! The station's memory is damaged, foreign, newer, or missing: nothing is touched.

use std::fs;

use crate::rig::{Answer, Desk};

/// Runs SQL on the station's file, as somebody with a database tool would.
fn tamper(desk: &Desk, sql: &str) {
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    db.execute_batch(sql).expect("it can be tampered with");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let desk = Desk::training();
    tamper(&desk, "PRAGMA user_version = 9999");
    for line in ["donor list", "donor add D-1", "db verify"] {
        desk.run(line).expect_refusal(&["schema version 9999", "newer holder"]);
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let desk = Desk::training();
    fs::remove_file(desk.path("holder.db")).expect("removed");
    tamper(&desk, "PRAGMA application_id = 77; CREATE TABLE recipes (name TEXT)");
    for line in ["donor list", "donor add D-1"] {
        desk.run(line).expect_refusal(&["belongs to another program"]);
    }
}

#[test]
fn what_is_no_database_or_not_there_is_named() {
    let desk = Desk::training();
    fs::write(
        desk.path("holder.db"),
        "hello, this is a letter, and no database at all\n".repeat(99),
    )
    .expect("written");
    // It was a station's memory once: that its beginning is lost is damage.
    let answer = desk.run("donor list").expect_code(5);
    assert!(answer.stderr.contains("holder.db is not a database"), "{}", answer.stderr);
    fs::remove_file(desk.path("holder.db")).expect("removed");
    desk.run("donor add D-1").expect_refusal(&["holder.db", "does not exist"]);
    assert!(!desk.path("holder.db").exists(), "a typing error in --dir makes no new database");
}

#[test]
fn an_entry_that_was_changed_does_not_verify() {
    let desk = Desk::training();
    desk.run("donor add D-1").expect_code(0);
    let head = desk.run("--json db verify").expect_code(0).json()["report"]["head_hash"].clone();
    let head = head.as_str().expect("a hash").to_owned();
    desk.run(&format!("db verify --head {head}")).expect_code(0);
    // Most often a digit was read wrongly: nobody is sent for the backups.
    let other = if head.starts_with('0') { "1" } else { "0" };
    let wrong = desk.run(&format!("db verify --head {other}{}", &head[1..])).expect_code(5);
    assert!(wrong.stderr.contains("Compare the digits with the paper"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("begin no batch with this file"), "{}", wrong.stderr);
    tamper(
        &desk,
        "DROP TRIGGER IF EXISTS journal_no_update;
         UPDATE journal SET who = 'mallory' WHERE seq = 3",
    );
    let answer = desk.run("db verify").expect_code(5);
    assert!(answer.stderr.contains("entry 3"), "{}", answer.stderr);
    let document = desk.run("--json db verify").expect_code(5).json();
    assert_eq!(document["verifies"], false);
}

#[test]
fn a_journal_that_was_cut_off_shows_against_paper() {
    let desk = Desk::training();
    let early = fs::read(desk.path("holder.db")).expect("read");
    desk.run("donor add D-1").expect_code(0);
    let head = desk.run("--json db verify").expect_code(0).json()["report"]["head_hash"].clone();
    let head = head.as_str().expect("a hash").to_owned();
    fs::write(desk.path("holder.db"), early).expect("put back");
    for leftover in ["holder.db-wal", "holder.db-shm"] {
        let _ = fs::remove_file(desk.path(leftover));
    }
    desk.run("db verify").expect_code(0);
    let answer = desk.run(&format!("db verify --head {head}")).expect_code(5);
    assert!(answer.stderr.contains("paper"), "{}", answer.stderr);
}

#[test]
fn a_training_station_cannot_be_made_a_real_one_by_its_file() {
    let desk = Desk::training();
    let text = desk.read("station.toml").replace("training = true", "training = false");
    desk.write("station.toml", &text);
    for line in ["donor add D-1", "run demo --water --fast --yes"] {
        desk.run(line).expect_refusal(&["training = false", "made with true"]);
    }
}

#[test]
fn a_mistake_in_a_typed_hash_is_not_a_rewritten_journal() {
    let desk = Desk::training();
    let head = desk.run("--json db verify").expect_code(0).json()["report"]["head_hash"].clone();
    let head = head.as_str().expect("a hash").to_owned();
    for typed in [&head[..15], "", "0123456789abcdeg", &format!("{head}00")] {
        let output = desk.program().args(["db", "verify", "--head", typed]).output();
        let answer = Answer::of(output.expect("it starts")).expect_code(2);
        assert!(answer.stderr.contains("at least 16 digits of the hash"), "{}", answer.stderr);
        assert!(!answer.stderr.contains("rewritten"), "{}", answer.stderr);
    }
    desk.run(&format!("db verify --head {}", head[..16].to_uppercase())).expect_code(0);
}

#[test]
fn a_version_that_nobody_wrote_is_damage() {
    let desk = Desk::training();
    tamper(&desk, "PRAGMA user_version = -1");
    for line in ["donor list", "donor add D-1", "db verify"] {
        let answer = desk.run(line).expect_code(5);
        for word in ["schema version -1", "damaged", "backup"] {
            assert!(answer.stderr.contains(word), "no {word} in {}", answer.stderr);
        }
    }
}

/// Nobody, on a system where such a user has no rights: what it answers in a folder that it may
/// only read. Whoever runs the stories as root needs another user for this.
#[cfg(unix)]
fn as_reader(desk: &Desk, line: &str) -> Answer {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    for name in desk.files().iter().chain([&String::from(".")]) {
        let path = desk.path(name);
        let mode = if path.is_dir() { 0o555 } else { 0o444 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its own");
    }
    let mut program = desk.program();
    if fs::metadata(desk.path(".")).expect("there").uid() == 0 {
        program.uid(65_534).gid(65_534);
    }
    let answer = Answer::of(program.args(line.split_whitespace()).output().expect("it starts"));
    fs::set_permissions(desk.path("."), fs::Permissions::from_mode(0o755)).expect("its own");
    answer
}

#[cfg(unix)]
#[test]
fn who_may_only_read_reads_a_copy() {
    let desk = Desk::training();
    desk.run("donor add D-1").expect_code(0);
    for line in ["batch list", "donor list", "db verify"] {
        as_reader(&desk, line).expect_code(0);
    }
    let written = as_reader(&desk, "donor add D-2").expect_code(1);
    assert!(written.stderr.contains("cannot be written"), "{}", written.stderr);
    // A program was killed: the newest entries are in the log.
    fs::write(desk.path("holder.db-wal"), [1; 4096]).expect("written");
    let answer = as_reader(&desk, "db verify").expect_code(1);
    assert!(answer.stderr.contains("-wal"), "{}", answer.stderr);
}

#[test]
fn a_record_that_was_changed_is_never_shown_without_a_warning() {
    let desk = Desk::empty();
    desk.run("--dir . demo").expect_code(0);
    let list = desk.run("--json batch list").expect_code(0).json();
    let code = list[0]["code"].as_str().expect("a code").to_owned();
    desk.run(&format!("batch show {code}")).expect_code(0);
    tamper(
        &desk,
        "DROP TRIGGER inputs_no_update;
         UPDATE inputs SET milk_1_mc = milk_1_mc + 500 WHERE tick_ms = 4000000",
    );
    let shown = desk.run(&format!("batch show {code}")).expect_code(5);
    assert!(shown.stderr.starts_with("WARNING"), "{}", shown.stderr);
    assert!(shown.stdout.starts_with("NOT WHAT WAS WRITTEN"), "{}", shown.stdout);
    let document = desk.run(&format!("--json batch show {code}")).expect_code(5).json();
    assert_eq!(document["fits"], false);
    for line in ["chart", "export", "export --format json"] {
        let answer = desk.run(&format!("batch {line} {code}")).expect_code(5);
        assert!(answer.stderr.starts_with("WARNING"), "{}", answer.stderr);
    }
    let written = ["svg", "csv", "json"].map(|extension| format!("{code}.{extension}"));
    assert!(written.iter().all(|name| desk.path(name).exists()), "for whoever looks into it");
    let chart = std::fs::read_to_string(desk.path(&written[0])).expect("drawn");
    assert!(chart.contains("NOT WHAT WAS WRITTEN"), "a chart lies on a desk without the warning");
    for export in &written[1..] {
        desk.run(&format!("judge {export}")).expect_refusal(&[export, "not what was written"]);
    }
    let record = desk.run(&format!("batch record {code}"));
    assert_ne!(record.code, 0);
    assert!(!desk.path(&format!("{code}.pdf")).exists(), "no page that looks like any other");
    desk.run("batch show B-1").expect_refusal(&["no batch B-1"]);
}

#[test]
fn the_list_shows_no_verdict_that_the_journal_does_not_have() {
    let desk = Desk::empty();
    desk.run("--dir . demo").expect_code(0);
    desk.run("batch list").expect_code(0);
    tamper(&desk, "UPDATE batches SET verdict = replace(verdict, 'acceptable', 'incomplete')");
    let listed = desk.run("batch list").expect_code(5);
    assert!(listed.stdout.contains("NOT WHAT WAS WRITTEN"), "{}", listed.stdout);
    assert!(!listed.stdout.contains("incomplete"), "{}", listed.stdout);
    let listed = desk.run("--json batch list").expect_code(5).json();
    assert!(listed[0]["outcome"].is_null() && listed[0]["fits"] == false, "{listed}");
}
