//! GetLoginProfile: the password of a user for the console. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html>
//!
//! Differs from AWS: users have no passwords.

use base::Call;
use wire::iam::{GetLoginProfile, GetLoginProfileRequest};

use crate::Identity;
use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for GetLoginProfile {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetLoginProfileRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        identity.find::<Self, UserRecord>(call, &name).await?;
        Err(IamError::NoSuchEntity(format!("Login Profile for User {name} cannot be found.")))
    }
}
