//! Objects: an S3 service whose every object is encrypted before it touches a disk.
//!
//! Metadata are records in the store, in the order of keys; contents are sealed blobs under random names ([`Blobs`]).
//! An object has a key of its own, which its encryption mode seals: a key of the service (SSE-S3), a data key that the
//! key service gives to whoever calls (SSE-KMS), or the caller's own key (SSE-C). What tells of plaintext, such as
//! entity tags, checksums and user metadata, is sealed as well; names of buckets and objects, sizes and times are not.
//!
//! A put writes its blob first and then one record in one commit, together with an entry that says that the blob is in
//! use. A blob without such an entry is nobody's ([`Objects::sweep`]). Whom it asks about other services are ports.

mod anonymous;
mod blob;
mod body;
mod bucket;
mod bucket_encryption;
mod bucket_name;
mod bucket_policy;
mod checksum;
mod conditions;
mod contents;
mod cors;
mod data_events;
mod encryption;
mod error;
mod event_data;
mod expiry;
mod extent;
mod history;
mod home;
mod host_names;
mod key_usage;
mod layers;
mod lifecycle;
mod listing;
mod multipart;
mod object_access;
mod object_key;
mod operation;
mod ops;
mod paths;
mod ports;
mod post_form;
mod public_access;
mod record;
mod request;
mod stored_object;
mod sweep;
mod table;
mod tags;
mod upload;
mod version;
mod version_listing;
mod write_facts;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit::Trail;
use base::{Clock, Randomness, RandomnessUnavailable};
use keyring::DomainKeys;
use policy::{Guardrails, Witness};
use store::Store;

pub use blob::{
    BlobError, BlobName, BlobReader, BlobWriter, Blobs, Folder, FolderError, InvalidBlobName, KeptBlobs,
};
pub use bucket_name::{BucketName, InvalidBucketName};
pub use contents::Contents;
use encryption::BucketKeys;
pub use error::{BodyError, ObjectsError, Refused, fault_xml};
pub use home::{HomeError, blobs_in_folder, move_into_folder, move_upstream};
pub use host_names::{HostNames, InvalidHostName};
pub use key_usage::{BucketUsage, KeyUsage, KeyUsageError, UsagePage, UsedKey};
pub use object_key::{InvalidObjectKey, OBJECT_KEY_MAX, ObjectKey};
pub use operation::Operation;
pub use ports::{
    CallerRights, Callers, DataEvent, DataEvents, DataKey, DataKeyError, DataKeyUse, DataKeys, PortError,
};
pub use post_form::{PostForm, Posted};
pub use request::{Answer, AnswerBody, BodySource, Headers, Method, Query, Request, Target};

/// The service.
pub struct Objects {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    domain_keys: Arc<DomainKeys>,
    randomness: Arc<dyn Randomness>,
    callers: Arc<dyn Callers>,
    data_keys: Arc<dyn DataKeys>,
    data_events: Arc<dyn DataEvents>,
    trail: Arc<Trail>,
    guardrails: Arc<Guardrails>,
    witness: Arc<dyn Witness>,
    takes_customer_keys_in_clear: bool,
    blocks_customer_keys: bool,
    bucket_keys: BucketKeys,
    policies: bucket_policy::CompiledPolicies,
    /// Blobs of this process, until what earlier ones left is swept.
    fresh: Mutex<Option<HashSet<BlobName>>>,
    /// Who reads parts.
    readers: contents::Readers,
    /// The day since 1970 on which lifecycles have been carried out.
    expired_on: tokio::sync::Mutex<Option<i64>>,
}

/// What the service is made of.
pub struct Parties {
    /// Where metadata are kept.
    pub store: Arc<dyn Store>,
    /// Where contents are kept.
    pub blobs: Arc<dyn Blobs>,
    /// Seal what is the service's own to seal.
    pub domain_keys: Arc<DomainKeys>,
    /// For keys, nonces and names.
    pub randomness: Arc<dyn Randomness>,
    /// Knows what callers may do.
    pub callers: Arc<dyn Callers>,
    /// Gives data keys.
    pub data_keys: Arc<dyn DataKeys>,
    /// Knows which events on objects are to be logged.
    pub data_events: Arc<dyn DataEvents>,
    /// Is told of calls.
    pub trail: Arc<Trail>,
    /// What organisations say about the accounts of buckets.
    pub guardrails: Arc<Guardrails>,
    /// Is told what was decided.
    pub witness: Arc<dyn Witness>,
    /// Whether callers may send their keys without TLS: for tests.
    pub takes_customer_keys_in_clear: bool,
    /// The clock of the service.
    pub clock: Arc<dyn Clock>,
    /// How long bucket keys stay in memory, in seconds.
    pub bucket_key_seconds: u32,
    /// Whether new buckets refuse objects under keys that callers bring.
    pub blocks_customer_keys: bool,
}

impl Objects {
    /// The service.
    pub fn new(parties: Parties) -> Self {
        Self {
            store: parties.store,
            blobs: parties.blobs,
            domain_keys: parties.domain_keys,
            randomness: parties.randomness,
            callers: parties.callers,
            data_keys: parties.data_keys,
            data_events: parties.data_events,
            trail: parties.trail,
            guardrails: parties.guardrails,
            witness: parties.witness,
            takes_customer_keys_in_clear: parties.takes_customer_keys_in_clear,
            blocks_customer_keys: parties.blocks_customer_keys,
            policies: bucket_policy::CompiledPolicies::default(),
            bucket_keys: BucketKeys::new(parties.clock, parties.bucket_key_seconds),
            fresh: Mutex::new(Some(HashSet::new())),
            readers: contents::Readers::default(),
            expired_on: tokio::sync::Mutex::new(None),
        }
    }

    fn fresh(&self) -> MutexGuard<'_, Option<HashSet<BlobName>>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn random(&self) -> Result<[u8; 16], RandomnessUnavailable> {
        let mut bytes = [0; 16];
        self.randomness.fill(&mut bytes)?;
        Ok(bytes)
    }
}
