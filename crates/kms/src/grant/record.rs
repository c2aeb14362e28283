//! What is stored of a grant.

use std::collections::{BTreeMap, BTreeSet};

use base::{KeyArn, Region};
use crypto::digest::sha256;
use policy::PrincipalEntry;
use serde::{Deserialize, Serialize};
use store::{Key, Record, StoreError};
use wire::kms::GrantOperation;

use super::GrantId;
use super::id::hexadecimal;
use crate::paths;

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
    /// Who was meant when the grant was made.
    #[serde(default, skip_serializing_if = "GrantHolders::are_nameless")]
    pub(crate) holders: GrantHolders,
}

/// The unique ids of the users and roles that a grant names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantHolders {
    pub(crate) grantee: Option<String>,
    pub(crate) retiring: Option<String>,
}

impl GrantHolders {
    fn are_nameless(&self) -> bool {
        *self == Self::default()
    }
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
    /// The ARN of an account's root, a user, a role or a session.
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
    /// What is stored of the grant `id` of this record: itself and its entries in the indexes of names and retirers.
    pub(super) fn paths(&self, key: &KeyArn, id: &GrantId) -> Result<Vec<Key>, StoreError> {
        let mut paths = vec![paths::grant(key, id)?];
        paths.extend(self.name_path(key)?);
        paths.extend(self.retirable_path(key, id)?);
        Ok(paths)
    }

    /// Where the name stands in the index by name, if there is one.
    ///
    /// A grant of this name and with all else the same would stand there. Nameless grants are all different.
    pub(super) fn name_path(&self, key: &KeyArn) -> Result<Option<Key>, StoreError> {
        if self.terms.name.is_none() {
            return Ok(None);
        }
        let unencodable = |error: serde_json::Error| StoreError::Encoding {
            kind: GrantNameRecord::KIND,
            reason: error.to_string(),
        };
        let whole = ("keywright grant name v1", &self.issuing_account, &self.terms, &self.holders);
        let digest = hexadecimal(sha256(&serde_json::to_vec(&whole).map_err(unencodable)?));
        paths::grant_name(key, &digest).map(Some)
    }

    /// The grantee as policies match it; `None` for a text that no version of this service stores.
    pub(crate) fn grantee(&self) -> Option<PrincipalEntry> {
        entry(&self.terms.grantee, self.holders.grantee.as_deref())
    }

    /// The retiring principal as policies match it.
    pub(super) fn retiring(&self) -> Option<PrincipalEntry> {
        entry(self.terms.retiring.as_ref()?, self.holders.retiring.as_deref())
    }

    /// Where the grant stands in the index by retiring principal, if it has one.
    pub(super) fn retirable_path(&self, key: &KeyArn, id: &GrantId) -> Result<Option<Key>, StoreError> {
        let Some(retiring) = self.retiring() else { return Ok(None) };
        Ok(Some(paths::retirable_grant(&retirable_grants(&retiring, &key.region), key, id)?))
    }
}

impl GrantPrincipal {
    /// The ARN, if it is a principal that has one.
    pub(crate) fn arn(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) => Some(arn),
            Self::Service(_) => None,
        }
    }

    /// The name of the service, if it is one.
    pub(crate) fn service(&self) -> Option<&str> {
        match self {
            Self::Arn(_) => None,
            Self::Service(name) => Some(name),
        }
    }
}

/// Whoever has a unique id is meant by it.
fn entry(named: &GrantPrincipal, unique_id: Option<&str>) -> Option<PrincipalEntry> {
    match (named, unique_id) {
        (_, Some(id)) => Some(PrincipalEntry::UniqueId(id.into())),
        (GrantPrincipal::Arn(arn), None) => PrincipalEntry::parse(arn),
        (GrantPrincipal::Service(name), None) => Some(PrincipalEntry::Service(name.as_str().into())),
    }
}

/// The prefix of the grants in a Region that a principal may retire.
pub(super) fn retirable_grants(retiring: &PrincipalEntry, region: &Region) -> String {
    paths::retirable_grants(region, &digest(retiring))
}

