//! Cryptography: digests, key material, the ciphertext format, seals and roots, contents in chunks, attestation
//! documents, web identity tokens, files for age recipients.
//!
//! The only room that names a cryptography library (aws-lc-rs; argon2 for passphrases; ed25519-dalek and
//! ml-dsa for one algorithm each, see [`PrivateKey`]; webpki and x509-cert for certificates, see
//! [`AttestationRoots`]). The hierarchy, from the
//! top: a [`root`] key seals domain keys, a domain key ([`SealingKey`]) seals [`KeyMaterial`] and other secrets, key
//! material encrypts what callers send. Each step draws a fresh key per message (see [`ciphertext`]), so that no key
//! ever runs out of nonces. Every failure to open a ciphertext or a seal is one error without a reason: nobody can
//! learn from it which part was wrong.

pub mod age;
mod attestation;
mod base64_text;
pub mod ciphertext;
mod cms;
pub mod content;
pub mod digest;
mod encryption_context;
mod envelope;
mod framing;
pub mod hexadecimal;
mod import;
mod key_material;
mod key_material_id;
mod key_pair;
pub mod legacy_digest;
mod mac_key;
mod random;
pub mod root;
mod seal;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod vectors;
pub mod web_identity;

pub use attestation::{AttestationRoots, Attested, InvalidAttestation, InvalidAttestationRoot, Measurements};
pub use ciphertext::{Ciphertext, InvalidCiphertext, OVERHEAD as CIPHERTEXT_OVERHEAD, PLAINTEXT_MAX};
pub use cms::{EnvelopeError, RecipientKey};
pub use encryption_context::EncryptionContext;
pub use import::WrappingAlgorithm;
pub use key_material::{EncryptError, KeyMaterial};
pub use key_material_id::{KeyMaterialId, KeyMaterialIdError};
pub use key_pair::{
    EncapsulateError, InvalidPeerKey, KeyPairError, KeyPairSpec, Message, PrivateKey, PublicEncryptError,
    PublicKey, RsaEncryption, RsaVerifyingKey, SignError, SigningAlgorithm, UnknownName, VerifyError,
};
pub use mac_key::{InvalidMac, MacAlgorithm, MacKey, MacKeyLength};
pub use random::SystemRandomness;
pub use seal::{Binding, DamagedSeal, SECRET_MAX, SealError, Sealed, SealingKey};
