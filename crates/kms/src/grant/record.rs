//! What is stored of a grant.

use std::collections::{BTreeMap, BTreeSet};

use base::{Arn, Caller, KeyArn, Region};
use crypto::digest::sha256;
use serde::{Deserialize, Serialize};
use store::{Key, Record, StoreError};
use wire::kms::GrantOperation;

use super::GrantId;
use super::id::hexadecimal;
use crate::paths;
use crate::principal::Principal;

/// A grant. It never changes: it is made and removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    /// Milliseconds since the epoch.
    pub(crate) created_at: i64,
    /// The account in which the grant was made.
    pub(crate) issuing_account: String,
    /// The grant that gave the right to make this one, if it was a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
    pub(crate) terms: GrantTerms,
}

/// What a grant says: all that its creator chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantTerms {
    pub(crate) name: Option<String>,
    pub(crate) grantee: GrantPrincipal,
    pub(crate) retiring: Option<GrantPrincipal>,
    /// In the order of the service model.
    #[serde(with = "operation_names")]
    pub(crate) operations: BTreeSet<GrantOperation>,
    pub(crate) context: Option<ContextConstraint>,
    pub(crate) source_arn: Option<String>,
}

/// Whom a grant names, as its creator wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GrantPrincipal {
    /// The ARN of an account's root or of a user.
    Arn(String),
    /// A service principal, such as `rds.amazonaws.com`.
    Service(String),
}

/// What a request's encryption context must be for the grant to apply. Keys and values match exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContextConstraint {
    /// It has these pairs and no others.
    Equals(BTreeMap<String, String>),
    /// It has at least these pairs.
    Subset(BTreeMap<String, String>),
}

impl Record for GrantRecord {
    const KIND: &'static str = "kms grant";
    const VERSION: u8 = 1;
}

/// Which grant has a name together with all else that its creator chose.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GrantNameRecord {
    pub(super) grant: String,
}

impl Record for GrantNameRecord {
    const KIND: &'static str = "kms grant name";
    const VERSION: u8 = 1;
}

impl GrantRecord {
    /// Everything that is stored of the grant `id` of this record: itself and its entries in indexes.
    pub(super) fn paths(&self, key: &KeyArn, id: &GrantId) -> Result<Vec<Key>, StoreError> {
        let mut paths = vec![paths::grant(key, id)?];
        paths.extend(self.name_path(key)?);
        paths.extend(self.retirable_path(key, id)?);
        Ok(paths)
    }

    /// Where the name stands in the index by name, if there is one.
    pub(super) fn name_path(&self, key: &KeyArn) -> Result<Option<Key>, StoreError> {
        self.terms.name_path(key, &self.issuing_account)
    }

    /// Where the grant stands in the index by retiring principal, if it has one.
    pub(super) fn retirable_path(&self, key: &KeyArn, id: &GrantId) -> Result<Option<Key>, StoreError> {
        let Some(retiring) = &self.terms.retiring else { return Ok(None) };
        let prefix = retiring.retirable_grants(&key.region);
        Ok(Some(paths::retirable_grant(&prefix, key, id)?))
    }
}

impl GrantTerms {
    /// Where a grant of this name and with all else the same stands in the index by name. Nameless grants are all
    /// different.
    pub(super) fn name_path(&self, key: &KeyArn, issuing_account: &str) -> Result<Option<Key>, StoreError> {
        if self.name.is_none() {
            return Ok(None);
        }
        let unencodable = |error: serde_json::Error| StoreError::Encoding {
            kind: GrantNameRecord::KIND,
            reason: error.to_string(),
        };
        let whole = serde_json::to_vec(&("keywright grant name v1", issuing_account, self));
        let digest = hexadecimal(sha256(&whole.map_err(unencodable)?));
        paths::grant_name(key, &digest).map(Some)
    }
}

impl GrantPrincipal {
    /// Whether `caller` is this principal. Nobody who calls is a service.
    pub(crate) fn includes(&self, caller: &Caller) -> bool {
        match self {
            Self::Arn(arn) => Principal::parse(arn).is_some_and(|principal| principal.includes(caller)),
            Self::Service(_) => false,
        }
    }

    /// The prefix of the grants in a Region that this principal may retire.
    pub(crate) fn retirable_grants(&self, region: &Region) -> String {
        let (holder, name) = match self {
            Self::Arn(arn) => (Arn::parse(arn).map_or("", |parts| parts.account), arn),
            Self::Service(name) => ("service", name),
        };
        // A digest, for a name can have slashes: the entries of `user/a` must not lie among those of `user/a/b`.
        paths::retirable_grants(holder, region, &hexadecimal(sha256(name.as_bytes())))
    }
}

/// Operations are stored under their names on the wire.
mod operation_names {
    use std::collections::BTreeSet;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use wire::kms::GrantOperation;

    pub(super) fn serialize<S: Serializer>(
        operations: &BTreeSet<GrantOperation>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(operations.iter().map(|operation| operation.as_str()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<GrantOperation>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let operation = |name: &String| name.parse().map_err(|_| D::Error::custom("unknown grant operation"));
        names.iter().map(operation).collect()
    }
}
