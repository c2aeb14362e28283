//! Refusals, by what is at fault: the request, its objects, their states, tags, quotas.
//!
//! Texts are those recorded from or published by AWS KMS; where none is known, the text is ours and says what to do.

use base::{KeyArn, Region};

/// Rules about the request that are not in the service model.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// CreateAlias, UpdateAlias, DeleteAlias: the name does not begin with `alias/`.
    #[error(
        "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    )]
    AliasPrefix,
    /// The model's pattern admits a colon, the service does not.
    #[error("{0} contains invalid characters for an alias")]
    AliasCharacters(String),
    /// An alias cannot point to an alias.
    #[error("Aliases must refer to keys. Not aliases")]
    AliasToAlias,
    /// UpdateAlias: old and new key differ in kind or usage.
    #[error("Alias {0} can only be pointed to a key of the same type and key usage as its present key.")]
    AliasKind(String),
    /// Decrypt and ReEncrypt without a ciphertext.
    #[error(
        "1 validation error detected: Value null at '{0}' failed to satisfy constraint: Member must not be null"
    )]
    Missing(&'static str),
    /// GenerateDataKey: neither or both of KeySpec and NumberOfBytes.
    #[error("Please specify either number of bytes or key spec.")]
    DataKeySize,
    /// GenerateRandom without NumberOfBytes.
    #[error("NumberOfBytes is required.")]
    NumberOfBytesRequired,
    /// CreateKey: KeyUsage is optional for SYMMETRIC_DEFAULT only.
    #[error("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")]
    KeyUsageRequired,
    /// CreateKey: the usage does not go with the spec.
    #[error("KeyUsage {usage} is not compatible with KeySpec {spec}")]
    KeyUsageIncompatible {
        /// The usage asked for.
        usage: &'static str,
        /// The spec asked for.
        spec: &'static str,
    },
    /// CreateKey: KeySpec and its deprecated twin differ.
    #[error("You can specify KeySpec or CustomerMasterKeySpec, but not both.")]
    KeySpecTwice,
    /// ScheduleKeyDeletion outside the service's window.
    #[error("PendingWindowInDays must be between 7 and 30 (inclusive), but is {0}.")]
    PendingWindow(i32),
    /// DryRunModifiers make sense with DryRun only.
    #[error("DryRunModifiers can be specified only when DryRun is true.")]
    ModifierWithoutDryRun,
    /// An encryption context goes with symmetric keys only.
    #[error("EncryptionContext can be specified only for symmetric encryption keys.")]
    ContextOfAsymmetricKey,
    /// RSA encryption has a limit of its own.
    #[error("Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {limit} bytes.")]
    RsaPlaintext {
        /// The algorithm.
        algorithm: &'static str,
        /// The spec.
        spec: &'static str,
        /// Bytes.
        limit: usize,
    },
    /// Sign, Verify: a digest of another hash than the algorithm's.
    #[error("Digest is invalid length for algorithm {0}.")]
    DigestLength(&'static str),
    /// Sign, Verify: the message type does not go with the algorithm.
    #[error("MessageType {message_type} is not valid for algorithm {algorithm}.")]
    MessageType {
        /// The message type.
        message_type: &'static str,
        /// The algorithm.
        algorithm: &'static str,
    },
    /// DeriveSharedSecret: not a public key on the key's curve.
    #[error("the public key is none on the key's curve")]
    PeerKey,
    /// DescribeCustomKeyStores by id and by name at once.
    #[error("You can specify CustomKeyStoreId or CustomKeyStoreName, but not both.")]
    CustomKeyStoreTwice,
    /// CreateCustomKeyStore lacks what its type needs.
    #[error("A parameter that is required for a custom key store of type {0} is missing.")]
    CustomKeyStoreIncomplete(wire::kms::CustomKeyStoreType),
    /// ImportKeyMaterial: material expires unless it is said that it does not.
    #[error("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")]
    ValidToRequired,
    /// ImportKeyMaterial: a date for material that does not expire.
    #[error("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")]
    ValidToNotExpected,
    /// ImportKeyMaterial: the date is past or more than 365 days away.
    #[error("ValidTo must be in the future and at most 365 days from now.")]
    ValidToRange,
    /// Parameters of imported material that only symmetric encryption keys have.
    #[error("{0} can be specified only for symmetric encryption keys.")]
    SymmetricOnly(&'static str),
    /// ImportKeyMaterial: new material has no id yet that could be named.
    #[error("KeyMaterialId can be specified only when ImportType is EXISTING_KEY_MATERIAL.")]
    IdOfNewMaterial,
    /// ReplicateKey: a Region that there is no replica to be made in.
    #[error("{region} is not a Region in which {key} can be replicated: {why}.")]
    ReplicaRegion {
        /// The primary key.
        key: KeyArn,
        /// The Region asked for.
        region: String,
        /// What speaks against it.
        why: &'static str,
    },
    /// UpdatePrimaryRegion: the Region of the primary key itself, or no Region.
    #[error("{0} is not a Region with a replica of the key.")]
    NoReplica(String),
    /// Recipient, and nobody said whose attestation documents to believe.
    #[error(
        "Recipient cannot be used: no root of trust for attestation documents is configured (setting attestation_roots)."
    )]
    NoAttestationRoots,
    /// Recipient with an attestation document that proves nothing.
    #[error("Recipient is not accepted: {0}.")]
    Attestation(crypto::InvalidAttestation),
}

