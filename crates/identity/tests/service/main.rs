//! The room over the real store.
#![expect(clippy::unwrap_used, reason = "tests")]

mod authorization;
mod credentials;
mod iam;
mod identities;
mod scene;
mod sessions;
mod simulation;
