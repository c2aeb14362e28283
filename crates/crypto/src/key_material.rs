//! Live key material: what encrypts and decrypts for callers.

use base::{AccountId, KeyId, Randomness, RandomnessUnavailable, SecretArray, SecretBytes};

use crate::ciphertext::{self, Ciphertext, InvalidCiphertext, PLAINTEXT_MAX};
use crate::envelope::{Envelope, IV, NONCE, draw};
use crate::{EncryptionContext, KeyMaterialId};

/// The 256-bit material of one version of a symmetric KMS key, ready for use.
///
/// It cannot be cloned, printed or stored: what is stored is a [`Sealed`](crate::Sealed) copy of the secret.
pub struct KeyMaterial {
    id: KeyMaterialId,
    key_id: KeyId,
    secret: SecretArray<32>,
}

/// Nothing was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// The caller's plaintext is longer than [`PLAINTEXT_MAX`].
    #[error("the plaintext is longer than the ciphertext format holds (1 MiB)")]
    PlaintextTooLong,
    /// Our fault: this material belongs to another key than the one named.
    #[error("the key material belongs to another key")]
    OtherKey,
    /// The system's fault.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The cryptography library refused, which it never does for input within the limits.
    #[error("the cryptography library refused to encrypt")]
    Library,
}

impl KeyMaterial {
    /// New random material for this key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn generate(key_id: &KeyId, randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut secret = SecretArray::zeroed();
        randomness.fill(secret.expose_mut())?;
        Ok(Self::from_secret(key_id, secret))
    }

    /// Material of this key that was made before: opened from its seal, or seeded.
    pub fn from_secret(key_id: &KeyId, secret: SecretArray<32>) -> Self {
        Self { id: KeyMaterialId::of(key_id, secret.expose()), key_id: *key_id, secret }
    }

    /// The id of this version of material.
    pub fn id(&self) -> KeyMaterialId {
        self.id
    }

    /// The secret itself, for [`SealingKey::seal`](crate::SealingKey::seal) and nothing else.
    pub fn expose_for_sealing(&self) -> &SecretArray<32> {
        &self.secret
    }

    /// A new ciphertext blob (see [`ciphertext`](mod@crate::ciphertext)); the same input never gives the same blob twice.
    ///
    /// The account and key id are written into the blob; `key_id` is the one that this material was made for.
    ///
    /// # Errors
    /// The plaintext is too long, the key is another one, or the system gave no random bytes.
    pub fn encrypt(
        &self,
        account: AccountId,
        key_id: &KeyId,
        context: &EncryptionContext,
        plaintext: &[u8],
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, EncryptError> {
        if *key_id != self.key_id {
            return Err(EncryptError::OtherKey);
        }
        if plaintext.len() > PLAINTEXT_MAX {
            return Err(EncryptError::PlaintextTooLong);
        }
        let (nonce, iv) = draw(randomness)?;
        let header = ciphertext::header(account, &self.key_id, &self.id, &nonce, &iv);
        let derivation = self.derivation(&nonce);
        let envelope = envelope(&derivation, &header, &iv, context);
        envelope.seal(&self.secret, plaintext).map_err(|_| EncryptError::Library)
    }

    /// The plaintext of a ciphertext that this material made under an equal encryption context.
    ///
    /// # Errors
    /// Anything else, always the same error.
    pub fn decrypt(
        &self,
        ciphertext: &Ciphertext<'_>,
        context: &EncryptionContext,
    ) -> Result<SecretBytes, InvalidCiphertext> {
        if ciphertext.material_id() != self.id {
            return Err(InvalidCiphertext);
        }
        let derivation = self.derivation(ciphertext.nonce());
        let envelope = envelope(&derivation, ciphertext.header(), ciphertext.iv(), context);
        envelope.open(&self.secret, ciphertext.sealed()).map_err(|_| InvalidCiphertext)
    }

    fn derivation(&self, nonce: &[u8; NONCE]) -> Vec<u8> {
        [&nonce[..], &[ciphertext::kind(&self.key_id)], self.key_id.bytes()].concat()
    }
}

