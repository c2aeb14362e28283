//! Principals as policies and grants name them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use std::fmt;

use base::{AccountId, Arn, Principal};

use crate::caller::{CallerFacts, CallerKind};
use crate::fingerprint::Fingerprint;

/// One principal that a policy or a grant names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalEntry {
    /// `*`: everybody.
    Anybody,
    /// An account, by its id or its root: `arn:aws:iam::123456789012:root`.
    Account(AccountId),
    /// An IAM user: `arn:aws:iam::123456789012:user/ops/alice`.
    User {
        /// The user's account.
        account: AccountId,
        /// Path and name as in the ARN.
        path_and_name: Box<str>,
    },
    /// A role, which stands for all its sessions: `arn:aws:iam::123456789012:role/service/app`.
    Role {
        /// The role's account.
        account: AccountId,
        /// Path and name as in the ARN.
        path_and_name: Box<str>,
    },
    /// One session of a role: `arn:aws:sts::123456789012:assumed-role/app/deploy`.
    RoleSession {
        /// The role's account.
        account: AccountId,
        /// The role's name, without its path.
        role: Box<str>,
        /// The session's name.
        session: Box<str>,
    },
    /// A session of GetFederationToken: `arn:aws:sts::123456789012:federated-user/bob`.
    FederatedUser {
        /// The account of the user who got it.
        account: AccountId,
        /// The name that the user chose.
        name: Box<str>,
    },
    /// The unique id of a user or role, `AIDA…` or `AROA…`.
    UniqueId(Box<str>),
    /// An AWS service: `logs.amazonaws.com`.
    Service(Box<str>),
    /// An identity provider, by its ARN or host. Only trust policies have a use for it.
    Federated(Box<str>),
}

/// How an entry matches a caller; later ones are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum MatchKind {
    /// It names the caller's account: policies of that account decide.
    Account,
    /// It names the role or user that the caller's session belongs to: the session's bounds count.
    SessionParent,
    /// It names the caller itself.
    Direct,
}

impl PrincipalEntry {
    /// Reads an entry under `AWS`: `*`, an account id, an ARN, or a unique id. `None` for every other text, such as a
    /// group's ARN or one with wildcards.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Anybody);
        }
        if let Ok(account) = text.parse() {
            return Some(Self::Account(account));
        }
        if is_unique_id(text) {
            return Some(Self::UniqueId(text.into()));
        }
        Self::of_arn(text)
    }

    fn of_arn(text: &str) -> Option<Self> {
        if text.contains(['*', '?']) {
            return None;
        }
        let arn = Arn::parse(text).ok()?;
        let account = arn.account.parse().ok()?;
        let is_partition = arn.partition == "aws" || arn.partition.starts_with("aws-");
        if !is_partition || !arn.region.is_empty() {
            return None;
        }
        let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        match (arn.service, kind) {
            ("iam", "root") if arn.resource == "root" => Some(Self::Account(account)),
            ("iam", "user") if has_name(name) => Some(Self::User { account, path_and_name: name.into() }),
            ("iam", "role") if has_name(name) => Some(Self::Role { account, path_and_name: name.into() }),
            ("sts", "assumed-role") => {
                let (role, session) = name.split_once('/')?;
                let whole = !role.is_empty() && !session.is_empty() && !session.contains('/');
                whole.then(|| Self::RoleSession { account, role: role.into(), session: session.into() })
            }
            ("sts", "federated-user") if !name.is_empty() && !name.contains('/') => {
                Some(Self::FederatedUser { account, name: name.into() })
            }
            _ => None,
        }
    }

    /// Reads an entry of a policy under its kind: `AWS`, `Service` or `Federated`.
    pub(crate) fn read(kind: &str, text: &str) -> Option<Self> {
        let is_name = !text.is_empty() && !text.contains(['*', '?']);
        match kind {
            "AWS" => Self::parse(text),
            "Service" if is_name && text.contains('.') => Some(Self::Service(text.into())),
            "Federated" if is_name => Some(Self::Federated(text.into())),
            _ => None,
        }
    }

    /// The account that the entry names, or that whom it names is of; `None` if the entry does not say.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(account)
            | Self::User { account, .. }
            | Self::Role { account, .. }
            | Self::RoleSession { account, .. }
            | Self::FederatedUser { account, .. } => Some(*account),
            Self::Anybody | Self::UniqueId(_) | Self::Service(_) | Self::Federated(_) => None,
        }
    }

    /// How this entry matches a caller, if it does.
    pub fn matches(&self, caller: &CallerFacts) -> Option<MatchKind> {
        let direct = |matches: bool| matches.then_some(MatchKind::Direct);
        let own_account = caller.account();
        match self {
            Self::Anybody => Some(MatchKind::Direct),
            Self::Account(account) if own_account == Some(*account) => {
                let is_root = caller.kind() == CallerKind::Root;
                Some(if is_root { MatchKind::Direct } else { MatchKind::Account })
            }
            Self::User { account, path_and_name } if own_account == Some(*account) => {
                of_user(caller.principal()?, |own, _| own == &**path_and_name)
            }
            Self::Role { account, path_and_name } if own_account == Some(*account) => {
                of_role(caller.principal()?, |own, _| is_same_role(own, path_and_name))
            }
            Self::RoleSession { account, role, session } if own_account == Some(*account) => {
                direct(matches!(
                    caller.principal()?,
                    Principal::RoleSession { path_and_name, session_name, .. }
                        if is_same_role(path_and_name, role) && **session == *session_name
                ))
            }
            Self::FederatedUser { account, name } if own_account == Some(*account) => direct(matches!(
                caller.principal()?,
                Principal::FederatedUser { name: own, .. } if **name == *own
            )),
            Self::Account(_)
            | Self::User { .. }
            | Self::Role { .. }
            | Self::RoleSession { .. }
            | Self::FederatedUser { .. } => None,
            Self::UniqueId(id) => {
                let principal = caller.principal()?;
                of_user(principal, |_, own| own == &**id)
                    .or_else(|| of_role(principal, |_, own| own == &**id))
            }
            Self::Service(name) => direct(matches!(
                caller.principal()?,
                Principal::Service { name: own } if own.eq_ignore_ascii_case(name)
            )),
            Self::Federated(provider) => direct(caller.token_provider() == Some(&**provider)),
        }
    }
}

