//! PutUserPermissionsBoundary: bounds a user by a managed policy.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>

use base::Call;
use wire::iam::{
    PutUserPermissionsBoundary, PutUserPermissionsBoundaryRequest, PutUserPermissionsBoundaryResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for PutUserPermissionsBoundary {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &PutUserPermissionsBoundaryRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_boundary(&request.permissions_boundary);
        let (user, permit) = identity.find_with::<Self, UserRecord>(call, &request.user_name, facts).await?;
        let plan = identity.bound(call, user, &request.permissions_boundary).await?;
        Ok(permit.commit(plan, PutUserPermissionsBoundaryResponse))
    }
}
