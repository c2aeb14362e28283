//! The key service from outside, over a real store and a clock that tests move.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bench;
mod decisions;
mod forward_access;
mod grants;
mod key_access;
mod lifecycle;
mod limits;
mod multi_region;
mod people;
mod recipient;
mod request_quotas;
mod rules;
mod scale;
mod usage;
mod watched_store;
