//! The values of condition keys, found when a policy asks for one.

use base::Principal;

use crate::caller::CallerKind;
use crate::entries::ContextEntries;
use crate::key::{ContextKey, ForwardedKey, OriginKey, OwnerKey, PrincipalKey, ServiceKey, SessionKey};
use crate::organization::Organization;
use crate::permissions::{Presence, presence};
use crate::request::Request;
use crate::sides::{IdentitySide, ResourceSide};
use crate::statement::Effect;
use crate::value::{Texts, Value};

/// All that policies can ask about.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) identity: &'a IdentitySide<'a>,
    pub(crate) resource: &'a ResourceSide<'a>,
    pub(crate) view: View<'a>,
}

/// Where the values of condition keys come from.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    /// The request, its origin, and what the service knows.
    Request,
    /// What somebody states; a simulated request has nothing else.
    Stated(&'a ContextEntries),
    /// What holds of every request that the caller could make for the action. All else is unknown.
    Any(Doubt, CallersSide),
}

/// Whether the policies and tags of the caller's account count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallersSide {
    /// They do.
    Counts,
    /// They are kept from whoever asks: the account is taken to allow everything.
    IsHidden,
}

/// What becomes of conditions whose values are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// They are as somebody would wish who wants the request allowed.
    Allows,
    /// They are as somebody would wish who wants it denied.
    Denies,
}

impl Doubt {
    /// Whether a condition in a statement of this effect holds.
    pub(crate) fn holds(self, effect: Effect) -> bool {
        match self {
            Self::Allows => effect == Effect::Allow,
            Self::Denies => effect == Effect::Deny,
        }
    }
}

