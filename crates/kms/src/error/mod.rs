//! Everything a KMS operation can refuse or fail with.

mod access_denied;
mod answer;
mod refusal;

use base::{KeyArn, RandomnessUnavailable};
use crypto::KeyMaterialId;
use keyring::KeyringError;

use crate::keys::LoadedKey;
pub use access_denied::AccessDenied;
pub(crate) use refusal::{InvalidRequest, LimitExceeded, NotFound, StateRefusal, TagRefusal};

/// A refused or failed call.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
    /// The caller may not do this.
    #[error(transparent)]
    AccessDenied(Box<AccessDenied>),
    /// The request contradicts itself or a rule that the model cannot express.
    #[error("invalid request: {0}")]
    Invalid(#[from] InvalidRequest),
    /// The request breaks a rule of the grant operations.
    #[error("invalid grant: {0}")]
    InvalidGrant(#[from] crate::grant::InvalidGrant),
    /// What the request names is not there.
    #[error("not found: {0}")]
    NotFound(#[from] NotFound),
    /// The text begins like an ARN and is none of a KMS key or alias.
    #[error("Invalid arn {0}")]
    InvalidArn(String),
    /// A grant names somebody who does not exist.
    #[error("no such principal: {0}")]
    InvalidPrincipal(String),
    /// An alias was given where only a key id or key ARN may stand.
    #[error("an alias was given where only a key id or key ARN may stand")]
    AliasNotSupported,
    /// The alias name is reserved for AWS managed keys.
    #[error("alias name `{0}` is reserved")]
    AliasReserved(String),
    /// The alias name is taken.
    #[error("alias {0} already exists")]
    AliasExists(String),
    /// ReplicateKey: the key has a replica in that Region.
    #[error("the key {0} exists already")]
    ReplicaExists(KeyArn),
    /// The key's state forbids the operation.
    #[error("{0}")]
    State(#[from] StateRefusal),
    /// The key in the request is not the key of the ciphertext.
    #[error("the ciphertext belongs to another key than the request names")]
    IncorrectKey,
    /// Ciphertext, encryption context or both are not what this service made. The client never learns which.
    #[error("the ciphertext does not open")]
    InvalidCiphertext,
    /// The signature is not of this key and message.
    #[error("the signature does not verify")]
    InvalidSignature,
    /// The tag is not of this key and message.
    #[error("the MAC does not verify")]
    InvalidMac,
    /// Key and algorithm or key and operation do not fit.
    #[error("invalid key usage: {0}")]
    InvalidKeyUsage(String),
    /// ImportKeyMaterial: not material for this key, or not the one that is expected.
    #[error("key material refused: {0}")]
    IncorrectKeyMaterial(&'static str),
    /// ImportKeyMaterial: the token was not made for this key.
    #[error("the import token is not one of this key")]
    InvalidImportToken,
    /// ImportKeyMaterial: the token was valid for 24 hours, and they are over.
    #[error("the import token has expired")]
    ExpiredImportToken,
    /// The text cannot be the id of a grant.
    #[error("`{0}` is no grant id")]
    InvalidGrantId(String),
    /// There is no grant with such a token.
    #[error("unknown grant token")]
    InvalidGrantToken,
    /// The marker was not issued by this listing.
    #[error("marker of another listing")]
    InvalidMarker,
    /// A tag breaks a rule.
    #[error("tag refused: {0}")]
    Tag(#[from] TagRefusal),
    /// The key policy is not a policy document.
    #[error("malformed policy document: {0}")]
    MalformedPolicy(String),
    /// A quota is used up.
    #[error("limit exceeded: {0}")]
    LimitExceeded(#[from] LimitExceeded),
    /// No custom key store has this id or name.
    #[error("no custom key store `{0}`")]
    CustomKeyStoreNotFound(String),
    /// CreateCustomKeyStore: there is no such cluster in reach.
    #[error("no CloudHSM cluster `{0}`")]
    CloudHsmClusterNotFound(String),
    /// CreateCustomKeyStore: there is no such proxy in reach.
    #[error("no external key store proxy at `{0}`")]
    XksProxyUnreachable(String),
    /// The account makes more requests than it may.
    #[error("a request quota is used up")]
    Throttled,
    /// The kind of key or parameter is not offered.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// RotateKeyOnDemand of a key that has one material for ever.
    #[error("the key has one material for ever")]
    RotationOfOneMaterial,
    /// An automatic rotation is running or about to start.
    #[error("an automatic rotation of {0} starts within 20 minutes")]
    RotationImminent(KeyArn),
    /// DryRun was asked for and everything but the work itself succeeded.
    #[error("dry run succeeded")]
    DryRun,
    /// Other writers were faster every time.
    #[error("gave up after {0} conflicting writes")]
    Contention(u32),
    /// The store failed: disk, damage, or a newer format.
    #[error("store: {0}")]
    Store(#[from] store::StoreError),
    /// A commit that no store would take.
    #[error("commit: {0}")]
    Commit(store::CommitError),
    /// Material could not be sealed or used.
    #[error("cryptography: {0}")]
    Encrypt(#[from] crypto::EncryptError),
    /// A secret could not be encrypted to a recipient.
    #[error("recipient: {0}")]
    Envelope(#[from] crypto::EnvelopeError),
    /// A key pair could not be made.
    #[error("key pair: {0}")]
    KeyPair(#[from] crypto::KeyPairError),
    /// The audit event could not be made or logged.
    #[error("audit: {0}")]
    Audit(#[from] audit::TrailError),
    /// A domain key could not be read or made.
    #[error("keyring: {0}")]
    Keyring(#[from] KeyringError),
    /// The port to identities failed.
    #[error(transparent)]
    Principals(#[from] crate::principal::PrincipalsUnavailable),
    /// The machine gave no random bytes.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// Something that this program promised itself does not hold.
    #[error("bug: {0}")]
    Bug(&'static str),
}

impl KmsError {
    /// An operation that the key's origin rules out.
    pub(crate) fn wrong_origin(key: &LoadedKey) -> Self {
        let (arn, origin) = (key.arn, key.record.origin);
        Self::Unsupported(format!("{arn} origin is {origin} which is not valid for this operation."))
    }

    /// An operation that only a primary key takes, or a key that is no multi-Region key at all.
    pub(crate) fn not_primary(key: KeyArn) -> Self {
        Self::Unsupported(format!("{key} is not a multi-region primary key."))
    }

    /// A material that a record names is missing: the store has lost something.
    pub(crate) fn material_missing(key: KeyArn, material: KeyMaterialId) -> Self {
        Self::Store(store::StoreError::damaged(
            key.to_string(),
            format!("key material {material} is missing"),
        ))
    }
}
