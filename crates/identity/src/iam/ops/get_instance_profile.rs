//! GetInstanceProfile: one instance profile. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html>
//!
//! Differs from AWS: there are no instances, so there are no profiles.

use base::Call;
use wire::iam::{GetInstanceProfile, GetInstanceProfileRequest};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;

impl Handle for GetInstanceProfile {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetInstanceProfileRequest,
    ) -> Result<Done<Self>, IamError> {
        identity.authorize::<Self>(call, Resource::Account).await?;
        let name = &request.instance_profile_name;
        Err(IamError::NoSuchEntity(format!("Instance Profile {name} cannot be found.")))
    }
}
