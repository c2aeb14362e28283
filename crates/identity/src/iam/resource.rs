//! What IAM calls are about: the ARNs of users, groups, roles and policies.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>

use std::fmt;

use base::AccountId;

/// The kinds of thing that have an ARN in IAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Group,
    InstanceProfile,
    OpenIdConnectProvider,
    Policy,
    Role,
    User,
}

impl Kind {
    /// The word in an ARN.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::InstanceProfile => "instance-profile",
            Self::OpenIdConnectProvider => "oidc-provider",
            Self::Policy => "policy",
            Self::Role => "role",
            Self::User => "user",
        }
    }

    /// The type of resource in an audit record.
    fn audited(self) -> &'static str {
        match self {
            Self::Group => "AWS::IAM::Group",
            Self::InstanceProfile => "AWS::IAM::InstanceProfile",
            Self::OpenIdConnectProvider => "AWS::IAM::OIDCProvider",
            Self::Policy => "AWS::IAM::Policy",
            Self::Role => "AWS::IAM::Role",
            Self::User => "AWS::IAM::User",
        }
    }
}

/// What one call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// The account as a whole: policies name it `*`.
    Account,
    /// One thing.
    One {
        /// What it is.
        kind: Kind,
        /// Its ARN.
        arn: String,
    },
}

impl Resource {
    /// Something by its path (`/`, `/ops/`) and name.
    pub(crate) fn named(kind: Kind, account: AccountId, path: &str, name: &str) -> Self {
        Self::One { kind, arn: arn(kind, account, path, name) }
    }

    /// For an audit record: the type of resource and its ARN.
    pub(crate) fn audited(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Account => None,
            Self::One { kind, arn } => Some((kind.audited(), arn)),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("*"),
            Self::One { arn, .. } => f.write_str(arn),
        }
    }
}

/// The ARN of something by its path (`/`, `/ops/`) and name.
pub(crate) fn arn(kind: Kind, account: AccountId, path: &str, name: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    format!("arn:aws:iam::{account}:{}/{path}{name}", kind.word())
}

/// The name at the end of an ARN's resource.
pub(crate) fn last_segment(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or_default()
}
