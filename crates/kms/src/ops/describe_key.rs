//! DescribeKey: the metadata of a key. Works in every key state.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>

use base::Call;
use wire::kms::{DescribeKey, DescribeKeyRequest, DescribeKeyResponse};

use crate::authorize::{Identifiers, KeyAction, StateRule};
use crate::error::KmsError;
use crate::table::Handle;
use crate::{Kms, metadata};

impl KeyAction for DescribeKey {
    const NAME: &'static str = "DescribeKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for DescribeKey {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, KmsError> {
        let key = kms.keys.find::<Self>(call, &request.key_id).await?.authorize::<Self>(call)?.usable()?;
        Ok(DescribeKeyResponse { key_metadata: Some(metadata::of(&key.arn(), key.record())) })
    }
}
