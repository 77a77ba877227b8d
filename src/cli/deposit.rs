//! `holder deposit`: deliveries of milk.

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::context::Context;
use super::donor::day;
use super::failure::Failure;
use super::out;
use crate::milk::{Deposit, ml};
use crate::store::DepositShown;

/// Deliveries of milk: add, list and show deposits
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder deposit list")]
pub(crate) enum DepositCommand {
    Add(AddArgs),
    /// List the deposits and the pools that they are in
    #[command(after_help = "Example:\n  holder deposit list")]
    List,
    /// Show one deposit
    #[command(after_help = "Example:\n  holder deposit show M-0001")]
    Show {
        /// Code of the deposit
        deposit: String,
    },
}

/// Record a delivery; milk of every donor is received, and asked about when it is pooled
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
                  holder deposit add M-0001 --donor D-0001 --volume-ml 850 --expressed-on 2026-11-02")]
pub(crate) struct AddArgs {
    /// Code of the deposit, as on its label
    deposit: String,
    /// Code of the donor
    #[arg(long, value_name = "DONOR")]
    donor: String,
    /// Volume in millilitres, to a thousandth
    #[arg(long, value_name = "ML", allow_negative_numbers = true, value_parser = volume_ul)]
    volume_ml: i64,
    /// The oldest day of expression in it
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    expressed_on: Date,
    /// The day on which it arrived [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    received_on: Option<Date>,
}

/// Microlitres of a volume written in millilitres, exactly.
fn volume_ul(text: &str) -> Result<i64, String> {
    let rule = || format!("{text:?} is no volume in ml, such as 850 or 850.5");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 3 || !digits(whole) || !digits(fraction) {
        return Err(rule());
    }
    format!("{whole}{fraction:0<3}").parse().map_err(|_| rule())
}

pub(crate) fn run(context: &Context, command: DepositCommand) -> Result<(), Failure> {
    match command {
        DepositCommand::Add(args) => add(context, args),
        DepositCommand::List => list(context),
        DepositCommand::Show { deposit } => show(context, &deposit),
    }
}

fn add(context: &Context, args: AddArgs) -> Result<(), Failure> {
    let (mut store, actor) = context.store_to_write()?;
    let today = store.day(actor.utc_ms)?;
    let deposit = Deposit {
        code: args.deposit,
        donor: args.donor,
        volume_ul: args.volume_ml,
        expressed_on: args.expressed_on,
        received_on: args.received_on.unwrap_or(today),
    };
    store.add_deposit(actor.stamp(), &deposit)?;
    if context.json {
        return Ok(out::json(&deposit)?);
    }
    Ok(out::text(&format!(
        "deposit {}: {} ml of donor {}, expressed from {}, received on {}",
        deposit.code,
        ml(deposit.volume_ul),
        deposit.donor,
        deposit.expressed_on,
        deposit.received_on
    ))?)
}

fn list(context: &Context) -> Result<(), Failure> {
    let deposits = context.store_to_read()?.deposits()?;
    if context.json {
        return Ok(out::json(&deposits)?);
    }
    Ok(out::text(&table(&deposits))?)
}

fn show(context: &Context, code: &str) -> Result<(), Failure> {
    let shown = context.store_to_read()?.deposit(code)?;
    if context.json {
        return Ok(out::json(&shown)?);
    }
    Ok(out::text(&table(&[shown]))?)
}

/// Deposits as a table.
pub(crate) fn table(deposits: &[DepositShown]) -> String {
    let row = |shown: &DepositShown| {
        vec![
            shown.deposit.code.clone(),
            shown.deposit.donor.clone(),
            ml(shown.deposit.volume_ul),
            shown.deposit.expressed_on.to_string(),
            shown.deposit.received_on.to_string(),
            shown.pool.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = deposits.iter().map(row).collect();
    let head = ["DEPOSIT", "DONOR", "ML", "EXPRESSED FROM", "RECEIVED", "POOL"];
    out::list(&head, &rows, "no deposits yet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millilitres_become_microlitres_exactly() {
        assert_eq!(volume_ul("850"), Ok(850_000));
        assert_eq!(volume_ul("850.5"), Ok(850_500));
        assert_eq!(volume_ul("0.001"), Ok(1));
        assert_eq!(volume_ul("7."), Ok(7_000));
        for bad in ["", ".5", "-1", "+1", "1e3", "nan", "1,5", "0.0001", "99999999999999999999"] {
            assert!(volume_ul(bad).is_err(), "{bad}");
        }
    }
}
