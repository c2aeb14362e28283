//! CreateUser: makes a user without credentials.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>

use base::Call;
use wire::iam::{CreateUser, CreateUserRequest, CreateUserResponse, TagUser};

use crate::iam::entity::room_for_one_more;
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;
use crate::iam::{quota, tags, view};
use crate::principal::Holder;
use crate::record::UserRecord;
use crate::user::NewUser;
use crate::{Identity, paths};

impl Handle for CreateUser {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let account = call.caller.account;
        let path = request.path.as_deref().unwrap_or("/");
        let resource = Resource::named(Kind::User, account, path, &request.user_name);
        let facts = Facts::of_new(request.tags.as_ref(), request.permissions_boundary.as_ref());
        let permit = identity.authorize_new::<Self, TagUser>(call, resource, facts).await?;
        let new =
            NewUser { name: request.user_name.parse()?, path: path.parse()?, managed_policies: Vec::new() };
        let location = paths::user(account, &new.name)?;
        if identity.at::<UserRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::User, &request.user_name));
        }
        let mut owner = identity.account_of(call).await?;
        room_for_one_more(&mut owner.record.users, quota::USERS, "UsersPerAccount")?;
        let user = UserRecord {
            created_at: call.time.millis(),
            boundary: request.permissions_boundary.clone(),
            tags: tags::of_new(request.tags.as_ref(), "User")?,
            ..identity.user_record(&new, Vec::new())?
        };
        let plan = owner.replaced(Plan::new())?.create(location, &user)?;
        let plan = plan.known_as(account, Holder::User, &user.unique_id, &user.name)?;
        let plan = identity.bounded(call, plan, request.permissions_boundary.as_ref()).await?;
        Ok(permit.commit(plan, CreateUserResponse { user: Some(view::user(account, &user)) }))
    }
}
