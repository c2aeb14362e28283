//! PutKeyPolicy: replaces the key policy. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>
//!
//! Differs from AWS: the lockout check is not made yet, since policies do not decide yet.

use base::Call;
use wire::kms::{PutKeyPolicy, PutKeyPolicyRequest, PutKeyPolicyResponse};

use super::get_key_policy::only_default;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::table::Handle;
use crate::{Kms, policy_document};

impl KeyAction for PutKeyPolicy {
    const NAME: &'static str = "PutKeyPolicy";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for PutKeyPolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: PutKeyPolicyRequest,
    ) -> Result<PutKeyPolicyResponse, KmsError> {
        kms.change::<Self, _>(call, &request.key_id, |edit, _| {
            only_default(request.policy_name.as_deref())?;
            policy_document::check(&request.policy)?;
            edit.record.policy.clone_from(&request.policy);
            Ok(())
        })
        .await?;
        Ok(PutKeyPolicyResponse)
    }
}
