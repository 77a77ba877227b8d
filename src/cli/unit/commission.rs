//! `holder unit commission`: the guided water run, on the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use holder_hal::Celsius;
use holder_hal::wire::capture::CaptureHead;
use tokio::sync::{mpsc, oneshot};

use crate::cli::capture::{Kept, PROGRAM};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::{log, out, signals};
use crate::invocation;
use crate::station::commission::{
    Commissioned, Overall, Request, STEPS, StepOutcome, StepReport, Told, check_options,
    commission, warning,
};
use crate::station::conduct::Pace;

/// Lines that may wait for a slow terminal.
const TOLD_WAITING_MAX: usize = 1024;
/// Where there is no terminal, what is read now is written this often, seconds of a step.
const LIVE_EVERY_S: u64 = 30;

/// What is commissioned.
#[derive(Debug, Args)]
pub(crate) struct CommissionArgs {
    /// Name of the unit in station.toml
    unit: String,
    /// Try also what cuts the heat without us, with a person at the heater
    #[arg(long)]
    cut_trial: bool,
    /// Keep all that goes over the wires in this new file, for `holder device replay`
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Answer every question yes, and play the person (simulated units only)
    #[arg(long)]
    yes: bool,
    /// Simulated seconds per real second, 1 to 60, against `holder sim` (simulated units only)
    #[arg(long, value_name = "X", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
    /// As fast as the processor allows, with a simulated machine made for it (simulated units only)
    #[arg(long, conflicts_with = "speed", requires = "yes")]
    fast: bool,
}

pub(super) fn run(context: &Context, args: &CommissionArgs) -> Result<(), Failure> {
    signals::never_stopped_by_the_terminal();
    let station = context.station()?;
    let pace = match args.fast {
        true => Pace::Lockstep { seed: 1 },
        false => Pace::Running { speed: args.speed },
    };
    check_options(&station.unit(&args.unit)?, args.yes, pace)?;
    let (people, told) = mpsc::channel(TOLD_WAITING_MAX);
    let spec = station.unit(&args.unit)?.spec()?;
    let head = CaptureHead::of_unit(&spec, PROGRAM, context.now_utc_ms());
    let kept = Kept::begin(args.capture.as_deref(), &head)?;
    let request = Request {
        dir: context.dir(),
        station: &station,
        unit: &args.unit,
        who: context.who()?,
        pace,
        yes: args.yes,
        try_cut: args.cut_trial,
        capture: Kept::handle(kept.as_ref()),
        people,
        lock: super::lock(context, &spec, args.fast)?,
        tell: out::note,
    };
    // Neither lines nor the log of a terminal that takes nothing hold up who looks at the machine.
    let _log = log::aside(std::io::stderr())?;
    log::panics_aside();
    let done = super::block_on(async {
        before_it_begins(args).await?;
        let (shown, terminal) = oneshot::channel();
        let show = move || {
            show(told);
            // Nobody waits any more for a terminal that hung.
            let _ = shown.send(());
        };
        // Without a thread nobody is told or asked, and the first question ends the run.
        drop(std::thread::Builder::new().name("terminal".into()).spawn(show));
        let done = commission(request).await?;
        tell_safety(&done);
        // The terminal has until then to write what was found; it may be gone, or still wait for
        // an answer that nobody needs any more.
        let _ = tokio::time::timeout(TERMINAL_WITHIN, terminal).await;
        Ok::<_, Failure>(done)
    });
    Kept::end(kept);
    report(context, &done??)
}

/// How long the terminal may take to write what is left.
const TERMINAL_WITHIN: Duration = Duration::from_secs(2);

const BEFORE: &str = "This run heats and cools the machine by itself, for up to two hours.
- Fill the bath with cold WATER, up to its mark. No milk in the machine, none in the bottles.
- Stay at the machine, and know where its main switch is.
- Ctrl-C ends the run at any time: the heater is switched off, and that is read back.";

/// Nothing is switched before a person has said yes.
async fn before_it_begins(
    CommissionArgs { unit, yes, .. }: &CommissionArgs,
) -> Result<(), Failure> {
    out::note(BEFORE);
    if *yes || ask("Is only water in the machine, and do you stand beside it?").await {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "not begun: nothing was switched, and the machine is as it was. If it may be heating: {}",
        invocation::command(format_args!("unit off {unit}"))
    )))
}

/// Asks on the terminal, on a thread of its own.
async fn ask(text: &str) -> bool {
    let text = text.to_owned();
    tokio::task::spawn_blocking(move || ask_here(&text)).await.unwrap_or(false)
}

