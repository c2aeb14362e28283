//! The rooms plugged together: identities, keys, the trail, the seed, and the work that becomes due by itself.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use audit::index::Index;
use audit::log::Log;
use audit::{Trail, TrailError};
use base::{AccountId, Clock, KeyArn, SettableClock, SystemClock, Timestamp};
use cloudtrail::{CloudTrail, StoredTrails};
use crypto::AttestationRoots;
use identity::{FirstCredentials, Identity};
use kms::{DueTurn, Kms, KmsError, SeedAlias, Seeded, Settings};
use management::{KnownDecisions, Management};
use objects::{Blobs, Objects};
use policy::{Guardrails, Witness};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::backup::{self, RunningBackups};
use crate::config::{Config, TrailChoice};
use crate::data_keys::DataKeysOfKms;
use crate::delivery::{Delivery, LOG_FOLDER};
use crate::export::{self, ExportChoice};
use crate::foundation::Foundation;
use crate::home_of_objects::HomeOfObjects;
use crate::key_sets::ConfiguredKeySets;
use crate::key_usage::UsageByObjects;
use crate::metrics::Metrics;
use crate::pipeline::{Parties, Pipeline};
use crate::ports::{
    CallersOfIdentity, DataEventsOfTrails, DeliveriesOf, KeysOfKms, PeopleOfIdentity, PrincipalsOfIdentity,
};
use crate::seed::{self, KeySeeder, Purpose, SeedFile, SeedKey, SeedOutcome};
use crate::start_error::StartError;
use crate::{attestation_roots, organization};

/// How often due work is looked for and the outbox is emptied.
const CHORES_EVERY: Duration = Duration::from_secs(1);

/// A drain of the outbox that takes longer is taken for one that does not work.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// How often keys are counted for metrics.
const CENSUS_EVERY: Duration = Duration::from_secs(60);

/// How long the end waits for the last uses of keys to be written.
const LAST_USAGE_MAX: Duration = Duration::from_secs(10);

/// How often it is looked whether the time of bucket keys is over.
const BUCKET_KEYS_LOOKED_AT: Duration = Duration::from_secs(1);
/// How often it is asked whether a day has begun on which lifecycles of buckets are to be carried out.
const LIFECYCLES_LOOKED_AT: Duration = Duration::from_secs(60);

/// Everything behind the listener.
pub(crate) struct Service {
    pub(crate) clock: Arc<SettableClock>,
    identity: Arc<Identity>,
    kms: Arc<Kms>,
    management: Arc<Management>,
    backups: Arc<RunningBackups>,
    decisions: Arc<KnownDecisions>,
    guardrails: Arc<Guardrails>,
    trail: Arc<Trail>,
    due_works: AtomicBool,
    usage_works: AtomicBool,
    trail_works: AtomicBool,
    has_room: AtomicBool,
    /// Once they are served.
    objects: OnceLock<Weak<Objects>>,
    free_bytes_min: u64,
}

/// The trails of all accounts, and what delivers their events.
pub(crate) struct Deliveries {
    pub(crate) trails: Arc<StoredTrails>,
    pub(crate) delivery: Arc<Delivery>,
}

/// What the operator's files say beside the configuration.
pub(crate) struct Sources {
    pub(crate) attestation_roots: AttestationRoots,
    pub(crate) key_sets: ConfiguredKeySets,
    pub(crate) guardrails: Arc<Guardrails>,
    /// Keeps the reasons of decisions.
    pub(crate) decisions: Arc<KnownDecisions>,
}

impl Sources {
    /// Reads them all.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(crate) fn read(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            attestation_roots: attestation_roots::read(&config.attestation_roots)?,
            key_sets: ConfiguredKeySets::new(&config.web_identity)?,
            guardrails: Arc::new(organization::read(config.organization.as_ref())?),
            decisions: Arc::new(KnownDecisions::new(
                config.explanations.bytes_max,
                config.explanations.allowed,
            )),
        })
    }

    /// For commands that answer no requests.
    pub(crate) fn none() -> Self {
        Self {
            attestation_roots: AttestationRoots::default(),
            key_sets: ConfiguredKeySets::none(),
            guardrails: Arc::default(),
            decisions: Arc::new(KnownDecisions::new(0, false)),
        }
    }
}

