//! CreateGroup: makes a group without users.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html>

use base::Call;
use wire::iam::{CreateGroup, CreateGroupRequest, CreateGroupResponse};

use crate::iam::entity::{folded, room_for_one_more};
use crate::iam::error::IamError;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;
use crate::iam::{quota, view};
use crate::record::{GroupIdRecord, GroupRecord, HeldPolicies};
use crate::{Identity, draw, paths};

impl Handle for CreateGroup {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateGroupRequest,
    ) -> Result<Done<Self>, IamError> {
        let account = call.caller.account;
        let path = request.path.as_deref().unwrap_or("/");
        let resource = Resource::named(Kind::Group, account, path, &request.group_name);
        let permit = identity.authorize::<Self>(call, resource).await?;
        let folded_name = folded(&request.group_name);
        let location = paths::group(account, &folded_name)?;
        if identity.at::<GroupRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::Group, &request.group_name));
        }
        let mut owner = identity.account_of(call).await?;
        room_for_one_more(&mut owner.record.groups, quota::GROUPS, "GroupsPerAccount")?;
        let group = GroupRecord {
            name: request.group_name.clone(),
            path: path.to_owned(),
            unique_id: draw::unique_id("AGPA", &*identity.randomness)?,
            created_at: call.time.millis(),
            policies: HeldPolicies::default(),
            members: 0,
        };
        let id = paths::group_id(account, &group.unique_id)?;
        let plan = owner
            .replaced(Plan::new())?
            .create(location, &group)?
            .create(id, &GroupIdRecord { folded_name })?;
        Ok(permit.commit(plan, CreateGroupResponse { group: view::group(account, &group) }))
    }
}
