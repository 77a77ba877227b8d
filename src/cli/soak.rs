//! `holder soak`: simulated batches with faults, from seeds, until something does not hold.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use holder_hal::Tick;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::{out, verdict};
use crate::batch::recipe::Recipe;
use crate::profiles::{self, RECIPE_DEFAULT};
use crate::record::chart::{self, ChartOptions};
use crate::soak::totals::Totals;
use crate::soak::{self, Done, Invariant, Report, Scenario, Stores, picture};
use crate::software;

/// The version that the builder names, since a seed means the same run only there.
const COMMIT: &str = match software::COMMIT {
    Some(commit) => commit,
    None => "unknown",
};
/// Progress is told every so many runs.
const TOLD_EVERY: u64 = 500;

/// Run simulated batches with faults, and stop at nothing that must never happen
///
/// Each seed is one whole batch on a simulated machine: every fourth without fault, the others with
/// one to three faults of machine, probes, wire, people or computer, seldom with more. After every
/// step six invariants are checked against what really happened to the milk. Nothing of it touches a
/// station. The exit code is 1 if an invariant did not hold; a seed gives the same run again on any
/// computer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  holder soak --seeds 0..10000 --jobs 2\n  \
                  holder soak --replay 4711 --charts soak-4711")]
pub(crate) struct SoakArgs {
    /// The seeds, the last one not included
    #[arg(long, value_name = "A..B", value_parser = seeds, required_unless_present = "replay")]
    seeds: Option<Range<u64>>,
    /// Threads; what is printed does not depend on it
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,
    /// Run one seed, and tell all of it
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    replay: Option<u64>,
    /// Which runs keep a real database, in memory
    #[arg(long, value_enum, default_value = "some")]
    journal: Journal,
    /// Folder for the charts of --replay, and of runs in which something did not hold [default:
    /// soak-failures]
    #[arg(long, value_name = "DIR", default_value = "soak-failures", hide_default_value = true)]
    charts: PathBuf,
}

/// Which runs keep a real database.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Journal {
    /// All runs
    All,
    /// Every tenth, and those whose faults need one
    Some,
    /// Only those whose faults need one
    Needed,
    /// None; a batch whose program was killed is closed
    None,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let Some((from, to)) = text.split_once("..") else {
        return Err("a range is two numbers with two dots between, such as 0..10000".to_owned());
    };
    let number = |text: &str| {
        text.parse::<u64>().map_err(|why| format!("{text:?} is no whole number: {why}"))
    };
    let (from, to) = (number(from)?, number(to)?);
    if from >= to {
        return Err(format!(
            "no seed lies from {from} to before {to}: the smaller one comes first"
        ));
    }
    Ok(from..to)
}

pub(crate) fn run(context: &Context, args: &SoakArgs) -> Result<(), Failure> {
    let text = profiles::recipe(RECIPE_DEFAULT).context("the shipped recipe is missing")?;
    let recipe = Recipe::parse(RECIPE_DEFAULT, text).context("the shipped recipe is damaged")?;
    let stores = match args.journal {
        Journal::All => Stores::All,
        Journal::Some => Stores::Some,
        Journal::Needed => Stores::Needed,
        Journal::None => Stores::None,
    };
    // Told before the runs, which may take hours.
    if args.charts.exists() && !args.charts.is_dir() {
        let file = args.charts.display();
        let why = format!(
            "--charts {file}: this is a file; name a folder, which is made if it is not there"
        );
        return Err(Failure::Usage(why));
    }
    match (args.replay, &args.seeds) {
        (Some(seed), _) => replay(context, seed, &recipe, stores, &args.charts),
        (None, Some(seeds)) => soak_all(context, args, seeds.clone(), stores, &recipe),
        (None, None) => Err(Failure::Usage("--seeds or --replay is needed".to_owned())),
    }
}

fn soak_all(
    context: &Context,
    args: &SoakArgs,
    seeds: Range<u64>,
    stores: Stores,
    recipe: &Recipe,
) -> Result<(), Failure> {
    let count = seeds.end - seeds.start;
    let began_ms = context.now_utc_ms();
    let (mut runs, mut failures) = (0_u64, 0_u64);
    let totals = soak::soak(seeds, args.jobs, stores, recipe, |report| {
        runs += 1;
        failures += u64::from(!report.violations.is_empty());
        if runs.is_multiple_of(TOLD_EVERY) {
            out::note(&format!("{runs} of {count} runs, {failures} with a violation"));
        }
    })
    .context("a run has no end")?;
    let took_s = (context.now_utc_ms() - began_ms).max(1) as f64 / 1_000.0;
    if context.json {
        out::json(&document(&totals, args, took_s))?;
    } else {
        out::text(&in_words(&totals, args, took_s))?;
    }
    for found in totals.found.iter().take(CHARTS_MAX) {
        write_run(found.seed, recipe, stores, &args.charts)?;
    }
    soundness(&totals)
}

