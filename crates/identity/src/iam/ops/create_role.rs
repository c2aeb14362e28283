//! CreateRole: makes a role with its trust policy.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>

use base::Call;
use wire::iam::{CreateRole, CreateRoleRequest, CreateRoleResponse, TagRole};

use crate::iam::entity::{folded, room_for_one_more};
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::plan::{Done, Plan};
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;
use crate::iam::{quota, tags};
use crate::principal::Holder;
use crate::record::{HeldPolicies, RoleRecord};
use crate::{Identity, draw, paths};

impl Handle for CreateRole {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreateRoleRequest,
    ) -> Result<Done<Self>, IamError> {
        let account = call.caller.account;
        let path = request.path.as_deref().unwrap_or("/");
        let resource = Resource::named(Kind::Role, account, path, &request.role_name);
        let facts = Facts::of_new(request.tags.as_ref(), request.permissions_boundary.as_ref());
        let permit = identity.authorize_new::<Self, TagRole>(call, resource, facts).await?;
        let trusted = identity.trusted(&request.assume_role_policy_document).await?;
        let location = paths::role(account, &folded(&request.role_name))?;
        if identity.at::<RoleRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::Role, &request.role_name));
        }
        let mut owner = identity.account_of(call).await?;
        room_for_one_more(&mut owner.record.roles, quota::ROLES, "RolesPerAccount")?;
        let role = RoleRecord {
            name: request.role_name.clone(),
            path: path.to_owned(),
            unique_id: draw::unique_id("AROA", &*identity.randomness)?,
            created_at: call.time.millis(),
            policies: HeldPolicies::default(),
            trust_policy: request.assume_role_policy_document.clone(),
            trusted,
            description: request.description.clone(),
            max_session_duration: request.max_session_duration.unwrap_or(SESSION_SECONDS),
            boundary: request.permissions_boundary.clone(),
            tags: tags::of_new(request.tags.as_ref(), "Role")?,
        };
        let plan = owner.replaced(Plan::new())?.create(location, &role)?;
        let plan = plan.known_as(account, Holder::Role, &role.unique_id, &role.name)?;
        let plan = identity.bounded(call, plan, request.permissions_boundary.as_ref()).await?;
        let role = identity.shown_role(account, &role).await?;
        Ok(permit.commit(plan, CreateRoleResponse { role }))
    }
}

/// The longest session of a role, if nothing is said.
const SESSION_SECONDS: i32 = 3_600;
