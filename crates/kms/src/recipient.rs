//! Who reads the secret of an answer: the caller, or the enclave or machine that an attestation document in the request
//! names. Then the secret goes out encrypted to the attested key, as CMS EnvelopedData, and nothing else of it.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html>

use std::sync::Arc;

use base::{Call, SecretBytes};
use crypto::{AttestationRoots, Attested, Measurements};
use wire::kms::RecipientInfo;

use crate::Kms;
use crate::error::{InvalidRequest, KmsError};
use crate::pool::Pool;

/// What attestation documents are verified with.
pub(crate) struct Recipients {
    roots: Arc<AttestationRoots>,
    pool: Pool,
}

/// Who may read the secret of an answer.
pub(crate) enum Addressee {
    /// No Recipient was given.
    Caller,
    /// The holder of a key that a verified document attests.
    Attested(Box<Attested>),
}

/// A secret in the form in which it goes out: one of the two is there, never both.
pub(crate) struct Delivery {
    pub(crate) plaintext: Option<SecretBytes>,
    /// At most 6,144 bytes.
    pub(crate) ciphertext_for_recipient: Option<Vec<u8>>,
}

impl Recipients {
    pub(crate) fn new(roots: AttestationRoots, pool: Pool) -> Self {
        Self { roots: Arc::new(roots), pool }
    }

    /// The same pool with other roots.
    pub(crate) fn trusting(self, roots: AttestationRoots) -> Self {
        Self::new(roots, self.pool)
    }
}

impl Addressee {
    /// What runs where the answer goes: the values of `kms:RecipientAttestation:…`.
    pub(crate) fn measurements(&self) -> Option<&Measurements> {
        match self {
            Self::Caller => None,
            Self::Attested(attested) => Some(&attested.measurements),
        }
    }

    /// `member`, unless the answer is for a recipient, whose answers are without it.
    pub(crate) fn unless_attested<T>(&self, member: Option<T>) -> Option<T> {
        match self {
            Self::Caller => member,
            Self::Attested(_) => None,
        }
    }
}

impl Kms {
    /// Who may read the answer to a request with this Recipient. The document is verified, before any key is touched.
    pub(crate) async fn addressee(
        &self,
        call: &Call,
        recipient: Option<RecipientInfo>,
    ) -> Result<Addressee, KmsError> {
        let Some(recipient) = recipient else { return Ok(Addressee::Caller) };
        // It has one value.
        recipient
            .key_encryption_algorithm
            .ok_or(InvalidRequest::Missing("recipient.keyEncryptionAlgorithm"))?;
        let document =
            recipient.attestation_document.ok_or(InvalidRequest::Missing("recipient.attestationDocument"))?;
        if self.recipients.roots.is_empty() {
            return Err(InvalidRequest::NoAttestationRoots.into());
        }
        let (roots, now) = (Arc::clone(&self.recipients.roots), call.time);
        let attested = self.recipients.pool.run(move || roots.verify(&document, now)).await?;
        let attested = attested.map_err(InvalidRequest::Attestation)?;
        call.event.add("recipient.attestationDocumentModuleId", &attested.module_id);
        if let Some(image) = attested.measurements.get("imagesha384") {
            call.event.add("recipient.attestationDocumentEnclaveImageDigest", image);
        }
        Ok(Addressee::Attested(Box::new(attested)))
    }

    /// Puts a secret into the form that its addressee can read.
    pub(crate) fn deliver(&self, secret: SecretBytes, to: &Addressee) -> Result<Delivery, KmsError> {
        Ok(match to {
            Addressee::Caller => Delivery { plaintext: Some(secret), ciphertext_for_recipient: None },
            Addressee::Attested(attested) => Delivery {
                plaintext: None,
                ciphertext_for_recipient: Some(attested.key.envelop(&secret, self.randomness.as_ref())?),
            },
        })
    }
}
