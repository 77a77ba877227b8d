//! The unit's own cut, against a machine that heats although nobody tells it to.

use super::*;

/// Nobody runs the machine in the come-up for an hour.
fn left_alone(cut: Cut, defect: Defect) -> Report {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    let (phase, after_ms) = (PhaseName::ComeUp, 60_000);
    let killed = Fault { phase, after_ms, ..in_the_hold(Kind::Killed, 3_600_000) };
    scenario.faults.push(killed);
    scenario.cut = cut;
    // Full power until somebody says otherwise.
    scenario.params.heater = crate::batch::params::Heater::Power {
        power_w: scenario.plant.heater_w.round() as u32,
        bath_j_per_k: 200_000,
        delay_ms: 20_000,
    };
    of_scenario(&scenario, Wanted { defect, ..Wanted::default() }).expect("it has its end").1
}

#[test]
fn a_cut_that_comes_later_than_the_unit_declares_is_found() {
    for cut in [Cut::Watchdog(5_000), Cut::Limit(66.0)] {
        assert_eq!(left_alone(cut, Defect::None).violations, [], "{cut:?}");
        let report = left_alone(cut, Defect::CutComesLate);
        assert_eq!(broken(&report), [Invariant::Heat], "{cut:?}: {report:#?}");
    }
}

/// Seed 0 with these faults in its come-up, on a unit with this cut.
fn cut_in_the_come_up(faults: &[(Kind, f64)], cut: Cut, defect: Defect) -> Report {
    let mut scenario = Scenario::drawn(0, &fixture::recipe());
    scenario.cut = cut;
    scenario.faults.extend(faults.iter().map(|(kind, size)| Fault {
        phase: PhaseName::ComeUp,
        size: *size,
        after_ms: 60_000,
        ..in_the_hold(*kind, FOR_EVER_MS)
    }));
    of_scenario(&scenario, Wanted { defect, ..Wanted::default() }).expect("it has its end").1
}

/// A welded relay, a device in manual and one that was reset while nothing arrives: the cut that the
/// unit declares holds against all of them.
#[test]
fn a_late_cut_of_a_machine_that_heats_by_itself_is_found() {
    let limit = Cut::Limit(66.0);
    let (welded, manual) = ((Kind::HeaterWelded, 0.0), (Kind::DeviceManual, 80.0));
    let alone = [(Kind::CommandsLost, 0.0), (Kind::DeviceReset, 70.0)];
    let cases = [
        (&[welded][..], limit),
        (&[manual], limit),
        (&alone, limit),
        (&alone, Cut::Watchdog(20_000)),
    ];
    for (faults, cut) in cases {
        let sound = cut_in_the_come_up(faults, cut, Defect::None);
        assert_eq!(sound.violations, [], "{faults:?}, {cut:?}");
        let report = cut_in_the_come_up(faults, cut, Defect::CutComesLate);
        assert_eq!(broken(&report), [Invariant::Heat], "{faults:?}, {cut:?}");
    }
}
