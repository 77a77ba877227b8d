//! `holder batch chart | record | export`: the record as files.

use anyhow::Context as _;

use super::{ChartArgs, ExportArgs, Format, RecordArgs};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::record::chart::{self, ChartOptions};
use crate::record::judgement::Judgement;
use crate::record::{curve_csv, json};
use crate::store::Misfit;
use crate::store::model::BatchRecord;

/// A batch with its verdict, and whether the station is for training.
struct Judged {
    record: BatchRecord,
    judgement: Judgement,
    training: bool,
    misfit: Option<Misfit>,
}

fn judged(context: &Context, code: &str) -> Result<Judged, Failure> {
    let store = context.store_to_read()?;
    let (record, misfit) = super::load(&store, code)?;
    let judgement = super::judgement(&store, &record, misfit.as_ref())?;
    Ok(Judged { record, judgement, training: store.station().training, misfit })
}

/// What a chart is drawn as: what the file's ending says, else what was asked for.
fn picture(args: &ChartArgs) -> Result<&'static str, Failure> {
    let asked = if args.png { "png" } else { "svg" };
    let Some(path) = args.to.output.as_ref().filter(|path| path.as_os_str() != files::STDOUT)
    else {
        return Ok(asked);
    };
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match ending.as_str() {
        "png" => Ok("png"),
        "svg" if !args.png => Ok("svg"),
        _ => Err(Failure::Usage(format!(
            "{}: a chart is written as .svg or .png; name the file with one of these endings{}",
            path.display(),
            if args.png { ", with --png the second" } else { "" }
        ))),
    }
}

pub(super) fn chart(context: &Context, args: &ChartArgs) -> Result<(), Failure> {
    let ending = picture(args)?;
    let Judged { record, judgement, training, misfit } = judged(context, &args.batch)?;
    let options = ChartOptions { training, ..ChartOptions::of(&judgement) };
    let bytes = if ending == "png" {
        chart::png(&record, &judgement.verdict, options)?
    } else {
        chart::svg(&record, &judgement.verdict, options)?.into_bytes()
    };
    files::deliver(&args.to.path(&args.batch, ending), &bytes, args.to.force)?;
    super::end(&args.batch, &judgement, misfit)
}

#[cfg(feature = "pdf")]
pub(super) fn record(context: &Context, args: &RecordArgs) -> Result<(), Failure> {
    use crate::record::document::{PdfOptions, Template, pdf};

    let template = args.template.as_ref().map(|path| {
        let text = files::read(path)?;
        Ok::<_, Failure>(Template { file: path.display().to_string(), text })
    });
    let template = template.transpose()?;
    let Judged { record, judgement, training, misfit } = judged(context, &args.batch)?;
    // The page lies on a desk without this program's warning: it would look like any other.
    if let Some(misfit) = misfit {
        return Err(misfit.into());
    }
    let options = PdfOptions { template, produced_utc_ms: context.now_utc_ms(), training };
    let bytes = pdf(&record, &judgement, &options)?;
    files::deliver(&args.to.path(&args.batch, "pdf"), &bytes, args.to.force)?;
    super::end(&args.batch, &judgement, None)
}

#[cfg(not(feature = "pdf"))]
pub(super) fn record(_: &Context, args: &RecordArgs) -> Result<(), Failure> {
    Err(Failure::refused(format!(
        "this holder was built without the document engine, so the record of {} cannot be \
         printed; build it with the feature pdf",
        args.batch
    )))
}

pub(super) fn export(context: &Context, args: &ExportArgs) -> Result<(), Failure> {
    let Judged { record, judgement, misfit, .. } = judged(context, &args.batch)?;
    let (bytes, extension) = match args.format {
        Format::Csv => (csv(&record, &judgement)?, "csv"),
        Format::Json => {
            (json::export(&record, &judgement, context.now_utc_ms())?.into_bytes(), "json")
        }
    };
    files::deliver(&args.to.path(&args.batch, extension), &bytes, args.to.force)?;
    super::end(&args.batch, &judgement, misfit)
}

/// The curve with all that it is judged by, the recipe as it was frozen included.
pub(crate) fn csv(record: &BatchRecord, judgement: &Judgement) -> Result<Vec<u8>, Failure> {
    let recipe = record.texts.iter().find(|text| text.kind == "recipe");
    let recipe = recipe.with_context(|| {
        format!("the recipe of batch {} is not in its record", record.header.code)
    })?;
    let mut bytes = Vec::new();
    curve_csv::write(record, judgement, &recipe.text, &mut bytes)
        .context("the curve cannot be written")?;
    Ok(bytes)
}
