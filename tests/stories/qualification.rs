//! QA asks for evidence: the protocol is run, and what is not done yet is named.

use crate::rig::{Desk, today};

fn verdict_of(report: &serde_json::Value, step: &str) -> String {
    let steps = report["steps"].as_array().expect("steps");
    let found = steps.iter().find(|one| one["number"] == step).expect("the step");
    format!("{}: {}", found["verdict"].as_str().expect("a word"), found["observed"])
}

/// The rows of the plan, each with the batch that fills it.
fn rows(report: &serde_json::Value) -> Vec<(&str, Option<&str>)> {
    let rows = report["plan"]["rows"].as_array().expect("rows");
    rows.iter()
        .map(|row| (row["number"].as_str().expect("a number"), row["run"]["batch"].as_str()))
        .collect()
}

/// REQ-MAP-01, REQ-MAP-02, REQ-MAP-03, REQ-MAP-04
#[test]
fn a_unit_is_mapped_by_the_commands_of_its_plan_and_the_report_says_what_is_still_missing() {
    let desk = Desk::training();
    // A machine with one place: its plan is short.
    let station = desk.read("station.toml").replace("bottles_max = 48", "bottles_max = 1");
    desk.write("station.toml", &station);
    let first = desk.run("--json qualify demo --machines 1").expect_code(1);
    assert!(first.stderr.contains("5 of") && first.stderr.contains("are open"), "{}", first.stderr);
    let report = first.json();
    assert_eq!(report["outcome"], "open");
    assert_eq!(rows(&report), [("HR-01", None), ("HR-02", None), ("HR-03", None)]);
    // Bottles of another volume do not count, and are not passed over in silence.
    desk.run("run demo --water --fast --yes --bottles 1 --bottle-ml 250").expect_code(0);
    let command = |row: usize| {
        let command = report["plan"]["rows"][row]["command"].as_str().expect("a command");
        command.strip_prefix("holder ").expect("one of ours").to_owned()
    };
    assert_eq!(report["plan"]["next"]["command"], report["plan"]["rows"][0]["command"]);
    let run = |seed: usize| {
        let line = format!("{} --fast --yes --seed {seed}", command(seed - 1));
        desk.run(&line).expect_code(0);
    };
    run(1);
    run(2);
    let second = desk.run("--json qualify demo --machines 1").expect_code(1).json();
    assert_eq!(second["plan"]["next"]["row"], "HR-03");
    for step in ["HP-01", "HP-02", "HP-03", "HP-04"] {
        let said = verdict_of(&second, step);
        assert!(said.starts_with("open") && said.contains("still to do: HR-03"), "{said}");
    }
    run(3);
    let report = desk.run("--json qualify demo --machines 1").expect_code(0).json();
    assert_eq!((&report["outcome"], &report["plan"]["next"]), (&"passed".into(), &().into()));
    let year = today().year();
    let codes: Vec<String> = (2..=4).map(|number| format!("B-{year}-{number:04}")).collect();
    let filled: Vec<_> = rows(&report).into_iter().filter_map(|(_, batch)| batch).collect();
    assert_eq!(filled, codes);
    let aside = &report["plan"]["set_aside"];
    assert_eq!(aside[0]["why"], "its bottles held 250 ml, not 130 ml");
    for step in ["HP-01", "HP-02", "HP-03", "HP-04"] {
        let said = verdict_of(&report, step);
        assert!(said.starts_with("pass") && said.contains("SIMULATED"), "{said}");
    }
}

#[test]
fn a_technician_reads_the_next_step_last_and_qa_gets_the_report_in_a_file() {
    let desk = Desk::training();
    let shown = desk.run("qualify demo --machines 1 --bottle-ml 250").expect_code(1).stdout;
    let command = "holder run demo --water --bottles 48 --bottle-ml 250 --recipe holder-hmbana";
    assert!(shown.trim_end().ends_with(command), "{shown}");
    assert!(shown.contains("no source that we know"), "{shown}");
    assert!(shown.starts_with("TRAINING · SIMULATED\n"), "{shown}");
    let program = desk.run("--json qualify --machines 1 --out report.json").expect_code(0);
    let report = program.json();
    assert_eq!(report["outcome"], "passed");
    assert!(report["plan"].is_null(), "no unit was named");
    let written: serde_json::Value =
        serde_json::from_str(&desk.read("report.json")).expect("the same document");
    assert_eq!(written, report);
    let again = desk.run("qualify --machines 1 --out report.json").expect_code(1);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    desk.run("qualify --out report.txt").expect_code(2);
}
