//! ECDSA on secp256k1, which `k256` does several times faster than aws-lc, whose implementation of this curve is its general one.
//! Keys are still made and read by aws-lc.

use k256::ecdsa::signature::hazmat::{PrehashVerifier as _, RandomizedPrehashSigner as _};
use k256::ecdsa::{Signature, SigningKey, VerifyingKey};

use super::hedge::Hedge;

/// A private key, wiped when it is dropped.
pub(super) struct SigningScalar(SigningKey);

impl SigningScalar {
    /// The key with this big-endian scalar.
    pub(super) fn new(scalar: &[u8]) -> Option<Self> {
        SigningKey::from_slice(scalar).ok().map(Self)
    }

    /// A signature in DER of a digest of 32 bytes. Its nonce is that of RFC 6979 with randomness added (section 3.6), so that
    /// neither a weak generator nor a fault in one of two equal signatures gives the key away.
    pub(super) fn sign(&self, digest: &[u8]) -> Option<Vec<u8>> {
        let signature: Signature = self.0.sign_prehash_with_rng(&mut Hedge::new(), digest).ok()?;
        Some(signature.to_der().as_bytes().to_vec())
    }
}

/// A public key.
pub(super) struct PublicPoint(VerifyingKey);

impl PublicPoint {
    /// The key at this point, uncompressed as in SEC 1.
    pub(super) fn new(point: &[u8]) -> Option<Self> {
        VerifyingKey::from_sec1_bytes(point).ok().map(Self)
    }

    /// Whether the signature, in DER, is one of this digest, whichever of the two values of `s` it has.
    pub(super) fn verifies(&self, digest: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_der(signature) else { return false };
        self.0.verify_prehash(digest, &signature.normalize_s()).is_ok()
    }
}
