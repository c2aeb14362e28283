//! UpdateCustomKeyStore: there are no custom key stores, so none is found.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html>

use base::Call;
use wire::kms::{UpdateCustomKeyStore, UpdateCustomKeyStoreRequest, UpdateCustomKeyStoreResponse};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl AccountAction for UpdateCustomKeyStore {
    const NAME: &'static str = "UpdateCustomKeyStore";
}

impl Handle for UpdateCustomKeyStore {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: UpdateCustomKeyStoreRequest,
    ) -> Result<UpdateCustomKeyStoreResponse, KmsError> {
        kms.authorize_account::<Self>(call, &Facts::default()).await?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
