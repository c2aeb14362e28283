//! ListServiceSpecificCredentials: credentials of users for single services. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServiceSpecificCredentials.html>
//!
//! Differs from AWS: users have no such credentials, and none can be made.

use base::Call;
use wire::iam::{
    ListServiceSpecificCredentials, ListServiceSpecificCredentialsRequest,
    ListServiceSpecificCredentialsResponse,
};

use crate::Identity;
use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for ListServiceSpecificCredentials {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListServiceSpecificCredentialsRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (_, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        Ok(permit.answer(ListServiceSpecificCredentialsResponse {
            service_specific_credentials: Some(Vec::new()),
            is_truncated: Some(false),
            marker: None,
        }))
    }
}
