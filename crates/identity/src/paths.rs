//! Where records of this room lie in the store. Every path is made here and nowhere else.
//!
//! | path | record |
//! |---|---|
//! | `identity/account/<account>` | the account |
//! | `identity/user/<account>/<folded name>` | a user; names that differ by case alone meet here |
//! | `identity/access-key/<id>` | an access key |
//! | `identity/first-start` | that the first account was made, empty value |

use base::AccountId;
use store::{Key, KeyError};

use crate::name::{AccessKeyId, UserName};

pub(crate) const ACCOUNTS: &str = "identity/account/";
pub(crate) const USERS: &str = "identity/user/";
pub(crate) const ACCESS_KEYS: &str = "identity/access-key/";

pub(crate) fn account(account: AccountId) -> Result<Key, KeyError> {
    Key::new(format!("{ACCOUNTS}{account}"))
}

pub(crate) fn user(account: AccountId, name: &UserName) -> Result<Key, KeyError> {
    Key::new(format!("{USERS}{account}/{}", name.folded()))
}

pub(crate) fn access_key(id: &AccessKeyId) -> Result<Key, KeyError> {
    Key::new(format!("{ACCESS_KEYS}{id}"))
}

pub(crate) fn first_start() -> Result<Key, KeyError> {
    Key::new("identity/first-start")
}
