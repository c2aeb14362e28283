//! ListVirtualMFADevices: the virtual MFA devices of the account. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html>
//!
//! Differs from AWS: there are no MFA devices, and none can be made.

use base::Call;
use wire::iam::{ListVirtualMFADevices, ListVirtualMFADevicesRequest, ListVirtualMFADevicesResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;

impl Handle for ListVirtualMFADevices {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        _request: &ListVirtualMFADevicesRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        Ok(permit.answer(ListVirtualMFADevicesResponse {
            virtual_mfa_devices: Vec::new(),
            is_truncated: Some(false),
            marker: None,
        }))
    }
}
