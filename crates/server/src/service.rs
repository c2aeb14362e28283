//! The rooms plugged together: identities, keys, the trail, the seed, and the work that becomes due by itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit::Trail;
use base::{AccountId, Clock, KeyArn, SettableClock, SystemClock};
use identity::{FirstCredentials, Identity};
use kms::{Kms, KmsError, SeedAlias, Seeded, Settings};

use crate::config::Config;
use crate::foundation::Foundation;
use crate::pipeline::{Parties, Pipeline};
use crate::ports::PrincipalsOfIdentity;
use crate::seed::{self, KeySeeder, Purpose, SeedFile, SeedKey, SeedOutcome};
use crate::start_error::StartError;

/// The folder of the trail inside the data folder.
const TRAIL_FOLDER: &str = "trail";
/// How often due work is looked for and the outbox is emptied.
const CHORES_EVERY: Duration = Duration::from_secs(1);

/// Everything behind the listener.
pub(crate) struct Service {
    pub(crate) clock: Arc<SettableClock>,
    identity: Arc<Identity>,
    kms: Arc<Kms>,
    trail: Arc<Trail>,
    store_works: AtomicBool,
    trail_works: Arc<AtomicBool>,
}

impl Service {
    /// Builds the rooms on an open data folder.
    ///
    /// # Errors
    /// The trail's folder cannot be used.
    pub(crate) fn new(foundation: &Foundation) -> Result<Arc<Self>, StartError> {
        let clock = Arc::new(SettableClock::new(SystemClock));
        let identity = Arc::new(Identity::new(
            Arc::clone(&foundation.store),
            Arc::clone(&foundation.domain_keys),
            Arc::<SettableClock>::clone(&clock),
            Arc::clone(&foundation.randomness),
        ));
        let kms = Kms::new(
            Arc::clone(&foundation.store),
            Arc::clone(&foundation.domain_keys),
            Arc::clone(&foundation.randomness),
            Arc::new(PrincipalsOfIdentity(Arc::clone(&identity))),
            Settings::default(),
        );
        let trail = Trail::open(&foundation.folder.path().join(TRAIL_FOLDER), Arc::clone(&foundation.store))?;
        Ok(Arc::new(Self {
            clock,
            identity,
            kms: Arc::new(kms),
            trail: Arc::new(trail),
            store_works: AtomicBool::new(true),
            trail_works: Arc::new(AtomicBool::new(true)),
        }))
    }

    /// Applies the seeds that the configuration names; without any account afterwards, makes the first one.
    ///
    /// # Errors
    /// A seed file is wrong, or the store cannot be written.
    pub(crate) async fn populate(&self, config: &Config) -> Result<Option<FirstCredentials>, StartError> {
        if config.dev {
            self.apply(&SeedFile::development()?).await?;
        }
        if let Some(path) = &config.seed {
            self.apply(&read_seed(path, config.dev)?).await?;
        }
        Ok(if config.dev { None } else { self.identity.bootstrap().await? })
    }

    async fn apply(&self, seed: &SeedFile) -> Result<(), StartError> {
        let report = seed::apply(seed, &self.identity, self).await?;
        tracing::info!(%report, "seed applied");
        Ok(())
    }

    /// The pipeline that answers requests.
    pub(crate) fn pipeline(&self, config: &Config, foundation: &Foundation) -> Pipeline {
        Pipeline::new(Parties {
            identity: Arc::clone(&self.identity),
            kms: Arc::clone(&self.kms),
            clock: Arc::<SettableClock>::clone(&self.clock),
            randomness: Arc::clone(&foundation.randomness),
            signature_window_seconds: u32::try_from(config.signature_window.as_secs()).unwrap_or(u32::MAX),
            regions: config.regions.clone(),
            trail_works: Arc::clone(&self.trail_works),
        })
    }

    /// Does the chores for ever.
    pub(crate) async fn keep_house(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(CHORES_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.chores().await;
        }
    }

    /// Does the work that is due and moves mutation records from the outbox to the trail. What fails is logged once,
    /// tried again at the next turn, and shows in the service's health.
    pub(crate) async fn chores(&self) {
        let due = self.kms.run_due(self.clock.now()).await.map(|_| ()).map_err(|error| error.to_string());
        note(&self.store_works, due, "the store does not work; health is bad until it does");
        let drained = self.trail.drain().await.map(|_| ()).map_err(|error| error.to_string());
        note(&self.trail_works, drained, "the trail cannot be written; nothing is changed until it can");
    }

    /// Whether the last chores went well: the store answered and the trail took what there was.
    pub(crate) fn is_healthy(&self) -> bool {
        self.store_works.load(Ordering::Relaxed) && self.trail_works.load(Ordering::Relaxed)
    }
}

/// Keeps how a chore went, and logs when it begins to fail.
fn note(works: &AtomicBool, outcome: Result<(), String>, consequence: &'static str) {
    let worked = works.swap(outcome.is_ok(), Ordering::Relaxed);
    if let (Err(error), true) = (outcome, worked) {
        tracing::error!(error, consequence);
    }
}

impl KeySeeder for Service {
    type Error = KmsError;

    async fn seed_key(&self, account: AccountId, key: &SeedKey) -> Result<SeedOutcome, KmsError> {
        let seed = kms::SeedKey {
            arn: KeyArn { account, region: key.region, id: key.id },
            description: &key.description,
            policy: key.policy.as_deref(),
            tags: &key.tags,
            material: &key.material,
            enabled: key.enabled,
        };
        self.kms.seed_key(&seed, self.clock.now()).await.map(outcome)
    }

    async fn seed_alias(&self, target: KeyArn, alias: &str) -> Result<SeedOutcome, KmsError> {
        self.kms.seed_alias(&SeedAlias { target, name: alias }, self.clock.now()).await.map(outcome)
    }
}

fn outcome(seeded: Seeded) -> SeedOutcome {
    match seeded {
        Seeded::Created => SeedOutcome::Created,
        Seeded::Existed => SeedOutcome::Existed,
    }
}

fn read_seed(path: &Path, dev: bool) -> Result<SeedFile, StartError> {
    let purpose = if dev { Purpose::Development } else { Purpose::Production };
    Ok(SeedFile::read(path, purpose)?)
}
