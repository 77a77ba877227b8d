//! The batch is over: first the machine, then the disk.

use super::*;
use crate::station::closing;
use crate::store::model::Closing;

/// The disk acknowledges nothing from now on, until the test drops this.
fn hung(store: &StoreThread) -> blocking::Sender<()> {
    let (release, stalled) = blocking::channel::<()>();
    let stall = store.submit(move |_| {
        let _ = stalled.recv();
        Ok(())
    });
    stall.expect("queued");
    release
}

/// A hub that takes the line and the disk at once: the heat-off of the stop is lost, and the disk
/// acknowledges nothing. The machine is told again before anybody waits for the disk.
#[tokio::test]
async fn a_heat_off_that_was_lost_is_told_again_while_the_disk_hangs() {
    let faults = Faults { writes_lost: 1, bath_unknown: true, ..Faults::default() };
    let rig = rig(faults, Duration::ZERO).await;
    let release = hung(&rig.store);
    let (clock, mut views) = (rig.unit.clock.clone(), rig.views);
    let seen = tokio::spawn(async move { while views.recv().await.is_some() {} });
    rig.act.send(Action::Stop { reason: "smoke".into() }).await.expect("heard");
    let supervised = supervise(rig.unit, std::future::pending());
    let outcome = tokio::time::timeout(PATIENT, supervised).await.expect("it waits for no disk");
    assert_eq!(outcome.unsafe_because, None);
    assert_eq!(told(&rig.told).len(), 1, "the first was lost, the second arrived");
    assert!(!last(&rig.told).heats());

    drop(release);
    let Outcome { ending, recorder, .. } = outcome;
    closing::close(&rig.store, BATCH, &ending, recorder, &clock, "ann", None)
        .await
        .expect("closed");
    let record = rig.store.call(|store| store.load_batch(BATCH)).await.expect("kept");
    assert_eq!((record.header.phase, record.actions.len()), (PhaseName::Aborted, 1));
    seen.await.expect("ended");
}

/// What was in line for the disk when the batch ended, and was lost, leaves the batch open.
#[tokio::test]
async fn a_batch_whose_last_steps_were_lost_is_not_closed() {
    let mut rig = rig(Faults::default(), PATIENT).await;
    let (permit, store) = (rig.unit.recorder.permit(), rig.store.clone());
    let mut lost = Recorder::new(store, "B-none".into(), "ann".into(), permit, PATIENT);
    lost.remark(&rig.unit.clock, Tick::from_ms(1), "lost".into()).expect("in line");
    rig.views.close();
    let (ending, clock) = (Ending::Over(Box::new(rig.unit.engine)), rig.unit.clock);
    let closed = closing::close(&rig.store, BATCH, &ending, Some(lost), &clock, "ann", None).await;
    assert!(closed.expect_err("not closed").to_string().contains("B-none"));
    let open = rig.store.call(|store| store.open_batches()).await.expect("kept");
    assert_eq!(open.len(), 1, "a person decides");
}

/// A person presses Ctrl-C while the disk takes in the last step of a batch.
#[tokio::test]
async fn a_batch_that_was_over_when_its_program_was_told_to_stop_is_closed_as_ended() {
    let rig = rig(Faults::default(), PATIENT).await;
    let release = hung(&rig.store);
    let (clock, mut views) = (rig.unit.clock.clone(), rig.views);
    let seen = tokio::spawn(async move { while views.recv().await.is_some() {} });
    rig.act.send(Action::Stop { reason: "smoke".into() }).await.expect("heard");
    let heard = rig.told.clone();
    let ctrl_c = async move {
        // Heat off is the last that is told before the step goes to the disk.
        while told(&heard).is_empty() {
            tokio::task::yield_now().await;
        }
        CTRL_C
    };
    let Outcome { ending, recorder, .. } = supervise(rig.unit, ctrl_c).await;
    assert!(matches!(ending, Ending::Interrupted(CTRL_C)) && recorder.is_none(), "{ending:?}");
    drop(release);
    let closed = closing::close(&rig.store, BATCH, &ending, recorder, &clock, "ann", None);
    let (header, _) = closed.await.expect("closed");
    assert_eq!((header.closing, header.engine_accepts), (Some(Closing::Ended), Some(false)));
    let words = ending.closed_with(&header).words();
    assert!(words.ends_with("ended in phase aborted"), "{words}");
    let record = rig.store.call(|store| store.load_batch(BATCH)).await.expect("kept");
    assert_eq!((record.header.phase, record.header.closing), (header.phase, header.closing));
    seen.await.expect("ended");
}

/// What ends in the moment in which its program is told to stop has ended. Which of the two is looked at
/// first is left to chance, so it is tried often.
#[tokio::test]
async fn work_that_ended_when_it_was_told_to_stop_is_not_thrown_away() {
    let unit = rig(Faults::default(), PATIENT).await.unit;
    for _ in 0..64 {
        let is_done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let done = is_done.clone();
        let work = async move {
            done.store(true, std::sync::atomic::Ordering::Release);
            "ended"
        };
        let told = async move {
            while !is_done.load(std::sync::atomic::Ordering::Acquire) {
                tokio::task::yield_now().await;
            }
            CTRL_C
        };
        let (machine, last) = (unit.machine.clone(), unit.last_command.clone());
        let guarded = guard(machine, last, work, told, |_, last| last).await;
        assert!(matches!(guarded.ended, Guarded::Ended("ended")), "{guarded:?}");
    }
}

/// A defect of ours may keep a thread for itself; the machine is made safe by another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_does_not_hear_that_it_shall_end_keeps_no_heater_on() {
    let rig = rig(Faults::default(), PATIENT).await;
    let (machine, last) = (rig.unit.machine.clone(), rig.unit.last_command.clone());
    let (begun, is_begun) = tokio::sync::oneshot::channel();
    let (release, stuck) = blocking::channel::<()>();
    let work = async move {
        begun.send(()).expect("awaited");
        stuck.recv().ok();
    };
    let told = async {
        is_begun.await.expect("it begins");
        CTRL_C
    };
    let guarded = guard(machine, last, work, told, |_, last| last).await;
    assert!(matches!(guarded.ended, Guarded::Told(CTRL_C)), "{guarded:?}");
    assert_eq!(guarded.unsafe_because, None);
    assert!(!self::last(&rig.told).heats());
    drop(release);
}
