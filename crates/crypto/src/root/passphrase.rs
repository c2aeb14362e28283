//! From a passphrase to a key: Argon2id, RFC 9106.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base::{Randomness, RandomnessUnavailable, SecretArray, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base64_text;
use crate::seal::{Binding, SealingKey};

/// Most memory that a file may ask for, in KiB (1 GiB).
const MEMORY_KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;
const SALT: usize = 16;
const SALT_MAX: usize = 64;

/// The parameters of one derivation, as they stand in the root file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derivation {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "base64_text")]
    salt: Vec<u8>,
}

/// No key came out.
pub(super) enum DerivationError {
    EmptyPassphrase,
    OutOfMemory { memory_kib: u32 },
    Refused,
}

impl Derivation {
    /// Memory and passes of the second recommended option (RFC 9106 section 4), a fresh salt; one lane, because the
    /// lanes are worked through one after another here.
    pub(super) fn new(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut salt = vec![0; SALT];
        randomness.fill(&mut salt)?;
        Ok(Self { memory_kib: 64 * 1024, passes: 3, lanes: 1, salt })
    }

    /// Whether the parameters can be worked with: a hostile file must not demand the machine's memory or a day.
    pub(super) fn is_within_bounds(&self) -> bool {
        self.memory_kib <= MEMORY_KIB_MAX
            && self.passes <= PASSES_MAX
            && self.lanes <= LANES_MAX
            && (argon2::MIN_SALT_LEN..=SALT_MAX).contains(&self.salt.len())
            && self.params().is_ok()
    }

    /// The key that this passphrase gives.
    pub(super) fn derive(&self, passphrase: &SecretString) -> Result<SealingKey, DerivationError> {
        if passphrase.expose().is_empty() {
            return Err(DerivationError::EmptyPassphrase);
        }
        let params = self.params().map_err(|_| DerivationError::Refused)?;
        let mut blocks = self.blocks(&params)?;
        let mut secret = SecretArray::<32>::zeroed();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose().as_bytes(),
                &self.salt,
                secret.expose_mut(),
                &mut blocks[..],
            )
            .map_err(|_| DerivationError::Refused)?;
        Ok(SealingKey::from_secret(secret))
    }

    /// Binds the sealed root key to these parameters.
    pub(super) fn binding(&self) -> Binding {
        Binding::new("keywright root key")
            .part(b"argon2id")
            .part(&self.memory_kib.to_be_bytes())
            .part(&self.passes.to_be_bytes())
            .part(&self.lanes.to_be_bytes())
            .part(&self.salt)
    }

    fn params(&self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
    }

    fn blocks(&self, params: &Params) -> Result<Zeroizing<Vec<Block>>, DerivationError> {
        let mut blocks = Zeroizing::new(Vec::new());
        blocks
            .try_reserve_exact(params.block_count())
            .map_err(|_| DerivationError::OutOfMemory { memory_kib: self.memory_kib })?;
        blocks.resize(params.block_count(), Block::new());
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derivation(memory_kib: u32, passes: u32, lanes: u32, salt: usize) -> Derivation {
        Derivation { memory_kib, passes, lanes, salt: vec![2; salt] }
    }

    #[test]
    fn parameters_are_bounded() {
        for good in [(8, 1, 1, 8), (64 * 1024, 3, 1, 16), (MEMORY_KIB_MAX, PASSES_MAX, LANES_MAX, SALT_MAX)] {
            assert!(derivation(good.0, good.1, good.2, good.3).is_within_bounds(), "{good:?}");
        }
        for bad in [
            (7, 1, 1, 16),
            (8, 0, 1, 16),
            (8, 1, 0, 16),
            (8, 1, 2, 16),
            (8, 1, 1, 7),
            (8, 1, 1, SALT_MAX + 1),
            (MEMORY_KIB_MAX + 1, 1, 1, 16),
            (u32::MAX, 1, 1, 16),
            (64, PASSES_MAX + 1, 1, 16),
            (1 << 20, 1, LANES_MAX + 1, 16),
            (1 << 20, 1, u32::MAX, 16),
        ] {
            assert!(!derivation(bad.0, bad.1, bad.2, bad.3).is_within_bounds(), "{bad:?}");
        }
    }

    #[test]
    fn the_derivation_is_argon2id() {
        // Computed with the reference implementation of the Argon2 authors.
        let expected = [
            0x06, 0x73, 0x4c, 0xfd, 0x98, 0xc2, 0x24, 0x4b, 0x7e, 0x42, 0x08, 0x0a, 0xde, 0xae, 0x2f, 0x05,
            0x56, 0xd9, 0xb8, 0x39, 0x87, 0x9f, 0x04, 0xff, 0x09, 0x9e, 0x41, 0xe4, 0x92, 0xa4, 0x41, 0x41,
        ];
        let key = derivation(64, 2, 1, 16).derive(&SecretString::new("password".into())).ok().unwrap();
        assert_eq!(key.expose_for_sealing().expose(), &expected);
    }

    #[test]
    fn every_parameter_changes_the_key() {
        let passphrase = SecretString::new("password".into());
        let key = |derivation: Derivation, passphrase: &SecretString| match derivation.derive(passphrase) {
            Ok(key) => *key.expose_for_sealing().expose(),
            Err(_) => panic!("not derived"),
        };
        let expected = key(derivation(64, 2, 1, 16), &passphrase);
        assert_eq!(key(derivation(64, 2, 1, 16), &passphrase), expected);
        for (memory, passes, lanes, salt) in [(65, 2, 1, 16), (64, 1, 1, 16), (64, 2, 2, 16), (64, 2, 1, 17)]
        {
            assert_ne!(key(derivation(memory, passes, lanes, salt), &passphrase), expected);
        }
        assert_ne!(key(derivation(64, 2, 1, 16), &SecretString::new("Password".into())), expected);
    }
}
