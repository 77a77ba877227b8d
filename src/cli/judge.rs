//! `holder judge`: a verdict on anybody's curve.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use holder_hal::{Celsius, Kelvin};
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::{files, out, verdict};
use crate::batch::curve::Curve;
use crate::batch::judge::{judge, limits};
use crate::batch::recipe::Recipe;
use crate::batch::verdict::{Finding, Outcome, Rule, Severity, Verdict};
use crate::invocation;
use crate::profiles::RECIPE_DEFAULT;
use crate::record::curve_csv::{self, BYTES_MAX, Options, Origin, ReadCurve};
use crate::record::json_read;

/// Judge a curve, of this program or of anybody's logger
///
/// Reads CSV: a column t_s (seconds) or time (RFC 3339), columns that start with milk, and
/// optionally bath, reference, lid and phase; an empty cell is a missing reading. An export of
/// `holder batch export`, CSV or JSON, carries all that it is judged by; this program judges it, and
/// gives the verdict on its record unless another program with other rules decided that. It is not
/// signed: compare it with the database (`holder batch show`). The exit code is 3 if the curve is not
/// acceptable.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  holder judge B-2026-0001.csv\n  \
                  holder judge logger.csv --recipe holder-france --uncertainty-c 0.2 --margin-c 0.2")]
pub(crate) struct JudgeArgs {
    /// The curve, or - for stdin
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// The recipe to judge by [default: that of the export, else the strict one]
    #[arg(long, value_name = "RECIPE")]
    recipe: Option<String>,
    /// Expanded uncertainty of the milk probes of a foreign curve, °C [default: 0]
    #[arg(long, value_name = "U", value_parser = difference, allow_negative_numbers = true)]
    uncertainty_c: Option<Kelvin>,
    /// Distance from the probe's bottle to the coldest one of a foreign curve, °C [default: 0]
    #[arg(long, value_name = "MARGIN", value_parser = difference, allow_negative_numbers = true)]
    margin_c: Option<Kelvin>,
}

/// A difference of temperatures of 0 to 10 °C.
fn difference(text: &str) -> Result<Kelvin, String> {
    let kelvin = text.parse().ok().and_then(Kelvin::from_f64);
    kelvin
        .filter(|kelvin| (0..=10_000).contains(&kelvin.milli()))
        .ok_or_else(|| format!("{text:?} is no difference from 0 to 10 °C"))
}

pub(crate) fn run(context: &Context, args: &JudgeArgs) -> Result<(), Failure> {
    let (recipe, verdict, read) = judged(context, args)?;
    if context.json {
        out::json(&document(&recipe, &verdict, &read)?)?;
    } else {
        out::text(&in_words(&recipe, &verdict, &read))?;
    }
    match verdict.outcome {
        Outcome::Acceptable => Ok(()),
        outcome @ (Outcome::Unacceptable | Outcome::Incomplete) => {
            Err(Failure::NotAcceptable(outcome))
        }
    }
}

fn judged(context: &Context, args: &JudgeArgs) -> Result<(Recipe, Verdict, ReadCurve), Failure> {
    let asked = args.recipe.as_deref();
    let usual = context.library()?.recipe(asked.unwrap_or(RECIPE_DEFAULT))?.recipe;
    let options = Options {
        uncertainty: args.uncertainty_c,
        margin: args.margin_c,
        max_gap_foreign_ms: usual.hold.max_gap_foreign_ms,
    };
    let name = args.file.display().to_string();
    let bytes = bytes(&args.file)?;
    let read = if json_read::is_json(&bytes) {
        if args.uncertainty_c.is_some() || args.margin_c.is_some() {
            return Err(Failure::refused(format!(
                "{name}: this export carries its own uncertainty and margin: leave out \
                 --uncertainty-c and --margin-c"
            )));
        }
        json_read::read(&name, &bytes).map_err(|error| Failure::Refused(error.into()))?
    } else {
        curve_csv::read(&name, &bytes, &options).map_err(|error| Failure::Refused(error.into()))?
    };
    let (recipe, foreign) = match &read.origin {
        Some(origin) if asked.is_none() => (origin.recipe.clone(), not_as_shipped(origin)),
        Some(_) | None => (usual, None),
    };
    let mut verdict = judge(&recipe, &read.curve);
    if let Some(finding) = foreign {
        // Without a moment it stands last among its equals.
        let at = verdict.findings.partition_point(|found| found.severity >= finding.severity);
        verdict.findings.insert(at, finding);
    }
    Ok((recipe, verdict, read))
}

