//! Conducts one batch from the request to the closed record: lock, recovery, machine, store,
//! loop under its supervisor, verdict.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use holder_hal::wire::{UnitSpec, WireError, WiredUnit};
use holder_sim::{Pace as SimPace, PlantParams, SimOptions, SimServer, Start};
use tokio::sync::{Mutex, mpsc};

use super::clock::Clock;
use super::config::{ConfigError, StationConfig, Unit};
use super::control_loop::ControlLoop;
use super::lock::{LockError, UnitLock};
use super::permit::HeatPermit;
use super::recorder::Recorder;
use super::recovery;
use super::screen::{self, Ended, Mode};
use super::supervisor::{self, Ending};
use super::technician::{self, Hands};
use crate::batch::engine::Engine;
use crate::batch::judge;
use crate::batch::params::{BatchParams, ParamsFault, Purpose};
use crate::batch::verdict::Verdict;
use crate::record::curve;
use crate::store::model::{Closing, FrozenText};
use crate::store::{Close, NewBatch, Stamp, Store, StoreError, StoreThread};

/// Views that may wait for a slow screen.
const VIEWS_WAITING_MAX: usize = 1024;

/// Steps that may wait for a slow disk before the record counts as lost: ten minutes.
const STEPS_WAITING_MAX: usize = 600;

/// How time passes for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One second per second, or faster against a simulated machine elsewhere (1 to 60).
    Running {
        /// Simulated seconds per real second; 1 on real hardware.
        speed: u32,
    },
    /// As fast as the processor allows, in lockstep with a simulated machine in this process.
    Lockstep {
        /// Seed of the simulated machine.
        seed: u64,
    },
}

/// What is asked for.
pub struct Request<'a> {
    /// The station's folder.
    pub dir: &'a Path,
    /// The station.
    pub station: &'a StationConfig,
    /// The unit's name.
    pub unit: &'a str,
    /// Milk or water.
    pub purpose: Purpose,
    /// The pool; milk needs one.
    pub pool: Option<String>,
    /// Bottles, the control bottle not counted.
    pub bottles: u16,
    /// Milk in each bottle, microlitres.
    pub bottle_ul: i64,
    /// The recipe's name.
    pub recipe: &'a str,
    /// Who runs it.
    pub who: String,
    /// Today in the station's zone: certificates must be valid.
    pub today: jiff::civil::Date,
    /// How time passes.
    pub pace: Pace,
    /// Whether the technician is played by the program (simulated units only).
    pub yes: bool,
    /// How it is shown.
    pub mode: Mode,
}

/// A closed batch.
#[derive(Debug)]
pub struct Conducted {
    /// Its code.
    pub batch: String,
    /// How its loop ended.
    pub ending: Ending,
    /// The judge's verdict on the stored record.
    pub verdict: Verdict,
    /// Why the machine is not known to be safe, if so.
    pub unsafe_because: Option<String>,
    /// Batches of this unit that were found interrupted, and were closed as incomplete.
    pub recovered: Vec<String>,
}

