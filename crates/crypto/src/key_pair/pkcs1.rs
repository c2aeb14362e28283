//! RSA public keys in the bare form of PKCS#1 (RFC 8017 appendix A.1.1), as CloudTrail publishes those of its digests.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};

use super::der::sequence;
use super::{KeyPairError, PublicKey};

const BIT_STRING: u8 = 0x03;

impl PublicKey {
    /// The DER RSAPublicKey inside the SubjectPublicKeyInfo; none if this is not an RSA key.
    pub fn rsa_pkcs1_der(&self) -> Option<&[u8]> {
        self.spec().modulus_length()?;
        let (information, _) = sequence(self.spki_der())?;
        let (_algorithm, bits) = sequence(information)?;
        // The bit string is what follows: tag, length, the number of unused bits, and the key, which is a sequence.
        let content = bits.strip_prefix(&[BIT_STRING])?;
        let start = content.iter().position(|byte| *byte == 0)? + 1;
        let key = content.get(start..)?;
        super::is_one_sequence(key).then_some(key)
    }
}

/// An RSA public key that verifies RSASSA-PKCS1-v1_5 signatures with SHA-256.
pub struct RsaVerifyingKey(ParsedPublicKey);

impl RsaVerifyingKey {
    /// Reads a DER RSAPublicKey with a modulus of 2048 to 8192 bits.
    ///
    /// # Errors
    /// [`KeyPairError::Rejected`] for anything else.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyPairError> {
        if !super::is_one_sequence(der) {
            return Err(KeyPairError::Rejected);
        }
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
        parsed.map(Self).map_err(|_| KeyPairError::Rejected)
    }

    /// Whether this is the key's signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyPairSpec, Message, PrivateKey, SigningAlgorithm};
    use super::*;

    #[test]
    fn the_bare_key_verifies_what_its_pair_signed_and_nothing_else() {
        for spec in [KeyPairSpec::Rsa2048, KeyPairSpec::Rsa3072] {
            let pair = PrivateKey::generate(spec).unwrap();
            let der = pair.public_key().rsa_pkcs1_der().unwrap();
            let key = RsaVerifyingKey::from_pkcs1_der(der).unwrap();
            let signature = pair.sign(SigningAlgorithm::RsassaPkcs1V15Sha256, Message::Raw(b"text")).unwrap();
            assert!(key.verifies(b"text", &signature));
            assert!(!key.verifies(b"test", &signature));
            assert!(!key.verifies(b"text", &signature[1..]));
            let pss = pair.sign(SigningAlgorithm::RsassaPssSha256, Message::Raw(b"text")).unwrap();
            assert!(!key.verifies(b"text", &pss));
        }
    }

    #[test]
    fn only_whole_rsa_keys_are_read() {
        let pair = PrivateKey::generate(KeyPairSpec::Rsa2048).unwrap();
        let der = pair.public_key().rsa_pkcs1_der().unwrap();
        assert_eq!(der.len(), 270);
        assert!(RsaVerifyingKey::from_pkcs1_der(&der[..269]).is_err());
        assert!(RsaVerifyingKey::from_pkcs1_der(&[der, &[0]].concat()).is_err());
        assert!(RsaVerifyingKey::from_pkcs1_der(b"").is_err());
        let other = PrivateKey::generate(KeyPairSpec::EccNistP256).unwrap();
        assert_eq!(other.public_key().rsa_pkcs1_der(), None);
    }
}
