//! A loop on a machine that remembers what it was told, and may break.

use super::*;

/// What the machine was told, and when.
pub(super) type Told = Arc<StdMutex<Vec<(Tick, Command)>>>;

/// What is wrong with the machine.
#[derive(Default)]
pub(super) struct Faults {
    /// The reading at which the loop's task panics.
    pub(super) panics_at: Option<u32>,
    /// The first reading that never comes.
    pub(super) hangs_at: Option<u32>,
    /// Is told when that one has begun.
    pub(super) hangs: Arc<Notify>,
    /// Is told when a reading has begun that then waits for `slow_until`.
    pub(super) slow: Option<(Arc<Notify>, Arc<Notify>)>,
    /// Is set when a reading is given up before its answer.
    pub(super) given_up: Arc<std::sync::atomic::AtomicBool>,
    /// So many commands are lost before the first one arrives.
    pub(super) writes_lost: u32,
    /// Nobody knows the bath, so that there must be no heat.
    pub(super) bath_unknown: bool,
}

/// A machine that remembers what it was told, and may break.
pub(super) struct Fake {
    pub(super) told: Told,
    pub(super) clock: Clock,
    pub(super) readings: u32,
    pub(super) writes: u32,
    pub(super) faults: Faults,
}

/// Notes when it is dropped before the answer.
struct GivenUp(Option<Arc<std::sync::atomic::AtomicBool>>);

impl GivenUp {
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        if let Some(flag) = &self.0 {
            flag.store(true, std::sync::atomic::Ordering::Release);
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the wire is cut")]
pub(super) struct Cut;

impl Machine for Fake {
    type Error = Cut;

    async fn read(&mut self) -> Reading {
        self.readings += 1;
        assert_ne!(Some(self.readings), self.faults.panics_at, "a defect of ours");
        if self.faults.hangs_at.is_some_and(|first| self.readings >= first) {
            self.faults.hangs.notify_one();
            std::future::pending::<()>().await;
        }
        if let Some((begun, until)) = self.faults.slow.clone() {
            let guard = GivenUp(Some(self.faults.given_up.clone()));
            begun.notify_one();
            until.notified().await;
            guard.answered();
        }
        let mut reading = Reading::nothing(2, true);
        if !self.faults.bath_unknown {
            reading.bath = Sample::good(Celsius::from_milli(40_000));
        }
        reading.milk.iter_mut().flatten().for_each(|probe| {
            *probe = Sample::good(Celsius::from_milli(4_000));
        });
        reading.lid = Some(holder_hal::Switch { on: Some(true), quality: Quality::Good });
        reading
    }

    async fn write(&mut self, command: &Command) -> Result<(), Cut> {
        self.writes += 1;
        if self.writes <= self.faults.writes_lost {
            return Err(Cut);
        }
        self.told.lock().expect("no test panics with it").push((self.clock.now(), *command));
        Ok(())
    }
}

/// A loop on a fake machine, with all that it needs kept alive.
pub(super) struct Rig {
    pub(super) unit: ControlLoop<Fake>,
    pub(super) told: Told,
    pub(super) store: StoreThread,
    pub(super) act: mpsc::Sender<Action>,
    pub(super) views: mpsc::Receiver<View>,
    pub(super) _dir: TempDir,
}

/// Lockstep time needs a simulator to live through it; the fake machine stands apart.
async fn lockstep() -> Clock {
    let text = crate::profiles::station("demo").expect("shipped");
    let station = StationConfig::parse("demo", text, Library::shipped()).expect("valid");
    let spec = station.unit("demo").expect("there").spec().expect("holds together");
    let options = SimOptions {
        listen: "127.0.0.1:0".parse().ok(),
        load: None,
        pace: Pace::Lockstep,
        start: Start::Cold,
    };
    let server = SimServer::start(&spec, PlantParams::nominal(), 1, options).await;
    Clock::lockstep(Arc::new(server.expect("a free port")))
}

pub(super) async fn rig(faults: Faults, patience: Duration) -> Rig {
    let (dir, _, store) = fixture::station();
    let (store, _thread) = StoreThread::spawn(store, 600).expect("a thread");
    let new = fixture::water();
    let params = new.params.clone();
    let batch = store.call(move |store| store.begin_batch(&new)).await.expect("begun");
    let recorder =
        Recorder::new(store.clone(), batch, "ann".into(), HeatPermit::new(1000), patience);
    let (told, clock) = (Told::default(), lockstep().await);
    let fake = Fake { told: told.clone(), clock: clock.clone(), readings: 0, writes: 0, faults };
    let machine = Arc::new(Mutex::new(fake));
    let (act, actions) = mpsc::channel(4);
    let (views_in, views) = mpsc::channel(8);
    let engine = Engine::new(params).expect("valid");
    let unit = ControlLoop::new(machine, clock, engine, recorder, actions, views_in);
    Rig { unit, told, store, act, views, _dir: dir }
}

pub(super) fn told(rig_told: &Told) -> Vec<(Tick, Command)> {
    rig_told.lock().expect("whole").clone()
}

pub(super) fn last(rig_told: &Told) -> Command {
    told(rig_told).last().expect("something was told").1
}

/// The last moment at which heat was commanded.
pub(super) fn heated_last(told: &[(Tick, Command)]) -> Option<Tick> {
    told.iter().rev().find(|(_, command)| command.heats()).map(|(at, _)| *at)
}

/// Whether, and when, heat was first commanded off after `since`.
pub(super) fn off_after(told: &[(Tick, Command)], since: Tick) -> Option<Tick> {
    told.iter().find(|(at, command)| *at > since && !command.heats()).map(|(at, _)| *at)
}

pub(super) const PATIENT: Duration = Duration::from_secs(5);
pub(super) const BATCH: &str = "B-1970-0001";
pub(super) const PERIOD_MS: u64 = 1000;
