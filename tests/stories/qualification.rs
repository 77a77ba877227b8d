//! QA asks for evidence: the protocol is run, and what is not done yet is named.

use crate::rig::Desk;

fn verdict_of(report: &serde_json::Value, step: &str) -> String {
    let steps = report["steps"].as_array().expect("steps");
    let found = steps.iter().find(|one| one["number"] == step).expect("the step");
    format!("{}: {}", found["verdict"].as_str().expect("a word"), found["observed"])
}

/// REQ-MAP-01, REQ-MAP-02, REQ-MAP-03
#[test]
fn a_unit_is_mapped_by_water_runs_and_the_report_says_what_is_still_missing() {
    let desk = Desk::training();
    let first = desk.run("--json qualify demo --machines 1").expect_code(1);
    assert!(first.stderr.contains("3 of"), "{}", first.stderr);
    let report = first.json();
    assert_eq!(report["outcome"], "open");
    let open = verdict_of(&report, "HP-01");
    assert!(open.starts_with("open") && open.contains("--water --bottles 48"), "{open}");
    desk.run("run demo --water --fast --yes --bottles 48").expect_code(0);
    desk.run("run demo --water --fast --yes --bottles 8").expect_code(0);
    let done = desk.run("--json qualify demo --machines 1 --out report.json").expect_code(0);
    let report = done.json();
    assert_eq!(report["outcome"], "passed");
    for step in ["HP-01", "HP-02", "HP-03"] {
        let said = verdict_of(&report, step);
        assert!(said.starts_with("pass") && said.contains("SIMULATED"), "{said}");
    }
    assert!(verdict_of(&report, "HP-01").contains("cold point bottles.channel_"));
    let written: serde_json::Value =
        serde_json::from_str(&desk.read("report.json")).expect("the same document");
    assert_eq!(written, report);
    let again = desk.run("qualify demo --machines 1 --out report.json").expect_code(1);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    desk.run("qualify --out report.txt").expect_code(2);
}
