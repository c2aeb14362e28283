//! Key policies as far as they are understood today: a policy must be a policy document; it is stored and read back
//! byte for byte, and decides nothing until the policy engine does.

use base::{AccountId, Region};
use serde_json::Value;

use crate::error::{KmsError, LimitExceeded};

/// The quota on a key policy's size: <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
pub(crate) const POLICY_BYTES_MAX: usize = 32_768;

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
pub(crate) fn check(policy: &str) -> Result<(), KmsError> {
    if policy.len() > POLICY_BYTES_MAX {
        return Err(LimitExceeded::PolicySize { actual: policy.len(), limit: POLICY_BYTES_MAX }.into());
    }
    let document: Value =
        serde_json::from_str(policy).map_err(|_| KmsError::MalformedPolicy("Syntax errors in policy."))?;
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return Err(KmsError::MalformedPolicy("Policy document must contain a Statement.")),
    };
    let effects = statements.iter().map(|statement| statement.get("Effect").and_then(Value::as_str));
    if effects.into_iter().all(|effect| matches!(effect, Some("Allow" | "Deny"))) {
        Ok(())
    } else {
        Err(KmsError::MalformedPolicy("Every statement must have the Effect Allow or Deny."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_one_and_names_the_account() {
        let policy = default_policy("123456789012".parse().unwrap(), "cn-north-1".parse().unwrap());
        check(&policy).unwrap();
        let value: Value = serde_json::from_str(&policy).unwrap();
        assert_eq!(value["Statement"][0]["Principal"]["AWS"], "arn:aws-cn:iam::123456789012:root");
        assert_eq!(value["Id"], "key-default-1");
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
        ] {
            assert!(matches!(check(text), Err(KmsError::MalformedPolicy(_))), "{text}");
        }
        let long = format!("{{\"Statement\":[],\"Id\":\"{}\"}}", "x".repeat(POLICY_BYTES_MAX));
        assert!(matches!(check(&long), Err(KmsError::LimitExceeded(_))));
    }
}
