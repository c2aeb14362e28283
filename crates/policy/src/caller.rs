//! Who asks, as policies see it.

use std::sync::Arc;

use base::{AccountId, Caller, Principal, Session};
use smallvec::SmallVec;

use crate::fingerprint::{self, Fingerprint};
use crate::key::PrincipalKey;

/// What policies can ask about a caller. It may be made once for a credential and kept with it.
#[derive(Clone, Debug)]
pub struct CallerFacts {
    who: Who,
    arn: Box<str>,
    principal_arn: Option<Box<str>>,
    user_id: Box<str>,
    federation: Option<base::Federation>,
    fingerprints: SmallVec<[Fingerprint; 3]>,
}

#[derive(Clone, Debug)]
enum Who {
    Signed(Arc<Caller>),
    Anonymous,
    /// Whoever it may be.
    Anybody,
    /// The holder of a token of the identity provider with this ARN or host.
    TokenHolder(Box<str>),
}

/// The kinds of callers between which decisions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallerKind {
    Root,
    User,
    RoleSession,
    FederatedUser,
    Service,
    TokenHolder,
    Anonymous,
    Anybody,
}

impl CallerFacts {
    /// A caller. Whoever did not sign is of no account, whatever the caller's account is.
    pub fn of(caller: Arc<Caller>) -> Self {
        if caller.is_anonymous() {
            return Self::anonymous();
        }
        let arn = caller.arn().to_string().into();
        Self {
            arn,
            principal_arn: caller.principal_arn().map(Into::into),
            user_id: caller.user_id().into(),
            federation: caller.session.as_ref().and_then(|session| session.federation.clone()),
            fingerprints: fingerprint::of_caller(caller.account, &caller.principal),
            who: Who::Signed(caller),
        }
    }

    /// Somebody who did not sign the request.
    pub fn anonymous() -> Self {
        let name = || "anonymous".into();
        Self {
            who: Who::Anonymous,
            arn: name(),
            principal_arn: None,
            user_id: name(),
            federation: None,
            fingerprints: SmallVec::new(),
        }
    }

    /// Whoever it may be, in whatever account: for questions about policies that name everybody. Nobody like that can
    /// make a request.
    pub fn anybody() -> Self {
        Self { who: Who::Anybody, arn: "*".into(), ..Self::anonymous() }
    }

    /// The holder of a token of an identity provider, who asks for a session of a role. `provider` is what trust
    /// policies call `Federated`: the provider's ARN or, for those that AWS knows itself, its host.
    pub fn token_holder(provider: &str, claims: base::Federation) -> Self {
        Self {
            who: Who::TokenHolder(provider.into()),
            arn: provider.into(),
            principal_arn: None,
            user_id: "".into(),
            federation: Some(claims),
            fingerprints: SmallVec::new(),
        }
    }

    /// The ARN that texts for clients name: of a role session that of the session.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The caller's account; none for services, token holders and whoever did not sign.
    pub(crate) fn account(&self) -> Option<AccountId> {
        match self.kind() {
            CallerKind::Root | CallerKind::User | CallerKind::RoleSession | CallerKind::FederatedUser => {
                self.signed().map(|caller| caller.account)
            }
            CallerKind::Service | CallerKind::TokenHolder | CallerKind::Anonymous | CallerKind::Anybody => {
                None
            }
        }
    }

    /// Whether all requests of the caller have the same value for a key.
    pub(crate) fn is_one(&self, key: PrincipalKey) -> bool {
        match self.kind() {
            CallerKind::Anybody => false,
            // Names of sessions differ.
            CallerKind::RoleSession | CallerKind::FederatedUser => key != PrincipalKey::UserId,
            CallerKind::Root
            | CallerKind::User
            | CallerKind::Service
            | CallerKind::TokenHolder
            | CallerKind::Anonymous => true,
        }
    }

    pub(crate) fn kind(&self) -> CallerKind {
        match &self.who {
            Who::Anonymous => CallerKind::Anonymous,
            Who::Anybody => CallerKind::Anybody,
            Who::TokenHolder(_) => CallerKind::TokenHolder,
            Who::Signed(caller) => match &caller.principal {
                Principal::Root => CallerKind::Root,
                Principal::User { .. } => CallerKind::User,
                Principal::RoleSession { .. } => CallerKind::RoleSession,
                Principal::FederatedUser { .. } => CallerKind::FederatedUser,
                Principal::Service { .. } => CallerKind::Service,
                Principal::Anonymous => CallerKind::Anonymous,
            },
        }
    }

    /// The numbers of the principal entries that name the caller.
    pub(crate) fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    /// `aws:PrincipalArn`.
    pub(crate) fn principal_arn(&self) -> Option<&str> {
        self.principal_arn.as_deref()
    }

    /// `aws:userid`; a token holder has none yet.
    pub(crate) fn user_id(&self) -> Option<&str> {
        (!self.user_id.is_empty()).then_some(&self.user_id)
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.signed().map(|caller| &caller.principal)
    }

    /// The name of the service that calls as itself.
    pub(crate) fn service(&self) -> Option<&String> {
        match self.principal()? {
            Principal::Service { name } => Some(name),
            Principal::Root
            | Principal::User { .. }
            | Principal::RoleSession { .. }
            | Principal::FederatedUser { .. }
            | Principal::Anonymous => None,
        }
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.signed()?.session.as_ref()
    }

    pub(crate) fn federation(&self) -> Option<&base::Federation> {
        self.federation.as_ref()
    }

    /// What trust policies call `Federated`.
    pub(crate) fn token_provider(&self) -> Option<&str> {
        match &self.who {
            Who::TokenHolder(provider) => Some(provider),
            Who::Signed(_) | Who::Anonymous | Who::Anybody => None,
        }
    }

    fn signed(&self) -> Option<&Caller> {
        match &self.who {
            Who::Signed(caller) => Some(caller),
            Who::TokenHolder(_) | Who::Anonymous | Who::Anybody => None,
        }
    }
}