/// More charts than this say nothing new.
const CHARTS_MAX: usize = 10;

fn soundness(totals: &Totals) -> Result<(), Failure> {
    if totals.is_sound() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{} of {} runs broke an invariant",
        totals.found.len(),
        totals.all.runs
    )))
}

fn document(totals: &Totals, args: &SoakArgs, took_s: f64) -> Value {
    let mut document = totals.json();
    if let Value::Object(fields) = &mut document {
        fields.insert("commit".to_owned(), json!(COMMIT));
        fields.insert("jobs".to_owned(), json!(args.jobs));
        fields.insert("took_s".to_owned(), json!(took_s));
        fields.insert("batches_per_s".to_owned(), json!(totals.all.runs as f64 / took_s));
    }
    document
}

fn in_words(totals: &Totals, args: &SoakArgs, took_s: f64) -> String {
    let mut text = String::new();
    let (all, clean) = (&totals.all, &totals.clean);
    let _ = writeln!(
        text,
        "{} runs: {} acceptable, {} unacceptable, {} incomplete; SIMULATED, commit {COMMIT}\n\
         {} without fault: {} acceptable, {} with a broken hold\n\
         {} kept a real database; {:.0} simulated hours in {took_s:.1} s: {:.1} batches a second \
         on {} threads",
        all.runs,
        all.acceptable,
        all.unacceptable,
        all.incomplete,
        clean.runs,
        clean.acceptable,
        clean.restarted,
        totals.stored,
        totals.simulated_h,
        all.runs as f64 / took_s,
        args.jobs,
    );
    let head = ["FAULT", "ALONE", "ACCEPT", "REFUSE", "OPEN", "ALARM", "WITH OTHERS"];
    let rows: Vec<Vec<String>> = totals
        .alone
        .keys()
        .chain(totals.together.keys())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|kind| {
            let alone = totals.alone.get(kind).copied().unwrap_or_default();
            let together = totals.together.get(kind).copied().unwrap_or_default();
            vec![
                kind.word().to_owned(),
                alone.runs.to_string(),
                alone.acceptable.to_string(),
                alone.unacceptable.to_string(),
                alone.incomplete.to_string(),
                alone.alarmed.to_string(),
                together.runs.to_string(),
            ]
        })
        .collect();
    let _ = writeln!(text, "\n{}", out::list(&head, &rows, "no faults"));
    text + &detections(totals) + &invariants(totals)
}

fn detections(totals: &Totals) -> String {
    let rows: Vec<Vec<String>> = totals
        .detections
        .iter()
        .map(|((kind, alarm), delays)| {
            let after_s = soak::totals::median(delays) as f64 / 1_000.0;
            let cells = [kind.word().to_owned(), alarm.to_string(), delays.len().to_string()];
            cells.into_iter().chain([format!("{after_s:.0} s")]).collect()
        })
        .collect();
    let head = ["FAULT ALONE", "FIRST ALARM", "RUNS", "AFTER (MEDIAN)"];
    format!("{}\n", out::list(&head, &rows, "no alarm in runs with one fault"))
}

fn invariants(totals: &Totals) -> String {
    let mut text = String::new();
    for (risk, seeds) in &totals.residual {
        let _ = writeln!(
            text,
            "residual risk {} ({}): {} wrongly accepted, e.g. seed {}; {}",
            risk.number(),
            risk.word(),
            seeds.len(),
            seeds.first().copied().unwrap_or_default(),
            risk.reason()
        );
    }
    for invariant in Invariant::ALL {
        let (number, broken) = (invariant.number(), totals.broken(invariant));
        let _ = writeln!(text, "invariant {number}: {broken} broken; {}", invariant.title());
    }
    for rate in totals.rates() {
        let _ = writeln!(text, "invariant 5: {rate}");
    }
    text += &disputed(&totals.disputed);
    for found in &totals.found {
        let faults: Vec<&str> = found.faults.iter().map(|kind| kind.word()).collect();
        let _ = writeln!(text, "\nseed {} ({}):", found.seed, faults.join(", "));
        for (invariant, at_s, what) in &found.what {
            let _ = writeln!(text, "  invariant {} at {at_s:.0} s: {what}", invariant.number());
        }
        let _ = writeln!(
            text,
            "  commit {COMMIT}; again: {}",
            soak::totals::replay_command(found.seed)
        );
    }
    text
}

/// More seeds than this nobody reads; the document of `--json` has all of them.
const DISPUTED_SHOWN_MAX: usize = 10;

