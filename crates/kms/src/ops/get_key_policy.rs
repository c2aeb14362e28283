//! GetKeyPolicy: the key policy, byte for byte as it was put while everybody whom it names is there.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>

use base::Call;
use wire::kms::{GetKeyPolicy, GetKeyPolicyRequest, GetKeyPolicyResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::{KmsError, NotFound};
use crate::facts::Facts;
use crate::table::Handle;

/// The one name that key policies have.
pub(super) const POLICY_NAME: &str = "default";

impl KeyAction for GetKeyPolicy {
    const NAME: &'static str = "GetKeyPolicy";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for GetKeyPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: GetKeyPolicyRequest,
    ) -> Result<GetKeyPolicyResponse, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        only_default(request.policy_name.as_deref())?;
        Ok(GetKeyPolicyResponse {
            policy: Some(kms.policy_now(key.record()).await?),
            policy_name: Some(POLICY_NAME.to_owned()),
        })
    }
}

/// Refuses every policy name but `default`.
pub(super) fn only_default(name: Option<&str>) -> Result<(), KmsError> {
    if name.is_none_or(|name| name == POLICY_NAME) { Ok(()) } else { Err(NotFound::Policy.into()) }
}
