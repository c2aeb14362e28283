//! The gate between a record and its use.
//!
//! A key read from the store is [`Unchecked`]. [`Kms::authorize`] turns it into [`Authorized`] for one action,
//! [`Authorized::usable`] checks its state and yields [`Usable`], and key material is reachable through [`Usable`]
//! only. What decides is in `decision.rs`.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use base::{Call, KeyArn};
use wire::kms::{KeyUsageType, Operation, OriginType, TagResource};

use crate::Kms;
use crate::cryptographic_operation::CryptographicOperation;
use crate::error::{KmsError, StateRefusal};
use crate::facts::Facts;
use crate::keys::LoadedKey;
use crate::kind::KeyKind;
use crate::paths::Place;
use crate::record::{KeyRecord, KeyState};
use crate::trail::note_loaded_key;

/// What is fixed about an action on a key. The action is a type, so no parameter can name the wrong one.
pub(crate) trait KeyAction: Send + Sync + 'static {
    /// The name without `kms:`.
    const NAME: &'static str;
    /// How the request may name the key.
    const IDENTIFIERS: Identifiers;
    /// Which key states refuse.
    const STATES: StateRule;
    /// Whether callers of other accounts can take it, if the key's account lets them:
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>
    const ACROSS_ACCOUNTS: bool = false;
    /// Whether only keys whose material comes from outside are meant. Any other is refused in whatever state it is.
    const IMPORTS: bool = false;
}

/// An action that uses key material; for no other can it be had.
pub(crate) trait CryptographicAction: KeyAction {
    /// The operation that takes it. Its name is not that of the action for ReEncrypt.
    type Operation: CryptographicOperation;
    /// What a key may be for.
    const USAGES: &'static [KeyUsageType];
}

/// How a request may name a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identifiers {
    /// Key id or key ARN.
    KeyOnly,
    /// Key id, key ARN, alias name or alias ARN.
    KeyOrAlias,
}

/// Which key states refuse an operation.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateRule {
    /// No state refuses.
    Any,
    /// Only an enabled key.
    Enabled,
    /// An enabled key, or one without its material: the operation refuses that by the key's origin.
    EnabledOrPendingImport,
    /// An enabled or a disabled key.
    EnabledOrDisabled,
    /// Every state but pending deletion, of the key itself or of its replicas first.
    NotPendingDeletion,
    /// Pending deletion only, of the key itself or of its replicas first.
    PendingDeletion,
}

impl StateRule {
    fn allows(self, state: KeyState) -> bool {
        match self {
            Self::Any => true,
            Self::Enabled => state == KeyState::Enabled,
            Self::EnabledOrPendingImport => matches!(state, KeyState::Enabled | KeyState::PendingImport),
            Self::EnabledOrDisabled => matches!(state, KeyState::Enabled | KeyState::Disabled),
            Self::NotPendingDeletion => !state.is_pending_deletion(),
            Self::PendingDeletion => state.is_pending_deletion(),
        }
    }

    fn check(self, key: &LoadedKey) -> Result<(), StateRefusal> {
        let (state, arn) = (key.record.state, key.arn);
        if self.allows(state) {
            return Ok(());
        }
        Err(match (self, state) {
            (Self::PendingDeletion, _) | (_, KeyState::Enabled) => StateRefusal::NotPendingDeletion(arn),
            (_, KeyState::Disabled) => StateRefusal::Disabled(arn),
            (_, KeyState::PendingDeletion) => StateRefusal::PendingDeletion(arn),
            (_, KeyState::PendingReplicaDeletion) => StateRefusal::PendingReplicaDeletion(arn),
            (_, KeyState::PendingImport) => StateRefusal::PendingImport(arn),
        })
    }
}

/// A key as it was read. It can do nothing but be authorized.
pub(crate) struct Unchecked(Arc<LoadedKey>);

impl Unchecked {
    pub(crate) fn new(key: Arc<LoadedKey>) -> Self {
        Self(key)
    }
}

impl Kms {
    /// The key that a request names, if the caller may take action `A` on it.
    pub(crate) async fn authorized<A: KeyAction>(
        &self,
        call: &Call,
        identifier: &str,
        facts: &Facts<'_>,
    ) -> Result<Authorized<A>, KmsError> {
        self.bring_own_key_into_being(call, identifier).await?;
        let key = self.keys.find::<A>(call, identifier).await?;
        let facts = Facts { request_alias: alias_in(identifier), ..*facts };
        self.authorize(key, call, &facts).await
    }

    /// The key that a request names, if the caller may take action `A` on it and its state permits that.
    pub(crate) async fn usable<A: KeyAction>(
        &self,
        call: &Call,
        identifier: &str,
        facts: &Facts<'_>,
    ) -> Result<Usable<A>, KmsError> {
        self.authorized(call, identifier, facts).await?.usable()
    }

    /// The same for a key that is about to be changed: read from the store.
    pub(crate) async fn changeable<A: KeyAction>(
        &self,
        call: &Call,
        arn: &KeyArn,
        facts: &Facts<'_>,
    ) -> Result<Usable<A>, KmsError> {
        let key = self.keys.read::<A>(call, arn).await?;
        self.authorize(key, call, facts).await?.usable()
    }

