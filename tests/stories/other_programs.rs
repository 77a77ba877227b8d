//! The program was replaced by a newer one, with other rules: what becomes of the batches that the
//! older one judged.

use std::fs;

use rusqlite::types::Value as Column;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::interruptions::{code, tamper};
use crate::rig::Desk;

/// A station with one batch of water, closed and acceptable; its code.
fn closed() -> (Desk, String) {
    let desk = Desk::training();
    desk.run("run demo --water --fast --yes").expect_code(0);
    let code = code(&desk);
    (desk, code)
}

/// The SHA-256 of an entry: each column with its presence and, if it is text or bytes, its length.
fn hash(columns: &[Column]) -> Vec<u8> {
    fn add(canon: &mut Vec<u8>, bytes: &[u8]) {
        canon.push(1);
        canon.extend((bytes.len() as u64).to_be_bytes());
        canon.extend(bytes);
    }
    let mut canon = Vec::new();
    add(&mut canon, b"holder journal 1");
    for column in columns {
        match column {
            Column::Null => canon.push(0),
            Column::Integer(value) => {
                canon.push(2);
                canon.extend(value.to_be_bytes());
            }
            Column::Text(text) => add(&mut canon, text.as_bytes()),
            Column::Blob(blob) => add(&mut canon, blob),
            Column::Real(value) => panic!("{value}: no entry has such a column"),
        }
    }
    Sha256::digest(&canon).to_vec()
}

/// The closing of the one batch as another program would have written it: every hash fits.
fn closed_otherwise(desk: &Desk, change: impl Fn(&mut Value)) {
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    let columns = "seq, utc_ms, tick_ms, who, kind, subject, batch, body, prev_hash";
    let newest = format!("SELECT {columns} FROM journal ORDER BY seq DESC LIMIT 1");
    let mut row: Vec<Column> = db
        .query_row(&newest, [], |row| (0..9).map(|column| row.get(column)).collect())
        .expect("an entry");
    let (Column::Text(kind), Column::Text(body)) = (&row[4], &row[7]) else { panic!("{row:?}") };
    assert_eq!(kind, "batch-closed");
    let mut body: Value = serde_json::from_str(body).expect("JSON");
    change(&mut body);
    let verdict = body["after"]["verdict"].to_string();
    row[7] = Column::Text(body.to_string());
    let hash: String = hash(&row).iter().map(|byte| format!("{byte:02X}")).collect();
    drop(db);
    let quoted = |text: &str| text.replace('\'', "''");
    let entry = format!(
        "UPDATE journal SET body = '{}', hash = x'{hash}' \
         WHERE seq = (SELECT max(seq) FROM journal)",
        quoted(&body.to_string())
    );
    tamper(desk, "journal_no_update", &entry);
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    let kept = format!("UPDATE batches SET verdict = '{}'", quoted(&verdict));
    assert_eq!(db.execute(&kept, []).expect("done"), 1);
    drop(db);
    desk.run("db verify").expect_code(0);
}

/// Program 0.0.1, whose judge did not accept the batch.
fn stricter(body: &mut Value) {
    body["program"] = json!({ "version": "0.0.1", "commit": "0ld" });
    body["after"]["verdict"]["outcome"] = json!("unacceptable");
}

#[test]
fn a_batch_says_which_program_made_it_and_which_replays_it() {
    let (desk, code) = closed();
    let shown = desk.run(&format!("--json batch show {code}")).expect_code(0).json();
    let steps: Vec<&Value> =
        shown["made_by"].as_array().expect("a list").iter().map(|made| &made["step"]).collect();
    assert_eq!(steps, ["begun", "closed"]);
    assert_eq!(shown["made_by"][1]["program"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&shown["verdict_kept"], &shown["verdict_today"]), (&json!(true), &Value::Null));
    let program = shown["software"].as_str().expect("a name");
    assert_eq!(shown["verdict_decided_by"], program);
    let words = desk.run(&format!("batch show {code}")).expect_code(0).stdout;
    assert!(words.contains(&format!("made by: {program}")), "{words}");
    let proved = desk.run(&format!("batch verify {code}")).expect_code(0).stdout;
    for line in ["made by: ", "replayed by: "].map(|by| format!("{by}{program}")) {
        assert!(proved.lines().any(|told| told == line), "no {line} in {proved}");
    }
    let csv = desk.run(&format!("batch export {code} -o -")).expect_code(0).stdout;
    assert!(csv.contains(&format!("# made_by = {program}\n")), "{csv:.2000}");
}