/// Why a batch did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ConductError {
    /// Station, unit, recipe or certificates do not allow it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The parameters break a rule.
    #[error(transparent)]
    Params(#[from] ParamsFault),
    /// The unit is taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store refuses or fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine cannot be reached, or is not set up as its profiles need.
    #[error(transparent)]
    Machine(#[from] WireError),
    /// The simulated machine cannot be started.
    #[error(transparent)]
    Simulator(#[from] holder_sim::SimError),
    /// Something that only a simulated unit may do.
    #[error("{what} is for simulated units only, and unit {unit} is real hardware; run it without")]
    NotSimulated {
        /// The option.
        what: &'static str,
        /// The unit.
        unit: String,
    },
    /// More bottles than the unit takes, or none.
    #[error("{bottles} bottles: unit {unit} takes 1 to {max}; run the rest as another batch")]
    Bottles {
        /// How many were asked for.
        bottles: u16,
        /// The unit.
        unit: String,
        /// Its most.
        max: u16,
    },
    /// The safe state could not be proved before the start.
    #[error("unit {unit} did not accept the safe state before the start: {fault}")]
    NotSafe {
        /// The unit.
        unit: String,
        /// Why.
        fault: WireError,
    },
}

/// Runs one batch from the request to the closed record.
///
/// # Errors
/// Why it did not begin, or why its record cannot be read back.
pub async fn conduct(request: Request<'_>) -> Result<Conducted, ConductError> {
    let unit = request.station.unit(request.unit)?;
    check_request(&request, &unit)?;
    let recipe = request.station.library.recipe(request.recipe)?;
    let params = unit.params(request.purpose, &recipe, request.today)?;
    let texts = unit.texts(&recipe)?;

    let _lock = UnitLock::take(request.dir, request.unit)?;
    let store = Store::open(&request.dir.join("holder.db"))?;
    request.station.agrees_with(store.station())?;
    let (store, _thread) = StoreThread::spawn(store, STEPS_WAITING_MAX)?;
    let (unit_name, who) = (request.unit.to_owned(), request.who.clone());
    let recovered = store.call(move |store| recovery::close_interrupted(store, &unit_name, &who));
    let recovered = recovered.await?;

    let (machine, clock, hands) = reach(&request, unit.spec()?).await?;
    let params = BatchParams { simulated: params.simulated || machine.simulated(), ..params };
    let machine = Arc::new(Mutex::new(machine));
    make_safe_first(&machine, request.unit).await?;

    let engine = Engine::new(params.clone())?;
    let batch = begin(&store, &request, params, texts, &clock).await?;
    let period_ms = engine.params().period_ms;
    let (permit, patience) =
        (HeatPermit::new(clock.permit_ms(period_ms)), clock.disk_patience(period_ms));
    let who = request.who.clone();
    let recorder = Recorder::new(store.clone(), batch.clone(), who, permit, patience);
    let (views_in, views) = mpsc::channel(VIEWS_WAITING_MAX);
    let (act, actions) = mpsc::channel(16);
    let views = match hands {
        Some(hands) => played(hands, request.bottles, views, act.clone()),
        None => views,
    };
    let unit_loop = ControlLoop::new(machine, clock.clone(), engine, recorder, actions, views_in);
    let mut screen = tokio::spawn(screen::run(views, act, request.mode));
    let outcome = supervisor::supervise(unit_loop, person_left(&mut screen)).await;
    if !screen.is_finished() {
        let _ = screen.await;
    }
    let verdict = close(&store, &batch, &outcome.ending, &clock, &request.who).await?;
    let unsafe_because = outcome.unsafe_because;
    Ok(Conducted { batch, ending: outcome.ending, verdict, unsafe_because, recovered })
}

fn check_request(request: &Request<'_>, unit: &Unit<'_>) -> Result<(), ConductError> {
    let only_simulated = [
        (request.yes, "--yes"),
        (matches!(request.pace, Pace::Lockstep { .. }), "--fast"),
        (matches!(request.pace, Pace::Running { speed: 2.. }), "--speed"),
    ];
    let refused = only_simulated.into_iter().find(|(asked, _)| *asked && !unit.written.simulated);
    if let Some((_, what)) = refused {
        return Err(ConductError::NotSimulated { what, unit: request.unit.to_owned() });
    }
    let (bottles, max) = (request.bottles, unit.written.bottles_max);
    if bottles == 0 || bottles > max {
        return Err(ConductError::Bottles { bottles, unit: request.unit.to_owned(), max });
    }
    Ok(())
}

/// Connects the machine; in lockstep, makes it first. With `--yes`, hands for the technician.
async fn reach(
    request: &Request<'_>,
    spec: UnitSpec,
) -> Result<(WiredUnit, Clock, Option<Hands>), ConductError> {
    match request.pace {
        Pace::Running { speed } => {
            let panel = spec.buses().first().and_then(|bus| panel_address(&bus.url));
            let machine = WiredUnit::connect(spec).await?;
            let hands = panel.filter(|_| request.yes).map(Hands::Panel);
            Ok((machine, Clock::running(speed), hands))
        }
        Pace::Lockstep { seed } => {
            let options = SimOptions {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
                load: None,
                pace: SimPace::Lockstep,
                start: Start::Cold,
            };
            let server = SimServer::start(&spec, PlantParams::nominal(), seed, options).await?;
            let server = Arc::new(server);
            let served = server.as_served(&spec).map_err(|fault| ConfigError::Spec {
                file: request.station.file.clone(),
                fault: Box::new(fault),
            })?;
            let machine = WiredUnit::connect(served).await?;
            let hands = request.yes.then(|| Hands::Here(server.clone()));
            Ok((machine, Clock::lockstep(server), hands))
        }
    }
}

fn panel_address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("tcp://")?.to_socket_addrs().ok()?.next()
}

/// Before the first step nobody knows what the machine does: it is made safe.
async fn make_safe_first(machine: &Arc<Mutex<WiredUnit>>, unit: &str) -> Result<(), ConductError> {
    use holder_hal::{Command, Machine};

    let mut machine = machine.lock().await;
    machine.read().await;
    let not_safe = |fault| ConductError::NotSafe { unit: unit.to_owned(), fault };
    machine.write(&Command::safe(false)).await.map_err(not_safe)
}

async fn begin(
    store: &StoreThread,
    request: &Request<'_>,
    params: BatchParams,
    texts: Vec<FrozenText>,
    clock: &Clock,
) -> Result<String, StoreError> {
    let new = NewBatch {
        simulated: params.simulated,
        pool: request.pool.clone(),
        bottles: request.bottles,
        bottle_ul: request.bottle_ul,
        operator: request.who.clone(),
        started_utc_ms: clock.utc_ms(),
        params,
        texts,
    };
    store.call(move |store| store.begin_batch(&new)).await
}

fn played(
    hands: Hands,
    bottles: u16,
    views: mpsc::Receiver<super::view::View>,
    act: mpsc::Sender<crate::batch::event::Action>,
) -> mpsc::Receiver<super::view::View> {
    let (on, screen_views) = mpsc::channel(VIEWS_WAITING_MAX);
    tokio::spawn(technician::play(hands, bottles, views, on, act));
    screen_views
}

/// Completes when the person leaves the screen on purpose.
async fn person_left(
    screen: &mut tokio::task::JoinHandle<Result<Ended, screen::ScreenError>>,
) -> &'static str {
    match screen.await {
        Ok(Ok(Ended::Left)) => "the person at the screen",
        // A screen that is lost never ends a batch.
        Ok(Ok(Ended::Closed) | Err(_)) | Err(_) => std::future::pending().await,
    }
}

