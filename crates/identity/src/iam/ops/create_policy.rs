//! CreatePolicy: makes a managed policy of the account, with one version.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>

use base::Call;
use wire::iam::{CreatePolicy, CreatePolicyRequest, CreatePolicyResponse, Policy, TagPolicy};

use crate::iam::entity::{folded, room_for_one_more};
use crate::iam::error::IamError;
use crate::iam::facts::Facts;
use crate::iam::managed_policy::of_account;
use crate::iam::plan::{Done, Plan};
use crate::iam::policy_document::check_managed;
use crate::iam::resource::{Kind, Resource};
use crate::iam::table::Handle;
use crate::iam::{quota, tags};
use crate::record::{PolicyDocumentRecord, PolicyRecord, PolicyUsageRecord, PolicyVersionRecord};
use crate::{Identity, draw, paths};

impl Handle for CreatePolicy {
    const READ_ONLY: bool = false;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &CreatePolicyRequest,
    ) -> Result<Done<Self>, IamError> {
        let account = call.caller.account;
        let path = request.path.as_deref().unwrap_or("/");
        let resource = Resource::named(Kind::Policy, account, path, &request.policy_name);
        let facts = Facts::of_new(request.tags.as_ref(), None);
        let permit = identity.authorize_new::<Self, TagPolicy>(call, resource, facts).await?;
        check_managed(&request.policy_document)?;
        let location = paths::policy(account, &folded(&request.policy_name))?;
        if identity.at::<PolicyRecord>(location.clone()).await?.is_some() {
            return Err(IamError::exists(Kind::Policy, &request.policy_name));
        }
        let mut owner = identity.account_of(call).await?;
        room_for_one_more(&mut owner.record.policies, quota::POLICIES, "PoliciesPerAccount")?;
        let now = call.time.millis();
        let policy = PolicyRecord {
            name: request.policy_name.clone(),
            path: path.to_owned(),
            unique_id: draw::unique_id("ANPA", &*identity.randomness)?,
            created_at: now,
            updated_at: now,
            description: request.description.clone(),
            default_version: 1,
            next_version: 2,
            versions: vec![PolicyVersionRecord { number: 1, created_at: now }],
            usage: PolicyUsageRecord::default(),
            tags: tags::of_new(request.tags.as_ref(), "Policy")?,
        };
        let document = PolicyDocumentRecord { document: request.policy_document.clone() };
        let plan = owner
            .replaced(Plan::new())?
            .create(location, &policy)?
            .create(paths::policy_document(&policy.unique_id, 1)?, &document)?;
        let shown = Policy { tags: tags::shown(&policy.tags), ..of_account(account, &policy) };
        Ok(permit.commit(plan, CreatePolicyResponse { policy: Some(shown) }))
    }
}
