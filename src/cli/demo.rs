//! `holder demo`: the whole story in seconds, from the donors to the printed record.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;

use super::context::{Context, DATABASE_FILE};
use super::failure::Failure;
use super::{batch, files, init, log, out, run, unit};
use crate::batch::params::Purpose;
use crate::batch::verdict::Outcome;
use crate::invocation;
use crate::milk::{Deposit, Status};
use crate::profiles;
use crate::record::judgement::Judgement;
use crate::record::{chart, json};
use crate::station::changes;
use crate::station::conduct::{Conducted, NewRun, Pace, Request, Task, conduct};
use crate::station::config::StationConfig;
use crate::station::lock::UnitLock;
use crate::station::resume;
use crate::station::screen::Mode;
use crate::store::model::BatchRecord;

/// Where the demonstration goes if no folder is named.
pub(super) const FOLDER: &str = "holder-demo";
/// Who runs it if nobody is named.
const USER: &str = "demo";
/// The unit of the demonstration's station.
const UNIT: &str = "demo";
/// Bottles of 130 ml in the bath.
const BOTTLES: u16 = 48;
const BOTTLE_UL: i64 = 130_000;

/// See the whole story in seconds: donors, pool, a pasteurization, its record
///
/// A simulated pasteurizer is driven over real Modbus TCP on this computer, in lockstep with a
/// virtual clock. Nothing in it is real, and every page says so. Run it again for another batch.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  holder demo                     in the folder holder-demo\n  \
                  holder --dir /tmp/d demo --seed 7"
)]
pub(crate) struct DemoArgs {
    /// Seed of the simulated machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(context: &Context, args: DemoArgs) -> Result<(), Failure> {
    let context = &context.or(FOLDER, USER);
    let station = station(context)?;
    // Before anything is written: a demonstration that cannot run receives no milk.
    let lock = UnitLock::take(context.dir(), UNIT)?;
    let _log = log::aside(std::io::stderr())?;
    give_up_what_died(context)?;
    let pool = receive_milk(context, &station)?;
    out::note("SIMULATED: a pasteurizer made of equations, over Modbus TCP on this computer");
    let request = Request {
        dir: context.dir(),
        station: &station,
        unit: UNIT,
        task: Task::New(NewRun {
            purpose: Purpose::Milk,
            pool: Some(pool),
            bottles: BOTTLES,
            bottle_ul: BOTTLE_UL,
            recipe: profiles::RECIPE_DEFAULT,
            reason: changes::NO_REASON.to_owned(),
            today: context.today(&station.time_zone)?,
        }),
        who: context.who()?,
        pace: Pace::Lockstep { seed: args.seed },
        yes: true,
        capture: None,
        refused: None,
        lock,
        tell: out::note,
    };
    let done = unit::block_on(conduct(request, Mode::Plain(Box::new(std::io::stderr()))))??;
    let store = context.store_to_read()?;
    let (record, misfit) = batch::load(&store, &done.batch)?;
    let judgement = batch::judgement(&store, &record, misfit.as_ref())?;
    let files = write_record(context, &station, &record, &judgement)?;
    report(context, &done, &files)?;
    match done.verdict.outcome {
        Outcome::Acceptable => Ok(()),
        outcome @ (Outcome::Unacceptable | Outcome::Incomplete) => {
            Err(Failure::NotAcceptable(outcome))
        }
    }
}

/// The demonstration's station; made if it is not there.
fn station(context: &Context) -> Result<StationConfig, Failure> {
    if context.dir().join(DATABASE_FILE).exists() {
        let station = context.station()?;
        if !station.training {
            return Err(Failure::refused(format!(
                "{} is a station that is not for training; the demonstration leaves it alone: \
                 choose another folder with --dir",
                context.dir().display()
            )));
        }
        return Ok(station);
    }
    let text = profiles::station("demo").context("the station demo is not in the program")?;
    init::make(context, context.dir(), text)
}

/// The machine of a demonstration dies with it: a batch that was left open cannot be continued.
fn give_up_what_died(context: &Context) -> Result<(), Failure> {
    let (mut store, actor) = context.store_to_write()?;
    let left = store.open_batches()?.into_iter().filter(|header| header.unit == UNIT);
    for header in left.collect::<Vec<_>>() {
        let (why, safe) = ("another demonstration began", "Its simulated machine is gone with it");
        resume::give_up(&mut store, &header.code, why, safe, actor.stamp().who)?;
    }
    Ok(())
}