fn envelope<'a>(
    derivation: &'a [u8],
    header: &'a [u8],
    iv: &'a [u8; IV],
    context: &'a EncryptionContext,
) -> Envelope<'a> {
    Envelope { label: ciphertext::LABEL, derivation, header, iv, bound: context.as_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::SeededRandomness;

    const KEY: KeyId = KeyId::SingleRegion([1; 16]);

    fn account() -> AccountId {
        "123456789012".parse().unwrap()
    }

    fn material(key_id: &KeyId, byte: u8) -> KeyMaterial {
        KeyMaterial::from_secret(key_id, SecretArray::copy_from(&[byte; 32]).unwrap())
    }

    fn encrypt(plaintext: &[u8], context: &EncryptionContext, seed: u64) -> Vec<u8> {
        material(&KEY, 7).encrypt(account(), &KEY, context, plaintext, &SeededRandomness::new(seed)).unwrap()
    }

    fn decrypt(material: &KeyMaterial, blob: &[u8], context: &EncryptionContext) -> Option<Vec<u8>> {
        let ciphertext = Ciphertext::parse(blob).ok()?;
        material.decrypt(&ciphertext, context).ok().map(|plaintext| plaintext.expose().to_vec())
    }

    #[test]
    fn the_overhead_is_104_bytes() {
        assert_eq!(encrypt(b"", &EncryptionContext::empty(), 1).len(), 104);
        assert_eq!(encrypt(&[0; 4096], &EncryptionContext::empty(), 1).len(), 4200);
    }

    #[test]
    fn the_same_input_gives_another_blob() {
        let (context, randomness) = (EncryptionContext::empty(), SeededRandomness::new(1));
        let once = || material(&KEY, 7).encrypt(account(), &KEY, &context, b"text", &randomness).unwrap();
        assert_ne!(once(), once());
    }

    #[test]
    fn equal_material_under_another_key_does_not_decrypt() {
        let context = EncryptionContext::empty();
        let blob = encrypt(b"text", &context, 1);
        assert_eq!(decrypt(&material(&KEY, 7), &blob, &context).unwrap(), b"text");
        for key_id in [KeyId::SingleRegion([2; 16]), KeyId::MultiRegion([1; 16])] {
            assert_eq!(decrypt(&material(&key_id, 7), &blob, &context), None);
        }
        assert_eq!(decrypt(&material(&KEY, 8), &blob, &context), None);
    }

    #[test]
    fn a_blob_relabelled_with_other_material_is_refused_by_its_tag() {
        let (context, other) = (EncryptionContext::empty(), material(&KEY, 8));
        let mut blob = encrypt(b"text", &context, 1);
        blob[28..60].copy_from_slice(other.id().bytes());
        assert_eq!(decrypt(&other, &blob, &context), None);
    }

    #[test]
    fn material_does_not_encrypt_in_the_name_of_another_key() {
        let other = KeyId::SingleRegion([2; 16]);
        let refused = material(&KEY, 7).encrypt(
            account(),
            &other,
            &EncryptionContext::empty(),
            b"",
            &SeededRandomness::new(1),
        );
        assert_eq!(refused, Err(EncryptError::OtherKey));
    }

    #[test]
    fn the_longest_plaintext_passes_and_one_byte_more_does_not() {
        let (context, randomness) = (EncryptionContext::empty(), SeededRandomness::new(1));
        let text = vec![1; PLAINTEXT_MAX + 1];
        let encrypt = |text: &[u8]| material(&KEY, 7).encrypt(account(), &KEY, &context, text, &randomness);
        let blob = encrypt(&text[1..]).unwrap();
        assert_eq!(decrypt(&material(&KEY, 7), &blob, &context).unwrap(), &text[1..]);
        assert_eq!(encrypt(&text), Err(EncryptError::PlaintextTooLong));
    }

    #[test]
    fn without_randomness_nothing_is_encrypted() {
        struct Dry;
        impl Randomness for Dry {
            fn fill(&self, _: &mut [u8]) -> Result<(), RandomnessUnavailable> {
                Err(RandomnessUnavailable)
            }
        }
        let refused = material(&KEY, 7).encrypt(account(), &KEY, &EncryptionContext::empty(), b"", &Dry);
        assert_eq!(refused, Err(EncryptError::Randomness(RandomnessUnavailable)));
        assert!(KeyMaterial::generate(&KEY, &Dry).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encrypted_decrypts(plaintext: Vec<u8>, seed: u64, multi: bool, id: [u8; 16],
                                      pairs: std::collections::BTreeMap<String, String>) {
            let key_id = if multi { KeyId::MultiRegion(id) } else { KeyId::SingleRegion(id) };
            let randomness = SeededRandomness::new(seed);
            let context = EncryptionContext::new(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            let material = KeyMaterial::generate(&key_id, &randomness).unwrap();
            let blob = material.encrypt(account(), &key_id, &context, &plaintext, &randomness).unwrap();
            prop_assert_eq!(decrypt(&material, &blob, &context).unwrap(), plaintext);
            let extended = EncryptionContext::new([("another key", "")]);
            prop_assert!(context == extended || decrypt(&material, &blob, &extended).is_none());
        }
    }
}
