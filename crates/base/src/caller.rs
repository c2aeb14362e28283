//! Who calls.

use std::borrow::Cow;
use std::fmt;

use crate::{AccountId, Timestamp};

/// Who calls: whoever signature verification found, or nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account whose credentials signed the request. A service principal has none of its own: there it is the
    /// account on whose behalf the service calls. Nor has an anonymous caller: there it is the account of what is asked
    /// for, which is told of the call and gives no rights.
    pub account: AccountId,
    /// The identity within that account.
    pub principal: Principal,
    /// The access key that signed; empty if none did.
    pub access_key_id: String,
    /// What is known of the session if the credentials are temporary; `None` for long-term access keys.
    pub session: Option<Session>,
}

/// The kinds of identity that can sign a request, and whoever did not sign.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The root user of the account.
    Root,
    /// An IAM user, or a session that GetSessionToken gave it.
    User {
        /// Path and name as they stand in the ARN, for example `ops/alice` or `admin`.
        path_and_name: String,
        /// Unique id, `AIDA…`. A user deleted and made again gets another one.
        unique_id: String,
    },
    /// A session of a role.
    RoleSession {
        /// Path and name of the role as they stand in its ARN, for example `service/app`.
        path_and_name: String,
        /// Unique id of the role, `AROA…`.
        unique_id: String,
        /// The name that whoever assumed the role chose.
        session_name: String,
    },
    /// A session that GetFederationToken gave to a user.
    FederatedUser {
        /// The name that the user chose.
        name: String,
        /// Path and name of the user as they stand in the ARN.
        user_path_and_name: String,
        /// Unique id of the user, `AIDA…`.
        user_unique_id: String,
    },
    /// An AWS service that calls as itself.
    Service {
        /// Its service principal, for example `logs.amazonaws.com`.
        name: String,
    },
    /// Whoever did not sign the request. Only S3 has such callers.
    Anonymous,
}

/// What policies and texts call a caller who did not sign.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
const ANONYMOUS: &str = "anonymous";

/// What temporary credentials carry along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// When the credentials were issued.
    pub issued_at: Timestamp,
    /// When multi-factor authentication was used to get them, if it was.
    pub multi_factor_at: Option<Timestamp>,
    /// Session tags. Each replaces the tag of role or user whose key is the same but for case.
    pub tags: Vec<(String, String)>,
    /// Keys of those session tags that sessions of roles assumed from this one inherit.
    pub transitive_tag_keys: Vec<String>,
    /// The policies that the session was made with; `None` if with none.
    pub policies: Option<SessionPolicies>,
    /// The source identity, once one was set.
    pub source_identity: Option<String>,
    /// The identity provider behind a session of AssumeRoleWithWebIdentity or AssumeRoleWithSAML.
    pub federation: Option<Federation>,
}

/// Policies that a session was made with: it may do no more than they allow together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicies {
    /// The document in the request that made the session.
    pub document: Option<String>,
    /// ARNs of managed policies.
    pub managed: Vec<String>,
    /// A digest of all of them: what is equal for equal policies alone.
    pub digest: [u8; 32],
}

/// What an identity provider said about the holder of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// The issuer's host, the provider's ARN, or `cognito-identity.amazonaws.com`: `aws:FederatedProvider`.
    pub provider: String,
    /// Claims under the names of their condition keys, for example `accounts.google.com:sub`.
    pub claims: Vec<(String, String)>,
}

impl Caller {
    /// Whoever did not sign a request about something of this account.
    pub fn anonymous(account: AccountId) -> Self {
        Self { account, principal: Principal::Anonymous, access_key_id: String::new(), session: None }
    }

    /// Whether nobody signed.
    pub fn is_anonymous(&self) -> bool {
        self.principal == Principal::Anonymous
    }

