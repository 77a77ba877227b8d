//! `holder run`: one batch on one unit.

use std::path::PathBuf;

use clap::Args;
use holder_hal::wire::capture::CaptureHead;
use serde_json::json;

use super::capture::{Kept, PROGRAM};
use super::context::Context;
use super::failure::Failure;
use super::{log, out, signals};
use crate::batch::params::Purpose;
use crate::batch::verdict::{Outcome, Verdict};
use crate::invocation;
use crate::profiles;
use crate::station::changes;
use crate::station::conduct::{Conducted, NewRun, Pace, Request, Task, conduct};
use crate::station::config::Unit;
use crate::station::lock::LockError;
use crate::station::screen::Mode;

/// Run one batch on a unit, from the cold bath to the cold bottle
///
/// On a terminal this shows the live screen, which says what to do next; elsewhere it writes
/// plain lines to stderr. Ctrl-C makes the machine safe and closes the record as incomplete.
#[derive(Debug, Args)]
/// A batch that a power cut or a crash interrupted stays open: the next `run` says so, makes the
/// machine safe and begins nothing else. `--resume` goes on with it by the recipe's rule; heat
/// waits for a person to confirm it.
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["pool", "water", "resume", "abandon"]),
    after_help = "Examples:\n  holder run past-1 --pool P-0001 --bottles 48\n  \
                  holder run past-1 --water --bottles 12\n  \
                  holder run past-1 --resume                go on after a power cut or a crash\n  \
                  holder run past-1 --abandon 'milk thrown away after the power cut'\n  \
                  holder run demo --water --fast --yes      a simulated machine, in seconds"
)]
pub(crate) struct RunArgs {
    /// Name of the unit in station.toml
    #[arg(value_name = "UNIT")]
    unit: String,
    /// Code of the pool whose milk is in the bottles
    #[arg(long, value_name = "POOL", requires = "bottles")]
    pool: Option<String>,
    /// Run water instead of milk, for commissioning and mapping; never releasable
    #[arg(long)]
    water: bool,
    /// Go on with the batch that was interrupted on this unit
    #[arg(long, conflicts_with_all = ["bottles", "bottle_ml", "recipe", "reason"])]
    resume: bool,
    /// Close the batch that was interrupted on this unit as incomplete, with the reason
    #[arg(long, value_name = "WHY", value_parser = why, conflicts_with_all = ["bottles", "bottle_ml", "recipe", "reason"])]
    abandon: Option<String>,
    /// How many bottles, the control bottle not counted [default for water: all that fit]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    bottles: Option<u16>,
    /// Milk in each bottle, millilitres
    #[arg(long, value_name = "ML", default_value_t = 130, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    bottle_ml: u32,
    /// The recipe: what a good batch is
    #[arg(long, value_name = "RECIPE", default_value = profiles::RECIPE_DEFAULT)]
    recipe: String,
    /// Play the technician: confirm loading and unloading (simulated units only)
    #[arg(long)]
    yes: bool,
    /// Simulated seconds per real second, 1 to 60, against `holder sim` (simulated units only)
    #[arg(long, value_name = "X", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
    /// As fast as the processor allows, with a simulated machine made for it (simulated units only)
    #[arg(long, conflicts_with = "speed")]
    fast: bool,
    /// Why certificates, margin or cut are new, where they are: it goes into the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Keep all that goes over the wires in this new file, for `holder device replay`
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Seed of the machine that --fast makes
    #[arg(long, value_name = "N", default_value_t = 1, requires = "fast")]
    seed: u64,
}

/// A reason that says something: it stands in the journal for good.
fn why(typed: &str) -> Result<String, String> {
    let why = typed.trim();
    if why.is_empty() {
        return Err("say why the batch is given up: it stands in the journal for good".to_owned());
    }
    Ok(why.to_owned())
}

