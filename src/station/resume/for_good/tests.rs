//! What a person hears of a disk that does not answer while a batch is closed or given up.

use std::time::Duration;

use super::*;
use crate::store::Misfit;

#[test]
fn a_disk_that_does_not_answer_is_told_after_what_is_known_of_the_heater() {
    let stalled = || CloseFault::Stalled(Duration::from_secs(60));
    let said = not_closed(("B-1", "u", true), "Heat was commanded off, and confirmed", stalled())
        .to_string();
    for word in ["B-1 was not closed", "did not answer within 60 s", "--resume"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    let said =
        not_closed(("B-1", "u", true), "ATTENTION: nothing was confirmed", stalled()).to_string();
    assert!(said.starts_with("ATTENTION: batch B-1"), "{said}");
    let refused =
        not_closed(("B-1", "u", true), "Heat is off", CloseFault::Store(StoreError::Locked));
    assert!(matches!(&refused, ConductError::Unreadable { safe, .. } if safe == "Heat is off"));
}

/// Work that is done is given as it is; the person hears nothing of it.
#[tokio::test]
async fn what_the_disk_does_at_once_costs_no_word() {
    let say: fn(&str) = |text| panic!("{text}");
    let done = async { Ok(7) };
    let file = (Path::new("no such file"), say);
    let mut nobody = Box::pin(std::future::pending());
    let given = patiently(file, ("B-1", "u", true), "Heat is off", &mut nobody, done).await;
    assert!(matches!(given, Ok(7)));
}

/// A disk that hangs while a batch is closed or given up keeps nobody at the terminal.
#[tokio::test]
async fn whoever_ends_the_program_is_heard_while_the_disk_hangs() {
    let file: (&Path, fn(&str)) = (Path::new("no such file"), |_| ());
    let hangs = std::future::pending::<Result<(), _>>();
    let mut told = Box::pin(std::future::ready("Ctrl-C"));
    let ended = patiently(file, ("B-1", "u", true), "Heat is off", &mut told, hangs).await;
    let said = ended.expect_err("it was told to stop").to_string();
    for word in ["B-1 was not closed", "stopped by Ctrl-C", "--resume"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
}

/// Whoever reads that a record was altered throws the milk away.
#[test]
fn a_record_that_could_only_not_be_read_is_not_called_altered() {
    let whose = || ("B-1".to_owned(), "u".to_owned());
    let refused = |misfit: Misfit| {
        ConductError::unfit(whose(), "Heat was commanded off".to_owned(), Box::new(misfit))
    };
    let unread = refused(Misfit::Unreadable(StoreError::Disk("I/O error".to_owned())));
    let said = unread.to_string();
    for word in ["B-1", "I/O error", "stays open", "Heat was commanded off", "--resume"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    assert!(!said.contains("keep it apart") && !said.contains("--abandon"), "{said}");
    assert!(!unread.is_damage());

    let altered = refused(Misfit::Unreadable(StoreError::Damaged("malformed".to_owned())));
    let said = altered.to_string();
    assert!(said.contains("cannot be continued") && said.contains("keep it apart"), "{said}");
    assert!(altered.is_damage());
}
