//! ListTags: the tags of up to twenty trails.

use base::Call;
use wire::cloudtrail::{ErrorCode, ListTags, ListTagsRequest, ListTagsResponse, ResourceTag};

use super::list_trails::no_such_page;
use crate::CloudTrail;
use crate::error::CloudTrailError;
use crate::table::{Done, Handle};
use crate::told;
use crate::trail_name::NamedTrail;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTags.html>
const RESOURCES_MAX: usize = 20;

impl Handle for ListTags {
    const READ_ONLY: bool = true;

    async fn handle(
        service: &CloudTrail,
        call: &Call,
        request: &ListTagsRequest,
    ) -> Result<Done<Self>, CloudTrailError> {
        if request.next_token.is_some() {
            return Err(no_such_page());
        }
        if request.resource_id_list.len() > RESOURCES_MAX {
            let text = format!("Tags of at most {RESOURCES_MAX} trails can be listed at once.");
            return Err(CloudTrailError::refused(ErrorCode::CloudTrailARNInvalidException, text));
        }
        let mut list = Vec::new();
        for arn in &request.resource_id_list {
            let named = NamedTrail::of_arn(arn)?;
            let found = service.trail_for::<Self>(call, &named, None).await?;
            list.push(ResourceTag {
                resource_id: Some(found.arn()),
                tags_list: Some(told::tags(&found.tags)),
            });
        }
        Done::unchanged(ListTagsResponse { resource_tag_list: Some(list), next_token: None })
    }
}
