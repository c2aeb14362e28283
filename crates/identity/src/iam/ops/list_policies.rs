//! ListPolicies: AWS's managed policies, then those of the account, without tags.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html>

use base::{AccountId, Call};
use wire::iam::{
    ListPolicies, ListPoliciesRequest, ListPoliciesResponse, Policy, PolicyScopeType, PolicyUsageType,
};

use crate::iam::aws_managed::AWS_MANAGED_POLICIES;
use crate::iam::error::IamError;
use crate::iam::managed_policy::{of_account, of_aws};
use crate::iam::paging::{Listing, Looked};
use crate::iam::plan::Done;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;
use crate::record::{PolicyRecord, PolicyUsageRecord};
use crate::{Identity, paths};

impl Handle for ListPolicies {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        request: &ListPoliciesRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = permit.account();
        let wanted = Wanted {
            scope: request.scope.unwrap_or(PolicyScopeType::All),
            under: request.path_prefix.as_deref().unwrap_or("/"),
            attached: request.only_attached == Some(true),
            usage: request.policy_usage_filter,
        };
        let listing = Listing::new(
            format!("ListPolicies {account} {wanted:?}"),
            request.max_items,
            request.marker.as_ref(),
        )?;
        let page = listing.marked(look(identity, account, &wanted, &listing).await?);
        Ok(permit.answer(ListPoliciesResponse {
            is_truncated: page.is_truncated(),
            policies: Some(page.items),
            marker: page.marker,
        }))
    }
}

/// Which policies a call asks for.
#[derive(Debug)]
struct Wanted<'r> {
    scope: PolicyScopeType,
    under: &'r str,
    attached: bool,
    usage: Option<PolicyUsageType>,
}

impl Wanted<'_> {
    fn takes(&self, path: &str, usage: PolicyUsageRecord) -> bool {
        let of_use = match self.usage {
            None => true,
            Some(PolicyUsageType::PermissionsPolicy) => usage.attachments > 0,
            Some(PolicyUsageType::PermissionsBoundary) => usage.boundaries > 0,
        };
        let used = usage.attachments > 0 || usage.boundaries > 0;
        path.starts_with(self.under) && of_use && (used || !self.attached)
    }
}

/// AWS's policies come first, under names that no policy of an account has.
const OF_AWS: &str = "aws/";

async fn look(
    identity: &Identity,
    account: AccountId,
    wanted: &Wanted<'_>,
    listing: &Listing,
) -> Result<Looked<Policy>, IamError> {
    let among_awss = listing.after().is_none_or(|after| after.starts_with(OF_AWS));
    let mut found = Looked { items: Vec::new(), last: None };
    if among_awss && wanted.scope != PolicyScopeType::Local {
        found = listing.look_at(awss(identity, account, wanted).await?);
    }
    if found.last.is_some() || wanted.scope == PolicyScopeType::Aws {
        return Ok(found);
    }
    let after = listing.after().filter(|_| !among_awss).map(str::to_owned);
    let Some(rest) = listing.rest(found.items.len(), after) else {
        return Ok(Looked { last: Some(format!("{OF_AWS}~")), ..found });
    };
    let shown =
        |policy: PolicyRecord| wanted.takes(&policy.path, policy.usage).then(|| of_account(account, &policy));
    let own = identity.look(&paths::policies(account), &rest, shown).await?;
    found.items.extend(own.items);
    Ok(Looked { items: found.items, last: own.last })
}

async fn awss(
    identity: &Identity,
    account: AccountId,
    wanted: &Wanted<'_>,
) -> Result<Vec<(String, Policy)>, IamError> {
    let mut policies = Vec::new();
    for policy in &AWS_MANAGED_POLICIES {
        let usage = identity.aws_policy_usage(account, policy).await?;
        if wanted.takes("/", usage) {
            policies.push((format!("{OF_AWS}{}", policy.name), of_aws(policy, usage)));
        }
    }
    Ok(policies)
}
