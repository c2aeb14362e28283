//! ListOpenIDConnectProviderTags: the tags of a provider, in the order of their keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviderTags.html>

use base::Call;
use wire::iam::{
    ListOpenIDConnectProviderTags, ListOpenIDConnectProviderTagsRequest,
    ListOpenIDConnectProviderTagsResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::tags;

impl Handle for ListOpenIDConnectProviderTags {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListOpenIDConnectProviderTagsRequest,
    ) -> Result<Done<Self>, IamError> {
        let (provider, permit) =
            identity.find_provider::<Self>(call, &request.open_id_connect_provider_arn).await?;
        let scope = format!("ListOpenIDConnectProviderTags {}", permit.arn());
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = tags::page(&provider.record.tags, &listing)?;
        Ok(permit.answer(ListOpenIDConnectProviderTagsResponse {
            is_truncated: page.is_truncated(),
            tags: page.items,
            marker: page.marker,
        }))
    }
}
