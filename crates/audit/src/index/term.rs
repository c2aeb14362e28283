//! By what events are looked up.

use std::hash::Hasher;

use base::{AccountId, Region};
use crypto::digest::Sha256;

/// What LookupEvents looks events up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attribute {
    /// The event's id.
    EventId,
    /// The operation.
    EventName,
    /// `true` or `false`.
    ReadOnly,
    /// Who did it.
    Username,
    /// The type of what it was about.
    ResourceType,
    /// The name of what it was about.
    ResourceName,
    /// The service.
    EventSource,
    /// The key that signed it.
    AccessKeyId,
}

/// The kinds of events that are kept apart: LookupEvents gives management events alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Management events.
    Management,
    /// All others, such as data events.
    Other,
}

/// Events that are looked up together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// `recipientAccountId`.
    pub account: AccountId,
    /// `awsRegion`.
    pub region: Region,
    /// `eventCategory`.
    pub category: Category,
}

/// What stands in an index for a value of an attribute within a scope, or for all events of the scope: 64 bits of a digest.
/// Two of them can meet, so whatever is found is compared with the event itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Term(pub(super) u64);

/// A term is part of a digest already: hashed once more it would spread no better.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TermHasher(u64);

impl Hasher for TermHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, term: u64) {
        self.0 = term;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

/// How many attributes there are.
const ATTRIBUTES: usize = 8;

impl Attribute {
    /// Its number in index files, from 1 to [`ATTRIBUTES`]; never changed.
    fn number(self) -> u8 {
        match self {
            Self::EventId => 1,
            Self::EventName => 2,
            Self::ReadOnly => 3,
            Self::Username => 4,
            Self::ResourceType => 5,
            Self::ResourceName => 6,
            Self::EventSource => 7,
            Self::AccessKeyId => 8,
        }
    }

    /// What counts of a value. A key is the same by its ARN and by its id.
    fn essence(self, value: &str) -> &str {
        let id = if self == Self::ResourceName { value.split_once(":key/") } else { None };
        id.map_or(value, |(_, id)| id)
    }
}

impl Category {
    /// Its number in index files; never changed.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Management => 0,
            Self::Other => 1,
        }
    }

    pub(super) fn of_number(number: u8) -> Option<Self> {
        [Self::Management, Self::Other].into_iter().find(|category| category.number() == number)
    }
}

impl Scope {
    /// The term of an attribute's value, or of all events. A key has one term by its ARN and by its id.
    pub(super) fn term(&self, attribute: Option<(Attribute, &str)>) -> Term {
        let region = self.region.as_str().as_bytes();
        let mut digest = Sha256::new();
        digest.update(&self.account.number().to_le_bytes());
        digest.update(&[self.category.number(), u8::try_from(region.len()).unwrap_or(u8::MAX)]);
        digest.update(region);
        if let Some((attribute, value)) = attribute {
            digest.update(&[attribute.number()]);
            digest.update(attribute.essence(value).as_bytes());
        }
        let [a, b, c, d, e, f, g, h, ..] = digest.finish();
        Term(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// Finds the terms of one event after the other. Most values are those of an event shortly before.
#[derive(Debug, Default)]
pub(super) struct Terms {
    of_all: Option<(Scope, Term)>,
    last: [Option<(Scope, String, Term)>; ATTRIBUTES],
}

impl Terms {
    /// The term of all events of a scope.
    pub(super) fn of_all(&mut self, scope: Scope) -> Term {
        match self.of_all {
            Some((last, term)) if last == scope => term,
            _ => self.of_all.insert((scope, scope.term(None))).1,
        }
    }

    /// The term of an attribute's value.
    pub(super) fn of(&mut self, scope: Scope, attribute: Attribute, value: &str) -> Term {
        let value = attribute.essence(value);
        let place = self.last.get_mut(usize::from(attribute.number()) - 1);
        if let Some(Some((last_scope, last, term))) = &place
            && *last_scope == scope
            && last == value
        {
            return *term;
        }
        let term = scope.term(Some((attribute, value)));
        match place {
            Some(Some((last_scope, last, last_term))) => {
                (*last_scope, *last_term) = (scope, term);
                value.clone_into(last);
            }
            Some(place) => *place = Some((scope, value.to_owned(), term)),
            None => {}
        }
        term
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_term_by_arn_and_by_id() {
        let scope = Scope {
            account: AccountId::from_number(1).unwrap(),
            region: "eu-central-1".parse().unwrap(),
            category: Category::Management,
        };
        let of = |attribute, value| scope.term(Some((attribute, value)));
        let arn = "arn:aws:kms:eu-central-1:000000000001:key/12";
        assert_eq!(of(Attribute::ResourceName, arn), of(Attribute::ResourceName, "12"));
        assert_ne!(of(Attribute::ResourceName, arn), of(Attribute::ResourceName, "13"));
        assert_ne!(of(Attribute::Username, arn), of(Attribute::Username, "12"));
    }

    #[test]
    fn terms_differ_in_everything_that_they_are_made_of() {
        let scope = |account, region: &str, category| Scope {
            account: AccountId::from_number(account).unwrap(),
            region: region.parse().unwrap(),
            category,
        };
        let one = scope(1, "eu-central-1", Category::Management);
        let terms = [
            one.term(None),
            scope(2, "eu-central-1", Category::Management).term(None),
            scope(1, "eu-central-12", Category::Management).term(None),
            scope(1, "eu-central-1", Category::Other).term(None),
            one.term(Some((Attribute::EventName, "a"))),
            one.term(Some((Attribute::EventId, "a"))),
            one.term(Some((Attribute::EventId, "b"))),
            one.term(Some((Attribute::EventId, ""))),
        ];
        let different: std::collections::BTreeSet<_> = terms.iter().collect();
        assert_eq!(different.len(), terms.len());
    }
}
