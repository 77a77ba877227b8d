//! The store on its own thread: the disk never makes a unit's loop wait without its knowing.
//!
//! Jobs run in the order in which they were sent. The queue is bounded: a loop that cannot put
//! its step in it learns so at once ([`StoreError::QueueFull`]) and holds no heat permit.

use tokio::sync::{mpsc, oneshot};

use super::Store;
use super::error::StoreError;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// A handle to the thread that owns the store; clones share it. The thread ends, and the file
/// is closed, when the last handle is dropped and the queue is empty.
#[derive(Clone)]
pub struct StoreThread {
    jobs: mpsc::Sender<Job>,
}

impl StoreThread {
    /// Gives the store its thread; at most `queue` jobs wait (at least 1). The join handle
    /// returns when the file is closed.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn spawn(
        mut store: Store,
        queue: usize,
    ) -> Result<(Self, std::thread::JoinHandle<()>), StoreError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(queue.max(1));
        let run = move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut store);
            }
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(run)?;
        Ok((Self { jobs }, thread))
    }

    /// Runs `job` on the thread and waits for its answer.
    ///
    /// # Errors
    /// The job's own error, or [`StoreError::ThreadGone`].
    pub async fn call<R, F>(&self, job: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&mut Store) -> Result<R, StoreError> + Send + 'static,
    {
        let (job, answer) = packed(job);
        self.jobs.send(job).await.map_err(|_| StoreError::ThreadGone)?;
        answer.await.map_err(|_| StoreError::ThreadGone)?
    }

    /// Puts `job` in the queue without waiting; the receiver gets its answer (an error of the
    /// receiver itself means that the thread is gone).
    ///
    /// # Errors
    /// [`StoreError::QueueFull`] or [`StoreError::ThreadGone`]; the job will not run then.
    pub fn submit<R, F>(
        &self,
        job: F,
    ) -> Result<oneshot::Receiver<Result<R, StoreError>>, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&mut Store) -> Result<R, StoreError> + Send + 'static,
    {
        let (job, answer) = packed(job);
        match self.jobs.try_send(job) {
            Ok(()) => Ok(answer),
            Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::QueueFull),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::ThreadGone),
        }
    }
}

fn packed<R, F>(job: F) -> (Job, oneshot::Receiver<Result<R, StoreError>>)
where
    R: Send + 'static,
    F: FnOnce(&mut Store) -> Result<R, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job = Box::new(move |store: &mut Store| {
        // Nobody may wait for the answer any more; the work is done all the same.
        reply.send(job(store)).ok();
    });
    (job, answer)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ANN, new};
    use super::*;
    use crate::store::Body;

    #[tokio::test]
    async fn jobs_run_in_order_and_the_file_is_closed_at_the_end() {
        let (_dir, path, store) = new();
        let (handle, thread) = StoreThread::spawn(store, 8).expect("spawned");
        let mut answers = Vec::new();
        for number in 0..4 {
            let body = Body::new(number.to_string());
            let job = move |store: &mut Store| store.append(ANN, "note", "x", None, &body);
            answers.push(handle.submit(job).expect("room"));
        }
        for (seq, answer) in (2..).zip(answers) {
            assert_eq!(answer.await.expect("answered").expect("kept").seq, seq);
        }
        let other = handle.clone();
        drop(handle);
        assert_eq!(other.call(|store| store.head()).await.expect("read").seq, 5);
        drop(other);
        thread.join().expect("ended");
        let wal = path.with_file_name("holder.db-wal");
        assert!(!wal.exists(), "a closed file has no log beside it");
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once_and_a_dead_thread_too() {
        let (_dir, _path, store) = new();
        let (handle, thread) = StoreThread::spawn(store, 1).expect("spawned");
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let (begun, started) = oneshot::channel();
        let stuck = handle.submit(move |_| {
            begun.send(()).ok();
            gate.recv().ok();
            Ok(())
        });
        started.await.expect("the thread is in the job");
        let waiting = handle.submit(|store| store.head()).expect("one may wait");
        assert!(matches!(handle.submit(|_| Ok(())), Err(StoreError::QueueFull)));
        go.send(()).expect("goes on");
        stuck.expect("sent").await.expect("answered").expect("done");
        waiting.await.expect("answered").expect("read");

        let panics = handle.call(|_| -> Result<(), StoreError> { panic!("a defect") }).await;
        assert!(matches!(panics, Err(StoreError::ThreadGone)), "{panics:?}");
        assert!(thread.join().is_err());
        assert!(matches!(handle.submit(|_| Ok(())), Err(StoreError::ThreadGone)));
    }
}
