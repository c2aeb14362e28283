//! Somebody with whom nobody has anything to do: what such a caller's requests say, and which conditions keep it out.

use std::net::{IpAddr, Ipv4Addr};

use super::super::document::Entry;
use super::super::probe::Probe;
use crate::condition::Condition;
use crate::key::{ContextKey, ForwardedKey, KmsKey, OriginKey, PrincipalKey, ServiceKey, SessionKey};
use crate::principal::PrincipalEntry;
use crate::value::Value;

/// Whom a statement for everybody still lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Opening {
    /// Those whom a condition on the caller lets in.
    Narrowed,
    /// Everybody, but only through a service.
    ThroughServices,
    /// Everybody.
    Everybody,
}

/// Whom the conditions of a statement let in, if the statement itself is for everybody.
pub(super) fn opening(probe: &Probe, entry: &Entry<'_>) -> Opening {
    let openings = entry.statement.conditions.iter().map(|condition| of_condition(probe, condition));
    openings.min().unwrap_or(Opening::Everybody)
}

/// Negated operators and those with IfExists hold for requests without the key and narrow nothing.
fn of_condition(probe: &Probe, condition: &Condition) -> Opening {
    if probe.holds_without_key(condition) || condition.operator().is_presence() {
        return Opening::Everybody;
    }
    if is_about_services(condition.key()) {
        return Opening::ThroughServices;
    }
    let Some(seen) = seen_of(condition) else { return Opening::Everybody };
    let lets_in = |seen: &Seen| seen.meets(condition, probe) == Some(true);
    if seen.iter().any(lets_in) { Opening::Everybody } else { Opening::Narrowed }
}

/// Whether a statement that denies keeps outsiders out. In doubt it does, if it is about callers at all.
pub(super) fn keeps_out(probe: &Probe, entry: &Entry<'_>) -> bool {
    let principals = &entry.statement.principals;
    let is_for_them = principals.is_negated() != principals.entries().contains(&PrincipalEntry::Anybody);
    let holds = |condition: &Condition| {
        let seen = seen_of(condition);
        seen.is_some_and(|seen| seen.iter().all(|seen| seen.meets(condition, probe) != Some(false)))
    };
    is_for_them && entry.statement.conditions.iter().all(holds)
}

/// What an outsider's request may say about one key.
enum Seen {
    /// The request does not have the key.
    Absent,
    Text(String),
    Many(Vec<String>),
    Bool(bool),
    /// Any of these, which stand for all there are.
    Addresses([IpAddr; 3]),
}

impl Seen {
    fn meets(&self, condition: &Condition, probe: &Probe) -> Option<bool> {
        match self {
            Self::Absent => Some(probe.holds_without_key(condition)),
            Self::Text(text) => probe.holds(condition, Value::Text(text)),
            Self::Many(texts) => probe.holds(condition, Value::Many(texts)),
            Self::Bool(value) => probe.holds(condition, Value::Bool(*value)),
            Self::Addresses(all) => {
                let holds = |address: &IpAddr| probe.holds(condition, Value::Address(*address));
                all.iter().map(holds).try_fold(true, |so_far, holds| holds.map(|holds| so_far && holds))
            }
        }
    }
}

fn is_about_services(key: &ContextKey) -> bool {
    matches!(
        key,
        ContextKey::Forwarded(
            ForwardedKey::ViaService
                | ForwardedKey::CalledVia
                | ForwardedKey::CalledViaFirst
                | ForwardedKey::CalledViaLast
                | ForwardedKey::ViaAwsService
        ) | ContextKey::Service(ServiceKey::Kms(KmsKey::GrantIsForAwsResource))
    )
}

