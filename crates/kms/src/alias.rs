//! Aliases: names of keys, kept beside the keys they point to.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>

use base::{KeyId, Timestamp};
use store::{Key, Revision, StoreError};

use crate::Kms;
use crate::change::Edit;
use crate::error::{InvalidRequest, KmsError, LimitExceeded};
use crate::managed_key::ManagedService;
use crate::paths::{self, Place};
use crate::record::AliasRecord;

const PREFIX: &str = "alias/";
const RESERVED: &str = "alias/aws/";

/// The name of a customer's alias, with its `alias/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AliasName<'a>(&'a str);

impl<'a> AliasName<'a> {
    /// A name that a customer may give: the model has checked length and most characters.
    pub(crate) fn parse(text: &'a str) -> Result<Self, KmsError> {
        if !text.starts_with(PREFIX) || text.len() == PREFIX.len() {
            return Err(InvalidRequest::AliasPrefix.into());
        }
        if text == RESERVED.trim_end_matches('/') || text.starts_with(RESERVED) {
            return Err(KmsError::AliasReserved(text.to_owned()));
        }
        if text.contains(':') {
            return Err(InvalidRequest::AliasCharacters(text.to_owned()).into());
        }
        Ok(Self(text))
    }

    /// The name of the AWS managed key of a service.
    pub(crate) fn of_service(service: ManagedService) -> AliasName<'static> {
        AliasName(service.alias())
    }

    /// A name under which an alias is stored, be it a customer's or that of an AWS managed key.
    pub(crate) fn stored(text: &'a str) -> Self {
        Self(text)
    }

    /// An alias points to a key, never to an alias.
    pub(crate) fn refuse_as_target(target: &str) -> Result<&str, KmsError> {
        let is_alias =
            target.starts_with(PREFIX) || (target.starts_with("arn:") && target.contains(":alias/"));
        if is_alias { Err(InvalidRequest::AliasToAlias.into()) } else { Ok(target) }
    }

    /// The alias' ARN.
    pub(crate) fn arn(&self, place: &Place) -> String {
        place.alias_arn(self.0)
    }

    pub(crate) fn as_str(&self) -> &'a str {
        self.0
    }
}

/// An alias as it was read.
#[derive(Debug)]
pub(crate) struct LoadedAlias {
    pub(crate) path: Key,
    pub(crate) revision: Revision,
    pub(crate) record: AliasRecord,
    pub(crate) target: KeyId,
}

impl Kms {
    /// The alias of this name, from the store.
    pub(crate) async fn alias(
        &self,
        place: &Place,
        name: AliasName<'_>,
    ) -> Result<Option<LoadedAlias>, KmsError> {
        let path = paths::alias(place, name.as_str())?;
        let Some(entry) = self.store.get(&path).await? else { return Ok(None) };
        let record: AliasRecord = store::decode_record(&entry)?;
        let damaged = |_| StoreError::damaged(path.to_string(), "the alias points to no key id".to_owned());
        let target = record.target.parse().map_err(damaged)?;
        Ok(Some(LoadedAlias { path, revision: entry.revision, record, target }))
    }
}

impl Edit {
    /// Gives the key a new alias, if it may have one more. The commit fails if the name is taken by then.
    pub(crate) fn add_alias(
        &mut self,
        name: AliasName<'_>,
        now: Timestamp,
        limit: u32,
    ) -> Result<(), KmsError> {
        let path = paths::alias(&self.arn.into(), name.as_str())?;
        let now = now.millis();
        self.point_here(path.clone(), name, limit, now, now)?;
        self.expect(path, None);
        Ok(())
    }

    /// Takes over an alias of another key, if this one may have one more.
    pub(crate) fn adopt_alias(
        &mut self,
        alias: &LoadedAlias,
        name: AliasName<'_>,
        now: Timestamp,
        limit: u32,
    ) -> Result<(), KmsError> {
        self.point_here(alias.path.clone(), name, limit, alias.record.created_at, now.millis())?;
        self.expect(alias.path.clone(), Some(alias.revision));
        Ok(())
    }

    fn point_here(
        &mut self,
        path: Key,
        name: AliasName<'_>,
        limit: u32,
        created_at: i64,
        updated_at: i64,
    ) -> Result<(), KmsError> {
        if self.record.aliases >= limit {
            return Err(LimitExceeded::Aliases { key: self.arn, limit }.into());
        }
        self.record.aliases += 1;
        self.put(path, &AliasRecord { target: self.arn.id.to_string(), created_at, updated_at })?;
        self.mark(paths::key_alias(&self.arn, name.as_str())?);
        Ok(())
    }

    /// Notes that the alias no longer belongs to this key.
    pub(crate) fn release_alias(&mut self, name: AliasName<'_>) -> Result<(), KmsError> {
        self.record.aliases = self.record.aliases.saturating_sub(1);
        self.delete(paths::key_alias(&self.arn, name.as_str())?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::kms::ErrorCode;

    #[test]
    fn customers_names_are_read() {
        for text in ["alias/a", "alias/AWS/x", "alias/awsome", "alias/a/b_c-d"] {
            assert_eq!(AliasName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn other_names_are_refused_for_the_right_reason() {
        let refusal = |text: &str| {
            AliasName::parse(text).unwrap_err().to_fault(&[ErrorCode::InvalidAliasNameException]).code
        };
        assert_eq!(refusal("app"), "ValidationException");
        assert_eq!(refusal("alias/"), "ValidationException");
        assert_eq!(refusal("alias/a:b"), "ValidationException");
        assert_eq!(refusal("alias/aws/s3"), "InvalidAliasNameException");
    }

    #[test]
    fn only_keys_are_targets() {
        assert!(AliasName::refuse_as_target("alias/a").is_err());
        assert!(AliasName::refuse_as_target("arn:aws:kms:eu-central-1:123456789012:alias/a").is_err());
        assert!(AliasName::refuse_as_target("1234abcd-12ab-34cd-56ef-1234567890ab").is_ok());
    }
}
