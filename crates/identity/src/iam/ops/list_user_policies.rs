//! ListUserPolicies: the names of the inline policies of a user.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html>

use base::Call;
use wire::iam::{ListUserPolicies, ListUserPoliciesRequest, ListUserPoliciesResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::inline;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for ListUserPolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListUserPoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let scope = format!("ListUserPolicies {}", user.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let page = inline::page(&user.record, &listing)?;
        Ok(permit.answer(ListUserPoliciesResponse {
            is_truncated: page.is_truncated(),
            policy_names: page.items,
            marker: page.marker,
        }))
    }
}