impl Service {
    /// Builds the rooms on an open data folder.
    ///
    /// # Errors
    /// The audit log cannot be used.
    pub(crate) fn new(
        foundation: &Foundation,
        settings: Settings,
        trail_choice: &TrailChoice,
        sources: Sources,
    ) -> Result<Arc<Self>, StartError> {
        let log = Log::open(&foundation.folder.path().join(LOG_FOLDER), trail_choice.log)
            .map_err(TrailError::from)?;
        let trail = Arc::new(Trail::new(
            log,
            Arc::clone(&foundation.store),
            Arc::clone(&foundation.randomness),
            Arc::<KnownDecisions>::clone(&sources.decisions),
        ));
        let clock = Arc::new(SettableClock::new(SystemClock));
        let identity = Identity::new(
            Arc::clone(&foundation.store),
            Arc::clone(&foundation.domain_keys),
            Arc::<SettableClock>::clone(&clock),
            Arc::clone(&foundation.randomness),
            Arc::new(sources.key_sets),
            Arc::clone(&trail),
        );
        let witness: Arc<dyn Witness> = sources.decisions.clone();
        let identity = identity.in_organization(Arc::clone(&sources.guardrails));
        let identity = Arc::new(identity.witnessed_by(Arc::clone(&witness)));
        let usage = Arc::new(UsageByObjects::new(Arc::clone(&foundation.store)));
        let kms = Kms::new(
            Arc::clone(&foundation.store),
            Arc::clone(&foundation.domain_keys),
            Arc::clone(&foundation.randomness),
            Arc::new(PrincipalsOfIdentity(Arc::clone(&identity))),
            Arc::clone(&trail),
            settings,
        )
        .with_attestation_roots(sources.attestation_roots)
        .in_organization(Arc::clone(&sources.guardrails))
        .knowing_dependents(Arc::<UsageByObjects>::clone(&usage))
        .witnessed_by(witness);
        let kms = Arc::new(kms);
        let backups = Arc::new(RunningBackups::new());
        let management = Management::new(
            Arc::clone(&sources.decisions),
            Arc::new(KeysOfKms(Arc::clone(&kms))),
            Arc::new(PeopleOfIdentity(Arc::clone(&identity))),
            usage,
            Arc::<RunningBackups>::clone(&backups),
            Arc::clone(&trail),
        );
        Ok(Arc::new(Self {
            clock,
            identity,
            kms,
            management: Arc::new(management),
            backups,
            decisions: sources.decisions,
            guardrails: sources.guardrails,
            trail,
            due_works: AtomicBool::new(true),
            usage_works: AtomicBool::new(true),
            trail_works: AtomicBool::new(true),
            has_room: AtomicBool::new(true),
            objects: OnceLock::new(),
            free_bytes_min: trail_choice.free_bytes_min,
        }))
    }

    /// Applies the seeds; without any account afterwards, makes the first one. `keep` gets
    /// its credentials before they are worth anything.
    ///
    /// # Errors
    /// The store cannot be written, or a seed asks for what cannot be.
    pub(crate) async fn populate(
        &self,
        config: &Config,
        seeds: &[SeedFile],
        keep: impl FnOnce(&FirstCredentials) -> Result<(), StartError>,
    ) -> Result<Option<FirstCredentials>, StartError> {
        self.kms.begin_usage_tracking(self.clock.now()).await?;
        for seed in seeds {
            self.apply(seed).await?;
        }
        let first = if config.dev { None } else { self.identity.bootstrap(keep).await? };
        if !self.identity.has_access_keys().await? {
            tracing::warn!(
                "nobody can sign in: no user has an access key; add one with a seed file (--seed)"
            );
        }
        Ok(first)
    }

