use holder_hal::Kelvin;
use holder_sim::params::PlantParams;

use super::super::tests::on_bench;
use super::super::water::ProbeMean;
use super::super::{Verdict, mapping};
use super::*;
use crate::batch::event::{Cause, Event};
use crate::batch::params::BatchParams;
use crate::station::rehearsal::rehearse;
use crate::store::model::BatchRecord;

/// A good water run of the bench's unit, as it would be read.
fn run(bench: &Bench<'_>) -> BatchRecord {
    let run = rehearse(bench.params.clone(), PlantParams::nominal(), 1, 0.1, bench.bottles());
    let mut record = run.expect("allowed").record();
    record.header.bottle_ul = 130_000;
    record
}

/// The same on day `day`, with these bottles confirmed; `change` may spoil it.
fn on_day(
    run: &BatchRecord,
    day: i64,
    bottles: u16,
    change: impl FnOnce(&mut BatchRecord),
) -> Recorded {
    let mut record = run.clone();
    record.header.code = format!("B-{day}");
    record.header.started_utc_ms = day * 86_400_000;
    record.header.bottles = bottles;
    for stamped in &mut record.entries {
        let Event::Entered { cause, .. } = &mut stamped.entry.event else { continue };
        if let Cause::Loaded { bottles: loaded } = cause {
            *loaded = bottles;
        } else if let Cause::Unloaded { bottles: out, loaded } = cause {
            (*out, *loaded) = (bottles, bottles);
        }
    }
    change(&mut record);
    Recorded { header: record.header.clone(), record: Ok(record) }
}

fn as_it_was(_: &mut BatchRecord) {}

/// The batch of each row; nothing where it waits.
fn batches(plan: &Plan) -> Vec<&str> {
    plan.rows.iter().map(|row| row.run.as_ref().map_or("", |run| run.batch.as_str())).collect()
}

fn verdict(plan: &Plan, number: &str) -> (Verdict, String) {
    let step = mapping::STEPS.iter().find(|step| step.number == number).expect("there");
    let seen = (step.run)(plan).expect("it can be run");
    (seen.verdict, seen.observed)
}

/// Three full loads, two halves and two single bottles, as the plan of 48 places wants them.
fn whole(run: &BatchRecord) -> Vec<Recorded> {
    let loads = [48, 48, 48, 24, 24, 1, 1];
    (1..).zip(loads).map(|(day, bottles)| on_day(run, day, bottles, as_it_was)).collect()
}

#[test]
fn an_empty_plan_names_each_run_with_its_command_and_the_first_one_as_next() {
    let plan = on_bench(|_| (), |bench| Plan::of(bench, Vec::new()));
    let rows: Vec<_> =
        plan.rows.iter().map(|row| (row.number.as_str(), row.bottles, row.repeat)).collect();
    let wanted = [
        ("HR-01", 48, 1),
        ("HR-02", 48, 2),
        ("HR-03", 48, 3),
        ("HR-04", 24, 1),
        ("HR-05", 24, 2),
        ("HR-06", 1, 1),
        ("HR-07", 1, 2),
    ];
    assert_eq!(rows, wanted);
    let next = plan.next.as_ref().expect("something is to do");
    assert_eq!(next.row, "HR-01");
    assert_eq!(
        next.command,
        "holder run demo --water --bottles 48 --bottle-ml 130 --recipe holder-hmbana"
    );
    assert!(next.first.contains("48 bottles") && next.first.contains("130 ml"), "{next:?}");
    assert!(next.probes.contains("bottles.channel_0 in the control bottle"), "{next:?}");
    for step in mapping::STEPS {
        assert_eq!(verdict(&plan, step.number).0, Verdict::Open, "{}", step.number);
    }
}

/// REQ-MAP-01, REQ-MAP-02, REQ-MAP-03, REQ-MAP-04
#[test]
fn a_plan_is_open_until_its_last_row_is_filled() {
    let [open, done] = on_bench(
        |_| (),
        |bench| {
            let run = run(bench);
            let mut six = whole(&run);
            six.pop();
            [six, whole(&run)].map(|recorded| Plan::of(bench, recorded))
        },
    );
    assert_eq!(batches(&open), ["B-1", "B-2", "B-3", "B-4", "B-5", "B-6", ""]);
    assert_eq!(open.next.as_ref().expect("one more").row, "HR-07");
    for number in ["HP-01", "HP-02", "HP-03", "HP-04"] {
        let (verdict, observed) = verdict(&open, number);
        assert_eq!(verdict, Verdict::Open, "{number}: {observed}");
        assert!(observed.contains("B-1 SIMULATED") && observed.contains("HR-07"), "{observed}");
    }
    assert_eq!((&done.next, done.set_aside.as_slice()), (&None, [].as_slice()));
    for step in mapping::STEPS {
        let (verdict, observed) = verdict(&done, step.number);
        assert_eq!(verdict, Verdict::Pass, "{}: {observed}", step.number);
    }
}

