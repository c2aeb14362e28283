//! Key policies as they are given: each must be a policy document that names principals who exist and does not lock its
//! author out. It is stored and read back byte for byte.

use base::{AccountId, Call, KeyArn, Region, Timestamp};
use policy::{Policy, PolicyKind, with_principals};

use crate::Kms;
use crate::change::{Attempts, Committed, Edit};
use crate::decision::{Check, Verdict};
use crate::error::{KmsError, LimitExceeded};
use crate::facts::Facts;
use crate::keys::LoadedKey;
use crate::principal::UniqueIds;
use crate::record::KeyRecord;

/// The quota on a key policy's size: <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
pub(crate) const POLICY_BYTES_MAX: usize = 32_768;

const INVALID_PRINCIPAL: &str = "Policy contains a statement with one or more invalid principals.";
const LOCKED_OUT: &str = "The new key policy will not allow you to update the key policy in the future.";

/// The policy of a key that was created without one: identity policies of the account decide.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
fn default_policy(account: AccountId, region: Region) -> String {
    let partition = region.partition();
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{partition}:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// A key policy that may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyPolicy {
    /// As it was given.
    pub(crate) text: String,
    /// Whom it names.
    pub(crate) principals: UniqueIds,
}

impl KeyPolicy {
    /// The policy of a key that was created without one.
    pub(crate) fn default_of(account: AccountId, region: Region) -> Self {
        Self::naming_no_identity(default_policy(account, region))
    }

    /// A policy of this service's own, which names no user and no role.
    pub(crate) fn naming_no_identity(text: String) -> Self {
        Self { text, principals: UniqueIds::new() }
    }

    /// Puts it in the place of a key's policy.
    pub(crate) fn put_on(&self, record: &mut KeyRecord) {
        record.policy.clone_from(&self.text);
        record.policy_principals.clone_from(&self.principals);
    }
}

/// Reads a policy that has the form of a policy document and the size of a key policy.
fn parse(policy: &str) -> Result<Policy, KmsError> {
    if policy.len() > POLICY_BYTES_MAX {
        return Err(LimitExceeded::PolicySize { actual: policy.len(), limit: POLICY_BYTES_MAX }.into());
    }
    Policy::parse(policy, PolicyKind::Key).map_err(|refusal| KmsError::MalformedPolicy(refusal.to_string()))
}

/// A key that is about to get a policy.
#[derive(Clone, Copy)]
pub(crate) struct Guarded<'a> {
    pub(crate) arn: KeyArn,
    /// Absent if the key is about to be made.
    pub(crate) key: Option<&'a LoadedKey>,
    /// What the request says.
    pub(crate) facts: &'a Facts<'a>,
}

impl Kms {
    /// Checks a policy that `call` wants to put on a key of its own account. `bypass` leaves out the lockout check:
    /// whether the caller could put a policy again.
    ///
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
    pub(crate) async fn check_policy(
        &self,
        call: &Call,
        policy: &str,
        on: Guarded<'_>,
        bypass: bool,
    ) -> Result<KeyPolicy, KmsError> {
        let text = policy;
        let policy = parse(text)?;
        let mut principals = UniqueIds::new();
        for named in policy.principals() {
            let invalid = || KmsError::MalformedPolicy(INVALID_PRINCIPAL.to_owned());
            let known = self.principals.find(named).await?.ok_or_else(invalid)?;
            principals.extend(known.unique_id.map(|id| (named.to_string(), id)));
        }
        let check = Check { action: "PutKeyPolicy", key: on.arn, loaded: on.key, facts: on.facts };
        if bypass || self.would_allow(call, check, &policy).await? {
            Ok(KeyPolicy { text: text.to_owned(), principals })
        } else {
            Err(KmsError::MalformedPolicy(LOCKED_OUT.to_owned()))
        }
    }

    /// Puts the default policy on a customer managed key, whomever its own policy locks out. This is for the operator;
    /// no request leads here. Answers false if there is no such key.
    ///
    /// # Errors
    /// The store or the randomness fails.
    pub async fn reset_key_policy(&self, arn: &KeyArn, now: Timestamp) -> Result<bool, KmsError> {
        let mut attempts = Attempts::new();
        loop {
            let Some(key) = self.keys.load(arn).await?.filter(|key| key.record.managed_by.is_none()) else {
                return Ok(false);
            };
            let mut edit = Edit::of(&key)?;
            KeyPolicy::default_of(arn.account, arn.region).put_on(&mut edit.record);
            let record = self.service_record("PutKeyPolicy", arn, now)?;
            match self.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(true),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    async fn would_allow(&self, call: &Call, check: Check<'_>, policy: &Policy) -> Result<bool, KmsError> {
        let rights = self.principals.rights_of(&call.caller).await?;
        Ok(matches!(self.judge(call, check, (&*rights, policy, &[])), Verdict::Allowed(_)))
    }

    /// A key's policy as it is shown: byte for byte as it was put, but for users and roles who have another ARN now, and
    /// for those who are gone, whose unique id is shown.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
    pub(crate) async fn policy_now(&self, record: &KeyRecord) -> Result<String, KmsError> {
        let mut changed = UniqueIds::new();
        for (arn, id) in &record.policy_principals {
            let now = self.principal_now(id).await?;
            if now != *arn {
                changed.insert(arn.clone(), now);
            }
        }
        if changed.is_empty() {
            return Ok(record.policy.clone());
        }
        Ok(with_principals(&record.policy, |entry| changed.get(&entry.to_string()).cloned()))
    }

    /// A policy of which only the form was checked: whom it names and is there is remembered, whoever is not is left as it
    /// is written.
    pub(crate) async fn policy_of_seed(&self, text: &str) -> Result<KeyPolicy, KmsError> {
        let mut principals = UniqueIds::new();
        for named in parse(text)?.principals() {
            let known = self.principals.find(named).await?;
            let id = known.and_then(|known| known.unique_id);
            principals.extend(id.map(|id| (named.to_string(), id)));
        }
        Ok(KeyPolicy { text: text.to_owned(), principals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_policy_is_one_and_names_the_account() {
        let policy = default_policy("123456789012".parse().unwrap(), "cn-north-1".parse().unwrap());
        let document = parse(&policy).unwrap();
        let account = "123456789012".parse().unwrap();
        assert_eq!(document.principals().collect::<Vec<_>>(), [&policy::PrincipalEntry::Account(account)]);
        assert!(policy.contains("arn:aws-cn:iam::123456789012:root") && policy.contains("key-default-1"));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in [
            "",
            "x",
            "[]",
            "{}",
            "{\"Statement\":1}",
            "{\"Statement\":[]}",
            "{\"Statement\":[1]}",
            "{\"Statement\":[{\"Effect\":\"allow\"}]}",
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":1}]}",
            "{\"Version\":\"2020-01-01\",\"Statement\":[]}",
            "{\"Version\":1,\"Statement\":[]}",
        ] {
            assert!(matches!(parse(text), Err(KmsError::MalformedPolicy(_))), "{text}");
        }
        let statement = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;
        for version in ["", r#""Version":"2012-10-17","#, r#""Version":"2008-10-17","#] {
            assert!(parse(&format!("{{{version}\"Statement\":[{statement}]}}")).is_ok(), "{version}");
        }
        let long = format!("{{\"Statement\":[{statement}],\"Id\":\"{}\"}}", "x".repeat(POLICY_BYTES_MAX));
        assert!(matches!(parse(&long), Err(KmsError::LimitExceeded(_))));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
