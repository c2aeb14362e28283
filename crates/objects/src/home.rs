//! Where contents have their home: in a folder beside the store, or upstream. It cannot be changed while there are any,
//! for the records do not tell where a blob lies.

use base::{Randomness, RandomnessUnavailable};
use serde::{Deserialize, Serialize};
use store::{
    CommitError, KeyError, PAGE_ENTRIES_MAX, Range, Record, Store, StoreError, Transaction, decode_record,
    encode_record,
};

use crate::blob::BlobName;
use crate::paths;

/// Contents have no home.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There are contents, and they lie elsewhere.
    #[error("{0}")]
    Elsewhere(&'static str),
    /// The store does not answer as it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A change cannot be committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A path is none.
    #[error(transparent)]
    Path(#[from] KeyError),
    /// The system's fault.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}

/// That contents lie upstream, and under which name of ours there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UpstreamRecord {
    id: String,
}

impl Record for UpstreamRecord {
    const KIND: &'static str = "the home of objects";
    const VERSION: u8 = 1;
}

const IN_FOLDER: &str = "the data folder has contents of objects, so that none can lie upstream: take [objects.upstream] \
                         out of the configuration, or begin with an empty data folder";
const UPSTREAM: &str = "the contents of objects lie upstream, and the configuration does not say where: bring \
                        [objects.upstream] back";

/// Makes an upstream the home of contents, and gives the id under which they lie there. It is drawn once for each store,
/// so that several can share an upstream.
///
/// # Errors
/// [`HomeError::Elsewhere`] if there are contents in the folder; the store fails.
pub async fn move_upstream(store: &dyn Store, randomness: &dyn Randomness) -> Result<String, HomeError> {
    let path = paths::upstream()?;
    if let Some(entry) = store.get(&path).await? {
        return Ok(decode_record::<UpstreamRecord>(&entry)?.id);
    }
    if has_contents(store).await? {
        return Err(HomeError::Elsewhere(IN_FOLDER));
    }
    let mut id = [0; 16];
    randomness.fill(&mut id)?;
    let record = UpstreamRecord { id: format!("{:032x}", u128::from_be_bytes(id)) };
    let transaction = Transaction::new().expect_absent(path.clone()).put(path, encode_record(&record)?);
    store.commit(transaction).await?;
    Ok(record.id)
}

/// Makes the folder the home of contents.
///
/// # Errors
/// [`HomeError::Elsewhere`] if there are contents upstream; the store fails.
pub async fn move_into_folder(store: &dyn Store) -> Result<(), HomeError> {
    let path = paths::upstream()?;
    if store.get(&path).await?.is_none() {
        return Ok(());
    }
    if has_contents(store).await? {
        return Err(HomeError::Elsewhere(UPSTREAM));
    }
    store.commit(Transaction::new().delete(path)).await?;
    Ok(())
}

/// The blobs that the records of a store have, in order; `None` if those lie upstream.
///
/// # Errors
/// The store cannot be read, or does not hold what it should.
pub async fn blobs_in_folder(store: &dyn Store) -> Result<Option<Vec<BlobName>>, StoreError> {
    if store.get(&paths::upstream()?).await?.is_some() {
        return Ok(None);
    }
    let (mut names, mut range) = (Vec::new(), Range::prefix(paths::BLOBS).limit(PAGE_ENTRIES_MAX));
    loop {
        let page = store.range(range.clone()).await?;
        for entry in &page.entries {
            let name = entry.key.as_str().strip_prefix(paths::BLOBS).and_then(|name| name.parse().ok());
            names.push(name.ok_or_else(|| StoreError::damaged(entry.key.as_str(), "no name of a blob"))?);
        }
        match page.entries.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(Some(names)),
        }
    }
}

async fn has_contents(store: &dyn Store) -> Result<bool, StoreError> {
    let page = store.range(Range::prefix(paths::BLOBS).limit(1)).await?;
    Ok(!page.entries.is_empty())
}
