//! A bounded pool for work that takes a processor for long: RSA, key generation, post-quantum signatures. A burst of it
//! waits here and never on a thread that answers symmetric calls; who would wait too long is refused at once. Brief work
//! does not go here: handing it over is not worth it. Key pairs are made in places of their own, and on threads
//! that give way to all others if there are such: one of RSA can take a second, and nobody else waits for it.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use crypto::KeyPairSpec;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::KmsError;

/// Jobs that can wait for each place; the slowest take some milliseconds.
const JOBS_WAITING_EACH: usize = 256;

/// Key pairs that can wait for each place. Of the slowest, RSA-4096, so many take some twelve seconds: less than a
/// request has.
const PAIRS_WAITING_EACH: usize = 16;

/// How long the use of a private or public key takes a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Less than a tenth of a millisecond: so little that a thread of its own is not worth its waking.
    Brief,
    /// Longer.
    Long,
}

impl Effort {
    /// What keys of a spec take, whatever is done with them but making them.
    pub(crate) fn of(spec: KeyPairSpec) -> Self {
        use KeyPairSpec as Spec;
        match spec {
            Spec::EccNistP256
            | Spec::EccNistEdwards25519
            | Spec::EccSecgP256k1
            | Spec::MlKem512
            | Spec::MlKem768
            | Spec::MlKem1024 => Self::Brief,
            Spec::Rsa2048
            | Spec::Rsa3072
            | Spec::Rsa4096
            | Spec::EccNistP384
            | Spec::EccNistP521
            | Spec::MlDsa44
            | Spec::MlDsa65
            | Spec::MlDsa87 => Self::Long,
        }
    }
}

/// As many jobs at a time as there are processors, and half as many key pairs beside them. Clones are the same pool.
#[derive(Clone)]
pub(crate) struct Pool {
    jobs: Arc<Places>,
    pairs: Arc<Places>,
    /// Whose threads make key pairs; until it is told, those of whoever asks.
    generation: Arc<OnceLock<Handle>>,
}

/// Where jobs run, and where they wait for that.
struct Places {
    free: Arc<Semaphore>,
    /// For those who run and those who wait.
    taken: Semaphore,
}

impl Places {
    fn new(places: usize, waiting_each: usize) -> Self {
        let taken = places.saturating_mul(waiting_each.saturating_add(1)).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(places)), taken: Semaphore::new(taken) }
    }

    /// Runs `work` on a blocking thread of the runtime when it is its turn.
    async fn run<T: Send + 'static>(
        &self,
        runtime: &Handle,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        let _queued = self.taken.try_acquire().map_err(|_| KmsError::Throttled)?;
        let turn = Arc::clone(&self.free).acquire_owned().await;
        let turn = turn.map_err(|_| KmsError::Bug("the pool was closed"))?;
        let job = runtime.spawn_blocking(move || {
            let result = work();
            // Held to here: whoever asked may have gone, the processor is busy all the same.
            drop(turn);
            result
        });
        job.await.map_err(|_| KmsError::Bug("a job of the pool panicked"))
    }
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self::with_places(std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    fn with_places(places: usize) -> Self {
        Self {
            jobs: Arc::new(Places::new(places, JOBS_WAITING_EACH)),
            pairs: Arc::new(Places::new(places.div_ceil(2), PAIRS_WAITING_EACH)),
            generation: Arc::default(),
        }
    }

    /// Has key pairs made on the blocking threads of this runtime from now on. Only the first call counts.
    pub(crate) fn generate_on(&self, runtime: Handle) {
        let _ = self.generation.set(runtime);
    }

    /// Runs `work` when it is its turn.
    ///
    /// # Errors
    /// Too many wait already ([`KmsError::Throttled`]).
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        self.jobs.run(&Handle::current(), work).await
    }

    /// Runs `work` of this effort: at once if it is brief, otherwise when it is its turn.
    ///
    /// # Errors
    /// Too many wait already ([`KmsError::Throttled`]).
    pub(crate) async fn run_by<T: Send + 'static>(
        &self,
        effort: Effort,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        match effort {
            Effort::Brief => Ok(work()),
            Effort::Long => self.run(work).await,
        }
    }

    /// Makes a key pair by `work` when it is its turn.
    ///
    /// # Errors
    /// Too many wait already ([`KmsError::Throttled`]).
    pub(crate) async fn generate<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        let runtime = self.generation.get().cloned().unwrap_or_else(Handle::current);
        self.pairs.run(&runtime, work).await
    }
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
        assert_eq!(pool.jobs.free.available_permits(), 0, "a place is taken for as long as its job runs");
        let mut third = Box::pin(pool.run(|| true));
        assert!(poll_once(third.as_mut()).is_none());
        running.iter().for_each(|go| go.send(()).unwrap());
        for job in jobs {
            assert!(job.await.unwrap());
        }
        assert!(third.await.unwrap());
        assert_eq!(pool.jobs.free.available_permits(), 2);
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
        assert_eq!(pool.jobs.free.available_permits(), 0);
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
    async fn brief_work_needs_no_place_and_long_work_does() {
        let pool = Pool::with_places(1);
        let (begun, beginning) = mpsc::channel();
        let (go, leave) = mpsc::channel();
        let mut running = Box::pin(pool.run(job(begun, leave)));
        assert!(poll_once(running.as_mut()).is_none());
        beginning.recv_timeout(NEVER).unwrap();
        let asking = std::thread::current().id();
        let thread = || std::thread::current().id();
        let brief = pool.run_by(Effort::of(KeyPairSpec::EccNistP256), thread);
        assert_eq!(poll_once(Box::pin(brief).as_mut()).unwrap().unwrap(), asking);
        let mut long = Box::pin(pool.run_by(Effort::of(KeyPairSpec::Rsa2048), thread));
        assert!(poll_once(long.as_mut()).is_none());
        go.send(()).unwrap();
        assert!(running.await.unwrap());
        assert_ne!(long.await.unwrap(), asking);
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

    #[tokio::test]
    async fn who_would_wait_too_long_is_refused_and_room_comes_back() {
        let pool = Pool::with_places(1);
        let (begun, beginning) = mpsc::channel();
        let (go, leave) = mpsc::channel();
        let mut running = Box::pin(pool.generate(job(begun, leave)));
        assert!(poll_once(running.as_mut()).is_none());
        beginning.recv_timeout(NEVER).unwrap();
        let mut waiting: Vec<_> = (0..PAIRS_WAITING_EACH).map(|_| Box::pin(pool.generate(|| true))).collect();
        for pair in &mut waiting {
            assert!(poll_once(pair.as_mut()).is_none());
        }
        assert!(matches!(pool.generate(|| true).await, Err(KmsError::Throttled)));
        assert!(pool.run(|| true).await.unwrap(), "other jobs have places of their own");
        // Somebody who waited goes away.
        waiting.pop();
        let mut late = Box::pin(pool.generate(|| true));
        assert!(poll_once(late.as_mut()).is_none());
        go.send(()).unwrap();
        assert!(running.await.unwrap());
        for pair in waiting {
            assert!(pair.await.unwrap());
        }
        assert!(late.await.unwrap());
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
