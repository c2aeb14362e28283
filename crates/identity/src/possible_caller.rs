//! Callers who make no call: for questions about what they could do.

use base::{AccountId, Caller, Principal};
use policy::PrincipalEntry;
use store::{Range, Record, decode_record};

use crate::access_key::path_and_name;
use crate::error::IdentityError;
use crate::record::{RoleRecord, UserRecord};
use crate::{Identity, paths};

/// Users or roles of an account.
#[derive(Clone, Debug, Default)]
pub struct PossibleCallers {
    /// Each as it would call; a role as a session without a name.
    pub callers: Vec<Caller>,
    /// The name of the last one, if there are more.
    pub last: Option<String>,
}

impl Identity {
    /// The next `limit` users of an account behind the one called `after`, in the order of their names in lower case.
    ///
    /// # Errors
    /// The store failed, or holds what was not written.
    pub async fn possible_users(
        &self,
        account: AccountId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PossibleCallers, IdentityError> {
        self.possible(&paths::users(account), after, limit, |user: UserRecord| {
            let path_and_name = path_and_name(&user)?;
            Ok(caller(account, Principal::User { path_and_name, unique_id: user.unique_id }))
        })
        .await
    }

    /// The same for roles.
    ///
    /// # Errors
    /// The store failed, or holds what was not written.
    pub async fn possible_roles(
        &self,
        account: AccountId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PossibleCallers, IdentityError> {
        let of_role = |role: RoleRecord| Ok(caller(account, session(role, String::new())));
        self.possible(&paths::roles(account), after, limit, of_role).await
    }

    /// Who calls when it is whom an entry of a policy or grant names; an account calls as its root user. `None` for entries
    /// that name nobody who is there, for everybody, and for identity providers, who make no calls.
    ///
    /// # Errors
    /// The store failed, or holds what was not written.
    pub async fn possible_caller(&self, entry: &PrincipalEntry) -> Result<Option<Caller>, IdentityError> {
        if self.principal(entry).await?.is_none() {
            return Ok(None);
        }
        Ok(match entry {
            PrincipalEntry::Anybody
            | PrincipalEntry::Federated(_)
            | PrincipalEntry::UniqueId(_)
            | PrincipalEntry::Service(_) => None,
            PrincipalEntry::Account(account) => Some(caller(*account, Principal::Root)),
            PrincipalEntry::User { account, path_and_name } => {
                let user = self.user_of(*account, path_and_name).await?;
                let principal = |user: UserRecord| Principal::User {
                    path_and_name: path_and_name.as_ref().to_owned(),
                    unique_id: user.unique_id,
                };
                user.map(|user| caller(*account, principal(user)))
            }
            PrincipalEntry::Role { account, path_and_name } => {
                let role = self.role_of(*account, path_and_name).await?;
                role.map(|role| caller(*account, session(role, String::new())))
            }
            PrincipalEntry::RoleSession { account, role, session: name } => {
                let path = paths::role(*account, &role.to_ascii_lowercase())?;
                let role = self.read::<RoleRecord>(&path).await?.map(|read| read.record);
                role.map(|role| caller(*account, session(role, name.as_ref().to_owned())))
            }
            PrincipalEntry::FederatedUser { account, name } => {
                // Of which user's the session would be, the entry does not say.
                let principal = Principal::FederatedUser {
                    name: name.as_ref().to_owned(),
                    user_path_and_name: String::new(),
                    user_unique_id: String::new(),
                };
                Some(caller(*account, principal))
            }
        })
    }

    async fn possible<R: Record>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        caller: impl Fn(R) -> Result<Caller, IdentityError>,
    ) -> Result<PossibleCallers, IdentityError> {
        let mut range = Range::prefix(prefix).limit(limit);
        if let Some(after) = after {
            let Ok(last) = store::Key::new(format!("{prefix}{after}")) else {
                return Ok(PossibleCallers::default());
            };
            range = range.after(&last);
        }
        let page = self.store.range(range).await?;
        let last = page.entries.last().filter(|_| page.more);
        let last = last.and_then(|last| last.key.as_str().strip_prefix(prefix)).map(str::to_owned);
        let callers = page.entries.iter().map(|entry| caller(decode_record(entry)?));
        Ok(PossibleCallers { callers: callers.collect::<Result<_, _>>()?, last })
    }
}

fn session(role: RoleRecord, session_name: String) -> Principal {
    Principal::RoleSession { path_and_name: role.path_and_name(), unique_id: role.unique_id, session_name }
}

fn caller(account: AccountId, principal: Principal) -> Caller {
    Caller { account, principal, access_key_id: String::new(), session: None }
}
