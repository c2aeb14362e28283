//! ListPublicKeys: the keys that verify digests which were signed within a span of time; now, if none is said.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>

use base::Call;
use wire::cloudtrail::{ErrorCode, ListPublicKeys, ListPublicKeysRequest, ListPublicKeysResponse, PublicKey};

use super::list_trails::no_such_page;
use crate::CloudTrail;
use crate::authorize::Target;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};

impl Handle for ListPublicKeys {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &ListPublicKeysRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        service.authorize::<Self>(call, &Target::default()).await?;
        if request.next_token.is_some() {
            return Err(no_such_page());
        }
        let start = request.start_time.or(request.end_time).unwrap_or(call.time);
        let end = request.end_time.unwrap_or_else(|| call.time.max(start));
        if start > end {
            let text = "Invalid time range: the start time must not be after the end time.";
            return Err(CloudTrailError::refused(ErrorCode::InvalidTimeRangeException, text));
        }
        let keys = service.deliveries.public_keys(call.region, start, end).await?;
        let keys = keys.into_iter().map(|key| PublicKey {
            value: Some(key.value),
            validity_start_time: Some(key.valid_from),
            validity_end_time: Some(key.valid_until),
            fingerprint: Some(key.fingerprint),
        });
        let public_key_list = Some(keys.collect());
        Done::unchanged(ListPublicKeysResponse { public_key_list, next_token: None })
    }
}
