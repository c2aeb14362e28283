//! ListAccessKeys: the access keys of a user, by default of the one who calls, without their secrets.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>

use base::{Call, Timestamp};
use wire::iam::{
    AccessKeyMetadata, ListAccessKeys, ListAccessKeysRequest, ListAccessKeysResponse, StatusType,
};

use crate::iam::access_key::shown_name;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::{AccessKeyRecord, AccessKeyStatus};
use crate::{Identity, paths};

impl Handle for ListAccessKeys {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListAccessKeysRequest,
    ) -> Result<Done<Self>, IamError> {
        let (holder, permit) = identity.access_key_holder::<Self>(call, request.user_name.as_ref()).await?;
        let account = permit.account();
        let scope = format!("ListAccessKeys {account} {}", holder.owner());
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let mut keys = Vec::new();
        for id in holder.access_keys() {
            if let Some(key) = identity.at::<AccessKeyRecord>(paths::access_key(&id.parse()?)?).await? {
                keys.push((id.clone(), shown(shown_name(account, holder.name()), id, &key.record)));
            }
        }
        let page = listing.page_of(keys)?;
        Ok(permit.answer(ListAccessKeysResponse {
            is_truncated: page.is_truncated(),
            access_key_metadata: page.items,
            marker: page.marker,
        }))
    }
}

fn shown(user: String, id: &str, key: &AccessKeyRecord) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: Some(user),
        access_key_id: Some(id.to_owned()),
        status: Some(match key.status {
            AccessKeyStatus::Active => StatusType::Active,
            AccessKeyStatus::Inactive => StatusType::Inactive,
        }),
        create_date: Some(Timestamp::from_millis(key.created_at)),
    }
}
