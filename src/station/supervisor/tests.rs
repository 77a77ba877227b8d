//! However a loop ends, the machine is made safe; and what is not on the disk is not heated.

use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use holder_hal::{Celsius, Command, Heat, Quality, Reading, Sample};
use holder_sim::{Pace, PlantParams, SimOptions, SimServer, Start};
use tempfile::TempDir;
use tokio::sync::{Mutex, mpsc};

use super::*;
use crate::batch::engine::Engine;
use crate::batch::event::Action;
use crate::batch::fixture;
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;
use crate::station::clock::Clock;
use crate::station::config::{Library, StationConfig};
use crate::station::permit::HeatPermit;
use crate::station::recorder::Recorder;
use crate::station::view::View;
use crate::store::{NewBatch, Station, Store, StoreThread};

/// A machine that remembers what it was told, and may break.
struct Fake {
    told: Arc<StdMutex<Vec<Command>>>,
    readings: u32,
    panics_at: Option<u32>,
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl Machine for Fake {
    type Error = Never;

    async fn read(&mut self) -> Reading {
        self.readings += 1;
        assert_ne!(Some(self.readings), self.panics_at, "a defect of ours");
        let mut reading = Reading::nothing(2, true);
        reading.bath = Sample::good(Celsius::from_milli(40_000));
        reading.milk.iter_mut().flatten().for_each(|probe| {
            *probe = Sample::good(Celsius::from_milli(4_000));
        });
        reading.lid = Some(holder_hal::Switch { on: Some(true), quality: Quality::Good });
        reading
    }

    async fn write(&mut self, command: &Command) -> Result<(), Never> {
        self.told.lock().expect("no test panics with it").push(*command);
        Ok(())
    }
}

/// A loop on a fake machine, with all that it needs kept alive.
struct Rig {
    unit: ControlLoop<Fake>,
    told: Arc<StdMutex<Vec<Command>>>,
    store: StoreThread,
    act: mpsc::Sender<Action>,
    views: mpsc::Receiver<View>,
    _dir: TempDir,
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

async fn rig(panics_at: Option<u32>, patience: Duration) -> Rig {
    let dir = tempfile::tempdir().expect("a folder");
    let station =
        Station { name: "bank".into(), time_zone: "UTC".into(), training: true, created_utc_ms: 0 };
    let store = Store::create(&dir.path().join("holder.db"), &station, "ann").expect("made");
    let (store, _thread) = StoreThread::spawn(store, 600).expect("a thread");
    let params = BatchParams { purpose: Purpose::Water, ..fixture::params() };
    let new = NewBatch {
        simulated: true,
        pool: None,
        bottles: 48,
        bottle_ul: 0,
        operator: "ann".into(),
        started_utc_ms: 0,
        params: params.clone(),
        texts: vec![],
    };
    let batch = store.call(move |store| store.begin_batch(&new)).await.expect("begun");
    let recorder =
        Recorder::new(store.clone(), batch, "ann".into(), HeatPermit::new(1000), patience);
    let told = Arc::default();
    let machine = Arc::new(Mutex::new(Fake { told: Arc::clone(&told), readings: 0, panics_at }));
    let (act, actions) = mpsc::channel(4);
    let (views_in, views) = mpsc::channel(8);
    let engine = Engine::new(params).expect("valid");
    let unit = ControlLoop::new(machine, lockstep().await, engine, recorder, actions, views_in);
    Rig { unit, told, store, act, views, _dir: dir }
}

fn last(told: &Arc<StdMutex<Vec<Command>>>) -> Command {
    *told.lock().expect("whole").last().expect("something was told")
}

#[tokio::test]
async fn a_panic_in_the_loop_leaves_the_machine_safe() {
    let rig = rig(Some(5), Duration::from_secs(5)).await;
    let mut views = rig.views;
    let watched = tokio::spawn(async move { while views.recv().await.is_some() {} });
    let outcome = supervise(rig.unit, std::future::pending()).await;
    assert!(matches!(outcome.ending, Ending::Panicked(_)), "{:?}", outcome.ending);
    assert_eq!(outcome.unsafe_because, None);
    let told = rig.told.lock().expect("whole").clone();
    assert!(told.iter().any(Command::heats), "it was heating before");
    let safe = Command { heat: Heat::Off, agitator: true, cooling: false };
    assert_eq!(told.last(), Some(&safe));
    watched.await.expect("ended");
}

#[tokio::test]
async fn a_person_who_leaves_leaves_the_machine_safe() {
    let mut rig = rig(None, Duration::from_secs(5)).await;
    let left = async {
        for _ in 0..10 {
            rig.views.recv().await.expect("it runs");
        }
        "the person at the screen"
    };
    let outcome = supervise(rig.unit, left).await;
    assert!(matches!(outcome.ending, Ending::Interrupted("the person at the screen")));
    assert!(!last(&rig.told).heats());
}

#[tokio::test]
async fn a_stop_ends_the_batch_in_order_and_its_record_is_complete() {
    let mut rig = rig(None, Duration::from_secs(5)).await;
    rig.act.send(Action::Stop { reason: "smoke".into() }).await.expect("heard");
    let seen = tokio::spawn(async move {
        let mut last = None;
        while let Some(view) = rig.views.recv().await {
            last = Some(view.phase);
        }
        last
    });
    let outcome = supervise(rig.unit, std::future::pending()).await;
    let Ending::Over(engine) = outcome.ending else { panic!("{:?}", outcome.ending) };
    assert_eq!(engine.accepts(), Some(false));
    assert!(!last(&rig.told).heats());
    assert_eq!(seen.await.expect("ended"), Some(PhaseName::Aborted));
    let record = rig.store.call(|store| store.load_batch("B-1970-0001")).await.expect("kept");
    assert_eq!(record.actions.len(), 1);
}

/// The disk stalls: sampling goes on, and heat is off at most two periods after the last
/// committed sample.
#[tokio::test]
async fn while_the_disk_stalls_nothing_is_heated_and_no_sample_is_lost() {
    let mut rig = rig(None, Duration::ZERO).await;
    let (release, stalled) = blocking::channel::<()>();
    let task = tokio::spawn(rig.unit.run());
    // The loop heats once its first samples are on the disk.
    let mut seen = 0;
    while !rig.told.lock().expect("whole").iter().any(Command::heats) {
        rig.views.recv().await.expect("it runs");
        seen += 1;
        assert!(seen < 1000, "it never heated");
    }
    let stall = rig.store.submit(move |_| {
        // Ends when the test lets go of it.
        let _ = stalled.recv();
        Ok(())
    });
    stall.expect("queued");
    for _ in 0..20 {
        rig.views.recv().await.expect("it goes on");
    }
    let told = rig.told.lock().expect("whole").clone();
    let cold = told.iter().rev().take_while(|command| !command.heats()).count();
    assert!(cold >= 10, "still heating with a stalled disk: {:?}", told.last());
    drop(release);
    rig.act.send(Action::Stop { reason: "done".into() }).await.expect("heard");
    while rig.views.recv().await.is_some() {}
    task.await.expect("no panic").expect("the record was kept");
    let record = rig.store.call(|store| store.load_batch("B-1970-0001")).await.expect("kept");
    assert!(record.periods.len() >= seen + 20, "{} of {}", record.periods.len(), seen + 20);
}
