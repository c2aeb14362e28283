//! What stands in the store.

use crypto::{Binding, Sealed};
use serde::{Deserialize, Serialize};
use store::{Key, KeyError, Record};

use crate::Domain;

/// The prefix of all domain keys.
pub(crate) const DOMAIN_KEYS: &str = "keyring/domain-key/";

/// One domain key, sealed under the root.
#[derive(Serialize, Deserialize)]
pub(crate) struct DomainKeyRecord {
    pub(crate) sealed: Sealed,
}

impl Record for DomainKeyRecord {
    const KIND: &'static str = "a domain key";
    const VERSION: u8 = 1;
}

/// A known text, sealed under the root.
#[derive(Serialize, Deserialize)]
pub(crate) struct RootCheckRecord {
    pub(crate) sealed: Sealed,
}

impl Record for RootCheckRecord {
    const KIND: &'static str = "the check value of the root key";
    const VERSION: u8 = 1;
}

/// The prefix of one domain's keys.
pub(crate) fn prefix(domain: &Domain) -> String {
    format!("{DOMAIN_KEYS}{domain}/")
}

/// Where one domain key stands. Padded to the digits of the largest number, so that keys lie in order.
pub(crate) fn path(domain: &Domain, number: u32) -> Result<Key, KeyError> {
    Key::new(format!("{}{number:010}", prefix(domain)))
}

/// The domain's name and the number in the path of a domain key.
pub(crate) fn domain_and_number(path: &Key) -> Option<(&str, u32)> {
    let (domain, number) = path.as_str().strip_prefix(DOMAIN_KEYS)?.split_once('/')?;
    Some((domain, number.parse().ok()?))
}

/// What the seal of a domain key is bound to.
pub(crate) fn binding(domain: &str, number: u32) -> Binding {
    Binding::new("keywright domain key").part(domain.as_bytes()).part(&number.to_be_bytes())
}
