//! ListEntitiesForPolicy: the users, roles and groups that a managed policy is attached to, and the users and roles that it
//! bounds.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html>

use base::{AccountId, Call};
use wire::iam::{
    EntityType, ListEntitiesForPolicy, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse,
    PolicyGroup, PolicyRole, PolicyUsageType, PolicyUser,
};

use crate::iam::entity::Entity;
use crate::iam::error::IamError;
use crate::iam::paging::{Listing, Looked};
use crate::iam::plan::Done;
use crate::iam::table::Handle;
use crate::record::{GroupRecord, RoleRecord, UserRecord};
use crate::{Identity, paths};

impl Handle for ListEntitiesForPolicy {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListEntitiesForPolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let (_, permit) = identity.find_policy::<Self>(call, &request.policy_arn).await?;
        let account = permit.account();
        let wanted = Wanted {
            arn: &request.policy_arn,
            kind: request.entity_filter,
            under: request.path_prefix.as_deref().unwrap_or("/"),
            usage: request.policy_usage_filter,
        };
        let listing = Listing::new(
            format!("ListEntitiesForPolicy {account} {wanted:?}"),
            request.max_items,
            request.marker.as_ref(),
        )?;
        let page = listing.marked(look(identity, account, &wanted, &listing).await?);
        let (is_truncated, marker) = (page.is_truncated(), page.marker.clone());
        let mut response = ListEntitiesForPolicyResponse {
            policy_groups: Some(Vec::new()),
            policy_users: Some(Vec::new()),
            policy_roles: Some(Vec::new()),
            is_truncated,
            marker,
        };
        for found in page.items {
            match found {
                Found::User(user) => response.policy_users.get_or_insert_default().push(user),
                Found::Role(role) => response.policy_roles.get_or_insert_default().push(role),
                Found::Group(group) => response.policy_groups.get_or_insert_default().push(group),
            }
        }
        Ok(permit.answer(response))
    }
}

/// Which holders a call asks for.
#[derive(Debug)]
struct Wanted<'r> {
    arn: &'r str,
    kind: Option<EntityType>,
    under: &'r str,
    usage: Option<PolicyUsageType>,
}

impl Wanted<'_> {
    fn takes<E: Entity>(&self, entity: &E, boundary: Option<&String>) -> bool {
        let attached = entity.policies().managed_policies.iter().any(|arn| arn == self.arn);
        let bounds = boundary.is_some_and(|arn| arn == self.arn);
        let of_use = match self.usage {
            None => attached || bounds,
            Some(PolicyUsageType::PermissionsPolicy) => attached,
            Some(PolicyUsageType::PermissionsBoundary) => bounds,
        };
        of_use && entity.path().starts_with(self.under)
    }

    fn asks_for(&self, kind: EntityType) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
    }
}

enum Found {
    User(PolicyUser),
    Role(PolicyRole),
    Group(PolicyGroup),
}

/// Users, then roles, then groups; what was looked at last has its kind before its name.
const KINDS: [(EntityType, &str); 3] =
    [(EntityType::User, "1/"), (EntityType::Role, "2/"), (EntityType::Group, "3/")];

async fn look(
    identity: &Identity,
    account: AccountId,
    wanted: &Wanted<'_>,
    listing: &Listing,
) -> Result<Looked<Found>, IamError> {
    let mut items = Vec::new();
    for (kind, prefix) in KINDS {
        let within = listing.after().and_then(|after| after.strip_prefix(prefix));
        let passed = listing.after().is_some_and(|after| after > prefix) && within.is_none();
        if passed || !wanted.asks_for(kind) {
            continue;
        }
        let Some(rest) = listing.rest(items.len(), within.map(str::to_owned)) else {
            return Ok(Looked { items, last: Some(prefix.to_owned()) });
        };
        let found = look_among(identity, account, wanted, kind, &rest).await?;
        items.extend(found.items);
        if let Some(last) = found.last {
            return Ok(Looked { items, last: Some(format!("{prefix}{last}")) });
        }
    }
    Ok(Looked { items, last: None })
}

async fn look_among(
    identity: &Identity,
    account: AccountId,
    wanted: &Wanted<'_>,
    kind: EntityType,
    listing: &Listing,
) -> Result<Looked<Found>, IamError> {
    let user = |record: UserRecord| {
        let shown =
            PolicyUser { user_name: Some(record.name.clone()), user_id: Some(record.unique_id.clone()) };
        wanted.takes(&record, record.boundary.as_ref()).then_some(Found::User(shown))
    };
    let role = |record: RoleRecord| {
        let shown =
            PolicyRole { role_name: Some(record.name.clone()), role_id: Some(record.unique_id.clone()) };
        wanted.takes(&record, record.boundary.as_ref()).then_some(Found::Role(shown))
    };
    let group = |record: GroupRecord| {
        let shown =
            PolicyGroup { group_name: Some(record.name.clone()), group_id: Some(record.unique_id.clone()) };
        wanted.takes(&record, None).then_some(Found::Group(shown))
    };
    match kind {
        EntityType::User => identity.look(&paths::users(account), listing, user).await,
        EntityType::Role => identity.look(&paths::roles(account), listing, role).await,
        EntityType::Group => identity.look(&paths::groups(account), listing, group).await,
        EntityType::LocalManagedPolicy | EntityType::AWSManagedPolicy => {
            Ok(Looked { items: Vec::new(), last: None })
        }
    }
}
