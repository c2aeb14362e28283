//! Delivery: events go from the log into files with CloudTrail's names and layout, and signed digests say what was
//! delivered.
//!
//! Nobody who calls the service waits for it. It reads the log from a cursor, which is kept in the store, and plans a
//! piece: up to which event, and the moment in the files' names. Then it puts the files and moves the cursor. After a crash
//! in between, the plan is carried out again, and the same files get the same names. A destination that fails leaves
//! everything where it is until it takes files again.

mod chains;
mod deliverer;
mod destination;
pub(crate) mod digest;
pub(crate) mod keys;
pub(crate) mod log_reader;
pub(crate) mod object;
mod public_key_list;
pub(crate) mod records;
mod retention;
mod status;
#[cfg(test)]
pub(crate) mod tests;

use std::io;

use keyring::KeyringError;
use store::{CommitError, StoreError};

pub use deliverer::{Deliverer, DeliveryParts, KeptOld, Pause};
pub use destination::{
    Destination, DestinationError, FolderDestination, METADATA_SUFFIX, files_below, replace_file,
};
pub use keys::{DigestKeys, PublicDigestKey, all_public_keys};
pub use log_reader::{BreakKind, LogBreak};
pub use object::{Object, SIGNATURE, SIGNATURE_ALGORITHM};
pub use public_key_list::{InvalidKeyList, read_public_keys, write_public_keys};
pub use retention::{InvalidMark, Kept, Retention, read_mark};
pub use status::DeliveryStatus;

/// Something was not delivered. All of it is in the log still, and is tried again at the next turn.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The operator's: the folder or bucket does not take files.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The operator's: the log cannot be read, or what is old cannot be removed.
    #[error("the audit log or delivered files cannot be read or removed: {0}")]
    Log(io::Error),
    /// The store failed while reading.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take what was delivered.
    #[error("where delivery has come to could not be stored: {0}")]
    NotStored(#[from] CommitError),
    /// The key that signs digests cannot be opened or sealed.
    #[error("a key that signs digests: {0}")]
    Keyring(#[from] KeyringError),
    /// The cryptography library failed, as for want of memory or randomness.
    #[error("the cryptography library failed to make a key pair or a signature for a digest")]
    NoKeyPair,
    /// The runtime is shutting down.
    #[error("delivery was interrupted by the end of the process")]
    Interrupted,
}