    /// The principal's ARN as AWS prints it in answers and error texts; of a service its name, for it has no ARN, and
    /// `anonymous` of whoever did not sign.
    pub fn arn(&self) -> impl fmt::Display + '_ {
        CallerArn(self)
    }

    /// The ARN that policies mean by `aws:PrincipalArn`: of a role session that of the role. A service has none, nor has
    /// whoever did not sign.
    pub fn principal_arn(&self) -> Option<String> {
        match &self.principal {
            Principal::RoleSession { path_and_name, .. } => {
                Some(format!("arn:aws:iam::{}:role/{path_and_name}", self.account))
            }
            Principal::Service { .. } | Principal::Anonymous => None,
            Principal::Root | Principal::User { .. } | Principal::FederatedUser { .. } => {
                Some(self.arn().to_string())
            }
        }
    }

    /// `UserId` of GetCallerIdentity, and `aws:userid`.
    pub fn user_id(&self) -> Cow<'_, str> {
        match &self.principal {
            Principal::Root => self.account.to_string().into(),
            Principal::User { unique_id, .. } => unique_id.into(),
            Principal::RoleSession { unique_id, session_name, .. } => {
                format!("{unique_id}:{session_name}").into()
            }
            Principal::FederatedUser { name, .. } => format!("{}:{name}", self.account).into(),
            Principal::Service { name } => name.into(),
            Principal::Anonymous => ANONYMOUS.into(),
        }
    }
}

impl Principal {
    /// The name of the user or role itself, without its path; `None` for root user, services and whoever did not sign.
    pub fn friendly_name(&self) -> Option<&str> {
        match self {
            Self::User { path_and_name, .. } | Self::RoleSession { path_and_name, .. } => {
                Some(without_path(path_and_name))
            }
            Self::FederatedUser { user_path_and_name, .. } => Some(without_path(user_path_and_name)),
            Self::Root | Self::Service { .. } | Self::Anonymous => None,
        }
    }
}

fn without_path(path_and_name: &str) -> &str {
    path_and_name.rsplit('/').next().unwrap_or_default()
}

struct CallerArn<'a>(&'a Caller);

impl fmt::Display for CallerArn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.0.account;
        match &self.0.principal {
            Principal::Root => write!(f, "arn:aws:iam::{account}:root"),
            Principal::User { path_and_name, .. } => {
                f.write_str("arn:aws:iam::")?;
                fmt::Display::fmt(&account, f)?;
                f.write_str(":user/")?;
                f.write_str(path_and_name)
            }
            Principal::RoleSession { path_and_name, session_name, .. } => {
                let role = without_path(path_and_name);
                write!(f, "arn:aws:sts::{account}:assumed-role/{role}/{session_name}")
            }
            Principal::FederatedUser { name, .. } => {
                write!(f, "arn:aws:sts::{account}:federated-user/{name}")
            }
            Principal::Service { name } => f.write_str(name),
            Principal::Anonymous => f.write_str(ANONYMOUS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(principal: Principal) -> Caller {
        Caller {
            account: "123456789012".parse().unwrap(),
            principal,
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            session: None,
        }
    }

    #[test]
    fn each_kind_has_its_arn_and_its_user_id() {
        let user = Principal::User { path_and_name: "ops/alice".into(), unique_id: "AIDAEXAMPLE".into() };
        let role = Principal::RoleSession {
            path_and_name: "service/app".into(),
            unique_id: "AROAEXAMPLE".into(),
            session_name: "deploy".into(),
        };
        let federated = Principal::FederatedUser {
            name: "bob".into(),
            user_path_and_name: "ops/alice".into(),
            user_unique_id: "AIDAEXAMPLE".into(),
        };
        let service = Principal::Service { name: "logs.amazonaws.com".into() };
        for (principal, arn, policy_arn, user_id, name) in [
            (
                Principal::Root,
                "arn:aws:iam::123456789012:root",
                Some("arn:aws:iam::123456789012:root"),
                "123456789012",
                None,
            ),
            (
                user,
                "arn:aws:iam::123456789012:user/ops/alice",
                Some("arn:aws:iam::123456789012:user/ops/alice"),
                "AIDAEXAMPLE",
                Some("alice"),
            ),
            (
                role,
                "arn:aws:sts::123456789012:assumed-role/app/deploy",
                Some("arn:aws:iam::123456789012:role/service/app"),
                "AROAEXAMPLE:deploy",
                Some("app"),
            ),
            (
                federated,
                "arn:aws:sts::123456789012:federated-user/bob",
                Some("arn:aws:sts::123456789012:federated-user/bob"),
                "123456789012:bob",
                Some("alice"),
            ),
            (service, "logs.amazonaws.com", None, "logs.amazonaws.com", None),
            (Principal::Anonymous, "anonymous", None, "anonymous", None),
        ] {
            assert_eq!(principal.friendly_name(), name, "{arn}");
            let caller = caller(principal);
            assert_eq!(caller.arn().to_string(), arn);
            assert_eq!(caller.principal_arn().as_deref(), policy_arn);
            assert_eq!(caller.user_id(), user_id);
            assert_eq!(caller.is_anonymous(), arn == "anonymous");
        }
    }
}
