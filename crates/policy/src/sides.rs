//! What decides: the policies on the caller's side and those on the resource's. Whoever calls the engine finds them,
//! keeps them compiled, and hands them over.

use std::fmt;
use std::sync::Arc;

use crate::grant::Grant;
use crate::organization::Organization;
use crate::policy::Policy;

/// A policy and where it comes from.
#[derive(Clone, Debug)]
pub struct AttachedPolicy {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Where it comes from, for reasons and explanations.
    pub source: PolicySource,
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A managed policy, by its ARN: customer managed, AWS managed, or of an organisation.
    Managed(String),
    /// An inline policy of a user.
    User {
        /// The policy's name.
        name: String,
    },
    /// An inline policy of a group that the user is in.
    Group {
        /// The group's name.
        group: String,
        /// The policy's name.
        name: String,
    },
    /// An inline policy of a role.
    Role {
        /// The policy's name.
        name: String,
    },
    /// The policy in the request that made the session.
    Session,
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Managed(arn) => f.write_str(arn),
            Self::User { name } => write!(f, "user policy {name}"),
            Self::Group { group, name } => write!(f, "policy {name} of group {group}"),
            Self::Role { name } => write!(f, "role policy {name}"),
            Self::Session => f.write_str("session policy"),
        }
    }
}

/// What the caller's account says about the caller.
///
/// The default is a caller to whom no policy gives anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentitySide<'a> {
    /// Identity policies: those of a user and of its groups, of a session's role, or of the user who got a federated
    /// session. Inline and managed ones are equal.
    pub policies: &'a [AttachedPolicy],
    /// The permissions boundary of that user or role.
    pub boundary: Option<&'a AttachedPolicy>,
    /// The policies that the session was made with; empty if with none.
    pub session: &'a [AttachedPolicy],
    /// Service control policies: those of each level from the organisation's root to the account. Empty if the account
    /// is in none or is its management account, and for service-linked roles.
    pub service_control: &'a [Vec<AttachedPolicy>],
    /// Tags of the user or role. Those of the session are the caller's.
    pub tags: &'a [(String, String)],
    /// Where the caller's account stands in an organisation.
    pub organization: Option<&'a Organization>,
}

/// What the resource's account says about the resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourceSide<'a> {
    pub(crate) policy: Option<&'a Policy>,
    /// Whether nothing but that policy, and what it delegates to, opens the resource to its own account.
    pub(crate) is_guarded: bool,
    /// Grants on the key that may apply: whichever there are for this caller, account or service.
    pub grants: &'a [Grant],
    /// Resource control policies: those of each level from the organisation's root to the account, with AWS's
    /// RCPFullAWSAccess among those of each. Empty if the account is in none or is its management account, and for AWS
    /// managed keys.
    pub resource_control: &'a [Vec<AttachedPolicy>],
    /// Where the resource's account stands in an organisation.
    pub organization: Option<&'a Organization>,
}

impl<'a> ResourceSide<'a> {
    /// A key, role or other resource that nothing opens but its own policy, and what that delegates to.
    pub fn guarded_by(policy: &'a Policy) -> Self {
        Self { policy: Some(policy), is_guarded: true, ..Self::without_policy() }
    }

    /// A resource that its own policy opens, also to whoever did not sign, and identity policies of its account as well,
    /// such as an S3 bucket. Never a key or role.
    pub fn opened_by(policy: &'a Policy) -> Self {
        Self { policy: Some(policy), ..Self::without_policy() }
    }

    /// A resource that has no policy, such as an alias, or no resource in particular: identity policies of its account
    /// decide alone. Never for a key.
    pub const fn without_policy() -> Self {
        Self { policy: None, is_guarded: false, grants: &[], resource_control: &[], organization: None }
    }
}
