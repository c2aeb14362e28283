//! Rules of the grant operations about their requests.

use wire::kms::{KeySpec, KeyUsageType};

use super::terms::{CONTEXT_CHARACTERS_MAX, CONTEXT_PAIRS_MAX};

/// Which rule of the grant operations a request breaks.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrant {
    /// CreateGrant: neither or both of the grantees.
    #[error("You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.")]
    Grantee,
    /// CreateGrant: both of the retiring principals.
    #[error("You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")]
    Retiring,
    /// CreateGrant: a service as grantee without what it needs.
    #[error(
        "A grant with a GranteeServicePrincipal must have a SourceArn constraint and either a RetiringPrincipal or a \
         RetiringServicePrincipal."
    )]
    ServiceGrantee,
    /// CreateGrant: an empty list of operations.
    #[error("Operations must name at least one operation.")]
    NoOperations,
    /// CreateGrant: a grant that allows nothing but making grants that allow nothing.
    #[error("Grants must not contain only the CreateGrant operation.")]
    CreateGrantAlone,
    /// CreateGrant: operations that the key is not for.
    #[error("A grant cannot allow {operations} on a key of spec {spec} and usage {usage}.")]
    Operations {
        /// The operations that do not fit.
        operations: String,
        /// The key's spec.
        spec: KeySpec,
        /// The key's usage.
        usage: KeyUsageType,
    },
    /// CreateGrant: two constraints on the encryption context.
    #[error("You can specify either EncryptionContextEquals or EncryptionContextSubset, but not both.")]
    ContextTwice,
    /// CreateGrant: a constraint on the encryption context for a key that knows none.
    #[error("A constraint on the encryption context can be specified only for symmetric encryption keys.")]
    ContextOfAsymmetricKey,
    /// CreateGrant: a constraint on the encryption context that is too large.
    #[error(
        "A constraint on the encryption context can have at most {CONTEXT_PAIRS_MAX} pairs, with keys and values of \
         at most {CONTEXT_CHARACTERS_MAX} characters."
    )]
    ContextSize,
    /// ListGrants: both filters.
    #[error("You can specify either GranteePrincipal or GranteeServicePrincipal, but not both.")]
    GranteeFilter,
    /// ListRetirableGrants: neither or both of the retiring principals.
    #[error("You must specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")]
    RetiringFilter,
    /// RetireGrant: no grant is named.
    #[error("You must specify either GrantToken, or KeyId and GrantId.")]
    NoGrant,
}
