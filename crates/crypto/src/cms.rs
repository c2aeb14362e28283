//! Secrets encrypted to a public key of somebody else: CMS EnvelopedData (RFC 5652 section 6) in the form of AWS KMS.
//!
//! One KeyTransRecipientInfo (version 2, named by a subject key identifier), RSAES-OAEP with SHA-256 and MGF1-SHA-256
//! (RFC 4056, RFC 8017), content in AES-256-CBC with PKCS #7 padding (RFC 3565). The outer layers have BER's indefinite
//! length, as AWS KMS writes them: the AWS Nitro Enclaves SDK for C reads no other form.

pub(crate) mod ber;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base::{Randomness, RandomnessUnavailable, SecretArray, SecretBytes};

use crate::digest::sha256;
use crate::key_pair::is_one_sequence;

/// The modulus of a recipient's key, in bits.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// Bytes of a block of AES, and so of the initialisation vector and of the longest padding.
const BLOCK: usize = 16;

/// Somebody else's RSA key, to which secrets are encrypted.
pub struct RecipientKey {
    key: OaepPublicEncryptingKey,
    /// SHA-256 of the SubjectPublicKeyInfo: RFC 7093 section 2, method 4. AWS KMS's has the same length.
    identifier: [u8; 32],
}

/// The bytes are not one SubjectPublicKeyInfo with an RSA key of 2,048 to 4,096 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotARecipientKey;

/// Nothing was encrypted to the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The system's fault.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The cryptography library refused, which it never does for a parsed key.
    #[error("the cryptography library refused to encrypt to the recipient")]
    Library,
}

impl RecipientKey {
    /// Parses a DER SubjectPublicKeyInfo (RFC 5280).
    pub(crate) fn from_spki(spki_der: &[u8]) -> Result<Self, NotARecipientKey> {
        let key = PublicEncryptingKey::from_der(spki_der).map_err(|_| NotARecipientKey)?;
        if !MODULUS_BITS.contains(&key.key_size_bits()) || !is_one_sequence(spki_der) {
            return Err(NotARecipientKey);
        }
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| NotARecipientKey)?;
        Ok(Self { key, identifier: sha256(spki_der) })
    }

    /// A BER ContentInfo with `secret` in it, which only the holder of the private key can open. It is never the same
    /// twice, and at most 790 bytes longer than the secret.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn envelop(
        &self,
        secret: &SecretBytes,
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let mut content_key = SecretArray::<32>::zeroed();
        randomness.fill(content_key.expose_mut())?;
        let mut iv = [0; BLOCK];
        randomness.fill(&mut iv)?;
        let encrypted_key = self.transport(&content_key)?;
        let content = encrypt_content(&content_key, &iv, secret)?;
        Ok(content_info(&self.identifier, &encrypted_key, &iv, &content))
    }

    fn transport(&self, content_key: &SecretArray<32>) -> Result<Vec<u8>, EnvelopeError> {
        let mut out = vec![0; self.key.ciphertext_size()];
        let written = self.key.encrypt(&OAEP_SHA256_MGF1SHA256, content_key.expose(), &mut out, None);
        let length = written.map_err(|_| EnvelopeError::Library)?.len();
        out.truncate(length);
        Ok(out)
    }
}

fn encrypt_content(
    key: &SecretArray<32>,
    iv: &[u8; BLOCK],
    secret: &SecretBytes,
) -> Result<Vec<u8>, EnvelopeError> {
    let key = UnboundCipherKey::new(&AES_256, key.expose()).map_err(|_| EnvelopeError::Library)?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_| EnvelopeError::Library)?;
    // Room for the padding too: a buffer that moved would leave the secret behind.
    let mut content = Vec::with_capacity(secret.len() + BLOCK);
    content.extend_from_slice(secret.expose());
    let iv = EncryptionContext::Iv128(FixedLength::from(iv));
    match key.less_safe_encrypt(&mut content, iv) {
        Ok(_) => Ok(content),
        Err(_) => {
            drop(SecretBytes::new(content));
            Err(EnvelopeError::Library)
        }
    }
}

/// The object identifiers, without tag and length.
mod object {
    /// id-envelopedData, 1.2.840.113549.1.7.3.
    pub(super) const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
    /// id-data, 1.2.840.113549.1.7.1.
    pub(super) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    /// id-RSAES-OAEP, 1.2.840.113549.1.1.7.
    pub(super) const RSAES_OAEP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07];
    /// id-mgf1, 1.2.840.113549.1.1.8.
    pub(super) const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
    /// id-sha256, 2.16.840.1.101.3.4.2.1.
    pub(super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    /// id-aes256-CBC, 2.16.840.1.101.3.4.1.42.
    pub(super) const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
}

fn content_info(identifier: &[u8; 32], encrypted_key: &[u8], iv: &[u8; BLOCK], content: &[u8]) -> Vec<u8> {
    use ber::tag;
    let recipient = ber::element(
        tag::SEQUENCE,
        &[
            &ber::element(tag::INTEGER, &[&[2]]),
            &ber::element(tag::context_primitive(0), &[identifier]),
            &oaep_with_sha256(),
            &ber::element(tag::OCTET_STRING, &[encrypted_key]),
        ],
    );
    let content_encryption = ber::element(
        tag::SEQUENCE,
        &[&ber::element(tag::OBJECT, &[object::AES_256_CBC]), &ber::element(tag::OCTET_STRING, &[iv])],
    );
    let encrypted_content = ber::indefinite(
        tag::SEQUENCE,
        &[
            &ber::element(tag::OBJECT, &[object::DATA]),
            &content_encryption,
            &ber::indefinite(tag::context(0), &[&ber::element(tag::OCTET_STRING, &[content])]),
        ],
    );
    let enveloped_data = ber::indefinite(
        tag::SEQUENCE,
        &[&ber::element(tag::INTEGER, &[&[2]]), &ber::element(tag::SET, &[&recipient]), &encrypted_content],
    );
    ber::indefinite(
        tag::SEQUENCE,
        &[
            &ber::element(tag::OBJECT, &[object::ENVELOPED_DATA]),
            &ber::indefinite(tag::context(0), &[&enveloped_data]),
        ],
    )
}

/// The AlgorithmIdentifier of RSAES-OAEP; the label is empty, which is its default.
fn oaep_with_sha256() -> Vec<u8> {
    use ber::tag;
    let sha256 = ber::element(
        tag::SEQUENCE,
        &[&ber::element(tag::OBJECT, &[object::SHA256]), &ber::element(tag::NULL, &[])],
    );
    let mask = ber::element(tag::SEQUENCE, &[&ber::element(tag::OBJECT, &[object::MGF1]), &sha256]);
    let parameters = ber::element(
        tag::SEQUENCE,
        &[&ber::element(tag::context(0), &[&sha256]), &ber::element(tag::context(1), &[&mask])],
    );
    ber::element(tag::SEQUENCE, &[&ber::element(tag::OBJECT, &[object::RSAES_OAEP]), &parameters])
}

#[cfg(test)]
mod tests;
