//! ListKeyAccess: who can do what with a key, computed from all layers, page by page: root user and principals that the key
//! policy names first, then grantees, users and roles of the key's account. Of somebody of another account it tells what the
//! key's side gives, for what that account's policies say is not for the key's owner to know.

use std::sync::Arc;

use base::{AccountId, Call, Caller, Principal};
use policy::PrincipalEntry;
use wire::keywright::{
    ListKeyAccess, ListKeyAccessRequest, ListKeyAccessResponse, PrincipalAccess, PrincipalKindType, SideType,
};

use crate::error::ManagementError;
use crate::marker::Place;
use crate::ports::{KeyOutline, Part, Whom};
use crate::table::Handle;
use crate::{Management, told};

/// Users, roles or grants that a page looks at, if nothing is said.
const LIMIT_DEFAULT: usize = 100;

impl Handle for ListKeyAccess {
    async fn handle(
        management: &Management,
        call: &Call,
        request: ListKeyAccessRequest,
    ) -> Result<ListKeyAccessResponse, ManagementError> {
        let place = match request.marker.as_deref() {
            Some(marker) => marker.parse().map_err(|_| ManagementError::InvalidMarker)?,
            None => Place::Start,
        };
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIMIT_DEFAULT);
        let key = management.keys.outline(call, &request.key_id).await?;
        management.authorize::<Self>(call, &key.key.to_string()).await?;
        let look = Look { management, call, key: &key };
        let (somebody, next) = look.at(place, limit).await?;
        let mut principals = Vec::with_capacity(somebody.len());
        for one in somebody {
            principals.extend(look.access_of(one).await?);
        }
        Ok(ListKeyAccessResponse {
            key_id: key.key.to_string(),
            principals,
            truncated: next.is_some(),
            next_marker: next.map(|next| next.to_string()),
        })
    }
}

/// Somebody whose access is told.
struct Somebody {
    name: String,
    kind: PrincipalKindType,
    whom: Whom,
}

/// A look at a key.
struct Look<'a> {
    management: &'a Management,
    call: &'a Call,
    key: &'a KeyOutline,
}

impl Look<'_> {
    /// Who comes next, and where to go on.
    async fn at(
        &self,
        place: Place,
        limit: usize,
    ) -> Result<(Vec<Somebody>, Option<Place>), ManagementError> {
        let (account, people) = (self.key.key.account, &self.management.people);
        let go_on = |last: Option<String>, same: fn(Option<String>) -> Place, next: Option<Place>| match last
        {
            Some(last) => Some(same(Some(last))),
            None => next,
        };
        let callers = |part: Part<Caller>| part.items.into_iter().map(Somebody::of).collect();
        Ok(match place {
            Place::Start => (self.named().await?, Some(Place::Grants(None))),
            Place::Grants(after) => {
                let part = self.management.keys.grantees(self.key, after.as_deref(), limit).await?;
                let next = go_on(part.last, Place::Grants, Some(Place::Users(None)));
                (self.others(part.items).await?, next)
            }
            Place::Users(after) => {
                let part = people.users(account, after.as_deref(), limit).await?;
                let next = go_on(part.last.clone(), Place::Users, Some(Place::Roles(None)));
                (callers(part), next)
            }
            Place::Roles(after) => {
                let part = people.roles(account, after.as_deref(), limit).await?;
                let next = go_on(part.last.clone(), Place::Roles, None);
                (callers(part), next)
            }
        })
    }

    /// The root user of the key's account, and whom the key policy names beside users and roles of that account.
    async fn named(&self) -> Result<Vec<Somebody>, ManagementError> {
        let root = PrincipalEntry::Account(self.key.key.account);
        let all = std::iter::once(root).chain(self.key.named.iter().cloned()).collect();
        self.others(all).await
    }

    /// Those among `entries` who will not come with the users and roles of the key's account, each once.
    async fn others(&self, entries: Vec<PrincipalEntry>) -> Result<Vec<Somebody>, ManagementError> {
        let mut seen = Vec::new();
        let mut others = Vec::new();
        for entry in entries {
            let is_listed = matches!(&entry, PrincipalEntry::User { account, .. } | PrincipalEntry::Role { account, .. }
                if *account == self.key.key.account);
            if is_listed || seen.contains(&entry) {
                continue;
            }
            others.extend(self.somebody(&entry).await?);
            seen.push(entry);
        }
        Ok(others)
    }

    async fn somebody(&self, entry: &PrincipalEntry) -> Result<Option<Somebody>, ManagementError> {
        let own = self.key.key.account;
        Ok(match entry {
            PrincipalEntry::Anybody => Some(Somebody {
                name: "*".to_owned(),
                kind: PrincipalKindType::Everybody,
                whom: Whom::Everybody,
            }),
            PrincipalEntry::Service(name) => {
                let principal = Principal::Service { name: name.to_string() };
                Some(Somebody::of(Caller {
                    account: own,
                    principal,
                    access_key_id: String::new(),
                    session: None,
                }))
            }
            PrincipalEntry::Account(account) if *account != own => {
                let caller = self.management.people.caller_of(entry).await?;
                caller.map(|caller| Somebody { kind: PrincipalKindType::Account, ..Somebody::of(caller) })
            }
            PrincipalEntry::Account(_)
            | PrincipalEntry::User { .. }
            | PrincipalEntry::Role { .. }
            | PrincipalEntry::RoleSession { .. }
            | PrincipalEntry::FederatedUser { .. }
            | PrincipalEntry::UniqueId(_)
            | PrincipalEntry::Federated(_) => {
                self.management.people.caller_of(entry).await?.map(Somebody::of)
            }
        })
    }

    /// What somebody can do; `None` if nothing.
    async fn access_of(&self, somebody: Somebody) -> Result<Option<PrincipalAccess>, ManagementError> {
        let possible = self.management.keys.access(self.call, self.key, &somebody.whom).await?;
        let access = told::accesses(possible);
        let hidden_side = (!somebody.is_of(self.key.key.account)).then_some(SideType::Principal);
        let Somebody { name, kind, .. } = somebody;
        Ok((!access.is_empty()).then_some(PrincipalAccess { principal: name, kind, access, hidden_side }))
    }
}

impl Somebody {
    fn is_of(&self, account: AccountId) -> bool {
        match &self.whom {
            Whom::Caller(caller) => caller.account == account,
            Whom::Everybody => false,
        }
    }

    fn of(caller: Caller) -> Self {
        let is_any_session = matches!(&caller.principal, Principal::RoleSession { session_name, .. } if session_name.is_empty());
        let kind = match &caller.principal {
            Principal::Root => PrincipalKindType::Root,
            Principal::User { .. } => PrincipalKindType::User,
            Principal::RoleSession { .. } if is_any_session => PrincipalKindType::Role,
            Principal::RoleSession { .. } => PrincipalKindType::RoleSession,
            Principal::FederatedUser { .. } => PrincipalKindType::FederatedUser,
            Principal::Service { .. } => PrincipalKindType::Service,
            Principal::Anonymous => PrincipalKindType::Everybody,
        };
        let own_name = || caller.arn().to_string();
        let name = if is_any_session { caller.principal_arn().unwrap_or_else(own_name) } else { own_name() };
        Self { name, kind, whom: Whom::Caller(Arc::new(caller)) }
    }
}
