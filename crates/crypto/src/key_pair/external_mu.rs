//! ML-DSA over a message representative that was computed elsewhere ("external μ", FIPS 204 section 6.2).

use ml_dsa::{B32, ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Signature, VerifyingKey};

use super::hedge::Hedge;

/// Bytes of the seed ξ that a key pair is made from.
pub(super) const SEED: usize = 32;

/// Which ML-DSA.
#[derive(Clone, Copy)]
pub(super) enum ParameterSet {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// Signs with the key pair made from this seed; none if there is no randomness.
///
/// Fresh randomness goes into each signature (the hedged variant). The key is expanded for each call: that takes less
/// than the signature itself, and an expanded key would take up to 100 KiB of memory.
pub(super) fn sign(set: ParameterSet, seed: &[u8; SEED], mu: &[u8; 64]) -> Option<Vec<u8>> {
    match set {
        ParameterSet::MlDsa44 => sign_with::<MlDsa44>(seed, mu),
        ParameterSet::MlDsa65 => sign_with::<MlDsa65>(seed, mu),
        ParameterSet::MlDsa87 => sign_with::<MlDsa87>(seed, mu),
    }
}

/// Whether the signature is valid under the public key, both as FIPS 204 encodes them.
pub(super) fn verifies(set: ParameterSet, public_key: &[u8], mu: &[u8; 64], signature: &[u8]) -> bool {
    match set {
        ParameterSet::MlDsa44 => verifies_with::<MlDsa44>(public_key, mu, signature),
        ParameterSet::MlDsa65 => verifies_with::<MlDsa65>(public_key, mu, signature),
        ParameterSet::MlDsa87 => verifies_with::<MlDsa87>(public_key, mu, signature),
    }
}

fn sign_with<P: MlDsaParams>(seed: &[u8; SEED], mu: &[u8; 64]) -> Option<Vec<u8>> {
    let key = ExpandedSigningKey::<P>::from_seed(<&B32>::from(seed));
    let signature = key.sign_mu_randomized(mu.into(), &mut Hedge::new()).ok()?;
    Some(signature.encode().to_vec())
}

fn verifies_with<P: MlDsaParams>(public_key: &[u8], mu: &[u8; 64], signature: &[u8]) -> bool {
    let (Ok(public_key), Ok(signature)) = (public_key.try_into(), Signature::<P>::try_from(signature)) else {
        return false;
    };
    VerifyingKey::<P>::decode(public_key).verify_mu(mu.into(), &signature)
}
