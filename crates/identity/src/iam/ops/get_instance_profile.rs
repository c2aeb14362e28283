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
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;

impl Handle for GetInstanceProfile {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetInstanceProfileRequest,
    ) -> Result<Done<Self>, IamError> {
        let (kind, name) = (Kind::InstanceProfile, &request.instance_profile_name);
        let resource = Resource::named(kind, call.caller.account, "/", name);
        identity.authorize::<Self>(call, resource).await?;
        Err(IamError::no_such(kind, name))
    }
}
