//! Keywright's own service: what AWS's services do not tell. Why a request was denied, who can do what with a key,
//! and what depends on a key; and backups of all that there is.
//!
//! Its operations are called like those of AWS's services, signed for the service `keywright`, and are authorized like them:
//! by identity policies, with actions `keywright:<operation>`. Whom they ask about other services are ports; nothing of
//! theirs is read behind their backs.

mod authorize;
mod error;
mod failure_message;
mod known_decisions;
mod marker;
mod ops;
mod ports;
mod table;
mod told;

use std::sync::Arc;

use audit::Trail;

pub use error::ManagementError;
pub use known_decisions::KnownDecisions;
pub use ports::{
    BackupBegun, BackupPieces, Backups, BackupsError, CallerRights, KeyNames, KeyOutline, Keys, Part, People,
    PortError, PossibleAction, Usage, UsageError, UsageOfBucket, UsagePage, Whom,
};
pub use table::{Operation, Refused};

/// The service.
pub struct Management {
    decisions: Arc<KnownDecisions>,
    keys: Arc<dyn Keys>,
    people: Arc<dyn People>,
    usage: Arc<dyn Usage>,
    backups: Arc<dyn Backups>,
    trail: Arc<Trail>,
}

impl Management {
    /// The service, which tells of decisions that were noted, of keys, of people and of what depends on keys, and has backups
    /// made. The trail is told of every call.
    pub fn new(
        decisions: Arc<KnownDecisions>,
        keys: Arc<dyn Keys>,
        people: Arc<dyn People>,
        usage: Arc<dyn Usage>,
        backups: Arc<dyn Backups>,
        trail: Arc<Trail>,
    ) -> Self {
        Self { decisions, keys, people, usage, backups, trail }
    }
}
