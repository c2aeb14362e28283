//! CreateCustomKeyStore: no CloudHSM cluster and no external key store proxy can be reached from here, so the answer is
//! AWS's for a cluster or a proxy that is not there.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html>

use base::Call;
use wire::kms::{
    CreateCustomKeyStore, CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse, CustomKeyStoreType,
};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::table::Handle;

impl AccountAction for CreateCustomKeyStore {
    const NAME: &'static str = "CreateCustomKeyStore";
}

impl Handle for CreateCustomKeyStore {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: CreateCustomKeyStoreRequest,
    ) -> Result<CreateCustomKeyStoreResponse, KmsError> {
        kms.authorize_account::<Self>(call, &Facts::default()).await?;
        let kind = request.custom_key_store_type.unwrap_or(CustomKeyStoreType::AwsCloudhsm);
        match kind {
            CustomKeyStoreType::AwsCloudhsm => {
                let complete =
                    request.key_store_password.is_some() && request.trust_anchor_certificate.is_some();
                let cluster = request.cloud_hsm_cluster_id.filter(|_| complete);
                Err(KmsError::CloudHsmClusterNotFound(
                    cluster.ok_or(InvalidRequest::CustomKeyStoreIncomplete(kind))?,
                ))
            }
            CustomKeyStoreType::ExternalKeyStore => {
                let complete = request.xks_proxy_connectivity.is_some()
                    && request.xks_proxy_authentication_credential.is_some()
                    && request.xks_proxy_uri_path.is_some();
                let endpoint = request.xks_proxy_uri_endpoint.filter(|_| complete);
                Err(KmsError::XksProxyUnreachable(
                    endpoint.ok_or(InvalidRequest::CustomKeyStoreIncomplete(kind))?,
                ))
            }
        }
    }
}
