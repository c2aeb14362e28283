//! Public keys in a file, in the form in which `aws cloudtrail list-public-keys` prints them.

use base::Timestamp;
use base64_simd::STANDARD;
use serde::{Deserialize, Serialize};

use super::keys::{PublicDigestKey, fingerprint};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublicKeyList {
    public_key_list: Vec<ListedKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    value: String,
    validity_start_time: String,
    validity_end_time: String,
    fingerprint: String,
}

/// The text is not a list of public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file is not a list of public keys as `aws cloudtrail list-public-keys` prints it")]
pub struct InvalidKeyList;

/// The text of the file.
pub fn write_public_keys(keys: &[PublicDigestKey]) -> Vec<u8> {
    let listed = keys.iter().map(|key| ListedKey {
        value: STANDARD.encode_to_string(&key.value),
        validity_start_time: key.valid_from.iso_extended(),
        validity_end_time: key.valid_until.iso_extended(),
        fingerprint: key.fingerprint.clone(),
    });
    let list = PublicKeyList { public_key_list: listed.collect() };
    // Texts alone always have a form in JSON.
    let mut text = serde_json::to_vec_pretty(&list).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Reads what [`write_public_keys`] wrote. Fingerprints are computed, not believed.
///
/// # Errors
/// It is no such list.
pub fn read_public_keys(text: &[u8]) -> Result<Vec<PublicDigestKey>, InvalidKeyList> {
    let list: PublicKeyList = serde_json::from_slice(text).map_err(|_| InvalidKeyList)?;
    let read = |key: &ListedKey| {
        let value = STANDARD.decode_to_vec(&key.value).ok()?;
        let time = |text: &str| text.parse::<Timestamp>().ok();
        Some(PublicDigestKey {
            fingerprint: fingerprint(&value),
            value,
            valid_from: time(&key.validity_start_time)?,
            valid_until: time(&key.validity_end_time)?,
        })
    };
    list.public_key_list.iter().map(|key| read(key).ok_or(InvalidKeyList)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_also_as_the_aws_cli_prints_them() {
        let key = PublicDigestKey {
            value: vec![0x30, 0],
            valid_from: Timestamp::from_seconds(0),
            valid_until: Timestamp::from_seconds(86_400),
            fingerprint: fingerprint(&[0x30, 0]),
        };
        let text = write_public_keys(std::slice::from_ref(&key));
        assert_eq!(read_public_keys(&text), Ok(vec![key.clone()]));
        let printed = r#"{"PublicKeyList":[{"Value":"MAA=","ValidityStartTime":"1970-01-01T00:00:00+00:00",
            "ValidityEndTime":"1970-01-02T00:00:00+00:00","Fingerprint":"wrong"}]}"#;
        assert_eq!(read_public_keys(printed.as_bytes()), Ok(vec![key]));
        for bad in ["", "{}", "[]", &printed.replace("MAA=", "?"), &printed.replace("1970-01-01", "x")] {
            assert_eq!(read_public_keys(bad.as_bytes()), Err(InvalidKeyList), "{bad}");
        }
    }
}
