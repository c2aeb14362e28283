//! ListKeyUsage: what depends on a key, in the key's own account: buckets that encrypt under it by default, objects and
//! uploads under it, page by page. A bucket that is looked through in several pages comes in each with what is found there.
//! Buckets of other accounts are told as well: their calls are in the key's trail.

use base::Call;
use wire::keywright::{BucketUsage, ListKeyUsage, ListKeyUsageRequest, ListKeyUsageResponse};

use crate::Management;
use crate::error::ManagementError;
use crate::ports::{UsageError, UsageOfBucket};
use crate::table::Handle;

/// Records that a page looks at, if nothing is said.
const LIMIT_DEFAULT: usize = 10_000;

impl Handle for ListKeyUsage {
    async fn handle(
        management: &Management,
        call: &Call,
        request: ListKeyUsageRequest,
    ) -> Result<ListKeyUsageResponse, ManagementError> {
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIMIT_DEFAULT);
        let names = management.keys.names(call, &request.key_id).await?;
        management.authorize::<Self>(call, &names.key.to_string()).await?;
        let page = management.usage.page(&names, request.marker.as_deref(), limit).await;
        let page = page.map_err(|error| match error {
            UsageError::InvalidPlace => ManagementError::InvalidMarker,
            UsageError::Failed(error) => error.into(),
        })?;
        Ok(ListKeyUsageResponse {
            key_id: names.key.to_string(),
            buckets: page.buckets.into_iter().map(told).collect(),
            records: count(page.records),
            truncated: page.next.is_some(),
            next_marker: page.next,
        })
    }
}

fn told(usage: UsageOfBucket) -> BucketUsage {
    BucketUsage {
        bucket: usage.bucket,
        is_default: usage.is_default,
        objects: count(usage.objects),
        bytes: count(usage.bytes),
        uploads: count(usage.uploads),
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
