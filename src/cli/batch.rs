//! `holder batch`: the record of what was run, and what the judge says of it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::context::Context;
use super::failure::Failure;
use super::out;
use crate::record::judgement::Judgement;
use crate::software::Software;
use crate::store::model::BatchRecord;
use crate::store::{Misfit, Store, StoreError, made_by_words};

mod deliver;
mod list;
mod show;
mod verify;

pub(crate) use deliver::csv;

/// The record of what was run: list, show, draw, print, export and verify batches
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder batch list")]
pub(crate) enum BatchCommand {
    /// List the batches of this station, oldest first
    #[command(after_help = "Examples:\n  holder batch list\n  holder batch list --json")]
    List,
    /// Show one batch: the verdict and its reasons, the figures, the events
    ///
    /// The verdict is the one that was kept when the batch was closed; an open batch is judged now. The
    /// exit code is 5 if the record is not what was written, or if this program decides otherwise.
    #[command(after_help = "Examples:\n  holder batch show B-2026-0001\n  \
                            holder batch show B-2026-0001 --json")]
    Show {
        /// Code of the batch
        batch: String,
    },
    Chart(ChartArgs),
    Record(RecordArgs),
    Export(ExportArgs),
    /// Prove one batch again: replay every input, recompute every hash, judge once more
    ///
    /// The exit code is 5 if anything differs from what is stored. Where another program made the batch,
    /// its rules may have been other: the answer says which program to replay it with.
    #[command(after_help = "Example:\n  holder batch verify B-2026-0001")]
    Verify {
        /// Code of the batch
        batch: String,
    },
}

/// Draw the curve of a batch as SVG or PNG
///
/// The exit code is 5 if the record is not what was written, or if this program decides otherwise
/// than the verdict that was kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  holder batch chart B-2026-0001\n  \
                        holder batch chart B-2026-0001 -o curve.png")]
pub(crate) struct ChartArgs {
    /// Code of the batch
    batch: String,
    #[command(flatten)]
    to: ToFile,
    /// Draw a PNG; a file that is named .png is one anyway
    #[arg(long)]
    png: bool,
}

/// Print the record of a batch as PDF/A: the page on which QA decides
///
/// A record that is not what was written is not printed; the exit code is 5 then. It is 5 also if this
/// program decides otherwise than the verdict that was kept; then both stand on the page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  holder batch record B-2026-0001\n  \
                        holder batch record B-2026-0001 -o record.pdf")]
pub(crate) struct RecordArgs {
    /// Code of the batch
    batch: String,
    #[command(flatten)]
    to: ToFile,
    /// A template of your own instead of the one in the program
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

/// Export a batch: CSV, which `holder judge` reads back to the same verdict, or JSON with all
///
/// The exit code is 5 if the record is not what was written, or if this program decides otherwise
/// than the verdict that was kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  holder batch export B-2026-0001\n  \
                        holder batch export B-2026-0001 --format json -o - | jq .verdict")]
pub(crate) struct ExportArgs {
    /// Code of the batch
    batch: String,
    #[command(flatten)]
    to: ToFile,
    /// CSV for the curve, JSON for everything
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The curve, for a spreadsheet or another judge
    Csv,
    /// Everything, for another program or another decade
    Json,
}

/// Where a file goes.
#[derive(Debug, Args)]
pub(crate) struct ToFile {
    /// The file, or - for stdout [default: the batch's code in the current folder]
    #[arg(short, long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

impl ToFile {
    fn path(&self, batch: &str, extension: &str) -> PathBuf {
        self.output.clone().unwrap_or_else(|| PathBuf::from(format!("{batch}.{extension}")))
    }
}

/// A batch as it is stored, and what does not fit in it, said loudly before anything else.
pub(crate) fn load(store: &Store, code: &str) -> Result<(BatchRecord, Option<Misfit>), Failure> {
    let record = match store.load_batch(code) {
        // An unknown code is a mistake of the person, not of the record.
        Err(error @ StoreError::NoBatch(_)) => return Err(error.into()),
        loaded => loaded,
    };
    let misfit = match store.batch_fits(code) {
        Err(misfit) if !misfit.is_damage() => return Err(misfit.into()),
        fits => fits.err(),
    };
    if misfit.is_some() {
        out::note(&format!(
            "WARNING: the record of batch {code} is not what was written: no decision about milk \
             may rest on it."
        ));
    }
    match (record, misfit) {
        (Ok(record), misfit) => Ok((record, misfit)),
        (Err(_), Some(misfit)) => Err(misfit.into()),
        (Err(error), None) => Err(error.into()),
    }
}

/// The verdict of a batch: the one that was kept when it was closed, beside what this program says.
pub(crate) fn judgement(
    store: &Store,
    record: &BatchRecord,
    misfit: Option<&Misfit>,
) -> Result<Judgement, Failure> {
    let code = &record.header.code;
    let made_by = store.made_by(code)?;
    let made = made_by_words(&made_by);
    Judgement::of(record, store.verdict_of(code)?, made_by, misfit.is_none()).map_err(|why| {
        let this = Software::this();
        Failure::DoesNotVerify(anyhow::Error::new(why).context(format!(
            "batch {code}, made by: {made}: {this} does not understand the verdict that was kept"
        )))
    })
}

/// The exit code says again what the warning said, or that this program decides otherwise.
fn end(code: &str, judgement: &Judgement, misfit: Option<Misfit>) -> Result<(), Failure> {
    match (misfit, judgement.difference()) {
        (Some(misfit), _) => Err(misfit.into()),
        (None, Some(difference)) => {
            Err(Failure::DoesNotVerify(anyhow::anyhow!("batch {code}: {difference}")))
        }
        (None, None) => Ok(()),
    }
}

pub(crate) fn run(context: &Context, command: BatchCommand) -> Result<(), Failure> {
    match command {
        BatchCommand::List => list::run(context),
        BatchCommand::Show { batch } => show::run(context, &batch),
        BatchCommand::Chart(args) => deliver::chart(context, &args),
        BatchCommand::Record(args) => deliver::record(context, &args),
        BatchCommand::Export(args) => deliver::export(context, &args),
        BatchCommand::Verify { batch } => verify::run(context, &batch),
    }
}
