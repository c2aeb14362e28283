//! The CloudTrail service: looking events up, and the trails of accounts.
//!
//! There is one trail that the operator has: of all accounts, always on. Each account sees it as its own and cannot change
//! it. Beside it an account can have trails of its own, which are kept here ([`StoredTrails`]) and delivered by `audit`.
//!
//! Whom it asks about other services, and about delivery, are ports.

mod authorize;
mod error;
mod lookup_rate;
mod lookup_token;
mod ops;
mod ports;
mod record;
mod selectors;
mod stored_trails;
mod table;
mod told;
mod trail_name;

use std::sync::Arc;

use audit::Trail;
use audit::index::Index;
use policy::Witness;
use store::Store;

pub use error::CloudTrailError;
pub use ports::{CallerRights, Callers, Delivered, Deliveries, PortError, PublicKey};
pub use stored_trails::StoredTrails;
pub use table::{Operation, Refused};

use lookup_rate::LookupRate;

/// The service.
pub struct CloudTrail {
    trails: Arc<StoredTrails>,
    store: Arc<dyn Store>,
    index: Arc<Index>,
    trail: Arc<Trail>,
    callers: Arc<dyn Callers>,
    deliveries: Arc<dyn Deliveries>,
    witness: Arc<dyn Witness>,
    lookup_days: u32,
    lookup_rate: LookupRate,
    /// Held while trails are changed: there are few, and they are counted.
    changing: tokio::sync::Mutex<()>,
}

/// What the service is made of.
pub struct Parties {
    /// Where trails are kept.
    pub store: Arc<dyn Store>,
    /// The trails.
    pub trails: Arc<StoredTrails>,
    /// Finds events.
    pub index: Arc<Index>,
    /// Is told of every call.
    pub trail: Arc<Trail>,
    /// Knows what callers may do.
    pub callers: Arc<dyn Callers>,
    /// Knows what was delivered, and under which keys.
    pub deliveries: Arc<dyn Deliveries>,
    /// Is told what was decided.
    pub witness: Arc<dyn Witness>,
    /// How far back events can be looked up, in days; 90 at AWS.
    pub lookup_days: u32,
}

impl CloudTrail {
    /// The service.
    pub fn new(parties: Parties) -> Self {
        Self {
            trails: parties.trails,
            store: parties.store,
            index: parties.index,
            trail: parties.trail,
            callers: parties.callers,
            deliveries: parties.deliveries,
            witness: parties.witness,
            lookup_days: parties.lookup_days,
            lookup_rate: LookupRate::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }
}
