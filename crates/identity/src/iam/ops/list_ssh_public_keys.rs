//! ListSSHPublicKeys: SSH public keys of a user, by default of the one who calls. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSSHPublicKeys.html>
//!
//! Differs from AWS: users have no SSH public keys, and none can be made.

use base::Call;
use wire::iam::{ListSSHPublicKeys, ListSSHPublicKeysRequest, ListSSHPublicKeysResponse};

use crate::Identity;
use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::UserRecord;

impl Handle for ListSSHPublicKeys {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListSSHPublicKeysRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (_, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        Ok(permit.answer(ListSSHPublicKeysResponse {
            ssh_public_keys: Some(Vec::new()),
            is_truncated: Some(false),
            marker: None,
        }))
    }
}
