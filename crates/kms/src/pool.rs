//! A bounded pool for work that takes a processor for long: RSA, key generation, post-quantum algorithms. A burst of it
//! waits here and never on a thread that answers symmetric calls. Key pairs are made in places of their own, and on
//! threads that give way to all others if there are such: one of RSA can take a second, and nobody else waits for it.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::KmsError;

/// As many jobs at a time as there are processors, and half as many key pairs beside them. Clones are the same pool.
#[derive(Clone)]
pub(crate) struct Pool {
    places: Arc<Semaphore>,
    places_for_generation: Arc<Semaphore>,
    /// Whose threads make key pairs; until it is told, those of whoever asks.
    generation: Arc<OnceLock<Handle>>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self::with_places(std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    fn with_places(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            places_for_generation: Arc::new(Semaphore::new(places.div_ceil(2))),
            generation: Arc::default(),
        }
    }

    /// Has key pairs made on the blocking threads of this runtime from now on. Only the first call counts.
    pub(crate) fn generate_on(&self, runtime: Handle) {
        let _ = self.generation.set(runtime);
    }

    /// Runs `work` when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        run_in(&self.places, &Handle::current(), work).await
    }

    /// Makes a key pair by `work` when it is its turn.
    pub(crate) async fn generate<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        let runtime = self.generation.get().cloned().unwrap_or_else(Handle::current);
        run_in(&self.places_for_generation, &runtime, work).await
    }
}

async fn run_in<T: Send + 'static>(
    places: &Arc<Semaphore>,
    runtime: &Handle,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, KmsError> {
    let turn = Arc::clone(places).acquire_owned().await.map_err(|_| KmsError::Bug("the pool was closed"))?;
    let job = runtime.spawn_blocking(move || {
        let result = work();
        // Held to here: whoever asked may have gone, the processor is busy all the same.
        drop(turn);
        result
    });
    job.await.map_err(|_| KmsError::Bug("a job of the pool panicked"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Duration;

    use super::*;

    /// Far longer than the test takes; a job that waits this long waits for something that never comes.
    const NEVER: Duration = Duration::from_secs(20);

    /// Says that it has begun, then works until it is let go; tells whether it was.
    fn job(begun: Sender<()>, leave: Receiver<()>) -> impl FnOnce() -> bool + Send + 'static {
        move || {
            begun.send(()).unwrap();
            leave.recv_timeout(NEVER).is_ok()
        }
    }

    /// There is one thread for everything but the pool: a job on it would wait for itself.
    #[tokio::test]
    async fn a_job_that_takes_long_keeps_nobody_else_waiting() {
        let pool = Pool::with_places(1);
        let (begun, _beginning) = mpsc::channel();
        let (go, leave) = mpsc::channel();
        let others = async {
            tokio::task::yield_now().await;
            go.send(()).unwrap();
        };
        let (let_go, ()) = tokio::join!(pool.run(job(begun, leave)), others);
        assert!(let_go.unwrap());
    }

    #[tokio::test]
    async fn no_more_jobs_run_at_a_time_than_there_are_places() {
        let pool = Pool::with_places(2);
        let (begun, beginning) = mpsc::channel();
        let (running, leave): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel::<()>()).unzip();
        let start = |leave| Box::pin(pool.run(job(begun.clone(), leave)));
        let mut jobs: Vec<_> = leave.into_iter().map(start).collect();
        for job in &mut jobs {
            assert!(poll_once(job.as_mut()).is_none(), "the job waits to be let go");
            beginning.recv_timeout(NEVER).unwrap();
        }
        assert_eq!(pool.places.available_permits(), 0, "a place is taken for as long as its job runs");
        let mut third = Box::pin(pool.run(|| true));
        assert!(poll_once(third.as_mut()).is_none());
        running.iter().for_each(|go| go.send(()).unwrap());
        for job in jobs {
            assert!(job.await.unwrap());
        }
        assert!(third.await.unwrap());
        assert_eq!(pool.places.available_permits(), 2);
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_the_place_taken_until_the_work_is_done() {
        let pool = Pool::with_places(1);
        let (begun, beginning) = mpsc::channel();
        let (go, leave) = mpsc::channel();
        let mut abandoned = Box::pin(pool.run(job(begun, leave)));
        assert!(poll_once(abandoned.as_mut()).is_none());
        drop(abandoned);
        beginning.recv_timeout(NEVER).unwrap();
        assert_eq!(pool.places.available_permits(), 0);
        go.send(()).unwrap();
        assert!(pool.run(|| true).await.unwrap());
    }

    #[tokio::test]
    async fn a_job_that_panics_is_an_error_and_gives_its_place_back() {
        let pool = Pool::with_places(1);
        let broken = pool.run(|| panic!("on purpose")).await;
        assert!(matches!(broken, Err(KmsError::Bug(_))));
        assert!(pool.run(|| true).await.unwrap());
    }

    #[tokio::test]
    async fn key_pairs_in_the_making_keep_no_other_job_waiting() {
        let pool = Pool::with_places(1);
        let (begun, beginning) = mpsc::channel();
        let (go, leave) = mpsc::channel();
        let mut pair = Box::pin(pool.generate(job(begun, leave)));
        assert!(poll_once(pair.as_mut()).is_none());
        beginning.recv_timeout(NEVER).unwrap();
        let mut second = Box::pin(pool.generate(|| true));
        assert!(poll_once(second.as_mut()).is_none(), "one place for key pairs");
        assert!(pool.run(|| true).await.unwrap());
        go.send(()).unwrap();
        assert!(pair.await.unwrap() && second.await.unwrap());
    }

    #[tokio::test]
    async fn key_pairs_are_made_on_the_threads_that_were_named() {
        let threads = tokio::runtime::Builder::new_multi_thread().thread_name("patient").build().unwrap();
        let pool = Pool::with_places(1);
        pool.generate_on(threads.handle().clone());
        let name = || std::thread::current().name().map(str::to_owned);
        assert_eq!(pool.generate(name).await.unwrap().as_deref(), Some("patient"));
        assert_ne!(pool.run(name).await.unwrap().as_deref(), Some("patient"));
        threads.shutdown_background();
    }

    /// Polls once.
    fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}
