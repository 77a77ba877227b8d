//! Whether the readings can be those of milk: on whole batches of drawn plants.

use holder_hal::{Reading, Sample};
use holder_sim::ProbeSite;
use holder_sim::machine::SimMachine;

use super::plants::{Now, Ran, Run};
use super::*;

/// What the judge must not say of a good batch.
const PLAUSIBILITY: [Rule; 5] =
    [Rule::ProbePlace, Rule::ProbeJump, Rule::ProbeStill, Rule::BottleLag, Rule::BathFall];

fn nuisances(ran: &Ran) -> Vec<String> {
    let found = verdict(&ran.curve).findings;
    let about = |rule| PLAUSIBILITY.contains(&rule) || rule == Rule::Reference;
    let bad = found.into_iter().filter(|f| about(f.rule) && f.severity > Severity::Note);
    bad.map(|f| f.text).collect()
}

fn sound_on(seeds: std::ops::Range<u64>) {
    let mut runs = 0;
    for seed in seeds {
        for resolution_k in [0.1, 0.01] {
            let run = Run::drawn(seed, resolution_k).referenced();
            let run = if seed % 3 == 0 { run.driven_by_power() } else { run };
            let ran = if seed % 2 == 0 { run.sound() } else { run.single().sound() };
            let found = nuisances(&ran);
            assert!(found.is_empty(), "seed {seed}, steps of {resolution_k} °C: {found:#?}");
            assert_eq!(outcome(&ran.curve), Outcome::Acceptable, "seed {seed}");
            runs += 1;
        }
    }
    println!("{runs} good batches without a word");
}

#[test]
fn good_plants_are_plausible() {
    sound_on(70_000..70_020);
}

#[test]
#[ignore = "two minutes: see docs/measures.md"]
fn measure_good_plants() {
    sound_on(80_000..80_600);
}

#[test]
fn what_is_about_the_bath_is_told_once_however_many_probes_there_are() {
    let falls = |probes: usize| {
        let bath = |t_s: u64| if t_s < 600 { 63_000 } else { 62_000 };
        let mut curve = beside((0..900).map(|t_s| (t_s, 50_000, bath(t_s))));
        curve.rows.iter_mut().for_each(|row| row.milk[1] = row.milk[0]);
        curve.milk_uncertainty = vec![Kelvin::from_milli(100); probes];
        let unread = with(curve.clone(), 0..900, |row| row.bath = None);
        let told = |curve, rule| {
            verdict(&curve).findings.iter().filter(|found| found.rule == rule).count()
        };
        (told(curve, Rule::BathFall), told(unread, Rule::ProbePlace))
    };
    assert_eq!((falls(1), falls(2)), ((1, 1), (1, 1)));
}

fn shifted(reading: &mut Reading, milli: i32) {
    let add = |sample: Sample| Sample {
        raw: sample.raw.map(|raw| raw + Kelvin::from_milli(milli)),
        ..sample
    };
    reading.milk = reading.milk.map(|sample| sample.map(add));
}

/// The judge's word on one rule for a unit with one milk probe that something happens to, on
/// several plants and with both resolutions; the least of all.
fn told_of(
    rule: Rule,
    machine: impl Fn(Now, &mut SimMachine) + Copy,
    shown: impl Fn(Now, &mut Reading) + Copy,
) -> Option<Severity> {
    let runs = [(3, 0.1), (5, 0.01), (11, 0.1), (12, 0.01)];
    let one = |(seed, resolution_k)| {
        let ran = Run::drawn(seed, resolution_k).single().go(machine, shown);
        let found = verdict(&ran.curve);
        severity(&found, rule)
    };
    runs.into_iter().map(one).min().flatten()
}

fn sound(_: Now, _: &mut SimMachine) {}
fn as_read(_: Now, _: &mut Reading) {}

fn probes_in(site: ProbeSite) -> impl Fn(&mut SimMachine) + Copy {
    move |machine| machine.plant_mut().troubles_mut().milk_sites = [site; MILK_PROBES_MAX]
}

