//! A soak as a developer runs it: it ends, says what it did, and gives the same again.

use serde_json::Value;

use crate::rig::Desk;

/// The document of a soak, without what differs from day to day.
fn soaked(seeds: &str, jobs: u32) -> Value {
    let desk = Desk::empty();
    let line = format!("soak --json --journal needed --seeds {seeds} --jobs {jobs}");
    let answer = desk.run(&line);
    let mut document: Value = serde_json::from_str(&answer.stdout).expect("one document");
    assert_eq!(
        (answer.code, document["violations"].as_array()),
        (0, Some(&vec![])),
        "{document:#}"
    );
    for figure in ["took_s", "batches_per_s", "jobs"] {
        document[figure] = Value::Null;
    }
    document
}

#[test]
fn a_soak_says_what_it_did_and_gives_the_same_again() {
    let one = soaked("0..4", 1);
    assert_eq!(one["all"]["runs"], 4);
    assert_eq!(one["without_fault"]["acceptable"], 1);
    assert_eq!(one, soaked("0..4", 2));
}

#[test]
fn one_seed_is_told_in_full_and_drawn() {
    let desk = Desk::empty();
    desk.write("file", "");
    let refused = desk.run("soak --replay 1 --charts file").expect_code(2);
    assert!(refused.stderr.contains("this is a file; name a folder"), "{}", refused.stderr);
    let answer = desk.run("soak --replay 1 --charts charts");
    assert!(answer.stderr.contains("wrote charts/seed-1.svg, charts/seed-1-truth.svg"));
    let story = answer.stdout;
    assert!(story.contains("seed 1") && story.contains("SIMULATED"), "{story}");
    assert!(story.contains("fault: ") && story.contains("truly at the floor"), "{story}");
    for name in ["seed-1.svg", "seed-1-truth.svg", "seed-1.txt"] {
        let text = std::fs::read_to_string(desk.path("charts").join(name)).expect("written");
        assert!(text.contains("SIMULATED"), "{name}");
    }
}

#[test]
fn seeds_that_are_no_range_are_refused() {
    for (seeds, why) in [
        ("10", "two numbers with two dots"),
        ("7..7", "no seed lies from 7 to before 7"),
        ("9..3", "the smaller one comes first"),
        ("a..b", "\"a\" is no whole number"),
        ("0..99999999999999999999", "too large"),
        ("-1..5", "unexpected argument"),
    ] {
        let refused = Desk::empty().run(&format!("soak --seeds {seeds}")).expect_code(2);
        assert!(refused.stderr.contains(why), "{seeds}: {}", refused.stderr);
    }
}
