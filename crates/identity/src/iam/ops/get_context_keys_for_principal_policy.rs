//! GetContextKeysForPrincipalPolicy: the condition keys that the policies of a user, group or role ask about, its boundary
//! included, and those that the request brings along.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForPrincipalPolicy.html>

use base::Call;
use wire::iam::{
    GetContextKeysForPolicyResponse, GetContextKeysForPrincipalPolicy,
    GetContextKeysForPrincipalPolicyRequest,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::simulation::context_keys;
use crate::iam::table::Handle;

impl Handle for GetContextKeysForPrincipalPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetContextKeysForPrincipalPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (subject, permit) = identity.subject::<Self>(call, &request.policy_source_arn).await?;
        let names = context_keys(Some(&subject), request.policy_input_list.as_ref())?;
        Ok(permit.answer(GetContextKeysForPolicyResponse { context_key_names: Some(names) }))
    }
}
