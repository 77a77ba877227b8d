//! However a loop ends, the machine is made safe; and what is not on the disk is not heated.

use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use holder_hal::{Celsius, Command, Heat, Quality, Reading, Sample, Tick};
use holder_sim::{Pace, PlantParams, SimOptions, SimServer, Start};
use tempfile::TempDir;
use tokio::sync::{Mutex, Notify, mpsc};

use super::*;
use crate::batch::alarm::Alarm;
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Input};
use crate::batch::phase::PhaseName;
use crate::station::clock::Clock;
use crate::station::config::{Library, StationConfig};
use crate::station::fixture;
use crate::station::permit::HeatPermit;
use crate::station::recorder::Recorder;
use crate::station::view::View;
use crate::store::{Store, StoreThread};

mod at_the_end;
mod rig;
mod standing_still;

use rig::*;

#[tokio::test]
async fn a_panic_in_the_loop_leaves_the_machine_safe() {
    let rig = rig(Faults { panics_at: Some(5), ..Faults::default() }, PATIENT).await;
    let mut views = rig.views;
    let watched = tokio::spawn(async move { while views.recv().await.is_some() {} });
    let outcome = supervise(rig.unit, std::future::pending()).await;
    assert!(matches!(outcome.ending, Ending::Panicked(_)), "{:?}", outcome.ending);
    assert_eq!(outcome.unsafe_because, None);
    assert!(heated_last(&told(&rig.told)).is_some(), "it was heating before");
    let safe = Command { heat: Heat::Off, agitator: true, cooling: false };
    assert_eq!(last(&rig.told), safe);
    watched.await.expect("ended");
}

#[tokio::test]
async fn a_person_who_leaves_leaves_the_machine_safe() {
    let mut rig = rig(Faults::default(), PATIENT).await;
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
    let mut rig = rig(Faults::default(), PATIENT).await;
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
    let record = rig.store.call(|store| store.load_batch(BATCH)).await.expect("kept");
    assert_eq!(record.actions.len(), 1);
}

/// The disk stalls: sampling goes on, and no heat is commanded later than one period after the
/// last committed sample, so that it is off within two.
#[tokio::test]
async fn while_the_disk_stalls_nothing_is_heated_and_no_sample_is_lost() {
    let mut rig = rig(Faults::default(), Duration::ZERO).await;
    let (release, stalled) = blocking::channel::<()>();
    let task = tokio::spawn(rig.unit.run());
    // The loop heats once its first samples are on the disk.
    let mut seen = std::collections::BTreeSet::new();
    while heated_last(&told(&rig.told)).is_none() {
        seen.insert(rig.views.recv().await.expect("it runs").at);
        // A busy computer has time to catch up.
        rig.store.call(|_| Ok(())).await.expect("it is there");
        assert!(seen.len() < 1000, "it never heated");
    }
    let (tell, committed) = tokio::sync::oneshot::channel();
    let stall = rig.store.submit(move |store| {
        let record = store.load_batch(BATCH)?;
        tell.send(record.periods.last().expect("it had heated").at).expect("the test waits");
        // Ends when the test lets go of it.
        let _ = stalled.recv();
        Ok(())
    });
    stall.expect("queued");
    let mut shown = Vec::new();
    for _ in 0..20 {
        shown.push(rig.views.recv().await.expect("it goes on"));
    }
    let committed = committed.await.expect("the disk stalled");
    let told = told(&rig.told);
    let heated = heated_last(&told).expect("it heated before");
    assert!(heated <= committed.plus_ms(PERIOD_MS), "{heated:?} {committed:?}");
    let off = off_after(&told, committed).expect("commanded off");
    assert!(off <= committed.plus_ms(2 * PERIOD_MS), "{off:?} {committed:?}");
    seen.extend(shown.iter().map(|view| view.at));
    let late = shown.iter().filter(|view| view.at > heated);
    assert!(late.clone().count() > 2 && late.clone().all(|view| !view.command.heats()));
    drop(release);
    rig.act.send(Action::Stop { reason: "done".into() }).await.expect("heard");
    while rig.views.recv().await.is_some() {}
    task.await.expect("no panic").expect("the record was kept");
    let record = rig.store.call(|store| store.load_batch(BATCH)).await.expect("kept");
    assert!(record.periods.len() >= seen.len(), "{} of {}", record.periods.len(), seen.len());
    let is_behind = |action: &Action| *action == Action::Record { keeps_up: false };
    assert!(record.actions.iter().any(|noted| is_behind(&noted.action)), "{:?}", record.actions);
}

