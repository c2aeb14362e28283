//! CreateAccessKey: gives a user, by default the one who calls, a further access key. Its secret is in this answer and never
//! again.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>

use base::Call;
use wire::iam::{AccessKey, CreateAccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, StatusType};

use crate::iam::entity::user_meant;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::quota;
use crate::iam::table::Handle;
use crate::record::{AccessKeyRecord, UserRecord};
use crate::{Identity, paths};

impl Handle for CreateAccessKey {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateAccessKeyRequest,
    ) -> Result<Done<Self>, IamError> {
        let name = user_meant(call, request.user_name.as_ref())?;
        let (mut user, permit) = identity.find::<Self, UserRecord>(call, &name).await?;
        if user.record.access_keys.len() >= quota::ACCESS_KEYS_PER_USER {
            return Err(IamError::quota("AccessKeysPerUser", quota::ACCESS_KEYS_PER_USER));
        }
        let key = identity.draw_access_key()?;
        user.record.access_keys.push(key.id.as_str().to_owned());
        let record = AccessKeyRecord {
            created_at: call.time.millis(),
            ..identity.access_key_record(permit.account(), &user.record, &key.id, &key.secret).await?
        };
        let plan = user.replaced(Plan::new())?.create(paths::access_key(&key.id)?, &record)?;
        let access_key = AccessKey {
            user_name: user.record.name,
            access_key_id: key.id.as_str().to_owned(),
            status: StatusType::Active,
            secret_access_key: key.secret,
            create_date: Some(call.time),
        };
        Ok(permit.commit(plan, CreateAccessKeyResponse { access_key }))
    }
}
