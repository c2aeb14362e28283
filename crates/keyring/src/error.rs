//! What can go wrong with domain keys.

use base::RandomnessUnavailable;
use crypto::{DamagedSeal, SealError};
use store::{CommitError, StoreError};

/// Nothing was sealed or opened. All of this is the operator's to mend, or a bug; none of it is a caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The operator's: this root is not the one that sealed the domain keys in the store.
    #[error("the root key does not belong to this data; start with the root file that was made with it")]
    WrongRoot,
    /// The operator's: a stored domain key does not open, though the root is the right one.
    #[error("domain key {number} of {domain} is damaged; restore the store from a backup")]
    DamagedDomainKey {
        /// The name of the domain.
        domain: String,
        /// The number of the key.
        number: u32,
    },
    /// The operator's: something was sealed under a domain key that the store does not have.
    #[error("domain key {number} of {domain} is missing; restore the store from a backup")]
    MissingDomainKey {
        /// The name of the domain.
        domain: String,
        /// The number of the key.
        number: u32,
    },
    /// The operator's: the domain was rotated too often.
    #[error("{domain} has as many domain keys as one domain can have; it cannot be rotated any more")]
    TooManyDomainKeys {
        /// The name of the domain.
        domain: String,
    },
    /// The caller's: a domain more than the store may have; see [`crate::DOMAINS_MAX`].
    #[error("there are {limit} domains already, and {domain} would be one more")]
    TooManyDomains {
        /// The name of the domain.
        domain: String,
        /// How many there may be.
        limit: usize,
    },
    /// The operator's: a sealed secret was changed or put where it does not belong.
    #[error("a stored secret cannot be opened: {0}")]
    Seal(#[from] DamagedSeal),
    /// A bug, or the system's: the secret was not sealed.
    #[error(transparent)]
    NotSealed(#[from] SealError),
    /// The system's.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The store failed while reading.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take a new domain key.
    #[error("a domain key could not be stored: {0}")]
    NotStored(CommitError),
}
