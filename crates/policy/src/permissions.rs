//! What each action of KMS is about, and which condition keys its requests can have.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>

use crate::action::{Action, KmsAction};
use crate::key::{ContextKey, ForwardedKey, KmsKey, OriginKey, PrincipalKey, ServiceKey};

/// What an action is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Key,
    /// An alias, and in a check of its own the key.
    Alias,
    /// No resource in particular, which policies must write as `*`.
    Nothing,
}

/// Whether requests have a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Never,
    Perhaps,
    Always,
}

const ON_NOTHING: [&str; 11] = [
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
    "UpdateCustomKeyStore",
];

const ON_ALIASES: [&str; 3] = ["CreateAlias", "DeleteAlias", "UpdateAlias"];

/// Actions that do cryptographic work with a key.
const CRYPTOGRAPHIC: [&str; 16] = [
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "VerifyMac",
    "GetPublicKey",
];

const SYMMETRIC: [&str; 8] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

const FOR_RECIPIENTS: [&str; 5] =
    ["Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom"];

pub(crate) fn target(action: KmsAction) -> Target {
    if ON_NOTHING.contains(&action.name()) {
        Target::Nothing
    } else if ON_ALIASES.contains(&action.name()) {
        Target::Alias
    } else {
        Target::Key
    }
}

/// Whether the action does nothing but tell.
pub(crate) fn only_tells(action: KmsAction) -> bool {
    ["Describe", "Get", "List"].iter().any(|verb| action.name().starts_with(verb))
}

/// Whether a policy of a key decides about the action. RetireGrant is left to the grant itself.
pub(crate) fn is_for_key_policies(action: KmsAction) -> bool {
    target(action) != Target::Nothing && action.name() != "RetireGrant"
}

/// Whether requests for the action have the key.
pub(crate) fn presence(key: &ContextKey, action: KmsAction) -> Presence {
    let checked = Action::new("kms", action.name());
    let if_possible = |possible: bool| if possible { Presence::Perhaps } else { Presence::Never };
    match key {
        ContextKey::Principal(PrincipalKey::CallerAccount) => if_possible(checked.has_caller_account()),
        ContextKey::Forwarded(ForwardedKey::ViaService) => if_possible(checked.has_via_service()),
        ContextKey::Forwarded(ForwardedKey::ViaAwsService)
        | ContextKey::Origin(
            OriginKey::Time | OriginKey::RequestedRegion | OriginKey::SecureTransport | OriginKey::UserAgent,
        ) => Presence::Always,
        ContextKey::EncryptionContext(_) | ContextKey::EncryptionContextKeys => {
            if_possible(has_encryption_context(action))
        }
        ContextKey::ResourceTag(_) => {
            if_possible(target(action) != Target::Nothing || action.name() == "CreateKey")
        }
        ContextKey::RequestTag(_) => {
            if_possible(["CreateKey", "ReplicateKey", "TagResource"].contains(&action.name()))
        }
        ContextKey::Service(key) => of_service(key, action.name()),
        ContextKey::Nowhere => Presence::Never,
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Origin(_)
        | ContextKey::Forwarded(_)
        | ContextKey::Owner(_)
        | ContextKey::PrincipalTag(_) => Presence::Perhaps,
    }
}

fn has_encryption_context(action: KmsAction) -> bool {
    SYMMETRIC.contains(&action.name()) || ["CreateGrant", "RetireGrant"].contains(&action.name())
}

fn of_service(key: &ServiceKey, action: &str) -> Presence {
    let among = |actions: &[&str]| {
        if actions.contains(&action) { Presence::Perhaps } else { Presence::Never }
    };
    match key {
        ServiceKey::Kms(KmsKey::GrantOperations) if action == "CreateGrant" => Presence::Always,
        ServiceKey::Kms(key) => of_kms(*key, action),
        ServiceKey::RecipientAttestation(_) => among(&FOR_RECIPIENTS),
        ServiceKey::TagKeys => among(&["CreateKey", "ReplicateKey", "TagResource", "UntagResource"]),
        // Keys of services with requests of their own. Every other prefix may be that of an identity provider, whose
        // claims a session keeps, or of a service that a session comes from.
        ServiceKey::Other(name) => {
            let is_elsewhere = ["kms:", "s3:", "iam:", "sts:"].iter().any(|prefix| name.starts_with(prefix));
            if is_elsewhere { Presence::Never } else { Presence::Perhaps }
        }
    }
}

