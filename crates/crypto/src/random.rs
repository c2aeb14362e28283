//! The real source of random bytes.

use std::cell::RefCell;

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

    fn fill_public(&self, out: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        DRAWN.with_borrow_mut(|drawn| drawn.take(out, |room| self.fill(room)))
    }
}

/// Bytes that are drawn together: a draw of these costs three of 32 bytes.
const DRAWN_BYTES: usize = 1_024;

thread_local! {
    /// For nonces and ids of the calls that this thread serves.
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; DRAWN_BYTES], left: 0 }) };
}

/// Random bytes that nobody has got yet: the first so many.
struct Drawn {
    bytes: [u8; DRAWN_BYTES],
    left: usize,
}

impl Drawn {
    /// Hands bytes out and keeps no copy of them; draws anew if there are too few.
    fn take(
        &mut self,
        out: &mut [u8],
        draw: impl Fn(&mut [u8]) -> Result<(), RandomnessUnavailable>,
    ) -> Result<(), RandomnessUnavailable> {
        if out.len() > DRAWN_BYTES {
            return draw(out);
        }
        if out.len() > self.left {
            self.left = 0;
            draw(&mut self.bytes)?;
            self.left = DRAWN_BYTES;
        }
        let start = self.left - out.len();
        let taken = self.bytes.get_mut(start..self.left).ok_or(RandomnessUnavailable)?;
        out.copy_from_slice(taken);
        taken.fill(0);
        self.left = start;
        Ok(())
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

    #[test]
    fn what_everybody_may_see_is_handed_out_once() {
        let random = SystemRandomness::new();
        let mut seen = std::collections::HashSet::new();
        for length in [16, 28, 32, 1_000, 1_024, 1_025, 5_000, 16] {
            for _ in 0..100 {
                let mut drawn = vec![0; length];
                random.fill_public(&mut drawn).unwrap();
                assert!(seen.insert(drawn[..16].to_vec()), "{length}");
                assert_ne!(drawn[length - 16..], [0; 16]);
            }
        }
    }

    #[test]
    fn what_was_handed_out_is_gone_and_a_draw_that_fails_hands_out_nothing() {
        let mut drawn = Drawn { bytes: [0; DRAWN_BYTES], left: 0 };
        let draw = |room: &mut [u8]| {
            room.fill(7);
            Ok(())
        };
        let mut out = [0; 24];
        drawn.take(&mut out, draw).unwrap();
        assert_eq!((out, drawn.left), ([7; 24], DRAWN_BYTES - 24));
        assert_eq!(drawn.bytes[DRAWN_BYTES - 24..], [0; 24]);
        assert_eq!(drawn.bytes[..DRAWN_BYTES - 24], [7; DRAWN_BYTES - 24]);
        let mut more = [0; DRAWN_BYTES];
        assert_eq!(drawn.take(&mut more, |_| Err(RandomnessUnavailable)), Err(RandomnessUnavailable));
        assert_eq!((more, drawn.left), ([0; DRAWN_BYTES], 0));
    }
}
