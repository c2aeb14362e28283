//! UntagUser: takes tags away from a user.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html>

use base::Call;
use wire::iam::{UntagUser, UntagUserRequest, UntagUserResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;
use crate::record::UserRecord;

impl Handle for UntagUser {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UntagUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tag_keys(&request.tag_keys);
        let (mut user, permit) =
            identity.find_with::<Self, UserRecord>(call, &request.user_name, facts).await?;
        tags::remove(&mut user.record.tags, &request.tag_keys);
        let plan = user.replaced(Plan::new())?;
        Ok(permit.commit(plan, UntagUserResponse))
    }
}
