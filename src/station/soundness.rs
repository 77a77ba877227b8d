//! Before heat: can this file be entrusted with a record? A file that is damaged, or is not what
//! was written, takes no more milk (docs/decisions/0022). And after it: has the disk kept it?

use std::path::Path;
use std::time::Duration;

use super::closing::{CloseFault, insist_on_fit, patiently};
use super::conduct::{ConductError, Conducted, tell};
use crate::invocation;
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
    let checked = store.call(move |store| {
        let fits = insist_on_fit(|| store.fit_to_run(open.as_deref()));
        Ok(fits.unwrap_or_else(|locked| Err(locked.into())).map_err(Box::new))
    });
    match unless_told((path, say), checked, told).await {
        Ok(fits) => Ok(fits?.map_or_else(Checked::Unfit, |()| Checked::Fits)),
        Err(by) => Ok(Checked::Told(by)),
    }
}

/// The same before a machine that is `safe` is heated: whether a new record can be entrusted to the file.
///
/// # Errors
/// The first thing that does not fit; the program was told to stop.
pub(super) async fn entrusted(
    (path, say): (&Path, fn(&str)),
    store: &StoreThread,
    told: &mut (impl Future<Output = &'static str> + Unpin),
    safe: String,
) -> Result<(), ConductError> {
    match check((path, say), store, None, told).await? {
        Checked::Fits => Ok(()),
        Checked::Told(by) => Err(ConductError::Told { by, safe }),
        Checked::Unfit(misfit) => {
            Err(ConductError::Unsound { path: path.to_owned(), safe, misfit })
        }
    }
}

/// Waits for the check of the file at `path`, or for who tells the program to stop: that is the error.
async fn unless_told<R>(
    (path, say): (&Path, fn(&str)),
    check: impl Future<Output = R>,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<R, &'static str> {
    let size_mb = std::fs::metadata(path).map_or(0, |file| file.len() / 1_000_000);
    let file = path.display();
    let text = |so_far_s| {
        format!("heat is off; {file} ({size_mb} MB) is being checked: {so_far_s} s so far")
    };
    tokio::select! {
        done = telling(say, text, check) => Ok(done),
        by = told => Err(by),
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
/// (<https://sqlite.org/howtocorrupt.html>, 2.2).
///
/// A batch that could not be looked at, because the file is in use, the disk is too slow, or the program
/// was told to stop, is as good as it was: a person hears it by `say`.
///
/// # Errors
/// It is not what was written, or the disk fails for good.
pub(super) async fn kept(
    (path, say): (&Path, fn(&str)),
    is_file_closed: bool,
    done: Conducted,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<Conducted, ConductError> {
    if !is_file_closed {
        tell(say, not_read_back(&done.batch, "the disk has not closed the file yet")).await;
        return Ok(done);
    }
    let (file, batch) = (path.to_owned(), done.batch.clone());
    // Opened to write, though nothing is: only then no log is left beside the file.
    let read = move || insist_on_fit(|| Store::open(&file)?.batch_fits(&batch));
    let reading = tokio::task::spawn_blocking(read);
    let fits = async { reading.await.map_err(|_| StoreError::ThreadGone)? };
    let what = format!("batch {}: its record is being read back", done.batch);
    let read = tokio::select! {
        read = patiently((path, say), &what, fits) => read,
        by = told => Err(CloseFault::Told(by)),
    };
    after_reading(read, say, done).await
}

async fn after_reading(
    read: Result<Result<(), Misfit>, CloseFault>,
    say: fn(&str),
    done: Conducted,
) -> Result<Conducted, ConductError> {
    let misfit = match read {
        Ok(Ok(())) => return Ok(done),
        Ok(Err(misfit)) => misfit,
        // Who has it for themselves, or ends the program, says nothing of the disk.
        Err(
            why @ (CloseFault::Store(StoreError::Locked)
            | CloseFault::Stalled(_)
            | CloseFault::Told(_)),
        ) => {
            tell(say, not_read_back(&done.batch, &why.to_string())).await;
            return Ok(done);
        }
        Err(CloseFault::Store(why)) => why.into(),
    };
    Err(ConductError::NotKept {
        batch: done.batch,
        outcome: done.verdict.outcome,
        unsafe_because: done.unsafe_because,
        misfit: Box::new(misfit),
    })
}

/// What a person must know of a batch that was closed, and not looked at afterwards.
fn not_read_back(batch: &str, why: &str) -> String {
    format!(
        "batch {batch} was closed, but its record was not read back from the disk: {why}. Before \
         anything is decided about it: {}",
        invocation::command(format_args!("batch verify {batch}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::station::closing::close_judged;
    use crate::station::fixture;
    use crate::station::supervisor::Ending;
    use crate::store::Stamp;
    use crate::store::model::Closing;

    #[tokio::test]
    async fn a_whole_file_fits_and_one_with_another_word_in_its_journal_does_not() {
        let (_dir, path, store) = fixture::station();
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

    /// A batch of water as it was closed, with its file.
    fn closed_batch() -> (tempfile::TempDir, std::path::PathBuf, Conducted) {
        let (dir, path, mut store) = fixture::station();
        let batch = store.begin_batch(&fixture::water()).expect("begun");
        let stamp = Stamp { utc_ms: 0, who: "ann" };
        let closing = close_judged(&mut store, &batch, Closing::Interrupted, None, stamp);
        let (ending, verdict) = (Ending::Interrupted("SIGINT"), closing.expect("closed").1);
        (dir, path, Conducted { batch, ending, verdict, unsafe_because: None })
    }

    static SAID: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

    fn said() -> String {
        SAID.lock().expect("said").drain(..).collect()
    }

    #[tokio::test]
    async fn a_closed_batch_that_nobody_could_look_at_stays_closed_and_a_person_is_told() {
        let say: fn(&str) = |text| SAID.lock().expect("said").push(text.to_owned());
        let (_dir, path, done) = closed_batch();
        let mut nobody = Box::pin(std::future::pending());
        let done = kept((&path, say), true, done, &mut nobody).await;
        let done = done.expect("it is as it was written");
        assert_eq!(said(), "");

        let done = kept((&path, say), false, done, &mut nobody).await;
        let done = done.expect("nothing is known against it");
        let text = said();
        assert!(text.contains("not read back") && text.contains(&done.batch), "{text}");

        // Another program has the file for itself, however long it is asked.
        let done = after_reading(Err(StoreError::Locked.into()), say, done).await;
        let done = done.expect("nothing is known against it");
        let text = said();
        assert!(text.contains("not read back") && text.contains("in use"), "{text}");

        // A disk that fails for good has not kept it, but nobody calls it altered.
        let failed = StoreError::Disk("disk I/O error".to_owned());
        let (batch, verdict) = (done.batch.clone(), done.verdict.clone());
        let ending = Ending::Interrupted("SIGINT");
        let same = Conducted { batch, ending, verdict, unsafe_because: None };
        let why = after_reading(Err(failed.into()), say, same).await.expect_err("not read");
        let text = why.to_string();
        for word in ["disk I/O error", "nothing against it", "batch verify"] {
            assert!(text.contains(word), "no {word} in {text}");
        }
        assert!(!text.contains("as it was written") && !why.is_damage(), "{text}");

        // A person has enough of waiting for it, and hears the verdict.
        let holds = rusqlite::Connection::open(&path).expect("opens");
        holds.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").expect("held");
        let mut told = Box::pin(std::future::ready("Ctrl-C"));
        let done = kept((&path, say), true, done, &mut told).await;
        let done = done.expect("nothing is known against it");
        let text = said();
        assert!(text.contains("not read back") && text.contains("stopped by Ctrl-C"), "{text}");
        drop(holds);

        let other = rusqlite::Connection::open(&path).expect("opens");
        let sql = "DROP TRIGGER journal_no_update; UPDATE journal SET who = 'eve' WHERE seq = 2";
        other.execute_batch(sql).expect("changed");
        let why = kept((&path, say), true, done, &mut nobody).await.expect_err("it was changed");
        assert!(matches!(why, ConductError::NotKept { .. }), "{why}");
    }

    #[tokio::test]
    async fn whoever_is_told_to_stop_does_not_wait_for_the_end_of_the_check() {
        let (_dir, path, store) = fixture::station();
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
