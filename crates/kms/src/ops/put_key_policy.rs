//! PutKeyPolicy: replaces the key policy. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>

use base::Call;
use wire::kms::{PutKeyPolicy, PutKeyPolicyRequest, PutKeyPolicyResponse};

use super::get_key_policy::only_default;
use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::key_policy::Guarded;
use crate::table::Handle;

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
        let facts = Facts {
            bypass_policy_lockout_safety_check: request.bypass_policy_lockout_safety_check,
            ..Facts::default()
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        only_default(request.policy_name.as_deref())?;
        let bypass = request.bypass_policy_lockout_safety_check == Some(true);
        let on = Guarded { arn: key.arn(), key: Some(key.key()), facts: &facts };
        let policy = kms.check_policy(call, &request.policy, on, bypass).await?;
        kms.change::<Self, _>(call, &request.key_id, &facts, |edit, _| {
            policy.put_on(&mut edit.record);
            Ok(())
        })
        .await?;
        Ok(PutKeyPolicyResponse)
    }
}
