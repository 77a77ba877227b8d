use super::super::tests::{own, verdict};
use super::*;
use crate::batch::curve::Curve;
use crate::batch::verdict::Outcome;

fn counted(counts: &[u16]) -> Curve {
    Curve { counts_out: counts.to_vec(), ..own() }
}

/// What the rule says of 48 bottles in and these counts.
fn told(counts: &[u16]) -> Option<(Severity, String)> {
    let found = verdict(&counted(counts));
    let mut of_rule = found.findings.into_iter().filter(|f| f.rule == Rule::BottleCount);
    let first = of_rule.next().map(|found| (found.severity, found.text));
    assert_eq!(of_rule.next(), None);
    first
}

/// REQ-COUNT-01
#[test]
fn more_out_than_in_fails_and_fewer_or_more_at_first_is_a_deviation() {
    for (counts, severity) in [
        (&[48][..], None),
        (&[47, 48], None),
        (&[49, 48], Some(Severity::Deviation)),
        (&[49, 47], Some(Severity::Deviation)),
        (&[47, 47], Some(Severity::Deviation)),
        (&[1], Some(Severity::Deviation)),
        (&[49], Some(Severity::Fail)),
        (&[47, 49], Some(Severity::Fail)),
        (&[49, 72], Some(Severity::Fail)),
    ] {
        assert_eq!(told(counts).map(|(severity, _)| severity), severity, "{counts:?}");
        for number in ["48", &counts.last().expect("one").to_string()] {
            assert!(told(counts).is_none_or(|(_, text)| text.contains(number)), "{counts:?}");
        }
    }
    let (_, text) = told(&[49]).expect("found");
    assert!(text.contains("none of them may go on"), "{text}");
    let (_, text) = told(&[49, 48]).expect("found");
    assert!(text.contains("49 bottles were counted out at first, and 48"), "{text}");
}

/// REQ-COUNT-01, REQ-JUDGE-01
#[test]
fn what_the_engine_accepted_with_more_out_than_in_is_disputed_and_not_acceptable() {
    let found = verdict(&counted(&[49, 49]));
    assert_eq!(found.outcome, Outcome::Unacceptable);
    assert!(found.findings.iter().any(|finding| finding.rule == Rule::Disputed));
    let agreed = verdict(&Curve { engine_accepts: Some(false), ..counted(&[49, 49]) });
    assert!(agreed.findings.iter().all(|finding| finding.rule != Rule::Disputed));
    assert_eq!(verdict(&counted(&[47, 47])).outcome, Outcome::Acceptable, "QA decides");
}

/// REQ-COUNT-01
#[test]
fn a_record_of_ours_that_ends_without_a_count_is_incomplete_and_a_foreign_one_needs_none() {
    let ended = |phase| Curve { end_phase: Some(phase), ..counted(&[]) };
    for uncounted in [counted(&[]), Curve { bottles_in: None, ..own() }] {
        let found = verdict(&uncounted);
        assert_eq!(found.outcome, Outcome::Incomplete);
        let lacks = |f: &&Finding| f.rule == Rule::Record && f.text.contains("not counted");
        assert_eq!(found.findings.iter().filter(lacks).count(), 1);
    }
    let stopped = verdict(&ended(PhaseName::Aborted));
    assert!(stopped.findings.iter().all(|f| f.rule != Rule::Record), "{:?}", stopped.findings);
    let foreign = Curve { own_record: false, bottles_in: None, ..counted(&[]) };
    let found = verdict(&foreign);
    assert!(found.findings.iter().all(|f| f.rule != Rule::Record && f.rule != Rule::BottleCount));
    assert_eq!(found.outcome, Outcome::Acceptable);
}
