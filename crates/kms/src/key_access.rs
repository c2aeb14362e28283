//! Who can do what with a key: every layer decides as it does for a request, about all requests of somebody at once.
//!
//! Whether the key's state, its origin or the request's parameters stand against an operation is left out of account, but
//! not what the key is for.

use std::sync::Arc;

use base::{Call, Caller, KeyArn};
use policy::{
    Access, Action, CallerFacts, Cause, Grant, IdentitySide, Origin, Policy, PolicyKind, PrincipalEntry,
    Request, Resource, assess, assess_resource_side,
};
use store::Range;
use wire::kms::{self as operation, KeyUsageType};

use crate::authorize::{CryptographicAction, KeyAction};
use crate::circumstances::Circumstances;
use crate::decision::Check;
use crate::error::{KmsError, NotFound};
use crate::facts::Facts;
use crate::grant::GrantRecord;
use crate::keys::LoadedKey;
use crate::ops::{ReEncryptFrom, ReEncryptTo};
use crate::principal::CallerRights;
use crate::{Kms, paths};

/// A key whose accesses may be told, and the principals that its key policy names.
#[derive(Clone, Debug)]
pub struct KeyOutline {
    /// The key.
    pub key: KeyArn,
    /// Whom the key policy names, in its order, as they are called now; whoever is named twice comes twice.
    pub named: Vec<PrincipalEntry>,
}

/// A part of the grantees of a key.
#[derive(Clone, Debug)]
pub struct Grantees {
    /// Whom grants of this part give something, in the order of the grants' ids.
    pub grantees: Vec<PrincipalEntry>,
    /// The id of the last grant, if there are more.
    pub last: Option<String>,
}

/// Whose access is asked for.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Somebody.
    Caller(Arc<Caller>),
    /// Whoever it may be, in whatever account: what a policy gives that names everybody.
    Everybody,
}

impl Whom {
    /// Whether it is somebody of the key's account.
    fn is_of(&self, key: &KeyArn) -> bool {
        match self {
            Self::Caller(caller) => caller.account == key.account,
            Self::Everybody => false,
        }
    }
}

/// What somebody can do with a key.
#[derive(Clone, Debug)]
pub struct ActionAccess {
    /// The action, `kms:Decrypt`.
    pub action: String,
    /// Always or sometimes; what can never be done is not told.
    pub access: Access,
}

/// What is fixed about an action.
struct Row {
    name: &'static str,
    across_accounts: bool,
    /// What a key must be for; `None` if the action is one on keys of all kinds.
    usages: Option<&'static [KeyUsageType]>,
}

const fn row<A: KeyAction>() -> Row {
    Row { name: A::NAME, across_accounts: A::ACROSS_ACCOUNTS, usages: None }
}

const fn cryptographic<A: CryptographicAction>() -> Row {
    Row { name: A::NAME, across_accounts: A::ACROSS_ACCOUNTS, usages: Some(A::USAGES) }
}

/// The actions that a key policy decides about. RetireGrant is left to the grant itself.
static ACTIONS: [Row; 45] = [
    row::<operation::CancelKeyDeletion>(),
    row::<operation::CreateAlias>(),
    row::<operation::CreateGrant>(),
    cryptographic::<operation::Decapsulate>(),
    cryptographic::<operation::Decrypt>(),
    row::<operation::DeleteAlias>(),
    row::<operation::DeleteImportedKeyMaterial>(),
    cryptographic::<operation::DeriveSharedSecret>(),
    row::<operation::DescribeKey>(),
    row::<operation::DisableKey>(),
    row::<operation::DisableKeyRotation>(),
    row::<operation::EnableKey>(),
    row::<operation::EnableKeyRotation>(),
    cryptographic::<operation::Encapsulate>(),
    cryptographic::<operation::Encrypt>(),
    cryptographic::<operation::GenerateDataKey>(),
    cryptographic::<operation::GenerateDataKeyPair>(),
    cryptographic::<operation::GenerateDataKeyPairWithoutPlaintext>(),
    cryptographic::<operation::GenerateDataKeyWithoutPlaintext>(),
    cryptographic::<operation::GenerateMac>(),
    row::<operation::GetKeyLastUsage>(),
    row::<operation::GetKeyPolicy>(),
    row::<operation::GetKeyRotationStatus>(),
    row::<operation::GetParametersForImport>(),
    cryptographic::<operation::GetPublicKey>(),
    row::<operation::ImportKeyMaterial>(),
    row::<operation::ListGrants>(),
    row::<operation::ListKeyPolicies>(),
    row::<operation::ListKeyRotations>(),
    row::<operation::ListResourceTags>(),
    row::<operation::PutKeyPolicy>(),
    cryptographic::<ReEncryptFrom>(),
    cryptographic::<ReEncryptTo>(),
    row::<operation::ReplicateKey>(),
    row::<operation::RevokeGrant>(),
    row::<operation::RotateKeyOnDemand>(),
    row::<operation::ScheduleKeyDeletion>(),
    cryptographic::<operation::Sign>(),
    row::<operation::TagResource>(),
    row::<operation::UntagResource>(),
    row::<operation::UpdateAlias>(),
    row::<operation::UpdateKeyDescription>(),
    row::<operation::UpdatePrimaryRegion>(),
    cryptographic::<operation::Verify>(),
    cryptographic::<operation::VerifyMac>(),
];

impl Kms {
    /// The key of an id, ARN or alias, for a caller who may read its policy and its grants.
    ///
    /// # Errors
    /// There is no such key, or the caller may not do this.
    pub async fn key_outline(&self, call: &Call, key_id: &str) -> Result<KeyOutline, KmsError> {
        let outline = self.outline(call, key_id).await;
        outline.inspect_err(|error| self.note_refusal(call, error))
    }

