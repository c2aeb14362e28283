//! Users and roles as policies and grants name them: who is there, and by which unique id.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
//!
//! A policy that names a user or role means the one who is there when it is stored. So whoever stores one keeps the unique
//! id beside it; a namesake who is made later is somebody else.

use base::AccountId;
use policy::PrincipalEntry;
use serde::{Deserialize, Serialize};
use store::{Key, KeyError, Record};

use crate::error::IdentityError;
use crate::iam::{self, Kind};
use crate::record::{RoleRecord, UserRecord};
use crate::service::Identity;
use crate::{access_key, paths};

/// Somebody whom an entry of a policy or a grant names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPrincipal {
    /// `AIDA…` or `AROA…` if the entry names one user or role, who can be deleted and made again.
    pub unique_id: Option<String>,
}

/// Where the user or role of a unique id is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UniqueIdRecord {
    pub(crate) account: String,
    pub(crate) holder: Holder,
    pub(crate) folded_name: String,
}

/// Who has a unique id that policies can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Holder {
    User,
    Role,
}

impl Record for UniqueIdRecord {
    const KIND: &'static str = "the name of a user or role";
    const VERSION: u8 = 1;
}

impl UniqueIdRecord {
    pub(crate) fn new(account: AccountId, holder: Holder, name: &str) -> Self {
        Self { account: account.to_string(), holder, folded_name: name.to_ascii_lowercase() }
    }
}

impl Identity {
    /// Whom an entry names; `None` if there is nobody of this name. Accounts, users, roles and unique ids are looked up;
    /// of a session, whether there are the role and the account that it would be of. Services and identity providers
    /// are not looked up.
    ///
    /// # Errors
    /// The store failed.
    pub async fn principal(&self, entry: &PrincipalEntry) -> Result<Option<KnownPrincipal>, IdentityError> {
        let nameless = |is_there: bool| is_there.then_some(KnownPrincipal { unique_id: None });
        let known = |id: Option<String>| id.map(|id| KnownPrincipal { unique_id: Some(id) });
        Ok(match entry {
            PrincipalEntry::Anybody | PrincipalEntry::Service(_) | PrincipalEntry::Federated(_) => {
                nameless(true)
            }
            PrincipalEntry::Account(account) | PrincipalEntry::FederatedUser { account, .. } => {
                nameless(self.account_exists(*account).await?)
            }
            PrincipalEntry::User { account, path_and_name } => {
                known(self.user_of(*account, path_and_name).await?.map(|user| user.unique_id))
            }
            PrincipalEntry::Role { account, path_and_name } => {
                let role = self.role_of(*account, path_and_name).await?;
                known(role.map(|role| role.unique_id))
            }
            PrincipalEntry::RoleSession { account, role, .. } => {
                let location = located(paths::role(*account, &role.to_ascii_lowercase()));
                let Some(location) = location else { return Ok(None) };
                nameless(self.read::<RoleRecord>(&location).await?.is_some())
            }
            PrincipalEntry::UniqueId(id) => {
                known(self.arn_of_unique_id(id).await?.map(|_| id.as_ref().to_owned()))
            }
        })
    }

    /// The ARN that the user or role of a unique id has now; `None` if there is none any more.
    ///
    /// # Errors
    /// The store failed, or holds what was not written.
    pub async fn arn_of_unique_id(&self, unique_id: &str) -> Result<Option<String>, IdentityError> {
        let Some(path) = located(paths::unique_id(unique_id)) else { return Ok(None) };
        let Some(known) = self.read::<UniqueIdRecord>(&path).await? else { return Ok(None) };
        let UniqueIdRecord { account, holder, folded_name } = known.record;
        let account = account.parse().map_err(|_| IdentityError::Damaged(path.to_string()))?;
        Ok(match holder {
            Holder::User => {
                let user = self.read::<UserRecord>(&paths::user_folded(account, &folded_name)?).await?;
                let user = user.map(|read| read.record).filter(|user| user.unique_id == unique_id);
                user.map(|user| iam::arn(Kind::User, account, &user.path, &user.name))
            }
            Holder::Role => {
                let role = self.read::<RoleRecord>(&paths::role(account, &folded_name)?).await?;
                let role = role.map(|read| read.record).filter(|role| role.unique_id == unique_id);
                role.map(|role| iam::arn(Kind::Role, account, &role.path, &role.name))
            }
        })
    }

    /// Where the user or role of a unique id lies, if it is one of this account.
    pub(crate) async fn path_of_unique_id(
        &self,
        account: AccountId,
        unique_id: &str,
    ) -> Result<Option<Key>, IdentityError> {
        let Some(path) = located(paths::unique_id(unique_id)) else { return Ok(None) };
        let Some(known) = self.read::<UniqueIdRecord>(&path).await? else { return Ok(None) };
        let UniqueIdRecord { account: own, holder, folded_name } = known.record;
        if own != account.to_string() {
            return Ok(None);
        }
        Ok(Some(match holder {
            Holder::User => paths::user_folded(account, &folded_name)?,
            Holder::Role => paths::role(account, &folded_name)?,
        }))
    }

    /// The user of this path and name. A user is found without regard to case and path; an ARN names both exactly.
    pub(crate) async fn user_of(
        &self,
        account: AccountId,
        path_and_name: &str,
    ) -> Result<Option<UserRecord>, IdentityError> {
        let folded = iam::last_segment(path_and_name).to_ascii_lowercase();
        let Some(location) = located(paths::user_folded(account, &folded)) else { return Ok(None) };
        let Some(user) = self.read::<UserRecord>(&location).await? else { return Ok(None) };
        Ok((access_key::path_and_name(&user.record)? == path_and_name).then_some(user.record))
    }

    /// The role of this path and name. Case does not count: role names are compared so wherever policies name them.
    pub(crate) async fn role_of(
        &self,
        account: AccountId,
        path_and_name: &str,
    ) -> Result<Option<RoleRecord>, IdentityError> {
        let folded = iam::last_segment(path_and_name).to_ascii_lowercase();
        let Some(location) = located(paths::role(account, &folded)) else { return Ok(None) };
        let Some(role) = self.read::<RoleRecord>(&location).await? else { return Ok(None) };
        let role = role.record;
        Ok(role.path_and_name().eq_ignore_ascii_case(path_and_name).then_some(role))
    }
}

/// A name that is too long for the store is nobody's.
fn located(path: Result<Key, KeyError>) -> Option<Key> {
    path.ok()
}
