//! Domain keys: made on first use, sealed under the root, kept in the store, rotated.
//!
//! A domain is a Region, or the one that is above Regions (identities). Its keys are numbered from 1; the one with the
//! highest number seals, every one opens what it sealed. The store holds them sealed under the root key, at
//! `keyring/domain-key/<domain>/<number>`, and a check value at `keyring/root-check` that tells a wrong root at start.
//! Live keys stay in memory: rooms that seal and open never wait for the store once a domain is loaded.

mod domain;
mod domain_keys;
mod error;
mod live_keys;
mod record;
mod root_check;

pub use domain::Domain;
pub use domain_keys::{DOMAIN_KEYS_MAX, DOMAINS_MAX, DomainKeys, SealedUnderDomain};
pub use error::KeyringError;