    async fn outline(&self, call: &Call, key_id: &str) -> Result<KeyOutline, KmsError> {
        let arn = self.keys.resolve::<operation::DescribeKey>(call, key_id).await?;
        let (id, nothing) = (arn.to_string(), Facts::default());
        let key = self.usable::<operation::GetKeyPolicy>(call, &id, &nothing).await?;
        self.usable::<operation::ListGrants>(call, &id, &nothing).await?;
        let policy = Policy::parse(&self.policy_now(key.record()).await?, PolicyKind::Key);
        let named = policy.map(|policy| policy.principals().cloned().collect()).unwrap_or_default();
        Ok(KeyOutline { key: arn, named })
    }

    /// The grantees of the next `limit` grants behind the grant `after`.
    ///
    /// # Errors
    /// The store fails, or `after` is no grant's id.
    pub async fn grantees(
        &self,
        key: &KeyArn,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Grantees, KmsError> {
        let prefix = paths::grants(key);
        let mut range = Range::prefix(&prefix).limit(limit);
        if let Some(after) = after {
            let last = store::Key::new(format!("{prefix}{after}"));
            range = range.after(&last.map_err(|_| KmsError::InvalidMarker)?);
        }
        let page = self.store.range(range).await?;
        let mut grantees = Vec::new();
        for entry in &page.entries {
            let record: GrantRecord = store::decode_record(entry)?;
            grantees.extend(self.grantee_now(&record).await?);
        }
        let last = page.entries.last().filter(|_| page.more);
        let last = last.and_then(|last| last.key.as_str().strip_prefix(&prefix)).map(str::to_owned);
        Ok(Grantees { grantees, last })
    }

    /// A grantee under the name that it has now; `None` if it is gone.
    async fn grantee_now(&self, record: &GrantRecord) -> Result<Option<PrincipalEntry>, KmsError> {
        match record.grantee() {
            Some(PrincipalEntry::UniqueId(id)) => {
                Ok(self.principals.arn_of(&id).await?.and_then(|arn| PrincipalEntry::parse(&arn)))
            }
            entry => Ok(entry),
        }
    }

    /// What somebody can do with a key, action by action. Of somebody of another account it is what the key's side gives:
    /// whoever may ask about a key may not know the policies of other accounts.
    ///
    /// # Errors
    /// The store or the port to identities fails, or the key is gone.
    pub async fn access(
        &self,
        call: &Call,
        key: &KeyArn,
        whom: &Whom,
    ) -> Result<Vec<ActionAccess>, KmsError> {
        let key = self.keys.cached(key).await?.ok_or(NotFound::Key(*key))?;
        let rights = match whom {
            Whom::Caller(caller) => Some(self.principals.rights_of(caller).await?),
            Whom::Everybody => None,
        };
        let mut accesses = Vec::new();
        for row in &ACTIONS {
            if !row.concerns(&key, whom) {
                continue;
            }
            let access = self.assess(call, row.name, &key, whom, rights.as_deref()).await?;
            if !matches!(access, Access::Never(_)) {
                accesses.push(ActionAccess { action: format!("kms:{}", row.name), access });
            }
        }
        Ok(accesses)
    }

    async fn assess(
        &self,
        call: &Call,
        action: &'static str,
        key: &LoadedKey,
        whom: &Whom,
        rights: Option<&dyn CallerRights>,
    ) -> Result<Access, KmsError> {
        let Some(policy) = key.policy.as_deref() else { return Ok(Access::Never(Cause::OutOfReach)) };
        let nothing = Facts::default();
        let check = Check { action, key: key.arn, loaded: Some(key), facts: &nothing };
        let (caller, grants): (_, Vec<Grant>) = match whom {
            Whom::Caller(caller) => {
                (CallerFacts::of(Arc::clone(caller)), self.grants_apart(caller, check, &[]).await?)
            }
            Whom::Everybody => (CallerFacts::anybody(), Vec::new()),
        };
        let arn = key.arn.to_string();
        let request = Request {
            action: Action::new("kms", action),
            resource: Resource::named(&arn, key.arn.account),
            caller: &caller,
            origin: Origin { region: key.arn.region, ..Origin::of(call) },
            context: &Circumstances::of(call, action, &nothing, Some(key)),
        };
        let identity = rights.map_or_else(IdentitySide::default, |rights| rights.side());
        let resource = self.side_of(check, policy, &grants);
        Ok(if whom.is_of(&key.arn) {
            assess(&request, &identity, &resource)
        } else {
            assess_resource_side(&request, identity.organization, &resource)
        })
    }
}

impl Row {
    /// Whether the action is one on such a key, and one of such a caller.
    fn concerns(&self, key: &LoadedKey, whom: &Whom) -> bool {
        self.usages.is_none_or(|usages| usages.contains(&key.record.usage))
            && (self.across_accounts || whom.is_of(&key.arn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_operation_on_keys() {
        let names: Vec<_> = ACTIONS.iter().map(|row| row.name).collect();
        assert!(names.is_sorted());
        // What is on no key, on aliases and keys alike, or decided elsewhere.
        let elsewhere = [
            "ConnectCustomKeyStore",
            "CreateCustomKeyStore",
            "CreateKey",
            "DeleteCustomKeyStore",
            "DescribeCustomKeyStores",
            "DisconnectCustomKeyStore",
            "GenerateRandom",
            "ListAliases",
            "ListKeys",
            "ListRetirableGrants",
            "ReEncrypt",
            "RetireGrant",
            "UpdateCustomKeyStore",
        ];
        for name in wire::kms::OPERATION_NAMES {
            assert_ne!(names.contains(&name), elsewhere.contains(&name), "{name}");
        }
    }
}
