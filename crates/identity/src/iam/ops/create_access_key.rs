//! CreateAccessKey: gives a user, by default the one who calls, a further access key. Its secret is in this answer and never
//! again.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>

use base::Call;
use wire::iam::{AccessKey, CreateAccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, StatusType};

use crate::iam::access_key::shown_name;
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::quota;
use crate::iam::table::Handle;
use crate::record::AccessKeyRecord;
use crate::{Identity, paths};

impl Handle for CreateAccessKey {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateAccessKeyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (mut holder, permit) =
            identity.access_key_holder::<Self>(call, request.user_name.as_ref()).await?;
        if holder.access_keys().len() >= quota::ACCESS_KEYS_PER_USER {
            return Err(IamError::quota("AccessKeysPerUser", quota::ACCESS_KEYS_PER_USER));
        }
        let account = permit.account();
        let key = identity.draw_access_key(account)?;
        holder.access_keys_mut().push(key.id.as_str().to_owned());
        let whose = (holder.name(), holder.owner());
        let record = AccessKeyRecord {
            created_at: call.time.millis(),
            ..identity.access_key_record(account, whose, &key.id, &key.secret).await?
        };
        let plan = holder.replaced(Plan::new())?.create(paths::access_key(&key.id)?, &record)?;
        let access_key = AccessKey {
            user_name: shown_name(account, holder.name()),
            access_key_id: key.id.as_str().to_owned(),
            status: StatusType::Active,
            secret_access_key: key.secret,
            create_date: Some(call.time),
        };
        Ok(permit.commit(plan, CreateAccessKeyResponse { access_key }))
    }
}
