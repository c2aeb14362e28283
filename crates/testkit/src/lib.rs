//! What tests share: seeded randomness, a clock that stands still, readers for `corpus/`, explored interleavings.
//!
//! A development dependency only; nothing that ships may name this crate.

mod corpus;
mod frozen_clock;
pub mod interleavings;
mod seeded;

pub use corpus::{corpus_path, read_corpus};
pub use frozen_clock::FrozenClock;
pub use seeded::SeededRandomness;
