//! The batch is over: first the machine, then the disk.

use super::*;
use crate::station::closing;

/// A hub that takes the line and the disk at once: the heat-off of the stop is lost, and the disk
/// acknowledges nothing. The machine is told again before anybody waits for the disk.
#[tokio::test]
async fn a_heat_off_that_was_lost_is_told_again_while_the_disk_hangs() {
    let faults = Faults { writes_lost: 1, bath_unknown: true, ..Faults::default() };
    let rig = rig(faults, Duration::ZERO).await;
    let (release, stalled) = blocking::channel::<()>();
    let stall = rig.store.submit(move |_| {
        // Ends when the test lets go of it.
        let _ = stalled.recv();
        Ok(())
    });
    stall.expect("queued");
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
