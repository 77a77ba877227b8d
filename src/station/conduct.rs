//! Conducts one batch from the request to the closed record: lock, machine, store, loop under its
//! supervisor, verdict. A batch that an interrupted program left open is taken up in `resume`.

use std::time::Duration;

use holder_hal::Tick;
use holder_hal::wire::WiredUnit;
use tokio::sync::{mpsc, oneshot};

use super::changes;
use super::clock::Clock;
use super::closing;
use super::config::Unit;
use super::control_loop::{ControlLoop, SharedMachine};
use super::insisting::Insisting;
use super::opening::{self, Opened};
use super::permit::HeatPermit;
pub use super::reach::Pace;
use super::reach::{self, Hands, Reached};
use super::recorder::{Recorder, WAITING_MAX};
use super::recovery::TakenUp;
use super::resume;
use super::screen::{self, Ended, Mode};
use super::soundness;
use super::supervisor::{self, Ending, Outcome, Signals};
use super::technician;
use crate::batch::engine::Engine;
use crate::batch::params::BatchParams;
use crate::batch::verdict::Verdict;
use crate::store::model::{BatchHeader, FrozenText};
use crate::store::{NewBatch, Stamp, StoreError, StoreThread};

mod asked;
mod error;
mod request;

use asked::Prepared;
pub(super) use asked::only_simulated;
pub use error::ConductError;
pub use request::{NewRun, Request, Task};

/// Views that may wait for a slow screen.
const VIEWS_WAITING_MAX: usize = 1024;

/// A screen that has not shown the last view after this long (real time) is left behind.
const SCREEN_WITHIN: Duration = Duration::from_secs(10);

/// The screen, which may outlive the loop by its last view.
type ScreenTask = tokio::task::JoinHandle<Result<Ended, screen::ScreenError>>;

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
}

/// Runs one batch from the request to the closed record, and shows it in this mode.
///
/// # Errors
/// Why it did not begin, or why its record cannot be read back.
pub async fn conduct(request: Request<'_>, mode: Mode) -> Result<Conducted, ConductError> {
    let unit = request.station.unit(request.unit)?;
    // Heard from here on: a signal before the first period must not leave a machine half started.
    let mut signalled = Box::pin(supervisor::signalled());
    // A program may have been killed while it heated: a file that cannot be opened, or not in time,
    // keeps nobody from making the machine safe.
    let opened = match opening::for_a_run(&request, &unit, &mut signalled).await? {
        Ok(opened) => opened,
        Err(why) => return Err(resume::unreadable(&request, &unit, false, why).await),
    };
    let Opened { store, left, known } = opened;
    if let Some(known) = known {
        tell(request.tell, known).await;
    }
    let allowed = asked::allowed(&request, &unit, store.station());
    let (store, thread) = match StoreThread::spawn(store, WAITING_MAX) {
        Ok(spawned) => spawned,
        Err(why) => return Err(resume::unreadable(&request, &unit, false, why).await),
    };
    let person = (mode, signalled);
    let conducted = with_store(&request, &unit, (store, left), allowed, person).await;
    // The batch is closed, or stays open: from here on a person may have enough of the disk.
    let mut signals = Signals::listen();
    let is_left_behind = conducted.as_ref().is_err_and(ConductError::was_told_to_stop);
    let next_signal = async || signals.next().await;
    let is_file_closed =
        closing::file_closed(thread, is_left_behind, request.tell, next_signal).await;
    let done = conducted?;
    let file = (&*request.file(), request.tell);
    match request.task {
        Task::New(_) | Task::Resume => {
            let mut signalled = Box::pin(async { signals.next().await });
            soundness::kept(file, is_file_closed, done, &mut signalled).await
        }
        // It was given up, on whatever there is.
        Task::Abandon(_) => Ok(done),
    }
}

