//! `holder unit`: the pasteurizers of the station, before milk is entrusted to them.

mod check;
mod commission;
mod off;
mod show;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use holder_hal::wire::capture::CaptureHead;
use holder_hal::wire::{UnitSpec, WiredUnit};
use holder_hal::{Celsius, Machine, Quality, Reading, Role, Sample, Switch};
use serde_json::{Value, json};

use super::capture::{Kept, PROGRAM};
use super::context::Context;
use super::failure::Failure;
use super::{out, signals};
use crate::invocation;
use crate::station::config::{STATION_FILE, StationConfig, Unit};
use crate::station::lock::{LockError, UnitLock};

/// The pasteurizers of the station: list, check, read, commission and switch them off
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  holder unit list")]
pub(crate) enum UnitCommand {
    /// List the units of station.toml, and what each lacks
    #[command(after_help = "Example:\n  holder unit list")]
    List,
    /// Show what a unit is made of, and what the journal says of its certificates and its margin
    #[command(after_help = "Example:\n  holder unit show past-1")]
    Show {
        /// Name of the unit in station.toml
        unit: String,
    },
    /// Read everything that a unit's devices have, change nothing, and say what is missing
    #[command(after_help = "Example:\n  holder unit check past-1")]
    Check {
        /// Name of the unit in station.toml
        unit: String,
        /// Keep all that goes over the wires in this new file, for `holder device replay`
        #[arg(long, value_name = "FILE")]
        capture: Option<PathBuf>,
    },
    /// Switch the heat of a unit off, and read that back
    ///
    /// For a machine that heats although nobody runs it: after a crash, or left on by hand. The exit
    /// code is 0 only if the machine confirmed it; if not, switch the heater off at the machine. A
    /// unit that another holder runs is left to that one, and it is named. No record is written.
    #[command(after_help = "Example:\n  holder unit off past-1")]
    Off {
        /// Name of the unit in station.toml
        unit: String,
    },
    /// Read every channel of a unit, once or until you stop it
    #[command(after_help = "Examples:\n  holder unit read past-1\n  \
                            holder unit read past-1 --json\n  \
                            holder unit read past-1 --watch")]
    Read {
        /// Name of the unit in station.toml
        unit: String,
        /// Read again every control period, until Ctrl-C
        #[arg(long)]
        watch: bool,
        /// Keep all that goes over the wires in this new file, for `holder device replay`
        #[arg(long, value_name = "FILE")]
        capture: Option<PathBuf>,
    },
    /// Show with water that a unit does what its description says, step by step
    ///
    /// A guided run that takes up to two hours, with a person at the machine: does heating heat,
    /// is off off, does each probe follow, does cooling cool. What was found goes into the journal.
    #[command(after_help = "Examples:\n  holder unit commission past-1\n  \
                            holder unit commission past-1 --cut-trial\n  \
                            holder unit commission demo --fast --yes      a simulated machine, in seconds")]
    Commission(commission::CommissionArgs),
}

pub(crate) fn run(context: &Context, command: UnitCommand) -> Result<(), Failure> {
    match command {
        UnitCommand::List => list(context),
        UnitCommand::Show { unit } => show::run(context, &unit),
        UnitCommand::Check { unit, capture } => check::run(context, &unit, capture.as_deref())
            .inspect_err(|why| if_nobody_started_it(context, &unit, why)),
        UnitCommand::Off { unit } => {
            off::run(context, &unit).inspect_err(|why| if_nobody_started_it(context, &unit, why))
        }
        UnitCommand::Read { unit, watch: false, capture } => {
            read(context, &unit, capture.as_deref())
                .inspect_err(|why| if_nobody_started_it(context, &unit, why))
        }
        UnitCommand::Read { unit, watch: true, capture } => {
            watch(context, &unit, capture.as_deref())
        }
        UnitCommand::Commission(args) => commission::run(context, &args),
    }
}

/// A simulated machine that does not answer has no cable: most often nobody started it.
fn if_nobody_started_it(context: &Context, name: &str, why: &Failure) {
    if let Failure::Unreachable(_) = why {
        ask_who_started_it(context, name);
    }
}

