//! Actions, and which of them a statement is about.
//!
//! The actions of KMS are numbered, so that a statement knows its own as a set of bits and a policy finds the statements
//! about one of them without a comparison of texts.

use std::fmt;

use crate::glob::matches_ignoring_case;

/// An action: `kms:Decrypt`.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    service: &'a str,
    name: &'a str,
    number: Option<KmsAction>,
}

/// The place of an action in [`KMS_ACTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KmsAction(u8);

/// Every action of KMS, in byte order.
///
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>
const KMS_ACTIONS: [&str; 58] = [
    "CancelKeyDeletion",
    "ConnectCustomKeyStore",
    "CreateAlias",
    "CreateCustomKeyStore",
    "CreateGrant",
    "CreateKey",
    "Decapsulate",
    "Decrypt",
    "DeleteAlias",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKey",
    "EnableKeyRotation",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListKeys",
    "ListResourceTags",
    "ListRetirableGrants",
    "PutKeyPolicy",
    "ReEncryptFrom",
    "ReEncryptTo",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "SynchronizeMultiRegionKey",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateCustomKeyStore",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

/// Actions without the key `kms:CallerAccount`.
const WITHOUT_CALLER_ACCOUNT: [&str; 5] =
    ["GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants", "SynchronizeMultiRegionKey"];

impl<'a> Action<'a> {
    /// The action `name` of `service`, as AWS writes it: `Action::new("kms", "Decrypt")`.
    pub fn new(service: &'a str, name: &'a str) -> Self {
        let number = if service == "kms" { KmsAction::of(name) } else { None };
        Self { service, name, number }
    }

    /// Reads `kms:Decrypt`, in any case; `None` if service or name are not there. Wildcards are no names.
    pub fn read(text: &'a str) -> Option<Self> {
        let (service, name) = text.split_once(':')?;
        if service.is_empty() || name.is_empty() || name.contains([':', '*', '?']) {
            return None;
        }
        if !service.eq_ignore_ascii_case("kms") {
            return Some(Self::new(service, name));
        }
        let known = KMS_ACTIONS.iter().find(|known| known.eq_ignore_ascii_case(name));
        Some(Self::new("kms", known.map_or(name, |known| known)))
    }

    pub(crate) fn number(&self) -> Option<KmsAction> {
        self.number
    }

    /// The service, `kms`.
    pub fn service(&self) -> &'a str {
        self.service
    }

    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    pub(crate) fn is_kms(&self, name: &str) -> bool {
        self.service == "kms" && self.name == name
    }

    /// Whether requests for it have the key `kms:CallerAccount`.
    pub(crate) fn has_caller_account(&self) -> bool {
        self.service == "kms" && !WITHOUT_CALLER_ACCOUNT.contains(&self.name)
    }

    /// Whether requests for it can have the key `kms:ViaService`.
    pub(crate) fn has_via_service(&self) -> bool {
        self.has_caller_account() && !self.name.contains("CustomKeyStore")
    }
}

impl fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

impl KmsAction {
    fn of(name: &str) -> Option<Self> {
        let place = KMS_ACTIONS.binary_search(&name).ok()?;
        u8::try_from(place).ok().map(Self)
    }

    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// Its name without the service.
    pub(crate) fn name(self) -> &'static str {
        KMS_ACTIONS.get(self.place()).copied().unwrap_or_default()
    }

    /// All of them in their order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        KMS_ACTIONS.iter().filter_map(|name| Self::of(name))
    }
}

/// Some actions of KMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KmsActions(u64);

impl KmsActions {
    /// The actions of these names, for example those that a grant allows; names that are none of KMS are left out.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut actions = Self::default();
        names.into_iter().filter_map(KmsAction::of).for_each(|action| actions.add(action));
        actions
    }

    pub(crate) fn add(&mut self, action: KmsAction) {
        self.0 |= 1 << action.0;
    }

    pub(crate) fn has(self, action: KmsAction) -> bool {
        self.0 & (1 << action.0) != 0
    }
}

/// The element `Action` or `NotAction` of a statement.
#[derive(Debug)]
pub(crate) struct ActionSet {
    kms: KmsActions,
    is_negated: bool,
    patterns: Box<[ActionPattern]>,
}

/// One entry of such an element, in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ActionPattern {
    /// `None` for every service.
    service: Option<Box<str>>,
    /// A name, possibly with `*` and `?`.
    name: Box<str>,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionFault {
    NoVendor,
    Colons,
    Vendor,
}

impl ActionPattern {
    /// Reads `kms:Decrypt`, `kms:*` or `*`.
    pub(crate) fn read(text: &str) -> Result<Self, ActionFault> {
        let lower = text.to_ascii_lowercase();
        if matches!(lower.as_str(), "*" | "*:*") {
            return Ok(Self { service: None, name: "*".into() });
        }
        let (service, name) = lower.split_once(':').ok_or(ActionFault::NoVendor)?;
        if name.contains(':') {
            return Err(ActionFault::Colons);
        }
        let is_vendor = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if service.is_empty() || !service.bytes().all(is_vendor) {
            return Err(ActionFault::Vendor);
        }
        Ok(Self { service: Some(service.into()), name: name.into() })
    }

