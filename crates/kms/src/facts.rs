//! What a request says that policies can ask about: the condition keys of its parameters.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>

use std::collections::BTreeMap;

use base::Timestamp;
use crypto::Measurements;
use wire::kms::{EncryptionAlgorithmSpec, KeySpec, KeyUsageType, OriginType};

use crate::grant::ContextConstraint;

/// The parameters of one check. Each is there with its effective value, or absent if the operation has none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    /// `kms:EncryptionAlgorithm`.
    pub(crate) encryption_algorithm: Option<&'a str>,
    /// `kms:EncryptionContext:…` and `kms:EncryptionContextKeys`.
    pub(crate) encryption_context: Option<&'a BTreeMap<String, String>>,
    /// `kms:DataKeyPairSpec`.
    pub(crate) data_key_pair_spec: Option<&'a str>,
    /// `kms:KeyAgreementAlgorithm`.
    pub(crate) key_agreement_algorithm: Option<&'a str>,
    /// `kms:MacAlgorithm`.
    pub(crate) mac_algorithm: Option<&'a str>,
    /// `kms:MessageType`.
    pub(crate) message_type: Option<&'a str>,
    /// `kms:SigningAlgorithm`.
    pub(crate) signing_algorithm: Option<&'a str>,
    /// `kms:ReEncryptOnSameKey`.
    pub(crate) re_encrypt_on_same_key: Option<bool>,
    /// `kms:RequestAlias`.
    pub(crate) request_alias: Option<&'a str>,
    /// `kms:BypassPolicyLockoutSafetyCheck`; absent if it was not sent.
    pub(crate) bypass_policy_lockout_safety_check: Option<bool>,
    /// `kms:RotationPeriodInDays`.
    pub(crate) rotation_period_in_days: Option<i32>,
    /// `kms:ScheduleKeyDeletionPendingWindowInDays`.
    pub(crate) pending_window_in_days: Option<i32>,
    /// `kms:PrimaryRegion`.
    pub(crate) primary_region: Option<&'a str>,
    /// `kms:ReplicaRegion`.
    pub(crate) replica_region: Option<&'a str>,
    /// `kms:WrappingAlgorithm` and `kms:WrappingKeySpec`.
    pub(crate) wrapping: Option<(&'a str, &'a str)>,
    /// `kms:ExpirationModel`; absent if it was not sent.
    pub(crate) expiration_model: Option<&'a str>,
    /// `kms:ValidTo`.
    pub(crate) valid_to: Option<Timestamp>,
    /// `kms:TrailingDaysWithoutKeyUsage`.
    pub(crate) days_without_use: Option<i32>,
    /// `kms:RecipientAttestation:…`, of requests with a Recipient.
    pub(crate) measurements: Option<&'a Measurements>,
    /// `aws:RequestTag/…` and `aws:TagKeys`.
    pub(crate) tags: Option<&'a BTreeMap<String, String>>,
    /// `aws:TagKeys` of a request that names keys only.
    pub(crate) tag_keys: Option<&'a Vec<String>>,
    /// `kms:GrantOperations`, `kms:GranteePrincipal` and their siblings.
    pub(crate) grant: Option<&'a GrantFacts<'a>>,
    /// The properties of a key that is asked for and not there yet.
    pub(crate) new_key: Option<NewKeyFacts>,
}

impl<'a> Facts<'a> {
    /// The facts of an encryption or decryption. Without an algorithm it is that of symmetric keys.
    pub(crate) fn of_encryption(
        algorithm: Option<EncryptionAlgorithmSpec>,
        context: Option<&'a BTreeMap<String, String>>,
    ) -> Self {
        let algorithm = algorithm.unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault);
        Self {
            encryption_algorithm: Some(algorithm.as_str()),
            encryption_context: context,
            ..Self::default()
        }
    }
}

/// The condition keys of CreateGrant.
pub(crate) struct GrantFacts<'a> {
    /// Its pairs stand for the encryption context.
    pub(crate) constraint: Option<&'a ContextConstraint>,
    pub(crate) source_arn: Option<&'a str>,
    pub(crate) operations: Vec<&'static str>,
    pub(crate) grantee: Option<&'a str>,
    pub(crate) grantee_service: Option<&'a str>,
    pub(crate) retiring: Option<&'a str>,
    pub(crate) retiring_service: Option<&'a str>,
}

/// `kms:KeySpec`, `kms:KeyUsage`, `kms:KeyOrigin`, `kms:MultiRegion` and `kms:MultiRegionKeyType` of CreateKey.
#[derive(Clone, Copy)]
pub(crate) struct NewKeyFacts {
    pub(crate) spec: KeySpec,
    pub(crate) usage: KeyUsageType,
    pub(crate) origin: OriginType,
    pub(crate) multi_region: bool,
}

impl<'a> GrantFacts<'a> {
    /// The pairs of the constraint on the encryption context.
    pub(crate) fn context(&self) -> Option<&'a BTreeMap<String, String>> {
        self.constraint.map(|(ContextConstraint::Equals(pairs) | ContextConstraint::Subset(pairs))| pairs)
    }

    /// `kms:GrantConstraintType`.
    pub(crate) fn constraint_type(&self) -> Option<&'static str> {
        self.constraint.map(|constraint| match constraint {
            ContextConstraint::Equals(_) => "EncryptionContextEquals",
            ContextConstraint::Subset(_) => "EncryptionContextSubset",
        })
    }
}