#[test]
fn the_newest_runs_fill_the_rows_in_the_order_of_time_and_the_older_ones_are_named() {
    let plan = on_bench(
        |_| (),
        |bench| {
            let run = run(bench);
            let four = [2, 4, 1, 3].map(|day| on_day(&run, day, 48, as_it_was));
            Plan::of(bench, four.into())
        },
    );
    assert_eq!(batches(&plan)[..4], ["B-2", "B-3", "B-4", ""]);
    let [older] = plan.set_aside.as_slice() else { panic!("{:?}", plan.set_aside) };
    assert_eq!((older.batch.as_str(), older.verifies), ("B-1", true));
    assert!(older.why.contains("newer runs fill the rows of its load"), "{older:?}");
    let figures = older.why.contains(" min, spread 0.0")
        && older.why.contains("behind the control bottle by 0.0");
    assert!(figures, "a bad run cannot hide behind better ones: {older:?}");
}

/// Why a full load fills no row after `change`.
fn why(bench: &Bench<'_>, run: &BatchRecord, change: impl FnOnce(&mut BatchRecord)) -> String {
    let plan = Plan::of(bench, vec![on_day(run, 1, 48, change)]);
    assert_eq!(batches(&plan), [""; 7]);
    let [one] = plan.set_aside.as_slice() else { panic!("{:?}", plan.set_aside) };
    assert_eq!(one.batch, "B-1");
    one.why.clone()
}

type Change = fn(&mut BatchRecord);

const OTHER_CONDITIONS: [(Change, &str); 11] = [
    (|one| one.params.recipe.name = "mild".into(), "it ran by recipe mild"),
    (|one| one.params.recipe.hold.hold_ms += 1, "recipe holder-hmbana had other values"),
    (|one| one.header.bottle_ul = 250_000, "its bottles held 250 ml, not 130 ml"),
    (|one| one.header.bottle_ul = 0, "the volume of its bottles was not recorded"),
    (|one| one.params.milk.truncate(1), "now they are bottles.channel_0, bottles.channel_1"),
    (|one| one.params.bath.source = "other.pv".into(), "its bath probe was other.pv"),
    (|one| one.params.cascade.gain_permille += 1, "were set otherwise"),
    (|one| one.header.simulated = false, "it ran on a real machine"),
    (|one| one.header.closed_utc_ms = None, "it is still open"),
    (|one| one.periods.truncate(600), "incomplete: "),
    (|one| one.header.engine_accepts = Some(false), "unacceptable: "),
];

#[test]
fn a_run_under_other_conditions_fills_no_row_and_is_named_with_the_reason() {
    on_bench(
        |_| (),
        |bench| {
            let run = run(bench);
            for (change, wanted) in OTHER_CONDITIONS {
                let why = why(bench, &run, change);
                assert!(why.contains(wanted), "{wanted}: {why}");
            }
            // A margin measured meanwhile moves the target a little: it is the same machine.
            let renewed = |one: &mut BatchRecord| {
                one.params.margin = Kelvin::from_milli(190);
                one.params.cascade.target_above_limit = Kelvin::from_milli(260);
            };
            let plan = Plan::of(bench, vec![on_day(&run, 1, 48, renewed)]);
            assert_eq!(batches(&plan)[0], "B-1", "{:?}", plan.set_aside);
        },
    );
}

#[test]
fn the_bottles_that_were_confirmed_count_and_not_those_that_were_told() {
    let plan = on_bench(
        |_| (),
        |bench| {
            let told_48 = |one: &mut BatchRecord| one.header.bottles = 48;
            Plan::of(bench, vec![on_day(&run(bench), 1, 47, told_48)])
        },
    );
    assert_eq!(batches(&plan), [""; 7]);
    assert_eq!(plan.set_aside[0].why, "47 bottles were in; the plan asks for 48, 24, 1");
}

