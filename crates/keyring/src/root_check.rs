//! Telling a wrong root at start, not at the first Decrypt.

use base::Randomness;
use crypto::Binding;
use crypto::root::RootKey;
use store::{CommitError, Entry, Key, Range, Store, Transaction, decode_record, encode_record};

use crate::KeyringError;
use crate::live_keys;
use crate::record::{DOMAIN_KEYS, RootCheckRecord};

const PATH: &str = "keyring/root-check";
const TEXT: &[u8] = b"keywright root check";

/// Opens the stored check value; seals and stores one if there is none.
pub(crate) async fn verify(
    store: &dyn Store,
    root: &RootKey,
    randomness: &dyn Randomness,
) -> Result<(), KeyringError> {
    let path = Key::new(PATH).map_err(store::StoreError::from)?;
    if let Some(entry) = store.get(&path).await? {
        return check(root, &entry);
    }
    refuse_foreign_domain_keys(store, root).await?;
    let sealed = root.seal(&binding(), TEXT, randomness)?;
    let value = encode_record(&RootCheckRecord { sealed })?;
    let first = Transaction::new().expect_absent(path.clone()).put(path.clone(), value);
    match store.commit(first).await {
        Ok(_) => Ok(()),
        // Another process was first; both must have the same root.
        Err(CommitError::Conflict { .. }) => match store.get(&path).await? {
            Some(entry) => check(root, &entry),
            None => Err(KeyringError::WrongRoot),
        },
        Err(other) => Err(KeyringError::NotStored(other)),
    }
}

fn check(root: &RootKey, entry: &Entry) -> Result<(), KeyringError> {
    let record: RootCheckRecord = decode_record(entry)?;
    root.open(&binding(), &record.sealed).map(drop).map_err(|_| KeyringError::WrongRoot)
}

/// A store that lost its check value must not get a new one from a root that opens none of its domain keys.
async fn refuse_foreign_domain_keys(store: &dyn Store, root: &RootKey) -> Result<(), KeyringError> {
    let page = store.range(Range::prefix(DOMAIN_KEYS).limit(1)).await?;
    match page.entries.first().map(|entry| live_keys::open(root, entry)).transpose()? {
        Some((_, None)) => Err(KeyringError::WrongRoot),
        Some((_, Some(_))) | None => Ok(()),
    }
}

fn binding() -> Binding {
    Binding::new("keywright root check")
}
