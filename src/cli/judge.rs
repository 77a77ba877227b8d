//! `holder judge`: a verdict on anybody's curve.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use holder_hal::Kelvin;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::{files, out, verdict};
use crate::batch::judge::judge;
use crate::batch::recipe::Recipe;
use crate::batch::verdict::{Outcome, Verdict};
use crate::profiles::RECIPE_DEFAULT;
use crate::record::curve_csv::{self, Options, Origin};

/// Judge a curve, of this program or of anybody's logger
///
/// Reads CSV: a column t_s (seconds) or time (RFC 3339), columns that start with milk, and
/// optionally bath, reference, lid and phase; an empty cell is a missing reading. An export of
/// `holder batch export` carries all that it is judged by and gives the verdict on its record.
/// The exit code is 3 if the curve is not acceptable.
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
    #[arg(long, value_name = "U", value_parser = difference)]
    uncertainty_c: Option<Kelvin>,
    /// Distance from the probe's bottle to the coldest one of a foreign curve, °C [default: 0]
    #[arg(long, value_name = "MARGIN", value_parser = difference)]
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
    let (recipe, verdict, origin) = judged(context, args)?;
    if context.json {
        out::json(&document(&recipe, &verdict, origin.as_ref())?)?;
    } else {
        out::text(&in_words(&recipe, &verdict, origin.as_ref()))?;
    }
    match verdict.outcome {
        Outcome::Acceptable => Ok(()),
        outcome @ (Outcome::Unacceptable | Outcome::Incomplete) => {
            Err(Failure::NotAcceptable(outcome))
        }
    }
}

fn judged(
    context: &Context,
    args: &JudgeArgs,
) -> Result<(Recipe, Verdict, Option<Origin>), Failure> {
    let asked = args.recipe.as_deref();
    let usual = context.library()?.recipe(asked.unwrap_or(RECIPE_DEFAULT))?.recipe;
    let options = Options {
        uncertainty: args.uncertainty_c,
        margin: args.margin_c,
        max_gap_foreign_ms: usual.hold.max_gap_foreign_ms,
    };
    let name = args.file.display().to_string();
    let read = curve_csv::read(&name, &bytes(&args.file)?, &options)
        .map_err(|error| Failure::Refused(error.into()))?;
    let recipe = match &read.origin {
        Some(origin) if asked.is_none() => {
            Recipe::parse(&format!("recipe in {name}"), &origin.recipe_text)
                .map_err(|error| Failure::Refused(error.into()))?
        }
        Some(_) | None => usual,
    };
    let verdict = judge(&recipe, &read.curve);
    Ok((recipe, verdict, read.origin))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == files::STDOUT {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map(drop)
    };
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}

/// The verdict's fields at the top, as in `batch show`, and what it was judged by.
fn document(recipe: &Recipe, verdict: &Verdict, origin: Option<&Origin>) -> anyhow::Result<Value> {
    let mut document = serde_json::to_value(verdict)?;
    if let Value::Object(fields) = &mut document {
        fields.insert("recipe".to_owned(), json!(recipe.name));
        let origin = origin.map(|origin| {
            json!({
                "batch": origin.batch, "simulated": origin.simulated,
                "recipe": origin.recipe_name, "head_hash": origin.head_hash,
            })
        });
        fields.insert("origin".to_owned(), json!(origin));
    }
    Ok(document)
}

fn in_words(recipe: &Recipe, judged: &Verdict, origin: Option<&Origin>) -> String {
    let of = match origin {
        Some(Origin { batch, simulated: true, head_hash, .. }) => {
            format!("export of batch {batch}, SIMULATED, journal head {head_hash}")
        }
        Some(Origin { batch, simulated: false, head_hash, .. }) => {
            format!("export of batch {batch}, journal head {head_hash}")
        }
        None => "a curve of another program, judged as read".to_owned(),
    };
    format!("{}\njudged by {}; {of}", verdict::in_words(judged), recipe.name)
}
