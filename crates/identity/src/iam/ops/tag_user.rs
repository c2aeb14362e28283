//! TagUser: adds tags to a user, or gives existing ones a new value.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html>

use base::Call;
use wire::iam::{TagUser, TagUserRequest, TagUserResponse};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::table::Handle;
use crate::iam::tags;
use crate::record::UserRecord;

impl Handle for TagUser {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &TagUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let facts = Facts::of_tags(&request.tags);
        let (mut user, permit) =
            identity.find_with::<Self, UserRecord>(call, &request.user_name, facts).await?;
        tags::add(&mut user.record.tags, &request.tags, "User")?;
        let plan = user.replaced(Plan::new())?;
        Ok(permit.commit(plan, TagUserResponse))
    }
}
