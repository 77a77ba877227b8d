//! `holder db`: the station's memory as a whole.

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::out;
use crate::store::{Head, Misfit, StoreError};

/// The station's memory as a whole
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder db verify")]
pub(crate) enum DbCommand {
    /// Recompute everything that is stored, and name the first thing that does not fit
    ///
    /// The exit code is 5 if something does not fit. With --head, the journal must also still
    /// contain the entry whose hash stands on a printed record: this shows a journal that was
    /// rewritten or cut off.
    #[command(
        after_help = "Examples:\n  holder db verify\n  holder db verify --head 3f9a1c0de2b47785"
    )]
    Verify {
        /// A head hash from a printed record or an export; its first 16 digits are enough
        #[arg(long, value_name = "HASH", value_parser = head_digits)]
        head: Option<String>,
    },
}

/// A hash as it was typed from paper.
fn head_digits(typed: &str) -> Result<String, String> {
    Head::digits(typed).ok_or_else(|| {
        "give at least 16 digits of the hash, as it stands on the record (0 to 9, a to f)"
            .to_owned()
    })
}

pub(crate) fn run(context: &Context, command: DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Verify { head } => verify(context, head.as_deref()),
    }
}

fn verify(context: &Context, head: Option<&str>) -> Result<(), Failure> {
    let store = context.store_to_read().map_err(damage)?;
    let report = match store.verify(head) {
        Ok(report) => report,
        Err(misfit) => {
            if context.json {
                out::json(&json!({ "verifies": false, "misfit": misfit.to_string() }))?;
            }
            return Err(misfit.into());
        }
    };
    if context.json {
        return Ok(out::json(&json!({ "verifies": true, "report": report }))?);
    }
    let open = match report.samples_unsealed {
        0 => String::new(),
        count => format!("\n{count} samples of a running batch are not sealed yet"),
    };
    let counted = [
        ("journal entries", report.entries.to_string()),
        ("batches", report.batches.to_string()),
        ("inputs", report.inputs.to_string()),
        ("samples", report.samples.to_string()),
        ("seals", report.seals.to_string()),
        ("frozen texts", report.texts.to_string()),
    ];
    let rows: Vec<Vec<String>> =
        counted.into_iter().map(|(what, count)| vec![what.to_owned(), count]).collect();
    let table = out::table(&["RECOMPUTED", "COUNT"], &rows);
    Ok(out::text(&format!("everything fits\n\n{table}\nhead {}{open}", report.head_hash))?)
}

/// A file that SQLite itself finds damaged is a record that does not verify.
fn damage(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(why) if is_damage(&why) => Failure::DoesNotVerify(why),
        Failure::Refused(_)
        | Failure::Usage(_)
        | Failure::NotAcceptable(_)
        | Failure::Unreachable(_)
        | Failure::DoesNotVerify(_) => failure,
    }
}

fn is_damage(why: &anyhow::Error) -> bool {
    matches!(
        why.downcast_ref(),
        Some(StoreError::Damaged(_) | StoreError::Garbled { .. } | StoreError::NoVersion { .. })
    )
}

impl From<Misfit> for Failure {
    fn from(misfit: Misfit) -> Self {
        Self::DoesNotVerify(misfit.into())
    }
}