/// Asks so, if the unit is simulated.
pub(super) fn ask_who_started_it(context: &Context, name: &str) {
    let is_simulated =
        |station: StationConfig| station.unit(name).is_ok_and(|unit| unit.written.simulated);
    if context.station().is_ok_and(is_simulated) {
        let described = context.dir().join(STATION_FILE).display().to_string();
        let described = invocation::quoted(&format!("{described}:{name}"));
        out::note(&format!(
            "unit {name} is simulated: has somebody started its machine? \
             `holder sim --unit {described}` does, in another terminal, with the same --speed"
        ));
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let station = context.station()?;
    let today = context.today(&station.time_zone)?;
    let mut documents = Vec::new();
    let mut rows = Vec::new();
    for name in station.units.keys() {
        let unit = station.unit(name)?;
        let calibration = unit.calibration_faults(today);
        let fault = unit.spec().err().map(|fault| fault.to_string());
        let kind = if unit.written.simulated { "simulated" } else { "hardware" };
        documents.push(json!({
            "name": name, "simulated": unit.written.simulated,
            "bottles_max": unit.written.bottles_max,
            "milk_probes": unit.written.roles.milk.len(),
            "margin_c": unit.written.margin.map(|margin| margin.as_f64()),
            "cut": unit.cut_in_words(), "calibration_faults": calibration, "fault": fault,
        }));
        let mut state = vec![format!("cut: {}", unit.cut_in_words())];
        state.extend(calibration);
        state.extend(fault);
        rows.push(vec![
            name.clone(),
            kind.to_owned(),
            unit.written.bottles_max.to_string(),
            unit.written.roles.milk.len().to_string(),
            state.join("; "),
        ]);
    }
    if context.json {
        return Ok(out::json(&documents)?);
    }
    if rows.is_empty() {
        return Ok(out::text("no units yet: describe one in station.toml")?);
    }
    Ok(out::text(&out::table(&["UNIT", "KIND", "BOTTLES", "PROBES", "STATE"], &rows))?)
}

fn read(context: &Context, name: &str, file: Option<&Path>) -> Result<(), Failure> {
    let station = context.station()?;
    let unit = station.unit(name)?;
    let spec = unit.spec()?;
    let kept = keep(context, file, &spec)?;
    let capture = Kept::handle(kept.as_ref());
    let read = runtime()?.block_on(async {
        let mut wired = WiredUnit::connect_heard(spec.clone(), capture).await?;
        let reading = wired.read().await;
        let faults: Vec<String> = wired.faults().iter().map(ToString::to_string).collect();
        Ok::<_, Failure>((reading, faults))
    });
    Kept::end(kept);
    let (reading, faults) = read?;
    faults.iter().for_each(|fault| out::note(fault));
    show(context, &unit, &spec, &reading)
}

/// The same every control period. On a terminal each table takes the place of the one before;
/// elsewhere they follow each other, with an empty line between them.
fn watch(context: &Context, name: &str, file: Option<&Path>) -> Result<(), Failure> {
    if context.json {
        let why = "--watch shows many readings, and --json is one document: leave one of them out";
        return Err(Failure::Usage(why.to_owned()));
    }
    let station = context.station()?;
    let unit = station.unit(name)?;
    let spec = unit.spec()?;
    let in_place = std::io::stdout().is_terminal();
    let kept = keep(context, file, &spec)?;
    let capture = Kept::handle(kept.as_ref());
    let watched = runtime()?.block_on(async {
        let mut stop = std::pin::pin!(signals::until_stopped());
        let mut wired = tokio::select! {
            wired = WiredUnit::connect_heard(spec.clone(), capture) => wired?,
            _ = &mut stop => return Ok(()),
        };
        let mut every = tokio::time::interval(Duration::from_millis(unit.written.period_ms));
        // A late reading is no reason to hurry the machine afterwards.
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let reading = tokio::select! {
                reading = async { every.tick().await; wired.read().await } => reading,
                heard = &mut stop => {
                    heard.context("the signals of the system cannot be heard")?;
                    return Ok(());
                }
            };
            // Clear the screen and go to its first line.
            out::bytes(if in_place { b"\x1b[2J\x1b[H" } else { b"" })?;
            show(context, &unit, &spec, &reading)?;
            wired.faults().iter().for_each(|fault| out::note(&fault.to_string()));
            out::bytes(if in_place { b"Ctrl-C ends it\n" } else { b"\n" })?;
        }
    });
    Kept::end(kept);
    watched
}

/// Begins the capture of a unit, if one was asked for.
fn keep(context: &Context, file: Option<&Path>, spec: &UnitSpec) -> Result<Option<Kept>, Failure> {
    Kept::begin(file, &CaptureHead::of_unit(spec, PROGRAM, context.now_utc_ms()))
}

fn show(
    context: &Context,
    unit: &Unit<'_>,
    spec: &UnitSpec,
    reading: &Reading,
) -> Result<(), Failure> {
    let channels = channels(unit, spec, reading);
    if context.json {
        let document: Vec<Value> = channels.iter().map(Channel::document).collect();
        let simulated = reading.simulated;
        out::json(&json!({ "unit": unit.name, "simulated": simulated, "channels": document }))?;
    } else {
        let rows: Vec<Vec<String>> = channels.iter().map(Channel::row).collect();
        let table = out::table(&["ROLE", "READ", "CORRECTED", "QUALITY", "SOURCE"], &rows);
        let mark = if reading.simulated { "SIMULATED\n" } else { "" };
        out::text(&format!("{mark}{table}"))?;
    }
    Ok(())
}

