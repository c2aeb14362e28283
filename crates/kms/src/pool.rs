//! A bounded pool for work that takes a processor for long: RSA, key generation, post-quantum algorithms. A burst of it
//! waits here and never on a thread that answers symmetric calls.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::KmsError;

/// As many jobs at a time as there are processors.
pub(crate) struct Pool(Arc<Semaphore>);

impl Pool {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(processors)))
    }

    /// Runs `work` when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        let turn =
            Arc::clone(&self.0).acquire_owned().await.map_err(|_| KmsError::Bug("the pool was closed"))?;
        let job = tokio::task::spawn_blocking(move || {
            let result = work();
            // Held to here: whoever asked may have gone, the processor is busy all the same.
            drop(turn);
            result
        });
        job.await.map_err(|_| KmsError::Bug("a job of the pool panicked"))
    }
}
