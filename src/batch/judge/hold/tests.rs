use super::*;
use crate::batch::curve::{Curve, Row};
use crate::batch::fixture::recipe;
use crate::batch::judge::moments::moments;
use crate::batch::judge::tests::{LIMIT, good, row};

/// The strict recipe with a hold of a minute, that begins after 20 s.
fn rule() -> HoldRule {
    HoldRule { hold_ms: 60_000, ..recipe().hold }
}

/// Two probes that are warm enough, every second.
fn warm(s: u64) -> Vec<Row> {
    (0..s).map(|t_s| row(t_s, &[LIMIT + 100, LIMIT + 100])).collect()
}

fn holds_of(rows: Vec<Row>) -> Holds {
    let moments = moments(&recipe(), &Curve { rows, ..good() }, 0, 0);
    holds(&rule(), &moments)
}

/// First and last second of a hold, and how long it lasted.
fn s(hold: Option<Hold>) -> Option<(usize, usize, u64)> {
    hold.map(|hold| (hold.first, hold.last, hold.ms / 1_000))
}

#[test]
fn a_hold_begins_after_twenty_seconds_and_is_complete_after_its_minute() {
    assert_eq!(s(holds_of(warm(20)).longest), None);
    assert_eq!(s(holds_of(warm(21)).longest), Some((20, 20, 0)));
    let short = holds_of(warm(80));
    assert_eq!((s(short.longest), short.complete), (Some((20, 79, 59)), None));
    let whole = holds_of(warm(81));
    assert_eq!(s(whole.complete), Some((20, 80, 60)));
    assert_eq!(whole.ended, None, "it may still go on");
}

#[test]
fn the_first_of_two_holds_of_one_length_is_the_longest() {
    let mut rows = warm(120);
    // Open for one row: the hold begins again 20 s after the next.
    for (at, lid) in [(51, false), (52, true), (103, false)] {
        rows[at].lid = Some(lid);
    }
    let found = holds_of(rows);
    assert_eq!(s(found.longest), Some((20, 50, 30)));
    assert_eq!(
        found.breaks.iter().map(|b| (b.t_ms, b.held_ms)).collect::<Vec<_>>(),
        [(51_000, 30_000), (103_000, 30_000),]
    );
    assert_eq!(found.first_begin, Some(20));
}

#[test]
fn a_longer_hold_after_the_first_is_the_longest_and_the_first_whole_one_is_complete() {
    let mut rows = warm(300);
    for (at, lid) in [(51, false), (52, true), (140, false), (141, true)] {
        rows[at].lid = Some(lid);
    }
    let found = holds_of(rows);
    assert_eq!(s(found.complete), Some((72, 139, 67)));
    assert_eq!(found.ended, Some(139));
    assert_eq!(s(found.longest), Some((161, 299, 138)));
    assert_eq!(found.breaks.len(), 1, "after a complete hold nothing restarts");
}

#[test]
fn a_controller_that_cools_ends_the_hold_with_that_row() {
    let mut rows = warm(200);
    rows[80].phase = Some(PhaseName::Cool);
    let found = holds_of(rows);
    assert_eq!((s(found.complete), found.ended), (Some((20, 80, 60)), Some(80)));
    assert!(found.breaks.is_empty());
}

#[test]
fn what_broke_a_hold_is_told_the_gravest_first() {
    let broken = |change: fn(&mut Vec<Row>)| {
        let mut rows = warm(60);
        change(&mut rows);
        let reasons = holds_of(rows).breaks.into_iter().map(|one| one.reason);
        reasons.collect::<Vec<_>>()
    };
    let gap = |rows: &mut Vec<Row>| (30..41).for_each(|at| rows[at].milk[1] = None);
    assert!(matches!(broken(gap)[..], [Reason::Gap(gap)] if (gap.probe, gap.ms) == (1, 11_000)));
    let both = |rows: &mut Vec<Row>| {
        (30..41).for_each(|at| rows[at].milk[1] = None);
        rows[40].lid = Some(false);
    };
    assert!(matches!(broken(both)[..], [Reason::Lid]));
    let cold =
        |rows: &mut Vec<Row>| rows[40].milk[0] = Some(holder_hal::Celsius::from_milli(60_000));
    assert!(matches!(broken(cold)[..], [Reason::Below(below)] if below.probe == 0));
}

#[test]
fn only_what_comes_after_the_hold_is_past_it() {
    let past: Vec<_> = PhaseName::ALL.into_iter().filter(|phase| is_past_hold(*phase)).collect();
    let (cool, end) = (PhaseName::Cool, PhaseName::Unload);
    assert_eq!(past, [cool, end, PhaseName::Finished, PhaseName::Aborted]);
}