/// As policies write it, in the partition `aws`.
impl fmt::Display for PrincipalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("*"),
            Self::Account(account) => write!(f, "arn:aws:iam::{account}:root"),
            Self::User { account, path_and_name } => write!(f, "arn:aws:iam::{account}:user/{path_and_name}"),
            Self::Role { account, path_and_name } => write!(f, "arn:aws:iam::{account}:role/{path_and_name}"),
            Self::RoleSession { account, role, session } => {
                write!(f, "arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
            Self::FederatedUser { account, name } => {
                write!(f, "arn:aws:sts::{account}:federated-user/{name}")
            }
            Self::UniqueId(text) | Self::Service(text) | Self::Federated(text) => f.write_str(text),
        }
    }
}

/// The user itself, or a session that it got for somebody; `is` is asked about path and name, and unique id.
fn of_user(principal: &Principal, is: impl Fn(&str, &str) -> bool) -> Option<MatchKind> {
    match principal {
        Principal::User { path_and_name, unique_id } => {
            is(path_and_name, unique_id).then_some(MatchKind::Direct)
        }
        Principal::FederatedUser { user_path_and_name, user_unique_id, .. } => {
            is(user_path_and_name, user_unique_id).then_some(MatchKind::SessionParent)
        }
        Principal::Root
        | Principal::RoleSession { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => None,
    }
}

/// A session of the role; `is` is asked about path and name, and unique id of the role.
fn of_role(principal: &Principal, is: impl Fn(&str, &str) -> bool) -> Option<MatchKind> {
    match principal {
        Principal::RoleSession { path_and_name, unique_id, .. } => {
            is(path_and_name, unique_id).then_some(MatchKind::SessionParent)
        }
        Principal::Root
        | Principal::User { .. }
        | Principal::FederatedUser { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => None,
    }
}

/// Role names are unique in their account whatever their path and case.
fn is_same_role(one: &str, other: &str) -> bool {
    without_path(one).eq_ignore_ascii_case(without_path(other))
}

pub(crate) fn without_path(path_and_name: &str) -> &str {
    path_and_name.rsplit('/').next().unwrap_or_default()
}

fn has_name(path_and_name: &str) -> bool {
    !path_and_name.is_empty() && !path_and_name.ends_with('/')
}

fn is_unique_id(text: &str) -> bool {
    let is_known = text.starts_with("AIDA") || text.starts_with("AROA");
    let word = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_known && word && (8..=128).contains(&text.len())
}

/// The element `Principal` or `NotPrincipal` of a statement.
#[derive(Debug)]
pub(crate) struct PrincipalSet {
    is_negated: bool,
    entries: Box<[PrincipalEntry]>,
}

impl PrincipalSet {
    pub(crate) fn new(entries: Vec<PrincipalEntry>, is_negated: bool) -> Self {
        Self { is_negated, entries: entries.into() }
    }

    /// Everybody: what statements without principals are about.
    pub(crate) fn anybody() -> Self {
        Self::new(vec![PrincipalEntry::Anybody], false)
    }

    /// Replaces users and roles by their unique ids, where these are known.
    pub(crate) fn bind(&mut self, unique_id: &impl Fn(&PrincipalEntry) -> Option<String>) {
        for entry in &mut self.entries {
            let is_named = matches!(entry, PrincipalEntry::User { .. } | PrincipalEntry::Role { .. });
            if let Some(id) = is_named.then(|| unique_id(entry)).flatten() {
                *entry = PrincipalEntry::UniqueId(id.into());
            }
        }
    }

    pub(crate) fn entries(&self) -> &[PrincipalEntry] {
        &self.entries
    }

    pub(crate) fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// The numbers of all entries; `None` if not every one has a number.
    pub(crate) fn fingerprints(&self) -> Option<Vec<Fingerprint>> {
        if self.is_negated { None } else { self.entries.iter().map(PrincipalEntry::fingerprint).collect() }
    }

    /// How a caller matches, if it does: as the best of the entries does.
    pub(crate) fn matches(&self, caller: &CallerFacts) -> Option<MatchKind> {
        if self.is_negated {
            return (!self.exempts(caller)).then_some(MatchKind::Direct);
        }
        self.entries.iter().filter_map(|entry| entry.matches(caller)).max()
    }

    /// Whether NotPrincipal leaves the caller out. One of its entries must name the caller or the caller's parent, and,
    /// if the caller is of an account, one the account; else the account's entry would still be hit.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
    fn exempts(&self, caller: &CallerFacts) -> bool {
        let anybody = self.entries.contains(&PrincipalEntry::Anybody);
        let named = |wanted: fn(MatchKind) -> bool| {
            self.entries.iter().filter_map(|entry| entry.matches(caller)).any(wanted)
        };
        let itself = named(|kind| kind >= MatchKind::SessionParent);
        let account = || {
            let own = caller.account().map(PrincipalEntry::Account);
            own.is_none_or(|own| self.entries.contains(&own))
        };
        anybody || (itself && account())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::Caller;
    use proptest::prelude::*;

    use super::*;

    fn entries() -> Vec<PrincipalEntry> {
        [
            "*",
            "111122223333",
            "444455556666",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:user/ops/alice",
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::111122223333:role/service/APP",
            "arn:aws:sts::111122223333:assumed-role/App/deploy",
            "arn:aws:sts::111122223333:federated-user/alice",
            "AIDAALICEXXXXXXX",
            "AROAAPPXXXXXXXXX",
        ]
        .into_iter()
        .filter_map(PrincipalEntry::parse)
        .chain([
            PrincipalEntry::Service("Logs.amazonaws.com".into()),
            PrincipalEntry::Federated("x.y".into()),
        ])
        .collect()
    }

    fn principal() -> impl Strategy<Value = Principal> {
        let user =
            |path: &str| Principal::User { path_and_name: path.into(), unique_id: "AIDAALICEXXXXXXX".into() };
        let role = |path: &str, session: &str| Principal::RoleSession {
            path_and_name: path.into(),
            unique_id: "AROAAPPXXXXXXXXX".into(),
            session_name: session.into(),
        };
        let federated = |name: &str, user: &str| Principal::FederatedUser {
            name: name.into(),
            user_path_and_name: user.into(),
            user_unique_id: "AIDAALICEXXXXXXX".into(),
        };
        prop::sample::select(vec![
            Principal::Root,
            user("alice"),
            user("ops/alice"),
            user("bob"),
            role("app", "deploy"),
            role("service/app", "other"),
            role("alice", "alice"),
            federated("alice", "bob"),
            federated("bob", "alice"),
            Principal::Service { name: "logs.amazonaws.com".into() },
            Principal::Anonymous,
        ])
    }

    #[test]
    fn every_form_is_read_and_nothing_else() {
        assert_eq!(entries().len(), 14);
        for entry in entries() {
            let (text, kind) = (entry.to_string(), matches!(entry, PrincipalEntry::Service(_)));
            let kind = if kind { "Service" } else { "AWS" };
            if !matches!(entry, PrincipalEntry::Federated(_)) {
                assert_eq!(PrincipalEntry::read(kind, &text), Some(entry), "{text}");
            }
        }
        for text in [
            "",
            "alice",
            "arn:aws:iam::111122223333:group/ops",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/a/",
            "arn:aws:iam::111122223333:root/x",
            "arn:aws:sts::111122223333:assumed-role/app/a/b",
            "arn:aws:sts::111122223333:federated-user/a/b",
            "arn:other:iam::111122223333:root",
            "AIDAlower0000000",
            "AKIAIOSFODNN7EXAMPLE",
        ] {
            assert_eq!(PrincipalEntry::parse(text), None, "{text}");
        }
    }

    proptest! {
        /// Whoever is found by number must be all who match.
        #[test]
        fn an_entry_that_matches_has_a_number_of_the_caller(
            principal in principal(), account in prop::sample::select(vec!["111122223333", "444455556666"]),
        ) {
            let account = account.parse().unwrap();
            let caller = Caller { account, principal, access_key_id: String::new(), session: None };
            let caller = CallerFacts::of(Arc::new(caller));
            for entry in entries() {
                if let (Some(_), Some(number)) = (entry.matches(&caller), entry.fingerprint()) {
                    prop_assert!(caller.fingerprints().contains(&number), "{:?}", entry);
                }
            }
        }

        #[test]
        fn no_text_panics(text in "(arn:aws:(iam|sts)::)?[0-9]{0,13}:?(root|user|role|assumed-role)?/?\\PC{0,40}") {
            let _ = PrincipalEntry::parse(&text);
        }
    }
}