impl<'a> Facts<'a> {
    /// The value of a condition key.
    pub(crate) fn value(&self, key: &ContextKey) -> Value<'a> {
        match self.view {
            View::Request => {}
            View::Stated(entries) => {
                if let Some(stated) = entries.value(key) {
                    return stated;
                }
            }
            View::Any(_, side) => {
                if let Some(value) = self.of_any_request(key, side) {
                    return value;
                }
            }
        }
        let context = self.request.context;
        match key {
            ContextKey::Principal(key) => self.principal(*key),
            ContextKey::Session(key) => self.session(*key),
            ContextKey::Origin(key) => self.origin(*key),
            ContextKey::Forwarded(key) => self.forwarded(*key),
            ContextKey::Owner(OwnerKey::Account) => Value::Account(self.request.resource.owner),
            ContextKey::Owner(OwnerKey::OrgId) => id_of(self.resource.organization),
            ContextKey::Owner(OwnerKey::OrgPaths) => paths_of(self.resource.organization),
            ContextKey::EncryptionContextKeys => context.encryption_context().map_or(Value::Absent, names),
            ContextKey::PrincipalTag(name) => self.principal_tag(name),
            ContextKey::ResourceTag(name) => pair(context.resource_tags(), name),
            ContextKey::RequestTag(name) => pair(context.request_tags(), name),
            ContextKey::EncryptionContext(name) => pair(context.encryption_context(), name),
            ContextKey::Service(key) => self.service(key),
            ContextKey::Nowhere => Value::Absent,
        }
    }

    /// What is to be said of a key about every request at once; `None` if it follows from caller and resource.
    fn of_any_request(&self, key: &ContextKey, side: CallersSide) -> Option<Value<'a>> {
        let caller = self.request.caller;
        let is_never_there =
            self.request.action.number().is_some_and(|action| presence(key, action) == Presence::Never);
        if is_never_there {
            return Some(Value::Absent);
        }
        let is_known = match key {
            ContextKey::Principal(key) => caller.is_one(*key),
            // Tags of a session come before those of the role.
            ContextKey::PrincipalTag(_) => {
                side == CallersSide::Counts && matches!(caller.kind(), CallerKind::User | CallerKind::Root)
            }
            ContextKey::Owner(_)
            | ContextKey::ResourceTag(_)
            | ContextKey::Origin(OriginKey::RequestedRegion)
            | ContextKey::Nowhere => true,
            ContextKey::Service(ServiceKey::Kms(key)) => key.is_of_resource(),
            ContextKey::Service(_)
            | ContextKey::Session(_)
            | ContextKey::Origin(_)
            | ContextKey::Forwarded(_)
            | ContextKey::EncryptionContextKeys
            | ContextKey::EncryptionContext(_)
            | ContextKey::RequestTag(_) => false,
        };
        (!is_known).then_some(Value::Unknown)
    }

    fn service(&self, key: &ServiceKey) -> Value<'a> {
        let context = self.request.context;
        if let ServiceKey::Other(name) = key
            && let Some(federation) = self.request.caller.federation()
        {
            let claims = federation.claims.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let claim = Value::of_pair(claims, name);
            if claim.is_present() {
                return claim;
            }
        }
        match (context.value(key), key) {
            (Value::Absent, ServiceKey::TagKeys) => context.request_tags().map_or(Value::Absent, names),
            (value, _) => value,
        }
    }

    /// A session tag, or else a tag of the user or role.
    fn principal_tag(&self, name: &str) -> Value<'a> {
        fn of<'t>(tags: &'t [(String, String)], name: &str) -> Value<'t> {
            Value::of_pair(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())), name)
        }
        let session = self.request.caller.session().map_or(Value::Absent, |session| of(&session.tags, name));
        if session.is_present() { session } else { of(self.identity.tags, name) }
    }

    fn principal(&self, key: PrincipalKey) -> Value<'a> {
        let caller = self.request.caller;
        let service = caller.service();
        let account = || caller.account().map_or(Value::Absent, Value::Account);
        match key {
            PrincipalKey::CallerAccount if !self.request.action.has_caller_account() => Value::Absent,
            PrincipalKey::Account if caller.kind() == CallerKind::Anonymous => Value::Text("anonymous"),
            PrincipalKey::CallerAccount | PrincipalKey::Account => account(),
            PrincipalKey::Arn => Value::of_text(caller.principal_arn()),
            PrincipalKey::IsAwsService if caller.principal().is_none() => Value::Absent,
            PrincipalKey::IsAwsService => Value::Bool(service.is_some()),
            PrincipalKey::OrgId => id_of(self.identity.organization),
            PrincipalKey::OrgPaths => paths_of(self.identity.organization),
            PrincipalKey::ServiceName => Value::of_text(service.map(String::as_str)),
            PrincipalKey::ServiceNamesList => service.map_or(Value::Absent, |name| Value::Many(name)),
            PrincipalKey::Type => Value::of_text(principal_type(caller.kind())),
            PrincipalKey::UserId => Value::of_text(caller.user_id()),
            PrincipalKey::Username if caller.kind() != CallerKind::User => Value::Absent,
            PrincipalKey::Username => Value::of_text(caller.principal().and_then(Principal::friendly_name)),
        }
    }

    fn session(&self, key: SessionKey) -> Value<'a> {
        let caller = self.request.caller;
        if key == SessionKey::FederatedProvider {
            return Value::of_text(caller.federation().map(|federation| federation.provider.as_str()));
        }
        let Some(session) = caller.session() else { return Value::Absent };
        match key {
            SessionKey::TokenIssueTime => Value::Time(session.issued_at),
            SessionKey::SourceIdentity | SessionKey::FederatedProvider => {
                Value::of_text(session.source_identity.as_deref())
            }
            SessionKey::MultiFactorAuthPresent => Value::Bool(session.multi_factor_at.is_some()),
            SessionKey::MultiFactorAuthAge => session.multi_factor_at.map_or(Value::Absent, |at| {
                Value::Number(self.request.origin.time.seconds().saturating_sub(at.seconds()))
            }),
        }
    }

    fn forwarded(&self, key: ForwardedKey) -> Value<'a> {
        let Some(service) = &self.request.origin.service else {
            return if key == ForwardedKey::ViaAwsService { Value::Bool(false) } else { Value::Absent };
        };
        match key {
            ForwardedKey::CalledVia if service.chain.is_empty() => Value::Absent,
            ForwardedKey::CalledVia => Value::Many(&service.chain),
            ForwardedKey::CalledViaFirst => Value::of_text(service.chain.first().map(String::as_str)),
            ForwardedKey::CalledViaLast => Value::of_text(service.chain.last().map(String::as_str)),
            ForwardedKey::SourceAccount => service.source_account.map_or(Value::Absent, Value::Account),
            ForwardedKey::SourceArn => Value::of_text(service.source_arn),
            ForwardedKey::SourceOrgId => id_of(service.source_organization),
            ForwardedKey::SourceOrgPaths => paths_of(service.source_organization),
            ForwardedKey::ViaAwsService => Value::Bool(!service.chain.is_empty()),
            ForwardedKey::ViaService if !self.request.action.has_via_service() => Value::Absent,
            ForwardedKey::ViaService => Value::of_text(service.via),
        }
    }

    fn origin(&self, key: OriginKey) -> Value<'a> {
        let origin = &self.request.origin;
        let endpoint = origin.endpoint.as_ref();
        match key {
            OriginKey::Time => Value::Time(origin.time),
            OriginKey::Referer => Value::of_text(origin.referer),
            OriginKey::RequestedRegion => Value::Text(origin.region.as_str()),
            OriginKey::SecureTransport => Value::Bool(origin.is_secure),
            OriginKey::SourceIp => origin.source_address.map_or(Value::Absent, Value::Address),
            OriginKey::SourceVpc => Value::of_text(endpoint.map(|endpoint| endpoint.vpc)),
            OriginKey::SourceVpce => Value::of_text(endpoint.map(|endpoint| endpoint.id)),
            OriginKey::UserAgent => Value::Text(origin.user_agent),
            OriginKey::VpcSourceIp => {
                endpoint.map_or(Value::Absent, |endpoint| Value::Address(endpoint.source_address))
            }
        }
    }
}

fn id_of(organization: Option<&Organization>) -> Value<'_> {
    Value::of_text(organization.map(|organization| organization.id.as_str()))
}

fn paths_of(organization: Option<&Organization>) -> Value<'_> {
    organization.map_or(Value::Absent, |organization| Value::Many(&organization.paths))
}

type Pairs = std::collections::BTreeMap<String, String>;

fn pair<'a>(pairs: Option<&'a Pairs>, name: &str) -> Value<'a> {
    let Some(pairs) = pairs else { return Value::Absent };
    Value::of_pair(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())), name)
}

fn names(pairs: &Pairs) -> Value<'_> {
    if Texts::is_empty(pairs) { Value::Absent } else { Value::Many(pairs) }
}

/// `aws:PrincipalType`.
fn principal_type(kind: CallerKind) -> Option<&'static str> {
    match kind {
        CallerKind::Root => Some("Account"),
        CallerKind::User => Some("User"),
        CallerKind::RoleSession => Some("AssumedRole"),
        CallerKind::FederatedUser => Some("FederatedUser"),
        CallerKind::Anonymous => Some("Anonymous"),
        CallerKind::Service | CallerKind::TokenHolder | CallerKind::Anybody => None,
    }
}