    /// Has key pairs made on the blocking threads of this runtime.
    pub(crate) fn generate_key_pairs_on(&self, runtime: Handle) {
        self.kms.generate_key_pairs_on(runtime);
    }

    /// Puts the default policy on a key; answers false if there is none, or an AWS managed one.
    pub(crate) async fn reset_key_policy(&self, key: &KeyArn) -> Result<bool, KmsError> {
        self.kms.reset_key_policy(key, self.clock.now()).await
    }

    async fn apply(&self, seed: &SeedFile) -> Result<(), StartError> {
        let report = seed::apply(seed, &self.identity, self).await?;
        tracing::info!(%report, "seed applied");
        Ok(())
    }

    /// The CloudTrail service, whose index follows the audit log from now on.
    fn cloudtrail(&self, config: &Config, foundation: &Foundation, delivery: Deliveries) -> CloudTrail {
        let index = Arc::new(Index::of_log(self.trail.log()));
        tokio::spawn(Arc::clone(&index).follow());
        CloudTrail::new(cloudtrail::Parties {
            store: Arc::clone(&foundation.store),
            trails: delivery.trails,
            index,
            trail: Arc::clone(&self.trail),
            callers: Arc::new(CallersOfIdentity(Arc::clone(&self.identity))),
            deliveries: Arc::new(DeliveriesOf(delivery.delivery)),
            witness: Arc::<KnownDecisions>::clone(&self.decisions),
            lookup_days: config.trail.lookup_days,
        })
    }

    /// The S3 service, with its objects in this place.
    fn objects(
        &self,
        config: &Config,
        foundation: &Foundation,
        trails: &Arc<StoredTrails>,
        blobs: Arc<dyn Blobs>,
    ) -> Objects {
        Objects::new(objects::Parties {
            store: Arc::clone(&foundation.store),
            blobs,
            domain_keys: Arc::clone(&foundation.domain_keys),
            randomness: Arc::clone(&foundation.randomness),
            callers: Arc::new(CallersOfIdentity(Arc::clone(&self.identity))),
            data_keys: Arc::new(DataKeysOfKms::new(
                Arc::clone(&self.kms),
                Arc::clone(&foundation.randomness),
            )),
            data_events: Arc::new(DataEventsOfTrails(Arc::clone(trails))),
            trail: Arc::clone(&self.trail),
            guardrails: Arc::clone(&self.guardrails),
            witness: Arc::<KnownDecisions>::clone(&self.decisions),
            takes_customer_keys_in_clear: config.dev,
            blocks_customer_keys: config.objects.blocks_customer_keys,
            clock: Arc::<SettableClock>::clone(&self.clock),
            bucket_key_seconds: config.objects.bucket_key_seconds,
        })
    }

