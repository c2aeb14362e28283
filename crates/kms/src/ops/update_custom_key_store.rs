//! UpdateCustomKeyStore: there are no custom key stores, so none is found.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html>

use base::Call;
use wire::kms::{UpdateCustomKeyStore, UpdateCustomKeyStoreRequest, UpdateCustomKeyStoreResponse};

use crate::Kms;
use crate::authorize::{AccountAction, authorize_account};
use crate::error::KmsError;
use crate::table::Handle;

impl AccountAction for UpdateCustomKeyStore {
    const NAME: &'static str = "UpdateCustomKeyStore";
}

impl Handle for UpdateCustomKeyStore {
    const READ_ONLY: bool = false;

    async fn handle(
        _: &Kms,
        call: &Call,
        request: UpdateCustomKeyStoreRequest,
    ) -> Result<UpdateCustomKeyStoreResponse, KmsError> {
        authorize_account::<Self>(call)?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
