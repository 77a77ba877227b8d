//! `holder pool`: deposits mixed in one vessel.

use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::out;
use crate::milk::ml;
use crate::profiles::RECIPE_DEFAULT;
use crate::store::PoolShown;

/// Deposits mixed in one vessel: add, list and show pools
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder pool list")]
pub(crate) enum PoolCommand {
    Add(AddArgs),
    /// List the pools and what is left of them
    #[command(after_help = "Example:\n  holder pool list")]
    List,
    /// Show one pool with its deposits and batches
    #[command(after_help = "Example:\n  holder pool show P-0001")]
    Show {
        /// Code of the pool
        pool: String,
    },
}

/// Mix deposits into a pool; the recipe says how many donors, and how old the milk may be
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  holder pool add P-0001 M-0001 M-0002 M-0003")]
pub(crate) struct AddArgs {
    /// Code of the pool, as on its label
    pool: String,
    /// Codes of the deposits that are mixed
    #[arg(required = true, value_name = "DEPOSIT")]
    deposits: Vec<String>,
    /// The recipe whose rules hold for the pool
    #[arg(long, value_name = "RECIPE", default_value = RECIPE_DEFAULT)]
    recipe: String,
}

pub(crate) fn run(context: &Context, command: PoolCommand) -> Result<(), Failure> {
    match command {
        PoolCommand::Add(args) => add(context, &args),
        PoolCommand::List => list(context),
        PoolCommand::Show { pool } => show(context, &pool),
    }
}

fn add(context: &Context, args: &AddArgs) -> Result<(), Failure> {
    let rule = context.library()?.recipe(&args.recipe)?.recipe.pool;
    let (mut store, actor) = context.store_to_write()?;
    let pool = store.add_pool(actor.stamp(), &args.pool, &args.deposits, &rule)?;
    if context.json {
        return Ok(out::json(&pool)?);
    }
    Ok(out::text(&format!(
        "pool {}: {} ml from {} deposits, to be used by {}",
        pool.code,
        ml(pool.volume_ul),
        pool.deposits.len(),
        pool.expires_on
    ))?)
}

fn list(context: &Context) -> Result<(), Failure> {
    let pools = context.store_to_read()?.pools()?;
    if context.json {
        return Ok(out::json(&pools)?);
    }
    let rows: Vec<Vec<String>> = pools.iter().map(row).collect();
    let head = ["POOL", "MADE", "USE BY", "ML", "ML LEFT", "BATCHES"];
    Ok(out::text(&out::list(&head, &rows, "no pools yet"))?)
}

fn row(shown: &PoolShown) -> Vec<String> {
    vec![
        shown.pool.code.clone(),
        shown.pool.made_on.to_string(),
        shown.pool.expires_on.to_string(),
        ml(shown.pool.volume_ul),
        ml(shown.left_ul),
        shown.batches.join(" "),
    ]
}

fn show(context: &Context, code: &str) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    let shown = store.pool(code)?;
    let deposits = shown.pool.deposits.iter().map(|deposit| store.deposit(deposit));
    let deposits = deposits.collect::<Result<Vec<_>, _>>()?;
    if context.json {
        return Ok(out::json(&json!({ "pool": shown, "deposits": deposits }))?);
    }
    let held = match shown.reserved_ul {
        0 => String::new(),
        held_ul => format!(", {} ml held for bottles that are not in yet", ml(held_ul)),
    };
    let batches =
        if shown.batches.is_empty() { "none".to_owned() } else { shown.batches.join(", ") };
    Ok(out::text(&format!(
        "pool {code}: {} ml, {} ml left{held}\nmade on {}, to be used by {}\nbatches: {batches}\n\n{}",
        ml(shown.pool.volume_ul),
        ml(shown.left_ul),
        shown.pool.made_on,
        shown.pool.expires_on,
        super::deposit::table(&deposits)
    ))?)
}