/// What outsiders may show of the key of a condition; `None` if they can show whatever they like.
fn seen_of(condition: &Condition) -> Option<Vec<Seen>> {
    let account = stranger(condition);
    let text = |text: &str| Seen::Text(text.replace("ACCOUNT", &account));
    let texts = |all: &[&str]| Some(all.iter().map(|one| text(one)).collect());
    let many = |one: &str| Some(vec![Seen::Many(vec![one.to_owned()])]);
    let absent = || Some(vec![Seen::Absent]);
    match condition.key() {
        ContextKey::Principal(key) => match key {
            PrincipalKey::CallerAccount | PrincipalKey::Account => texts(&["ACCOUNT"]),
            PrincipalKey::Arn => texts(&[
                "arn:aws:iam::ACCOUNT:user/outsider",
                "arn:aws:iam::ACCOUNT:role/outsider",
                "arn:aws:iam::ACCOUNT:root",
            ]),
            PrincipalKey::IsAwsService => Some(vec![Seen::Bool(false)]),
            PrincipalKey::OrgId => texts(&["o-outsider00"]),
            PrincipalKey::OrgPaths => many("o-outsider00/r-out0/ou-out0-outsider/"),
            PrincipalKey::Type => texts(&["User", "AssumedRole", "Account"]),
            PrincipalKey::UserId => texts(&["AIDAOUTSIDER00000000X", "AROAOUTSIDER00000000X:outsider"]),
            PrincipalKey::ServiceName | PrincipalKey::ServiceNamesList => absent(),
            PrincipalKey::Username => None,
        },
        ContextKey::Forwarded(key) => match key {
            ForwardedKey::SourceAccount => texts(&["ACCOUNT"]),
            ForwardedKey::SourceArn => texts(&["arn:aws:outside:us-east-1:ACCOUNT:outsider/outsider"]),
            ForwardedKey::SourceOrgId => texts(&["o-outsider00"]),
            ForwardedKey::SourceOrgPaths => many("o-outsider00/r-out0/ou-out0-outsider/"),
            ForwardedKey::ViaAwsService => Some(vec![Seen::Bool(false)]),
            ForwardedKey::CalledVia
            | ForwardedKey::CalledViaFirst
            | ForwardedKey::CalledViaLast
            | ForwardedKey::ViaService => absent(),
        },
        ContextKey::Origin(key) => match key {
            OriginKey::SourceIp => Some(vec![Seen::Absent, Seen::Addresses(ADDRESSES)]),
            OriginKey::SourceVpc => Some(vec![Seen::Absent, text("vpc-0outsider")]),
            OriginKey::SourceVpce => Some(vec![Seen::Absent, text("vpce-0outsider")]),
            OriginKey::VpcSourceIp => absent(),
            OriginKey::Time
            | OriginKey::Referer
            | OriginKey::RequestedRegion
            | OriginKey::SecureTransport
            | OriginKey::UserAgent => None,
        },
        ContextKey::Session(SessionKey::FederatedProvider | SessionKey::SourceIdentity) => absent(),
        ContextKey::Session(
            SessionKey::MultiFactorAuthAge | SessionKey::MultiFactorAuthPresent | SessionKey::TokenIssueTime,
        ) => None,
        // Claims of identity providers, and keys of AWS that are not known here.
        ContextKey::Service(ServiceKey::Other(_)) => absent(),
        ContextKey::Owner(_)
        | ContextKey::EncryptionContextKeys
        | ContextKey::EncryptionContext(_)
        | ContextKey::PrincipalTag(_)
        | ContextKey::ResourceTag(_)
        | ContextKey::RequestTag(_)
        | ContextKey::Service(_)
        | ContextKey::Nowhere => None,
    }
}

/// Addresses that have little in common.
const ADDRESSES: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(11, 22, 33, 44)),
    IpAddr::V4(Ipv4Addr::new(99, 88, 77, 66)),
    IpAddr::V4(Ipv4Addr::new(201, 202, 203, 204)),
];

/// An account that a condition does not name.
fn stranger(condition: &Condition) -> String {
    let is_named = |account: &String| condition.wanted().any(|text| text.contains(account.as_str()));
    let mut accounts = (0_u32..).map(|number| format!("98765{number:07}"));
    accounts.find(|account| !is_named(account)).unwrap_or_default()
}
