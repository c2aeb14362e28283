//! What is stored of accounts and their identities: versioned records that stay readable for ever. Members that came
//! later are optional. All times are milliseconds since the epoch.

use std::collections::BTreeMap;

use keyring::SealedUnderDomain;
use serde::{Deserialize, Serialize};
use store::Record;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    pub(crate) created_at: i64,
    /// How many users there are; kept in the same commit as each of them, and so the other counts.
    pub(crate) users: u32,
    #[serde(default)]
    pub(crate) groups: u32,
    #[serde(default)]
    pub(crate) roles: u32,
    /// Customer managed policies.
    #[serde(default)]
    pub(crate) policies: u32,
    /// OpenID Connect providers.
    #[serde(default)]
    pub(crate) providers: u32,
    /// The account's alias.
    #[serde(default)]
    pub(crate) alias: Option<String>,
    /// Ids of the root user's access keys; kept in the same commit as each of them.
    #[serde(default)]
    pub(crate) root_access_keys: Vec<String>,
}

impl AccountRecord {
    /// An account with `users` users and nothing else.
    pub(crate) fn new(created_at: i64, users: u32) -> Self {
        let alias = None;
        let root_access_keys = Vec::new();
        Self { created_at, users, groups: 0, roles: 0, policies: 0, providers: 0, alias, root_access_keys }
    }
}

impl Record for AccountRecord {
    const KIND: &'static str = "an account";
    const VERSION: u8 = 1;
}

/// The policies that a user, group or role holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldPolicies {
    /// ARNs of attached managed policies.
    pub(crate) managed_policies: Vec<String>,
    /// The size of each inline policy, in characters that are not white space, by its name.
    #[serde(default)]
    pub(crate) inline_policies: BTreeMap<String, usize>,
}

impl HeldPolicies {
    /// These managed policies and no inline ones.
    pub(crate) fn managed(managed_policies: Vec<String>) -> Self {
        Self { managed_policies, inline_policies: BTreeMap::new() }
    }
}

/// A tag. Two tags of one entity do not differ by case alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagRecord {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    /// As it was given; the path in the store is folded.
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AIDA…`.
    pub(crate) unique_id: String,
    pub(crate) created_at: i64,
    #[serde(flatten)]
    pub(crate) policies: HeldPolicies,
    /// Ids of the user's access keys; kept in the same commit as each of them.
    pub(crate) access_keys: Vec<String>,
    /// Unique ids of the user's groups.
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    /// The ARN of the managed policy that bounds the user.
    #[serde(default)]
    pub(crate) boundary: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<TagRecord>,
}

impl Record for UserRecord {
    const KIND: &'static str = "a user";
    const VERSION: u8 = 1;
}

/// An access key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessKeyRecord {
    pub(crate) account: String,
    /// The user's name as it was given; none if it is the root user's.
    #[serde(default)]
    pub(crate) user: Option<String>,
    pub(crate) status: AccessKeyStatus,
    pub(crate) created_at: i64,
    pub(crate) secret: SealedUnderDomain,
}

impl Record for AccessKeyRecord {
    const KIND: &'static str = "an access key";
    const VERSION: u8 = 1;
}

/// Whether an access key can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AccessKeyStatus {
    Active,
    Inactive,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    /// As it was given; the path in the store is folded.
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AGPA…`.
    pub(crate) unique_id: String,
    pub(crate) created_at: i64,
    #[serde(flatten)]
    pub(crate) policies: HeldPolicies,
    /// How many users are in it; kept in the same commit as each membership.
    pub(crate) members: u32,
}

impl Record for GroupRecord {
    const KIND: &'static str = "a group";
    const VERSION: u8 = 1;
}

/// Where the group of a unique id is: its folded name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupIdRecord {
    pub(crate) folded_name: String,
}

impl Record for GroupIdRecord {
    const KIND: &'static str = "the name of a group";
    const VERSION: u8 = 1;
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoleRecord {
    /// As it was given; the path in the store is folded.
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AROA…`.
    pub(crate) unique_id: String,
    pub(crate) created_at: i64,
    #[serde(flatten)]
    pub(crate) policies: HeldPolicies,
    /// The trust policy, byte for byte.
    pub(crate) trust_policy: String,
    /// The unique ids of the users and roles that the trust policy names, by the ARNs under which it does.
    #[serde(default)]
    pub(crate) trusted: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    /// The longest session, in seconds.
    pub(crate) max_session_duration: i32,
    /// The ARN of the managed policy that bounds the role.
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Vec<TagRecord>,
}

impl RoleRecord {
    /// Path and name as they stand in the role's ARN.
    pub(crate) fn path_and_name(&self) -> String {
        format!("{}{}", self.path.strip_prefix('/').unwrap_or(&self.path), self.name)
    }
}

impl Record for RoleRecord {
    const KIND: &'static str = "a role";
    const VERSION: u8 = 1;
}

/// A customer managed policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    /// As it was given; the path in the store is folded.
    pub(crate) name: String,
    pub(crate) path: String,
    /// `ANPA…`.
    pub(crate) unique_id: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) description: Option<String>,
    /// The number of the version that counts.
    pub(crate) default_version: u32,
    /// The number of the version that is made next; numbers are not used again.
    pub(crate) next_version: u32,
    /// Oldest first.
    pub(crate) versions: Vec<PolicyVersionRecord>,
    #[serde(flatten)]
    pub(crate) usage: PolicyUsageRecord,
    pub(crate) tags: Vec<TagRecord>,
}

impl Record for PolicyRecord {
    const KIND: &'static str = "a managed policy";
    const VERSION: u8 = 1;
}

/// A version of a managed policy. Its document lies beside it and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyVersionRecord {
    pub(crate) number: u32,
    pub(crate) created_at: i64,
}

/// How often a managed policy is used; of AWS's own policies, a record for each account that uses one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyUsageRecord {
    /// Users, groups and roles that it is attached to.
    pub(crate) attachments: u32,
    /// Users and roles that it bounds.
    pub(crate) boundaries: u32,
}

impl Record for PolicyUsageRecord {
    const KIND: &'static str = "the usage of a managed policy";
    const VERSION: u8 = 1;
}

/// The document of an inline policy or of a version of a managed one, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyDocumentRecord {
    pub(crate) document: String,
}

impl Record for PolicyDocumentRecord {
    const KIND: &'static str = "a policy document";
    const VERSION: u8 = 1;
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenIdConnectProviderRecord {
    /// Host and path, without the scheme.
    pub(crate) url: String,
    pub(crate) created_at: i64,
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) tags: Vec<TagRecord>,
}

impl Record for OpenIdConnectProviderRecord {
    const KIND: &'static str = "an OpenID Connect provider";
    const VERSION: u8 = 1;
}
