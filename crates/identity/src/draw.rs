//! Random ids and secrets in AWS's forms.

use base::{AccountId, Randomness, RandomnessUnavailable, SecretArray, SecretString};

/// RFC 4648 base32: the characters of AWS's ids.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// RFC 4648 base64: the characters of AWS's secrets.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The smallest account id that does not begin with 0.
const ACCOUNT_MIN: u64 = 100_000_000_000;
/// How many account ids do not begin with 0.
const ACCOUNTS: u64 = 900_000_000_000;

/// A prefix that says what it is the id of (`AIDA`, `AROA`, …) and 17 characters, 85 random bits.
///
/// Prefixes: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
pub(crate) fn unique_id(prefix: &str, randomness: &dyn Randomness) -> Result<String, RandomnessUnavailable> {
    prefixed::<17>(prefix, randomness)
}

/// `AKIA` and 16 characters, 80 random bits.
pub(crate) fn access_key_id(randomness: &dyn Randomness) -> Result<String, RandomnessUnavailable> {
    prefixed::<16>("AKIA", randomness)
}

/// 40 characters, 240 random bits.
pub(crate) fn secret(randomness: &dyn Randomness) -> Result<SecretString, RandomnessUnavailable> {
    let mut bytes = SecretArray::<40>::zeroed();
    randomness.fill(bytes.expose_mut())?;
    // The text is as long as it will be from the start: no copy stays behind when it grows.
    let mut text = String::with_capacity(40);
    text.extend(characters(bytes.expose(), BASE64));
    Ok(SecretString::new(text))
}

/// An account id that does not begin with 0, each as likely as the others but for one part in 20 million.
pub(crate) fn account(randomness: &dyn Randomness) -> Result<AccountId, RandomnessUnavailable> {
    let mut bytes = [0; 8];
    randomness.fill(&mut bytes)?;
    let number = ACCOUNT_MIN + u64::from_le_bytes(bytes) % ACCOUNTS;
    AccountId::from_number(number).map_err(|_| RandomnessUnavailable)
}

fn prefixed<const N: usize>(
    prefix: &str,
    randomness: &dyn Randomness,
) -> Result<String, RandomnessUnavailable> {
    let mut bytes = [0; N];
    randomness.fill(&mut bytes)?;
    Ok(prefix.chars().chain(characters(&bytes, BASE32)).collect())
}

/// One character for each byte. The alphabets' lengths divide 256, so all characters are equally likely.
fn characters(bytes: &[u8], alphabet: &'static [u8]) -> impl Iterator<Item = char> {
    let character =
        |byte: &u8| alphabet.get(usize::from(*byte) % alphabet.len()).map(|&found| char::from(found));
    bytes.iter().filter_map(character)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use testkit::SeededRandomness;

    use super::*;

    #[test]
    fn ids_and_secrets_have_awss_form() {
        let randomness = SeededRandomness::new(1);
        let base32 = |text: &str| text.bytes().all(|byte| BASE32.contains(&byte));
        for _ in 0..200 {
            let user = unique_id("AIDA", &randomness).unwrap();
            assert!(user.len() == 21 && user.starts_with("AIDA") && base32(&user), "{user}");
            let key = access_key_id(&randomness).unwrap();
            assert!(key.len() == 20 && key.starts_with("AKIA") && base32(&key), "{key}");
            let secret = secret(&randomness).unwrap();
            let base64 = secret.expose().bytes().all(|byte| BASE64.contains(&byte));
            assert!(secret.expose().len() == 40 && base64);
        }
    }

    #[test]
    fn every_character_comes() {
        let randomness = SeededRandomness::new(2);
        let of_ids: HashSet<char> = (0..50)
            .flat_map(|_| unique_id("AIDA", &randomness).unwrap().chars().collect::<Vec<_>>())
            .collect();
        assert_eq!(of_ids.len(), BASE32.len());
        let of_secrets: HashSet<char> =
            (0..50).flat_map(|_| secret(&randomness).unwrap().expose().chars().collect::<Vec<_>>()).collect();
        assert_eq!(of_secrets.len(), BASE64.len());
    }

    #[test]
    fn accounts_do_not_begin_with_zero() {
        for seed in 0..500 {
            let account = account(&SeededRandomness::new(seed)).unwrap().to_string();
            assert!(account.len() == 12 && !account.starts_with('0'), "{account}");
        }
    }

    #[test]
    fn without_randomness_there_is_nothing() {
        struct Broken;
        impl Randomness for Broken {
            fn fill(&self, _out: &mut [u8]) -> Result<(), RandomnessUnavailable> {
                Err(RandomnessUnavailable)
            }
        }
        assert!(unique_id("AIDA", &Broken).is_err() && access_key_id(&Broken).is_err());
        assert!(secret(&Broken).is_err() && account(&Broken).is_err());
    }
}
