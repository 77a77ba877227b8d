//! What comes in late, with something else wrong at the same time.

use super::*;

/// A run without a fault of this seed with one milk probe and a lid switch, and these faults.
fn with_faults(seed: u64, faults: &[Fault]) -> (Done, Report) {
    let mut scenario = Scenario::drawn(seed, &fixture::recipe());
    assert!(scenario.is_clean());
    scenario.params.milk.truncate(1);
    scenario.params.has_lid = true;
    scenario.acknowledge_ms = Some(30_000);
    scenario.pace.load_ms = 400_000;
    // Else the count of what comes out shows the raw bottles, whatever the rules of the hold say.
    scenario.counts = Counts::Never;
    scenario.faults.extend(faults);
    of_scenario(&scenario, Wanted::default()).expect("it has its end")
}

fn at(kind: Kind, size: f64, after_s: u64, lasts_s: u64) -> Fault {
    let (after_ms, lasts_ms) = (after_s * 1_000, lasts_s * 1_000);
    Fault { size, after_ms, ..in_the_come_up(kind, lasts_ms) }
}

fn control_first() -> Fault {
    Fault { phase: PhaseName::Load, ..at(Kind::ControlFirst, 0.0, 0, FOR_EVER_MS / 1_000) }
}

fn raw_bottles() -> Fault {
    at(Kind::ColdBottles, 6.0, 600, 30)
}

fn stops(after_s: u64) -> Fault {
    at(Kind::AgitatorStopped, 0.0, after_s, FOR_EVER_MS / 1_000)
}

fn is_wrong(report: &Report) -> bool {
    report.outcome == Outcome::Acceptable && !report.true_hold
}

/// Each of these was accepted: the raw bottles had 594, 821, 1055 and 563 s of their 1800, and the last
/// ones of the load 1407 and 1468 s.
#[test]
fn water_that_stands_still_hides_nothing_that_came_in_late() {
    let cases = [
        (100_092, [raw_bottles(), stops(1_000)]),
        (100_012, [raw_bottles(), stops(1_000)]),
        (100_004, [raw_bottles(), stops(1_000)]),
        (100_012, [raw_bottles(), stops(700)]),
        (100_024, [control_first(), stops(700)]),
        (100_072, [control_first(), stops(700)]),
    ];
    for (seed, faults) in cases {
        let (done, report) = with_faults(seed, &faults);
        assert_eq!((&report.violations[..], report.residual), (&[][..], None), "seed {seed}");
        assert!(!is_wrong(&report), "seed {seed}: {} ms", done.true_hold_ms);
    }
}

/// Accepted with 1670 and 1703 s: one spike made the bottle look fast to both judges.
#[test]
fn a_spike_hides_no_last_bottle_of_the_load() {
    let spiking = |size, after_s| at(Kind::Spiking, size, after_s, 60);
    for (seed, spikes) in [(100_016, spiking(12.0, 240)), (100_092, spiking(6.0, 200))] {
        let (done, report) = with_faults(seed, &[control_first(), spikes]);
        assert_eq!((&report.violations[..], report.residual), (&[][..], None), "seed {seed}");
        assert!(!is_wrong(&report), "seed {seed}: {} ms", done.true_hold_ms);
    }
}

/// The judge had begun a hold already, and the controller still waited for the last bottle: they counted
/// different numbers of broken holds, and a good batch was disputed.
#[test]
fn a_lid_that_is_opened_while_the_last_bottle_is_waited_for_disputes_nothing() {
    for seed in [100_008, 100_016, 100_020, 100_028] {
        let (_, report) =
            with_faults(seed, &[control_first(), at(Kind::LidOpened, 0.0, 1_300, 20)]);
        assert_eq!((report.outcome, report.disputed), (Outcome::Acceptable, false), "seed {seed}");
    }
}

/// Water that stands still only while milk and bath are at rest shows by nothing (residual 5). What stands
/// still longer shows, and excuses nothing.
#[test]
fn only_an_agitator_that_shows_by_nothing_is_excused() {
    use crate::soak::residual::{Residual, of};
    use crate::soak::rig::Became;
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    scenario.params.has_lid = true;
    scenario.faults = vec![raw_bottles()];
    let became =
        Became { gap_k: Some(3.9), within_hold: true, count_fits: true, ..Became::default() };
    let of = |scenario: &Scenario, became| of(&stops(1_000), &became, scenario);
    assert_eq!(of(&scenario, became), Some(Residual::Unmoved));
    assert_eq!(of(&scenario, Became { gap_k: Some(4.0), ..became }), None, "302 sees it");
    assert_eq!(of(&scenario, Became { count_fits: false, ..became }), None, "the count shows it");
    assert_eq!(of(&scenario, Became { gap_k: None, ..became }), None, "it never began");
    assert_eq!(
        of(&scenario, Became { within_hold: false, ..became }),
        None,
        "the cooling shows it"
    );
    scenario.faults.clear();
    assert_eq!(of(&scenario, became), None, "nothing came late");
    scenario.faults = vec![control_first()];
    assert_eq!(of(&scenario, became), Some(Residual::Unmoved));
}
