//! What is signed, and the form in which each algorithm takes it.

use aws_lc_rs::digest::{self, Digest, digest};

use super::SigningAlgorithm;

/// The input to a signature, as KMS `MessageType` tells it.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// The message itself; its digest is computed here.
    Raw(&'a [u8]),
    /// The digest of the message, as long as the algorithm's hash (32, 48 or 64 bytes). Ed25519ph hashes these 64
    /// bytes once more, as KMS does.
    Digest(&'a [u8]),
    /// The 64-byte message representative μ of FIPS 204 section 6.2, for ML-DSA.
    ExternalMu(&'a [u8]),
}

/// A message in the form that the algorithm takes.
pub(super) enum Prepared<'a> {
    /// RSA and ECDSA.
    Digest(Digest),
    /// Ed25519 and ML-DSA: the whole message.
    Whole(&'a [u8]),
    /// Ed25519ph: the 64 bytes to be hashed.
    PreHash(&'a [u8; 64]),
    /// ML-DSA.
    ExternalMu(&'a [u8; 64]),
}

/// Why a message is not fit for an algorithm.
pub(super) enum Unfit {
    DigestLength,
    NotOffered,
}

impl<'a> Message<'a> {
    pub(super) fn prepare(self, algorithm: SigningAlgorithm) -> Result<Prepared<'a>, Unfit> {
        use SigningAlgorithm as Algorithm;
        let exactly = |bytes: &'a [u8]| <&[u8; 64]>::try_from(bytes).map_err(|_| Unfit::DigestLength);
        match (hash(algorithm), algorithm, self) {
            (Some(hash), _, Self::Raw(message)) => Ok(Prepared::Digest(digest(hash, message))),
            (Some(hash), _, Self::Digest(given)) => {
                Digest::import_less_safe(given, hash).map(Prepared::Digest).map_err(|_| Unfit::DigestLength)
            }
            (None, Algorithm::Ed25519PhSha512, Self::Digest(given)) => exactly(given).map(Prepared::PreHash),
            (None, Algorithm::MlDsaShake256, Self::ExternalMu(mu)) => exactly(mu).map(Prepared::ExternalMu),
            (None, Algorithm::Ed25519Sha512 | Algorithm::MlDsaShake256, Self::Raw(message)) => {
                Ok(Prepared::Whole(message))
            }
            _ => Err(Unfit::NotOffered),
        }
    }
}

/// The hash of the algorithms that sign a digest.
fn hash(algorithm: SigningAlgorithm) -> Option<&'static digest::Algorithm> {
    use SigningAlgorithm as Algorithm;
    match algorithm {
        Algorithm::RsassaPssSha256 | Algorithm::RsassaPkcs1V15Sha256 | Algorithm::EcdsaSha256 => {
            Some(&digest::SHA256)
        }
        Algorithm::RsassaPssSha384 | Algorithm::RsassaPkcs1V15Sha384 | Algorithm::EcdsaSha384 => {
            Some(&digest::SHA384)
        }
        Algorithm::RsassaPssSha512 | Algorithm::RsassaPkcs1V15Sha512 | Algorithm::EcdsaSha512 => {
            Some(&digest::SHA512)
        }
        Algorithm::Ed25519Sha512 | Algorithm::Ed25519PhSha512 | Algorithm::MlDsaShake256 => None,
    }
}
