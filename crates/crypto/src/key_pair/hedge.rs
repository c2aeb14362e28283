//! The random generator of aws-lc in the form that the other libraries ask for.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use ml_dsa::signature::rand_core::{TryCryptoRng, TryRng};

/// Randomness for signatures that would be safe without it, and are safer with it.
pub(super) struct Hedge(SystemRandom);

impl Hedge {
    pub(super) fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl TryRng for Hedge {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(out).map_err(|_| std::fmt::Error)
    }
}

impl TryCryptoRng for Hedge {}
