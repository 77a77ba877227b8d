//! The disk has no room left, in the middle of a batch or of a backup. A limit on the length of
//! files stands in for a full disk: a small file system of its own needs rights that a test does
//! not have.

#![cfg(unix)]

use std::fs;
use std::process::Command;

use crate::rig::{Answer, Desk};

/// Runs the program while no file may become longer than this.
fn limited(desk: &Desk, kib: u32, line: &str) -> Answer {
    let program = desk.program();
    let mut shell = Command::new("bash");
    shell.current_dir(desk.path(".")).env_remove("HOLDER_DIR").env("HOLDER_USER", "ana");
    let script = format!("ulimit -f {kib}; exec \"$0\" {line}");
    Answer::of(shell.arg("-c").arg(script).arg(program.get_program()).output().expect("starts"))
}

/// REQ-HEAT-03, REQ-REC-01
#[test]
fn a_batch_that_the_disk_has_no_room_for_is_made_safe_and_what_was_kept_verifies() {
    let desk = Desk::training();
    let run = limited(&desk, 700, "run demo --water --fast --yes").expect_code(1);
    assert!(run.stderr.contains("heat was commanded off"), "{}", run.stderr);
    assert!(run.stderr.contains("it stays open"), "{}", run.stderr);
    let report = desk.run("--json db verify").expect_code(0).json()["report"].clone();
    assert!(report["readings"].as_i64().expect("a number") > 100, "{report}");
    // There is room again. A batch that is open in a backup is closed where it is restored.
    desk.run("db backup copy.db").expect_code(0);
    let said = desk.run("db restore copy.db new").expect_code(0).stdout;
    assert!(said.contains("ran when the backup was made"), "{said}");
    let list = desk.run("--dir new --json batch list").expect_code(0).json();
    assert_eq!(list[0]["outcome"], "incomplete", "{list}");
    let after = desk.run("--dir new --json db verify").expect_code(0).json()["report"].clone();
    assert_eq!(after["readings"], report["readings"], "what was acknowledged is there");
    assert_eq!(after["readings_unsealed"], 0);
}

#[test]
fn a_backup_that_the_disk_has_no_room_for_leaves_nothing() {
    let desk = Desk::training();
    let before = desk.files();
    let length = fs::metadata(desk.path("holder.db")).expect("there").len();
    for kib in [4, u32::try_from(length / 1024 / 2).expect("small")] {
        let answer = limited(&desk, kib, "db backup copy.db").expect_code(1);
        assert!(answer.stderr.starts_with("error: "), "{}", answer.stderr);
        // What SQLite keeps beside the station's own file is no part of a copy.
        let mut files = desk.files();
        files.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        assert_eq!(files, before);
        desk.run("db verify").expect_code(0);
    }
    desk.run("db backup copy.db").expect_code(0);
    let before = desk.files();
    limited(&desk, 8, "db restore copy.db new").expect_code(1);
    assert_eq!(desk.files(), before);
}