/// The machine does not answer any more. In lockstep a hanging read takes no time of the batch,
/// so that the second one missed is two periods after the last that came.
#[tokio::test]
async fn a_read_that_hangs_cuts_the_heat_within_two_periods_and_is_in_the_record() {
    let mut rig = rig(Faults { hangs_at: Some(20), ..Faults::default() }, PATIENT).await;
    rig.unit.patience = Duration::from_millis(1);
    let task = tokio::spawn(rig.unit.run());
    for _ in 0..25 {
        rig.views.recv().await.expect("it goes on");
    }
    let told = told(&rig.told);
    rig.act.send(Action::Stop { reason: "done".into() }).await.expect("heard");
    while rig.views.recv().await.is_some() {}
    task.await.expect("no panic").expect("the record was kept");

    let record = rig.store.call(|store| store.load_batch(BATCH)).await.expect("kept");
    let came = |period: &&crate::store::model::Period| period.reading.bath.trusted().is_some();
    let good = record.periods.iter().rfind(came).expect("nineteen came").at;
    assert_eq!(record.periods.iter().filter(came).count(), 19);
    let missed = record.periods.iter().filter(|period| period.at > good);
    assert!(missed.clone().count() >= 5);
    assert!(missed.clone().all(|period| period.reading.bath.quality == Quality::Comm));
    let heated = heated_last(&told).expect("it heated before");
    assert!(heated < good.plus_ms(2 * PERIOD_MS), "{heated:?} {good:?}");
    assert_eq!(off_after(&told, good), Some(good.plus_ms(2 * PERIOD_MS)));
    let remarks = record.remarks.iter().filter(|remark| remark.text.contains("was given up"));
    assert_eq!(remarks.count(), 1, "{:?}", record.remarks);
}

#[tokio::test]
async fn a_stop_is_heard_while_a_read_hangs() {
    let hangs = Arc::new(Notify::new());
    let faults = Faults { hangs_at: Some(3), hangs: hangs.clone(), ..Faults::default() };
    let mut rig = rig(faults, PATIENT).await;
    rig.unit.patience = Duration::from_secs(3600);
    let act = rig.act.clone();
    let stop = tokio::spawn(async move {
        hangs.notified().await;
        act.send(Action::Stop { reason: "smoke".into() }).await
    });
    let seen = tokio::spawn(async move { while rig.views.recv().await.is_some() {} });
    let outcome = supervise(rig.unit, std::future::pending()).await;
    assert!(matches!(outcome.ending, Ending::Over(_)), "{:?}", outcome.ending);
    assert!(!last(&rig.told).heats());
    stop.await.expect("sent").expect("heard");
    seen.await.expect("ended");
}

#[tokio::test]
async fn a_store_that_refuses_ends_the_loop_and_leaves_the_machine_safe() {
    let mut rig = rig(Faults::default(), PATIENT).await;
    let store = rig.store.clone();
    let seen = tokio::spawn(async move {
        for _ in 0..10 {
            rig.views.recv().await.expect("it runs");
        }
        let close = move |store: &mut Store| {
            let stamp = crate::store::Stamp { utc_ms: 0, who: "ann" };
            let (closing, phase) = (crate::store::model::Closing::Interrupted, PhaseName::Preheat);
            let (engine_accepts, verdict) = (None, None);
            let batch = BATCH;
            store.close_batch(&crate::store::Close {
                batch,
                stamp,
                closing,
                engine_accepts,
                phase,
                verdict,
            })
        };
        store.call(close).await.expect("closed under its feet");
        while rig.views.recv().await.is_some() {}
    });
    let outcome = supervise(rig.unit, std::future::pending()).await;
    assert!(matches!(outcome.ending, Ending::RecordLost(_)), "{:?}", outcome.ending);
    assert!(!outcome.ending.closes(), "a person decides");
    assert_eq!(outcome.unsafe_because, None);
    assert!(heated_last(&told(&rig.told)).is_some() && !last(&rig.told).heats());
    seen.await.expect("ended");
}

#[tokio::test]
async fn what_a_person_does_costs_no_reading() {
    let (begun, until) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = Some((begun.clone(), until.clone()));
    let faults = Faults { slow, ..Faults::default() };
    let given_up = faults.given_up.clone();
    let mut rig = rig(faults, PATIENT).await;
    let task = tokio::spawn(rig.unit.run());
    let mut said = Vec::new();
    for acts in [false, true, true, false] {
        begun.notified().await;
        if acts {
            rig.act.send(Action::ConfirmUnload { bottles: 48 }).await.expect("heard");
            tokio::task::yield_now().await;
        }
        until.notify_one();
        let count = if acts { 2 } else { 1 };
        for _ in 0..count {
            said.push(rig.views.recv().await.expect("it goes on").message);
        }
    }
    assert!(!given_up.load(std::sync::atomic::Ordering::Acquire), "an exchange was given up");
    let refused = |said: &Option<String>| said.as_ref().is_some_and(|s| s.contains("unloading"));
    let order: Vec<bool> = said.iter().map(refused).collect();
    assert_eq!(order, [false, false, true, false, true, false], "{said:?}");
    task.abort();
}