    /// The pipeline that answers requests.
    ///
    /// # Errors
    /// What keeps objects cannot be used as it is configured.
    pub(crate) async fn pipeline(
        &self,
        config: &Config,
        foundation: &Foundation,
        delivery: Deliveries,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Pipeline, StartError> {
        let home = HomeOfObjects::open(config, foundation, metrics.as_ref()).await?;
        let objects = Arc::new(self.objects(config, foundation, &delivery.trails, home.blobs()));
        self.backups.prepare(backup::Parts {
            store: Arc::clone(&foundation.engine),
            folder: foundation.folder.path().to_owned(),
            delivery: Arc::clone(&delivery.delivery),
            blobs: home.folder(),
            recipients: config.backup_recipients.clone(),
            randomness: Arc::clone(&foundation.randomness),
            clock: Arc::<SettableClock>::clone(&self.clock),
        });
        tokio::spawn(home.sweep(Arc::clone(&objects)));
        tokio::spawn(forget_bucket_keys(Arc::downgrade(&objects)));
        tokio::spawn(keep_expiring(Arc::downgrade(&objects), Arc::clone(&self.clock)));
        let _ = self.objects.set(Arc::downgrade(&objects));
        Ok(Pipeline::new(Parties {
            objects,
            host_names: config.objects.host_names.clone(),
            identity: Arc::clone(&self.identity),
            kms: Arc::clone(&self.kms),
            management: Arc::clone(&self.management),
            cloudtrail: Arc::new(self.cloudtrail(config, foundation, delivery)),
            clock: Arc::<SettableClock>::clone(&self.clock),
            randomness: Arc::clone(&foundation.randomness),
            signature_window_seconds: u32::try_from(config.signature_window.as_secs()).unwrap_or(u32::MAX),
            regions: config.regions.clone(),
            default_region: config.default_region,
            explains_denials: config.explanations.in_answers,
            metrics,
        }))
    }

    /// Brings figures up to date that are not counted as things happen.
    pub(crate) fn refresh(&self, metrics: &Metrics) {
        for (cache, figures) in self.kms.cache_figures().into_iter().chain(self.identity.cache_figures()) {
            metrics.set_cache(cache, figures);
        }
        let log = self.trail.log();
        metrics.set_log(log, free_bytes(log.folder()));
        metrics.set_health(self.is_healthy());
    }

    /// The audit log.
    pub(crate) fn log(&self) -> &Log {
        self.trail.log()
    }

    /// Sends events on, as they are logged.
    pub(crate) fn send_events_on(&self, choice: &ExportChoice) -> Result<(), StartError> {
        let folder = self.trail.log().folder().parent().unwrap_or(Path::new("."));
        Ok(export::start(choice, &self.trail, folder)?)
    }

    /// Counts the keys every now and then, for ever.
    pub(crate) async fn count_keys(self: Arc<Self>, metrics: Arc<Metrics>) {
        loop {
            match self.kms.census().await {
                Ok(census) => metrics.set_keys(&census, self.clock.now()),
                Err(error) => tracing::warn!(%error, "the keys cannot be counted"),
            }
            tokio::time::sleep(CENSUS_EVERY).await;
        }
    }

    /// Does the chores until `stop` is told or dropped; then writes what waits and empties the outbox a last time.
    pub(crate) async fn keep_house(self: Arc<Self>, mut stop: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(CHORES_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.chores().await,
                _ = &mut stop => break,
            }
        }
        self.write_all_key_usage().await;
        self.empty_outbox().await;
        // With an interval, what was logged last is not on disk yet.
        if let Err(error) = self.trail.log().complete().await {
            tracing::error!(%error, "the last events may be lost");
        }
    }

    /// Does the work that is due, and all that becomes due with it.
    pub(crate) async fn do_what_is_due(&self) {
        loop {
            self.empty_outbox().await;
            if self.due_turn().await.done == 0 {
                break;
            }
        }
        self.write_key_usage().await;
    }

    /// One turn: mutation records go from the outbox to the trail, then due work is done, if it can be recorded, then
    /// uses of keys are written. What fails is logged once, tried again at the next turn, and shows in the service's
    /// health, uses of keys apart.
    async fn chores(&self) {
        self.look_for_room();
        self.empty_outbox().await;
        self.due_turn().await;
        self.write_key_usage().await;
    }

    async fn write_key_usage(&self) {
        let written = self.kms.write_key_usage(self.clock.now()).await;
        self.note_usage(written.map_err(|error| error.to_string()));
    }

