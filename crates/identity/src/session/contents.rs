//! What a session token says.

use base::{AccountId, Federation, Session, SessionPolicies, Timestamp};
use crypto::digest::Sha256;
use serde::{Deserialize, Serialize};

/// What a token says of its session. It lives outside of the store, in clients' hands, for as long as the session does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) access_key_id: String,
    pub(crate) account: String,
    pub(crate) holder: SessionHolder,
    /// Milliseconds since the epoch, as all times here.
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    #[serde(flatten)]
    pub(crate) terms: SessionTerms,
    /// Makes the token as long as its client wanted it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) padding: String,
}

/// Whose session it is. Users and roles are known by their unique ids, so that no namesake gets into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SessionHolder {
    Root,
    User { unique_id: String },
    Role { unique_id: String, session_name: String },
    FederatedUser { unique_id: String, name: String },
}

/// What a session was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionTerms {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) multi_factor_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transitive_tag_keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) federation: Option<SessionFederation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_arns: Vec<String>,
}

/// What the identity provider said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionFederation {
    pub(crate) provider: String,
    pub(crate) claims: Vec<(String, String)>,
}

impl Contents {
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.account.parse().ok()
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }

    /// The session as policies see it.
    pub(crate) fn session(&self) -> Session {
        let terms = &self.terms;
        Session {
            issued_at: Timestamp::from_millis(self.issued_at),
            multi_factor_at: terms.multi_factor_at.map(Timestamp::from_millis),
            tags: terms.tags.clone(),
            transitive_tag_keys: terms.transitive_tag_keys.clone(),
            policies: terms.policies(),
            source_identity: terms.source_identity.clone(),
            federation: terms
                .federation
                .clone()
                .map(|federation| Federation { provider: federation.provider, claims: federation.claims }),
        }
    }
}

impl SessionTerms {
    /// Bytes that policies and tags take in a token: what AWS calls their packed size.
    pub(crate) fn packed_bytes(&self) -> usize {
        let tags = self.tags.iter().flat_map(|(key, value)| [key, value]).chain(&self.transitive_tag_keys);
        tags.chain(&self.policy_arns).chain(&self.policy).map(|text| packed(text)).sum()
    }

    fn policies(&self) -> Option<SessionPolicies> {
        if self.policy.is_none() && self.policy_arns.is_empty() {
            return None;
        }
        let mut digest = Sha256::new();
        // Framed by their lengths, so that no two lists of policies look alike.
        for text in self.policy_arns.iter().chain(&self.policy) {
            digest.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text.as_bytes());
        }
        digest.update(&[u8::from(self.policy.is_some())]);
        Some(SessionPolicies {
            document: self.policy.clone(),
            managed: self.policy_arns.clone(),
            digest: digest.finish(),
        })
    }
}

/// The bytes of a text in the token's JSON, without what stands around it.
fn packed(text: &str) -> usize {
    const QUOTES: usize = 2;
    serde_json::to_string(text).map_or(usize::MAX, |json| json.len()).saturating_sub(QUOTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As format 1 holds it. Tokens live for 36 hours at most, so a release must read those of the one before it.
    const STORED: &str = r#"{"access_key_id":"ASIAEXAMPLE","account":"123456789012",
        "holder":{"role":{"unique_id":"AROAEXAMPLE","session_name":"s"}},"issued_at":1,"expires_at":2,
        "tags":[["a","b"]],"policy":"{}"}"#;

    #[test]
    fn contents_of_format_1_read_as_they_were_meant() {
        let contents: Contents = serde_json::from_str(STORED).unwrap();
        let expected = Contents {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            account: "123456789012".to_owned(),
            holder: SessionHolder::Role { unique_id: "AROAEXAMPLE".to_owned(), session_name: "s".to_owned() },
            issued_at: 1,
            expires_at: 2,
            terms: SessionTerms {
                tags: vec![("a".to_owned(), "b".to_owned())],
                policy: Some("{}".to_owned()),
                ..SessionTerms::default()
            },
            padding: String::new(),
        };
        assert_eq!(contents, expected);
        assert_eq!(
            serde_json::to_value(&expected).unwrap(),
            serde_json::from_str::<serde_json::Value>(STORED).unwrap()
        );
    }

    #[test]
    fn equal_policies_have_one_digest_and_others_another() {
        let with = |policy: Option<&str>, arns: &[&str]| SessionTerms {
            policy: policy.map(str::to_owned),
            policy_arns: arns.iter().map(|arn| (*arn).to_owned()).collect(),
            tags: vec![("x".to_owned(), format!("{arns:?}"))],
            ..SessionTerms::default()
        };
        let digest = |terms: SessionTerms| terms.policies().map(|policies| policies.digest);
        assert_eq!(digest(with(None, &[])), None);
        assert_eq!(digest(with(Some("p"), &["a"])), digest(with(Some("p"), &["a"])));
        let all = [
            with(Some("p"), &["a"]),
            with(Some("ap"), &[]),
            with(None, &["a", "p"]),
            with(Some("a"), &["p"]),
        ];
        let digests: std::collections::BTreeSet<_> = all.into_iter().map(digest).collect();
        assert_eq!(digests.len(), 4);
    }
}
