//! DeleteAccessKey: ends an access key of a user, by default of the one who calls. It acts on the next request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html>

use base::Call;
use wire::iam::{DeleteAccessKey, DeleteAccessKeyRequest, DeleteAccessKeyResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;

impl Handle for DeleteAccessKey {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &DeleteAccessKeyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut holder, permit) =
            identity.access_key_holder::<Self>(call, request.user_name.as_ref()).await?;
        let key = holder.access_key(identity, &request.access_key_id).await?;
        holder.access_keys_mut().retain(|id| *id != request.access_key_id);
        let plan = key.removed(holder.replaced(Plan::new())?);
        Ok(permit.commit(plan, DeleteAccessKeyResponse))
    }
}
