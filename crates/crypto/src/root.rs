//! The root: the key above all others, and the file that keeps it.
//!
//! The root key is random and never changes; it seals domain keys and nothing else. The file holds it either sealed
//! under a passphrase (Argon2id, RFC 9106) or, for development, as it is. Changing the passphrase rewrites this one
//! file; domain keys, key material and ciphertexts stay as they are.

mod contents;
mod error;
mod passphrase;
mod replace;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base::{Randomness, SecretArray, SecretBytes, SecretString};
use zeroize::Zeroizing;

use crate::seal::{Binding, DamagedSeal, SealError, Sealed, SealingKey};
use contents::{Kept, NotReadable};
pub use error::RootError;
use passphrase::Derivation;
use replace::Existing;

/// Largest file that is read, in bytes; a root file has less than one KiB.
const FILE_MAX: u64 = 16 * 1024;

/// The live root key. It seals and opens domain keys; it cannot be cloned, printed or stored.
pub struct RootKey(SealingKey);

/// A root file that was read but not yet unlocked.
pub struct RootFile {
    path: PathBuf,
    kept: Kept,
}

/// How a root file protects the root key.
#[derive(Clone, Copy)]
pub enum Protection<'a> {
    /// Sealed under this passphrase; an empty one is refused.
    Passphrase(&'a SecretString),
    /// Not at all, beyond the file's mode 0600. For development.
    Plain,
}

impl RootKey {
    /// Seals a domain key or a check value. See [`SealingKey::seal`].
    ///
    /// # Errors
    /// As [`SealingKey::seal`].
    pub fn seal(
        &self,
        binding: &Binding,
        secret: &[u8],
        randomness: &dyn Randomness,
    ) -> Result<Sealed, SealError> {
        self.0.seal(binding, secret, randomness)
    }

    /// Opens what this root sealed under an equal binding.
    ///
    /// # Errors
    /// Anything else, always the same error.
    pub fn open(&self, binding: &Binding, sealed: &Sealed) -> Result<SecretBytes, DamagedSeal> {
        self.0.open(binding, sealed)
    }

    fn copy_of(secret: &SecretArray<32>) -> Self {
        let mut copy = SecretArray::zeroed();
        copy.expose_mut().copy_from_slice(secret.expose());
        Self(SealingKey::from_secret(copy))
    }
}

impl RootFile {
    /// Makes a new root and its file (mode 0600), whole or not at all. The file is durable when this returns.
    ///
    /// # Errors
    /// A file is there already, the passphrase is empty, or the system refuses.
    pub fn create(
        path: &Path,
        protection: Protection<'_>,
        randomness: &dyn Randomness,
    ) -> Result<Self, RootError> {
        let root = RootKey(SealingKey::generate(randomness)?);
        Self::write(path, &root, protection, Existing::Keep, randomness)
    }

    /// Removes what a crash left of writing this file: a copy of the root, under the protection that it had then. Nobody else
    /// may be writing.
    ///
    /// # Errors
    /// The folder cannot be read, or the copy not removed.
    pub fn remove_unfinished(path: &Path) -> Result<(), RootError> {
        replace::remove_unfinished(path).map_err(|source| RootError::writing(path, source))
    }

    /// Reads a root file.
    ///
    /// # Errors
    /// The file is missing, open to others, damaged or newer than this release, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, RootError> {
        let bytes = read(path)?;
        let kept = contents::read(&bytes).map_err(|reason| match reason {
            NotReadable::Newer(version) => RootError::Newer { path: path.into(), version },
            NotReadable::Damaged => RootError::Damaged { path: path.into() },
        })?;
        Ok(Self { path: path.into(), kept })
    }

    /// Whether [`unlock`](Self::unlock) needs a passphrase.
    pub fn needs_passphrase(&self) -> bool {
        match self.kept {
            Kept::Plain { .. } => false,
            Kept::Passphrase { .. } => true,
        }
    }

    /// The root key. With a passphrase this takes a tenth of a second and 64 MiB on purpose.
    ///
    /// # Errors
    /// The passphrase is missing, wrong or not needed, or there is not enough memory.
    pub fn unlock(&self, passphrase: Option<&SecretString>) -> Result<RootKey, RootError> {
        match (&self.kept, passphrase) {
            (Kept::Plain { root_key, .. }, None) => Ok(RootKey::copy_of(root_key.secret())),
            (Kept::Plain { .. }, Some(_)) => Err(RootError::PassphraseUnused { path: self.path.clone() }),
            (Kept::Passphrase { .. }, None) => Err(RootError::PassphraseNeeded { path: self.path.clone() }),
            (Kept::Passphrase { argon2id, sealed_root_key }, Some(passphrase)) => {
                let wrong = || RootError::WrongPassphrase { path: self.path.clone() };
                let key = argon2id.derive(passphrase)?;
                let secret = key.open(&argon2id.binding(), sealed_root_key).map_err(|_| wrong())?;
                let secret = SecretArray::copy_from(secret.expose()).ok_or_else(wrong)?;
                Ok(RootKey(SealingKey::from_secret(secret)))
            }
        }
    }

    /// Keeps the same root key under another protection; the file is replaced whole or not at all.
    ///
    /// # Errors
    /// As [`unlock`](Self::unlock) for the old protection and [`create`](Self::create) for the new one. After an error
    /// the old file still stands, unless only its durability could not be confirmed.
    pub fn change_protection(
        &mut self,
        old: Option<&SecretString>,
        new: Protection<'_>,
        randomness: &dyn Randomness,
    ) -> Result<(), RootError> {
        let root = self.unlock(old)?;
        *self = Self::write(&self.path, &root, new, Existing::Replace, randomness)?;
        Ok(())
    }

    fn write(
        path: &Path,
        root: &RootKey,
        protection: Protection<'_>,
        existing: Existing,
        randomness: &dyn Randomness,
    ) -> Result<Self, RootError> {
        let kept = keep(root, protection, randomness)?;
        let mut unique = [0; 8];
        randomness.fill(&mut unique)?;
        let io_error = |source| RootError::writing(path, source);
        let bytes = contents::write(&kept).map_err(|error| io_error(error.into()))?;
        replace::write(path, &bytes, existing, u64::from_be_bytes(unique)).map_err(io_error)?;
        Ok(Self { path: path.into(), kept })
    }
}

fn keep(root: &RootKey, protection: Protection<'_>, randomness: &dyn Randomness) -> Result<Kept, RootError> {
    let secret = root.0.expose_for_sealing();
    match protection {
        Protection::Plain => Ok(Kept::plain(secret)),
        Protection::Passphrase(passphrase) => {
            let argon2id = Derivation::new(randomness)?;
            let key = argon2id.derive(passphrase)?;
            let sealed = key.seal(&argon2id.binding(), secret.expose(), randomness);
            let sealed_root_key = sealed.map_err(|_| RootError::Library)?;
            Ok(Kept::Passphrase { argon2id, sealed_root_key })
        }
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, RootError> {
    let io_error = |source| RootError::reading(path, source);
    // Asked before opening: opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(io_error)?.is_file() {
        return Err(io_error(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    let file = File::open(path).map_err(io_error)?;
    let mode = file.metadata().map_err(io_error)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(RootError::OpenToOthers { path: path.into(), mode });
    }
    // Room for the whole file at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(FILE_MAX + 1).unwrap_or_default()));
    let length = file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(io_error)?;
    if u64::try_from(length).is_ok_and(|length| length <= FILE_MAX) {
        Ok(bytes)
    } else {
        Err(RootError::Damaged { path: path.into() })
    }
}

#[cfg(test)]
mod tests;
