//! AWS's quotas, its defaults where they can be raised.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

/// Users in an account.
pub(crate) const USERS: u32 = crate::user::USERS_PER_ACCOUNT_MAX;
/// Groups in an account.
pub(crate) const GROUPS: u32 = 300;
/// Roles in an account.
pub(crate) const ROLES: u32 = 1_000;
/// Customer managed policies in an account.
pub(crate) const POLICIES: u32 = 1_500;
/// OpenID Connect providers in an account.
pub(crate) const PROVIDERS: u32 = 100;
/// Groups that a user is in.
pub(crate) const GROUPS_PER_USER: usize = 10;
/// Access keys of a user.
pub(crate) const ACCESS_KEYS_PER_USER: usize = crate::access_key::ACCESS_KEYS_PER_USER_MAX;
/// Managed policies attached to a user, group or role.
pub(crate) const ATTACHED_POLICIES: usize = 10;
/// Versions of a managed policy.
pub(crate) const VERSIONS_PER_POLICY: usize = 5;
/// Characters of a managed policy that are not white space.
pub(crate) const POLICY_SIZE: usize = 6_144;
/// Characters of all inline policies of a user that are not white space.
pub(crate) const USER_POLICY_SIZE: usize = 2_048;
/// Characters of all inline policies of a group that are not white space.
pub(crate) const GROUP_POLICY_SIZE: usize = 5_120;
/// Characters of all inline policies of a role that are not white space.
pub(crate) const ROLE_POLICY_SIZE: usize = 10_240;
/// Characters of a trust policy that are not white space.
pub(crate) const TRUST_POLICY_SIZE: usize = 2_048;
/// Tags of a user, role, policy or provider.
pub(crate) const TAGS: usize = 50;
/// Client ids of an OpenID Connect provider.
pub(crate) const CLIENT_IDS_PER_PROVIDER: usize = 100;
/// Thumbprints of an OpenID Connect provider.
pub(crate) const THUMBPRINTS_PER_PROVIDER: usize = 5;
