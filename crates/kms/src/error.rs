//! Everything a KMS operation can refuse or fail with, and the AWS code and text of each.
//!
//! Texts are those recorded from or published by AWS KMS; where none is known, the text is ours and says what to do.

use base::{Caller, KeyArn, RandomnessUnavailable, Region};
use crypto::KeyMaterialId;
use keyring::KeyringError;
use wire::Fault;
use wire::kms::ErrorCode;

use crate::keys::LoadedKey;

/// A refused or failed call.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
    /// The caller may not do this. Deliberately silent about whether the key exists.
    #[error("access denied: {0}")]
    AccessDenied(String),
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
    MalformedPolicy(&'static str),
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
    /// The audit record could not be made, so nothing was done.
    #[error("audit: {0}")]
    Audit(#[from] audit::RecordError),
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

    /// A key that is not in the caller's reach: in another account, or not there at all.
    pub(crate) fn foreign_key(caller: &Caller, action: &str) -> Self {
        Self::AccessDenied(format!(
            "User: {} is not authorized to perform: kms:{action} on this resource because the resource does not \
             exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly \
             denies access",
            caller.arn()
        ))
    }

    /// A key whose key policy does not allow it.
    pub(crate) fn not_in_key_policy(caller: &Caller, action: &str, key: KeyArn) -> Self {
        Self::AccessDenied(format!(
            "User: {} is not authorized to perform: kms:{action} on resource: {key} because no resource-based \
             policy allows the kms:{action} action",
            caller.arn()
        ))
    }

    /// Decrypt without KeyId: the ciphertext's key is gone, elsewhere or not permitted.
    pub(crate) fn ciphertext_key_out_of_reach() -> Self {
        Self::AccessDenied(
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or \
             you are not allowed to access."
                .to_owned(),
        )
    }

    /// A material that a record names is missing: the store has lost something.
    pub(crate) fn material_missing(key: KeyArn, material: KeyMaterialId) -> Self {
        Self::Store(store::StoreError::damaged(
            key.to_string(),
            format!("key material {material} is missing"),
        ))
    }

    /// The answer for the client of an operation that may answer with the codes in `modelled`. What only the operator may
    /// know stays in `Display`.
    pub fn to_fault(&self, modelled: &[ErrorCode]) -> Fault {
        let message = self.client_text();
        match self.code() {
            Code::Modelled(code) if modelled.contains(&code) => {
                Fault { code: code.as_str(), status: code.status(), message }
            }
            Code::Modelled(code) => {
                let (code, status) = instead_of(code);
                Fault { code, status, message }
            }
            Code::Framework(code) => Fault { code, status: 400, message },
        }
    }

    fn code(&self) -> Code {
        Code::Modelled(match self {
            Self::AccessDenied(_) => return Code::Framework("AccessDeniedException"),
            Self::Invalid(_) | Self::InvalidGrant(_) => return Code::Framework("ValidationException"),
            Self::NotFound(_) => ErrorCode::NotFoundException,
            Self::InvalidArn(_) | Self::InvalidPrincipal(_) | Self::AliasNotSupported => {
                ErrorCode::InvalidArnException
            }
            Self::InvalidGrantId(_) => ErrorCode::InvalidGrantIdException,
            Self::AliasReserved(_) => ErrorCode::InvalidAliasNameException,
            Self::AliasExists(_) | Self::ReplicaExists(_) => ErrorCode::AlreadyExistsException,
            Self::State(StateRefusal::Disabled(_)) => ErrorCode::DisabledException,
            Self::State(_) => ErrorCode::KMSInvalidStateException,
            Self::IncorrectKeyMaterial(_) => ErrorCode::IncorrectKeyMaterialException,
            Self::InvalidImportToken => ErrorCode::InvalidImportTokenException,
            Self::ExpiredImportToken => ErrorCode::ExpiredImportTokenException,
            Self::IncorrectKey => ErrorCode::IncorrectKeyException,
            Self::InvalidCiphertext => ErrorCode::InvalidCiphertextException,
            Self::InvalidSignature => ErrorCode::KMSInvalidSignatureException,
            Self::InvalidMac => ErrorCode::KMSInvalidMacException,
            Self::InvalidKeyUsage(_) => ErrorCode::InvalidKeyUsageException,
            Self::InvalidGrantToken => ErrorCode::InvalidGrantTokenException,
            Self::InvalidMarker => ErrorCode::InvalidMarkerException,
            Self::Tag(_) => ErrorCode::TagException,
            Self::MalformedPolicy(_) => ErrorCode::MalformedPolicyDocumentException,
            Self::LimitExceeded(_) => ErrorCode::LimitExceededException,
            Self::CustomKeyStoreNotFound(_) => ErrorCode::CustomKeyStoreNotFoundException,
            Self::CloudHsmClusterNotFound(_) => ErrorCode::CloudHsmClusterNotFoundException,
            Self::XksProxyUnreachable(_) => ErrorCode::XksProxyUriUnreachableException,
            Self::Unsupported(_) | Self::RotationOfOneMaterial => ErrorCode::UnsupportedOperationException,
            Self::RotationImminent(_) => ErrorCode::ConflictException,
            Self::Keyring(KeyringError::TooManyDomains { .. }) => ErrorCode::LimitExceededException,
            Self::DryRun => ErrorCode::DryRunOperationException,
            Self::Contention(_) => ErrorCode::DependencyTimeoutException,
            Self::Store(_)
            | Self::Commit(_)
            | Self::Encrypt(_)
            | Self::Envelope(_)
            | Self::KeyPair(_)
            | Self::Audit(_)
            | Self::Keyring(_)
            | Self::Principals(_)
            | Self::Randomness(_)
            | Self::Bug(_) => ErrorCode::KMSInternalException,
        })
    }

    fn client_text(&self) -> Option<String> {
        Some(match self {
            Self::InvalidCiphertext
            | Self::InvalidSignature
            | Self::InvalidMac
            | Self::RotationOfOneMaterial
            | Self::Invalid(InvalidRequest::PeerKey) => return None,
            Self::AccessDenied(text) | Self::InvalidKeyUsage(text) | Self::Unsupported(text) => text.clone(),
            Self::Invalid(rule) => rule.to_string(),
            Self::InvalidGrant(rule) => rule.to_string(),
            Self::NotFound(what) => what.to_string(),
            Self::State(refusal) => refusal.to_string(),
            Self::Tag(refusal) => refusal.to_string(),
            Self::LimitExceeded(limit) => limit.to_string(),
            Self::AliasExists(arn) => format!("An alias with the name {arn} already exists"),
            Self::ReplicaExists(key) => format!("The key {key} already exists."),
            Self::AliasReserved(name) => {
                format!(
                    "{name} is not valid: names that begin with alias/aws/ are reserved for AWS managed keys"
                )
            }
            Self::CustomKeyStoreNotFound(id) => format!("Custom key store {id} does not exist."),
            Self::CloudHsmClusterNotFound(id) => {
                format!(
                    "AWS CloudHSM cluster {id} cannot be reached: this version of Keywright offers no custom key stores."
                )
            }
            Self::XksProxyUnreachable(endpoint) => {
                format!(
                    "{endpoint} cannot be reached: this version of Keywright offers no custom key stores."
                )
            }
            Self::RotationImminent(key) => {
                format!("An automatic rotation of {key} is in progress or starts within 20 minutes.")
            }
            Self::MalformedPolicy(text) => (*text).to_owned(),
            Self::Keyring(KeyringError::TooManyDomains { domain, .. }) => format!(
                "This service holds keys in as many Regions as it may, and none in {domain}. Use one of the others."
            ),
            Self::InvalidArn(text) => format!("Invalid arn {text}"),
            Self::InvalidPrincipal(arn) => format!("ARN does not refer to a valid principal: {arn}"),
            Self::InvalidGrantId(text) => {
                format!("{text} is not valid: a grant ID has 64 lower-case hexadecimal digits.")
            }
            Self::AliasNotSupported => "Key Aliases are not supported for this operation".to_owned(),
            Self::IncorrectKey => {
                "The key ID in the request does not identify a CMK that can perform this operation."
                    .to_owned()
            }
            Self::IncorrectKeyMaterial(text) => (*text).to_owned(),
            Self::InvalidImportToken => {
                "The import token is not one that GetParametersForImport gave for this KMS key.".to_owned()
            }
            Self::ExpiredImportToken => {
                "The import token has expired: call GetParametersForImport for a new one.".to_owned()
            }
            Self::InvalidGrantToken => {
                "A grant token in the request does not belong to any grant on the key.".to_owned()
            }
            Self::InvalidMarker => "The marker was not issued by this listing.".to_owned(),
            Self::DryRun => "The request would have succeeded, but the DryRun option is set.".to_owned(),
            Self::Contention(_) => {
                "The key was changed by other requests at the same time. Try again.".to_owned()
            }
            Self::Store(_)
            | Self::Commit(_)
            | Self::Encrypt(_)
            | Self::Envelope(_)
            | Self::KeyPair(_)
            | Self::Audit(_)
            | Self::Keyring(_)
            | Self::Principals(_)
            | Self::Randomness(_)
            | Self::Bug(_) => OUR_FAILURE.to_owned(),
        })
    }
}

/// All that a client learns of a failure that is not its own.
const OUR_FAILURE: &str = "The request could not be carried out because of a failure of this service. Its operator \
                           finds the cause in the log under the request id.";

/// What an operation answers in the place of a code that its model does not have.
const STAND_INS: [(ErrorCode, &str, u16); 4] = [
    (ErrorCode::InvalidArnException, "NotFoundException", 400),
    (ErrorCode::InvalidAliasNameException, "NotFoundException", 400),
    (ErrorCode::InvalidMarkerException, "ValidationException", 400),
    (ErrorCode::DependencyTimeoutException, "KMSInternalException", 500),
];

fn instead_of(code: ErrorCode) -> (&'static str, u16) {
    let stand_in = STAND_INS.into_iter().find(|(missing, ..)| *missing == code);
    stand_in.map_or((code.as_str(), code.status()), |(_, code, status)| (code, status))
}

/// Where a code comes from: the service model knows its status, the framework's are all 400 on KMS.
enum Code {
    Modelled(ErrorCode),
    Framework(&'static str),
}
