//! `holder recipe`: what a good batch is, by which recipe.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::{files, out};
use crate::profiles::RECIPE_DEFAULT;
use crate::station::config::library::{never_shadows, recipe_of_file};

/// What a good batch is: list, show and check recipes
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder recipe list")]
pub(crate) enum RecipeCommand {
    /// List the recipes that this station knows
    #[command(after_help = "Example:\n  holder recipe list")]
    List,
    /// Show a recipe, as a file that can be a start for your own
    #[command(after_help = "Examples:\n  holder recipe show holder-hmbana\n  \
                            holder recipe show holder-hmbana > recipes/ours.toml\n\n\
                            In the new file, write its own name: name = \"ours\".")]
    Show {
        /// Name of the recipe
        recipe: String,
    },
    /// Check a recipe file before it is used
    #[command(after_help = "Example:\n  holder recipe check recipes/ours.toml")]
    Check {
        /// The file
        file: PathBuf,
    },
}

pub(crate) fn run(context: &Context, command: RecipeCommand) -> Result<(), Failure> {
    match command {
        RecipeCommand::List => list(context),
        RecipeCommand::Show { recipe } => show(context, &recipe),
        RecipeCommand::Check { file } => check(context, &file),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let library = context.library()?;
    let mut documents = Vec::new();
    let mut rows = Vec::new();
    let mut bad = 0;
    for name in library.recipe_names() {
        let known = match library.recipe(name) {
            Ok(known) => known,
            Err(fault) => {
                bad += 1;
                let fault = fault.to_string();
                documents.push(json!({ "name": name, "fault": fault }));
                rows.push(vec![name.to_owned(), "–".to_owned(), "–".to_owned(), fault]);
                continue;
            }
        };
        let is_default = name == RECIPE_DEFAULT;
        documents.push(json!({
            "name": name, "title": known.recipe.title, "origin": known.origin,
            "default": is_default, "floor_c": known.recipe.hold.floor.as_f64(),
            "hold_min": known.recipe.hold.hold_ms as f64 / 60_000.0,
        }));
        let mark = if is_default { " (default)" } else { "" };
        rows.push(vec![
            name.to_owned(),
            format!("{:.1} °C", known.recipe.hold.floor),
            format!("{} min", known.recipe.hold.hold_ms as f64 / 60_000.0),
            format!("{}{mark}", known.recipe.title),
        ]);
    }
    if context.json {
        out::json(&documents)?;
    } else {
        out::text(&out::table(&["RECIPE", "FLOOR", "HOLD", "TITLE"], &rows))?;
    }
    match bad {
        0 => Ok(()),
        1 => Err(Failure::refused("one recipe above cannot be used; its line says why")),
        many => Err(Failure::refused(format!("{many} recipes above cannot be used"))),
    }
}

fn show(context: &Context, name: &str) -> Result<(), Failure> {
    let known = context.library()?.recipe(name)?;
    if context.json {
        return Ok(out::json(&json!({ "origin": known.origin, "recipe": known.recipe }))?);
    }
    Ok(out::text(&known.text)?)
}

fn check(context: &Context, file: &std::path::Path) -> Result<(), Failure> {
    let text = files::read(file)?;
    let recipe = recipe_of_file(file, &text)?;
    never_shadows(file, &recipe)?;
    if context.json {
        return Ok(out::json(&json!({ "valid": true, "recipe": recipe }))?);
    }
    let unverified = if recipe.unverified.is_empty() {
        "every limit cites a source".to_owned()
    } else {
        format!("without a source: {}", recipe.unverified.join(", "))
    };
    Ok(out::text(&format!(
        "{}: a valid recipe. Floor {:.1} °C for {} min; {unverified}.",
        recipe.name,
        recipe.hold.floor,
        recipe.hold.hold_ms as f64 / 60_000.0,
    ))?)
}
