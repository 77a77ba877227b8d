//! Commissioning a unit: a guided water run that shows whether the machine does what its
//! description in `station.toml` says, before milk is entrusted to it.
//!
//! **Water only.** The machine is guarded as in a batch: however the run ends, the heater is
//! commanded off and that is read back. The bath never gets a set point above its clamp, and any
//! probe above clamp + 1.0 °C ends the run.
//!
//! | file | has |
//! |---|---|
//! | `plan` | what can be tried on this unit, and how long it may take |
//! | `bench` | one control period under interlocks, and questions to the person |
//! | `steps`, `heat_steps` | the steps and their verdicts |
//! | `report` | what was found |
//! | `known` | what the journal says of it later |
//!
//! The journal has an entry when a commissioning begins and one when it ends, with every step's
//! figures and who did it; a beginning without an end is a computer that died. A machine that
//! confirmed only after the end that its heat is off has an entry of its own.

mod bench;
mod heat_steps;
mod known;
mod plan;
mod report;
mod steps;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, PoisonError};

use holder_hal::wire::capture::Capture;
use holder_hal::{Command, Machine, Role, Tick};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::closing::{self, CLOSE_WITHIN, CloseFault};
use super::conduct::{ConductError, Pace, only_simulated, tell};
use super::config::{PointRef, StationConfig, Unit};
use super::control_loop::{SharedMachine, safe_command};
use super::insisting::Insisting;
use super::lock::UnitLock;
use super::opening::{OPENED_WITHIN, Opened, Opening};
use super::reach::{self, Hands, Reached};
use super::resume::{self, is_cooled};
use super::soundness;
use super::supervisor::{self, Guard, Guarded, Signals};
use crate::station::clock::{self, Clock};
use crate::store::{Body, Stamp, StoreError, StoreThread};
use bench::{Bench, Notebook, Watched};
pub use bench::{Stop, Told};
pub use known::known;
pub(super) use known::known_of;
use plan::Plan;
pub use report::{Commissioned, Curve, Overall, StepOutcome, StepReport};

/// How many steps a commissioning has.
pub const STEPS: usize = steps::Step::ALL.len();

/// The entry of a commissioning that begins.
const BEGUN: &str = "unit-commissioning";
/// The entry of one that has ended.
const ENDED: &str = "unit-commissioned";
/// The entry of a machine that has confirmed after the end that it is safe.
const CONFIRMED_LATE: &str = "unit-confirmed-late";

/// Jobs that may wait for the disk; there is one at a time.
const JOBS_MAX: usize = 4;

/// What is asked for.
pub struct Request<'a> {
    /// The station's folder.
    pub dir: &'a Path,
    /// The station.
    pub station: &'a StationConfig,
    /// The unit's name.
    pub unit: &'a str,
    /// Who does it.
    pub who: String,
    /// How time passes.
    pub pace: Pace,
    /// Whether the program answers the questions itself (simulated units only).
    pub yes: bool,
    /// Whether the cut is tried.
    pub try_cut: bool,
    /// Where all that goes over the wires is kept, if it is.
    pub capture: Option<Capture>,
    /// Where the person is told and asked.
    pub people: mpsc::Sender<Told>,
    /// The unit, taken.
    pub lock: UnitLock,
    /// Tells the person that the station's file is still being checked.
    pub tell: fn(&str),
}

/// Why a commissioning did not begin, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum CommissionError {
    /// It did not begin.
    #[error(transparent)]
    Begin(Box<ConductError>),
    /// It is over, and the journal does not have it.
    #[error("{}the journal could not keep the commissioning of {unit}: {why}", warning(unsafe_because.as_deref()))]
    NotKept {
        /// The unit.
        unit: String,
        /// Why the machine is not known to be safe, if so.
        unsafe_because: Option<String>,
        /// Why not. Not a `source`: the sentence has it.
        why: Box<CloseFault>,
    },
}

impl CommissionError {
    /// Whether the station's file is damaged, or does not verify.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Begin(why) => why.is_damage(),
            Self::NotKept { why, .. } => why.is_damage(),
        }
    }

    /// Whether somebody has ended the waiting for the disk.
    fn was_told_to_stop(&self) -> bool {
        match self {
            Self::Begin(why) => why.was_told_to_stop(),
            Self::NotKept { why, .. } => why.is_told(),
        }
    }
}

impl<E: Into<ConductError>> From<E> for CommissionError {
    fn from(error: E) -> Self {
        Self::Begin(Box::new(error.into()))
    }
}

/// The warning that the machine is not known to be safe, with a space after it, or nothing.
pub fn warning(unsafe_because: Option<&str>) -> String {
    let why = unsafe_because.map(|why| {
        format!(
            "ATTENTION: the machine did not confirm the safe state ({why}). Switch the heater off \
             at the machine. "
        )
    });
    why.unwrap_or_default()
}

/// Whether the options are such as this unit allows, before a person is asked anything.
///
/// # Errors
/// Real hardware, and an option for simulated units.
pub fn check_options(unit: &Unit<'_>, yes: bool, pace: Pace) -> Result<(), CommissionError> {
    Ok(only_simulated(unit, yes, pace)?)
}

