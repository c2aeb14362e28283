//! ListKeys: all keys of the account in this Region.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html>
//!
//! Differs from AWS: no keys are shared through AWS RAM, so OTHER_ACCOUNTS_VIA_RAM alone lists nothing.

use base::{Call, KeyId};
use wire::kms::{KeyListEntry, ListKeys, ListKeysRequest, ListKeysResponse, ResourceOwnerType};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::KmsError;
use crate::facts::Facts;
use crate::paging::Listing;
use crate::paths;
use crate::table::Handle;

impl AccountAction for ListKeys {
    const NAME: &'static str = "ListKeys";
}

impl Handle for ListKeys {
    const READ_ONLY: bool = true;
    const TELLS_NO_RESOURCES: bool = true;

    async fn handle(kms: &Kms, call: &Call, request: ListKeysRequest) -> Result<ListKeysResponse, KmsError> {
        let place = kms.authorize_account::<Self>(call, &Facts::default()).await?.place;
        let own = request
            .resource_owners
            .as_ref()
            .is_none_or(|owners| owners.contains(&ResourceOwnerType::SelfValue));
        let prefix = paths::keys(&place);
        let scope = format!("ListKeys {prefix} {:?}", request.resource_owners);
        let listing = Listing::new(scope, request.limit, 100, 1_000);
        let range = listing.range(&prefix, request.marker.as_deref())?;
        if !own {
            return Ok(ListKeysResponse {
                keys: Some(Vec::new()),
                truncated: Some(false),
                next_marker: None,
            });
        }
        let page = kms.store.range(range).await?;
        let id = |entry: &store::Entry| entry.key.as_str().strip_prefix(&prefix)?.parse::<KeyId>().ok();
        let keys = page.entries.iter().filter_map(id).map(|id| KeyListEntry {
            key_id: Some(id.to_string()),
            key_arn: Some(place.key_arn(id).to_string()),
        });
        let next = listing.next(&page, &prefix);
        Ok(ListKeysResponse {
            keys: Some(keys.collect()),
            truncated: Some(next.is_some()),
            next_marker: next,
        })
    }
}
