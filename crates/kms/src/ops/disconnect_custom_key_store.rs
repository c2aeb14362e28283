//! DisconnectCustomKeyStore: there are no custom key stores, so none is found.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisconnectCustomKeyStore.html>

use base::Call;
use wire::kms::{
    DisconnectCustomKeyStore, DisconnectCustomKeyStoreRequest, DisconnectCustomKeyStoreResponse,
};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl AccountAction for DisconnectCustomKeyStore {
    const NAME: &'static str = "DisconnectCustomKeyStore";
}

impl Handle for DisconnectCustomKeyStore {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DisconnectCustomKeyStoreRequest,
    ) -> Result<DisconnectCustomKeyStoreResponse, KmsError> {
        kms.authorize_account::<Self>(call, &Facts::default()).await?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
