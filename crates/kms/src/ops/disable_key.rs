//! DisableKey: the key refuses all cryptographic use from the next call on.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html>

use base::Call;
use wire::kms::{DisableKey, DisableKeyRequest, DisableKeyResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::record::KeyState;
use crate::table::Handle;

impl KeyAction for DisableKey {
    const NAME: &'static str = "DisableKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::EnabledOrDisabled;
}

impl Handle for DisableKey {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DisableKeyRequest,
    ) -> Result<DisableKeyResponse, KmsError> {
        let arn = kms.keys.resolve::<Self>(call, &request.key_id).await?;
        let days_without_use = kms.days_without_use(&arn, call.time).await?;
        let facts = Facts { days_without_use, ..Facts::default() };
        kms.change::<Self, _>(call, &request.key_id, &facts, |edit, _| {
            edit.record.state = KeyState::Disabled;
            Ok(())
        })
        .await?;
        Ok(DisableKeyResponse)
    }
}
