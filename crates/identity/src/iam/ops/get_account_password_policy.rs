//! GetAccountPasswordPolicy: the rules for passwords. There are none here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountPasswordPolicy.html>
//!
//! Differs from AWS: users have no passwords.

use base::Call;
use wire::iam::{GetAccountPasswordPolicy, GetAccountPasswordPolicyRequest};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;

impl Handle for GetAccountPasswordPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        _request: &GetAccountPasswordPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        Err(IamError::NoSuchEntity(format!(
            "The Password Policy with domain name {account} cannot be found."
        )))
    }
}
