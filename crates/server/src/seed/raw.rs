//! The TOML form of a seed file, as it is written down. Unknown names are refused: a misspelt one must not be lost.

use std::collections::BTreeMap;
use std::fmt;

use base::SecretString;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with [[account]]")]
pub(super) struct RawFile {
    #[serde(default)]
    pub(super) account: Vec<RawAccount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table as in [[account]]")]
pub(super) struct RawAccount {
    pub(super) id: Spanned<String>,
    #[serde(default)]
    pub(super) user: Vec<RawUser>,
    #[serde(default)]
    pub(super) root_access_key: Vec<RawAccessKey>,
    #[serde(default)]
    pub(super) key: Vec<RawKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table as in [[account.user]]")]
pub(super) struct RawUser {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    pub(super) managed_policies: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) access_key: Vec<RawAccessKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table as in [[account.user.access_key]]")]
pub(super) struct RawAccessKey {
    pub(super) id: Spanned<String>,
    pub(super) secret: Spanned<SecretText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table as in [[account.key]]")]
pub(super) struct RawKey {
    pub(super) region: Spanned<String>,
    pub(super) id: Spanned<String>,
    pub(super) spec: Option<Spanned<String>>,
    pub(super) usage: Option<Spanned<String>>,
    pub(super) description: Option<Spanned<String>>,
    pub(super) policy: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, Spanned<String>>,
    pub(super) material: Option<Spanned<MaterialTexts>>,
    #[serde(default)]
    pub(super) aliases: Vec<Spanned<String>>,
    pub(super) state: Option<Spanned<String>>,
}

/// A text that is secret from the moment it was read.
pub(super) struct SecretText(pub(super) SecretString);

/// One text or a list of them.
pub(super) struct MaterialTexts(pub(super) Vec<SecretString>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::new(text)))
    }
}

impl<'de> Deserialize<'de> for MaterialTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MaterialVisitor)
    }
}

struct MaterialVisitor;

impl<'de> Visitor<'de> for MaterialVisitor {
    type Value = MaterialTexts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E>(self, text: &str) -> Result<MaterialTexts, E> {
        Ok(MaterialTexts(vec![SecretString::new(text.to_owned())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<MaterialTexts, A::Error> {
        let mut texts = Vec::new();
        while let Some(SecretText(text)) = sequence.next_element()? {
            texts.push(text);
        }
        Ok(MaterialTexts(texts))
    }
}
