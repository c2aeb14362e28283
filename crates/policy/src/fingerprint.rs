//! Numbers for names, by which a policy with many principals finds the few statements that name a caller. Two names may
//! share a number: whoever is found by it is then compared as ever.

use base::{AccountId, Principal};
use smallvec::{SmallVec, smallvec};

use crate::principal::{PrincipalEntry, without_path};

/// The number of a name.
pub(crate) type Fingerprint = u64;

/// The kinds of names, so that a user and a role of one name differ.
#[derive(Clone, Copy)]
enum Kind {
    User,
    Role,
    RoleSession,
    FederatedUser,
    UniqueId,
    Service,
}

impl PrincipalEntry {
    /// The entry's number; `None` if it can name several callers that have no name in common.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Anybody | Self::Account(_) | Self::Federated(_) => None,
            Self::User { account, path_and_name } => Some(user(*account, path_and_name)),
            Self::Role { account, path_and_name } => Some(role(*account, path_and_name)),
            Self::RoleSession { account, role, session } => Some(role_session(*account, role, session)),
            Self::FederatedUser { account, name } => Some(federated_user(*account, name)),
            Self::UniqueId(id) => Some(unique_id(id)),
            Self::Service(name) => Some(service(name)),
        }
    }
}

/// The numbers of all entries that can match a caller, but for those that have none.
pub(crate) fn of_caller(account: AccountId, principal: &Principal) -> SmallVec<[Fingerprint; 3]> {
    match principal {
        Principal::Root | Principal::Anonymous => smallvec![],
        Principal::User { path_and_name, unique_id: id } => {
            smallvec![user(account, path_and_name), unique_id(id)]
        }
        Principal::RoleSession { path_and_name, unique_id: id, session_name } => {
            let session = role_session(account, path_and_name, session_name);
            smallvec![role(account, path_and_name), session, unique_id(id)]
        }
        Principal::FederatedUser { name, user_path_and_name, user_unique_id } => {
            smallvec![
                federated_user(account, name),
                user(account, user_path_and_name),
                unique_id(user_unique_id)
            ]
        }
        Principal::Service { name } => smallvec![service(name)],
    }
}

fn user(account: AccountId, path_and_name: &str) -> Fingerprint {
    digest(Kind::User, account.number(), [path_and_name, ""])
}

/// A role is known by its name alone, in any case.
fn role(account: AccountId, path_and_name: &str) -> Fingerprint {
    digest(Kind::Role, account.number(), [&without_path(path_and_name).to_ascii_lowercase(), ""])
}

fn role_session(account: AccountId, role: &str, session: &str) -> Fingerprint {
    digest(Kind::RoleSession, account.number(), [&without_path(role).to_ascii_lowercase(), session])
}

fn federated_user(account: AccountId, name: &str) -> Fingerprint {
    digest(Kind::FederatedUser, account.number(), [name, ""])
}

fn unique_id(id: &str) -> Fingerprint {
    digest(Kind::UniqueId, 0, [id, ""])
}

fn service(name: &str) -> Fingerprint {
    digest(Kind::Service, 0, [&name.to_ascii_lowercase(), ""])
}

/// FNV-1a, <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
fn digest(kind: Kind, account: u64, names: [&str; 2]) -> Fingerprint {
    let number = match kind {
        Kind::User => 1,
        Kind::Role => 2,
        Kind::RoleSession => 3,
        Kind::FederatedUser => 4,
        Kind::UniqueId => 5,
        Kind::Service => 6,
    };
    let [one, other] = names;
    let bytes = std::iter::once(number)
        .chain(account.to_le_bytes())
        .chain(one.bytes())
        .chain([0])
        .chain(other.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
