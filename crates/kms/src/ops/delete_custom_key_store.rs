//! DeleteCustomKeyStore: there are no custom key stores, so none is found.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteCustomKeyStore.html>

use base::Call;
use wire::kms::{DeleteCustomKeyStore, DeleteCustomKeyStoreRequest, DeleteCustomKeyStoreResponse};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl AccountAction for DeleteCustomKeyStore {
    const NAME: &'static str = "DeleteCustomKeyStore";
}

impl Handle for DeleteCustomKeyStore {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DeleteCustomKeyStoreRequest,
    ) -> Result<DeleteCustomKeyStoreResponse, KmsError> {
        kms.authorize_account::<Self>(call, &Facts::default()).await?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