#[tokio::test]
async fn heat_that_is_not_confirmed_off_is_told_with_every_period() {
    let faults = Faults { writes_lost: 5, bath_unknown: true, ..Faults::default() };
    let mut rig = rig(faults, PATIENT).await;
    let task = tokio::spawn(rig.unit.run());
    let (mut said, mut lost) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let view = rig.views.recv().await.expect("it goes on");
        said.push(view.message.unwrap_or_default());
        let mut alarms = view.alarms.iter();
        lost.push(alarms.find(|seen| seen.alarm == Alarm::OrdersLost).map(|seen| seen.lasts));
    }
    assert_eq!(lost.first(), Some(&None), "one order that is lost is no alarm");
    assert!(lost.contains(&Some(true)), "{lost:?}");
    assert!(said[0].starts_with("a command did not arrive: the wire is cut"), "{said:?}");
    assert!(said[1..5].iter().all(|said| said.starts_with("ATTENTION")), "{said:?}");
    assert_eq!(said[5..], ["commands arrive again".to_owned(), String::new()]);
    task.abort();
}

#[tokio::test]
async fn the_safe_state_is_tried_until_it_arrives_and_else_a_person_is_told() {
    let lost = |writes_lost| Faults { writes_lost, ..Faults::default() };
    let pause = Duration::from_millis(1);
    let unit = rig(lost(7), PATIENT).await;
    let machine = &unit.unit.machine;
    let safe = Command::safe(false);
    let unsafe_because = make_safe(machine, safe, PATIENT, pause).await;
    assert_eq!(unsafe_because, None);
    assert_eq!(last(&unit.told), Command::safe(false));
    assert_eq!(machine.lock().await.writes, 8);

    let unit = rig(lost(u32::MAX), PATIENT).await;
    let machine = &unit.unit.machine;
    let safe = Command::safe(false);
    let within = Duration::from_millis(20);
    let unsafe_because = make_safe(machine, safe, within, pause).await;
    let why = unsafe_because.expect("it never arrived");
    assert!(why.contains("the wire is cut"), "{why}");
}

#[tokio::test]
async fn a_machine_that_comes_back_late_is_told_in_the_end() {
    let unit = rig(Faults { writes_lost: 80, ..Faults::default() }, PATIENT).await;
    let machine = &unit.unit.machine;
    // Ten milliseconds hold no more than ten attempts: it is given up before it listens.
    let (within, pause) = (Duration::from_millis(10), Duration::from_millis(1));
    assert!(make_safe(machine, Command::safe(true), within, pause).await.is_some());
    until_safe(machine, Command::safe(true), within, pause).await;
    assert_eq!(last(&unit.told), Command::safe(true));
    assert_eq!(machine.lock().await.writes, 81);
}

#[tokio::test]
async fn only_readings_on_the_disk_permit_heat_and_a_lost_remark_is_not_silent() {
    let rig = rig(Faults::default(), PATIENT).await;
    let ControlLoop { mut recorder, mut engine, clock, .. } = rig.unit;
    let warm =
        Command { heat: Heat::Setpoint(Celsius::from_milli(60_000)), ..Command::safe(false) };
    let now = Tick::from_ms(1);
    for (input, permitted) in [
        (Input::Operator(Action::ConfirmUnload { bottles: 48 }), false),
        (Input::Reading(Reading::nothing(2, true)), true),
    ] {
        let effects = engine.step(now, input.clone());
        let phase = engine.phase();
        recorder.commit(&clock, now, input, &effects, phase).await.expect("kept");
        recorder.settle().await.expect("kept");
        assert_eq!(recorder.permit().grant(now, warm).heats(), permitted);
    }
    let permit = recorder.permit();
    let mut lost = Recorder::new(rig.store, "B-none".into(), "ann".into(), permit, PATIENT);
    lost.remark(&clock, now, "heat was withheld".into()).expect("in line");
    let error = lost.settle().await.expect_err("there is no such batch");
    assert!(error.to_string().contains("B-none"), "{error}");
}
