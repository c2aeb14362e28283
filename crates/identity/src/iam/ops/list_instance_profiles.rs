//! ListInstanceProfiles: the instance profiles of the account. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html>
//!
//! Differs from AWS: there are no instances, so there are no profiles.

use base::Call;
use wire::iam::{ListInstanceProfiles, ListInstanceProfilesRequest, ListInstanceProfilesResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;

impl Handle for ListInstanceProfiles {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        _request: &ListInstanceProfilesRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        Ok(permit.answer(ListInstanceProfilesResponse {
            instance_profiles: Vec::new(),
            is_truncated: Some(false),
            marker: None,
        }))
    }
}
