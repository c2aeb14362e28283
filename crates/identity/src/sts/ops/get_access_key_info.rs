//! GetAccessKeyInfo: the account of an access key, be it of a user or of a session, be it there or not.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html>
//!
//! Ids that are made here tell their account. One that a seed file gave is looked up.

use base::Call;
use wire::sts::{GetAccessKeyInfo, GetAccessKeyInfoRequest, GetAccessKeyInfoResponse};

use crate::name::AccessKeyId;
use crate::record::AccessKeyRecord;
use crate::sts::authorize::{Facts, Target};
use crate::sts::error::StsError;
use crate::sts::session_request::refuse_sessions_of_users;
use crate::sts::table::Handle;
use crate::{Identity, draw, paths};

impl Handle for GetAccessKeyInfo {
    async fn handle(
        identity: &Identity,
        call: &Call,
        request: GetAccessKeyInfoRequest,
    ) -> Result<GetAccessKeyInfoResponse, StsError> {
        refuse_sessions_of_users(&call.caller, "GetAccessKeyInfo")?;
        let nothing = Target { arn: None, owner: call.caller.account, trust: None };
        identity.authorize_sts(call, "GetAccessKeyInfo", nothing, &Facts::default()).await?;
        let unknown = || StsError::Validation("The access key id does not tell its account.".to_owned());
        let id: AccessKeyId = request.access_key_id.parse().map_err(|_| unknown())?;
        let known = identity.read::<AccessKeyRecord>(&paths::access_key(&id)?).await?;
        let told = || draw::account_of_access_key_id(id.as_str()).map(|account| account.to_string());
        let account = known.map(|read| read.record.account).or_else(told).ok_or_else(unknown)?;
        Ok(GetAccessKeyInfoResponse { account: Some(account) })
    }
}
