//! Delivery of the trail: when it takes its turns, and what it is plugged into.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use audit::delivery::{
    Deliverer, DeliveryParts, DeliveryStatus, Destination, DigestKeys, FolderDestination, KeptOld, Pause,
    Retention, all_public_keys, write_public_keys,
};
use audit::trails::{BuiltInTrail, Trails};
use base::{Clock, Region};
use store::Store;
use tokio::sync::{oneshot, watch};

use crate::config::{DestinationChoice, TrailChoice};
use crate::foundation::Foundation;
use crate::start_error::StartError;
use crate::trail_bucket::BucketDestination;

/// How often it is looked whether a turn is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The file inside the data folder with the public keys of the digests.
pub(crate) const PUBLIC_KEYS: &str = "trail/public-keys.json";

/// The file inside the data folder that says what was removed because it was old.
pub(crate) const RETENTION_MARK: &str = "trail/retention.json";

/// The folder of the audit log inside the data folder.
pub(crate) const LOG_FOLDER: &str = "trail/log";

/// The trail that the operator configured.
pub(crate) fn built_in_trail(choice: &TrailChoice, home_region: Region) -> BuiltInTrail {
    BuiltInTrail {
        name: choice.name.clone(),
        home_region,
        bucket: choice.bucket.clone(),
        key_prefix: choice.key_prefix.clone(),
    }
}

fn retention(foundation: &Foundation, choice: &TrailChoice, region: Region) -> Retention {
    let delivered = match &choice.destination {
        DestinationChoice::Folder(folder) => {
            choice.delivered_retention_days.map(|days| (folder.clone(), days))
        }
        DestinationChoice::Bucket(_) => None,
    };
    let mark = foundation.folder.path().join(RETENTION_MARK);
    Retention { log_days: choice.retention_days, delivered, region, mark }
}

/// The deliverer with its time-table.
pub(crate) struct Delivery {
    deliverer: Deliverer,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    public_keys: PathBuf,
    interval: Duration,
    /// When the next turn is due, by the clock that only goes forwards: a wall clock that is set right holds up nothing.
    due: Mutex<Instant>,
}

impl Delivery {
    /// Plugs it together; nothing is delivered yet. `durable` tells up to which line the log in `log_folder` is on disk.
    ///
    /// # Errors
    /// The destination cannot be used as it is configured.
    pub(crate) fn new(
        foundation: &Foundation,
        choice: &TrailChoice,
        home_region: Region,
        trails: Arc<dyn Trails>,
        clock: Arc<dyn Clock>,
        log_folder: PathBuf,
        durable: watch::Receiver<u64>,
    ) -> Result<Self, StartError> {
        let destination: Arc<dyn Destination> = match &choice.destination {
            DestinationChoice::Folder(folder) => Arc::new(FolderDestination::new(folder.clone())),
            DestinationChoice::Bucket(bucket) => Arc::new(BucketDestination::new(&choice.bucket, bucket)?),
        };
        let deliverer = Deliverer::new(DeliveryParts {
            store: Arc::clone(&foundation.store),
            domain_keys: Arc::clone(&foundation.domain_keys),
            trails,
            destination,
            log_folder,
            durable,
            digest_interval_seconds: choice.digest_interval_seconds,
            retention: retention(foundation, choice, home_region),
        });
        Ok(Self {
            deliverer,
            clock,
            store: Arc::clone(&foundation.store),
            public_keys: foundation.folder.path().join(PUBLIC_KEYS),
            interval: choice.interval,
            due: Mutex::new(Instant::now()),
        })
    }

    /// How delivery fares.
    pub(crate) fn status(&self) -> DeliveryStatus {
        self.deliverer.status()
    }

    /// The keys that sign digests.
    pub(crate) fn keys(&self) -> Arc<DigestKeys> {
        self.deliverer.keys()
    }

    /// Lets nothing be delivered as long as what is returned is there.
    pub(crate) async fn pause(&self) -> Pause<'_> {
        self.deliverer.pause().await
    }

    /// Lets nothing be removed because it is old as long as what is returned is there.
    pub(crate) fn keep_old(&self) -> KeptOld {
        self.deliverer.keep_old()
    }

    /// Takes turns until `stop` is told or dropped. What is not delivered then is delivered after the next start.
    pub(crate) async fn run(self: Arc<Self>, mut stop: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = &mut stop => return,
            }
            // A turn that is cut off here is like one that a crash cut off.
            tokio::select! {
                () = self.deliver_if_due() => {}
                _ = &mut stop => return,
            }
        }
    }

    /// Takes a turn if it is time.
    async fn deliver_if_due(&self) {
        let due = *self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() >= due {
            self.deliver().await;
        }
    }

    /// Takes a turn now, or waits for the one that is being taken and takes one after it.
    pub(crate) async fn deliver(&self) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + self.interval;
        let now = self.clock.now();
        // The status keeps what fails, and says it once.
        let _ = self.deliverer.deliver(now).await;
        if let Err(failure) = self.keep_public_keys().await {
            tracing::error!(failure, path = %self.public_keys.display(), "the trail's public keys cannot be kept in a file");
        }
    }

    /// Keeps the public keys where `keywright trail verify` finds them while the store is in use.
    async fn keep_public_keys(&self) -> Result<(), String> {
        let keys = all_public_keys(self.store.as_ref()).await.map_err(|error| error.to_string())?;
        let text = write_public_keys(&keys);
        let path = self.public_keys.clone();
        let kept = tokio::task::spawn_blocking(move || {
            if keys.is_empty() || std::fs::read(&path).is_ok_and(|present| present == text) {
                return Ok(());
            }
            audit::delivery::replace_file(&path, &text)
        });
        kept.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}