#[test]
fn a_probe_that_was_never_in_the_milk_fails() {
    let in_bath = probes_in(ProbeSite::Bath);
    let found = told_of(Rule::ProbePlace, |_, machine| in_bath(machine), as_read);
    assert_eq!(found, Some(Severity::Fail));
}

#[test]
fn a_probe_that_slips_into_the_bath_fails() {
    for slips_s in [600, 900, 1100] {
        let slip = move |now: Now, machine: &mut SimMachine| {
            let out = now.loaded_s.is_some_and(|s| s >= slips_s) && now.phase != PhaseName::Cool;
            probes_in(if out { ProbeSite::Bath } else { ProbeSite::Milk })(machine);
        };
        assert_eq!(told_of(Rule::ProbeJump, slip, as_read), Some(Severity::Fail), "{slips_s}");
    }
}

#[test]
fn milk_hotter_than_its_bath_fails() {
    let high = |_: Now, reading: &mut Reading| shifted(reading, 600);
    assert_eq!(told_of(Rule::ProbePlace, sound, high), Some(Severity::Fail));
}

#[test]
fn bath_and_milk_exchanged_fails() {
    let exchanged = |now: Now, reading: &mut Reading| {
        if let (Some(_), Some(milk)) = (now.loaded_s, reading.milk[0]) {
            reading.milk[0] = Some(reading.bath);
            reading.bath = milk;
        }
    };
    assert_eq!(told_of(Rule::ProbePlace, sound, exchanged), Some(Severity::Fail));
}

#[test]
fn a_probe_that_freezes_in_the_hold_or_before_fails() {
    for (from, name) in [(None, "come-up"), (Some(300), "hold")] {
        let frozen = move |kept: &mut Option<[Option<Sample>; MILK_PROBES_MAX]>,
                           now: Now,
                           reading: &mut Reading| {
            let is_due = match from {
                None => now.loaded_s.is_some_and(|s| s >= 1000),
                Some(from_s) => now.held_s.is_some_and(|s| s >= from_s),
            };
            if is_due && kept.is_none() {
                *kept = Some(reading.milk);
            }
            if let Some(kept) = kept {
                reading.milk = *kept;
            }
        };
        for (seed, resolution_k) in [(3, 0.1), (5, 0.01)] {
            let mut kept = None;
            let run = Run::drawn(seed, resolution_k).single();
            let ran = run.go(sound, |now, reading| frozen(&mut kept, now, reading));
            let found = verdict(&ran.curve);
            assert_eq!(
                severity(&found, Rule::ProbeStill),
                Some(Severity::Fail),
                "{name}: {found:#?}"
            );
        }
    }
}

#[test]
fn a_frozen_value_that_ends_within_the_hold_fails_by_its_end() {
    for (seed, resolution_k) in [(3, 0.1), (5, 0.01)] {
        let mut kept = None;
        let run = Run::drawn(seed, resolution_k).single();
        let ran = run.go(sound, |now, reading| {
            if now.held_s == Some(200) {
                // Above its target: the bath is let down to its least set point.
                shifted(reading, 200);
                kept = Some(reading.milk);
            }
            if let Some(kept) =
                kept.filter(|_| now.held_s.is_some_and(|s| (200..1_500).contains(&s)))
            {
                reading.milk = kept;
            }
        });
        let found = verdict(&ran.curve);
        assert_eq!(severity(&found, Rule::ProbeJump), Some(Severity::Fail), "{found:#?}");
    }
}

#[test]
fn spikes_that_hide_cold_milk_fail() {
    let spikes = |now: Now, reading: &mut Reading| {
        if now.loaded_s.is_some_and(|s| s > 900 && s % 8 == 0) && now.phase != PhaseName::Cool {
            shifted(reading, 8_000);
        }
    };
    assert_eq!(told_of(Rule::ProbeJump, sound, spikes), Some(Severity::Fail));
}

