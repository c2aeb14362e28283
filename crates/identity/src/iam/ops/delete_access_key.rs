//! DeleteAccessKey: ends an access key of a user, by default of the one who calls. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html>

use base::Call;
use wire::iam::{DeleteAccessKey, DeleteAccessKeyRequest, DeleteAccessKeyResponse};

use crate::Identity;
use crate::iam::access_key::access_key_of;
use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for DeleteAccessKey {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteAccessKeyRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (mut user, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        let key = access_key_of(identity, &user.record, &request.access_key_id).await?;
        user.record.access_keys.retain(|id| *id != request.access_key_id);
        let plan = key.removed(user.replaced(Plan::new())?);
        Ok(permit.commit(plan, DeleteAccessKeyResponse))
    }
}
