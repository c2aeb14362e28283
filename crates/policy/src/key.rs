//! Names of condition keys, told apart once when a policy is parsed.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>

use std::fmt;

/// A condition key. Names are compared without regard to case, suffixes too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ContextKey {
    /// A key about the caller.
    Principal(PrincipalKey),
    /// A key about the caller's temporary credentials.
    Session(SessionKey),
    /// A key about where the request comes from, and when.
    Origin(OriginKey),
    /// A key about the service that sent the request.
    Forwarded(ForwardedKey),
    /// A key about the owner of the resource.
    Owner(OwnerKey),
    /// `kms:EncryptionContextKeys`.
    EncryptionContextKeys,
    /// `kms:EncryptionContext:…`.
    EncryptionContext(Box<str>),
    /// `aws:PrincipalTag/…`.
    PrincipalTag(Box<str>),
    /// `aws:ResourceTag/…`.
    ResourceTag(Box<str>),
    /// `aws:RequestTag/…`.
    RequestTag(Box<str>),
    /// A key that the service answers.
    Service(ServiceKey),
    /// A key that is never there in this kind of policy.
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PrincipalKey {
    /// `kms:CallerAccount`.
    CallerAccount,
    Account,
    Arn,
    IsAwsService,
    OrgId,
    OrgPaths,
    ServiceName,
    ServiceNamesList,
    Type,
    UserId,
    Username,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SessionKey {
    FederatedProvider,
    MultiFactorAuthAge,
    MultiFactorAuthPresent,
    SourceIdentity,
    TokenIssueTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OriginKey {
    /// `aws:CurrentTime` and `aws:EpochTime`, which the operator tells apart.
    Time,
    Referer,
    RequestedRegion,
    SecureTransport,
    SourceIp,
    SourceVpc,
    SourceVpce,
    UserAgent,
    VpcSourceIp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ForwardedKey {
    CalledVia,
    CalledViaFirst,
    CalledViaLast,
    SourceAccount,
    SourceArn,
    SourceOrgId,
    SourceOrgPaths,
    ViaAwsService,
    /// `kms:ViaService`.
    ViaService,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OwnerKey {
    Account,
    OrgId,
    OrgPaths,
}

/// A condition key whose value only the service knows that the request is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServiceKey {
    /// A key of KMS.
    Kms(KmsKey),
    /// `kms:RecipientAttestation:…`: what follows the second colon, in lower case, for example `imagesha384` or `pcr4`.
    RecipientAttestation(Box<str>),
    /// `aws:TagKeys`. Without an answer the names of the request's tags are taken.
    TagKeys,
    /// Any other key, its whole name in lower case, for example `sts:externalid`.
    Other(Box<str>),
}

/// The whole name in lower case.
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms(key) => {
                let known = KmsKey::NAMES.iter().find(|(_, known)| known == key);
                write!(f, "kms:{}", known.map_or("", |(name, _)| name))
            }
            Self::RecipientAttestation(name) => write!(f, "kms:recipientattestation:{name}"),
            Self::TagKeys => f.write_str("aws:tagkeys"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

macro_rules! kms_keys {
    ($($(#[$documentation:meta])* $variant:ident = $name:literal,)*) => {
        /// The condition keys of KMS that follow from a request's parameters or the key that it is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum KmsKey {
            $($(#[$documentation])* $variant,)*
        }

        impl KmsKey {
            /// Names in lower case.
            const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$variant),)*];

            /// Whether the key tells about the resource, whatever is to be done to it.
            pub(crate) fn is_of_resource(self) -> bool {
                let of_resource = [
                    Self::KeyOrigin,
                    Self::KeySpec,
                    Self::KeyUsage,
                    Self::MultiRegion,
                    Self::MultiRegionKeyType,
                    Self::ResourceAliases,
                ];
                of_resource.contains(&self)
            }
        }
    };
}

kms_keys! {
    /// `kms:BypassPolicyLockoutSafetyCheck`: the parameter; absent if it was not sent.
    BypassPolicyLockoutSafetyCheck = "bypasspolicylockoutsafetycheck",
    /// `kms:DataKeyPairSpec`: KeyPairSpec.
    DataKeyPairSpec = "datakeypairspec",
    /// `kms:EncryptionAlgorithm`: the algorithm that is used, sent or not.
    EncryptionAlgorithm = "encryptionalgorithm",
    /// `kms:ExpirationModel`: the parameter; absent if it was not sent.
    ExpirationModel = "expirationmodel",
    /// `kms:GrantConstraintSourceArn`: SourceArn of the new grant's constraints.
    GrantConstraintSourceArn = "grantconstraintsourcearn",
    /// `kms:GrantConstraintType`: `EncryptionContextEquals` or `EncryptionContextSubset`.
    GrantConstraintType = "grantconstrainttype",
    /// `kms:GrantIsForAWSResource`: an integrated service makes the call for somebody.
    GrantIsForAwsResource = "grantisforawsresource",
    /// `kms:GrantOperations`, several values: Operations.
    GrantOperations = "grantoperations",
    /// `kms:GranteePrincipal`: the parameter.
    GranteePrincipal = "granteeprincipal",
    /// `kms:GranteeServicePrincipal`: the parameter.
    GranteeServicePrincipal = "granteeserviceprincipal",
    /// `kms:KeyAgreementAlgorithm`: the parameter.
    KeyAgreementAlgorithm = "keyagreementalgorithm",
    /// `kms:KeyOrigin`: of the key, or of the key to be made.
    KeyOrigin = "keyorigin",
    /// `kms:KeySpec`, and its older name `kms:CustomerMasterKeySpec`.
    KeySpec = "keyspec",
    /// `kms:KeyUsage`, and its older name `kms:CustomerMasterKeyUsage`.
    KeyUsage = "keyusage",
    /// `kms:MacAlgorithm`: the parameter.
    MacAlgorithm = "macalgorithm",
    /// `kms:MessageType`: the parameter or its default RAW.
    MessageType = "messagetype",
    /// `kms:MultiRegion`: always true or false.
    MultiRegion = "multiregion",
    /// `kms:MultiRegionKeyType`: PRIMARY or REPLICA; absent for keys of one Region.
    MultiRegionKeyType = "multiregionkeytype",
    /// `kms:PrimaryRegion`: the parameter.
    PrimaryRegion = "primaryregion",
    /// `kms:ReEncryptOnSameKey`: source and destination key are one.
    ReEncryptOnSameKey = "reencryptonsamekey",
    /// `kms:ReplicaRegion`: the parameter.
    ReplicaRegion = "replicaregion",
    /// `kms:RequestAlias`: `alias/name` if the request named the key by an alias name or alias ARN, else absent.
    RequestAlias = "requestalias",
    /// `kms:ResourceAliases`, several values: all aliases of the key. Identity policies only.
    ResourceAliases = "resourcealiases",
    /// `kms:RetiringPrincipal`: the parameter.
    RetiringPrincipal = "retiringprincipal",
    /// `kms:RetiringServicePrincipal`: the parameter.
    RetiringServicePrincipal = "retiringserviceprincipal",
    /// `kms:RotationPeriodInDays`: the parameter or its default.
    RotationPeriodInDays = "rotationperiodindays",
    /// `kms:ScheduleKeyDeletionPendingWindowInDays`: the parameter or its default.
    ScheduleKeyDeletionPendingWindowInDays = "schedulekeydeletionpendingwindowindays",
    /// `kms:SigningAlgorithm`: the parameter.
    SigningAlgorithm = "signingalgorithm",
    /// `kms:TrailingDaysWithoutKeyUsage`: whole days since the key last did cryptographic work.
    TrailingDaysWithoutKeyUsage = "trailingdayswithoutkeyusage",
    /// `kms:ValidTo`: the parameter.
    ValidTo = "validto",
    /// `kms:WrappingAlgorithm`: the parameter.
    WrappingAlgorithm = "wrappingalgorithm",
    /// `kms:WrappingKeySpec`: the parameter.
    WrappingKeySpec = "wrappingkeyspec",
}

/// Global keys by their names in lower case, without `aws:`.
const GLOBAL: &[(&str, ContextKey)] = &[
    ("calledvia", ContextKey::Forwarded(ForwardedKey::CalledVia)),
    ("calledviafirst", ContextKey::Forwarded(ForwardedKey::CalledViaFirst)),
    ("calledvialast", ContextKey::Forwarded(ForwardedKey::CalledViaLast)),
    ("currenttime", ContextKey::Origin(OriginKey::Time)),
    ("epochtime", ContextKey::Origin(OriginKey::Time)),
    ("federatedprovider", ContextKey::Session(SessionKey::FederatedProvider)),
    ("multifactorauthage", ContextKey::Session(SessionKey::MultiFactorAuthAge)),
    ("multifactorauthpresent", ContextKey::Session(SessionKey::MultiFactorAuthPresent)),
    ("principalaccount", ContextKey::Principal(PrincipalKey::Account)),
    ("principalarn", ContextKey::Principal(PrincipalKey::Arn)),
    ("principalisawsservice", ContextKey::Principal(PrincipalKey::IsAwsService)),
    ("principalorgid", ContextKey::Principal(PrincipalKey::OrgId)),
    ("principalorgpaths", ContextKey::Principal(PrincipalKey::OrgPaths)),
    ("principalservicename", ContextKey::Principal(PrincipalKey::ServiceName)),
    ("principalservicenameslist", ContextKey::Principal(PrincipalKey::ServiceNamesList)),
    ("principaltype", ContextKey::Principal(PrincipalKey::Type)),
    ("referer", ContextKey::Origin(OriginKey::Referer)),
    ("requestedregion", ContextKey::Origin(OriginKey::RequestedRegion)),
    ("resourceaccount", ContextKey::Owner(OwnerKey::Account)),
    ("resourceorgid", ContextKey::Owner(OwnerKey::OrgId)),
    ("resourceorgpaths", ContextKey::Owner(OwnerKey::OrgPaths)),
    ("securetransport", ContextKey::Origin(OriginKey::SecureTransport)),
    ("sourceaccount", ContextKey::Forwarded(ForwardedKey::SourceAccount)),
    ("sourcearn", ContextKey::Forwarded(ForwardedKey::SourceArn)),
    ("sourceidentity", ContextKey::Session(SessionKey::SourceIdentity)),
    ("sourceip", ContextKey::Origin(OriginKey::SourceIp)),
    ("sourceorgid", ContextKey::Forwarded(ForwardedKey::SourceOrgId)),
    ("sourceorgpaths", ContextKey::Forwarded(ForwardedKey::SourceOrgPaths)),
    ("sourcevpc", ContextKey::Origin(OriginKey::SourceVpc)),
    ("sourcevpce", ContextKey::Origin(OriginKey::SourceVpce)),
    ("tagkeys", ContextKey::Service(ServiceKey::TagKeys)),
    ("tokenissuetime", ContextKey::Session(SessionKey::TokenIssueTime)),
    ("useragent", ContextKey::Origin(OriginKey::UserAgent)),
    ("userid", ContextKey::Principal(PrincipalKey::UserId)),
    ("username", ContextKey::Principal(PrincipalKey::Username)),
    ("viaawsservice", ContextKey::Forwarded(ForwardedKey::ViaAwsService)),
    ("vpcsourceip", ContextKey::Origin(OriginKey::VpcSourceIp)),
];

/// Prefixes of keys whose rest is a name of somebody's choice.
type Named = fn(Box<str>) -> ContextKey;
const NAMED: &[(&str, Named)] = &[
    ("aws:principaltag/", ContextKey::PrincipalTag),
    ("aws:resourcetag/", ContextKey::ResourceTag),
    ("aws:requesttag/", ContextKey::RequestTag),
    ("kms:encryptioncontext:", ContextKey::EncryptionContext),
    ("kms:recipientattestation:", |rest| ContextKey::Service(ServiceKey::RecipientAttestation(rest))),
];

impl ContextKey {
    /// The key of this name. Every text is one, if only one that no request has.
    pub(crate) fn read(name: &str) -> Self {
        let lower: String = name.chars().flat_map(char::to_lowercase).collect();
        for (prefix, named) in NAMED {
            if let Some(rest) = lower.strip_prefix(prefix) {
                return named(rest.into());
            }
        }
        if let Some(rest) = lower.strip_prefix("aws:")
            && let Some((_, key)) = GLOBAL.iter().find(|(name, _)| *name == rest)
        {
            return key.clone();
        }
        lower
            .strip_prefix("kms:")
            .and_then(Self::of_kms)
            .unwrap_or_else(|| Self::Service(ServiceKey::Other(lower.into())))
    }

    /// The key of KMS with this name in lower case.
    fn of_kms(name: &str) -> Option<Self> {
        Some(match name {
            "calleraccount" => Self::Principal(PrincipalKey::CallerAccount),
            "encryptioncontextkeys" => Self::EncryptionContextKeys,
            "viaservice" => Self::Forwarded(ForwardedKey::ViaService),
            "customermasterkeyspec" => Self::Service(ServiceKey::Kms(KmsKey::KeySpec)),
            "customermasterkeyusage" => Self::Service(ServiceKey::Kms(KmsKey::KeyUsage)),
            _ => {
                let (_, key) = KmsKey::NAMES.iter().find(|(known, _)| *known == name)?;
                Self::Service(ServiceKey::Kms(*key))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_in_any_case() {
        for (name, key) in [
            ("aws:PrincipalArn", ContextKey::Principal(PrincipalKey::Arn)),
            ("AWS:sourceip", ContextKey::Origin(OriginKey::SourceIp)),
            ("aws:PrincipalTag/Cost:Center", ContextKey::PrincipalTag("cost:center".into())),
            ("aws:ResourceTag/É", ContextKey::ResourceTag("é".into())),
            ("kms:EncryptionContext:AppName", ContextKey::EncryptionContext("appname".into())),
            ("kms:EncryptionContext:aws:s3:arn", ContextKey::EncryptionContext("aws:s3:arn".into())),
            ("kms:EncryptionContextKeys", ContextKey::EncryptionContextKeys),
            ("kms:CustomerMasterKeySpec", ContextKey::Service(ServiceKey::Kms(KmsKey::KeySpec))),
            ("kms:keyspec", ContextKey::Service(ServiceKey::Kms(KmsKey::KeySpec))),
            (
                "kms:RecipientAttestation:PCR4",
                ContextKey::Service(ServiceKey::RecipientAttestation("pcr4".into())),
            ),
            ("sts:ExternalId", ContextKey::Service(ServiceKey::Other("sts:externalid".into()))),
            ("kms:NoSuchKey", ContextKey::Service(ServiceKey::Other("kms:nosuchkey".into()))),
            ("aws:TagKeys", ContextKey::Service(ServiceKey::TagKeys)),
        ] {
            assert_eq!(ContextKey::read(name), key, "{name}");
        }
    }

    #[test]
    fn tables_hold_no_name_twice_and_all_in_lower_case() {
        let names: Vec<&str> =
            GLOBAL.iter().map(|(name, _)| *name).chain(KmsKey::NAMES.iter().map(|(name, _)| *name)).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| **name == name.to_lowercase()));
    }

    proptest! {
        #[test]
        fn no_name_panics(name in "(aws|kms)?:?\\PC{0,40}") {
            let _ = ContextKey::read(&name);
        }
    }
}
