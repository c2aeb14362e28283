//! GetUser: one user, by default the one who calls.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html>

use base::Call;
use wire::iam::{GetUser, GetUserRequest, GetUserResponse};

use crate::Identity;
use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::iam::view;
use crate::record::UserRecord;

impl Handle for GetUser {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (user, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        let user = view::user(permit.account(), &user.record);
        Ok(permit.answer(GetUserResponse { user }))
    }
}
