//! Random ids and secrets in AWS's forms.

use base::{AccountId, Randomness, RandomnessUnavailable, SecretArray, SecretString};

/// RFC 4648 base32: the characters of AWS's ids.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// RFC 4648 base64: the characters of AWS's secrets.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The random bits of an access key id.
const RANDOM_BITS: u32 = 39;

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

/// `AKIA` or `ASIA` and 16 characters: a bit that is set, the account in 40 bits, and 39 random bits. AWS's access keys have
/// their account in the same place, so that whoever has one can tell whose it is.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html>
pub(crate) fn access_key_id(
    prefix: &str,
    account: AccountId,
    randomness: &dyn Randomness,
) -> Result<String, RandomnessUnavailable> {
    let mut bytes = [0; 8];
    randomness.fill(&mut bytes)?;
    let random = u128::from(u64::from_le_bytes(bytes)) & ((1 << RANDOM_BITS) - 1);
    let number = (1 << 79) | (u128::from(account.number()) << RANDOM_BITS) | random;
    // Five bits to a character, the highest first.
    let places = (0..16_u8).rev().map(|place| (number >> (5 * place)) & 31);
    let characters = places.filter_map(|place| BASE32.get(usize::try_from(place).ok()?));
    Ok(prefix.chars().chain(characters.map(|character| char::from(*character))).collect())
}

/// The account that an access key id tells, if it has the form of those that are made here.
pub(crate) fn account_of_access_key_id(id: &str) -> Option<AccountId> {
    let characters = id.strip_prefix("AKIA").or_else(|| id.strip_prefix("ASIA"))?;
    if characters.len() != 16 {
        return None;
    }
    let mut number = 0_u128;
    for character in characters.bytes() {
        let place = BASE32.iter().position(|known| *known == character)?;
        number = (number << 5) | u128::try_from(place).ok()?;
    }
    let account = (number >> RANDOM_BITS) & ((1 << 40) - 1);
    AccountId::from_number(u64::try_from(account).ok()?).ok()
}

/// Characters of a secret.
pub(crate) const SECRET_LENGTH: usize = 40;

/// [`SECRET_LENGTH`] characters, 240 random bits.
pub(crate) fn secret(randomness: &dyn Randomness) -> Result<SecretString, RandomnessUnavailable> {
    let mut bytes = SecretArray::<SECRET_LENGTH>::zeroed();
    randomness.fill(bytes.expose_mut())?;
    // The text is as long as it will be from the start: no copy stays behind when it grows.
    let mut text = String::with_capacity(SECRET_LENGTH);
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
            let key = access_key_id("AKIA", account("123456789012"), &randomness).unwrap();
            assert!(key.len() == 20 && key.starts_with("AKIA") && base32(&key), "{key}");
            let secret = secret(&randomness).unwrap();
            let base64 = secret.expose().bytes().all(|byte| BASE64.contains(&byte));
            assert!(secret.expose().len() == 40 && base64);
        }
    }

    fn account(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    #[test]
    fn access_key_ids_tell_their_account() {
        let randomness = SeededRandomness::new(3);
        for text in ["000000000000", "123456789012", "999999999999"] {
            for prefix in ["AKIA", "ASIA"] {
                let id = access_key_id(prefix, account(text), &randomness).unwrap();
                assert_eq!(account_of_access_key_id(&id), Some(account(text)), "{id}");
            }
        }
        // Published, with its account, in accounts of how the ids are made.
        assert_eq!(account_of_access_key_id("ASIAQNZGKIQY56JQ7WML"), Some(account("029608264753")));
        for id in ["", "AKIA", "AKIAIOSFODNN7EXAMPL", "AIDAQNZGKIQY56JQ7WML", "ASIAQNZGKIQY56JQ7WM1", "test"]
        {
            assert_eq!(account_of_access_key_id(id), None, "{id}");
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
            let account = super::account(&SeededRandomness::new(seed)).unwrap().to_string();
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
        assert!(
            unique_id("AIDA", &Broken).is_err()
                && access_key_id("AKIA", account("123456789012"), &Broken).is_err()
        );
        assert!(secret(&Broken).is_err() && super::account(&Broken).is_err());
    }
}