/// The options by which a batch of this run goes on as it began.
fn pace(args: &RunArgs) -> String {
    let speed = (args.speed > 1).then(|| format!("--speed {}", args.speed));
    let asked =
        [args.fast.then(|| "--fast".to_owned()), speed, args.yes.then(|| "--yes".to_owned())];
    asked.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Where the log of `-v` goes while the live screen has the terminal.
const LOG_FILE: &str = "holder.log";

pub(crate) fn run(context: &Context, args: RunArgs) -> Result<(), Failure> {
    signals::never_stopped_by_the_terminal();
    invocation::set_pace(pace(&args));
    let station = context.station_of_machine(&args.unit).inspect_err(untold)?;
    let most = station.unit(&args.unit)?.written.bottles_max;
    let mode = Mode::for_this_terminal();
    let _log = match &mode {
        Mode::Live => log::to_file(&context.dir().join(LOG_FILE))?,
        Mode::Plain(_) => log::aside(std::io::stderr())?,
    };
    log::panics_aside();
    let unit = station.unit(&args.unit)?;
    let spec = unit.spec().map_err(Failure::from).inspect_err(untold)?;
    if !unit.written.simulated {
        warn(&unit, args.water)?;
    }
    let head = CaptureHead::of_unit(&spec, PROGRAM, context.now_utc_ms());
    // A machine that a killed program left heating is made safe before any of this is refused.
    let mut refused = None;
    let mut or_refused = |why: Failure| refused = refused.take().or(Some(why.why()));
    let kept = Kept::begin(args.capture.as_deref(), &head).map_err(&mut or_refused);
    let kept = kept.unwrap_or_default();
    let who = context.who().map_err(&mut or_refused).unwrap_or_default();
    // On real hardware it is refused, and the machine that is made safe first is the real one.
    let fast = args.fast && unit.written.simulated;
    let today = context.today(&station.time_zone).map_err(&mut or_refused).unwrap_or_default();
    let locked = super::unit::lock_to_make_safe(context, &spec, fast).map_err(|why| {
        let is_unused = matches!(why, LockError::File { .. });
        let why = Failure::from(why);
        if is_unused {
            untold(&why);
        }
        why
    });
    let (lock, unusable) = locked?;
    unusable.into_iter().for_each(|why| or_refused(why.into()));
    let request = Request {
        dir: context.dir(),
        station: &station,
        unit: &args.unit,
        task: match (args.resume, args.abandon) {
            (true, _) => Task::Resume,
            (false, Some(why)) => Task::Abandon(why),
            (false, None) => Task::New(NewRun {
                purpose: if args.water { Purpose::Water } else { Purpose::Milk },
                pool: args.pool,
                bottles: args.bottles.unwrap_or(most),
                bottle_ul: i64::from(args.bottle_ml) * 1000,
                recipe: &args.recipe,
                reason: args.reason.unwrap_or_else(|| changes::NO_REASON.to_owned()),
                today,
            }),
        },
        who,
        pace: match args.fast {
            true => Pace::Lockstep { seed: args.seed },
            false => Pace::Running { speed: args.speed },
        },
        yes: args.yes,
        capture: Kept::handle(kept.as_ref()),
        refused,
        lock,
        tell: out::note,
    };
    let gives_up = matches!(request.task, Task::Abandon(_));
    let done = super::unit::block_on(conduct(request, mode));
    Kept::end(kept);
    let done = done?.inspect_err(|why| {
        if !fast && why.nobody_answers() {
            super::unit::ask_who_started_it(context, &args.unit);
        }
    })?;
    report(context, &done)?;
    // What was asked for was done, on whatever there is (docs/decisions/0022).
    let given_up = gives_up.then(|| still_fits(context, &done.batch));
    proved_off(&done)?;
    if let Some(fits) = given_up {
        return fits;
    }
    match done.verdict.outcome {
        Outcome::Acceptable => Ok(()),
        outcome @ (Outcome::Unacceptable | Outcome::Incomplete) => {
            Err(Failure::NotAcceptable(outcome))
        }
    }
}

/// Whether the record of a batch that was given up is what was written. It is closed either way; but
/// whoever gives up a batch because of its record must not read here that nothing was found.
fn still_fits(context: &Context, batch: &str) -> Result<(), Failure> {
    let fits = context.store_to_read().and_then(|store| Ok(store.batch_fits(batch)?));
    fits.inspect_err(|why| {
        let what = match why.is_damage() {
            true => "is not what was written",
            false => "could not be looked at",
        };
        let why = why.why();
        out::note(&format!(
            "batch {batch} was given up and is closed, but its record {what}: {why}"
        ));
    })
}

/// Whatever became of the batch: a heater that is not proved to be off comes before it.
fn proved_off(done: &Conducted) -> Result<(), Failure> {
    if done.unsafe_because.is_none() {
        return Ok(());
    }
    Err(Failure::Unreachable(anyhow::anyhow!(
        "batch {}: ATTENTION: the machine did not confirm that its heat is off. Switch the heater off \
         at the machine, or see that it is off",
        done.batch
    )))
}

/// Without its description, or behind another program's back, no machine can be made safe.
fn untold(_: &Failure) {
    out::note("nothing was told to the machine. If it may be heating, switch its heater off there");
}

/// What a person should know before real hardware is driven, as far as its description tells.
fn warn(unit: &Unit<'_>, water: bool) -> Result<(), Failure> {
    let unverified = unit.unverified_in_use()?;
    if !water && !unverified.is_empty() {
        out::note(&format!(
            "WARNING: milk depends on points that nobody has verified by a manual or a device: {}. \
             `{}` says what to do",
            unverified.join(", "),
            invocation::command(format_args!("unit check {}", unit.name))
        ));
    }
    Ok(())
}

fn report(context: &Context, done: &Conducted) -> Result<(), Failure> {
    let ended = done.ending.words();
    if context.json {
        return Ok(out::json(&json!({
            "batch": done.batch, "ended": ended, "verdict": done.verdict,
            "safe": done.unsafe_because.is_none(),
        }))?);
    }
    let code = &done.batch;
    let next = invocation::command(format_args!("batch record {code}"));
    let next = format!("the printed record: {next}");
    Ok(out::text(&format!("batch {code} {ended}\n{}\n{next}", summary(&done.verdict)))?)
}

/// The verdict in a few lines.
pub(crate) fn summary(verdict: &Verdict) -> String {
    let mut lines = vec![format!("verdict: {}", verdict.outcome)];
    lines.extend(verdict.findings.iter().map(|finding| {
        let at = finding.at_s.map(|at_s| format!(" at {:.1} min", at_s / 60.0));
        format!("  {}{}: {}", finding.severity.word(), at.unwrap_or_default(), finding.text)
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_given_up_for_a_reason_only() {
        for blank in ["", "  ", "\t\n"] {
            assert!(why(blank).is_err(), "{blank:?}");
        }
        assert_eq!(why(" milk thrown away "), Ok("milk thrown away".to_owned()));
    }
}
