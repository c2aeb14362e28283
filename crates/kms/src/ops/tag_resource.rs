//! TagResource: adds tags to a key, or gives existing ones a new value.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html>

use base::Call;
use wire::kms::{TagResource, TagResourceRequest, TagResourceResponse};

use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;
use crate::{Kms, tags};

impl KeyAction for TagResource {
    const NAME: &'static str = "TagResource";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
}

impl Handle for TagResource {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: TagResourceRequest,
    ) -> Result<TagResourceResponse, KmsError> {
        let named = tags::named(&request.tags);
        let facts = Facts { tags: Some(&named), ..Facts::default() };
        kms.change::<Self, _>(call, &request.key_id, &facts, |edit, _| {
            Ok(tags::add(&mut edit.record.tags, &request.tags)?)
        })
        .await?;
        Ok(TagResourceResponse)
    }
}
