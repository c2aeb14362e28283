//! The trail: one record in CloudTrail's form for each mutation, committed together with it and kept in files.
//!
//! A service makes a [`MutationRecord`] and puts its bytes into the outbox of the very transaction that it records:
//! no effect without a record, no record without its effect. [`Trail::drain`] moves the outbox, in order, into
//! append-only files of one JSON event a line, each event exactly once.
//!
//! Not here yet: reads, refused calls, request parameters and response elements, signed digests, delivery, look-up.

mod event_file;
pub mod index;
pub mod log;
mod record;
mod trail;
pub mod trails;
mod user_identity;

pub use record::{EventId, MutationRecord, RecordError};
pub use trail::{Trail, TrailError};
