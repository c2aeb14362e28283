//! UntagResource: removes tags from a key; tag keys that it does not have are ignored.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html>

use base::Call;
use wire::kms::{UntagResource, UntagResourceRequest, UntagResourceResponse};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl KeyAction for UntagResource {
    const NAME: &'static str = "UntagResource";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
}

impl Handle for UntagResource {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, KmsError> {
        let facts = Facts { tag_keys: Some(&request.tag_keys), ..Facts::default() };
        kms.change::<Self, _>(call, &request.key_id, &facts, |edit, _| {
            for tag_key in &request.tag_keys {
                edit.record.tags.remove(tag_key);
            }
            Ok(())
        })
        .await?;
        Ok(UntagResourceResponse)
    }
}
