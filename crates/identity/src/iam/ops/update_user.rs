//! UpdateUser: gives a user another name or path. Credentials, policies, groups and the unique id stay.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>

use base::Call;
use wire::iam::{UpdateUser, UpdateUserRequest, UpdateUserResponse};

use crate::iam::entity::{Entity, Located, folded};
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::Kind;
use crate::iam::table::Handle;
use crate::principal::Holder;
use crate::record::{AccessKeyRecord, UserRecord};
use crate::{Identity, paths};

impl Handle for UpdateUser {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateUserRequest,
    ) -> Result<Done<Self>, IamError> {
        let (user, permit) = identity.find::<Self, UserRecord>(call, &request.user_name).await?;
        let account = permit.account();
        let mut renamed = user.record.clone();
        if let Some(name) = &request.new_user_name {
            renamed.name.clone_from(name);
        }
        if let Some(path) = &request.new_path {
            renamed.path.clone_from(path);
        }
        if renamed == user.record {
            return Ok(permit.answer(UpdateUserResponse));
        }
        // Who renames must have leave for the new name, too.
        let target = (renamed.resource(account), renamed.properties());
        identity.authorize_with::<Self>(call, target.0, target.1, Facts::default()).await?;
        let location = paths::user_folded(account, &folded(&renamed.name))?;
        if location == user.path {
            let plan = keys_of_renamed(identity, Plan::new(), &renamed).await?;
            let plan = Located { record: renamed, ..user }.replaced(plan)?;
            return Ok(permit.commit(plan, UpdateUserResponse));
        }
        if identity.at::<UserRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::User, &renamed.name));
        }
        let plan = user.removed(Plan::new()).create(location, &renamed)?;
        let mut plan = plan.known_as(account, Holder::User, &renamed.unique_id, &renamed.name)?;
        for group in &renamed.groups {
            plan = plan
                .delete(paths::group_member(group, &folded(&user.record.name))?)
                .mark(paths::group_member(group, &folded(&renamed.name))?);
        }
        let plan = keys_of_renamed(identity, plan, &renamed).await?;
        Ok(permit.commit(plan, UpdateUserResponse))
    }
}

/// Access keys know their user by name.
async fn keys_of_renamed(identity: &Identity, mut plan: Plan, user: &UserRecord) -> Result<Plan, IamError> {
    for id in &user.access_keys {
        let Some(mut key) = identity.at::<AccessKeyRecord>(paths::access_key(&id.parse()?)?).await? else {
            continue;
        };
        key.record.user = Some(user.name.clone());
        plan = key.replaced(plan)?;
    }
    Ok(plan)
}
