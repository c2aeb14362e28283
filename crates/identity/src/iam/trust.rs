//! Trust policies of roles: whom they name must be there, and is remembered by unique id.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles>

use std::collections::BTreeMap;

use base::AccountId;
use policy::{MalformedPolicy, Policy, PolicyKind, PrincipalEntry, with_principals};
use wire::iam::Role;

use super::error::IamError;
use super::policy_document::check;
use super::view;
use crate::record::RoleRecord;
use crate::{Identity, IdentityError};

impl Identity {
    /// Checks a trust policy and answers whom it names: the unique id of each user and role, by ARN.
    ///
    /// # Errors
    /// MalformedPolicyDocument, also if somebody is named who is not there; LimitExceeded.
    pub(crate) async fn trusted(&self, document: &str) -> Result<BTreeMap<String, String>, IamError> {
        let policy = check(document, PolicyKind::Trust)?;
        let mut ids = BTreeMap::new();
        for entry in policy.principals() {
            let known = self.principal(entry).await?.ok_or_else(|| invalid(entry))?;
            if let Some(id) = known.unique_id {
                ids.insert(entry.to_string(), id);
            }
        }
        Ok(ids)
    }

    /// A role as GetRole shows it: whom the trust policy names has the ARN that it has now, or the unique id if it is
    /// gone.
    pub(crate) async fn shown_role(&self, account: AccountId, role: &RoleRecord) -> Result<Role, IamError> {
        Ok(view::role(account, role, &self.trust_policy_now(role).await?))
    }

    /// A role as lists show it.
    pub(crate) async fn listed_role(&self, account: AccountId, role: &RoleRecord) -> Result<Role, IamError> {
        Ok(view::listed_role(account, role, &self.trust_policy_now(role).await?))
    }

    async fn trust_policy_now(&self, role: &RoleRecord) -> Result<String, IdentityError> {
        let mut changed = BTreeMap::new();
        for (arn, id) in &role.trusted {
            let now = self.arn_of_unique_id(id).await?.unwrap_or_else(|| id.clone());
            if now != *arn {
                changed.insert(arn.as_str(), now);
            }
        }
        if changed.is_empty() {
            return Ok(role.trust_policy.clone());
        }
        Ok(with_principals(&role.trust_policy, |entry| changed.get(&*entry.to_string()).cloned()))
    }
}

impl RoleRecord {
    /// The trust policy, compiled: users and roles are meant as they were when it was stored.
    pub(crate) fn compiled_trust_policy(&self) -> Result<Policy, IdentityError> {
        let policy = Policy::parse(&self.trust_policy, PolicyKind::Trust);
        let policy =
            policy.map_err(|_| IdentityError::Damaged(format!("the trust policy of {}", self.name)))?;
        Ok(policy.bound(|entry| self.trusted.get(&entry.to_string()).cloned()))
    }
}

fn invalid(entry: &PrincipalEntry) -> IamError {
    let entry = format!("\"AWS\":\"{entry}\"");
    MalformedPolicy::Principal { kind: PolicyKind::Trust, entry }.into()
}
