//! The client's half, for calls that this program makes itself: the header form, over all headers there are.

use crypto::digest;

use super::headers::SortedHeaders;
use super::{ALGORITHM, Refusal, RequestHead, Scope, SigningKey, TERMINATOR, canonical, parse};

/// The value of `Authorization` for a request that has none yet. Its headers must hold `host`, `x-amz-date` and, of
/// temporary credentials, `x-amz-security-token`; `key` is that of the scope, whose date is the day of `x-amz-date`.
///
/// # Errors
/// The head lacks something without which nothing can be signed, as [`parse`] says.
pub fn authorization(
    head: &RequestHead<'_>,
    body: &[u8],
    access_key_id: &str,
    scope: &Scope<'_>,
    key: &SigningKey,
) -> Result<String, Refusal> {
    let names = SortedHeaders::new(head.headers)?.names();
    let Scope { date, region, service } = scope;
    let credential = format!("{access_key_id}/{date}/{region}/{service}/{TERMINATOR}");
    let claim = format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature=");
    // What verifies the right signature finds it: a wrong one of the right form is put in its place first.
    let provisional = format!("{claim}{}", "0".repeat(64));
    let mut headers = head.headers.to_vec();
    headers.push(("authorization", provisional.as_bytes()));
    let head = RequestHead { headers: &headers, ..*head };
    let payload_hash = canonical::hexadecimal(&digest::sha256(body));
    let signature = parse(&head)?.signature_of(&head, &payload_hash, key);
    let hexadecimal = canonical::hexadecimal(&signature);
    Ok(hexadecimal.iter().fold(claim, |mut text, digit| {
        text.push(char::from(*digit));
        text
    }))
}

#[cfg(test)]
mod tests {
    use base::SecretString;
    use proptest::prelude::*;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::derive(&SecretString::new("secret".to_owned()), "20150830", "us-east-1", "kms")
    }

    fn scope() -> Scope<'static> {
        Scope { date: "20150830".into(), region: "us-east-1".into(), service: "kms".into() }
    }

    fn signed(headers: &[(&str, &[u8])], body: &[u8]) -> Result<String, Refusal> {
        let head = RequestHead { method: "POST", path: "/", query: "", headers };
        authorization(&head, body, "AKIDEXAMPLE", &scope(), &key())
    }

    #[test]
    fn what_no_signature_can_be_made_of_is_refused() {
        assert!(signed(&[("host", b"x")], b"").is_err(), "no date");
        assert!(signed(&[("host", b"x"), ("x-amz-date", b"20160830T123600Z")], b"").is_err(), "another day");
        assert!(signed(&[("x-amz-date", b"20150830T123600Z")], b"").is_err(), "no host");
    }

    proptest! {
        /// The server's half accepts what is signed here, and nothing that differs from it.
        #[test]
        fn what_is_signed_verifies(body: Vec<u8>, value in "[!-~]{1,20}", other: Vec<u8>) {
            let plain: [(&str, &[u8]); 3] =
                [("host", b"localhost:4599"), ("x-amz-date", b"20150830T123600Z"), ("x-amz-target", value.as_bytes())];
            let authorization = signed(&plain, &body).unwrap();
            let mut headers = plain.to_vec();
            headers.push(("authorization", authorization.as_bytes()));
            let head = RequestHead { method: "POST", path: "/", query: "", headers: &headers };
            let parsed = parse(&head).unwrap();
            prop_assert_eq!(parsed.access_key_id(), "AKIDEXAMPLE");
            prop_assert!(parsed.verify(&head, &body, &key()).is_ok());
            prop_assert_eq!(parsed.verify(&head, &other, &key()).is_ok(), other == body);
        }
    }
}
