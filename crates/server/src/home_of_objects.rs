//! Where the contents of objects lie: in a folder beside the store, or upstream. And what a crash left there.

use std::sync::Arc;
use std::time::Duration;

use objects::{Blobs, Folder, Objects, ObjectsError};

use crate::causes::with_causes;
use crate::config::Config;
use crate::foundation::Foundation;
use crate::metrics::Metrics;
use crate::start_error::StartError;
use crate::upstream::Upstream;

/// Where the contents of objects lie in the data folder.
const OBJECTS_FOLDER: &str = "objects";
/// What is known of blobs that are on their way upstream.
const UPLOADS_FOLDER: &str = "objects-uploads";
/// What is tried again for an hour: to remove what a crash left of objects.
const SWEPT_AGAIN: Duration = Duration::from_secs(10);
const SWEPT_AT_MOST: u32 = 360;

/// The place of contents, as configured.
pub(crate) enum HomeOfObjects {
    /// In the data folder.
    Folder(Folder),
    /// In somebody's bucket.
    Upstream(Upstream),
}

impl HomeOfObjects {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be used, or there are contents elsewhere.
    pub(crate) async fn open(
        config: &Config,
        foundation: &Foundation,
        metrics: Option<&Arc<Metrics>>,
    ) -> Result<Self, StartError> {
        let folder = foundation.folder.path();
        let Some(choice) = &config.objects.upstream else {
            objects::move_into_folder(&*foundation.store).await?;
            return Ok(Self::Folder(Folder::open(folder.join(OBJECTS_FOLDER))?));
        };
        let id = objects::move_upstream(&*foundation.store, &*foundation.randomness).await?;
        let upstream = Upstream::open(choice, &id, folder.join(UPLOADS_FOLDER), metrics.cloned())?;
        Ok(Self::Upstream(upstream))
    }

    /// As a place for blobs.
    pub(crate) fn blobs(&self) -> Arc<dyn Blobs> {
        match self {
            Self::Folder(folder) => Arc::new(folder.clone()),
            Self::Upstream(upstream) => Arc::new(upstream.clone()),
        }
    }

    /// The folder, if it is one.
    pub(crate) fn folder(&self) -> Option<Folder> {
        match self {
            Self::Folder(folder) => Some(folder.clone()),
            Self::Upstream(_) => None,
        }
    }

    /// Removes what a crash left of objects, as soon as what keeps them can be reached.
    pub(crate) async fn sweep(self, objects: Arc<Objects>) {
        for attempt in 0..SWEPT_AT_MOST {
            match self.sweep_once(&objects).await {
                Ok(0) => return,
                Ok(swept) => return tracing::info!(swept, "blobs that no object has were removed"),
                Err(error) if attempt == 0 => {
                    let error = with_causes(&error);
                    tracing::warn!(
                        error,
                        "blobs that no object has cannot be removed yet; it is tried again"
                    );
                }
                Err(_) => {}
            }
            tokio::time::sleep(SWEPT_AGAIN).await;
        }
        objects.end_sweep();
        tracing::warn!("blobs that no object has cannot be removed; the next start tries again");
    }

    async fn sweep_once(&self, objects: &Objects) -> Result<usize, ObjectsError> {
        if let Self::Upstream(upstream) = self {
            upstream.abort_left_uploads().await?;
        }
        objects.sweep().await
    }
}
