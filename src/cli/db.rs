//! `holder db`: the station's memory as a whole.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::out;
use crate::store::{Head, VerifyReport};

mod backup;
mod restore;
mod stats;

/// The station's memory as a whole
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder db verify")]
pub(crate) enum DbCommand {
    /// Make a backup in one file, also while batches run
    ///
    /// The file appears when it is whole, verified and on the disk. It holds the station's memory
    /// and its own files: station.toml, profiles and recipes. Keep it on another disk, and away
    /// from the machine.
    #[command(
        after_help = "Examples:\n  holder db backup /media/stick\n  holder db backup before-update.db"
    )]
    Backup {
        /// A new file; or a folder, in which the file is named by the time
        #[arg(value_name = "FILE|DIR")]
        to: PathBuf,
    },
    /// Make a new station from a backup, in a new folder
    ///
    /// Nothing is ever put over an existing station. The new journal says from which backup it
    /// was restored. A batch that ran when the backup was made is closed as incomplete; one that was
    /// over, but not closed, as what its record shows.
    #[command(
        after_help = "Example:\n  holder db restore /media/stick/holder-2026-11-24T191200Z.db bank-restored"
    )]
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Folder of the new station; it is made, or is there and empty
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// A head hash from a printed record, which the backup must contain
        #[arg(long, value_name = "HASH", value_parser = head_digits)]
        head: Option<String>,
    },
    /// Show how much is stored, and when the last backup was made
    #[command(after_help = "Example:\n  holder db stats")]
    Stats,
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
        DbCommand::Backup { to } => backup::run(context, &to),
        DbCommand::Restore { file, folder, head } => {
            restore::run(context, &file, &folder, head.as_deref())
        }
        DbCommand::Stats => stats::run(context),
        DbCommand::Verify { head } => verify(context, head.as_deref()),
    }
}

fn verify(context: &Context, head: Option<&str>) -> Result<(), Failure> {
    let store = context.store_to_read()?;
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
    let open = match report.readings_unsealed {
        0 => String::new(),
        count => format!("\n{count} readings of a running batch are not sealed yet"),
    };
    let (table, head) = (recomputed(&report), &report.head_hash);
    Ok(out::text(&format!("everything fits\n\n{table}\nhead {head}{open}"))?)
}

/// What was recomputed, as a table.
fn recomputed(report: &VerifyReport) -> String {
    let counted = [
        ("journal entries", report.entries.to_string()),
        ("batches", report.batches.to_string()),
        ("inputs", report.inputs.to_string()),
        ("readings", report.readings.to_string()),
        ("seals", report.seals.to_string()),
        ("frozen texts", report.texts.to_string()),
    ];
    let rows: Vec<Vec<String>> =
        counted.into_iter().map(|(what, count)| vec![what.to_owned(), count]).collect();
    out::table(&["RECOMPUTED", "COUNT"], &rows)
}

/// Says on stderr how far a copy is, at every tenth of it, when it is large enough to wait for.
fn progress() -> impl FnMut(crate::store::Progress) {
    const PAGES_WORTH_WAITING_FOR: u64 = 8_192; // 32 MiB
    let mut said = 0;
    move |now| {
        let tenth = (10 * now.pages).checked_div(now.pages_all).unwrap_or(0);
        if now.pages_all >= PAGES_WORTH_WAITING_FOR && tenth > said {
            said = tenth;
            out::note(&format!("copied {} of {} pages", now.pages, now.pages_all));
        }
    }
}