#[test]
fn a_unit_changed_at_the_panel_fails() {
    let fahrenheit = |now: Now, reading: &mut Reading| {
        if now.held_s.is_some_and(|s| s > 600) {
            let raw = reading.milk[0].and_then(|sample| sample.raw).map_or(0, Celsius::milli);
            reading.milk[0] = Some(Sample::good(Celsius::from_milli(raw * 9 / 5 + 32_000)));
        }
    };
    assert_eq!(told_of(Rule::ProbeJump, sound, fahrenheit), Some(Severity::Fail));
}

#[test]
fn a_recorder_that_drifted_beyond_its_uncertainty_fails_by_the_reference() {
    for (seed, resolution_k) in [(3, 0.1), (5, 0.01)] {
        let drifts = |_: Now, reading: &mut Reading| shifted(reading, 300);
        let run = || Run::drawn(seed, resolution_k).single().referenced();
        let found = verdict(&run().go(sound, drifts).curve);
        assert_eq!(severity(&found, Rule::Reference), Some(Severity::Fail), "{found:#?}");
    }
}

#[test]
fn an_agitator_that_stops_in_the_come_up_is_a_deviation() {
    {
        let stops_s = 700;
        let stops = move |now: Now, machine: &mut SimMachine| {
            machine.plant_mut().troubles_mut().agitator_stopped =
                now.loaded_s.is_some_and(|s| s > stops_s) && now.phase != PhaseName::Cool;
        };
        assert_eq!(told_of(Rule::BottleLag, stops, as_read), Some(Severity::Deviation));
    }
}

#[test]
fn bottles_that_are_added_cold_in_the_hold_fail() {
    for bottles in [18, 24] {
        let added = move |now: Now, machine: &mut SimMachine| {
            if now.held_s == Some(300) {
                machine.plant_mut().add_cold(bottles, 4.0);
            }
        };
        assert_eq!(told_of(Rule::BathFall, added, as_read), Some(Severity::Fail), "{bottles}");
    }
}

/// How many of 24 drawn plants are caught (docs/risk.md, residual risk 1): 18 bottles and more, always.
#[test]
#[ignore = "two minutes: see docs/measures.md"]
fn measure_bottles_added_cold() {
    for (resolution_k, held_s, loaded_s) in [
        (0.1, Some(300), None),
        (0.01, Some(300), None),
        (0.1, None, Some(900)),
        (0.01, None, Some(900)),
    ] {
        for bottles in [3, 6, 9, 12, 18, 24] {
            let (mut harmful, mut missed) = (0, 0);
            for seed in 0..24 {
                let ran = Run::drawn(seed, resolution_k).single().go(
                    |now, machine| {
                        let is_due =
                            |at: Option<u64>, wanted: Option<u64>| at == wanted && at.is_some();
                        if is_due(now.held_s, held_s) || is_due(now.loaded_s, loaded_s) {
                            machine.plant_mut().add_cold(bottles, 4.0);
                        }
                    },
                    as_read,
                );
                let is_harmed = ran.true_hold_ms < 1_800_000;
                harmful += u32::from(is_harmed);
                missed += u32::from(is_harmed && outcome(&ran.curve) == Outcome::Acceptable);
            }
            assert!(missed == 0 || bottles < 18, "{missed} of {harmful} with {bottles} bottles");
            println!(
                "steps {resolution_k}, held {held_s:?} or loaded {loaded_s:?}, {bottles} added: {missed} missed of {harmful}"
            );
        }
    }
}

#[test]
fn a_recorder_above_the_reference_in_the_come_up_is_a_deviation() {
    let early = |now: Now, reading: &mut Reading| {
        if now.loaded_s.is_some_and(|s| (300..900).contains(&s)) {
            shifted(reading, 450);
        }
    };
    let run = Run::drawn(3, 0.1).single().referenced();
    let found = verdict(&run.go(sound, early).curve);
    let above = found.findings.iter().find(|f| f.text.contains("over the whole curve"));
    assert_eq!(above.expect("told").severity, Severity::Deviation);
}