/// Asks on the terminal. The end of the input is a no.
fn ask_here(text: &str) -> bool {
    for _ in 0..5 {
        let mut stderr = std::io::stderr().lock();
        let clear = if stderr.is_terminal() { "\r\x1b[K" } else { "" };
        // A terminal that takes nothing gives no answer either.
        let _ = write!(stderr, "{clear}? {text} [yes/no] ");
        let _ = stderr.flush();
        drop(stderr);
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => return true,
            "n" | "no" => return false,
            _ => out::note("please answer yes or no"),
        }
    }
    false
}

/// Shows what is told, and asks what is asked, until the run is over.
fn show(mut told: mpsc::Receiver<Told>) {
    let in_place = std::io::stderr().is_terminal();
    let mut shown_s = 0;
    while let Some(told) = told.blocking_recv() {
        match told {
            Told::Step { number, of, title, instruction } => {
                shown_s = 0;
                out::note(&format!("\n{number} of {of}  {title}\n  {instruction}"));
            }
            Told::Live { step_s, bath, others } => {
                let line = live(step_s, bath, &others);
                if in_place {
                    let mut stderr = std::io::stderr().lock();
                    let _ = write!(stderr, "\r\x1b[K  {line}");
                    let _ = stderr.flush();
                } else if step_s >= shown_s + LIVE_EVERY_S {
                    shown_s = step_s;
                    out::note(&format!("  {line}"));
                }
            }
            // The run may have ended while the person was thinking.
            Told::Question { text, reply } => drop(reply.send(ask_here(&text))),
            Told::Done(step) => {
                let clear = if in_place { "\r\x1b[K" } else { "" };
                out::note(&format!("{clear}  {}: {}", step.outcome.word(), step.observed));
            }
        }
    }
}

fn live(step_s: u64, bath: Celsius, others: &[Option<Celsius>]) -> String {
    let others: Vec<String> = others
        .iter()
        .map(|value| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}")))
        .collect();
    format!("{step_s:5} s   bath {bath:.1} °C   probes {}   Ctrl-C ends it", others.join(" "))
}

/// What a person must know before anything else of a run that has ended.
fn tell_safety(done: &Commissioned) {
    if let Some(why) = &done.unsafe_because {
        out::note(warning(Some(why)).trim_end());
    } else if done.ended_because.is_some() {
        out::note("\nheat was commanded off, and the machine confirmed it");
    }
}

fn report(context: &Context, done: &Commissioned) -> Result<(), Failure> {
    if context.json {
        out::json(done)?;
    } else {
        out::text(&in_words(done))?;
    }
    if done.unsafe_because.is_some() {
        return Err(Failure::Unreachable(anyhow::anyhow!(
            "unit {}: ATTENTION: the machine did not confirm that its heat is off. Switch the heater \
             off at the machine, or see that it is off",
            done.unit
        )));
    }
    match (done.outcome, &done.ended_because) {
        (Overall::Passed, _) => Ok(()),
        (Overall::Failed | Overall::Stopped, Some(why)) => Err(Failure::refused(why.clone())),
        (Overall::Failed | Overall::Stopped, None) => {
            let failed = done.steps.iter().filter(|step| step.outcome == StepOutcome::Failed);
            let failed: Vec<&str> = failed.map(|step| step.step).collect();
            Err(Failure::refused(format!("unit {}: failed: {}", done.unit, failed.join(", "))))
        }
    }
}

fn in_words(done: &Commissioned) -> String {
    let row = |step: &StepReport| {
        let mut what = format!("{} {}", step.title, step.observed);
        if step.outcome == StepOutcome::Failed {
            what += &format!(" (expected: {})", step.expected);
        }
        vec![step.outcome.word().to_owned(), format!("{:.0} s", step.took_s), what]
    };
    let rows: Vec<Vec<String>> = done.steps.iter().map(row).collect();
    let mark = if done.simulated { "SIMULATED\n" } else { "" };
    let table = out::table(&["", "TOOK", "WHAT"], &rows);
    let tried = done.steps.iter().filter(|step| step.outcome != StepOutcome::Skipped).count();
    let left = match STEPS.saturating_sub(tried) {
        0 => String::new(),
        left => format!(", {left} of its {STEPS} steps not done"),
    };
    format!("{mark}{table}\nunit {}: {} by {}{left}", done.unit, done.outcome.word(), done.who)
}
