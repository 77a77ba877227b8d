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
