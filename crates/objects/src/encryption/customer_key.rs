//! SSE-C: the key that a caller brings with each request. It is used and forgotten.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>; codes and texts as
//! the service answers, also that the argument's name is that of another header.

use base::{SecretArray, SecretBytes};
use base64_simd::STANDARD;
use crypto::SealingKey;
use crypto::digest::constant_time_equal;
use crypto::legacy_digest::Md5;

use super::wanted;
use crate::error::ObjectsError;
use crate::request::{Answer, Headers};

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY: &str = "x-amz-server-side-encryption-customer-key";
const DIGEST: &str = "x-amz-server-side-encryption-customer-key-md5";

/// The headers with the key of what is copied.
const OF_SOURCE: [&str; 3] = [
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
];

const ANOTHER: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.";
const WRONG_LENGTH: &str = "The secret key was invalid for the specified algorithm.";

/// Whether a key may come as this request does: over TLS, or where tests are run.
#[derive(Clone, Copy)]
pub(crate) struct KeysInClear {
    pub(super) may_come: bool,
}

/// A caller's own key.
pub(crate) struct CustomerKey {
    pub(super) key: SealingKey,
    digest: String,
}

impl CustomerKey {
    /// Whether a request brings something of a key.
    pub(super) fn is_sent(headers: &Headers) -> bool {
        [ALGORITHM, KEY, DIGEST].iter().any(|name| headers.get(name).is_some())
    }

    /// The key that a request brings, if it does.
    ///
    /// # Errors
    /// Something of it is missing or wrong, or it came in clear.
    pub(crate) fn read(headers: &Headers, secrecy: KeysInClear) -> Result<Option<Self>, ObjectsError> {
        let sent = [ALGORITHM, KEY, DIGEST].map(|name| headers.get(name));
        if let Some(other) = headers.get(wanted::ALGORITHM)
            && sent.iter().any(Option::is_some)
        {
            let text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
            return Err(ObjectsError::invalid_argument(text, wanted::ALGORITHM, other));
        }
        Self::of_headers(sent, secrecy.may_come)
    }

    /// As [`CustomerKey::read`], of a reader: here S3 takes a key of another length for another key.
    ///
    /// # Errors
    /// Those of [`CustomerKey::read`].
    pub(crate) fn read_to_open(
        headers: &Headers,
        secrecy: KeysInClear,
    ) -> Result<Option<Self>, ObjectsError> {
        Self::read(headers, secrecy).map_err(|error| {
            match is_refused(&error, "InvalidArgument", WRONG_LENGTH) {
                true => Self::another(),
                false => error,
            }
        })
    }

    /// The key of what a request copies, if it brings one.
    ///
    /// # Errors
    /// Those of [`CustomerKey::read`].
    pub(crate) fn read_of_source(
        headers: &Headers,
        secrecy: KeysInClear,
    ) -> Result<Option<Self>, ObjectsError> {
        Self::of_headers(OF_SOURCE.map(|name| headers.get(name)), secrecy.may_come)
    }

    fn of_headers(sent: [Option<&str>; 3], may_come: bool) -> Result<Option<Self>, ObjectsError> {
        let [algorithm, key, digest] = sent;
        if algorithm.is_none() && key.is_none() && digest.is_none() {
            return Ok(None);
        }
        if !may_come {
            let text = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
            return Err(ObjectsError::bad("InvalidRequest", text));
        }
        check_algorithm(algorithm)?;
        let key = key.ok_or_else(|| refused("Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key."))?;
        let digest = digest.ok_or_else(|| refused("Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key."))?;
        let secret = decode(key).ok_or_else(|| refused(WRONG_LENGTH))?;
        let mut actual = Md5::default();
        actual.update(secret.expose());
        let actual = STANDARD.encode_to_string(actual.finish());
        if !constant_time_equal(actual.as_bytes(), digest.as_bytes()) {
            return Err(refused(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
            ));
        }
        Ok(Some(Self { key: SealingKey::from_secret(secret), digest: actual }))
    }

    /// The object takes a key and the request has none.
    pub(super) fn missing() -> ObjectsError {
        let text = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
        ObjectsError::bad("InvalidRequest", text)
    }

    /// The object takes another key.
    pub(super) fn another() -> ObjectsError {
        ObjectsError::access_denied(ANOTHER)
    }

