//! The port through which rooms get random bytes.

/// A source of cryptographically secure random bytes. `crypto` has the real one, tests a seeded one.
pub trait Randomness: Send + Sync {
    /// Fills `out` completely or fails; never leaves it half filled and reports success.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomnessUnavailable>;
}

/// The system gave no random bytes. The request that needed them fails; nothing is done with weaker ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator gave no bytes")]
pub struct RandomnessUnavailable;
