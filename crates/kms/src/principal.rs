//! AWS principals as key policies and grants name them, and the port through which this room learns who exists and may
//! do what.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use std::sync::Arc;

use base::{AccountId, Arn, Caller};
use policy::IdentitySide;

use crate::Kms;
use crate::error::KmsError;

/// A principal that can exist here. Roles and sessions cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// An account, which all its identities belong to: `arn:aws:iam::123456789012:root`.
    Account(AccountId),
    /// An IAM user: `arn:aws:iam::123456789012:user/ops/alice`.
    User { account: AccountId, path_and_name: String },
}

impl Principal {
    /// Reads the ARN of an account's root or of a user; `None` for every other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let arn = Arn::parse(text).ok()?;
        let account = arn.account.parse().ok()?;
        if (arn.service, arn.region) != ("iam", "") || !is_partition(arn.partition) {
            return None;
        }
        match arn.resource.split_once('/') {
            None if arn.resource == "root" => Some(Self::Account(account)),
            Some(("user", path_and_name)) if !path_and_name.is_empty() => {
                Some(Self::User { account, path_and_name: path_and_name.to_owned() })
            }
            _ => None,
        }
    }

    /// The account that it is, or is of.
    pub(crate) fn account(&self) -> AccountId {
        match self {
            Self::Account(account) | Self::User { account, .. } => *account,
        }
    }
}

/// AWS's partitions: `aws`, `aws-cn`, `aws-us-gov` and the like.
fn is_partition(text: &str) -> bool {
    text == "aws" || text.starts_with("aws-")
}

/// The port through which policies and grants learn who exists, and decisions what the caller's account allows.
#[async_trait::async_trait]
pub trait Principals: Send + Sync {
    /// Whether there is such an account.
    async fn account_exists(&self, account: AccountId) -> Result<bool, PrincipalsUnavailable>;

    /// Whether the account has a user of this path and name, for example `ops/alice`.
    async fn user_exists(
        &self,
        account: AccountId,
        path_and_name: &str,
    ) -> Result<bool, PrincipalsUnavailable>;

    /// What policies of its own account give a caller.
    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn CallerRights>, PrincipalsUnavailable>;
}

/// What a caller's own account says about the caller.
pub trait CallerRights: Send + Sync {
    /// As a decision takes it.
    fn side(&self) -> IdentitySide<'_>;
}

/// What identities have cannot be found out.
#[derive(Debug, thiserror::Error)]
#[error("principals cannot be looked up: {0}")]
pub struct PrincipalsUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl Kms {
    /// Whether there is such a principal.
    pub(crate) async fn principal_exists(&self, principal: &Principal) -> Result<bool, KmsError> {
        Ok(match principal {
            Principal::Account(account) => self.principals.account_exists(*account).await?,
            Principal::User { account, path_and_name } => {
                self.principals.user_exists(*account, path_and_name).await?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account() -> AccountId {
        "123456789012".parse().unwrap()
    }

    fn user(path_and_name: &str) -> Principal {
        Principal::User { account: account(), path_and_name: path_and_name.to_owned() }
    }

    #[test]
    fn accounts_and_users_are_read() {
        for (text, principal) in [
            ("arn:aws:iam::123456789012:root", Principal::Account(account())),
            ("arn:aws-cn:iam::123456789012:root", Principal::Account(account())),
            ("arn:aws:iam::123456789012:user/alice", user("alice")),
            ("arn:aws:iam::123456789012:user/ops/eu/alice", user("ops/eu/alice")),
        ] {
            assert_eq!(Principal::parse(text), Some(principal), "{text}");
        }
    }

    #[test]
    fn what_cannot_exist_here_is_no_principal() {
        for text in [
            "",
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:role/app",
            "arn:aws:sts::123456789012:assumed-role/app/session",
            "arn:aws:sts::123456789012:federated-user/alice",
            "arn:aws:iam::123456789012:group/ops",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:user",
            "arn:aws:iam::123456789012:root/x",
            "arn:aws:iam::12345678901:root",
            "arn:aws:iam:us-east-1:123456789012:root",
            "arn:aws:kms::123456789012:root",
            "arn:awsome:iam::123456789012:root",
        ] {
            assert_eq!(Principal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_users_arn_reads_back(digits in "[0-9]{12}", path_and_name in "[\\w+=,.@/-]{1,80}") {
            let read = Principal::parse(&format!("arn:aws:iam::{digits}:user/{path_and_name}"));
            prop_assert_eq!(read, Some(Principal::User { account: digits.parse().unwrap(), path_and_name }));
        }

        #[test]
        fn no_text_panics(text in "(arn:aws:(iam|sts)::)?[0-9]{0,13}:?(root|user|role)?/?\\PC{0,40}") {
            let _ = Principal::parse(&text);
        }
    }
}
