//! UpdateAccessKey: makes an access key of a user, by default of the one who calls, inactive or active again. It acts on the
//! next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>

use base::Call;
use wire::iam::{StatusType, UpdateAccessKey, UpdateAccessKeyRequest, UpdateAccessKeyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::AccessKeyStatus;

impl Handle for UpdateAccessKey {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateAccessKeyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (holder, permit) = identity.access_key_holder::<Self>(call, request.user_name.as_ref()).await?;
        let mut key = holder.access_key(identity, &request.access_key_id).await?;
        key.record.status = match request.status {
            StatusType::Active => AccessKeyStatus::Active,
            StatusType::Inactive => AccessKeyStatus::Inactive,
            StatusType::Expired => {
                return Err(IamError::InvalidInput("Only Active and Inactive can be set.".to_owned()));
            }
        };
        let plan = key.replaced(Plan::new())?;
        Ok(permit.commit(plan, UpdateAccessKeyResponse))
    }
}
