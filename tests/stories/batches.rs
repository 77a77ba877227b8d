//! A batch was run: QA looks at it, takes it along, and proves it again.

use std::fs;
use std::sync::OnceLock;

use crate::rig::Desk;

/// A station on which the demonstration has run once, made once for all stories.
fn after_the_demonstration() -> Desk {
    static DEMONSTRATION: OnceLock<Desk> = OnceLock::new();
    let done = DEMONSTRATION.get_or_init(|| {
        let desk = Desk::empty();
        desk.run("--dir . demo").expect_code(0);
        desk
    });
    done.copy()
}

/// The code of the one batch; the year in it is that of today.
fn code(desk: &Desk) -> String {
    let list = desk.run("--json batch list").expect_code(0).json();
    list[0]["code"].as_str().expect("a code").to_owned()
}

/// Whoever copies the folder to a stick after a run has all of it in one file.
#[test]
fn no_log_is_left_beside_the_file_after_a_run() {
    let desk = Desk::training();
    desk.run("run demo --fast --yes --water --bottles 4").expect_code(0);
    assert!(!desk.path("holder.db-wal").exists());
}

/// REQ-SIM-01
#[test]
fn a_demonstrated_batch_is_acceptable_and_marked_as_what_it_is() {
    let desk = after_the_demonstration();
    let code = code(&desk);
    let list = desk.run("batch list").expect_code(0).stdout;
    assert!(list.starts_with("TRAINING"), "{list}");
    assert!(list.contains("acceptable") && list.contains("SIMULATED"), "{list}");
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    let shown = desk.run(&format!("batch show {code}")).expect_code(0).stdout;
    for word in [
        "TRAINING",
        "SIMULATED",
        "verdict: acceptable",
        "pool P-",
        "equivalent",
        "z = ",
        "bottles 48 in, 48 out",
    ] {
        assert!(shown.contains(word), "no {word} in {shown}");
    }
    let lines = shown.lines().filter(|line| !line.contains("journal head"));
    assert!(lines.clone().all(|line| line.chars().count() <= 80), "{shown}");
}

/// REQ-REC-06
#[test]
fn an_export_is_judged_to_the_verdict_on_the_record() {
    let desk = after_the_demonstration();
    let code = code(&desk);
    let shown = desk.run(&format!("--json batch show {code}")).expect_code(0).json();
    assert_eq!((&shown["bottles_in"], &shown["bottles_out"]), (&48.into(), &vec![48].into()));
    desk.run(&format!("batch export {code}")).expect_code(0);
    let judged = desk.run(&format!("--json judge {code}.csv")).expect_code(0).json();
    for field in ["outcome", "findings", "figures"] {
        assert_eq!(judged[field], shown["verdict"][field], "{field}");
        assert!(!judged[field].is_null(), "{field}");
    }
    assert_eq!(judged["origin"]["simulated"], true);
    let told = desk.run(&format!("judge {code}.csv --margin-c 0"));
    told.expect_refusal(&["carries its own", "--margin-c"]);
    let all = desk.run(&format!("batch export {code} --format json -o -")).expect_code(0).json();
    assert_eq!(all["verdict"]["outcome"], "acceptable");
    desk.run(&format!("batch export {code} --format json -o all.json")).expect_code(0);
    let judged = desk.run("--json judge all.json").expect_code(0).json();
    for field in ["outcome", "findings", "figures"] {
        assert_eq!(judged[field], shown["verdict"][field], "{field} of the JSON export");
    }
    desk.run("judge all.json --margin-c 0").expect_refusal(&["carries its own", "--margin-c"]);
}

#[test]
fn an_export_that_was_touched_up_is_not_judged_acceptable() {
    let desk = after_the_demonstration();
    let code = code(&desk);
    desk.run(&format!("batch export {code} -o curve.csv")).expect_code(0);
    let curve = desk.read("curve.csv");
    let short: String = curve.lines().take(2_500).map(|line| format!("{line}\n")).collect();
    let lax = curve.replacen("floor_c = 62.5", "floor_c = 50.0", 1);
    assert_ne!(lax, curve, "the recipe is in the file");
    for spoilt in [short, lax] {
        desk.write("curve.csv", &spoilt);
        let answer = desk.run("--json judge curve.csv");
        assert!(matches!(answer.code, 1 | 3), "code {}: {}", answer.code, answer.stdout);
    }
}

