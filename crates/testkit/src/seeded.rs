//! Randomness that repeats.

use std::sync::Mutex;

use base::{Randomness, RandomnessUnavailable};

/// Bytes that depend only on the seed and on how many were drawn before (SplitMix64). For tests only.
pub struct SeededRandomness(Mutex<u64>);

impl SeededRandomness {
    /// Starts from `seed`; print it when a test fails.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        let mut state = self.0.lock().map_err(|_| RandomnessUnavailable)?;
        for chunk in out.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            for (to, from) in chunk.iter_mut().zip(mixed.to_le_bytes()) {
                *to = from;
            }
        }
        Ok(())
    }
}