/// What was asked for, if it is allowed, with the store's only handle: it is given up at the end.
async fn with_store(
    request: &Request<'_>,
    unit: &Unit<'_>,
    (store, left): (StoreThread, Option<BatchHeader>),
    allowed: Result<(), ConductError>,
    mut person: (Mode, impl Future<Output = &'static str> + Unpin),
) -> Result<Conducted, ConductError> {
    if let Err(why) = allowed {
        return Err(asked::refused(request, unit, left.as_ref(), why).await);
    }
    match (&request.task, left) {
        (Task::New(new), left) => {
            if let Some(left) = left {
                resume::out_of_the_way(request, unit, &store, left, &mut person.1).await?;
            }
            begin(request, new, unit, store, person).await
        }
        (Task::Resume, Some(left)) => resume::resume(request, unit, store, left, person).await,
        (Task::Abandon(reason), Some(left)) => {
            resume::abandon(request, unit, &store, &left, reason, &mut person.1).await
        }
        (Task::Resume | Task::Abandon(_), None) => {
            let why = ConductError::NothingOpen { unit: request.unit.to_owned() };
            Err(asked::refused(request, unit, None, why).await)
        }
    }
}

/// A new batch, from its frozen parameters on.
async fn begin(
    request: &Request<'_>,
    new: &NewRun<'_>,
    unit: &Unit<'_>,
    store: StoreThread,
    mut person: (Mode, impl Future<Output = &'static str> + Unpin),
) -> Result<Conducted, ConductError> {
    let Prepared { params, texts, declared } = match asked::prepared(request, new, unit) {
        Ok(prepared) => prepared,
        Err(why) => return Err(asked::refused(request, unit, None, why).await),
    };
    let reached = reach_safely(request, unit, false).await;
    if reached.is_err() {
        let whose = format!("unit {}", unit.name);
        resume::tell_what_answers((request.pace, request.tell), unit, false, &whose).await;
    }
    let (machine, clock, hands) = reached?;
    let simulated = params.simulated || machine.lock().await.simulated();
    let params = BatchParams { simulated, ..params };

    let safe = "Heat was commanded off, and the machine confirmed it".to_owned();
    let file = request.file();
    soundness::entrusted((&file, request.tell), &store, &mut person.1, safe).await?;

    let (who, utc_ms, reason) = (request.who.clone(), clock.utc_ms(), new.reason.clone());
    let noted = store.call(move |store| {
        changes::note_changes(store, &declared, Stamp { utc_ms, who: &who }, &reason)
    });
    if let changed @ [_, ..] = noted.await?.as_slice() {
        tell(request.tell, format!("new in the journal: {}", changed.join("; "))).await;
    }

    let engine = Engine::new(params.clone())?;
    let batch = new_batch(&store, request, new, params, texts, &clock).await?;
    let bottles = new.bottles;
    let run = Run { store, machine, clock, engine, batch, bottles, hands, resumes: None };
    run.until_closed(request, person).await
}

/// Connects the machine, and makes it safe before anything else.
pub(super) async fn reach_safely(
    request: &Request<'_>,
    unit: &Unit<'_>,
    cooling: bool,
) -> Result<Reached, ConductError> {
    let (how, file) = ((request.pace, request.yes), &request.station.file);
    reach::reach_safely(how, file, unit, request.capture.clone(), cooling).await
}

/// A batch that is about to run, or to run on.
pub(super) struct Run {
    pub(super) store: StoreThread,
    pub(super) machine: SharedMachine<WiredUnit>,
    pub(super) clock: Clock,
    pub(super) engine: Engine,
    pub(super) batch: String,
    pub(super) bottles: u16,
    pub(super) hands: Option<Hands>,
    /// What it was before the outage, how long that lasted, and when it was over.
    pub(super) resumes: Option<(TakenUp, Option<u64>, Tick)>,
}

impl Run {
    /// Runs it to its end, or to safety, and closes its record.
    pub(super) async fn until_closed(
        self,
        request: &Request<'_>,
        (mode, signalled): (Mode, impl Future<Output = &'static str>),
    ) -> Result<Conducted, ConductError> {
        let Self { store, machine, clock, engine, batch, .. } = self;
        let period_ms = engine.params().period_ms;
        let (permit, patience) =
            (HeatPermit::new(clock.real_ms(period_ms)), clock.disk_patience(period_ms));
        let who = request.who.clone();
        let recorder = Recorder::new(store.clone(), batch.clone(), who, permit, patience);
        let (views_in, views) = mpsc::channel(VIEWS_WAITING_MAX);
        let (act, actions) = mpsc::channel(16);
        let views = match self.hands {
            Some(hands) => played(hands, self.bottles, views, act.clone()),
            None => views,
        };
        let still = machine.clone();
        let unit_loop =
            ControlLoop::new(machine, clock.clone(), engine, recorder, actions, views_in);
        let unit_loop = match self.resumes {
            Some((taken_up, outage_ms, at)) => unit_loop.resuming(taken_up, outage_ms, at),
            None => unit_loop,
        };
        let mut screen = tokio::spawn(screen::run(views, act, mode));
        let told_to_stop = async {
            tokio::select! { signal = signalled => signal, left = person_left(&mut screen) => left }
        };
        let outcome = supervisor::supervise(unit_loop, told_to_stop).await;
        let insisting = Insisting::begin(
            still,
            outcome.safe,
            outcome.ending.told_by(),
            outcome.unsafe_because.as_deref(),
        );
        // Whoever ends the program from here on, too, must see that it was heard.
        let mut signals = Signals::listen();
        leave_screen(screen).await;
        let mut next_signal = async || signals.next().await;
        let closed =
            Self::closed(outcome, &store, &clock, batch.clone(), request, &mut next_signal).await;
        let is_confirmed = match insisting {
            Some(insisting) => {
                insisting.until_confirmed(request.tell, &format!("batch {batch}")).await
            }
            None => false,
        };
        if !is_confirmed {
            return closed;
        }
        let said = closing::confirmed_late(&store, &batch, &clock, &request.who);
        let what = format!("batch {batch}: its record is told that the machine confirmed it");
        let told = (request.tell, &mut next_signal);
        if let Err(why) = closing::unless_told(told, &what, closing::CLOSE_WITHIN, said).await {
            let said =
                format!("batch {batch}: its record does not say that it was confirmed: {why}");
            tell(request.tell, said).await;
        }
        closed
            .map(|conducted| Conducted { unsafe_because: None, ..conducted })
            .map_err(ConductError::confirmed_late)
    }

    /// Says whether the machine is safe, and closes the record if the batch is over.
    async fn closed(
        outcome: Outcome,
        store: &StoreThread,
        clock: &Clock,
        batch: String,
        request: &Request<'_>,
        next_signal: &mut impl AsyncFnMut() -> &'static str,
    ) -> Result<Conducted, ConductError> {
        let told = (request.tell, next_signal);
        let unsafe_because = outcome.unsafe_because;
        if let Some(said) = closing::safety(&batch, &outcome.ending, unsafe_because.as_deref()) {
            tell(request.tell, said).await;
        }
        let (who, because) = (&request.who, unsafe_because.as_deref());
        if !outcome.ending.closes() {
            let kept = closing::keep_open(store, &batch, &outcome.ending, clock, who, because);
            let what = format!("batch {batch}: its record is told why it stays open");
            let kept = closing::unless_told(told, &what, closing::CLOSE_WITHIN, kept).await;
            let not_kept = kept.err().map(Box::new);
            let (unit, ended) = (request.unit.to_owned(), outcome.ending.words());
            let damaged = outcome.ending.is_damage();
            let left =
                ConductError::StaysOpen { batch, unit, ended, unsafe_because, not_kept, damaged };
            return Err(left);
        }
        let recorder = outcome.recorder;
        let closed = closing::close(store, &batch, &outcome.ending, recorder, clock, who, because);
        let what = format!("batch {batch}: its record is being checked and closed");
        let file = request.file();
        let within = closing::patience_with(&file);
        let closed = closing::patiently((&file, request.tell), &what, closed);
        match closing::unless_told(told, &what, within, closed).await {
            Ok((header, verdict)) => {
                let ending = outcome.ending.closed_with(&header);
                Ok(Conducted { batch, ending, verdict, unsafe_because })
            }
            Err(why) => {
                let (unit, is_over) = (request.unit.to_owned(), outcome.ending.is_over());
                let why = Box::new(why);
                Err(ConductError::NotClosed { batch, unit, is_over, unsafe_because, why })
            }
        }
    }
}

/// Tells the person; a terminal that takes nothing does not keep the record from being closed.
pub(super) async fn tell(tell: fn(&str), said: String) {
    let (done, told) = oneshot::channel();
    let saying = said.clone();
    let thread = std::thread::Builder::new().name("tell".into()).spawn(move || {
        tell(&saying);
        // Nobody waits any more for a terminal that hung.
        let _ = done.send(());
    });
    match thread {
        Ok(_) => drop(tokio::time::timeout(SCREEN_WITHIN, told).await),
        Err(_) => tell(&said),
    }
}

/// Lets the screen show the last view and give the terminal back, but not for ever.
async fn leave_screen(mut screen: ScreenTask) {
    if !screen.is_finished() && tokio::time::timeout(SCREEN_WITHIN, &mut screen).await.is_err() {
        // Dropping it gives the terminal back, as far as that is possible.
        screen.abort();
        let _ = tokio::time::timeout(SCREEN_WITHIN, screen).await;
    }
}

async fn new_batch(
    store: &StoreThread,
    request: &Request<'_>,
    new: &NewRun<'_>,
    params: BatchParams,
    texts: Vec<FrozenText>,
    clock: &Clock,
) -> Result<String, StoreError> {
    let new = NewBatch {
        simulated: params.simulated,
        pool: new.pool.clone(),
        bottles: new.bottles,
        bottle_ul: new.bottle_ul,
        operator: request.who.clone(),
        started_utc_ms: clock.utc_ms(),
        params,
        texts,
        clock: clock.entry(),
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
async fn person_left(screen: &mut ScreenTask) -> &'static str {
    match screen.await {
        Ok(Ok(Ended::Left)) => supervisor::LEFT,
        // A screen that is lost never ends a batch.
        Ok(Ok(Ended::Closed) | Err(_)) | Err(_) => std::future::pending().await,
    }
}
