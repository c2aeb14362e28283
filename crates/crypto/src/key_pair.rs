//! Key pairs: what KMS asymmetric keys and data key pairs are made of.
//!
//! RSA (RFC 8017), ECDSA and ECDH on the NIST curves and secp256k1 (FIPS 186-5, SP 800-56A), Ed25519 and Ed25519ph
//! (RFC 8032), ML-DSA (FIPS 204) and ML-KEM (FIPS 203). aws-lc does the work, except for the two things that its safe
//! interface does not offer: Ed25519ph (ed25519-dalek) and ML-DSA with a message representative computed elsewhere
//! (ml-dsa); and except for signatures on secp256k1 (k256), where it is slow.
//!
//! A [`PrivateKey`] is parsed once and then used any number of times, from any thread. Generation of RSA keys takes
//! tens to hundreds of milliseconds, and RSA signing about one: neither belongs on a thread that answers connections.

mod der;
mod external_mu;
mod hedge;
mod library;
mod message;
mod pkcs1;
mod private_key;
mod public_key;
mod secp256k1;
pub(crate) mod spec;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub(crate) use der::is_one_sequence;
pub use message::Message;
pub use pkcs1::RsaVerifyingKey;
pub use private_key::{InvalidPeerKey, KeyPairError, PrivateKey, SignError};
pub use public_key::{EncapsulateError, PublicEncryptError, PublicKey, VerifyError};
pub use spec::{KeyPairSpec, RsaEncryption, SigningAlgorithm, UnknownName};
