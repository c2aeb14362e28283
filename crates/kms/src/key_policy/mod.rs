//! Key policies as far as they are understood today: a policy must be a policy document that names principals who
//! exist and does not lock its author out. It is stored and read back byte for byte; it decides about no other call
//! until the policy engine does.

mod document;
mod lockout;

use base::{AccountId, Call, Region};

use crate::Kms;
use crate::error::{KmsError, LimitExceeded};
use document::{Document, Named};

/// The quota on a key policy's size: <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
pub(crate) const POLICY_BYTES_MAX: usize = 32_768;

const INVALID_PRINCIPAL: &str = "Policy contains a statement with one or more invalid principals.";
const LOCKED_OUT: &str = "The new key policy will not allow you to update the key policy in the future.";

/// The policy of a key that was created without one: identity policies of the account decide.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
pub(crate) fn default_policy(account: AccountId, region: Region) -> String {
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

/// Checks that `policy` has the form of a policy document and the size of a key policy.
pub(crate) fn check_form(policy: &str) -> Result<(), KmsError> {
    parse(policy).map(|_| ())
}

fn parse(policy: &str) -> Result<Document, KmsError> {
    if policy.len() > POLICY_BYTES_MAX {
        return Err(LimitExceeded::PolicySize { actual: policy.len(), limit: POLICY_BYTES_MAX }.into());
    }
    Document::parse(policy).map_err(KmsError::MalformedPolicy)
}

impl Kms {
    /// Checks a policy that `call` wants to put on a key of its own account. `bypass` leaves out the lockout check.
    pub(crate) async fn check_policy(&self, call: &Call, policy: &str, bypass: bool) -> Result<(), KmsError> {
        let document = parse(policy)?;
        for named in document.principals() {
            if !self.exists(named).await? {
                return Err(KmsError::MalformedPolicy(INVALID_PRINCIPAL));
            }
        }
        if bypass || lockout::may_put_key_policy(&document, &call.caller) {
            Ok(())
        } else {
            Err(KmsError::MalformedPolicy(LOCKED_OUT))
        }
    }

    async fn exists(&self, named: &Named) -> Result<bool, KmsError> {
        match named {
            Named::Anybody => Ok(true),
            Named::One(principal) => self.principal_exists(principal).await,
            Named::Unknown => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Principal;
    use proptest::prelude::*;

    #[test]
    fn the_default_policy_is_one_and_names_the_account() {
        let policy = default_policy("123456789012".parse().unwrap(), "cn-north-1".parse().unwrap());
        let document = parse(&policy).unwrap();
        let account = "123456789012".parse().unwrap();
        assert_eq!(document.principals().collect::<Vec<_>>(), [&Named::One(Principal::Account(account))]);
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
            "{\"Statement\":[1]}",
            "{\"Statement\":[{\"Effect\":\"allow\"}]}",
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":1}]}",
            "{\"Version\":\"2020-01-01\",\"Statement\":[]}",
            "{\"Version\":1,\"Statement\":[]}",
        ] {
            assert!(matches!(check_form(text), Err(KmsError::MalformedPolicy(_))), "{text}");
        }
        for text in [
            "{\"Statement\":[]}",
            "{\"Version\":\"2012-10-17\",\"Statement\":[]}",
            "{\"Version\":\"2008-10-17\",\"Statement\":[]}",
        ] {
            assert!(check_form(text).is_ok(), "{text}");
        }
        let long = format!("{{\"Statement\":[],\"Id\":\"{}\"}}", "x".repeat(POLICY_BYTES_MAX));
        assert!(matches!(check_form(&long), Err(KmsError::LimitExceeded(_))));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = check_form(&text);
        }
    }
}
