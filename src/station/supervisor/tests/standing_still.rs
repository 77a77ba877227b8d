//! The program stands still (SIGSTOP, a computer that slept) and goes on: nobody watched, and the
//! machine did what it was told last.

use std::sync::atomic::Ordering;

use super::*;
use crate::store::model::BatchRecord;

/// Lets the clock go on without the program.
fn stand_still(clock: &Clock, ms: u64) -> Tick {
    let Clock::Lockstep { now_ms, .. } = clock else { panic!("virtual time") };
    now_ms.fetch_add(ms, Ordering::AcqRel);
    clock.now()
}

/// The next view that is as wanted.
async fn view(views: &mut mpsc::Receiver<View>, wanted: impl Fn(&View) -> bool) -> View {
    for _ in 0..100 {
        let view = views.recv().await.expect("it goes on");
        if wanted(&view) {
            return view;
        }
    }
    panic!("no such view");
}

/// The record of a batch that is stopped.
async fn stopped(
    act: &mpsc::Sender<Action>,
    store: &StoreThread,
    mut views: mpsc::Receiver<View>,
) -> BatchRecord {
    act.send(Action::Stop { reason: "done".into() }).await.expect("heard");
    while views.recv().await.is_some() {}
    store.call(|store| store.load_batch(BATCH)).await.expect("kept")
}

/// How long nobody watched, each time that the batch was taken up again.
fn outages(record: &BatchRecord) -> Vec<u64> {
    let actions = record.actions.iter().map(|stamped| &stamped.action);
    let outage = |action: &Action| {
        if let Action::Resume { outage_ms } = action { *outage_ms } else { None }
    };
    actions.filter_map(outage).collect()
}

#[tokio::test]
async fn who_stood_still_heats_again_only_when_a_person_says_so_and_the_record_has_it() {
    let Rig { unit, told, store, act, mut views, _dir } = rig(Faults::default(), PATIENT).await;
    let clock = unit.clock.clone();
    let task = tokio::spawn(unit.run());
    view(&mut views, |view| view.command.heats()).await;
    let back = stand_still(&clock, 60_000);
    let waits = view(&mut views, |view| view.heat_waits).await;
    assert!(waits.at >= back && !waits.command.heats(), "{waits:?}");
    for _ in 0..20 {
        let view = views.recv().await.expect("it goes on");
        assert!(view.heat_waits && !view.command.heats());
    }
    let told = || self::told(&told);
    assert_eq!(heated_last(&told()).filter(|at| *at >= back), None);
    act.send(Action::ConfirmHeat).await.expect("heard");
    view(&mut views, |view| view.command.heats()).await;
    let record = stopped(&act, &store, views).await;
    task.await.expect("no panic").expect("kept");
    assert!(matches!(*outages(&record), [60_000..62_000]), "{:?}", outages(&record));
}

/// A period that is late on a busy computer is no absence.
#[tokio::test]
async fn a_turn_that_is_late_by_less_than_the_gap_that_a_hold_may_have_changes_nothing() {
    let Rig { unit, told: _told, store, act, mut views, _dir } =
        rig(Faults::default(), PATIENT).await;
    let clock = unit.clock.clone();
    let task = tokio::spawn(unit.run());
    view(&mut views, |view| view.command.heats()).await;
    // One period of the ten seconds passes by itself.
    stand_still(&clock, 8_900);
    for _ in 0..20 {
        let view = views.recv().await.expect("it goes on");
        assert!(!view.heat_waits && view.command.heats(), "{view:?}");
    }
    let record = stopped(&act, &store, views).await;
    task.await.expect("no panic").expect("kept");
    assert_eq!(outages(&record), [0; 0]);
}

/// The answer lay in the line, and the word of a person in the program, since before.
#[tokio::test]
async fn neither_a_reading_nor_a_confirmation_of_heat_from_before_counts() {
    let (begun, until) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let faults = Faults { slow: Some((begun.clone(), until.clone())), ..Faults::default() };
    let Rig { unit, told: _told, store, act, mut views, _dir } = rig(faults, PATIENT).await;
    let clock = unit.clock.clone();
    let task = tokio::spawn(unit.run());
    begun.notified().await;
    until.notify_one();
    views.recv().await.expect("the first reading");
    begun.notified().await;
    act.send(Action::ConfirmHeat).await.expect("heard");
    let back = stand_still(&clock, 60_000);
    until.notify_one();
    let mut shown = Vec::new();
    for _ in 0..3 {
        shown.push(views.recv().await.expect("it goes on"));
        until.notify_one();
    }
    assert!(shown.iter().all(|view| view.heat_waits && !view.command.heats()), "{shown:#?}");
    let drained = tokio::spawn(async move {
        loop {
            until.notify_one();
            tokio::task::yield_now().await;
        }
    });
    let record = stopped(&act, &store, views).await;
    drained.abort();
    task.await.expect("no panic").expect("kept");
    let later: Vec<Tick> = record.periods.iter().map(|period| period.at).collect();
    assert!(later.iter().skip(1).all(|at| *at > back), "{later:?} {back:?}");
    assert_eq!(outages(&record).len(), 1);
}
