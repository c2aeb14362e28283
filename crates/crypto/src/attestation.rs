//! Cryptographic attestation: signed documents that say what runs in an enclave or a machine, and which key it holds.
//!
//! The documents are those of AWS Nitro Enclaves and NitroTPM: a COSE_Sign1 (RFC 9052) around a CBOR map (RFC 8949),
//! signed by a certificate whose chain is in the map. What is checked is what AWS asks of a key management service:
//! <https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md> and
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/nitrotpm-attestation-document-validate.html>. Outside AWS
//! nobody can be held to AWS's root, so the roots are given.
//!
//! Pure: time and roots come from the caller. Nothing is read twice, nothing recurses, and nothing is allocated for a
//! length that a document only claims.

mod certificates;
mod document;
mod signed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base::Timestamp;

pub use certificates::{AttestationRoots, InvalidAttestationRoot};
use document::Document;
use signed::Signed;

use crate::cms::RecipientKey;

/// The attestation document proves nothing. Whatever is wrong with it is the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttestation {
    /// It is not a COSE_Sign1 with ES384 around the fields that AWS publishes, each within its limits.
    #[error("the attestation document is malformed")]
    Malformed,
    /// Its certificates lead to no root that is trusted, or its signature is not that of its certificate.
    #[error("the attestation document is not signed under a root that is trusted")]
    Untrusted,
    /// A certificate of its chain has expired or is not valid yet.
    #[error("a certificate of the attestation document is not valid at this time")]
    NotValidNow,
    /// It holds no public key, or one that is not RSA with 2,048 to 4,096 bits.
    #[error("the attestation document has no RSA public key of 2048 to 4096 bits")]
    PublicKey,
}

/// What a verified document says.
pub struct Attested {
    /// The key that the enclave or machine holds.
    pub key: RecipientKey,
    /// The id of the enclave or machine.
    pub module_id: String,
    /// What runs there.
    pub measurements: Measurements,
}

/// The platform configuration registers of a verified document: digests of what runs in an enclave or machine, in lower-case
/// hexadecimal digits.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-attestation.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measurements(BTreeMap<String, String>);

impl Measurements {
    /// The value under what follows `kms:RecipientAttestation:` in a condition key, in lower case: `imagesha384`, `pcr8`,
    /// `nitrotpmpcr4`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn of(document: &Document<'_>) -> Self {
        let prefix = if document.is_of_tpm { "nitrotpmpcr" } else { "pcr" };
        let hexadecimal = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let named = |(number, digest): (&u8, &&[u8])| (format!("{prefix}{number}"), hexadecimal(digest));
        let mut registers: BTreeMap<String, String> = document.registers.iter().map(named).collect();
        // The image of an enclave is measured in its first register.
        if let Some(image) = registers.get("pcr0").cloned() {
            registers.insert("imagesha384".to_owned(), image);
        }
        Self(registers)
    }
}

impl AttestationRoots {
    /// Verifies an attestation document and gives the key that it attests, and what runs where the key is.
    ///
    /// `now` is when every certificate must be valid. The document's own timestamp only has to be there: AWS publishes
    /// no age that is too old, and the certificate of an enclave is valid for three hours.
    ///
    /// # Errors
    /// See [`InvalidAttestation`].
    pub fn verify(&self, document: &[u8], now: Timestamp) -> Result<Attested, InvalidAttestation> {
        let signed = Signed::parse(document).ok_or(InvalidAttestation::Malformed)?;
        let document = Document::parse(signed.payload()).ok_or(InvalidAttestation::Malformed)?;
        let signer = self.verify_chain(document.certificate, &document.authorities, now)?;
        if !signed.is_signed_by(&signer) {
            return Err(InvalidAttestation::Untrusted);
        }
        let key = document.public_key.ok_or(InvalidAttestation::PublicKey)?;
        let key = RecipientKey::from_spki(key).map_err(|_| InvalidAttestation::PublicKey)?;
        let module_id = document.module_id.to_owned();
        Ok(Attested { key, module_id, measurements: Measurements::of(&document) })
    }
}
