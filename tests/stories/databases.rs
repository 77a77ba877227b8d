//! The station's memory is damaged, foreign, newer, or missing: nothing is touched.

use std::fs;

use crate::rig::Desk;

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
    desk.run("donor list").expect_refusal(&["holder.db", "not a database"]);
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
