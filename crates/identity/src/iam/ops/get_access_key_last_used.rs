//! GetAccessKeyLastUsed: whose access key it is.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html>
//!
//! Differs from AWS: uses are not kept, so every access key looks like one that was never used.

use base::Call;
use wire::iam::{
    AccessKeyLastUsed, GetAccessKeyLastUsed, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse,
};

use crate::iam::access_key::no_such_access_key;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;
use crate::name::AccessKeyId;
use crate::record::{AccessKeyRecord, UserRecord};
use crate::{Identity, paths};

impl Handle for GetAccessKeyLastUsed {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &GetAccessKeyLastUsedRequest,
    ) -> Result<Done<Self>, IamError> {
        let id: AccessKeyId = request.access_key_id.parse()?;
        let key = identity.at::<AccessKeyRecord>(paths::access_key(&id)?).await?;
        let account = call.caller.account;
        let Some(key) = key.filter(|key| key.record.account == account.to_string()) else {
            // Nobody's key: only who may ask about every user learns so.
            let everybody = Resource::named(Kind::User, account, "/", "*");
            identity.authorize::<Self>(call, everybody).await?;
            return Err(no_such_access_key(&request.access_key_id));
        };
        let (_, permit) = identity.find::<Self, UserRecord>(call, &key.record.user).await?;
        let last_used = AccessKeyLastUsed {
            last_used_date: None,
            service_name: "N/A".to_owned(),
            region: "N/A".to_owned(),
        };
        Ok(permit.answer(GetAccessKeyLastUsedResponse {
            user_name: Some(key.record.user),
            access_key_last_used: Some(last_used),
        }))
    }
}
