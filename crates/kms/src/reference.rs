//! What a request calls a key: id, key ARN, alias name or alias ARN.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id>

use base::{Arn, Call, KeyId};

use crate::authorize::Identifiers;
use crate::error::{KmsError, NotFound};
use crate::paths::Place;

/// A key identifier, parsed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyReference<'a> {
    /// By id or key ARN.
    Key(Place, KeyId),
    /// By alias name (with its `alias/`) or alias ARN.
    Alias(Place, &'a str),
}

impl<'a> KeyReference<'a> {
    /// Parses `text` as `call` means it: names without an account belong to the caller's account, and only the
    /// Region that was called is looked at.
    pub(crate) fn parse(text: &'a str, call: &Call, allowed: Identifiers) -> Result<Self, KmsError> {
        let here = Place { account: call.caller.account, region: call.region };
        let reference = if text.starts_with("arn:") {
            Self::parse_arn(text, here)?
        } else if text.starts_with("alias/") {
            Self::Alias(here, text)
        } else {
            Self::Key(here, key_id(text)?)
        };
        match (&reference, allowed) {
            (Self::Alias(..), Identifiers::KeyOnly) => Err(KmsError::AliasNotSupported),
            _ => Ok(reference),
        }
    }

    fn parse_arn(text: &'a str, here: Place) -> Result<Self, KmsError> {
        let invalid = || KmsError::InvalidArn(text.to_owned());
        let arn = Arn::parse(text).map_err(|_| invalid())?;
        let region = arn.region.parse().map_err(|_| invalid())?;
        if arn.service != "kms" {
            return Err(invalid());
        }
        if region != here.region {
            return Err(NotFound::OtherRegion(region).into());
        }
        if arn.partition != region.partition() {
            return Err(invalid());
        }
        let place = Place { account: arn.account.parse().map_err(|_| invalid())?, region };
        if arn.resource.starts_with("alias/") {
            return Ok(Self::Alias(place, arn.resource));
        }
        let id = arn.resource.strip_prefix("key/").ok_or_else(invalid)?;
        Ok(Self::Key(place, key_id(id)?))
    }
}

fn key_id(text: &str) -> Result<KeyId, NotFound> {
    text.parse().map_err(|_| NotFound::InvalidKeyId(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;
    use proptest::prelude::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn parse(text: &str, allowed: Identifiers) -> Result<KeyReference<'_>, KmsError> {
        KeyReference::parse(text, &call("123456789012", "eu-central-1"), allowed)
    }

    #[test]
    fn the_four_forms_are_read() {
        let here =
            Place { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let key = KeyReference::Key(here, ID.parse().unwrap());
        let both = Identifiers::KeyOrAlias;
        assert_eq!(parse(ID, both).unwrap(), key);
        assert_eq!(parse(&format!("arn:aws:kms:eu-central-1:123456789012:key/{ID}"), both).unwrap(), key);
        let alias = KeyReference::Alias(here, "alias/app");
        assert_eq!(parse("alias/app", both).unwrap(), alias);
        assert_eq!(parse("arn:aws:kms:eu-central-1:123456789012:alias/app", both).unwrap(), alias);
    }

    #[test]
    fn an_alias_is_refused_where_only_keys_may_stand() {
        for text in ["alias/app", "arn:aws:kms:eu-central-1:123456789012:alias/app"] {
            assert!(matches!(parse(text, Identifiers::KeyOnly), Err(KmsError::AliasNotSupported)), "{text}");
        }
    }

    #[test]
    fn texts_are_those_recorded_from_aws() {
        let text =
            |text: &str| parse(text, Identifiers::KeyOrAlias).unwrap_err().to_fault(&[]).message.unwrap();
        assert_eq!(text("fake-key-id"), "Invalid keyId 'fake-key-id'");
        assert_eq!(text(&format!("arn:aws:kms:us-east-1:123456789012:key/{ID}")), "Invalid arn us-east-1");
        assert_eq!(text("arn:aws:kms:eu-central-1:123456789012:key/mrk-1"), "Invalid keyId 'mrk-1'");
        assert_eq!(text("arn:aws:s3:eu-central-1:1:x"), "Invalid arn arn:aws:s3:eu-central-1:1:x");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = parse(&text, Identifiers::KeyOrAlias);
        }

        #[test]
        fn nothing_that_looks_like_an_arn_panics(text in "arn:(aws|x)?:(kms|s3)?:[a-z0-9-]{0,14}:[0-9]{0,13}:(key|alias)?/?.{0,40}") {
            let _ = parse(&text, Identifiers::KeyOrAlias);
        }
    }
}