/// One channel as it is shown.
struct Channel {
    role: Role,
    source: String,
    value: ChannelValue,
    quality: Quality,
}

enum ChannelValue {
    Temperature { raw: Option<Celsius>, corrected: Option<Celsius> },
    Switch(Option<bool>),
}

impl Channel {
    fn document(&self) -> Value {
        let common = json!({
            "role": self.role.to_string(), "source": self.source, "quality": self.quality.word(),
        });
        let value = match self.value {
            ChannelValue::Temperature { raw, corrected } => json!({
                "raw_c": raw.map(Celsius::as_f64), "corrected_c": corrected.map(Celsius::as_f64),
            }),
            ChannelValue::Switch(on) => json!({ "on": on }),
        };
        merged(common, value)
    }

    fn row(&self) -> Vec<String> {
        let degrees = |value: Option<Celsius>| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2} °C"))
        };
        let (read, corrected) = match self.value {
            ChannelValue::Temperature { raw, corrected } => (degrees(raw), degrees(corrected)),
            ChannelValue::Switch(Some(true)) => ("closed".to_owned(), String::new()),
            ChannelValue::Switch(Some(false)) => ("open".to_owned(), String::new()),
            ChannelValue::Switch(None) => ("–".to_owned(), String::new()),
        };
        let quality = self.quality.word().to_owned();
        vec![self.role.to_string(), read, corrected, quality, self.source.clone()]
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

fn channels(unit: &Unit<'_>, spec: &UnitSpec, reading: &Reading) -> Vec<Channel> {
    let mut channels = vec![temperature(unit, spec, Role::Bath, Some(reading.bath))];
    for (index, probe) in (0_u8..).zip(reading.milk) {
        channels.push(temperature(unit, spec, Role::Milk(index), probe));
    }
    channels.push(temperature(unit, spec, Role::Reference, reading.reference));
    channels.push(reading.lid.map(|Switch { on, quality }| Channel {
        role: Role::Lid,
        source: source(spec, Role::Lid),
        value: ChannelValue::Switch(on),
        quality,
    }));
    channels.into_iter().flatten().collect()
}

fn temperature(
    unit: &Unit<'_>,
    spec: &UnitSpec,
    role: Role,
    sample: Option<Sample>,
) -> Option<Channel> {
    let Sample { raw, quality, .. } = sample?;
    let source = source(spec, role);
    let certificate = unit.written.certificate.get(&source);
    let corrected = certificate.zip(raw).map(|(certificate, raw)| certificate.correct(raw));
    Some(Channel { role, source, value: ChannelValue::Temperature { raw, corrected }, quality })
}

fn source(spec: &UnitSpec, role: Role) -> String {
    let found = spec.role(role).map(|(device, point)| format!("{}.{}", device.name, point.name));
    found.unwrap_or_default()
}

/// Takes the unit, and the machine that it drives; with `fast` that is one of its own.
pub(crate) fn lock(context: &Context, spec: &UnitSpec, fast: bool) -> Result<UnitLock, Failure> {
    let lock = UnitLock::take(context.dir(), spec.name())?;
    Ok(if fast { lock } else { lock.with_outputs(spec)? })
}

/// The same to make the machine safe, also where no lock file can be used: then with the reason why
/// nothing may begin.
pub(crate) fn lock_to_make_safe(
    context: &Context,
    spec: &UnitSpec,
    fast: bool,
) -> Result<(UnitLock, Option<LockError>), LockError> {
    let (lock, why) = UnitLock::take_to_make_safe(context.dir(), spec.name())?;
    Ok((if fast { lock } else { lock.with_outputs(spec)? }, why))
}

/// Does work that speaks to a machine. A thread that then still waits for a disk that hangs, or for a
/// line from the keyboard, does not keep the program here.
pub(crate) fn block_on<R>(work: impl Future<Output = R>) -> anyhow::Result<R> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

/// A runtime for a command that speaks to a machine.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.context("the system gives no threads")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Far longer than it takes to end a runtime, on any computer.
    const HANGS: Duration = Duration::from_secs(30);

    #[test]
    fn a_disk_that_hangs_does_not_hold_back_what_the_work_came_to() {
        let (disk, gate) = mpsc::channel::<()>();
        let (begun, is_begun) = mpsc::channel();
        let (ended, is_ended) = mpsc::channel();
        let watched = std::thread::spawn(move || {
            let in_time = is_ended.recv_timeout(HANGS).is_ok();
            drop(disk);
            in_time
        });
        let done = block_on(async move {
            tokio::task::spawn_blocking(move || {
                begun.send(()).ok();
                gate.recv().ok();
            });
            is_begun.recv().expect("it reads");
            "closed"
        });
        assert_eq!(done.expect("threads"), "closed");
        ended.send(()).ok();
        assert!(watched.join().expect("no panic"), "it waited for the disk");
    }
}
