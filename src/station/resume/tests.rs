//! What a person hears of a disk that does not answer while a batch is closed or given up.

use super::*;

#[test]
fn a_disk_that_does_not_answer_is_told_after_what_is_known_of_the_heater() {
    let stalled = || CloseFault::Stalled(Duration::from_secs(60));
    let said =
        not_closed(("B-1", "u"), "Heat was commanded off, and confirmed", stalled()).to_string();
    for word in ["B-1 was not closed", "did not answer within 60 s", "--resume"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    let said = not_closed(("B-1", "u"), "ATTENTION: nothing was confirmed", stalled()).to_string();
    assert!(said.starts_with("ATTENTION: batch B-1"), "{said}");
    let refused = not_closed(("B-1", "u"), "Heat is off", CloseFault::Store(StoreError::Locked));
    assert!(matches!(&refused, ConductError::Unreadable { safe, .. } if safe == "Heat is off"));
}

/// Work that is done is given as it is; the person hears nothing of it.
#[tokio::test]
async fn what_the_disk_does_at_once_costs_no_word() {
    let say: fn(&str) = |text| panic!("{text}");
    let done = async { Ok(7) };
    let given =
        patiently((Path::new("no such file"), say), ("B-1", "u"), "Heat is off", done).await;
    assert!(matches!(given, Ok(7)));
}
