//! Opens the station's file on a thread of its own: a disk that hangs must neither leave a heater on
//! nor keep the program from hearing who ends it.

use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;

use super::commission;
use super::conduct::{ConductError, Request, tell};
use super::config::Unit;
use super::resume;
use super::soundness::telling;
use crate::store::model::BatchHeader;
use crate::store::{Store, StoreError};

/// A file that takes longer to open (real time) is not waited for: first the machine is made safe.
pub(super) const OPENED_WITHIN: Duration = Duration::from_secs(2);

/// The station's file, opened: if that takes too long, only once the machine was made safe.
///
/// # Errors
/// The program was told to stop meanwhile.
pub(super) async fn for_a_run(
    request: &Request<'_>,
    unit: &Unit<'_>,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<Result<Opened, StoreError>, ConductError> {
    let file = request.file();
    let mut opening = Opening::of(&file, unit);
    if let Some(opened) = opening.within(OPENED_WITHIN).await {
        return Ok(opened);
    }
    let safe = resume::safety_now(request, unit, false).await;
    opening.unless_told((&file, request.tell), safe, told).await
}

/// The station's file, and what it says of a unit.
pub(super) struct Opened {
    pub(super) store: Store,
    /// The batch of the unit that an interrupted program left open. The caller holds the unit's lock,
    /// so that it cannot be running.
    pub(super) left: Option<BatchHeader>,
    /// Of real hardware: whether it was commissioned, in words.
    pub(super) known: Option<String>,
}

/// What a thread of its own fetches from the disk.
pub(super) struct Opening<T>(oneshot::Receiver<Result<T, StoreError>>);

impl Opening<Opened> {
    /// Begins to open the station's file at `path`, for a run or a commissioning of the unit.
    pub(super) fn of(path: &Path, unit: &Unit<'_>) -> Self {
        let (path, name) = (path.to_owned(), unit.name.to_owned());
        let is_hardware = !unit.written.simulated;
        // A profile that cannot be read is told by who reads it for the machine.
        let made_of = is_hardware.then(|| unit.make_sha256().ok()).flatten();
        Self::begin(move || {
            let store = Store::open(&path)?;
            let left = store.open_batches()?.into_iter().find(|left| left.unit == name);
            let known = made_of.map(|made_of| known(&store, &name, &made_of));
            Ok(Opened { store, left, known })
        })
    }
}

/// What a person should know of real hardware. The run goes on where it cannot be read, and looks at
/// the whole file before it heats.
fn known(store: &Store, unit: &str, made_of: &str) -> String {
    match commission::known_of(store, unit, made_of) {
        Ok(known) => format!("unit {unit}: {known}"),
        Err(why) => format!("unit {unit}: it cannot be read whether it was commissioned: {why}"),
    }
}

impl<T: Send + 'static> Opening<T> {
    fn begin(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Self {
        let (done, opened) = oneshot::channel();
        let begun = std::thread::Builder::new().name("opening".into()).spawn(move || {
            // Whoever was told to stop does not wait for it any more.
            let _ = done.send(work());
        });
        // Without a thread the answer is that it is gone.
        drop(begun);
        Self(opened)
    }

    /// What the disk gave, if it did so within this time (real time).
    pub(super) async fn within(&mut self, within: Duration) -> Option<Result<T, StoreError>> {
        let opened = tokio::time::timeout(within, &mut self.0).await.ok()?;
        Some(opened.unwrap_or(Err(StoreError::ThreadGone)))
    }

    /// Waits for a disk that hangs, once the machine was made safe, and says so by `say`. `safe` is
    /// what is known of the machine.
    ///
    /// # Errors
    /// The program was told to stop.
    pub(super) async fn unless_told(
        self,
        (path, say): (&Path, fn(&str)),
        safe: String,
        told: &mut (impl Future<Output = &'static str> + Unpin),
    ) -> Result<Result<T, StoreError>, ConductError> {
        let file = path.display();
        let hangs = || format!("{safe}. The disk has not opened {file} yet");
        let waiting = async {
            tell(say, format!("{}. Ctrl-C ends the waiting.", hangs())).await;
            telling(say, |so_far_s| format!("{}: {so_far_s} s more", hangs()), self.0).await
        };
        tokio::select! {
            opened = waiting => Ok(opened.unwrap_or(Err(StoreError::ThreadGone))),
            by = told => Err(ConductError::Told { by, safe: safe.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_a_disk_that_hangs_before_the_machine_is_safe_or_after_being_told() {
        let (disk, gate) = std::sync::mpsc::channel::<()>();
        let work = move || {
            gate.recv().ok();
            Ok("opened")
        };
        let mut hanging = Opening::begin(work);
        assert!(hanging.within(Duration::ZERO).await.is_none());
        let file = (Path::new("holder.db"), (|_| ()) as fn(&str));
        let mut told = Box::pin(std::future::ready("SIGTERM"));
        let safe = "Heat was commanded off".to_owned();
        let ended = hanging.unless_told(file, safe, &mut told).await.expect_err("told to stop");
        let said = ended.to_string();
        assert!(said.contains("SIGTERM") && said.contains("Heat was commanded off"), "{said}");
        drop(disk);
    }

    #[tokio::test]
    async fn a_disk_that_answers_in_the_end_has_opened_the_file() {
        let (disk, gate) = std::sync::mpsc::channel::<()>();
        let work = move || {
            gate.recv().ok();
            Ok("opened")
        };
        let mut slow = Opening::begin(work);
        assert!(slow.within(Duration::ZERO).await.is_none());
        drop(disk);
        let file = (Path::new("holder.db"), (|_| ()) as fn(&str));
        let mut nobody = Box::pin(std::future::pending());
        let opened = slow.unless_told(file, "Heat is off".to_owned(), &mut nobody).await;
        assert_eq!(opened.expect("nobody told").expect("opened"), "opened");
    }
}
