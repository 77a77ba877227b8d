//! `holder donor`: who gives milk, by code only, and whether it may reach a baby.

use clap::{ArgGroup, Args, Subcommand};
use jiff::civil::Date;

use super::context::Context;
use super::failure::Failure;
use super::out;
use crate::milk::{Donor, Status};

/// Who gives milk, by code only: add, set, list and show donors
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder donor list")]
pub(crate) enum DonorCommand {
    /// Add a donor by code, never by name; the donor is in screening until cleared
    #[command(after_help = "Examples:\n  holder donor add D-0001\n  \
                            holder donor add D-0002 --cleared-until 2027-03-31")]
    Add {
        /// Code of the donor, as on the labels
        donor: String,
        /// The screening is complete; milk expressed up to this day may be used
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        cleared_until: Option<Date>,
    },
    Set(SetArgs),
    /// List the donors and where they stand
    #[command(after_help = "Example:\n  holder donor list")]
    List,
    /// Show one donor with the deposits
    #[command(after_help = "Example:\n  holder donor show D-0001")]
    Show {
        /// Code of the donor
        donor: String,
    },
}

/// Say where a donor stands now, and why
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("status").required(true)
        .args(["cleared_until", "deferred", "research_only", "screening"]),
    after_help = "Examples:\n  \
                  holder donor set D-0001 --cleared-until 2027-03-31 --why \"serology complete\"\n  \
                  holder donor set D-0001 --deferred --why \"new medicine, under review\""
)]
pub(crate) struct SetArgs {
    /// Code of the donor
    donor: String,
    /// The screening is complete; milk expressed up to this day may be used
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    cleared_until: Option<Date>,
    /// Milk of this donor is on hold
    #[arg(long)]
    deferred: bool,
    /// Milk of this donor is for research only
    #[arg(long)]
    research_only: bool,
    /// The screening is not complete
    #[arg(long)]
    screening: bool,
    /// Why, without anything personal: it stays in the journal for ever
    #[arg(long, value_name = "REASON")]
    why: String,
}

impl SetArgs {
    fn status(&self) -> Status {
        match self.cleared_until {
            Some(until) => Status::Cleared { until },
            None if self.deferred => Status::Deferred,
            None if self.research_only => Status::ResearchOnly,
            None => Status::Screening,
        }
    }
}

pub(crate) fn run(context: &Context, command: DonorCommand) -> Result<(), Failure> {
    match command {
        DonorCommand::Add { donor, cleared_until } => add(context, &donor, cleared_until),
        DonorCommand::Set(args) => set(context, &args),
        DonorCommand::List => list(context),
        DonorCommand::Show { donor } => show(context, &donor),
    }
}

/// A day as it is asked for; what jiff says of another form is about its parser.
pub(super) fn day(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no day: write year, month and day, as 2027-03-31"))
}

fn add(context: &Context, code: &str, cleared_until: Option<Date>) -> Result<(), Failure> {
    let (mut store, actor) = context.store_to_write()?;
    let mut donor = store.add_donor(actor.stamp(), code)?;
    if let Some(until) = cleared_until {
        let status = Status::Cleared { until };
        donor = store.set_donor_status(actor.stamp(), code, status, "cleared when added")?;
    }
    answer(context, &donor)
}

fn set(context: &Context, args: &SetArgs) -> Result<(), Failure> {
    let (mut store, actor) = context.store_to_write()?;
    let status = args.status();
    let donor = store.set_donor_status(actor.stamp(), &args.donor, status, &args.why)?;
    answer(context, &donor)
}

fn answer(context: &Context, donor: &Donor) -> Result<(), Failure> {
    if context.json {
        return Ok(out::json(donor)?);
    }
    Ok(out::text(&format!("donor {}: {}", donor.code, in_words(donor.status)))?)
}

/// Where a donor stands.
pub(crate) fn in_words(status: Status) -> String {
    match status {
        Status::Screening => "in screening".to_owned(),
        Status::Cleared { until } => format!("cleared until {until}"),
        Status::Deferred => "deferred".to_owned(),
        Status::ResearchOnly => "research only".to_owned(),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let donors = context.store_to_read()?.donors()?;
    if context.json {
        return Ok(out::json(&donors)?);
    }
    let row = |donor: &Donor| vec![donor.code.clone(), in_words(donor.status)];
    let rows: Vec<Vec<String>> = donors.iter().map(row).collect();
    Ok(out::text(&out::list(&["DONOR", "STATUS"], &rows, "no donors yet"))?)
}

fn show(context: &Context, code: &str) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    let donor = store.donor(code)?;
    let mut deposits = store.deposits()?;
    deposits.retain(|shown| shown.deposit.donor == code);
    if context.json {
        return Ok(out::json(&serde_json::json!({ "donor": donor, "deposits": deposits }))?);
    }
    let table = super::deposit::table(&deposits);
    Ok(out::text(&format!("donor {}: {}\n\n{table}", donor.code, in_words(donor.status)))?)
}
