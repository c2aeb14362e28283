//! Lengths that an operator may raise above the service model's.

/// How long some members of requests may be. Where the model admits more, the model counts; so the default, 0, leaves
/// the model as it is. Which members these are is said where the types are generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that Encrypt takes.
    pub plaintext: usize,
    /// Bytes that Decrypt and ReEncrypt take.
    pub ciphertext: usize,
}