fn of_kms(key: KmsKey, action: &str) -> Presence {
    use KmsKey as Key;
    let is_on_key = !ON_NOTHING.contains(&action);
    let possible = match key {
        Key::KeyOrigin | Key::KeySpec | Key::KeyUsage | Key::MultiRegion | Key::MultiRegionKeyType => {
            is_on_key || action == "CreateKey"
        }
        Key::ResourceAliases => is_on_key,
        Key::BypassPolicyLockoutSafetyCheck => {
            ["CreateKey", "PutKeyPolicy", "ReplicateKey"].contains(&action)
        }
        Key::DataKeyPairSpec => action.starts_with("GenerateDataKeyPair"),
        Key::EncryptionAlgorithm => SYMMETRIC.contains(&action),
        Key::ExpirationModel | Key::ValidTo => action == "ImportKeyMaterial",
        Key::GrantConstraintType => ["CreateGrant", "RetireGrant"].contains(&action),
        Key::GrantIsForAwsResource => ["CreateGrant", "ListGrants", "RevokeGrant"].contains(&action),
        Key::GrantConstraintSourceArn
        | Key::GrantOperations
        | Key::GranteePrincipal
        | Key::GranteeServicePrincipal
        | Key::RetiringPrincipal
        | Key::RetiringServicePrincipal => action == "CreateGrant",
        Key::KeyAgreementAlgorithm => action == "DeriveSharedSecret",
        Key::MacAlgorithm => ["GenerateMac", "VerifyMac"].contains(&action),
        Key::MessageType | Key::SigningAlgorithm => ["Sign", "Verify"].contains(&action),
        Key::PrimaryRegion => action == "UpdatePrimaryRegion",
        Key::ReEncryptOnSameKey => ["ReEncryptFrom", "ReEncryptTo"].contains(&action),
        Key::ReplicaRegion => action == "ReplicateKey",
        Key::RequestAlias => CRYPTOGRAPHIC.contains(&action) || action == "DescribeKey",
        Key::RotationPeriodInDays => action == "EnableKeyRotation",
        Key::ScheduleKeyDeletionPendingWindowInDays => action == "ScheduleKeyDeletion",
        Key::TrailingDaysWithoutKeyUsage => ["DisableKey", "ScheduleKeyDeletion"].contains(&action),
        Key::WrappingAlgorithm | Key::WrappingKeySpec => action == "GetParametersForImport",
    };
    if possible { Presence::Perhaps } else { Presence::Never }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(name: &str) -> KmsAction {
        Action::new("kms", name).number().unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn every_name_is_an_action() {
        let names = ON_NOTHING.into_iter().chain(ON_ALIASES).chain(CRYPTOGRAPHIC).chain(SYMMETRIC);
        for name in names.chain(FOR_RECIPIENTS) {
            action(name);
        }
    }

    #[test]
    fn actions_are_on_keys_aliases_or_nothing() {
        for (name, on) in [
            ("Decrypt", Target::Key),
            ("PutKeyPolicy", Target::Key),
            ("CreateAlias", Target::Alias),
            ("CreateKey", Target::Nothing),
            ("ListKeys", Target::Nothing),
            ("ListGrants", Target::Key),
        ] {
            assert_eq!(target(action(name)), on, "{name}");
        }
        assert!(!is_for_key_policies(action("RetireGrant")) && !is_for_key_policies(action("ListAliases")));
        assert!(is_for_key_policies(action("CreateAlias")));
    }

    /// Rows of AWS's table of actions and condition keys.
    #[test]
    fn requests_have_the_keys_that_aws_lists() {
        use Presence::{Always, Never, Perhaps};
        for (key, name, expected) in [
            ("kms:EncryptionContext:a", "Decrypt", Perhaps),
            ("kms:EncryptionContext:a", "CreateGrant", Perhaps),
            ("kms:EncryptionContextKeys", "RetireGrant", Perhaps),
            ("kms:EncryptionContext:a", "DescribeKey", Never),
            ("kms:EncryptionContextKeys", "GenerateMac", Never),
            ("kms:CallerAccount", "Decrypt", Perhaps),
            ("kms:CallerAccount", "ListKeys", Never),
            ("kms:CallerAccount", "CreateCustomKeyStore", Perhaps),
            ("kms:ViaService", "CreateKey", Perhaps),
            ("kms:ViaService", "GenerateRandom", Never),
            ("kms:ViaService", "CreateCustomKeyStore", Never),
            ("kms:GrantOperations", "CreateGrant", Always),
            ("kms:GrantOperations", "ListGrants", Never),
            ("kms:GrantIsForAWSResource", "RevokeGrant", Perhaps),
            ("kms:GrantIsForAWSResource", "Decrypt", Never),
            ("kms:KeySpec", "CreateKey", Perhaps),
            ("kms:KeySpec", "ListKeys", Never),
            ("kms:CustomerMasterKeySpec", "Sign", Perhaps),
            ("kms:ResourceAliases", "Decrypt", Perhaps),
            ("kms:ResourceAliases", "CreateKey", Never),
            ("kms:RequestAlias", "DescribeKey", Perhaps),
            ("kms:RequestAlias", "GetPublicKey", Perhaps),
            ("kms:RequestAlias", "CreateGrant", Never),
            ("kms:RecipientAttestation:PCR0", "GenerateRandom", Perhaps),
            ("kms:RecipientAttestation:PCR0", "Encrypt", Never),
            ("kms:NoSuchKey", "Decrypt", Never),
            ("aws:ResourceTag/a", "ListKeys", Never),
            ("aws:ResourceTag/a", "CreateKey", Perhaps),
            ("aws:RequestTag/a", "TagResource", Perhaps),
            ("aws:RequestTag/a", "UntagResource", Never),
            ("aws:TagKeys", "UntagResource", Perhaps),
            ("aws:TagKeys", "Decrypt", Never),
            ("aws:SecureTransport", "Decrypt", Always),
            ("aws:SourceArn", "Decrypt", Perhaps),
            ("aws:NoSuchKey", "Decrypt", Perhaps),
            ("s3:prefix", "Decrypt", Never),
            ("token.actions.githubusercontent.com:sub", "Decrypt", Perhaps),
            ("ec2:SourceInstanceArn", "Decrypt", Perhaps),
        ] {
            assert_eq!(presence(&ContextKey::read(key), action(name)), expected, "{key} {name}");
        }
    }
}
