//! GetContextKeysForCustomPolicy: the condition keys that policies ask about, in conditions and in variables.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForCustomPolicy.html>

use base::Call;
use wire::iam::{
    GetContextKeysForCustomPolicy, GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::simulation::context_keys;
use crate::iam::table::Handle;

impl Handle for GetContextKeysForCustomPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetContextKeysForCustomPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let names = context_keys(None, Some(&request.policy_input_list))?;
        Ok(permit.answer(GetContextKeysForPolicyResponse { context_key_names: Some(names) }))
    }
}
