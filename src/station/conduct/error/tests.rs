//! What a person reads of a batch that did not go on, or was not closed.

use super::*;

/// After an update in the middle of a batch the older program may be what is needed.
#[test]
fn a_batch_of_another_program_that_cannot_be_continued_names_both() {
    let made_by = "holder 0.0.1 (commit 0ld)".to_owned();
    let misfit = ReplayMisfit::Period { at_ms: 7_000 };
    let (batch, unit) = ("B-1".to_owned(), "past-1".to_owned());
    let said = ConductError::Disputed { batch, unit, made_by, misfit }.to_string();
    let this = format!("replayed by: {}", Software::this());
    for word in ["Made by: holder 0.0.1 (commit 0ld)", this.as_str(), "Heat is off"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
}

/// The last line that a person reads must not send them to a machine that is safe.
#[test]
fn a_machine_that_confirmed_late_needs_nobody() {
    let (batch, unit) = (|| "B-1".to_owned(), || "past-1".to_owned());
    let unsafe_because = || Some("the wire is cut".to_owned());
    let stays_open = ConductError::StaysOpen {
        batch: batch(),
        unit: unit(),
        ended: "was interrupted by SIGHUP".to_owned(),
        unsafe_because: unsafe_because(),
        not_kept: None,
        damaged: false,
    };
    let why = Box::new(CloseFault::Store(StoreError::DiskFull));
    let (batch, unit, unsafe_because) = (batch(), unit(), unsafe_because());
    let is_over = true;
    let not_closed = ConductError::NotClosed { batch, unit, is_over, unsafe_because, why };
    for error in [stays_open, not_closed] {
        let before = error.to_string();
        assert!(error.leaves_heat_unproved());
        let confirmed = error.confirmed_late();
        assert!(!confirmed.leaves_heat_unproved());
        let after = confirmed.to_string();
        assert!(before.starts_with("ATTENTION") && before.ends_with(&after), "{after}");
        assert!(after.contains("batch B-1") && !after.contains("ATTENTION"), "{after}");
    }
}

/// Going on with a batch closes it only if it was over: whoever gave it up must hear how to do so again.
#[test]
fn a_batch_that_was_given_up_and_not_closed_is_not_said_to_be_closed_by_going_on() {
    let said = |is_over| {
        let (batch, unit) = ("B-1".to_owned(), "past-1".to_owned());
        let why = Box::new(CloseFault::Told("Ctrl-C"));
        let error = ConductError::NotClosed { batch, unit, is_over, unsafe_because: None, why };
        assert!(error.was_told_to_stop());
        error.to_string()
    };
    let over = said(true);
    assert!(over.contains("this closes it") && over.contains("--resume"), "{over}");
    assert!(!over.contains("--abandon"), "{over}");
    let given_up = said(false);
    assert!(given_up.contains("To go on with it") && given_up.contains("--abandon"), "{given_up}");
    assert!(!given_up.contains("this closes it"), "{given_up}");
}
