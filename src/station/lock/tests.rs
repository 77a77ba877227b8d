//! One program per unit, whatever becomes of its lock file.

use super::*;

/// REQ-UNIT-01
#[test]
fn a_second_instance_is_kept_out_until_the_first_is_gone() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(run_by(dir.path(), "a"), None);
    assert!(!dir.path().join(FOLDER).exists(), "who looks makes nothing");
    let first = UnitLock::take(dir.path(), "a").expect("free");
    assert!(run_by(dir.path(), "a").is_some());
    assert!(matches!(UnitLock::take(dir.path(), "a"), Err(LockError::Taken { .. })));
    assert!(UnitLock::take(dir.path(), "b").is_ok(), "another unit is another lock");
    drop(first);
    assert!(UnitLock::take(dir.path(), "a").is_ok());
}

#[test]
fn a_lock_file_that_was_left_over_or_written_into_locks_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("locks")).expect("made");
    fs::write(dir.path().join("locks/a.lock"), "12345").expect("written");
    assert!(UnitLock::take(dir.path(), "a").is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_links_to_the_file_of_a_station_is_kept_out_of_its_units() {
    let [station, linked] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    fs::write(station.path().join("holder.db"), "").expect("written");
    let link = linked.path().join("holder.db");
    std::os::unix::fs::symlink(station.path().join("holder.db"), &link).expect("linked");
    let first = UnitLock::take(station.path(), "a").expect("free");
    let second = UnitLock::take(linked.path(), "a");
    assert!(matches!(second, Err(LockError::Taken { .. })), "{second:?}");
    UnitLock::take(linked.path(), "b").expect("another unit");
    drop(first);
    UnitLock::take(linked.path(), "a").expect("free again");
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_lock_file_can_be_made_a_machine_can_be_made_safe_but_not_behind_its_holder() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = UnitLock::take(dir.path(), "a").expect("free");
    fs::remove_dir_all(dir.path().join("locks")).expect("removed");
    fs::write(dir.path().join("locks"), "in the way").expect("written");
    let second = UnitLock::take_to_make_safe(dir.path(), "a");
    assert!(matches!(second, Err(LockError::Taken { .. })), "{second:?}");
    drop(first);
    let (_lock, why) = UnitLock::take_to_make_safe(dir.path(), "a").expect("by name");
    assert!(matches!(why, Some(LockError::File { .. })), "nothing may begin: {why:?}");
    let third = UnitLock::take_to_make_safe(dir.path(), "a");
    assert!(matches!(third, Err(LockError::Taken { .. })), "{third:?}");
}

/// The shipped demo unit, with what it drives at this socket and these addresses.
#[cfg(target_os = "linux")]
fn driving(panel: &str, controller: u8, relays: u8) -> UnitSpec {
    use crate::station::config::{Library, StationConfig};

    let at = |address: u8| format!("bus = \"panel\"\naddress = {address}");
    let text = crate::profiles::station("demo").expect("shipped");
    let text = text.replace("127.0.0.1:15021", panel).replace(&at(2), &at(relays));
    let text = text.replace(&at(1), &at(controller));
    let station = StationConfig::parse("demo", &text, Library::shipped()).expect("valid");
    station.unit("demo").expect("there").spec().expect("holds together")
}

/// REQ-UNIT-01
#[cfg(target_os = "linux")]
#[test]
fn one_machine_is_not_driven_from_two_folders() {
    let [first, again] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let take = |dir: &tempfile::TempDir, panel: &str, controller, relays| {
        let lock = UnitLock::take(dir.path(), "demo").expect("a folder of its own");
        lock.with_outputs(&driving(panel, controller, relays))
    };
    // Nobody listens there, and no other test drives it.
    let held = take(&first, "127.0.0.1:15971", 1, 2).expect("free");
    let ways = ["127.0.0.1:15971", "localhost:15971", "LOCALHOST:15971"];
    for same in ways.into_iter().chain(["[::ffff:127.0.0.1]:15971"]) {
        let refused = take(&again, same, 1, 12).expect_err(same).to_string();
        assert!(refused.contains("device controller at"), "{refused}");
        assert!(refused.contains("another holder on this computer"), "{refused}");
    }
    let relays = take(&again, "127.0.0.1:15971", 11, 2).expect_err("taken").to_string();
    assert!(relays.contains("device relays at 127.0.0.1:15971, address 2"), "{relays}");
    take(&again, "127.0.0.1:15971", 11, 12).expect("other devices behind the same gateway");
    take(&again, "127.0.0.1:15972", 1, 2).expect("another gateway");
    drop(held);
    take(&again, "localhost:15971", 1, 2).expect("free again");
}

#[cfg(target_os = "linux")]
#[test]
fn neither_a_deleted_lock_file_nor_another_way_to_the_folder_lets_a_second_one_in() {
    let dir = tempfile::tempdir().expect("a folder");
    let station = dir.path().join("station");
    fs::create_dir(&station).expect("made");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&station, &link).expect("linked");
    let _first = UnitLock::take(&station, "a").expect("free");
    assert!(matches!(UnitLock::take(&link, "a"), Err(LockError::Taken { .. })));
    fs::remove_dir_all(station.join("locks")).expect("somebody tidied up");
    for way in [&station, &link, &station.join("../station")] {
        assert!(matches!(UnitLock::take(way, "a"), Err(LockError::Taken { .. })), "{way:?}");
    }
}

/// A pipe that nobody reads opens for no writer (fifo(7)), as a file on a disk that hangs.
#[cfg(target_os = "linux")]
#[test]
fn a_lock_file_that_hangs_keeps_no_machine_waiting() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join(FOLDER)).expect("made");
    let made = std::process::Command::new("mkfifo").arg(lock_file(dir.path(), "a")).status();
    assert!(made.expect("mkfifo is there").success());
    let taken = UnitLock::take_within(Duration::ZERO, dir.path(), "a");
    let (_lock, why) = taken.expect("by name");
    let why = why.expect("nothing may begin").to_string();
    assert!(why.contains("a.lock of unit a") && why.contains("does not answer"), "{why}");
    let second = UnitLock::take_within(Duration::ZERO, dir.path(), "a");
    assert!(matches!(second, Err(LockError::Taken { .. })), "{second:?}");
}

#[test]
fn a_unit_that_is_run_names_the_process_and_calls_it_holder_once() {
    let by = Some(Holder { pid: 123, name: "holder".to_owned() });
    let taken = LockError::Taken { unit: "a".into(), path: "a.lock".into(), by };
    let said = taken.to_string();
    assert!(said.contains("another holder on this station (process 123)"), "{said}");
    assert_eq!(said.matches("holder").count(), 1, "{said}");
    for ending in ["a batch is closed as incomplete", "by kill 123: it switches the heat off"] {
        assert!(said.contains(ending), "no {ending} in {said}");
    }
}