fn disputed(seeds: &[u64]) -> String {
    let shown = seeds.iter().take(DISPUTED_SHOWN_MAX).map(u64::to_string);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match seeds.len() {
        0 => String::new(),
        count @ 1..=DISPUTED_SHOWN_MAX => {
            format!("disputed by the judges, and so not released: {count}; seeds {shown}\n")
        }
        count => format!(
            "disputed by the judges, and so not released: {count}; the first seeds are {shown}; \
             --json names all of them\n"
        ),
    }
}

fn replay(
    context: &Context,
    seed: u64,
    recipe: &Recipe,
    stores: Stores,
    charts: &std::path::Path,
) -> Result<(), Failure> {
    let told = write_run(seed, recipe, stores, charts)?;
    if context.json {
        out::json(&json!({ "seed": seed, "commit": COMMIT, "story": told.0 }))?;
    } else {
        out::text(&told.0)?;
    }
    if told.1 { Err(Failure::refused(format!("seed {seed} broke an invariant"))) } else { Ok(()) }
}

/// Runs a seed again and writes its story; gives it, and whether something did not hold.
fn write_run(
    seed: u64,
    recipe: &Recipe,
    stores: Stores,
    charts: &std::path::Path,
) -> Result<(String, bool), Failure> {
    let scenario = Scenario::drawn(seed, recipe);
    let mut wanted = soak::Wanted { store: stores.holds(&scenario), ..Default::default() };
    wanted.truth = true;
    let (done, report) = soak::of_scenario(&scenario, wanted).context("the run has no end")?;
    let story = story(&scenario, &done, &report);
    let write = |name: String, text: &str| {
        let path = charts.join(name);
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    };
    std::fs::create_dir_all(charts)
        .with_context(|| format!("{} cannot be made", charts.display()))?;
    let chart = chart::svg(&done.closed.record, &done.closed.verdict, ChartOptions::default());
    write(format!("seed-{seed}.svg"), &chart.context("the chart cannot be drawn")?)?;
    write(format!("seed-{seed}-truth.svg"), &picture::svg(&scenario, &done, COMMIT))?;
    write(format!("seed-{seed}.txt"), &story)?;
    let beginning = charts.join(format!("seed-{seed}"));
    out::note(&format!("wrote {0}.svg, {0}-truth.svg and {0}.txt", beginning.display()));
    Ok((story, !report.violations.is_empty()))
}

/// A run in words: what it was, what happened, what was decided, and what did not hold.
fn story(scenario: &Scenario, done: &Done, report: &Report) -> String {
    let seconds = |at: Tick| at.ms() as f64 / 1_000.0;
    let mut text = format!("seed {}, commit {COMMIT}; SIMULATED\n", scenario.seed);
    let params = &scenario.params;
    let _ = writeln!(
        text,
        "{} milk probes, {} reference, {} lid switch, readings in {} K every {} ms, {:?}, {:?}\n\
         {} bottles told, counted out: {:?}; limit {} °C",
        params.milk.len(),
        if params.reference.is_some() { "a" } else { "no" },
        if params.has_lid { "a" } else { "no" },
        scenario.resolution_k,
        params.period_ms,
        params.heater,
        scenario.cut,
        scenario.plant.bottles,
        scenario.counts,
        params.limit_max(),
    );
    for (fault, became) in scenario.faults.iter().zip(&done.became) {
        let began =
            became.began.map_or("never began".to_owned(), |at| format!("at {} s", seconds(at)));
        let _ = writeln!(text, "fault: {fault}; {began}");
    }
    for stamped in &done.closed.record.entries {
        let entry = &stamped.entry;
        let _ = writeln!(text, "{:9.1} s  {:?}", seconds(entry.at), entry.event);
    }
    let _ = writeln!(
        text,
        "truly at the floor for {:.0} s; hottest milk {}\n{}",
        done.true_hold_ms as f64 / 1_000.0,
        done.hottest_c.map_or("not known".to_owned(), |c| format!("{c:.2} °C")),
        verdict::in_words(&done.closed.verdict)
    );
    if let Some(residual) = report.residual {
        let _ = writeln!(text, "wrongly accepted: residual risk {}", residual.number());
    }
    for violation in &report.violations {
        let _ = writeln!(
            text,
            "INVARIANT {} at {:.1} s: {}",
            violation.invariant.number(),
            seconds(violation.at),
            violation.text
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_disputed_seeds_are_told_than_somebody_reads() {
        assert_eq!(disputed(&[]), "");
        assert_eq!(
            disputed(&[83, 109]),
            "disputed by the judges, and so not released: 2; seeds 83, 109\n"
        );
        let all: Vec<u64> = (0..900).collect();
        assert_eq!(
            disputed(&all),
            "disputed by the judges, and so not released: 900; the first seeds are 0, 1, 2, 3, 4, 5, 6, \
             7, 8, 9; --json names all of them\n"
        );
    }
}
