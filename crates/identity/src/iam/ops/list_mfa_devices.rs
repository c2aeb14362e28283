//! ListMFADevices: MFA devices of a user, by default of the one who calls. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html>
//!
//! Differs from AWS: users have no MFA devices, and none can be made.

use base::Call;
use wire::iam::{ListMFADevices, ListMFADevicesRequest, ListMFADevicesResponse};

use crate::Identity;
use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for ListMFADevices {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListMFADevicesRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (_, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        Ok(permit.answer(ListMFADevicesResponse {
            mfa_devices: Vec::new(),
            is_truncated: Some(false),
            marker: None,
        }))
    }
}
