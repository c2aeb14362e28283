//! The real source of random bytes.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base::{Randomness, RandomnessUnavailable};

/// The random generator of aws-lc: SP 800-90A CTR_DRBG with AES-256, seeded by the operating system.
pub struct SystemRandomness(SystemRandom);

impl SystemRandomness {
    /// Opens the generator.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl Randomness for SystemRandomness {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        self.0.fill(out).map_err(|_| RandomnessUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let random = SystemRandomness::new();
        let (mut first, mut second) = ([0; 32], [0; 32]);
        random.fill(&mut first).unwrap();
        random.fill(&mut second).unwrap();
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
