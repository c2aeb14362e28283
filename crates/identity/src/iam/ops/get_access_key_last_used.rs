//! GetAccessKeyLastUsed: whose access key it is.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html>
//!
//! Differs from AWS: uses are not kept, so every access key looks like one that was never used.

use base::Call;
use wire::iam::{
    AccessKeyLastUsed, GetAccessKeyLastUsed, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse,
};

use crate::iam::access_key::{no_such_access_key, shown_name};
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
        let key = key.filter(|key| key.record.account == account.to_string());
        let user = key.as_ref().and_then(|key| key.record.user.as_deref());
        let permit = match user {
            Some(user) => identity.find::<Self, UserRecord>(call, user).await?.1,
            // Nobody's key, or the root user's: only who may ask about every user learns so.
            None => identity.authorize(call, Resource::named(Kind::User, account, "/", "*")).await?,
        };
        let key = key.ok_or_else(|| no_such_access_key(&request.access_key_id))?;
        let last_used = AccessKeyLastUsed {
            last_used_date: None,
            service_name: "N/A".to_owned(),
            region: "N/A".to_owned(),
        };
        Ok(permit.answer(GetAccessKeyLastUsedResponse {
            user_name: Some(shown_name(call.caller.account, key.record.user.as_deref())),
            access_key_last_used: Some(last_used),
        }))
    }
}
