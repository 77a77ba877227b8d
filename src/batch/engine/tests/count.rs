//! The bottles that came out, counted beside the 48 that went in.

use super::*;

/// A good batch whose milk is cold.
fn unloading() -> Bench {
    let mut bench = Bench::holding(params());
    bench.until(PhaseName::Cool);
    bench.milk(9_000);
    bench.until(PhaseName::Unload);
    bench
}

fn out(bottles: u16) -> Action {
    Action::ConfirmUnload { bottles }
}

/// REQ-COUNT-01
#[test]
fn more_bottles_out_than_in_fail_a_good_batch_and_as_many_or_fewer_do_not() {
    for (counts, accepts) in [
        (&[48][..], true),
        (&[49, 49], false),
        (&[u16::MAX, u16::MAX], false),
        (&[47, 49], false),
        (&[47, 47], true),
        (&[1, 1], true),
        (&[47, 48], true),
        (&[49, 48], true),
    ] {
        let mut bench = unloading();
        for bottles in counts {
            assert_eq!(bench.engine.phase(), PhaseName::Unload, "{counts:?}");
            assert_eq!(bench.act(out(*bottles)), None);
        }
        assert_eq!(bench.engine.accepts(), Some(accepts), "{counts:?}");
        let bottles = *counts.last().expect("one");
        let causes = bench.causes();
        assert_eq!(causes.last(), Some(&&Cause::Unloaded { bottles, loaded: 48 }));
        let asked_again = |entry: &&Entry| matches!(entry.event, Event::CountDiffers { .. });
        assert_eq!(bench.log.iter().filter(asked_again).count(), counts.len() - 1, "{counts:?}");
    }
}

/// REQ-COUNT-01
#[test]
fn a_first_count_that_differs_is_kept_and_asked_for_again_also_after_an_interruption() {
    let mut bench = unloading();
    assert_eq!(bench.act(out(50)), None);
    let noted = bench.last.entries.iter().map(|entry| &entry.event).collect::<Vec<_>>();
    assert_eq!(noted, [&Event::CountDiffers { loaded: 48, counted: 50 }]);
    assert_eq!((bench.engine.phase(), bench.engine.accepts()), (PhaseName::Unload, None));
    bench.now_s += 30;
    bench.act(Action::Resume { outage_ms: Some(30_000) });
    bench.seconds(1);
    assert_eq!(bench.act(out(50)), None);
    assert_eq!((bench.engine.phase(), bench.engine.accepts()), (PhaseName::Finished, Some(false)));
}

/// REQ-COUNT-01, REQ-SEQ-01
#[test]
fn no_bottle_out_is_no_count_and_none_is_taken_before_its_time() {
    let mut bench = Bench::holding(params());
    assert_eq!(bench.act(out(50)), Some(Refusal::NotUnloading(PhaseName::Hold)));
    bench.until(PhaseName::Cool);
    bench.milk(9_000);
    bench.until(PhaseName::Unload);
    assert_eq!(bench.act(out(0)), Some(Refusal::NoBottles));
    assert_eq!(bench.act(out(50)), None);
    assert_eq!(bench.engine.phase(), PhaseName::Unload, "the first count, which differs");
}
