//! The trail: an event in CloudTrail's form of each call, allowed or denied, logged before its answer leaves.
//!
//! A service follows each of its calls with [`Trail::begin`] and logs what came of it with [`Recording::finish`]. A change
//! carries its event into the outbox of the very transaction that makes it ([`Trail::beside_change`]): no effect without an
//! event, whatever happens before the call is over. [`log`] keeps the events, and [`index`] finds them.

pub mod delivery;
pub mod index;
mod json;
pub mod log;
mod record;
mod trail;
pub mod trails;
mod user_identity;
pub mod verification;

pub use record::{EventError, EventName, ServiceEvent};
pub use trail::{KnownReasons, NoReasons, Recording, Trail, TrailError};
