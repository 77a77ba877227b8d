//! Two programs are started on one machine at the same moment: one of them runs it, always.
//!
//! The soak tries a second instance at the record alone (`src/soak/mod.rs`). Here the programs are
//! real, and so are the lock file, the kernel's names and the machine's sockets.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;

use crate::interruptions::{RUN, is_off, served};
use crate::rig::Desk;

/// Pairs that are started: each meets at another point of the beginning.
const PAIRS: usize = 20;

/// What one of the two shows.
enum Shown {
    /// It heats the machine.
    Heats,
    /// It ended, and this is all that it said.
    Ended(String),
}

/// One of the two, started as the other is.
struct Started {
    child: Child,
    which: usize,
}

/// Starts a run in each of two folders at the same moment; what they show comes as it happens.
fn both(desks: [&Desk; 2]) -> ([Started; 2], Receiver<(usize, Shown)>) {
    let (tell, told) = channel();
    let gate = Arc::new(Barrier::new(2));
    let starts = [0, 1].map(|which| {
        let mut program = desks[which].program();
        program.args(RUN.split_whitespace());
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let (gate, tell) = (gate.clone(), tell.clone());
        thread::spawn(move || {
            gate.wait();
            let mut child = program.spawn().expect("it starts");
            let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
            thread::spawn(move || listen(which, lines, &tell));
            Started { child, which }
        })
    });
    (starts.map(|start| start.join().expect("started")), told)
}

fn listen(
    which: usize,
    lines: impl Iterator<Item = std::io::Result<String>>,
    tell: &Sender<(usize, Shown)>,
) {
    let mut said = String::new();
    for line in lines {
        let line = line.expect("text");
        if line.contains("Heater on") && !said.contains("Heater on") {
            let _ = tell.send((which, Shown::Heats));
        }
        said.push_str(&line);
        said.push('\n');
    }
    let _ = tell.send((which, Shown::Ended(said)));
}

/// One heats, the other has ended with exit code 1 and what is asked for in its reason, given the id of
/// the one that heats. That one is then killed, and given back by its number.
fn one_heats(desks: [&Desk; 2], words: impl Fn(u32) -> Vec<String>) -> usize {
    let (mut started, told) = both(desks);
    let shown = [told.recv(), told.recv()].map(|shown| shown.expect("each shows something"));
    let (winner, loser, said) = match shown {
        [(winner, Shown::Heats), (loser, Shown::Ended(said))]
        | [(loser, Shown::Ended(said)), (winner, Shown::Heats)] => (winner, loser, said),
        [(_, Shown::Heats), (_, Shown::Heats)] => {
            started.iter_mut().for_each(|one| one.child.kill().expect("killed"));
            panic!("both heat one machine");
        }
        [(_, Shown::Ended(one)), (_, Shown::Ended(other))] => {
            panic!("neither runs it:\n{one}\n{other}");
        }
    };
    assert_ne!(winner, loser);
    for one in &mut started {
        if one.which == loser {
            assert_eq!(one.child.wait().expect("it ended").code(), Some(1), "{said}");
        } else {
            one.child.kill().expect("killed");
            one.child.wait().expect("gone");
        }
    }
    for word in words(started[winner].child.id()) {
        assert!(said.contains(&word), "no {word} in {said}");
    }
    winner
}

/// REQ-UNIT-01
#[test]
fn of_two_programs_that_start_at_once_on_a_unit_one_runs_it_and_the_other_names_it() {
    let (station, running) = served();
    let mut won = [0; 2];
    for _ in 0..PAIRS {
        let desk = station.copy();
        let winner = one_heats([&desk; 2], |id| {
            // The system shows who holds a lock on Linux alone; elsewhere the file is named.
            let who = if cfg!(target_os = "linux") {
                format!("kill {id}: it switches the heat off")
            } else {
                "demo.lock".to_owned()
            };
            vec!["unit demo is already run by another holder".to_owned(), who]
        });
        won[winner] += 1;
        assert!(!is_off(&desk, &running), "the one that was refused has not disturbed the other");
        let list = desk.run("--json batch list").expect_code(0).json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "one batch began: {list}");
        desk.run("db verify").expect_code(0);
    }
    println!("the first of a pair won {} times, the second {}", won[0], won[1]);
}

/// REQ-UNIT-01
#[cfg(target_os = "linux")]
#[test]
fn of_two_programs_that_start_at_once_in_two_folders_one_drives_the_machine() {
    let (station, running) = served();
    for _ in 0..PAIRS / 2 {
        let desks = [station.copy(), station.copy()];
        let winner = one_heats([&desks[0], &desks[1]], |_| {
            let why = "already driven by another holder on this computer";
            [why, running.address(0)].map(str::to_owned).into()
        });
        assert!(!is_off(&desks[winner], &running));
        for (place, desk) in desks.iter().enumerate() {
            let list = desk.run("--json batch list").expect_code(0).json();
            assert_eq!(list.as_array().map(Vec::len), Some(usize::from(place == winner)));
        }
    }
}