    pub(crate) fn covers(&self, service: &str, name: &str) -> bool {
        let is_of_service = self.service.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(service));
        is_of_service && matches_ignoring_case(&self.name, name)
    }

    /// The service and the name, if the entry means one action.
    fn exact(&self) -> Option<(&str, &str)> {
        let service = self.service.as_deref()?;
        (!self.name.contains(['*', '?'])).then_some((service, &*self.name))
    }

    pub(crate) fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The name in lower case, possibly with wildcards.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl ActionSet {
    /// All that these entries cover, or all that they do not.
    pub(crate) fn new(patterns: Vec<ActionPattern>, is_negated: bool) -> Self {
        let mut kms = KmsActions::default();
        for (action, name) in KmsAction::all().zip(KMS_ACTIONS) {
            if patterns.iter().any(|pattern| pattern.covers("kms", name)) != is_negated {
                kms.add(action);
            }
        }
        Self { kms, is_negated, patterns: patterns.into() }
    }

    /// No action at all.
    pub(crate) fn none() -> Self {
        Self::new(Vec::new(), false)
    }

    pub(crate) fn covers(&self, action: &Action<'_>) -> bool {
        match action.number() {
            Some(number) => self.kms.has(number),
            None => {
                let listed = |pattern: &ActionPattern| pattern.covers(action.service(), action.name());
                self.patterns.iter().any(listed) != self.is_negated
            }
        }
    }

    pub(crate) fn has(&self, action: KmsAction) -> bool {
        self.kms.has(action)
    }

    /// Whether all actions of KMS are among those of this element that are among those of the other.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        other.kms.0 & !self.kms.0 == 0
    }

    /// What the element lists.
    pub(crate) fn patterns(&self) -> &[ActionPattern] {
        &self.patterns
    }

    pub(crate) fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// The single actions that the element lists, if it lists nothing else. Of what is not a KMS action, it then covers
    /// exactly these.
    pub(crate) fn listed(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let all_exact = !self.is_negated && self.patterns.iter().all(|pattern| pattern.exact().is_some());
        all_exact.then(|| self.patterns.iter().filter_map(ActionPattern::exact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(entries: &[&str], is_negated: bool) -> ActionSet {
        let patterns = entries.iter().map(|entry| ActionPattern::read(entry).unwrap()).collect();
        ActionSet::new(patterns, is_negated)
    }

    #[test]
    fn the_table_is_sorted_and_every_name_has_its_number() {
        assert!(KMS_ACTIONS.is_sorted() && KMS_ACTIONS.len() <= 64);
        assert_eq!(KmsAction::all().count(), KMS_ACTIONS.len());
        for (action, name) in KmsAction::all().zip(KMS_ACTIONS) {
            assert_eq!(Action::new("kms", name).number(), Some(action));
        }
        assert_eq!(Action::new("kms", "decrypt").number(), None);
        assert_eq!(Action::new("s3", "Decrypt").number(), None);
    }

    #[test]
    fn actions_match_without_regard_to_case_and_with_wildcards() {
        for (entry, action, covers) in [
            ("kms:Decrypt", ("kms", "Decrypt"), true),
            ("KMS:decrypt", ("kms", "Decrypt"), true),
            ("kms:ReEncrypt*", ("kms", "ReEncryptTo"), true),
            ("kms:ReEncrypt*", ("kms", "ReplicateKey"), false),
            ("kms:GenerateDataKey*", ("kms", "GenerateDataKeyPairWithoutPlaintext"), true),
            ("kms:Si?n", ("kms", "Sign"), true),
            ("kms:Sign?", ("kms", "Sign"), false),
            ("*", ("kms", "Sign"), true),
            ("*", ("iam", "PassRole"), true),
            ("*:*", ("iam", "PassRole"), true),
            ("kms:*", ("iam", "PassRole"), false),
            ("iam:pass*", ("iam", "PassRole"), true),
            ("kms:NoSuchAction", ("kms", "NoSuchAction"), true),
        ] {
            let action = Action::new(action.0, action.1);
            assert_eq!(set(&[entry], false).covers(&action), covers, "{entry} {action}");
            assert_eq!(set(&[entry], true).covers(&action), !covers, "not {entry} {action}");
        }
    }

    #[test]
    fn what_names_no_action_is_refused() {
        for (entry, fault) in [
            ("Decrypt", ActionFault::NoVendor),
            ("", ActionFault::NoVendor),
            ("kms:a:b", ActionFault::Colons),
            ("k*s:Decrypt", ActionFault::Vendor),
            ("*:Decrypt", ActionFault::Vendor),
            (":Decrypt", ActionFault::Vendor),
        ] {
            assert_eq!(ActionPattern::read(entry), Err(fault), "{entry}");
        }
    }

    #[test]
    fn the_actions_of_a_grant_are_named_like_those_of_policies() {
        let actions = KmsActions::of(["Decrypt", "ReEncryptFrom", "Nothing"]);
        assert!(Action::new("kms", "ReEncryptFrom").number().is_some_and(|number| actions.has(number)));
        assert!(!Action::new("kms", "Encrypt").number().is_some_and(|number| actions.has(number)));
    }

    #[test]
    fn which_keys_go_with_an_action() {
        for (name, account, via) in [
            ("Decrypt", true, true),
            ("CreateKey", true, true),
            ("CreateCustomKeyStore", true, false),
            ("ListKeys", false, false),
            ("GenerateRandom", false, false),
        ] {
            let action = Action::new("kms", name);
            assert_eq!((action.has_caller_account(), action.has_via_service()), (account, via), "{name}");
        }
        assert!(!Action::new("s3", "GetObject").has_caller_account());
    }
}
