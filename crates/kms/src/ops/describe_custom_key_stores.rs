//! DescribeCustomKeyStores: there are none, so the list is empty and no id or name is found.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeCustomKeyStores.html>

use base::Call;
use wire::kms::{DescribeCustomKeyStores, DescribeCustomKeyStoresRequest, DescribeCustomKeyStoresResponse};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::paging::Listing;
use crate::table::Handle;

impl AccountAction for DescribeCustomKeyStores {
    const NAME: &'static str = "DescribeCustomKeyStores";
}

impl Handle for DescribeCustomKeyStores {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: DescribeCustomKeyStoresRequest,
    ) -> Result<DescribeCustomKeyStoresResponse, KmsError> {
        kms.authorize_account::<Self>(call, &Facts::default()).await?;
        match (request.custom_key_store_id, request.custom_key_store_name) {
            (Some(_), Some(_)) => return Err(InvalidRequest::CustomKeyStoreTwice.into()),
            (Some(name), None) | (None, Some(name)) => return Err(KmsError::CustomKeyStoreNotFound(name)),
            (None, None) => {}
        }
        // No page was ever cut, so no marker was ever issued.
        let listing = Listing::new("DescribeCustomKeyStores".to_owned(), request.limit, 100, 1_000);
        listing.after(request.marker.as_deref())?;
        Ok(DescribeCustomKeyStoresResponse {
            custom_key_stores: Some(Vec::new()),
            next_marker: None,
            truncated: Some(false),
        })
    }
}
