//! The room over the real store.
#![expect(clippy::unwrap_used, reason = "tests")]

mod credentials;
mod identities;
mod scene;