    /// The upload takes another key.
    pub(crate) fn another_for_part(error: ObjectsError) -> ObjectsError {
        if is_refused(&error, "AccessDenied", ANOTHER) {
            let text = "The provided encryption parameters did not match the ones used originally.";
            return ObjectsError::bad("InvalidRequest", text);
        }
        error
    }

    /// What is copied, or whose attributes are read, takes another key: then S3 does not say why it refuses.
    pub(crate) fn another_unsaid(error: ObjectsError) -> ObjectsError {
        if is_refused(&error, "AccessDenied", ANOTHER) {
            ObjectsError::access_denied("Access Denied")
        } else {
            error
        }
    }

    pub(super) fn tell(&self, answer: Answer) -> Answer {
        answer
            .header(ALGORITHM, "AES256")
            .header("x-amz-server-side-encryption-customer-key-MD5", &self.digest)
    }
}

fn check_algorithm(algorithm: Option<&str>) -> Result<(), ObjectsError> {
    match algorithm {
        Some("AES256") => Ok(()),
        Some(other) => {
            let text = "The Encryption request you specified is not valid. Supported value: AES256.";
            Err(ObjectsError::bad("InvalidEncryptionAlgorithmError", text)
                .with("ArgumentName", wanted::ALGORITHM)
                .with("ArgumentValue", other))
        }
        None => Err(refused(
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
        )),
    }
}

fn is_refused(error: &ObjectsError, code: &str, text: &str) -> bool {
    matches!(error, ObjectsError::Refused(refused)
        if refused.fault.code == code && refused.fault.message.as_deref() == Some(text))
}

fn refused(text: &'static str) -> ObjectsError {
    ObjectsError::invalid_argument(text, wanted::ALGORITHM, "null")
}

fn decode(text: &str) -> Option<SecretArray<32>> {
    let bytes = SecretBytes::new(STANDARD.decode_to_vec(text.as_bytes()).ok()?);
    SecretArray::copy_from(bytes.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const RIGHT_DIGEST: &str = "tP+cs7jU/WE/IyTiTwPUzA==";

    fn digest() -> String {
        let mut digest = Md5::default();
        digest.update(&STANDARD.decode_to_vec(RIGHT.as_bytes()).unwrap());
        STANDARD.encode_to_string(digest.finish())
    }

    fn read(pairs: &[(&str, &str)], is_secure: bool) -> Result<bool, (&'static str, String)> {
        let headers = Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())));
        CustomerKey::read(&headers, KeysInClear { may_come: is_secure }).map(|key| key.is_some()).map_err(
            |error| {
                let fault = error.to_fault();
                (fault.code, fault.message.unwrap())
            },
        )
    }

    #[test]
    fn a_whole_key_is_taken_and_none_is_none() {
        assert_eq!(read(&[(ALGORITHM, "AES256"), (KEY, RIGHT), (DIGEST, &digest())], true), Ok(true));
        assert_eq!(read(&[], false), Ok(false));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_as_the_service_does() {
        let right = digest();
        let all = [(ALGORITHM, "AES256"), (KEY, RIGHT), (DIGEST, right.as_str())];
        let (algorithm, key, md5) = (all[0], all[1], all[2]);
        for (pairs, code, text) in [
            (vec![algorithm, key, md5, (wanted::ALGORITHM, "AES256")], "InvalidArgument", "incompatible"),
            (
                vec![(ALGORITHM, "aes"), key, md5],
                "InvalidEncryptionAlgorithmError",
                "Supported value: AES256",
            ),
            (vec![key, md5], "InvalidArgument", "valid encryption algorithm"),
            (vec![algorithm, md5], "InvalidArgument", "appropriate secret key"),
            (vec![algorithm, key], "InvalidArgument", "client calculated MD5"),
            (vec![algorithm, (KEY, "AAAA"), md5], "InvalidArgument", "invalid for the specified algorithm"),
            (
                vec![algorithm, (KEY, "no base64"), md5],
                "InvalidArgument",
                "invalid for the specified algorithm",
            ),
            (vec![algorithm, key, (DIGEST, RIGHT_DIGEST)], "InvalidArgument", "did not match the hash"),
        ] {
            let (told, message) = read(&pairs, true).unwrap_err();
            assert_eq!(told, code, "{message}");
            assert!(message.contains(text), "{message}");
        }
        let (told, message) = read(&all, false).unwrap_err();
        assert_eq!(told, "InvalidRequest");
        assert!(message.contains("secure connection"));
    }
}
