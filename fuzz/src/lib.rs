//! Hostile input for every parser and codec of Keywright.
//!
//! A [`Target`] takes bytes and panics if something happens that must never happen. `make fuzz` has libFuzzer make the
//! bytes, guided by what they reach; `cargo test` replays the seeds, the regressions and a fixed number of mutations
//! (`tests/smoke`). A target is a file in `targets/` and a row in [`TARGETS`].
//!
//! Nothing that ships may name this crate.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is a test"
)]

mod bench;
mod bucket_bench;
mod corpus;
mod forgetful_blobs;
mod forgetful_store;
mod regressions;
mod scene;
mod scratch;
mod sent;
mod targets;
mod trail_bench;

pub use regressions::regressions;
pub use targets::TARGETS;

/// One parser or codec, and what must hold of it.
pub struct Target {
    /// As `make fuzz TARGET=…` names it: the name of its file.
    pub name: &'static str,
    /// Hands it one input. Panics if something that must hold does not.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of its language, to put into inputs.
    pub words: &'static [&'static str],
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}