/// Commissions a unit, and keeps what was found in the journal.
///
/// # Errors
/// Why it did not begin, or why the journal does not have it.
pub async fn commission(request: Request<'_>) -> Result<Commissioned, CommissionError> {
    let unit = request.station.unit(request.unit)?;
    check_options(&unit, request.yes, request.pace)?;
    let (plan, make_sha256) = (Plan::of(&unit, request.try_cut), unit.make_sha256()?);
    // Heard from here on: a signal before the first period must not leave a machine half started.
    let mut signalled = Box::pin(supervisor::signalled());
    // Milk that is being cooled goes on being cooled. Where nobody can look that up, the water is shut.
    let path = request.dir.join("holder.db");
    let file = (&*path, request.tell);
    let mut opening = Opening::of(&path, &unit);
    let opened = opening.within(OPENED_WITHIN).await;
    let left = opened.iter().flatten().find_map(|opened| opened.left.as_ref());
    let cooling = left.is_some_and(|left| is_cooled(left.phase));
    let (how, station) = ((request.pace, request.yes), &request.station.file);
    let reached = reach::reach_safely(how, station, &unit, request.capture.clone(), cooling).await;
    if reached.is_err() {
        // A program may have been killed while it heated.
        let whose = format!("unit {}", unit.name);
        resume::tell_what_answers((request.pace, request.tell), &unit, cooling, &whose).await;
    }
    let reached = reached?;
    let safe = || "Heat was commanded off, and the machine confirmed it".to_owned();
    let opened = match opened {
        Some(opened) => opened?,
        None => opening.unless_told(file, safe(), &mut signalled).await??,
    };
    let Opened { store, left, known: _ } = opened;
    request.station.agrees_with(store.station())?;
    if let Some(left) = left {
        // Nothing is heated while the bottles of an interrupted batch may be in the machine.
        return Err(ConductError::left_open(left, safe()).into());
    }
    let (store, thread) = StoreThread::spawn(store, JOBS_MAX)?;
    let entrusted = soundness::entrusted(file, &store, &mut signalled, safe());
    let done = match entrusted.await {
        Ok(()) => on_record(&request, &unit, &store, (plan, make_sha256), reached, signalled).await,
        Err(why) => Err(why.into()),
    };
    drop(store);
    let mut signals = Signals::listen();
    let is_left_behind = done.as_ref().is_err_and(CommissionError::was_told_to_stop);
    let next_signal = async || signals.next().await;
    closing::file_closed(thread, is_left_behind, request.tell, next_signal).await;
    done
}

/// The commissioning of a machine that is safe, from its first entry in the journal to its last.
async fn on_record(
    request: &Request<'_>,
    unit: &Unit<'_>,
    store: &StoreThread,
    (plan, make_sha256): (Plan, String),
    (machine, clock, hands): Reached,
    mut signalled: impl Future<Output = &'static str> + Unpin,
) -> Result<Commissioned, CommissionError> {
    let simulated = machine.lock().await.simulated();
    let began = json!({ "simulated": simulated, "make_sha256": make_sha256 });
    let body = Body::new("commissioning begun: water only").after(began);
    let file = request.dir.join("holder.db");
    let what = format!("commissioning of unit {}: the journal is told that it begins", unit.name);
    let kept = keep(store, request, BEGUN, body);
    let begun = tokio::select! {
        kept = closing::patiently((&file, request.tell), &what, kept) => kept,
        by = &mut signalled => Err(CloseFault::Told(by)),
    };
    begun.map_err(|why| not_kept(request, None, why))?;

    let notebook = Notebook::default();
    // The clock keeps a simulated machine of this process alive until it is proved to be safe.
    let bench =
        bench(unit, machine.clone(), clock.clone(), request.people.clone(), hands, &notebook);
    let last = bench.last.clone();
    let work = bench.run(plan);
    let guarded = supervisor::guard(machine.clone(), last, work, signalled, leave).await;
    let Guard { ended, safe, unsafe_because } = guarded;
    let insisting = Insisting::begin(machine, safe, ended.told_by(), unsafe_because.as_deref());
    let mut signals = Signals::listen();
    let mut next_signal = async || signals.next().await;

    let notes = std::mem::take(&mut *notebook.lock().unwrap_or_else(PoisonError::into_inner));
    let failed = notes.steps.iter().any(|step| step.outcome == StepOutcome::Failed);
    let (outcome, ended_because) = how_it_ended(ended, failed);
    // A machine that is not proved to be off has not passed, whatever its steps say.
    let outcome = if unsafe_because.is_some() { Overall::Failed } else { outcome };
    let mut done = Commissioned {
        unit: request.unit.to_owned(),
        who: request.who.clone(),
        simulated,
        outcome,
        ended_because,
        unsafe_because,
        make_sha256,
        steps: notes.steps,
        curve: notes.curve,
    };
    let whose = format!("commissioning of unit {}", request.unit);
    let after = serde_json::to_value(&done).unwrap_or(Value::Null);
    let body = Body::new(format!("commissioning {}", outcome.word())).after(after);
    let what = format!("{whose}: the journal is told how it ended");
    let kept = closing::within(CLOSE_WITHIN, keep(store, request, ENDED, body));
    let told = (request.tell, &mut next_signal);
    let kept = closing::unless_told(told, &what, CLOSE_WITHIN, kept).await;
    if let Some(insisting) = insisting
        && insisting.until_confirmed(request.tell, &whose).await
    {
        confirmed_late(&mut done);
        let body = Body::new("heat was commanded off once more, and the machine confirmed it");
        let what = format!("{whose}: the journal is told that the machine confirmed it");
        let late = closing::within(CLOSE_WITHIN, keep(store, request, CONFIRMED_LATE, body));
        let told = (request.tell, &mut next_signal);
        if let Err(why) = closing::unless_told(told, &what, CLOSE_WITHIN, late).await {
            let said = format!("{whose}: the journal does not say that it was confirmed: {why}");
            tell(request.tell, said).await;
        }
    }
    drop(clock);
    kept.map_err(|why| not_kept(request, done.unsafe_because.clone(), why))?;
    Ok(done)
}

