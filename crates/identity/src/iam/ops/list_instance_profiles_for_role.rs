//! ListInstanceProfilesForRole: the instance profiles that a role is in. Tools ask before they delete a role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html>
//!
//! Differs from AWS: there are no instances, so there are no profiles.

use base::Call;
use wire::iam::{
    ListInstanceProfilesForRole, ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::RoleRecord;

impl Handle for ListInstanceProfilesForRole {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListInstanceProfilesForRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let (_, permit) = identity.find::<Self, RoleRecord>(call, &request.role_name).await?;
        Ok(permit.answer(ListInstanceProfilesForRoleResponse {
            instance_profiles: Vec::new(),
            is_truncated: Some(false),
            marker: None,
        }))
    }
}
