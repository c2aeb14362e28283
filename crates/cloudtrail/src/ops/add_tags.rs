//! AddTags: gives a trail tags; what a key said before is replaced.

use base::Call;
use wire::cloudtrail::{AddTags, AddTagsRequest, AddTagsResponse};

use super::request::{check_tag_count, tags};
use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::trail_name::NamedTrail;

impl Handle for AddTags {
    const READ_ONLY: bool = false;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &AddTagsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        let named = NamedTrail::of_arn(&request.resource_id)?;
        let tags = tags(Some(&request.tags_list))?;
        let trail = service.changeable_trail::<Self>(call, &named, Some(&tags)).await?;
        let mut record = trail.record.clone();
        record.tags.extend(tags);
        check_tag_count(&record.tags)?;
        Done::changed(AddTagsResponse, trail.written(&record)?)
    }
}
