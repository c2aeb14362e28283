//! What is looked up, and where it is.

use base::{AccountId, Region, Timestamp};

use super::event::LoggedEvent;
use super::term::{Attribute, Category, Scope, Term};

/// The place of an event among all: by time, and within a second by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// `eventTime`, in seconds since 1970.
    pub seconds: i64,
    /// Its number in the log.
    pub sequence: u64,
}

/// Which events are looked up. What is not said is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The account whose events they are.
    pub account: Option<AccountId>,
    /// Their Region.
    pub region: Option<Region>,
    /// Management events, or all others.
    pub category: Option<Category>,
    /// A value of an attribute.
    pub attribute: Option<(Attribute, String)>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Not after this moment.
    pub to: Option<Timestamp>,
    /// Only events that come behind this one when the newest come first.
    pub behind: Option<Position>,
}

/// The bounds of a query in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The first second.
    pub(super) from: i64,
    /// What all positions lie below.
    pub(super) below: Position,
}

/// Where the line of an event is in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: Position,
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl LoggedEvent {
    /// Its place among all events.
    pub fn position(&self) -> Position {
        Position { seconds: self.time.seconds(), sequence: self.sequence }
    }
}

impl Query {
    /// Times of events have no parts of seconds, those of queries may.
    pub(super) fn bounds(&self) -> Bounds {
        let from = self.from.map_or(i64::MIN, |from| from.plus_millis(999).seconds());
        let behind_last = |to: Timestamp| Position { seconds: to.seconds().saturating_add(1), sequence: 0 };
        let most = Position { seconds: i64::MAX, sequence: u64::MAX };
        let below = self.to.map_or(most, behind_last).min(self.behind.unwrap_or(most));
        Bounds { from, below }
    }

    pub(super) fn wants_scope(&self, scope: &Scope) -> bool {
        self.account.is_none_or(|account| account == scope.account)
            && self.region.is_none_or(|region| region == scope.region)
            && self.category.is_none_or(|category| category == scope.category)
    }

    /// The one scope that it is about, if it is about one.
    pub(super) fn only_scope(&self) -> Option<Scope> {
        Some(Scope { account: self.account?, region: self.region?, category: self.category? })
    }

    /// The same, of one scope alone.
    pub(super) fn within(self, scope: Scope) -> Self {
        let Scope { account, region, category } = scope;
        Self { account: Some(account), region: Some(region), category: Some(category), ..self }
    }

    pub(super) fn term(&self, scope: &Scope) -> Term {
        scope.term(self.attribute.as_ref().map(|(attribute, value)| (*attribute, value.as_str())))
    }

    /// Whether it asks for this event.
    pub fn wants(&self, event: &LoggedEvent) -> bool {
        self.wants_scope(&event.scope)
            && self.attribute.as_ref().is_none_or(|(attribute, value)| event.has(*attribute, value))
            && self.bounds().allow(event.position())
    }
}

impl Bounds {
    pub(super) fn allow(&self, position: Position) -> bool {
        position.seconds >= self.from && position < self.below
    }
}
