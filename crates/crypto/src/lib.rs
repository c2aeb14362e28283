//! Cryptography: digests, key material, the ciphertext format, seals and roots.
//!
//! The only room that names a cryptography library (aws-lc-rs, and argon2 for passphrases). Every failure to open a
//! ciphertext or a seal is one error without a reason, so that no caller can learn which part was wrong.

pub mod digest;
mod random;

pub use random::SystemRandomness;
