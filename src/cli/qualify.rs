//! `holder qualify`: a numbered protocol, and its report.

mod plan;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::context::Context;
use super::failure::Failure;
use super::{files, out};
use crate::batch::params::Purpose;
use crate::profiles;
use crate::qualify::{Bench, Outcome, Program, Report, Verdict, qualify};
use crate::record::zone::Zone;
use crate::station::config::{Library, StationConfig};

/// Run the numbered protocol of qualification, and report requirement, method, expected, observed
///
/// Without a unit it qualifies the program, on a pasteurizer made of equations. With a unit it does
/// so with that unit's parameters, and adds the heat penetration of the machine: a plan of runs with
/// water, which of them are in its record, and the command of the next one. The exit code is 1 if a step
/// failed or is still open.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  holder qualify\n  holder --dir bank qualify past-1 --out past-1.pdf"
)]
pub(crate) struct QualifyArgs {
    /// Name of the unit in station.toml
    #[arg(value_name = "UNIT")]
    unit: Option<String>,
    /// The recipe by which the protocol is run
    #[arg(long, value_name = "RECIPE", default_value = profiles::RECIPE_DEFAULT)]
    recipe: String,
    /// The volume of a bottle for which the unit is mapped, millilitres
    #[arg(long, value_name = "ML", requires = "unit", default_value_t = 130, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    bottle_ml: u32,
    /// Also write the report into this file, as .pdf or .json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
    /// How many good machines are drawn for the step on good batches
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    machines: u64,
    /// First seed of what is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A folder that is gone with the program's interest in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let name = format!("holder-qualify-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)
            .with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing in it is needed any more.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn run(context: &Context, args: &QualifyArgs) -> Result<(), Failure> {
    let ending = args.out.as_deref().map(ending).transpose()?;
    // Before the work, not after it.
    if let Some(path) = args.out.as_deref().filter(|path| path.exists() && !args.force) {
        return Err(Failure::refused(format!(
            "{} exists already and was kept; choose another name, or add --force to replace it",
            path.display()
        )));
    }
    let (station, store) = match &args.unit {
        Some(_) => (context.station()?, Some(context.store_to_read()?)),
        None => {
            let text =
                profiles::station("demo").context("the station demo is not in the program")?;
            (StationConfig::parse("demo", text, Library::shipped())?, None)
        }
    };
    if let Some(store) = &store {
        station.agrees_with(store.station())?;
    }
    let unit = station.unit(args.unit.as_deref().unwrap_or("demo"))?;
    let today = context.today(&station.time_zone)?;
    let recipe = station.library.recipe(&args.recipe)?;
    let folder = Folder::new()?;
    let who = context.who()?;
    let bench = Bench {
        unit,
        recipe: &recipe,
        params: unit.params(Purpose::Water, &recipe, today)?,
        bottle_ml: args.bottle_ml,
        store: store.as_ref(),
        folder: &folder.0,
        today,
        now_utc_ms: context.now_utc_ms(),
        who: &who,
        plants: args.machines,
        seed: args.seed,
        parts: &Program,
    };
    let report = qualify(&bench, |step| out::note(&format!("step {step}")));
    if let (Some(path), Some(ending)) = (&args.out, ending) {
        let bytes = match ending {
            Ending::Json => serde_json::to_vec_pretty(&report).context("it cannot be JSON")?,
            Ending::Pdf => pdf(&bench, &report, &station.time_zone)?,
        };
        files::deliver(path, &bytes, args.force)?;
    }
    if context.json {
        out::json(&report)?;
    } else {
        out::text(&text(&report, &station.time_zone))?;
    }
    end(&report)
}

#[derive(Clone, Copy)]
enum Ending {
    Json,
    Pdf,
}

fn ending(path: &Path) -> Result<Ending, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => Ok(Ending::Json),
        Some("pdf") if cfg!(feature = "pdf") => Ok(Ending::Pdf),
        Some("pdf") => Err(Failure::refused(
            "this holder was built without the document engine, so no PDF can be made; write .json, \
             or build it with the feature pdf",
        )),
        Some(_) | None => Err(Failure::Usage(format!(
            "{}: the report is written as .pdf or .json",
            path.display()
        ))),
    }
}

#[cfg(feature = "pdf")]
fn pdf(bench: &Bench<'_>, report: &Report, time_zone: &str) -> Result<Vec<u8>, Failure> {
    Ok(crate::qualify::page::pdf(bench, report, time_zone)?)
}

#[cfg(not(feature = "pdf"))]
fn pdf(_: &Bench<'_>, _: &Report, _: &str) -> Result<Vec<u8>, Failure> {
    Err(Failure::refused("this holder was built without the document engine"))
}

fn end(report: &Report) -> Result<(), Failure> {
    match report.outcome {
        Outcome::Passed => Ok(()),
        Outcome::Failed => Err(Failure::refused(format!(
            "{} of {} steps failed; the report says what was expected and observed",
            report.count(Verdict::Fail),
            report.steps.len()
        ))),
        Outcome::Open => Err(Failure::refused(format!(
            "{} of {} steps are open; the report says what to do, and ends with the next step",
            report.count(Verdict::Open),
            report.steps.len()
        ))),
    }
}

/// The report for a terminal.
fn text(report: &Report, time_zone: &str) -> String {
    let zone = Zone::named(time_zone);
    let mut lines = vec![
        report.marks().join(" · "),
        format!("QUALIFICATION of {} at {}", report.software, report.station),
        format!(
            "{} ({}), by {}",
            zone.stamp(report.at_utc_ms),
            zone.label(report.at_utc_ms),
            report.who
        ),
        format!("{}\n", out::paragraph(&report.scope())),
    ];
    for step in &report.steps {
        lines.push(format!("{}  {}  {}", step.number, step.verdict.word(), step.requirement));
        lines.push(out::fields(&[
            ("requirement", &step.text),
            ("source", &step.source),
            ("method", &step.method),
            ("expected", &step.expected),
            ("observed", &step.observed),
        ]));
    }
    let rows: Vec<Vec<String>> = report
        .matrix
        .iter()
        .map(|row| {
            vec![
                row.requirement.clone(),
                row.verdict.word().to_owned(),
                if row.steps.is_empty() { "none".to_owned() } else { row.steps.join(" ") },
                format!("{} tests", row.tests.len()),
            ]
        })
        .collect();
    lines.push(out::table(&["REQUIREMENT", "VERDICT", "STEPS", "AUTOMATED"], &rows));
    if let Some(plan) = &report.plan {
        lines.push(plan::text(plan, &zone));
    }
    lines.push(format!(
        "{}: {} passed, {} failed, {} open, {} not applicable",
        report.outcome.word(),
        report.count(Verdict::Pass),
        report.count(Verdict::Fail),
        report.count(Verdict::Open),
        report.count(Verdict::NotApplicable)
    ));
    if let Some(next) = report.plan.as_ref().and_then(|plan| plan.next.as_ref()) {
        lines.push(format!("\n{}", plan::next(next)));
    }
    lines.join("\n")
}
