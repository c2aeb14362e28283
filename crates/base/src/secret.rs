//! Secret bytes as types: they cannot be printed, cloned, compared or serialised, and are wiped when dropped.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Secret bytes of any length: plaintexts, data keys, passphrases read from a file.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes ownership of the bytes; the caller keeps no copy.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// `length` zero bytes, to be filled in place.
    pub fn zeroed(length: usize) -> Self {
        Self(vec![0; length])
    }

    /// The bytes themselves. Look twice at where they go from here.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be written in place.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Number of bytes; a length is not secret here.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A secret of fixed length: keys.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretArray<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretArray<N> {
    /// All zero, to be filled in place: no copy stays behind on the stack.
    pub fn zeroed() -> Self {
        Self(Box::new([0; N]))
    }

    /// A copy of `bytes`, if there are exactly N.
    pub fn copy_from(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self::zeroed();
        if bytes.len() != N {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    /// The bytes themselves. Look twice at where they go from here.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be written in place.
    pub fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

/// A secret text: the secret half of an access key, a passphrase.
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes ownership of the text; the caller keeps no copy.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Look twice at where it goes from here.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
