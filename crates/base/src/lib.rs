//! The words every room shares: accounts, Regions, ARNs, key ids, callers, time and secrets.
//!
//! No I/O, no async, no cryptography, and no other room of Keywright.

mod account;
mod arn;
mod call;
mod caller;
mod clock;
mod event;
mod key_id;
mod random;
mod region;
mod secret;

pub use account::{AccountId, AccountIdError};
pub use arn::{Arn, ArnError};
pub use call::{Call, CallIds, CallingService, InvalidRequestId, RequestId, ServiceCall, UnsignedCall};
pub use caller::{Caller, Federation, Principal, Session, SessionPolicies};
pub use clock::{Clock, SettableClock, SystemClock, Timestamp, TimestampError};
pub use event::{
    EventDetails, EventId, EventNotes, EventResource, EventTokenHolder, EventValue, InvalidEventId,
    TlsDetails,
};
pub use key_id::{KeyArn, KeyId, KeyIdError};
pub use random::{Randomness, RandomnessUnavailable};
pub use region::{Region, RegionError};
pub use secret::{SecretArray, SecretBytes, SecretString};
