//! Seals: secrets at rest, bound to what they belong to.

use std::fmt;

use base::{Randomness, RandomnessUnavailable, SecretArray, SecretBytes};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64_text;
use crate::envelope::{Envelope, IV, NONCE, TAG, draw};
use crate::framing::push_framed;

/// Longest secret that a seal holds, in bytes (64 KiB): the longest private key is far below.
pub const SECRET_MAX: usize = 1 << 16;

const LABEL: &[u8] = b"keywright seal v1";
const FORMAT: u8 = 1;
const HEADER: usize = 1 + NONCE + IV;

/// A live 256-bit key that seals other secrets: a domain key.
///
/// Every seal has a one-time key of its own, derived over a random nonce, so that one sealing key serves any number of
/// seals. It cannot be cloned, printed or stored, except sealed itself.
pub struct SealingKey(SecretArray<32>);

/// What a seal is bound to: a purpose and the names of what the secret belongs to. Only an equal binding opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding(Vec<u8>);

/// A sealed secret, fit to be stored. As JSON it is one base64 text.
///
/// Format 1: `01`, derivation nonce (16 bytes), initialisation vector (12), AES-256-GCM ciphertext, tag (16). The
/// one-time key is SP 800-108r1 counter mode with HMAC-SHA-256 under the sealing key over
/// `"keywright seal v1" || 00 || nonce || 00000100`. Associated data: length of the header (u32 big endian, 29), the
/// header, the binding. Every later release reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// Nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The secret is longer than [`SECRET_MAX`].
    #[error("the secret is longer than a seal holds (64 KiB)")]
    SecretTooLong,
    /// The system's fault.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The cryptography library refused, which it never does for input within the limits.
    #[error("the cryptography library refused to seal")]
    Library,
}

/// The seal was changed, was made by another key, or belongs to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the seal is damaged, was made by another key or belongs to something else")]
pub struct DamagedSeal;

impl SealingKey {
    /// A new random key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn generate(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut secret = SecretArray::zeroed();
        randomness.fill(secret.expose_mut())?;
        Ok(Self(secret))
    }

    /// A key that was made before and opened from its own seal.
    pub fn from_secret(secret: SecretArray<32>) -> Self {
        Self(secret)
    }

    /// The secret itself, for sealing it under another key and nothing else.
    pub fn expose_for_sealing(&self) -> &SecretArray<32> {
        &self.0
    }

    /// Seals a secret of at most [`SECRET_MAX`] bytes.
    ///
    /// # Errors
    /// The secret is too long, or the system gave no random bytes.
    pub fn seal(
        &self,
        binding: &Binding,
        secret: &[u8],
        randomness: &dyn Randomness,
    ) -> Result<Sealed, SealError> {
        if secret.len() > SECRET_MAX {
            return Err(SealError::SecretTooLong);
        }
        let (nonce, iv) = draw(randomness)?;
        let header = [&[FORMAT][..], &nonce, &iv].concat();
        let envelope = envelope(&nonce, &header, &iv, binding);
        envelope.seal(&self.0, secret).map(Sealed).map_err(|_| SealError::Library)
    }

    /// Opens what this key sealed under an equal binding.
    ///
    /// # Errors
    /// Anything else, always the same error.
    pub fn open(&self, binding: &Binding, sealed: &Sealed) -> Result<SecretBytes, DamagedSeal> {
        let (header, rest) = sealed.0.split_first_chunk::<HEADER>().ok_or(DamagedSeal)?;
        let (_format, random) = header.split_first_chunk::<1>().ok_or(DamagedSeal)?;
        let (nonce, random) = random.split_first_chunk::<NONCE>().ok_or(DamagedSeal)?;
        let iv = random.try_into().map_err(|_| DamagedSeal)?;
        envelope(nonce, header, iv, binding).open(&self.0, rest).map_err(|_| DamagedSeal)
    }
}

impl Binding {
    /// The binding of this purpose, without parts. Each kind of secret has a purpose of its own.
    pub fn new(purpose: &str) -> Self {
        Self(Vec::new()).part(purpose.as_bytes())
    }

    /// The same binding with one part more. Parts have an order and are length-prefixed: no two different lists of
    /// parts make equal bindings.
    #[must_use]
    pub fn part(mut self, part: &[u8]) -> Self {
        push_framed(&mut self.0, part);
        self
    }
}