/// The judge of the older program did not accept it; that of this one would.
#[test]
fn a_verdict_that_was_kept_stands_and_a_program_that_decides_otherwise_says_so() {
    let (desk, code) = closed();
    closed_otherwise(&desk, stricter);
    let list = desk.run("--json batch list").expect_code(0).json();
    assert_eq!(list[0]["outcome"], "unacceptable");
    let shown = desk.run(&format!("batch show {code}")).expect_code(5);
    assert!(shown.stdout.starts_with("JUDGED OTHERWISE TODAY"), "{}", shown.stdout);
    let (kept, today) = shown.stdout.split_once("TODAY, by holder").expect("both");
    assert!(kept.contains("verdict: unacceptable"), "{kept}");
    assert!(kept.contains("by: holder 0.0.1 (commit 0ld)"), "{kept}");
    assert!(today.contains("verdict: acceptable"), "{today}");
    assert!(shown.stderr.contains("judges the same readings acceptable"), "{}", shown.stderr);

    for line in ["--json batch show", "batch export --format json -o -"] {
        let document = desk.run(&format!("{line} {code}")).expect_code(5).json();
        assert_eq!(document["verdict"]["outcome"], "unacceptable", "{line}");
        assert_eq!(document["verdict_decided_by"], "holder 0.0.1 (commit 0ld)", "{line}");
        assert_eq!(document["verdict_today"]["outcome"], "acceptable", "{line}");
    }
    let csv = desk.run(&format!("batch export {code}")).expect_code(5);
    assert!(csv.stderr.contains(&code), "{}", csv.stderr);
    let csv = desk.read(&format!("{code}.csv"));
    assert!(csv.contains("# verdict = unacceptable\n"), "{csv:.2000}");
    assert!(csv.contains("# verdict_today = acceptable: it was decided"), "{csv:.2000}");
    desk.run(&format!("judge {code}.csv")).expect_code(0);
    desk.run(&format!("batch chart {code}")).expect_code(5);
    assert!(desk.read(&format!("{code}.svg")).contains("JUDGED OTHERWISE TODAY"));
    let record = desk.run(&format!("batch record {code}"));
    let (printed, pdf) = (cfg!(feature = "pdf"), desk.path(&format!("{code}.pdf")));
    assert_eq!((record.code, pdf.exists()), (if printed { 5 } else { 1 }, printed));
}

#[test]
fn a_replay_that_parts_from_another_program_s_batch_names_that_program() {
    let (desk, code) = closed();
    closed_otherwise(&desk, stricter);
    let verify = format!("batch verify {code}");
    let parted = desk.run(&verify).expect_code(5).stderr;
    for word in ["made by another program", "Replay it with", "holder 0.0.1 (commit 0ld)"] {
        assert!(parted.contains(word), "no {word} in {parted}");
    }
    let document = desk.run(&format!("--json {verify}")).expect_code(5).json();
    assert_eq!(document["hashes_fit"], true, "{document}");
    assert_eq!((&document["other_program"], &document["verifies"]), (&json!(true), &json!(false)));

    // Whoever made it: what is not what was written does not verify.
    let warmer = "UPDATE inputs SET milk_1_mc = milk_1_mc + 500 WHERE tick_ms = 2000000";
    tamper(&desk, "inputs_no_update", warmer);
    let altered = desk.run(&verify).expect_code(5).stderr;
    assert!(altered.contains("not verify") && !altered.contains("Replay it"), "{altered}");
    let document = desk.run(&format!("--json {verify}")).expect_code(5).json();
    assert_eq!(document["hashes_fit"], false, "{document}");
}

/// Batches of before programs were recorded.
#[test]
fn a_batch_without_a_program_is_read_and_says_that_none_was_recorded() {
    let (desk, code) = closed();
    let forget =
        |body: &mut Value| drop(body.as_object_mut().and_then(|all| all.remove("program")));
    closed_otherwise(&desk, forget);
    let shown = desk.run(&format!("batch show {code}")).expect_code(0).stdout;
    assert!(shown.contains("closed by: not recorded"), "{shown}");
    let proved = desk.run(&format!("batch verify {code}")).expect_code(0).stdout;
    assert!(proved.contains("closed by: not recorded"), "{proved}");
    closed_otherwise(&desk, |body| body["after"]["verdict"]["findings"] = json!([]));
    let parted = desk.run(&format!("batch verify {code}")).expect_code(5).stderr;
    assert!(parted.contains("cannot be told"), "{parted}");
}

/// A newer program may say the same in other words, and an older one may not know a newer verdict.
#[test]
fn other_words_are_no_other_verdict_and_an_unknown_verdict_is_none_of_today() {
    let (desk, code) = closed();
    closed_otherwise(&desk, |body| {
        body["after"]["verdict"]["figures"]["hold_s"] = json!(1.0);
    });
    let shown = desk.run(&format!("batch show {code}")).expect_code(0).stdout;
    assert!(shown.contains("verdict: acceptable"), "{shown}");
    let parted = desk.run(&format!("batch verify {code}")).expect_code(5).stderr;
    assert!(parted.contains("in other words or figures"), "{parted}");
    closed_otherwise(&desk, |body| body["after"]["verdict"]["outcome"] = json!("fine"));
    for line in ["show", "export", "chart"] {
        let answer = desk.run(&format!("batch {line} {code}")).expect_code(5);
        assert!(answer.stderr.contains("does not understand the verdict"), "{}", answer.stderr);
        assert_eq!(answer.stdout, "", "{line}");
    }
    assert!(!fs::exists(desk.path(&format!("{code}.svg"))).expect("asked"));
}
