//! How people reach the station: the command line. One file per command group; no rules in here.
//!
//! **Contract** (DESIGN). With `--json`, stdout carries one document; everything else goes to
//! stderr. Exit codes: 0 done, 1 refused or failed, 2 usage, 3 a batch or curve that is not
//! acceptable, 4 machine unreachable or not proved to be off, 5 a record does not verify.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

mod batch;
mod capture;
mod context;
mod db;
mod demo;
mod deposit;
mod device;
mod donor;
mod failure;
mod files;
mod init;
mod judge;
mod log;
mod out;
mod pool;
mod qualify;
mod recipe;
mod run;
mod shell;
mod signals;
mod sim;
mod soak;
mod unit;
mod verdict;

use context::Context;
use failure::Failure;

use crate::invocation;

/// Batch controller and record keeper for Holder pasteurizers in human milk banks.
#[derive(Debug, Parser)]
#[command(
    name = "holder",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:\n  holder demo                    the whole story in seconds, simulated\n  \
                  holder init bank --training    a station for practice in the folder bank\n  \
                  holder --dir bank batch list   what was run on this station\n\n\
                  Exit codes: 0 done, 1 refused or failed, 2 usage, 3 a batch or curve that is not\n\
                  acceptable, 4 machine unreachable or not proved to be off, 5 a record does\n\
                  not verify."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for every command")]
struct Global {
    /// Folder of the station [default: the current one]
    #[arg(long = "dir", id = "station_dir", global = true, env = "HOLDER_DIR", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Write one JSON document to stdout, and all else to stderr
    #[arg(long, global = true)]
    json: bool,
    /// Say more about what happens, on stderr; twice for much more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Who acts, as it stands in the journal [default: the user of the computer]
    #[arg(long = "as", global = true, env = "HOLDER_USER", value_name = "USER")]
    user: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Init(init::InitArgs),
    Run(run::RunArgs),
    Sim(sim::SimArgs),
    Soak(soak::SoakArgs),
    #[command(subcommand)]
    Unit(unit::UnitCommand),
    #[command(subcommand)]
    Device(device::DeviceCommand),
    #[command(subcommand)]
    Batch(batch::BatchCommand),
    Judge(judge::JudgeArgs),
    #[command(subcommand)]
    Recipe(recipe::RecipeCommand),
    #[command(subcommand)]
    Donor(donor::DonorCommand),
    #[command(subcommand)]
    Deposit(deposit::DepositCommand),
    #[command(subcommand)]
    Pool(pool::PoolCommand),
    #[command(subcommand)]
    Db(db::DbCommand),
    Qualify(qualify::QualifyArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// The whole command tree, for completions, manual pages and tests.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // Usage errors and --help end here, with exit code 2 and 0.
    let cli = Cli::parse();
    signals::survive_the_file_limit();
    log::start(cli.global.verbose);
    let its_own = matches!(cli.command, Command::Demo(_)).then(|| PathBuf::from(demo::FOLDER));
    if let Some(dir) = cli.global.dir.clone().or(its_own) {
        invocation::set_folder(&dir);
    }
    let context = Context::new(cli.global.dir, cli.global.json, cli.global.user);
    match dispatch(&context, cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(args) => init::run(context, args),
        Command::Demo(args) => demo::run(context, args),
        Command::Run(args) => run::run(context, args),
        Command::Sim(args) => sim::run(context, args),
        Command::Soak(args) => soak::run(context, &args),
        Command::Unit(command) => unit::run(context, command),
        Command::Device(command) => device::run(context, command),
        Command::Batch(command) => batch::run(context, command),
        Command::Judge(args) => judge::run(context, &args),
        Command::Recipe(command) => recipe::run(context, command),
        Command::Donor(command) => donor::run(context, command),
        Command::Deposit(command) => deposit::run(context, command),
        Command::Pool(command) => pool::run(context, command),
        Command::Db(command) => db::run(context, command),
        Command::Qualify(args) => qualify::run(context, &args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(command: &clap::Command, path: &str, visit: &mut impl FnMut(&str, &clap::Command)) {
        visit(path, command);
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), visit);
        }
    }

    #[test]
    fn every_help_says_what_the_command_does_and_shows_an_example_of_it() {
        let mut seen = 0;
        walk(&command(), "holder", &mut |path, command| {
            seen += 1;
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{path} --help has no example");
            assert!(help.contains(path), "the example of {path} shows something else: {help}");
            assert!(command.get_about().is_some(), "{path} does not say what it does");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{path}: {} has no help", arg.get_id());
            }
        });
        assert!(seen > 10, "the walk saw only {seen} commands");
    }

    /// The words of a line as a shell takes them, up to a pipe, a redirection or two spaces: what
    /// stands there is for people.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word) = (Vec::new(), String::new());
        let mut quote = None;
        let mut letters = line.trim().chars().peekable();
        while let Some(letter) = letters.next() {
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None, ' ') => {
                    words.push(std::mem::take(&mut word));
                    if letters.peek().is_some_and(|next| [' ', '|', '>'].contains(next)) {
                        break;
                    }
                }
                (Some(_) | None, _) => word.push(letter),
            }
        }
        words.extend((!word.is_empty()).then_some(word));
        words
    }

    #[test]
    fn every_example_is_a_command_that_this_program_understands() {
        let mut tried = 0;
        walk(&command(), "holder", &mut |path, shown| {
            let help = shown.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.lines().filter(|line| line.trim_start().starts_with("holder "));
            for example in examples {
                tried += 1;
                let parsed = command().try_get_matches_from(words(example));
                assert!(
                    parsed.is_ok(),
                    "{path}: {example}: {}",
                    parsed.err().map_or_else(String::new, |why| why.to_string())
                );
            }
        });
        assert!(tried > 60, "the walk saw only {tried} examples");
    }

    #[test]
    fn the_command_tree_holds_together() {
        command().debug_assert();
    }
}