/// A recipe that goes by a shipped name, but is another one.
fn not_as_shipped(origin: &Origin) -> Option<Finding> {
    let name = &origin.recipe.name;
    origin.borrows_shipped_name().then(|| Finding {
        rule: Rule::Judged,
        severity: Severity::Deviation,
        at_s: None,
        text: format!(
            "The recipe in the file is named {name}, but is not the one that this program ships: \
             read it, or judge by the shipped one with --recipe {name}."
        ),
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // One byte more than a curve may have is enough to refuse it; a pipe may never end.
    let most = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = if path.as_os_str() == files::STDOUT {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}

/// The verdict's fields at the top, as in `batch show`, and what it was judged by.
fn document(recipe: &Recipe, verdict: &Verdict, read: &ReadCurve) -> anyhow::Result<Value> {
    let mut document = serde_json::to_value(verdict)?;
    if let Value::Object(fields) = &mut document {
        fields.insert("recipe".to_owned(), json!(recipe.name));
        let origin = read.origin.as_ref().map(|origin| {
            json!({
                "batch": origin.batch, "simulated": origin.simulated,
                "recipe": origin.recipe.name, "head_hash": origin.head_hash,
                "head_checked": false, "signed": false,
            })
        });
        fields.insert("origin".to_owned(), json!(origin));
        fields.insert("judged_by".to_owned(), judged_by(recipe, &read.curve));
    }
    Ok(document)
}

/// The figures that decide the hold.
fn judged_by(recipe: &Recipe, curve: &Curve) -> Value {
    let uncertainty: Vec<f64> = curve.milk_uncertainty.iter().map(|u| u.as_f64()).collect();
    let limits: Vec<f64> = limits(recipe, curve).into_iter().map(Celsius::as_f64).collect();
    json!({
        "uncertainty_c": uncertainty, "margin_c": curve.margin.as_f64(), "limit_c": limits,
        "max_gap_s": curve.max_gap_ms as f64 / 1000.0,
        "hold_min": recipe.hold.hold_ms as f64 / 60_000.0,
    })
}

fn in_words(recipe: &Recipe, judged: &Verdict, read: &ReadCurve) -> String {
    let of = match &read.origin {
        Some(origin) => own_words(recipe, &read.curve, origin),
        None => "a curve of another program, judged as read".to_owned(),
    };
    format!("{}\njudged by {}; {of}", verdict::in_words(judged), recipe.name)
}

/// Where our own export comes from, by what it was judged, and what that proves.
fn own_words(recipe: &Recipe, curve: &Curve, origin: &Origin) -> String {
    let Origin { batch, head_hash, .. } = origin;
    let simulated = if origin.simulated { ", SIMULATED" } else { "" };
    let each = |values: Vec<String>| values.join(", ");
    let uncertainty = each(curve.milk_uncertainty.iter().map(Kelvin::to_string).collect());
    let limits = each(limits(recipe, curve).iter().map(Celsius::to_string).collect());
    format!(
        "export of batch {batch}{simulated}\n\
         uncertainty {uncertainty} °C, margin {} °C: limit {limits} °C\n\
         required hold {} min; gaps up to {} s\n\
         journal head as told by the file, not checked: {head_hash}\n\
         an export is not signed: compare it with the database (`{}`)",
        curve.margin,
        recipe.hold.hold_ms as f64 / 60_000.0,
        curve.max_gap_ms as f64 / 1000.0,
        invocation::command(format_args!("batch show {batch}")),
    )
}