/// Judges the stored record and closes the batch with the verdict.
async fn close(
    store: &StoreThread,
    batch: &str,
    ending: &Ending,
    clock: &Clock,
    who: &str,
) -> Result<Verdict, StoreError> {
    let (closing, engine_accepts) = match ending {
        Ending::Over(engine) => (Closing::Ended, engine.accepts()),
        Ending::Interrupted(_) | Ending::RecordLost(_) | Ending::Panicked(_) => {
            (Closing::Interrupted, None)
        }
    };
    let (batch, who, utc_ms) = (batch.to_owned(), who.to_owned(), clock.utc_ms());
    store
        .call(move |store| {
            let stamp = Stamp { utc_ms, who: &who };
            close_judged(store, &batch, closing, engine_accepts, stamp)
        })
        .await
}

/// The same for whoever closes a batch: the verdict on the record as it stands goes into the
/// journal with the closing.
pub(super) fn close_judged(
    store: &mut Store,
    batch: &str,
    closing: Closing,
    engine_accepts: Option<bool>,
    stamp: Stamp<'_>,
) -> Result<Verdict, StoreError> {
    let mut record = store.load_batch(batch)?;
    record.header.engine_accepts = engine_accepts;
    let verdict = judge::judge(&record.params.recipe, &curve::curve(&record));
    let kept = serde_json::to_value(&verdict).ok();
    store.close_batch(&Close {
        batch,
        stamp,
        closing,
        engine_accepts,
        phase: record.header.phase,
        verdict: kept.as_ref(),
    })?;
    Ok(verdict)
}
