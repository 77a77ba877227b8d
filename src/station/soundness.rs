//! Before heat: can this file be entrusted with a record? A file that is damaged, or is not what
//! was written, takes no more milk (docs/decisions/0022). And after it: has the disk kept it?

use std::path::Path;
use std::time::Duration;

use super::conduct::{ConductError, Conducted, tell};
use crate::store::{Misfit, Store, StoreError, StoreThread};

/// So often (real time) a person is told that the check still goes on.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// How a check ended.
pub(super) enum Checked {
    /// Nothing was found.
    Fits,
    /// The first thing that does not fit.
    Unfit(Box<Misfit>),
    /// The program was told to stop before the end, by this.
    Told(&'static str),
}

/// Checks the station's file at `path`, and all that is stored of the batch `open`. The machine has
/// been made safe by then: on the file of a year this takes half a minute, and `say` tells of it.
///
/// # Errors
/// The store's thread is gone.
pub(super) async fn check(
    (path, say): (&Path, fn(&str)),
    store: &StoreThread,
    open: Option<&str>,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<Checked, StoreError> {
    let open = open.map(str::to_owned);
    let checked = store.call(move |store| Ok(store.fit_to_run(open.as_deref()).map_err(Box::new)));
    let size_mb = std::fs::metadata(path).map_or(0, |file| file.len() / 1_000_000);
    let file = path.display();
    let text = |so_far_s| {
        format!("heat is off; {file} ({size_mb} MB) is being checked: {so_far_s} s so far")
    };
    tokio::select! {
        fits = telling(say, text, checked) => {
            Ok(fits?.map_or_else(Checked::Unfit, |()| Checked::Fits))
        }
        by = &mut *told => Ok(Checked::Told(by)),
    }
}

/// Waits for `work`, and tells a person every few seconds that it still goes on. `text` makes the
/// sentence of the seconds (real time) that have passed.
pub(super) async fn telling<R>(
    say: fn(&str),
    text: impl Fn(u64) -> String,
    work: impl Future<Output = R>,
) -> R {
    let mut work = std::pin::pin!(work);
    let mut so_far_s = 0;
    loop {
        if let Ok(done) = tokio::time::timeout(SAID_EVERY, &mut work).await {
            return done;
        }
        so_far_s += SAID_EVERY.as_secs();
        tell(say, text(so_far_s)).await;
    }
}

/// Reads the closed batch once more, from the disk: the program that wrote it has most of it still
/// in its memory, and would not notice that the file was cut off under it. The store must be closed
/// by then, since a second handle that is closed would take its locks away
/// (https://sqlite.org/howtocorrupt.html, 2.2).
///
/// # Errors
/// It is not what was written, or cannot be read.
pub(super) async fn kept(path: &Path, done: Conducted) -> Result<Conducted, ConductError> {
    let (path, batch) = (path.to_owned(), done.batch.clone());
    // Opened to write, though nothing is: only then no log is left beside the file.
    let read = move || Store::open(&path)?.batch_fits(&batch);
    let fits = tokio::task::spawn_blocking(read).await;
    match fits.map_err(|_| StoreError::ThreadGone)? {
        Ok(()) => Ok(done),
        Err(misfit) => Err(ConductError::NotKept {
            batch: done.batch,
            outcome: done.verdict.outcome,
            unsafe_because: done.unsafe_because,
            misfit: Box::new(misfit),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Station;

    /// A new station's file, and its store on a thread of its own.
    fn station() -> (tempfile::TempDir, std::path::PathBuf, Store) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("holder.db");
        let (name, time_zone) = ("bank".into(), "UTC".into());
        let station = Station { name, time_zone, training: true, created_utc_ms: 0 };
        let store = Store::create(&path, &station, "ann").expect("made");
        (dir, path, store)
    }

    #[tokio::test]
    async fn a_whole_file_fits_and_one_with_another_word_in_its_journal_does_not() {
        let (_dir, path, store) = station();
        let mut nobody = Box::pin(std::future::pending());
        let (handle, thread) = StoreThread::spawn(store, 8).expect("spawned");
        let fits = check((&path, |_| ()), &handle, None, &mut nobody).await.expect("checked");
        assert!(matches!(fits, Checked::Fits));
        let other = rusqlite::Connection::open(&path).expect("opens");
        let sql = "DROP TRIGGER journal_no_update; UPDATE journal SET who = 'eve' WHERE seq = 1";
        other.execute_batch(sql).expect("changed");
        let found = check((&path, |_| ()), &handle, None, &mut nobody).await.expect("checked");
        let Checked::Unfit(misfit) = found else { panic!("nothing was found") };
        assert!(misfit.to_string().starts_with("entry 1 of the journal"), "{misfit}");
        drop(handle);
        thread.join().expect("ended");
    }

    #[tokio::test]
    async fn whoever_is_told_to_stop_does_not_wait_for_the_end_of_the_check() {
        let (_dir, path, store) = station();
        let (handle, _thread) = StoreThread::spawn(store, 8).expect("spawned");
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let stuck = handle.submit(move |_| {
            gate.recv().ok();
            Ok(())
        });
        let mut told = Box::pin(std::future::ready("SIGTERM"));
        let ended = check((&path, |_| ()), &handle, None, &mut told).await.expect("ended");
        assert!(matches!(ended, Checked::Told("SIGTERM")));
        go.send(()).expect("goes on");
        stuck.expect("sent").await.expect("answered").expect("done");
    }
}