#[test]
fn a_record_that_does_not_verify_fills_no_row_and_fails_its_step() {
    let plan = on_bench(
        |_| (),
        |bench| {
            let mut recorded = whole(&run(bench));
            recorded[0].record = Err("entry 3 of the journal".into());
            Plan::of(bench, recorded)
        },
    );
    assert_eq!(batches(&plan)[..3], ["B-2", "B-3", ""]);
    let (verified, observed) = verdict(&plan, "HP-05");
    assert_eq!(verified, Verdict::Fail, "{observed}");
    assert!(observed.contains("6 of 7") && observed.contains("entry 3"), "{observed}");
    assert_eq!(verdict(&plan, "HP-01").0, Verdict::Open);
}

#[test]
fn with_one_milk_probe_what_needs_two_is_open_and_says_what_would_be_needed() {
    let single = |params: &mut BatchParams| params.milk.truncate(1);
    let [empty, done] = on_bench(single, |bench| {
        [Vec::new(), whole(&run(bench))].map(|recorded| Plan::of(bench, recorded))
    });
    assert!(empty.next.expect("to do").first.contains("with one milk probe"));
    assert_eq!(done.set_aside, []);
    assert_eq!(done.next.as_ref().expect("it begins anew").row, "HR-01");
    for number in ["HP-01", "HP-02", "HP-04"] {
        let (verdict, observed) = verdict(&done, number);
        assert_eq!(verdict, Verdict::Open, "{number}: {observed}");
        assert!(observed.contains("a second bottle a probe"), "{observed}");
    }
    let (come_up, observed) = verdict(&done, "HP-03");
    assert_eq!(come_up, Verdict::Pass, "{observed}");
}

#[test]
fn one_figure_beyond_its_limit_fails_the_step_though_rows_are_missing() {
    let full = |bench: &Bench<'_>| vec![on_day(&run(bench), 1, 48, as_it_was)];
    let mut plan = on_bench(|_| (), |bench| Plan::of(bench, full(bench)));
    let run = plan.rows[0].run.as_mut().expect("filled");
    let mean = |source: &str, mean_c| ProbeMean { source: source.into(), mean_c };
    run.means = vec![mean("a", 63.10), mean("b", 62.80)];
    (run.behind_max_c, run.spread_max_c) = (Some(0.31), Some(0.51));
    for (number, words) in [("HP-02", "0.51 °C"), ("HP-04", "0.31 °C")] {
        let (verdict, observed) = verdict(&plan, number);
        assert_eq!(verdict, Verdict::Fail, "{number}: {observed}");
        assert!(observed.contains(words), "{observed}");
    }
    let (cold_point, observed) = verdict(&plan, "HP-01");
    assert_eq!(cold_point, Verdict::Open);
    assert!(observed.contains("b, 0.30 °C colder"), "{observed}");
    let run = plan.rows[0].run.as_mut().expect("filled");
    run.means.pop();
    run.behind_max_c = None;
    assert_eq!(verdict(&plan, "HP-01").0, Verdict::Fail, "a probe that gave nothing");
    let (margin, observed) = verdict(&plan, "HP-04");
    assert_eq!(margin, Verdict::Fail, "{observed}");
}

#[test]
fn a_difference_within_the_uncertainty_names_no_cold_point() {
    let full = |bench: &Bench<'_>| vec![on_day(&run(bench), 1, 48, as_it_was)];
    let plan = on_bench(|_| (), |bench| Plan::of(bench, full(bench)));
    assert!((plan.uncertainty_c - 0.1).abs() < 1e-9);
    let run = plan.runs().next().expect("filled");
    // Both probes of the simulated machine are in its control bottle.
    let (coldest, apart_c) = run.coldest().expect("two probes");
    assert!(apart_c < 0.1 && coldest.mean_c >= 62.8, "{run:?}");
    assert!(words::coldest(&plan, run).starts_with("none"), "{run:?}");
}

#[test]
fn a_unit_with_few_places_has_each_load_once() {
    assert_eq!(loads(48), [(48, 3), (24, 2), (1, 2)]);
    assert_eq!(loads(3), [(3, 3), (2, 2), (1, 2)]);
    assert_eq!(loads(2), [(2, 3), (1, 2)]);
    assert_eq!(loads(1), [(1, 3)]);
}

