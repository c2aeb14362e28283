//! What depends on keys of the key service: what S3 keeps under them. For Keywright's own service page by page, for the key
//! service in sum.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base::KeyArn;
use kms::{Dependents, DependentsUnavailable, KeyDependents};
use management::{KeyNames, PortError, Usage, UsageError, UsageOfBucket, UsagePage};
use objects::{KeyUsage, KeyUsageError, UsedKey};
use store::Store;

/// How long it is counted before a key's deletion goes on with what is known then.
const COUNTING_MAX: Duration = Duration::from_secs(2);
/// Records between two looks at the time.
const RECORDS_AT_ONCE: usize = 2_000;

/// What objects know of keys.
pub(crate) struct UsageByObjects(KeyUsage);

impl UsageByObjects {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(KeyUsage::new(store))
    }
}

#[async_trait]
impl Usage for UsageByObjects {
    async fn page(&self, key: &KeyNames, after: Option<&str>, limit: usize) -> Result<UsagePage, UsageError> {
        let used = UsedKey { arn: &key.key, aliases: &key.aliases };
        let page = self.0.page(used, after, limit).await.map_err(|error| match error {
            KeyUsageError::InvalidPlace => UsageError::InvalidPlace,
            KeyUsageError::Failed(error) => UsageError::Failed(PortError::Failed(error.into())),
        })?;
        let buckets = page.buckets.into_iter().map(|found| UsageOfBucket {
            bucket: found.bucket,
            is_default: found.is_default,
            objects: found.objects,
            bytes: found.bytes,
            uploads: found.uploads,
        });
        Ok(UsagePage { buckets: buckets.collect(), records: page.records, next: page.next })
    }
}

#[async_trait]
impl KeyDependents for UsageByObjects {
    async fn of(&self, key: &KeyArn, aliases: &[String]) -> Result<Dependents, DependentsUnavailable> {
        let (mut dependents, mut buckets) = (Dependents::default(), BTreeSet::new());
        let (used, end) = (UsedKey { arn: key, aliases }, Instant::now() + COUNTING_MAX);
        let mut after = None;
        loop {
            let page = self.0.page(used, after.as_deref(), RECORDS_AT_ONCE).await;
            let page = page.map_err(|error| DependentsUnavailable(error.into()))?;
            for found in page.buckets {
                dependents.objects += found.objects + found.uploads;
                dependents.bytes = dependents.bytes.saturating_add(found.bytes);
                buckets.insert(found.bucket);
            }
            after = page.next;
            dependents.is_partial = after.is_some();
            if after.is_none() || Instant::now() >= end {
                break;
            }
        }
        dependents.buckets = u64::try_from(buckets.len()).unwrap_or(u64::MAX);
        Ok(dependents)
    }
}
