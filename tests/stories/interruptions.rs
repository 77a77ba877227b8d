//! The power goes, the program crashes, two start at once: what becomes of the batch, and of the
//! machine.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::rig::Desk;

/// A run of water on a machine of its own, up to the line that begins with this phase.
pub(crate) fn run_until(desk: &Desk, phase: &str) -> Child {
    until(desk, "run demo --water --fast --yes", phase)
}

/// The program with these words, up to the line that says this.
fn until(desk: &Desk, line: &str, word: &str) -> Child {
    let mut program = desk.program();
    program.args(line.split_whitespace());
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let reached = lines.any(|line| line.expect("text").contains(word));
    assert!(reached, "it never came to {word}");
    // The rest of what it says goes nowhere, which must not disturb it.
    child
}

/// The rules of the findings of the newest batch, with their severities.
fn findings(desk: &Desk, code: &str) -> Vec<(String, String)> {
    let shown = desk.run(&format!("--json batch show {code}")).expect_code(0).json();
    let found = shown["verdict"]["findings"].as_array().expect("findings").clone();
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    found.iter().map(|one| (word(&one["rule"]), word(&one["severity"]))).collect()
}

fn code(desk: &Desk) -> String {
    let list = desk.run("--json batch list").expect_code(0).json();
    list[0]["code"].as_str().expect("a code").to_owned()
}

/// A station whose program was killed while it warmed the bottles.
fn killed(phase: &str) -> (Desk, String) {
    let desk = Desk::training();
    let mut killed = run_until(&desk, phase);
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    let code = code(&desk);
    (desk, code)
}

#[test]
fn a_killed_run_keeps_its_record_and_nothing_else_begins_until_a_person_decides() {
    let (desk, code) = killed("COME-UP");
    let report = desk.run("--json db verify").expect_code(0).json();
    assert!(report["report"]["inputs"].as_i64().expect("a number") > 1_000, "{report}");
    let refused = desk.run("run demo --water --fast --yes");
    refused.expect_refusal(&[
        &code,
        "still open",
        "--resume",
        "--abandon",
        "may be in the machine",
    ]);
    desk.run("unit commission demo --fast --yes").expect_refusal(&[&code, "still open"]);
    let list = desk.run("--json batch list").expect_code(0).json();
    assert_eq!(list[0]["closing"], serde_json::Value::Null, "nobody has closed it");

    let mut program = desk.program();
    program.args(["run", "demo", "--fast", "--yes", "--abandon", "the milk was thrown away"]);
    let given_up = crate::rig::Answer::of(program.output().expect("it starts")).expect_code(0);
    assert!(given_up.stdout.contains("incomplete"), "{}", given_up.stdout);
    let exported = desk.run(&format!("batch export {code} --format json -o -")).expect_code(0);
    assert!(exported.stdout.contains("given up by ana: the milk was thrown away"));
    desk.run("run demo --fast --yes --resume").expect_refusal(&["no interrupted batch"]);
    desk.run("db verify").expect_code(0);
    desk.run(&format!("batch verify {code}")).expect_code(0);
}

#[test]
fn an_outage_of_unknown_length_fails_a_batch_that_was_being_warmed_and_cools_its_milk() {
    let (desk, code) = killed("COME-UP");
    let resumed = desk.run("run demo --resume --fast --yes").expect_code(3);
    for word in ["interrupted in phase come-up", "unknown time", "Heat is off", "COOL: "] {
        assert!(resumed.stderr.contains(word), "no {word} in {}", resumed.stderr);
    }
    let found = findings(&desk, &code);
    assert!(found.contains(&("interrupted".into(), "fail".into())), "{found:?}");
    assert!(found.iter().all(|(rule, _)| rule != "disputed"), "{found:?}");
    desk.run("db verify").expect_code(0);
    desk.run(&format!("batch verify {code}")).expect_code(0);
    desk.run(&format!("batch export {code}")).expect_code(0);
    let judged = desk.run(&format!("--json judge {code}.csv")).expect_code(3).json();
    let shown = desk.run(&format!("--json batch show {code}")).json();
    assert_eq!(judged["findings"], shown["verdict"]["findings"], "from the file alone");
}

#[test]
fn before_the_bottles_are_in_an_interrupted_batch_can_still_become_a_good_one() {
    let (desk, code) = killed("PREHEAT");
    let resumed = desk.run("run demo --resume --fast --yes").expect_code(0);
    assert!(resumed.stdout.contains("verdict: acceptable"), "{}", resumed.stdout);
    assert!(findings(&desk, &code).contains(&("interrupted".into(), "note".into())));
}

#[test]
fn without_a_person_an_interrupted_batch_is_not_heated() {
    let (desk, _code) = killed("PREHEAT");
    // Nobody types yes: the end of the input is no answer, and preheating is given up in time.
    let mut program = desk.program();
    program.args(["run", "demo", "--resume", "--fast"]).stdin(Stdio::null());
    let answer = crate::rig::Answer::of(program.output().expect("it starts")).expect_code(3);
    assert!(answer.stderr.contains("HEAT IS OFF"), "{}", answer.stderr);
    let after = answer.stderr.rsplit("HEAT IS OFF").next().unwrap_or_default();
    assert!(!after.contains("Heater on"), "{after}");
}
