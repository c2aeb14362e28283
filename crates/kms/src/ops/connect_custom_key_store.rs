//! ConnectCustomKeyStore: there are no custom key stores, so none is found.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ConnectCustomKeyStore.html>

use base::Call;
use wire::kms::{ConnectCustomKeyStore, ConnectCustomKeyStoreRequest, ConnectCustomKeyStoreResponse};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::table::Handle;

impl AccountAction for ConnectCustomKeyStore {
    const NAME: &'static str = "ConnectCustomKeyStore";
}

impl Handle for ConnectCustomKeyStore {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ConnectCustomKeyStoreRequest,
    ) -> Result<ConnectCustomKeyStoreResponse, KmsError> {
        kms.authorize_account::<Self>(call, &Facts::default()).await?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