    /// Decides whether the caller may take action `A` on a key, and counts the request if its quota depends on the key.
    pub(crate) async fn authorize<A: KeyAction>(
        &self,
        Unchecked(key): Unchecked,
        call: &Call,
        facts: &Facts<'_>,
    ) -> Result<Authorized<A>, KmsError> {
        let is_own = key.arn.account == call.caller.account;
        if is_own {
            note_loaded_key(call, &key);
        } else if !A::ACROSS_ACCOUNTS {
            let why = "the operation is for callers of the key's own account";
            return Err(KmsError::foreign_key(&call.caller, A::NAME, key.arn, why));
        }
        let grant = self.decide(call, A::NAME, &key, facts).await?;
        // Of a key of another account the caller learns nothing before.
        if !is_own {
            note_loaded_key(call, &key);
        }
        if let Some(quotas) = &self.request_quotas {
            quotas.count_use(call, A::NAME, key.record.spec)?;
        }
        Ok(Authorized { key, grant, action: PhantomData })
    }
}

/// The alias in a request's key identifier, with its `alias/`, if it is one or the ARN of one.
fn alias_in(identifier: &str) -> Option<&str> {
    let name = if identifier.starts_with("arn:") { identifier.splitn(6, ':').last()? } else { identifier };
    name.starts_with("alias/").then_some(name)
}

/// A key on which the caller may take action `A`.
pub(crate) struct Authorized<A> {
    key: Arc<LoadedKey>,
    grant: Option<String>,
    action: PhantomData<fn() -> A>,
}

impl<A: KeyAction> Authorized<A> {
    pub(crate) fn arn(&self) -> KeyArn {
        self.key.arn
    }

    /// Checks the key's state against the action's rule.
    pub(crate) fn usable(self) -> Result<Usable<A>, KmsError> {
        if A::IMPORTS && self.key.record.origin != OriginType::External {
            return Err(KmsError::wrong_origin(&self.key));
        }
        A::STATES.check(&self.key)?;
        Ok(Usable(self))
    }
}

/// A key on which the caller may take action `A` and whose state permits it.
pub(crate) struct Usable<A>(Authorized<A>);

impl<A: KeyAction> Usable<A> {
    pub(crate) fn arn(&self) -> KeyArn {
        self.0.key.arn
    }

    /// The id of the grant without which the caller could not do this.
    pub(crate) fn grant(&self) -> Option<&str> {
        self.0.grant.as_deref()
    }

    /// The key's ARN as text, for answers.
    pub(crate) fn arn_text(&self) -> String {
        (*self.0.key.arn_text).to_owned()
    }

    pub(crate) fn key(&self) -> &LoadedKey {
        &self.0.key
    }

    /// The key, for keeping.
    pub(crate) fn share(&self) -> Arc<LoadedKey> {
        Arc::clone(&self.0.key)
    }

    pub(crate) fn record(&self) -> &KeyRecord {
        &self.0.key.record
    }
}

impl<A: CryptographicAction> Usable<A> {
    /// What kind of key this is, if it is for what the action does.
    pub(crate) fn kind(&self) -> Result<KeyKind, KmsError> {
        let record = self.record();
        if !A::USAGES.contains(&record.usage) {
            return Err(KmsError::InvalidKeyUsage(format!(
                "{} key usage is {} which is not valid for {}.",
                self.arn(),
                record.usage,
                <A::Operation as Operation>::NAME
            )));
        }
        KeyKind::of(record.spec).ok_or(KmsError::Bug("a key of a spec that cannot be made"))
    }

    /// Refuses an algorithm that does not go with the key's spec.
    pub(crate) fn incompatible(&self, algorithm: &str) -> KmsError {
        let spec = self.record().spec;
        KmsError::InvalidKeyUsage(format!("Algorithm {algorithm} is incompatible with key spec {spec}."))
    }
}

/// An action on an account and Region rather than on a key.
pub(crate) trait AccountAction: Send + Sync + 'static {
    /// The name without `kms:`.
    const NAME: &'static str;
}

/// Leave to take action `A` in one account and Region.
pub(crate) struct AccountPermit<A> {
    pub(crate) place: Place,
    action: PhantomData<fn() -> A>,
}

impl Kms {
    /// Decides whether the caller may take action `A` in its own account and the Region that it called.
    pub(crate) async fn authorize_account<A: AccountAction>(
        &self,
        call: &Call,
        facts: &Facts<'_>,
    ) -> Result<AccountPermit<A>, KmsError> {
        self.decide_without_key(call, A::NAME, None, facts).await?;
        Ok(AccountPermit { place: Place::of(call), action: PhantomData })
    }

    /// Decides whether the caller may give tags to a key that is about to be made. Without tags there is nothing to decide.
    pub(crate) async fn authorize_tags_of_new_key(
        &self,
        call: &Call,
        facts: &Facts<'_>,
    ) -> Result<(), KmsError> {
        if facts.tags.is_none_or(BTreeMap::is_empty) {
            return Ok(());
        }
        self.decide_without_key(call, <TagResource as KeyAction>::NAME, None, facts).await
    }

    /// Decides whether the caller may take action `A` on an alias of its own account, by its ARN. Aliases have no policy.
    pub(crate) async fn authorize_alias<A: KeyAction>(&self, call: &Call, arn: &str) -> Result<(), KmsError> {
        self.decide_without_key(call, A::NAME, Some(arn), &Facts::default()).await
    }
}