#[test]
fn probes_that_find_no_bottle_stand_in_the_control_bottle() {
    let probes = ["a", "b", "c", "d"].map(str::to_owned);
    let said = places(&probes, 1, 48, 1);
    assert!(said.contains("b, c, d in the one bottle; 2 left over"), "{said}");
    assert!(!places(&probes, 24, 48, 1).contains("left over"));
}

/// A full load of water whose second probe, in a slow bottle, is so far behind when the control bottle
/// alone would begin the hold, and catches up with this time constant.
fn slow_bottle(bench: &Bench<'_>, behind_k: f64, catches_up_s: f64) -> BatchRecord {
    let curve = crate::record::curve::curve(&run(bench));
    let begin = crate::batch::judge::behind_first(&bench.params.recipe, &curve);
    assert!(begin.is_some(), "the control bottle begins the hold");
    let verdict = bench.judged(&run(bench));
    let loaded_ms = curve.load_ms.expect("loaded");
    let come_up_s = verdict.figures.come_up_s.expect("held");
    let begin_ms = loaded_ms + (come_up_s * 1_000.0) as u64;
    let spoiled = bench.spoiled(|at, reading| {
        let since_s = at.ms().saturating_sub(begin_ms) as f64 / 1_000.0;
        let off_k = behind_k * (-since_s / catches_up_s).exp();
        if let [_, Some(second), ..] = reading.milk.as_mut_slice() {
            let off = Kelvin::from_milli((off_k * 1_000.0).round() as i32);
            second.raw = second.raw.map(|raw| raw - off);
        }
    });
    let mut record = spoiled.expect("it runs").record;
    record.header.bottle_ul = 130_000;
    record
}

/// A batch of milk follows its control bottle: one in the fastest place clears its limit while the
/// slowest milk is still cold. In a water run every probe is required, so that the hold, and every
/// mean over it, begins only when the slowest has come.
/// REQ-MAP-04
#[test]
fn a_control_bottle_in_a_fast_place_fails_though_the_hold_of_all_probes_hides_it() {
    on_bench(
        |_| (),
        |bench| {
            let good = run(bench);
            let slow = slow_bottle(bench, 0.6, 120.0);
            let plan = Plan::of(bench, vec![on_day(&slow, 1, 48, as_it_was)]);
            let run = plan.runs().next().expect("it counts: every probe held");
            let apart_c = |means: &[ProbeMean]| (means[0].mean_c - means[1].mean_c).abs();
            assert!(apart_c(&run.means) < 0.1, "the mean over the hold hides it: {run:?}");
            assert!((apart_c(&run.at_begin) - 0.6).abs() < 0.11, "{run:?}");
            let (margin, observed) = verdict(&plan, "HP-04");
            assert_eq!(margin, Verdict::Fail, "{observed}");
            let begin_c = run.behind_at_begin_c().expect("known");
            assert!(observed.contains(&format!("({begin_c:.2} °C at its begin)")), "{observed}");
            // The slow bottle is the cold point, too.
            let (_, observed) = verdict(&plan, "HP-01");
            assert!(observed.contains("bottles.channel_1, 0."), "{observed}");
            // Pushed out of the plan by newer runs, it is named with what it was.
            let mut four = vec![on_day(&slow, 1, 48, as_it_was)];
            four.extend([2, 3, 4].map(|day| on_day(&good, day, 48, as_it_was)));
            let plan = Plan::of(bench, four);
            let [aside] = plan.set_aside.as_slice() else { panic!("{:?}", plan.set_aside) };
            let figure = format!("({begin_c:.2} °C at its begin)");
            assert!(aside.why.contains(&figure), "{aside:?}");
        },
    );
}

/// REQ-MAP-04
#[test]
fn a_bottle_that_is_a_little_slow_is_within_the_margin_and_a_smaller_margin_looks_earlier() {
    on_bench(
        |_| (),
        |bench| {
            let slow = slow_bottle(bench, 0.08, 600.0);
            let plan = Plan::of(bench, vec![on_day(&slow, 1, 48, as_it_was)]);
            let run = plan.runs().next().expect("it counts");
            let max_c = run.behind_max_c.expect("known");
            assert!(max_c >= run.behind_at_begin_c().expect("known"), "{run:?}");
            assert!((0.08..=0.2).contains(&max_c), "{run:?}");
            assert_eq!(verdict(&plan, "HP-04").0, Verdict::Open);
        },
    );
}
