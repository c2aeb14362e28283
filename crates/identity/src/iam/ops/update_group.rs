//! UpdateGroup: gives a group another name or path. Its users, policies and unique id stay.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html>

use base::Call;
use wire::iam::{UpdateGroup, UpdateGroupRequest, UpdateGroupResponse};

use crate::iam::entity::{Entity, Located, folded};
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::Kind;
use crate::iam::table::Handle;
use crate::record::{GroupIdRecord, GroupRecord};
use crate::{Identity, paths};

impl Handle for UpdateGroup {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &UpdateGroupRequest,
    ) -> Result<Done<Self>, IamError> {
        let (group, permit) = identity.find::<Self, GroupRecord>(call, &request.group_name).await?;
        let account = permit.account();
        let mut renamed = group.record.clone();
        if let Some(name) = &request.new_group_name {
            renamed.name.clone_from(name);
        }
        if let Some(path) = &request.new_path {
            renamed.path.clone_from(path);
        }
        if renamed == group.record {
            return Ok(permit.answer(UpdateGroupResponse));
        }
        // Who renames must have leave for the new name, too.
        let target = (renamed.resource(account), renamed.properties());
        identity.authorize_with::<Self>(call, target.0, target.1, Facts::default()).await?;
        let folded_name = folded(&renamed.name);
        let location = paths::group(account, &folded_name)?;
        if location == group.path {
            let plan = Located { record: renamed, ..group }.replaced(Plan::new())?;
            return Ok(permit.commit(plan, UpdateGroupResponse));
        }
        if identity.at::<GroupRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::Group, &renamed.name));
        }
        let id = paths::group_id(account, &renamed.unique_id)?;
        let plan =
            group.removed(Plan::new()).create(location, &renamed)?.set(id, &GroupIdRecord { folded_name })?;
        Ok(permit.commit(plan, UpdateGroupResponse))
    }
}
