//! What a token says, once its signature holds.

use std::time::Duration;

use base::Timestamp;
use serde_json::{Map, Value};

use super::TokenError;

/// The last moment that a claim may name: the year 9999 ends, and with it what RFC 3339 can write.
const LAST: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// The claims of a token whose signature holds (RFC 7519 section 4, OpenID Connect Core 1.0 section 2).
///
/// That the provider said so is all that is known: whether issuer, audience and times are the right ones is for the
/// caller to check. Every claim is optional here.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    issuer: Option<String>,
    subject: Option<String>,
    audiences: Vec<String>,
    authorized_party: Option<String>,
    expires_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    all: Map<String, Value>,
}

impl Claims {
    /// Reads the registered claims and keeps all.
    pub(super) fn read(all: Map<String, Value>) -> Result<Self, TokenError> {
        Ok(Self {
            issuer: text(&all, "iss")?,
            subject: text(&all, "sub")?,
            audiences: all.get("aud").map_or(Ok(Vec::new()), audiences)?,
            authorized_party: text(&all, "azp")?,
            expires_at: moment(&all, "exp")?,
            not_before: moment(&all, "nbf")?,
            issued_at: moment(&all, "iat")?,
            all,
        })
    }

    /// `iss`: who made the token.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `sub`: whom the token is about.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `aud`: whom the token is for, be it one text or an array of them; empty if it does not say.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `azp`: the client that the token was issued to.
    pub fn authorized_party(&self) -> Option<&str> {
        self.authorized_party.as_deref()
    }

    /// `exp`: from when on the token is no longer good, rounded down to a millisecond like every time here.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// `nbf`: before when the token is not good yet.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// `iat`: when the token was made.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// Any claim by its name, as the token has it: at most [`TOKEN_MAX`](super::TOKEN_MAX) characters of JSON, nested
    /// at most 16 deep.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// Every claim that is a text, a number or a truth value, as text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.all.iter().filter_map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((name.as_str(), text))
        })
    }
}

fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
    claims.get(name).map(owned_text).transpose()
}

fn owned_text(value: &Value) -> Result<String, TokenError> {
    value.as_str().map(str::to_owned).ok_or(TokenError::UnreadableClaims)
}

/// One text or an array of texts (RFC 7519 section 4.1.3).
fn audiences(value: &Value) -> Result<Vec<String>, TokenError> {
    value.as_array().map_or_else(
        || owned_text(value).map(|audience| vec![audience]),
        |list| list.iter().map(owned_text).collect(),
    )
}

fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, TokenError> {
    let claim = claims.get(name);
    claim.map(|value| numeric_date(value).ok_or(TokenError::UnreadableClaims)).transpose()
}

/// Seconds since 1970, whole or not (RFC 7519 section 2, "NumericDate").
fn numeric_date(value: &Value) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    let moment = Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?);
    (moment <= LAST).then_some(moment)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Result<Claims, TokenError> {
        Claims::read(claims.as_object().unwrap().clone())
    }

    #[test]
    fn registered_claims_have_accessors_and_every_claim_can_be_asked_for() {
        let claims = read(json!({
            "iss": "https://issuer.example", "sub": "alice", "aud": ["one", "two"], "azp": "three",
            "exp": 1_300_819_380, "nbf": 1_300_819_379.5, "iat": 0, "amr": ["otp"], "jti": "1",
        }))
        .unwrap();
        assert_eq!(claims.issuer(), Some("https://issuer.example"));
        assert_eq!(claims.subject(), Some("alice"));
        assert_eq!(claims.audiences(), ["one", "two"]);
        assert_eq!(claims.authorized_party(), Some("three"));
        assert_eq!(claims.expires_at(), Some("2011-03-22T18:43:00Z".parse().unwrap()));
        assert_eq!(claims.not_before().map(Timestamp::millis), Some(1_300_819_379_500));
        assert_eq!(claims.issued_at(), Some(Timestamp::from_seconds(0)));
        assert_eq!(claims.claim("amr"), Some(&json!(["otp"])));
        assert_eq!(claims.claim("exp"), Some(&json!(1_300_819_380)));
        assert_eq!(claims.claim("AMR"), None);
    }

    #[test]
    fn no_claim_is_required() {
        let none = read(json!({})).unwrap();
        assert_eq!((none.issuer(), none.subject(), none.authorized_party()), (None, None, None));
        assert_eq!((none.expires_at(), none.not_before(), none.issued_at()), (None, None, None));
        assert!(none.audiences().is_empty());
        assert_eq!(read(json!({"aud": "one"})).unwrap().audiences(), ["one"]);
        assert!(read(json!({"aud": []})).unwrap().audiences().is_empty());
    }

    #[test]
    fn registered_claims_have_their_type() {
        for (name, values) in [
            ("iss", json!([null, 1, ["a"], {}])),
            ("sub", json!([null, 1, true, ["a"]])),
            ("azp", json!([null, 1, ["a"]])),
            ("aud", json!([null, 1, {}, [1], ["a", null], [["a"]]])),
            ("exp", json!([null, "1300819380", true, [], -1, -0.5, 253_402_300_799.001, 1e300, u64::MAX])),
            ("nbf", json!([null, "1300819380", -1])),
            ("iat", json!([null, "2011-03-22T18:43:00Z", i64::MIN])),
        ] {
            for value in values.as_array().unwrap() {
                assert_eq!(read(json!({name: value})), Err(TokenError::UnreadableClaims), "{name}: {value}");
            }
        }
    }

    #[test]
    fn times_are_whole_or_decimal_seconds() {
        for (text, millis) in [
            ("0", 0),
            ("1300819380", 1_300_819_380_000),
            ("1300819380.0", 1_300_819_380_000),
            ("1300819380.25", 1_300_819_380_250),
            ("1.30081938e9", 1_300_819_380_000),
            ("1300819380.9999", 1_300_819_380_999),
            ("253402300799", 253_402_300_799_000),
        ] {
            let claims = read(serde_json::from_str(&format!(r#"{{"exp":{text}}}"#)).unwrap()).unwrap();
            assert_eq!(claims.expires_at().map(Timestamp::millis), Some(millis), "{text}");
        }
    }
}
