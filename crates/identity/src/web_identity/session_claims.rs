//! What a token wants of the session that is made for it: tags and a source identity.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp>

use crypto::web_identity::Claims;
use serde_json::Value;

use super::TokenRefused;

const TAGS: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";
/// Session tags.
const TAGS_MAX: usize = 50;
/// Characters of a tag's key and value.
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

/// Tags and source identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionClaims {
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) transitive_tag_keys: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

impl SessionClaims {
    pub(super) fn of(claims: &Claims) -> Result<Self, TokenRefused> {
        let mut wanted = match claims.claim(TAGS) {
            Some(tags) => Self::of_tags(tags).ok_or_else(|| unreadable(TAGS))?,
            None => Self::default(),
        };
        wanted.source_identity = match claims.claim(SOURCE_IDENTITY) {
            Some(Value::String(name)) if (2..=64).contains(&name.chars().count()) => Some(name.clone()),
            Some(_) => return Err(unreadable(SOURCE_IDENTITY)),
            None => None,
        };
        Ok(wanted)
    }

    /// `{"principal_tags": {key: [value]}, "transitive_tag_keys": [key]}`.
    fn of_tags(claim: &Value) -> Option<Self> {
        let members = claim.as_object()?;
        let mut tags = Vec::new();
        for (key, values) in members.get("principal_tags")?.as_object()? {
            let [value] = values.as_array()?.as_slice() else { return None };
            let value = value.as_str()?;
            if key.is_empty() || key.chars().count() > KEY_MAX || value.chars().count() > VALUE_MAX {
                return None;
            }
            tags.push((key.clone(), value.to_owned()));
        }
        let transitive_tag_keys = match members.get("transitive_tag_keys") {
            Some(keys) => {
                keys.as_array()?.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>()?
            }
            None => Vec::new(),
        };
        (tags.len() <= TAGS_MAX).then_some(Self { tags, transitive_tag_keys, source_identity: None })
    }
}

fn unreadable(claim: &str) -> TokenRefused {
    TokenRefused::Invalid(format!("The claim `{claim}` does not have the form that it must have."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_have_one_value_each() {
        let read = |claim: Value| SessionClaims::of_tags(&claim);
        let tags = read(json!({"principal_tags": {"team": ["x"]}, "transitive_tag_keys": ["team"]})).unwrap();
        assert_eq!(tags.tags, [("team".to_owned(), "x".to_owned())]);
        assert_eq!(tags.transitive_tag_keys, ["team"]);
        assert_eq!(read(json!({"principal_tags": {}})), Some(SessionClaims::default()));
        for claim in [
            json!("x"),
            json!({}),
            json!({"principal_tags": {"team": "x"}}),
            json!({"principal_tags": {"team": ["x", "y"]}}),
            json!({"principal_tags": {"team": [1]}}),
            json!({"principal_tags": {"": ["x"]}}),
            json!({"principal_tags": {"k".repeat(129): ["x"]}}),
            json!({"principal_tags": {"k": ["v".repeat(257)]}}),
            json!({"principal_tags": {}, "transitive_tag_keys": "team"}),
        ] {
            assert_eq!(read(claim.clone()), None, "{claim}");
        }
    }
}
