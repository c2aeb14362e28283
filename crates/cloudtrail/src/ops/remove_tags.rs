//! RemoveTags: takes tags of these keys from a trail, whatever their values.

use base::Call;
use wire::cloudtrail::{RemoveTags, RemoveTagsRequest, RemoveTagsResponse};

use super::request::tags;
use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for RemoveTags {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &RemoveTagsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::of_arn(&request.resource_id)?;
        let tags = tags(Some(&request.tags_list))?;
        let trail = service.changeable_trail::<Self>(call, &named, Some(&tags)).await?;
        let mut record = trail.record.clone();
        record.tags.retain(|key, _| !tags.contains_key(key));
        Done::changed(RemoveTagsResponse, trail.written(&record)?)
    }
}