/// How it came out, and why it ended before its last step, if it did.
fn how_it_ended(ended: Guarded<Result<(), Stop>>, failed: bool) -> (Overall, Option<String>) {
    match ended {
        Guarded::Ended(Ok(())) if failed => (Overall::Failed, None),
        Guarded::Ended(Ok(())) => (Overall::Passed, None),
        Guarded::Ended(Err(stop @ (Stop::Person(_) | Stop::StoodStill { .. }))) => {
            (Overall::Stopped, Some(stop.to_string()))
        }
        Guarded::Ended(Err(
            stop @ (Stop::TooHot { .. } | Stop::BathLost { .. } | Stop::NotFollowed(_)),
        )) => (Overall::Failed, Some(stop.to_string())),
        Guarded::Told(signal) => (Overall::Stopped, Some(format!("stopped by {signal}"))),
        Guarded::Panicked(error) => {
            (Overall::Stopped, Some(format!("a defect of holder: {error}")))
        }
    }
}

fn not_kept(
    request: &Request<'_>,
    unsafe_because: Option<String>,
    why: CloseFault,
) -> CommissionError {
    CommissionError::NotKept { unit: request.unit.to_owned(), unsafe_because, why: Box::new(why) }
}

/// The heat is off now, and nobody has to go to the machine. It has not passed all the same: that
/// stands in the journal.
fn confirmed_late(done: &mut Commissioned) {
    done.unsafe_because = None;
    let why = || "the machine confirmed only late that its heat is off".to_owned();
    done.ended_because.get_or_insert_with(why);
}

/// The state to leave the machine in. Water needs no cooling that goes on: the valve is closed
/// however the run ends.
fn leave(ended: Option<&Result<(), Stop>>, last: Command) -> Command {
    Command { cooling: false, ..safe_command(last, ended.is_some_and(Result::is_ok)) }
}

async fn keep(
    store: &StoreThread,
    request: &Request<'_>,
    kind: &'static str,
    body: Body,
) -> Result<(), StoreError> {
    let (who, unit) = (request.who.clone(), request.unit.to_owned());
    let kept = store.call(move |store| {
        let stamp = Stamp { utc_ms: clock::utc_now_ms(), who: &who };
        closing::insist(|| store.append(stamp, kind, &unit, None, &body))
    });
    kept.await.map(|_| ())
}

fn bench<M: Machine>(
    unit: &Unit<'_>,
    machine: SharedMachine<M>,
    clock: Clock,
    people: mpsc::Sender<Told>,
    hands: Option<Hands>,
    notebook: &Notebook,
) -> Bench<M> {
    let roles = &unit.written.roles;
    let watched = |role: Role, at: &PointRef| {
        let certificate = unit.written.certificate.get(&at.to_string()).cloned();
        certificate.map(|certificate| Watched { role: role.to_string(), certificate })
    };
    // The rules of a unit give every probe its certificate.
    let bath = watched(Role::Bath, &roles.bath);
    let milk = (0_u8..).zip(&roles.milk);
    let milk: Vec<Watched> = milk.filter_map(|(n, at)| watched(Role::Milk(n), at)).collect();
    let reference = roles.reference.as_ref().and_then(|at| watched(Role::Reference, at));
    let bench = Bench {
        unit: unit.name.to_owned(),
        machine,
        due: clock.now(),
        watched: clock.now(),
        step_began: clock.now(),
        row_due: Tick::default(),
        clock,
        last: Arc::new(std::sync::Mutex::new(Command::safe(false))),
        bath: bath.unwrap_or_else(|| bench::uncertified(Role::Bath)),
        milk,
        reference,
        clamp: plan::clamp(unit),
        period_ms: unit.written.period_ms,
        people,
        hands,
        notebook: notebook.clone(),
        bath_lost: 0,
        undelivered: 0,
    };
    let columns = ["t_s", "bath"].into_iter().map(str::to_owned).chain(bench.others()).collect();
    notebook.lock().unwrap_or_else(PoisonError::into_inner).curve.columns = columns;
    bench
}
