//! Organisations: where accounts stand in one, and the guardrails of each level above them.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use base::AccountId;

use crate::error::MalformedPolicy;
use crate::policy::{Policy, PolicyKind};
use crate::sides::{AttachedPolicy, PolicySource};

/// Where an account stands in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The organisation's id, `o-…`.
    pub id: String,
    /// The path from the organisation's id through its root to the account's unit, with a slash at its end:
    /// `o-a1b2c3d4e5/r-f6g7/ou-f6g7-h8i9/`.
    pub paths: Vec<String>,
}

/// What an organisation says about one of its accounts.
#[derive(Clone, Debug)]
pub struct AccountGuardrails {
    /// Where the account stands.
    pub organization: Organization,
    /// Service control policies of each level from the root to the account; empty for the management account.
    pub service_control: Vec<Vec<AttachedPolicy>>,
    /// Resource control policies of each level from the root to the account; empty for the management account.
    pub resource_control: Vec<Vec<AttachedPolicy>>,
}

/// The guardrails of all accounts. The default is that there is no organisation.
#[derive(Clone, Debug, Default)]
pub struct Guardrails {
    listed: BTreeMap<AccountId, Arc<AccountGuardrails>>,
    /// Of accounts that are not listed: those below the root.
    others: Option<Arc<AccountGuardrails>>,
}

impl Guardrails {
    /// An organisation. Accounts that are not listed are in it all the same, and get what `others` says.
    pub fn new(listed: BTreeMap<AccountId, Arc<AccountGuardrails>>, others: Arc<AccountGuardrails>) -> Self {
        Self { listed, others: Some(others) }
    }

    /// What the organisation says about an account; `None` if there is no organisation.
    pub fn of(&self, account: AccountId) -> Option<&Arc<AccountGuardrails>> {
        self.listed.get(&account).or(self.others.as_ref())
    }
}

/// AWS's policy `FullAWSAccess`, which every level has unless it is taken away.
///
/// # Errors
/// None in truth: the document is a policy.
pub fn full_aws_access(kind: PolicyKind) -> Result<AttachedPolicy, MalformedPolicy> {
    let (document, name) = match kind {
        PolicyKind::ResourceControl => (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
            "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess",
        ),
        PolicyKind::ServiceControl
        | PolicyKind::Identity
        | PolicyKind::Key
        | PolicyKind::Bucket
        | PolicyKind::Trust => (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
        ),
    };
    let policy = Arc::new(Policy::parse(document, kind)?);
    Ok(AttachedPolicy { policy, source: PolicySource::Managed(name.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Arc<AccountGuardrails> {
        Arc::new(AccountGuardrails {
            organization: Organization { id: "o-1".to_owned(), paths: vec![path.to_owned()] },
            service_control: Vec::new(),
            resource_control: Vec::new(),
        })
    }

    #[test]
    fn every_account_is_in_an_organisation_if_there_is_one() {
        let (one, other): (AccountId, AccountId) =
            ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        assert!(Guardrails::default().of(one).is_none());
        let guardrails = Guardrails::new(BTreeMap::from([(one, at("a"))]), at("b"));
        let path = |account| guardrails.of(account).unwrap().organization.paths[0].clone();
        assert_eq!((path(one).as_str(), path(other).as_str()), ("a", "b"));
    }

    #[test]
    fn full_access_is_a_policy_of_either_kind() {
        for kind in [PolicyKind::ServiceControl, PolicyKind::ResourceControl] {
            assert!(full_aws_access(kind).is_ok());
        }
    }
}
