//! DeleteUserPermissionsBoundary: takes a user's boundary away.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html>

use base::Call;
use wire::iam::{
    DeleteUserPermissionsBoundary, DeleteUserPermissionsBoundaryRequest,
    DeleteUserPermissionsBoundaryResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for DeleteUserPermissionsBoundary {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteUserPermissionsBoundaryRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let plan = identity.unbind(call, user).await?;
        Ok(permit.commit(plan, DeleteUserPermissionsBoundaryResponse))
    }
}
