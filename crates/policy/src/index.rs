//! Which statements of a policy are about an action, so that the others cost nothing.

use std::collections::BTreeMap;

use crate::action::{Action, KmsAction};
use crate::statement::Statement;

/// Up to this many statements, a look at each is quicker than any index.
const FEW: usize = 4;

/// Places of statements, in the order of the document.
type Places = Box<[u16]>;

/// Finds statements by action.
#[derive(Debug)]
pub(crate) enum Index {
    /// So few statements that all are looked at.
    Few(Places),
    /// Statements by action.
    Many(Box<ByAction>),
}

#[derive(Debug)]
pub(crate) struct ByAction {
    /// For each action of KMS, by its number.
    kms: Box<[Places]>,
    /// Of other services: those that only list single actions, by the action, sorted.
    listed: Box<[Listed]>,
    /// All the rest.
    other: Places,
}

/// Statements that list one action, whose service and name are in lower case.
#[derive(Debug)]
pub(crate) struct Listed {
    service: Box<str>,
    name: Box<str>,
    places: Places,
}

impl Index {
    pub(crate) fn new(statements: &[Statement]) -> Self {
        if statements.len() <= FEW {
            return Self::Few(places(statements, |_| true));
        }
        let kms =
            KmsAction::all().map(|action| places(statements, |statement| statement.actions.has(action)));
        let mut listed: BTreeMap<(&str, &str), Vec<u16>> = BTreeMap::new();
        for (statement, place) in statements.iter().zip(0_u16..) {
            for action in statement.actions.listed().into_iter().flatten() {
                listed.entry(action).or_default().push(place);
            }
        }
        let entry = |((service, name), places): ((&str, &str), Vec<u16>)| Listed {
            service: service.into(),
            name: name.into(),
            places: places.into(),
        };
        Self::Many(Box::new(ByAction {
            kms: kms.collect(),
            listed: listed.into_iter().map(entry).collect(),
            other: places(statements, |statement| statement.actions.listed().is_none()),
        }))
    }

    /// Places of the statements that may be about an action; whether they are, they must be asked.
    pub(crate) fn about(&self, action: &Action<'_>) -> impl Iterator<Item = usize> {
        let (listed, rest): (&[u16], &[u16]) = match (self, action.number()) {
            (Self::Few(all), _) => (all, &[]),
            (Self::Many(index), Some(number)) => {
                (index.kms.get(number.place()).map_or(&[], |places| places), &[])
            }
            (Self::Many(index), None) => (index.listing(action), &index.other),
        };
        listed.iter().chain(rest).map(|place| usize::from(*place))
    }
}

impl ByAction {
    fn listing(&self, action: &Action<'_>) -> &[u16] {
        let wanted = || lower(action.service()).chain([0]).chain(lower(action.name()));
        let own =
            |listed: &Listed| lower(&listed.service).chain([0]).chain(lower(&listed.name)).cmp(wanted());
        let found = self.listed.binary_search_by(own);
        found.ok().and_then(|place| self.listed.get(place)).map_or(&[], |listed| &listed.places)
    }
}

fn lower(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn places(statements: &[Statement], is_wanted: impl Fn(&Statement) -> bool) -> Places {
    let numbered = statements.iter().zip(0_u16..);
    numbered.filter(|(statement, _)| is_wanted(statement)).map(|(_, place)| place).collect()
}