impl Sealed {
    /// The seal as it stands, for where there is no JSON.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads [`Self::as_bytes`] back. Whether the seal is whole shows when it is opened.
    ///
    /// # Errors
    /// The bytes are too few or too many for a seal, or of another format.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, DamagedSeal> {
        Self::read(bytes).map_err(|_| DamagedSeal)
    }

    fn read(bytes: Vec<u8>) -> Result<Self, &'static str> {
        match bytes.first() {
            Some(&FORMAT) if bytes.len() < HEADER + TAG => Err("a seal is cut short"),
            Some(&FORMAT) if bytes.len() > HEADER + SECRET_MAX + TAG => Err("a seal is too long"),
            Some(&FORMAT) => Ok(Self(bytes)),
            Some(_) => Err("a seal has a format that this release does not know"),
            None => Err("a seal is empty"),
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base64_text::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(base64_text::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn envelope<'a>(
    nonce: &'a [u8; NONCE],
    header: &'a [u8],
    iv: &'a [u8; IV],
    binding: &'a Binding,
) -> Envelope<'a> {
    Envelope { label: LABEL, derivation: nonce, header, iv, bound: &binding.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::SeededRandomness;

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_secret(SecretArray::copy_from(&[byte; 32]).unwrap())
    }

    fn bound_to<T: AsRef<str>>(purpose: &str, parts: &[T]) -> Binding {
        parts.iter().fold(Binding::new(purpose), |binding, part| binding.part(part.as_ref().as_bytes()))
    }

    fn seal(binding: &Binding, secret: &[u8]) -> Sealed {
        key(1).seal(binding, secret, &SeededRandomness::new(1)).unwrap()
    }

    fn open(key: &SealingKey, binding: &Binding, sealed: &Sealed) -> Option<Vec<u8>> {
        key.open(binding, sealed).ok().map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn only_the_same_key_and_binding_open_a_seal() {
        let binding = bound_to("material", &["123456789012", "key"]);
        let sealed = seal(&binding, b"secret");
        assert_eq!(open(&key(1), &binding, &sealed).unwrap(), b"secret");
        assert_eq!(open(&key(2), &binding, &sealed), None);
        for other in [
            bound_to("root", &["123456789012", "key"]),
            bound_to("material", &["123456789012"]),
            bound_to("material", &["123456789012k", "ey"]),
            bound_to("material", &["key", "123456789012"]),
            bound_to("material", &["123456789012", "key", ""]),
        ] {
            assert_eq!(open(&key(1), &other, &sealed), None, "{other:?}");
        }
    }

    #[test]
    fn any_change_of_a_seal_is_refused() {
        let binding = Binding::new("p");
        let sealed = seal(&binding, b"secret");
        for at in 0..sealed.0.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed.0[at] ^= 1 << bit;
                assert_eq!(open(&key(1), &binding, &changed), None, "bit {bit} of byte {at}");
            }
            assert_eq!(open(&key(1), &binding, &Sealed(sealed.0[..at].to_vec())), None, "cut to {at}");
        }
    }

    #[test]
    fn a_secret_that_is_too_long_is_refused() {
        let (binding, random) = (Binding::new("p"), SeededRandomness::new(1));
        assert!(key(1).seal(&binding, &[0; SECRET_MAX], &random).is_ok());
        assert_eq!(key(1).seal(&binding, &[0; SECRET_MAX + 1], &random), Err(SealError::SecretTooLong));
    }

    #[test]
    fn only_whole_seals_of_a_known_format_are_read() {
        let good = serde_json::to_string(&seal(&Binding::new("p"), b"secret")).unwrap();
        assert!(serde_json::from_str::<Sealed>(&good).is_ok());
        let encode = |bytes: &[u8]| format!("\"{}\"", base64_simd::STANDARD.encode_to_string(bytes));
        let short = encode(&[FORMAT; HEADER + TAG - 1]);
        let newer = encode(&[FORMAT + 1; HEADER + TAG]);
        let long = encode(&[FORMAT; HEADER + TAG + SECRET_MAX + 1]);
        for bad in ["\"\"", "\"AQ\"", "\"A Q=\"", "7", "null", "[1]", &short, &newer, &long] {
            assert!(serde_json::from_str::<Sealed>(bad).is_err(), "{bad:.60}");
        }
        for bad in [vec![], vec![FORMAT; HEADER + TAG - 1], vec![FORMAT + 1; HEADER + TAG]] {
            assert_eq!(Sealed::from_bytes(bad), Err(DamagedSeal));
        }
        assert!(serde_json::from_str::<Sealed>(&newer).unwrap_err().to_string().contains("does not know"));
    }

    proptest! {
        #[test]
        fn what_is_sealed_and_stored_opens(secret: Vec<u8>, purpose: String, parts: Vec<Vec<u8>>, seed: u64) {
            let randomness = SeededRandomness::new(seed);
            let key = SealingKey::generate(&randomness).unwrap();
            let binding = parts.iter().fold(Binding::new(&purpose), |binding, part| binding.part(part));
            let stored = serde_json::to_vec(&key.seal(&binding, &secret, &randomness).unwrap()).unwrap();
            let sealed: Sealed = serde_json::from_slice(&stored).unwrap();
            prop_assert_eq!(Sealed::from_bytes(sealed.as_bytes().to_vec()), Ok(sealed.clone()));
            prop_assert_eq!(open(&key, &binding, &sealed).unwrap(), secret);
        }

        #[test]
        fn different_bindings_have_different_bytes(
            left in proptest::collection::vec("[a\0\u{1}]{0,3}", 0..4),
            right in proptest::collection::vec("[a\0\u{1}]{0,3}", 0..4),
        ) {
            prop_assert_eq!(left == right, bound_to("p", &left) == bound_to("p", &right));
        }
    }
}