/// Three cleared donors, a deposit of each, and a pool of them.
fn receive_milk(context: &Context, station: &StationConfig) -> Result<String, Failure> {
    let (mut store, actor) = context.store_to_write()?;
    let today = context.today(&station.time_zone)?;
    let round = store.pools()?.len() + 1;
    let mut deposits = Vec::new();
    for (number, volume_ml) in [(1, 2_400), (2, 2_100), (3, 1_740)] {
        let donor = format!("D-{number:04}");
        if store.donors()?.iter().all(|known| known.code != donor) {
            let cleared = Status::Cleared { until: day(today, 180)? };
            store.add_donor(actor.stamp(), &donor)?;
            store.set_donor_status(actor.stamp(), &donor, cleared, "demonstration")?;
        }
        let deposit = Deposit {
            code: format!("M-{round:04}-{number}"),
            donor,
            volume_ul: volume_ml * 1000,
            expressed_on: day(today, -30)?,
            received_on: today,
        };
        store.add_deposit(actor.stamp(), &deposit)?;
        deposits.push(deposit.code);
    }
    let pool = format!("P-{round:04}");
    let rule = station.library.recipe(profiles::RECIPE_DEFAULT)?.recipe.pool;
    store.add_pool(actor.stamp(), &pool, &deposits, &rule)?;
    out::note(&format!("pool {pool}: 6.24 l of 3 donors, known by their codes only"));
    Ok(pool)
}

fn day(today: Date, days: i64) -> Result<Date, Failure> {
    Ok(today.checked_add(days.days()).context("the clock is far outside of our calendar")?)
}

/// Writes everything that QA reads, beside the station.
fn write_record(
    context: &Context,
    station: &StationConfig,
    record: &BatchRecord,
    judgement: &Judgement,
) -> Result<Vec<PathBuf>, Failure> {
    let verdict = &judgement.verdict;
    let folder = context.dir().join("records").join(&record.header.code);
    fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let look =
        chart::ChartOptions { training: station.training, ..chart::ChartOptions::of(judgement) };
    let documents = [
        ("chart.svg", chart::svg(record, verdict, look)?.into_bytes()),
        ("chart.png", chart::png(record, verdict, look)?),
        ("curve.csv", batch::csv(record, judgement)?),
        ("record.json", json::export(record, judgement, context.now_utc_ms())?.into_bytes()),
    ];
    let mut written = Vec::new();
    for (name, bytes) in documents.into_iter().chain(printed(context, station, record, judgement)?)
    {
        let path = folder.join(name);
        files::write(&path, &bytes, false)?;
        written.push(path);
    }
    Ok(written)
}

/// The printed record, where the program was built with it.
#[cfg(feature = "pdf")]
fn printed(
    context: &Context,
    station: &StationConfig,
    record: &BatchRecord,
    judgement: &Judgement,
) -> Result<Option<(&'static str, Vec<u8>)>, Failure> {
    use crate::record::document::{PdfOptions, pdf};

    let options = PdfOptions {
        template: None,
        produced_utc_ms: context.now_utc_ms(),
        training: station.training,
    };
    Ok(Some(("record.pdf", pdf(record, judgement, &options)?)))
}

/// The printed record, where the program was built without it.
#[cfg(not(feature = "pdf"))]
fn printed(
    _: &Context,
    _: &StationConfig,
    _: &BatchRecord,
    _: &Judgement,
) -> Result<Option<(&'static str, Vec<u8>)>, Failure> {
    out::note("this holder was built without its document engine: no printed record");
    Ok(None)
}

fn report(context: &Context, done: &Conducted, files: &[PathBuf]) -> Result<(), Failure> {
    if context.json {
        return Ok(out::json(&json!({
            "batch": done.batch, "verdict": done.verdict, "simulated": true, "files": files,
        }))?);
    }
    let names: Vec<String> = files.iter().map(|file| format!("  {}", shown(file))).collect();
    let here = |words: &str| invocation::command_in(context.dir(), words);
    let code = &done.batch;
    Ok(out::text(&format!(
        "batch {code}, SIMULATED\n{}\n\nwritten:\n{}\n\nlook further:\n  {}\n  {}",
        run::summary(&done.verdict),
        names.join("\n"),
        here(&format!("batch show {code}")),
        here("db verify"),
    ))?)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demonstration_that_is_refused_has_received_no_milk() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = Some(folder.path().join("station"));
        let context = Context::new(dir, false, Some("ann".into()));
        station(&context).expect("made");
        let _other = UnitLock::take(context.dir(), UNIT).expect("free");
        let refused = run(&context, DemoArgs { seed: 1 }).expect_err("another one runs it");
        assert!(refused.why().contains("already run by another holder"), "{}", refused.why());
        let store = context.store_to_read().expect("there");
        assert!(store.pools().expect("read").is_empty());
    }
}
