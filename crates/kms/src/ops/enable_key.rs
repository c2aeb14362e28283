//! EnableKey: the key may be used again. A rotation that was missed meanwhile happens at once.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html>

use base::{Call, Timestamp};
use wire::kms::{EnableKey, EnableKeyRequest, EnableKeyResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::due::DueWork;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::record::KeyState;
use crate::table::Handle;

impl KeyAction for EnableKey {
    const NAME: &'static str = "EnableKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::EnabledOrDisabled;
}

impl Handle for EnableKey {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: EnableKeyRequest,
    ) -> Result<EnableKeyResponse, KmsError> {
        let owed = kms
            .change::<Self, _>(call, &request.key_id, &Facts::default(), |edit, key| {
                edit.record.state = KeyState::Enabled;
                let leads = edit.record.leads_in(edit.arn.region);
                let Some(rotation) = edit.record.rotation.filter(|_| leads) else { return Ok(None) };
                // The entry may have been used up while the key could not rotate, so it is always put back.
                let at = call.time.max(Timestamp::from_millis(rotation.next_at));
                edit.schedule(DueWork::Rotate, at);
                Ok((at == call.time).then(|| key.arn()))
            })
            .await?;
        if let Some(arn) = owed {
            let entry = DueWork::Rotate.path(&arn, call.time);
            kms.rotate_due(&arn, &entry, call.time).await?;
        }
        Ok(EnableKeyResponse)
    }
}
