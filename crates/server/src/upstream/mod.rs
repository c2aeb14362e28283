//! Blobs upstream: in a bucket of any store that speaks the S3 protocol. It sees sealed chunks under random names, and
//! of the names, sizes and digests of objects nothing.
//!
//! A blob lies at `<prefix>/<id>/<two digits>/<name>`. The id is that of our data folder, so that several can share a
//! bucket and none takes the blobs of another for its own.

mod left_uploads;
mod reader;
mod writer;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, RetryConfig,
};
use objects::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, FolderError};

use crate::bucket_client::{self, BucketError};
use crate::causes::with_causes;
use crate::config::UpstreamChoice;
use crate::metrics::Metrics;
use left_uploads::LeftUploads;

const SETTINGS: &str = "objects.upstream";
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long an answer, or the next bytes of one, may be awaited. Within it a part must have been sent.
const READ_MAX: Duration = Duration::from_secs(60);
/// Within this time a request that failed is tried again.
const ATTEMPTS_MAX: Duration = Duration::from_secs(60);
const RETRIES_MAX: usize = 3;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);

/// What keeps blobs upstream.
#[derive(Clone)]
pub(crate) struct Upstream(Arc<Inner>);

/// A client that can send objects in parts.
trait Client: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Client for T {}

struct Inner {
    client: Box<dyn Client>,
    /// What the names of all our blobs begin with.
    prefix: String,
    left: LeftUploads,
    works: AtomicBool,
    metrics: Option<Arc<Metrics>>,
}

/// The upstream cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl Upstream {
    /// Connects to nothing yet. `id` tells our blobs from others; `uploads` is a folder for notes of our own.
    ///
    /// # Errors
    /// A file that is named, or the folder, cannot be used; or the settings do not fit together.
    pub(crate) fn open(
        choice: &UpstreamChoice,
        id: &str,
        uploads: PathBuf,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Self, UpstreamError> {
        // There is no bound to a whole request, for whoever reads an object may take long.
        let options = ClientOptions::new()
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT_MAX)
            .with_read_timeout(READ_MAX);
        let bucket = &choice.bucket;
        let client = bucket_client::builder(SETTINGS, bucket, &choice.place, options)?
            .with_retry(RetryConfig {
                backoff: BackoffConfig { max_backoff: RETRY_AFTER_MAX, ..BackoffConfig::default() },
                max_retries: RETRIES_MAX,
                retry_timeout: ATTEMPTS_MAX,
            })
            .with_disable_bulk_delete(true)
            .build()
            .map_err(|error| bucket_client::unusable(SETTINGS, bucket, &error))?;
        let prefix = choice.prefix.as_ref().map_or_else(|| id.to_owned(), |prefix| format!("{prefix}/{id}"));
        Ok(Self::of(Box::new(client), prefix, uploads, metrics)?)
    }

    fn of(
        client: Box<dyn Client>,
        prefix: String,
        uploads: PathBuf,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Self, FolderError> {
        let left = LeftUploads::open(uploads)?;
        Ok(Self(Arc::new(Inner { client, prefix, left, works: AtomicBool::new(true), metrics })))
    }

    /// Takes back uploads that an earlier process began and did not end. They are in no list of blobs.
    ///
    /// # Errors
    /// The upstream does not answer. What is left is taken back by the next call, or after the next start.
    pub(crate) async fn abort_left_uploads(&self) -> Result<(), BlobError> {
        while let Some((name, id)) = self.0.left.last() {
            self.0.abort(name, &id).await?;
            self.0.left.remove(name);
        }
        Ok(())
    }
}

impl Inner {
    fn place(&self, name: BlobName) -> Path {
        let name = name.to_string();
        Path::from(format!("{}/{}/{name}", self.prefix, name.get(..2).unwrap_or_default()))
    }

    /// Takes an upload back and forgets it; one that is not there is no failure.
    async fn abort(&self, name: BlobName, id: &String) -> Result<(), BlobError> {
        self.done_with_absent(self.client.abort_multipart(&self.place(name), id).await)?;
        self.left.forget(name).await.map_err(|error| BlobError::Failed(error.into()))
    }

    async fn delete(&self, name: BlobName) -> Result<(), BlobError> {
        self.done_with_absent(self.client.delete(&self.place(name)).await)
    }

    /// What was to be taken away, and may be gone already.
    fn done_with_absent(&self, outcome: object_store::Result<()>) -> Result<(), BlobError> {
        match outcome {
            Err(object_store::Error::NotFound { .. }) => self.done(Ok(())),
            outcome => self.done(outcome),
        }
    }

    /// The outcome of a request, which tells whether the upstream works.
    fn done<T>(&self, outcome: object_store::Result<T>) -> Result<T, BlobError> {
        match outcome {
            Ok(done) => {
                if !self.works.swap(true, Ordering::Relaxed) {
                    tracing::info!("the upstream of objects answers again");
                }
                self.show(true);
                Ok(done)
            }
            Err(error) => {
                if self.works.swap(false, Ordering::Relaxed) {
                    let error = with_causes(&error);
                    tracing::warn!(
                        error,
                        "the upstream of objects fails; until it works, contents cannot be had"
                    );
                }
                self.show(false);
                Err(BlobError::Unavailable(error.into()))
            }
        }
    }

    fn show(&self, works: bool) {
        if let Some(metrics) = &self.metrics {
            metrics.set_upstream(works);
        }
    }
}

#[async_trait]
impl Blobs for Upstream {
    async fn create(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(writer::Writing::new(Arc::clone(&self.0), name)))
    }

    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<Box<dyn BlobReader>, BlobError> {
        if range.is_empty() {
            return Ok(Box::new(reader::Reading::nothing(Arc::clone(&self.0))));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = match self.0.client.get_opts(&self.0.place(name), options).await {
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::Missing(name)),
            found => self.0.done(found)?,
        };
        Ok(Box::new(reader::Reading::new(Arc::clone(&self.0), found.into_stream())))
    }

    async fn delete(&self, name: BlobName) -> Result<(), BlobError> {
        self.0.delete(name).await
    }

    async fn names(&self) -> Result<Vec<BlobName>, BlobError> {
        let ours = Path::from(self.0.prefix.as_str());
        let names = self.0.client.list(Some(&ours)).try_filter_map(|found| async move {
            Ok(found.location.filename().and_then(|name| name.parse::<BlobName>().ok()))
        });
        self.0.done(names.try_collect().await)
    }
}

#[cfg(test)]
mod tests;
