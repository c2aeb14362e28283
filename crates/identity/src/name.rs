//! Names of identity: checked once, when they come in.
//!
//! Forms and lengths: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html> and the IAM API
//! reference.

use std::fmt;
use std::str::FromStr;

use base::{AccountId, Arn};

const USER_NAME_LENGTH_MAX: usize = 64;
const PATH_LENGTH_MAX: usize = 512;
const POLICY_NAME_LENGTH_MAX: usize = 128;
const ACCESS_KEY_ID_LENGTH_MAX: usize = 128;

/// A text does not have the form of what it should name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a user name.
    #[error("a user name has 1 to 64 characters out of A-Z, a-z, 0-9 and _+=,.@-")]
    UserName,
    /// Not a path.
    #[error("a path is / or begins and ends with /, without spaces, at most 512 characters")]
    Path,
    /// Not the ARN of a managed policy.
    #[error(
        "a managed policy is named by its ARN, like arn:aws:iam::aws:policy/AdministratorAccess or \
         arn:aws:iam::123456789012:policy/Name"
    )]
    ManagedPolicy,
    /// Not an access key id.
    #[error("an access key id has 1 to 128 characters out of A-Z, a-z, 0-9 and _")]
    AccessKeyId,
}

/// The name of an IAM user. Case is kept; two users of an account cannot differ by case alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

/// The path in front of a user's name: `/`, or `/…/`. It takes no part in uniqueness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPath(String);

/// The ARN of a managed policy: AWS's own or one of an account. Stored; what it allows is not evaluated yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedPolicyArn(String);

/// The public half of an access key. Ids made here have AWS's form (`AKIA` and 16 of A-Z2-7); imported ones may be
/// as short as `test`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessKeyId(String);

impl UserName {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is equal for names that differ by case alone.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl UserPath {
    /// The path with its slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Path and name as they stand in an ARN: `ops/alice`, or `alice` under the path `/`.
    pub(crate) fn with_name(&self, name: &UserName) -> String {
        format!("{}{}", self.0.strip_prefix('/').unwrap_or_default(), name.0)
    }
}

impl Default for UserPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl ManagedPolicyArn {
    /// AWS's policy that allows everything: `arn:aws:iam::aws:policy/AdministratorAccess`.
    pub fn administrator_access() -> Self {
        Self("arn:aws:iam::aws:policy/AdministratorAccess".to_owned())
    }

    /// The ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccessKeyId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let right = is_name(text, USER_NAME_LENGTH_MAX);
        right.then(|| Self(text.to_owned())).ok_or(NameError::UserName)
    }
}

impl FromStr for UserPath {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let right = is_path(text) && text.len() <= PATH_LENGTH_MAX;
        right.then(|| Self(text.to_owned())).ok_or(NameError::Path)
    }
}

impl FromStr for ManagedPolicyArn {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        is_managed_policy(text).then(|| Self(text.to_owned())).ok_or(NameError::ManagedPolicy)
    }
}

impl FromStr for AccessKeyId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let right = (1..=ACCESS_KEY_ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(word);
        right.then(|| Self(text.to_owned())).ok_or(NameError::AccessKeyId)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[\w+=,.@-]+`, where `\w` means ASCII alone.
pub(crate) fn is_name(text: &str, length_max: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=length_max).contains(&text.len()) && text.bytes().all(allowed)
}

/// `/`, or `/[!-~]+/`.
fn is_path(text: &str) -> bool {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    text == "/"
        || inner.is_some_and(|inner| !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn is_managed_policy(text: &str) -> bool {
    let Ok(arn) = Arn::parse(text) else { return false };
    let owned = arn.account == "aws" || arn.account.parse::<AccountId>().is_ok();
    let partition = ["aws", "aws-cn", "aws-us-gov"].contains(&arn.partition);
    let Some(path) = arn.resource.strip_prefix("policy") else { return false };
    let Some((path, name)) = path.rsplit_once('/') else { return false };
    let named = is_name(name, POLICY_NAME_LENGTH_MAX) && is_path(&format!("{path}/"));
    partition
        && owned
        && arn.service == "iam"
        && arn.region.is_empty()
        && path.len() < PATH_LENGTH_MAX
        && named
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_documented_form_are_taken() {
        for name in ["a", "Alice", "ops+bob=x,y.z@example-1_2", &"n".repeat(64)] {
            assert_eq!(name.parse::<UserName>().unwrap().as_str(), name);
        }
        for name in ["", " ", "a b", "a/b", "a:b", "ä", "a\n", &"n".repeat(65)] {
            assert_eq!(name.parse::<UserName>(), Err(NameError::UserName), "{name}");
        }
    }

    #[test]
    fn a_path_is_part_of_the_arn() {
        let name: UserName = "alice".parse().unwrap();
        assert_eq!(UserPath::default().with_name(&name), "alice");
        assert_eq!("/ops/a/".parse::<UserPath>().unwrap().with_name(&name), "ops/a/alice");
        let longest = format!("/{}/", "p".repeat(510));
        assert!(longest.parse::<UserPath>().is_ok());
        for path in ["", "ops", "/ops", "ops/", "//", "/a b/", "/ä/", &format!("/{}/", "p".repeat(511))] {
            assert_eq!(path.parse::<UserPath>(), Err(NameError::Path), "{path}");
        }
    }

    #[test]
    fn managed_policies_are_known_by_the_form_of_their_arn() {
        for arn in [
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::aws:policy/service-role/AWSLambdaRole",
            "arn:aws-cn:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::123456789012:policy/division/team/Mine",
        ] {
            assert_eq!(arn.parse::<ManagedPolicyArn>().unwrap().as_str(), arn);
        }
        for arn in [
            "",
            "AdministratorAccess",
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam::aws:policy",
            "arn:aws:iam::aws:policies/X",
            "arn:aws:iam::aws:policyX/Y",
            "arn:aws:iam::12345:policy/X",
            "arn:aws:iam:us-east-1:aws:policy/X",
            "arn:aws:kms::aws:policy/X",
            "arn:other:iam::aws:policy/X",
            "arn:aws:iam::aws:role/X",
            "arn:aws:iam::aws:policy/a b",
            "arn:aws:iam::aws:policy//X",
        ] {
            assert_eq!(arn.parse::<ManagedPolicyArn>(), Err(NameError::ManagedPolicy), "{arn}");
        }
        assert_eq!(
            ManagedPolicyArn::administrator_access(),
            "arn:aws:iam::aws:policy/AdministratorAccess".parse().unwrap()
        );
    }

    #[test]
    fn access_key_ids_are_words() {
        for id in ["AKIAIOSFODNN7EXAMPLE", "test", "a_1"] {
            assert_eq!(id.parse::<AccessKeyId>().unwrap().as_str(), id);
        }
        for id in ["", "a-b", "a/b", "ä", "a ", &"A".repeat(129)] {
            assert_eq!(id.parse::<AccessKeyId>(), Err(NameError::AccessKeyId), "{id}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_parser(text in any::<String>()) {
            let _ = text.parse::<UserName>();
            let _ = text.parse::<UserPath>();
            let _ = text.parse::<ManagedPolicyArn>();
            let _ = text.parse::<AccessKeyId>();
        }

        #[test]
        fn folding_joins_names_that_differ_by_case(name in "[A-Za-z0-9_+=,.@-]{1,64}") {
            let kept: UserName = name.parse().unwrap();
            let upper: UserName = name.to_ascii_uppercase().parse().unwrap();
            prop_assert_eq!(kept.as_str(), name);
            prop_assert_eq!(kept.folded(), upper.folded());
        }
    }
}
