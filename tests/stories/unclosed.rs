//! A batch came to its end, and its program was killed before the record was closed.

use crate::interruptions::{RUN, code, is_off, served, tamper, until};
use crate::rig::Desk;

/// The newest batch as it was before it was closed: a program that was killed between its last input
/// and the closing leaves this.
fn unclose(desk: &Desk) {
    let newest = "DELETE FROM journal WHERE seq = (SELECT MAX(seq) FROM journal)";
    tamper(desk, "journal_no_delete", newest);
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    let open = "UPDATE batches SET closed_utc_ms = NULL, closing = NULL, engine_accepts = NULL, \
                verdict = NULL";
    assert_eq!(db.execute(open, []).expect("done"), 1);
    desk.run("db verify").expect_code(0);
}

fn is_open(desk: &Desk) -> bool {
    let list = desk.run("--json batch list").expect_code(0).json();
    list[0]["closing"].is_null()
}

#[test]
fn a_batch_that_was_over_is_closed_only_after_its_machine_was_made_safe() {
    let (desk, running) = served();
    desk.run("run demo --water --fast --yes").expect_code(0);
    unclose(&desk);
    // The heat-off of its end never arrived: the machine of this address heats.
    let other = Desk::training();
    other.write("station.toml", &desk.read("station.toml"));
    let mut killed = until(&other, RUN, "Heater on");
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    assert!(!is_off(&desk, &running));
    let closed = desk.run("run demo --resume --yes --speed 60").expect_code(0);
    assert!(closed.stderr.contains("the machine confirmed it"), "{}", closed.stderr);
    assert!(closed.stdout.contains("verdict: acceptable"), "{}", closed.stdout);
    assert!(is_off(&desk, &running) && !is_open(&desk));

    // A machine that does not answer keeps no record open, and a person is told.
    unclose(&desk);
    let gone = desk.read("station.toml").replace(running.address(0), "127.0.0.1:15973");
    desk.write("station.toml", &gone);
    let closed = desk.run("run demo --resume --yes --speed 60").expect_code(4);
    assert!(closed.stderr.contains("ATTENTION"), "{}", closed.stderr);
    assert!(closed.stdout.contains("verdict: acceptable"), "{}", closed.stdout);
    let exported = desk.run(&format!("batch export {} --format json -o -", code(&desk)));
    assert!(exported.expect_code(0).stdout.contains("did not confirm"), "it is in the record");

    unclose(&desk);
    let given_up = desk.run("run demo --abandon test --yes --speed 60").expect_code(4);
    assert!(given_up.stderr.contains("error: batch"), "{}", given_up.stderr);
    assert!(given_up.stdout.contains("was over by then"), "{}", given_up.stdout);
    assert!(given_up.stdout.contains("verdict: acceptable"), "{}", given_up.stdout);
    assert!(!is_open(&desk));
    let exported = desk.run(&format!("batch export {} --format json -o -", code(&desk)));
    let said = "it was given up by ana: test";
    assert!(exported.expect_code(0).stdout.contains(said), "the word of a person is in the record");
}

/// One record has one verdict: as the station would have closed it, so does whoever restores it.
#[test]
fn a_batch_that_was_over_when_it_was_backed_up_keeps_its_verdict() {
    let desk = Desk::training();
    desk.run("run demo --water --fast --yes").expect_code(0);
    unclose(&desk);
    desk.run("db backup copy.db").expect_code(0);
    let restored = desk.run("--json db restore copy.db again").expect_code(0).json();
    assert_eq!(restored["closed_as_incomplete"], serde_json::json!([]));
    assert_eq!(restored["closed_as_ended"], serde_json::json!([code(&desk)]));
    let list = desk.run("--dir again --json batch list").expect_code(0).json();
    assert_eq!((&list[0]["closing"], &list[0]["outcome"]), (&"ended".into(), &"acceptable".into()));
    let said = desk.run("db restore copy.db twice").expect_code(0).stdout;
    assert!(said.contains("had ended in phase finished"), "{said}");
    assert!(said.contains("closed as acceptable"), "{said}");
    desk.run("--dir again db verify").expect_code(0);
}

#[test]
fn a_batch_that_was_over_is_not_closed_on_a_record_that_was_changed() {
    let desk = Desk::training();
    desk.run("run demo --water --fast --yes").expect_code(0);
    unclose(&desk);
    // The reference probe decides nothing live: only the hashes tell.
    let warmer = "UPDATE inputs SET reference_mc = reference_mc + 1 WHERE tick_ms > 900000";
    tamper(&desk, "inputs_no_update", warmer);
    for line in ["run demo --resume --fast --yes", "run demo --water --fast --yes"] {
        let refused = desk.run(line).expect_code(5);
        assert!(refused.stderr.contains("not verify"), "{line}: {}", refused.stderr);
        assert!(is_open(&desk), "{line}");
    }
    let given_up = desk.run("run demo --abandon tampered --fast --yes").expect_code(5);
    assert!(given_up.stderr.contains("is closed, but its record is not what was written"));
    assert!(!given_up.stdout.contains("verdict: acceptable"), "{}", given_up.stdout);
    assert!(!is_open(&desk));
}
