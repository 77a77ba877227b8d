//! A bank saves its record, loses its computer, and goes on.

use std::fs;

use crate::rig::Desk;

/// The one backup that lies in this folder.
fn backup_in(desk: &Desk, folder: &str) -> String {
    let entries: Vec<_> = fs::read_dir(desk.path(folder)).expect("a folder").collect();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let name = entry.as_ref().expect("an entry").file_name().to_string_lossy().into_owned();
    assert!(name.starts_with("holder-") && name.ends_with("Z.db"), "{name}");
    format!("{folder}/{name}")
}

/// REQ-REC-04
#[test]
fn a_station_is_saved_and_restored_with_all_that_belongs_to_it() {
    let desk = Desk::empty();
    desk.run("init bank --training --time-zone UTC").expect_code(0);
    desk.write("bank/profiles/own.toml", "not = \"a profile, but mine\"\n");
    desk.run("--dir bank donor add D-1").expect_code(0);
    fs::create_dir(desk.path("stick")).expect("made");
    let said = desk.run("--dir bank db backup stick").expect_code(0);
    for word in ["verified", "station.toml", "profiles/own.toml", "head "] {
        assert!(said.stdout.contains(word), "no {word} in {}", said.stdout);
    }
    assert!(said.stderr.contains("on the disk of the station itself"), "{}", said.stderr);
    let file = backup_in(&desk, "stick");
    let stats = desk.run("--dir bank --json db stats").expect_code(0).json();
    assert_eq!(stats["stats"]["newest_backup"]["file"], file.as_str());
    let head = stats["stats"]["newest_backup"]["head_hash"].as_str().expect("a hash").to_owned();
    assert!(said.stdout.contains(&head), "{}", said.stdout);
    let shown = desk.run("--dir bank db stats").expect_code(0).stdout;
    assert!(shown.contains("newest backup: 20") && shown.contains(&file), "{shown}");

    // The computer is lost with all that was not saved.
    desk.run("--dir bank donor add D-2").expect_code(0);
    fs::remove_dir_all(desk.path("bank")).expect("lost");
    let said = desk.run(&format!("db restore {file} again --head {}", &head[..16])).expect_code(0);
    for word in ["TRAINING", "again", "What happened after the backup is not in it"] {
        assert!(said.stdout.contains(word), "no {word} in {}", said.stdout);
    }
    assert_eq!(said.stderr, "", "nothing is missing");
    assert_eq!(desk.read("again/profiles/own.toml"), "not = \"a profile, but mine\"\n");
    assert!(desk.read("again/station.toml").contains("training = true"));
    let donors = desk.run("--dir again --json donor list").expect_code(0).json();
    assert_eq!(donors.as_array().map(Vec::len), Some(1), "{donors}");
    desk.run(&format!("--dir again db verify --head {head}")).expect_code(0);
    desk.run("--dir again donor add D-2").expect_code(0);
    let run = desk.run("--dir again --json run demo --water --fast --yes").expect_code(0).json();
    let code = run["batch"].as_str().expect("a code");
    assert!(code.contains("-R"), "a code of its own: {code}");
}

#[test]
fn a_backup_without_a_description_says_what_is_missing() {
    let desk = Desk::training();
    fs::remove_file(desk.path("station.toml")).expect("removed");
    let said = desk.run("db backup copy.db").expect_code(0);
    assert!(said.stderr.contains("station.toml is not in this backup"), "{}", said.stderr);
    let said = desk.run("db restore copy.db new").expect_code(0);
    for word in ["station.toml was not in this backup", "time_zone = \"UTC\"", "training = true"] {
        assert!(said.stderr.contains(word), "no {word} in {}", said.stderr);
    }
    let document = desk.run("--json db restore copy.db newer").expect_code(0).json();
    assert!(document["missing"].is_string(), "{document}");
    assert_eq!(document["training"], true);
}

#[test]
fn nothing_is_put_over_a_file_or_a_station() {
    let desk = Desk::training();
    desk.run("db backup copy.db").expect_code(0);
    let (copy, before) = (fs::read(desk.path("copy.db")).expect("read"), desk.files());
    desk.run("db backup copy.db").expect_refusal(&["copy.db", "exists already"]);
    desk.run("db backup station.toml").expect_refusal(&["station.toml", "exists already"]);
    desk.run("db backup no/such/copy.db").expect_refusal(&["no/such", "does not exist"]);
    desk.run("db restore copy.db .").expect_refusal(&["not empty", "new folder"]);
    desk.run("db restore copy.db station.toml").expect_refusal(&["station.toml"]);
    desk.run("db restore copy.db no/such/new").expect_refusal(&["no/such", "does not exist"]);
    desk.run("db restore no.db new").expect_refusal(&["no.db", "db backup"]);
    desk.run("db restore station.toml new").expect_refusal(&["station.toml", "no backup"]);
    assert_eq!(fs::read(desk.path("copy.db")).expect("read"), copy);
    assert_eq!(desk.files(), before);
}

#[test]
fn a_torn_backup_is_named_and_nothing_is_made_of_it() {
    let desk = Desk::training();
    desk.run("db backup copy.db").expect_code(0);
    let whole = fs::read(desk.path("copy.db")).expect("read");
    let before = desk.files();
    let mut changed = whole.clone();
    let at = whole.windows(8).rposition(|bytes| bytes == b"\"station").expect("an entry");
    changed[at + 1] ^= 1;
    for spoilt in [&whole[..whole.len() - 4096], changed.as_slice()] {
        fs::write(desk.path("copy.db"), spoilt).expect("written");
        let answer = desk.run("db restore copy.db new").expect_code(5);
        assert!(answer.stderr.contains("copy.db"), "{}", answer.stderr);
        assert_eq!(desk.files(), before);
    }
}