/// A principal's name in indexes: a digest, for a name can have slashes, and the entries of `user/a` must not lie among
/// those of `user/a/b`. Two entries that mean the same have one name: neither partition nor the case of a role counts.
pub(super) fn digest(entry: &PrincipalEntry) -> String {
    let name = match entry {
        PrincipalEntry::RoleSession { account, role, session } => {
            format!("arn:aws:sts::{account}:assumed-role/{}/{session}", role.to_ascii_lowercase())
        }
        PrincipalEntry::Service(name) => name.to_ascii_lowercase(),
        PrincipalEntry::Anybody
        | PrincipalEntry::Account(_)
        | PrincipalEntry::User { .. }
        | PrincipalEntry::Role { .. }
        | PrincipalEntry::FederatedUser { .. }
        | PrincipalEntry::UniqueId(_)
        | PrincipalEntry::Federated(_) => entry.to_string(),
    };
    hexadecimal(sha256(name.as_bytes()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::KeyRecord;

    /// As version 1 stores it. It must stay readable for ever.
    const STORED: &str = r#"{"created_at":7,"issuing_account":"123456789012","terms":{"name":"n",
        "grantee":{"arn":"arn:aws:iam::123456789012:root"},"retiring":{"service":"rds.amazonaws.com"},
        "operations":["Decrypt","Encrypt"],"context":{"subset":{"a":"b"}},"source_arn":null}}"#;

    fn key() -> KeyArn {
        paths::key_reference("123456789012/eu-central-1/1234abcd-12ab-34cd-56ef-1234567890ab").unwrap()
    }

    fn stored() -> GrantRecord {
        serde_json::from_str(STORED).unwrap()
    }

    #[test]
    fn a_record_of_version_1_reads_as_it_was_meant() {
        let expected = GrantRecord {
            created_at: 7,
            issuing_account: "123456789012".to_owned(),
            parent: None,
            terms: GrantTerms {
                name: Some("n".to_owned()),
                grantee: GrantPrincipal::Arn("arn:aws:iam::123456789012:root".to_owned()),
                retiring: Some(GrantPrincipal::Service("rds.amazonaws.com".to_owned())),
                operations: BTreeSet::from([GrantOperation::Encrypt, GrantOperation::Decrypt]),
                context: Some(ContextConstraint::Subset(BTreeMap::from([("a".to_owned(), "b".to_owned())]))),
                source_arn: None,
            },
            holders: GrantHolders::default(),
        };
        assert_eq!(stored(), expected);
        assert_eq!(
            serde_json::to_value(expected).unwrap(),
            serde_json::from_str::<serde_json::Value>(STORED).unwrap()
        );
        for (right, wrong) in [("Decrypt", "RevokeGrant"), ("subset", "superset"), ("\"arn\"", "\"role\"")] {
            assert!(serde_json::from_str::<GrantRecord>(&STORED.replace(right, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_stored_before_there_were_grants_has_none() {
        let key = r#"{"created_at":1,"description":"","spec":"SYMMETRIC_DEFAULT","usage":"ENCRYPT_DECRYPT",
            "state":"Enabled","policy":"","tags":{},"aliases":2,"current_material":"","materials":1,
            "on_demand_rotations":0,"rotation":null,"deletion":null}"#;
        let record: KeyRecord = serde_json::from_str(key).unwrap();
        assert_eq!((record.aliases, record.grants), (2, 0));
    }

    #[test]
    fn a_grant_has_an_entry_for_its_name_and_one_for_who_may_retire_it() {
        let id = GrantId::read(&"ab".repeat(32)).unwrap();
        let whole = stored();
        let paths: Vec<String> = whole.paths(&key(), &id).unwrap().iter().map(Key::to_string).collect();
        let reference = "123456789012/eu-central-1/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(paths.len(), 3);
        assert_eq!(paths[0], format!("kms/grant/{reference}/{id}"));
        assert!(paths[1].starts_with(&format!("kms/grant-name/{reference}/")));
        assert!(paths[2].starts_with("kms/retirable-grant/eu-central-1/"));
        assert!(paths[2].ends_with(&format!("/{reference}/{id}")));
        let bare = GrantRecord { terms: GrantTerms { name: None, retiring: None, ..whole.terms }, ..whole };
        assert_eq!(bare.paths(&key(), &id).unwrap().len(), 1);
    }

    #[test]
    fn the_grants_of_one_retiring_principal_do_not_lie_among_those_of_another() {
        let region = "eu-central-1".parse().unwrap();
        let prefix = |arn: &str| retirable_grants(&PrincipalEntry::parse(arn).unwrap(), &region);
        let user = |name: &str| prefix(&format!("arn:aws:iam::123456789012:user/{name}"));
        assert!(user("a").starts_with("kms/retirable-grant/eu-central-1/"));
        assert!(!user("a/b").starts_with(&user("a")));
        assert_eq!(prefix("arn:aws-cn:iam::123456789012:root"), prefix("123456789012"));
        assert_eq!(
            prefix("arn:aws:sts::123456789012:assumed-role/App/s"),
            prefix("arn:aws:sts::123456789012:assumed-role/app/s")
        );
        assert_ne!(
            prefix("arn:aws:sts::123456789012:assumed-role/app/S"),
            prefix("arn:aws:sts::123456789012:assumed-role/app/s")
        );
    }

    #[test]
    fn a_grant_belongs_to_whom_it_was_made_for() {
        let named = |id: Option<&str>| GrantRecord {
            terms: GrantTerms {
                grantee: GrantPrincipal::Arn("arn:aws:iam::123456789012:user/a".to_owned()),
                ..stored().terms
            },
            holders: GrantHolders { grantee: id.map(str::to_owned), retiring: None },
            ..stored()
        };
        let (one, other) = (named(Some("AIDAONE")), named(Some("AIDAOTHER")));
        assert_eq!(one.grantee(), Some(PrincipalEntry::UniqueId("AIDAONE".into())));
        assert!(matches!(named(None).grantee(), Some(PrincipalEntry::User { .. })));
        assert_ne!(one.name_path(&key()).unwrap(), other.name_path(&key()).unwrap());
        assert_eq!(one.name_path(&key()).unwrap(), named(Some("AIDAONE")).name_path(&key()).unwrap());
    }
}
