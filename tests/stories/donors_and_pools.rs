//! Milk comes in, and only what may reach a baby is pooled.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::rig::{Answer, Desk, today};

/// Three cleared donors with a deposit each.
fn with_deposits() -> Desk {
    let desk = Desk::training();
    for number in 1..=3 {
        desk.run(&format!("donor add D-{number} --cleared-until 2099-12-31")).expect_code(0);
        let day = today();
        desk.run(&format!(
            "deposit add M-{number} --donor D-{number} --volume-ml 2100.5 --expressed-on {day}"
        ))
        .expect_code(0);
    }
    desk
}

/// REQ-VOL-01, REQ-TRACE-01
#[test]
fn deposits_of_cleared_donors_make_a_pool_and_everything_is_accounted_for() {
    let desk = with_deposits();
    let pool = desk.run("--json pool add P-1 M-1 M-2 M-3").expect_code(0).json();
    assert_eq!(pool["volume_ul"], 6_301_500);
    let shown = desk.run("--json pool show P-1").expect_code(0).json();
    assert_eq!(shown["pool"]["left_ul"], 6_301_500);
    assert_eq!(shown["deposits"][1]["donor"], "D-2");
    let list = desk.run("pool list").expect_code(0).stdout;
    assert!(list.contains("6301.500"), "{list}");
    let donor = desk.run("donor show D-2").expect_code(0).stdout;
    assert!(donor.contains("M-2") && donor.contains("P-1"), "{donor}");
    desk.run("pool add P-2 M-1 M-2 M-3").expect_refusal(&["deposit M-1", "pool P-1"]);
    desk.run("db verify").expect_code(0);
}

/// REQ-VOL-02
#[test]
fn milk_is_held_for_a_batch_and_drawn_when_its_bottles_are_in() {
    let desk = with_deposits();
    desk.run("pool add P-1 M-1 M-2 M-3").expect_code(0);
    let run = "run demo --fast --yes --pool P-1 --bottles 4 --bottle-ml 130";
    let mut killed = desk.program();
    killed.args(run.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut killed = killed.spawn().expect("it starts");
    let mut lines = BufReader::new(killed.stderr.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("text").contains("PREHEAT")), "it never began");
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    let pool = || desk.run("--json pool show P-1").expect_code(0).json()["pool"].clone();
    let shown = pool();
    assert_eq!((&shown["left_ul"], &shown["reserved_ul"]), (&5_781_500.into(), &520_000.into()));
    let text = desk.run("pool show P-1").expect_code(0).stdout;
    assert!(text.contains("520 ml held for bottles that are not in yet"), "{text}");

    // The first one is given up, and took nothing; the next run draws its own milk once.
    desk.run(run).expect_refusal(&["still open", "--abandon"]);
    desk.run("run demo --fast --yes --abandon mistake").expect_code(0);
    desk.run(run).expect_code(0);
    let shown = pool();
    assert_eq!((&shown["left_ul"], &shown["reserved_ul"]), (&5_781_500.into(), &0.into()));
    assert_eq!(shown["batches"].as_array().map(Vec::len), Some(2));
    desk.run("db verify").expect_code(0);
}

/// REQ-MILK-01
#[test]
fn milk_of_a_donor_who_is_not_cleared_cannot_enter_a_pool() {
    let cases = [
        ("--screening", "screening of donor D-2 is not complete"),
        ("--deferred", "donor D-2 is deferred"),
        ("--research-only", "research only"),
        ("--cleared-until 2020-01-01", "clearance of donor D-2 ended"),
    ];
    for (status, rule) in cases {
        let desk = with_deposits();
        desk.run(&format!("donor set D-2 {status} --why review")).expect_code(0);
        desk.run("pool add P-1 M-1 M-2 M-3").expect_refusal(&["deposit M-2", rule]);
        assert_eq!(desk.run("--json pool list").expect_code(0).json(), serde_json::json!([]));
    }
}

/// REQ-MILK-03
#[test]
fn a_pool_has_as_many_donors_as_its_recipe_wants() {
    let desk = with_deposits();
    desk.run("pool add P-1 M-1 M-2").expect_refusal(&["2 donors", "3"]);
    desk.run("pool add P-1 M-1 M-2 --recipe holder-france").expect_code(0);
    desk.run("pool add P-3 M-3 --recipe nowhere").expect_refusal(&["no recipe", "holder-france"]);
}

#[test]
fn mistakes_at_the_desk_change_nothing() {
    let desk = with_deposits();
    desk.run("donor add D-1").expect_refusal(&["donor D-1", "recorded already"]);
    desk.run("donor add Jane_Doe!").expect_refusal(&["donor code"]);
    desk.run("donor show D-9").expect_refusal(&["no donor D-9"]);
    let day = desk.run("donor add D-9 --cleared-until 31.3.2027").expect_code(2);
    assert!(day.stderr.contains("is no day: write year, month and day"), "{}", day.stderr);
    let add = "deposit add M-9 --donor D-9 --volume-ml 5 --expressed-on 2026-01-01";
    desk.run(add).expect_refusal(&["no donor D-9"]);
    desk.run(&add.replace("--volume-ml 5", "--volume-ml 5e3")).expect_code(2);
    desk.run(&add.replace("2026-01-01", "yesterday")).expect_code(2);
    desk.run("donor set D-1 --deferred").expect_code(2);
    let silent = desk.program().args(["donor", "set", "D-1", "--deferred", "--why", ""]).output();
    Answer::of(silent.expect("it starts")).expect_refusal(&["reason", "say why in words"]);
    desk.run("donor add d-1").expect_refusal(&["donor D-1", "recorded already"]);
    let strange = desk.program().args(["--as", "ana\nbert", "donor", "add", "D-7"]).output();
    Answer::of(strange.expect("it starts")).expect_refusal(&["user name", "printable"]);
    desk.run("donor set D-1 --deferred --screening --why both").expect_code(2);
    assert_eq!(desk.run("--json deposit list").json().as_array().map(Vec::len), Some(3));
}

#[test]
fn the_journal_says_who_did_it() {
    let desk = Desk::training();
    desk.run("--as berta donor add D-1").expect_code(0);
    let nobody = desk.program().args(["--as", " ", "donor", "add", "D-2"]).output();
    Answer::of(nobody.expect("it starts")).expect_refusal(&["--as USER"]);
    // In a container nobody is logged in; the program's account is named then.
    let mut alone = desk.program();
    for key in ["HOLDER_USER", "USER", "LOGNAME", "USERNAME"] {
        alone.env_remove(key);
    }
    let added = alone.args(["donor", "add", "D-3"]).output().expect("it starts");
    if cfg!(target_os = "linux") {
        Answer::of(added).expect_code(0);
    }
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    let who: String = db
        .query_row("SELECT who FROM journal WHERE subject = 'D-1'", [], |row| row.get(0))
        .expect("an entry");
    assert_eq!(who, "berta");
}
