//! `holder completions` and `holder man`: what a shell and a manual reader want to know.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap_complete::Shell;

use super::failure::Failure;
use super::{command, files, out};

/// Print completions for your shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  holder completions bash > ~/.local/share/bash-completion/completions/holder"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual pages of all commands into a folder
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  holder man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder; it is made if it is not there
    folder: PathBuf,
}

pub(crate) fn completions(args: CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "holder", &mut script);
    Ok(out::bytes(&script)?)
}

pub(crate) fn man(args: ManArgs) -> Result<(), Failure> {
    fs::create_dir_all(&args.folder)
        .with_context(|| format!("the folder {} cannot be made", args.folder.display()))?;
    let mut root = command().disable_help_subcommand(true);
    // Names the commands below as `holder-batch-list`, which become the names of the pages.
    root.build();
    let written = page(&root, &args)?;
    out::note(&format!("wrote {written} pages to {}", args.folder.display()));
    Ok(())
}

/// Writes the page of `command` and of all below it; says how many.
fn page(command: &clap::Command, args: &ManArgs) -> Result<usize, Failure> {
    let page_of = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page_of.render(&mut text).context("a manual page cannot be made")?;
    files::write(&args.folder.join(page_of.get_filename()), &text, true)?;
    let mut written = 1;
    for below in command.get_subcommands() {
        written += page(below, args)?;
    }
    Ok(written)
}