    async fn write_all_key_usage(&self) {
        self.note_usage(match tokio::time::timeout(LAST_USAGE_MAX, self.kms.write_all_key_usage()).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err(format!("writing took longer than {} s", LAST_USAGE_MAX.as_secs())),
        });
    }

    /// A use that is not written is no reason to call the service ill: it goes on waiting.
    fn note_usage(&self, written: Result<(), String>) {
        let consequence = "when keys were last used cannot be written; it is kept in memory until it can";
        note(&self.usage_works, written, consequence);
    }

    /// Whether the disk of the audit log has room for a while: the operator is warned before it is full.
    fn look_for_room(&self) {
        // What cannot be told is no reason for an alarm: the log itself says when it cannot be written.
        let free = free_bytes(self.trail.log().folder()).unwrap_or(u64::MAX);
        let room = match free.checked_sub(self.free_bytes_min) {
            Some(_) => Ok(()),
            None => {
                Err(format!("{free} bytes are free for the audit log, fewer than trail.free_min_mebibytes"))
            }
        };
        note(&self.has_room, room, "the disk is nearly full; when it is full, calls fail");
    }

    async fn empty_outbox(&self) {
        let drained = match tokio::time::timeout(DRAIN_MAX, self.trail.drain()).await {
            Ok(drained) => drained.map(|_| ()).map_err(|error| error.to_string()),
            Err(_) => Err(format!("writing took longer than {} s", DRAIN_MAX.as_secs())),
        };
        note(&self.trail_works, drained, "the trail cannot be written; nothing is changed until it can");
    }

    /// Does what lifecycles of buckets say, if a day has begun.
    pub(crate) async fn expire_objects(&self) {
        if let Some(objects) = self.objects.get().and_then(Weak::upgrade) {
            expire(&objects, self.clock.now()).await;
        }
    }

    async fn due_turn(&self) -> DueTurn {
        if !self.trail_works.load(Ordering::Relaxed) {
            return DueTurn::default();
        }
        let turn = self.kms.run_due(self.clock.now()).await;
        let outcome = match &turn {
            Ok(DueTurn { failed: 0, .. }) => Ok(()),
            Ok(DueTurn { failed, .. }) => Err(format!("{failed} entries of due work failed")),
            Err(error) => Err(error.to_string()),
        };
        note(&self.due_works, outcome, "due work cannot be done; health is bad until it can");
        turn.unwrap_or_default()
    }

    /// Whether the last chores went well: due work was done and the trail took what there was.
    pub(crate) fn is_healthy(&self) -> bool {
        self.due_works.load(Ordering::Relaxed)
            && self.trail_works.load(Ordering::Relaxed)
            && self.has_room.load(Ordering::Relaxed)
            && self.trail.log().works()
            && !self.trail.log().was_touched()
    }
}

/// Does what lifecycles of buckets say, for as long as there is a service: each day's work once.
async fn keep_expiring(service: Weak<Objects>, clock: Arc<SettableClock>) {
    while let Some(objects) = service.upgrade() {
        expire(&objects, clock.now()).await;
        drop(objects);
        tokio::time::sleep(LIFECYCLES_LOOKED_AT).await;
    }
}

async fn expire(objects: &Objects, now: Timestamp) {
    match objects.expire(now).await {
        Ok(0) => {}
        Ok(taken) => tracing::info!(taken, "objects, versions and uploads went as lifecycles of buckets say"),
        Err(error) => {
            tracing::warn!(%error, "lifecycles of buckets cannot be carried out; tried again in a minute")
        }
    }
}

/// Wipes bucket keys whose time is over, for as long as there is a service.
async fn forget_bucket_keys(objects: Weak<Objects>) {
    while let Some(objects) = objects.upgrade() {
        objects.forget_bucket_keys();
        drop(objects);
        tokio::time::sleep(BUCKET_KEYS_LOOKED_AT).await;
    }
}

/// Free bytes for us on the file system of a folder.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(folder).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
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

/// Reads the seeds that the configuration names, before anything is made.
///
/// # Errors
/// A seed file is wrong.
pub(crate) fn read_seeds(config: &Config) -> Result<Vec<SeedFile>, StartError> {
    let purpose = if config.dev { Purpose::Development } else { Purpose::Production };
    let mut seeds = Vec::new();
    if config.dev {
        seeds.push(SeedFile::development()?);
    }
    if let Some(path) = &config.seed {
        seeds.push(SeedFile::read(path, purpose)?);
    }
    Ok(seeds)
}
