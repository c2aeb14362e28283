//! ListAccessKeys: the access keys of a user, by default of the one who calls, without their secrets.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>

use base::{Call, Timestamp};
use wire::iam::{
    AccessKeyMetadata, ListAccessKeys, ListAccessKeysRequest, ListAccessKeysResponse, StatusType,
};

use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::paging::Listing;
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::{AccessKeyRecord, AccessKeyStatus, UserRecord};
use crate::{Identity, paths};

impl Handle for ListAccessKeys {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListAccessKeysRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (user, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        let scope = format!("ListAccessKeys {}", user.record.unique_id);
        let listing = Listing::new(scope, request.max_items, request.marker.as_ref())?;
        let mut keys = Vec::new();
        for id in &user.record.access_keys {
            if let Some(key) = identity.at::<AccessKeyRecord>(paths::access_key(&id.parse()?)?).await? {
                keys.push((id.clone(), shown(&user.record.name, id, &key.record)));
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

fn shown(user: &str, id: &str, key: &AccessKeyRecord) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: Some(user.to_owned()),
        access_key_id: Some(id.to_owned()),
        status: Some(match key.status {
            AccessKeyStatus::Active => StatusType::Active,
            AccessKeyStatus::Inactive => StatusType::Inactive,
        }),
        create_date: Some(Timestamp::from_millis(key.created_at)),
    }
}
