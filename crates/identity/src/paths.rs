//! Where records of this room lie in the store. Every path is made here and nowhere else.
//!
//! | path | record |
//! |---|---|
//! | `identity/account/<account>` | the account |
//! | `identity/user/<account>/<folded name>` | a user; names that differ by case alone meet here |
//! | `identity/access-key/<id>` | an access key |
//! | `identity/group/<account>/<folded name>` | a group |
//! | `identity/group-id/<account>/<unique id>` | the folded name of a group |
//! | `identity/group-member/<unique id of the group>/<folded name of the user>` | a membership, empty value |
//! | `identity/role/<account>/<folded name>` | a role |
//! | `identity/unique-id/<unique id>` | where the user or role of a unique id is |
//! | `identity/policy/<account>/<folded name>` | a customer managed policy |
//! | `identity/policy-document/<unique id of the policy>/<version>` | the document of a version |
//! | `identity/inline-policy/<unique id of user, group or role>/<name>` | the document of an inline policy |
//! | `identity/aws-policy/<account>/<name>` | how often the account uses a policy of AWS |
//! | `identity/oidc-provider/<account>/<host and path>` | an OpenID Connect provider |
//! | `identity/account-alias/<alias>` | the account that has this alias |
//! | `identity/first-start` | that the first account was made, empty value |

use base::AccountId;
use store::{Key, KeyError};

use crate::name::{AccessKeyId, UserName};

/// Everything of this room.
pub(crate) const IDENTITY: &str = "identity/";
pub(crate) const ACCOUNTS: &str = "identity/account/";
pub(crate) const USERS: &str = "identity/user/";
pub(crate) const ROLES: &str = "identity/role/";
pub(crate) const ACCESS_KEYS: &str = "identity/access-key/";

pub(crate) fn account(account: AccountId) -> Result<Key, KeyError> {
    Key::new(format!("{ACCOUNTS}{account}"))
}

pub(crate) fn user(account: AccountId, name: &UserName) -> Result<Key, KeyError> {
    user_folded(account, &name.folded())
}

pub(crate) fn user_folded(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{folded_name}", users(account)))
}

pub(crate) fn access_key(id: &AccessKeyId) -> Result<Key, KeyError> {
    Key::new(format!("{ACCESS_KEYS}{id}"))
}

pub(crate) fn users(account: AccountId) -> String {
    format!("{USERS}{account}/")
}

pub(crate) fn groups(account: AccountId) -> String {
    format!("{IDENTITY}group/{account}/")
}

pub(crate) fn group(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{folded_name}", groups(account)))
}

pub(crate) fn group_id(account: AccountId, unique_id: &str) -> Result<Key, KeyError> {
    Key::new(format!("{IDENTITY}group-id/{account}/{unique_id}"))
}

pub(crate) fn group_members(group_id: &str) -> String {
    format!("{IDENTITY}group-member/{group_id}/")
}

pub(crate) fn group_member(group_id: &str, folded_user_name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{folded_user_name}", group_members(group_id)))
}

pub(crate) fn roles(account: AccountId) -> String {
    format!("{ROLES}{account}/")
}

pub(crate) fn role(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{folded_name}", roles(account)))
}

pub(crate) fn unique_id(id: &str) -> Result<Key, KeyError> {
    Key::new(format!("{IDENTITY}unique-id/{id}"))
}

pub(crate) fn policies(account: AccountId) -> String {
    format!("{IDENTITY}policy/{account}/")
}

pub(crate) fn policy(account: AccountId, folded_name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{folded_name}", policies(account)))
}

pub(crate) fn policy_document(policy_id: &str, version: u32) -> Result<Key, KeyError> {
    Key::new(format!("{IDENTITY}policy-document/{policy_id}/{version}"))
}

pub(crate) fn inline_policy(holder_id: &str, name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{IDENTITY}inline-policy/{holder_id}/{name}"))
}

pub(crate) fn aws_policy(account: AccountId, name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{IDENTITY}aws-policy/{account}/{name}"))
}

pub(crate) fn oidc_providers(account: AccountId) -> String {
    format!("{IDENTITY}oidc-provider/{account}/")
}

pub(crate) fn oidc_provider(account: AccountId, url: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}{url}", oidc_providers(account)))
}

pub(crate) fn account_alias(alias: &str) -> Result<Key, KeyError> {
    Key::new(format!("{IDENTITY}account-alias/{alias}"))
}

pub(crate) fn first_start() -> Result<Key, KeyError> {
    Key::new("identity/first-start")
}