#[test]
fn files_are_written_whole_and_never_over_others_unasked() {
    let desk = after_the_demonstration();
    let code = code(&desk);
    desk.run(&format!("batch chart {code}")).expect_code(0);
    assert!(desk.read(&format!("{code}.svg")).contains("</svg>"));
    let chart = format!("batch chart {code} -o curve.png");
    desk.run(&chart).expect_code(0);
    let png = fs::read(desk.path("curve.png")).expect("written");
    assert!(png.starts_with(b"\x89PNG"));
    desk.write("curve.png", "mine");
    desk.run(&chart).expect_refusal(&["curve.png", "--force"]);
    assert_eq!(desk.read("curve.png"), "mine");
    desk.run(&format!("{chart} --force")).expect_code(0);
    assert_eq!(fs::read(desk.path("curve.png")).expect("written"), png);
    for odd in ["x.bmp", "x", "x.svg --png", "x.pdf"] {
        let refused = desk.run(&format!("batch chart {code} -o {odd}")).expect_code(2);
        for word in ["x", ".svg", ".png"] {
            assert!(refused.stderr.contains(word), "{odd}: {}", refused.stderr);
        }
        assert!(desk.files().iter().all(|file| !file.starts_with("x")), "{:?}", desk.files());
    }
    desk.run(&format!("batch chart {code} -o no/such/folder.svg")).expect_refusal(&["folder.svg"]);
    assert!(desk.files().iter().all(|name| !name.ends_with(".part")));
}

#[cfg(feature = "pdf")]
#[test]
fn the_record_is_printed_as_pdf() {
    let desk = after_the_demonstration();
    let code = code(&desk);
    desk.run(&format!("batch record {code}")).expect_code(0);
    let pdf = fs::read(desk.path(&format!("{code}.pdf"))).expect("written");
    assert!(pdf.starts_with(b"%PDF-"));
    desk.write("ours.typ", "#let x = \n= Record");
    desk.run(&format!("batch record {code} --template ours.typ --force"))
        .expect_refusal(&["ours.typ:"]);
}

#[test]
fn a_batch_is_proved_again_and_one_changed_reading_shows() {
    let desk = after_the_demonstration();
    let code = code(&desk);
    let proved = desk.run(&format!("batch verify {code}")).expect_code(0).stdout;
    assert!(proved.contains("verifies"), "{proved}");
    let head = desk.run(&format!("--json batch show {code}")).json();
    let head = head["journal_head"]["sha256"].as_str().expect("a hash").to_owned();
    desk.run(&format!("db verify --head {head}")).expect_code(0);
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    db.execute_batch("DROP TRIGGER inputs_no_update").expect("there is one");
    let changed = db
        .execute("UPDATE inputs SET milk_1_mc = milk_1_mc + 500 WHERE tick_ms = 4000000", [])
        .expect("without the trigger it can be changed");
    assert!(changed > 0);
    drop(db);
    let answer = desk.run(&format!("batch verify {code}")).expect_code(5);
    assert!(answer.stderr.contains(&code), "{}", answer.stderr);
    let document = desk.run(&format!("--json batch verify {code}")).expect_code(5).json();
    assert_eq!(document["verifies"], false);
    desk.run("db verify").expect_code(5);
}

#[test]
fn a_batch_that_nobody_ran_is_named() {
    let desk = Desk::training();
    for line in ["show", "chart", "record", "export", "verify"] {
        let answer = desk.run(&format!("batch {line} B-1999-0001")).expect_code(1);
        let known = answer.stderr.contains("B-1999-0001");
        assert!(known, "{line}: {}", answer.stderr);
    }
    assert_eq!(desk.run("batch list").expect_code(0).stdout, "TRAINING\nno batches yet\n");
}

#[test]
fn milk_without_a_pool_does_not_run() {
    let desk = Desk::training();
    desk.run("run demo --fast --yes").expect_code(2);
    desk.run("run demo --fast --yes --bottles 4 --pool P-9").expect_refusal(&["pool P-9"]);
    desk.run("run demo --fast --yes --water --bottles 500").expect_refusal(&["500", "48"]);
    desk.run("run dmo --fast --yes --water").expect_refusal(&["did you mean \"demo\"?"]);
    assert_eq!(desk.run("--json batch list").expect_code(0).json(), serde_json::json!([]));
}