/// What was not found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// The text is no key id.
    #[error("Invalid keyId '{0}'")]
    InvalidKeyId(String),
    /// An ARN of another Region than the request's.
    #[error("Invalid arn {0}")]
    OtherRegion(Region),
    /// A well-formed id without a key.
    #[error("Key '{0}' does not exist")]
    Key(KeyArn),
    /// No alias of that name.
    #[error("Alias {0} is not found.")]
    Alias(String),
    /// The key has no imported material of this id.
    #[error("Key material '{id}' is not associated with key '{key}'")]
    KeyMaterial {
        /// The key.
        key: KeyArn,
        /// The id asked for.
        id: String,
    },
    /// The key has no grant of this id.
    #[error("Grant ID {0} not found")]
    Grant(String),
    /// Key policies are called `default`.
    #[error("No such policy exists")]
    Policy,
}

/// How a key's state refuses.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateRefusal {
    /// The key is disabled.
    #[error("{0} is disabled.")]
    Disabled(KeyArn),
    /// The key is waiting for its deletion.
    #[error("{0} is pending deletion.")]
    PendingDeletion(KeyArn),
    /// The primary key is waiting for the deletion of its replicas.
    #[error("{0} is pending deletion (or pending replica deletion).")]
    PendingReplicaDeletion(KeyArn),
    /// Material that the key needs was never imported, has expired or was deleted.
    #[error("{0} is pending import.")]
    PendingImport(KeyArn),
    /// RotateKeyOnDemand of a key whose next material was not imported.
    #[error("No available key material pending rotation for the key: {0}.")]
    NoMaterialPendingRotation(KeyArn),
    /// ImportKeyMaterial of new material while other new material waits.
    #[error(
        "New key material (id: {new}) cannot be imported into KMS key {key}, because another key material (id: {pending}) is pending rotation."
    )]
    MaterialPendingRotation {
        /// The key.
        key: KeyArn,
        /// The material of the request.
        new: String,
        /// The material that waits.
        pending: String,
    },
    /// CancelKeyDeletion of a key that is not waiting.
    #[error("{0} is not pending deletion (or pending replica deletion).")]
    NotPendingDeletion(KeyArn),
}

/// Which tag rule is broken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagRefusal {
    /// One request names a tag key twice.
    #[error("Duplicate tag keys")]
    Duplicate,
    /// More than 50 tags on the key.
    #[error("Too many tags")]
    TooMany,
    /// Tag keys that begin with `aws:` in any letter case.
    #[error("Tags beginning with aws: are reserved")]
    Reserved,
}

/// Which quota is used up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// Customer managed keys per account and Region.
    #[error(
        "You have reached the limit of {0} KMS keys in this account and Region. Delete keys or raise the limit."
    )]
    Keys(u64),
    /// Related multi-Region keys.
    #[error("You have reached the limit of {limit} related multi-Region keys for the key {key}.")]
    RelatedKeys {
        /// The primary key.
        key: KeyArn,
        /// The most there can be, the primary key among them.
        limit: usize,
    },
    /// Aliases per key.
    #[error("You have reached the limit of {limit} aliases for the key {key}.")]
    Aliases {
        /// The key.
        key: KeyArn,
        /// The quota.
        limit: u32,
    },
    /// Grants per key.
    #[error("You have reached the limit of {limit} grants for the key {key}.")]
    Grants {
        /// The key.
        key: KeyArn,
        /// The quota.
        limit: u32,
    },
    /// On-demand rotations of a key, in its whole life.
    #[error(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {0}"
    )]
    OnDemandRotations(KeyArn),
    /// Size of a key policy.
    #[error("The key policy is {actual} bytes long; at most {limit} are allowed.")]
    PolicySize {
        /// Bytes given.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
}
