//! Which statements of a policy are about a request, so that the others cost nothing.
//!
//! A statement that names single principals is found by their names, every other one by the actions that it is about.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::action::{Action, KmsAction};
use crate::caller::CallerFacts;
use crate::fingerprint::Fingerprint;
use crate::statement::Statement;

/// Up to this many statements, a look at each is quicker than any index.
const FEW: usize = 4;

/// Places of statements, in the order of the document.
type Places = Box<[u16]>;

/// Finds statements.
#[derive(Debug)]
pub(crate) enum Index {
    /// So few statements that all are looked at.
    Few(Places),
    /// Many statements.
    Many(Box<Found>),
}

#[derive(Debug)]
pub(crate) struct Found {
    /// Statements that name single principals, by the numbers of these, sorted.
    by_principal: Box<[(Fingerprint, Places)]>,
    /// The rest, for each action of KMS, by its number.
    kms: Box<[Places]>,
    /// The rest, for other services: those that only list single actions, by the action, sorted.
    listed: Box<[Listed]>,
    /// All that is left then.
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
        let numbered = || statements.iter().zip(0_u16..);
        if statements.len() <= FEW {
            return Self::Few(numbered().map(|(_, place)| place).collect());
        }
        let mut by_principal: BTreeMap<Fingerprint, Vec<u16>> = BTreeMap::new();
        let mut rest = Vec::new();
        for (statement, place) in numbered() {
            match statement.principals.fingerprints() {
                None => rest.push((statement, place)),
                Some(fingerprints) => {
                    fingerprints.into_iter().for_each(|one| by_principal.entry(one).or_default().push(place));
                }
            }
        }
        let kms = KmsAction::all().map(|action| places(&rest, |statement| statement.actions.has(action)));
        Self::Many(Box::new(Found {
            by_principal: by_principal.into_iter().map(|(one, places)| (one, places.into())).collect(),
            kms: kms.collect(),
            listed: listed(&rest),
            other: places(&rest, |statement| statement.actions.listed().is_none()),
        }))
    }

    /// Places of the statements that may be about a caller and an action, in their order; whether they are, they must be
    /// asked.
    pub(crate) fn about(&self, caller: &CallerFacts, action: &Action<'_>) -> impl Iterator<Item = usize> {
        let mut rows = SmallVec::new();
        match self {
            Self::Few(all) => rows.push(&**all),
            Self::Many(found) => {
                match action.number() {
                    Some(number) => rows.extend(found.kms.get(number.place()).map(|places| &**places)),
                    None => rows.extend([found.listing(action), &*found.other]),
                }
                rows.extend(caller.fingerprints().iter().filter_map(|one| found.naming(*one)));
            }
        }
        Merged { rows }
    }
}

impl Found {
    fn naming(&self, fingerprint: Fingerprint) -> Option<&[u16]> {
        let place = self.by_principal.binary_search_by_key(&fingerprint, |(one, _)| *one).ok()?;
        self.by_principal.get(place).map(|(_, places)| &**places)
    }

    fn listing(&self, action: &Action<'_>) -> &[u16] {
        let wanted = || lower(action.service()).chain([0]).chain(lower(action.name()));
        let own =
            |listed: &Listed| lower(&listed.service).chain([0]).chain(lower(&listed.name)).cmp(wanted());
        let found = self.listed.binary_search_by(own);
        found.ok().and_then(|place| self.listed.get(place)).map_or(&[], |listed| &listed.places)
    }
}

/// Rising rows of places as one.
struct Merged<'a> {
    rows: SmallVec<[&'a [u16]; 5]>,
}

impl Iterator for Merged<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let next = *self.rows.iter().filter_map(|row| row.first()).min()?;
        for row in &mut self.rows {
            if row.first() == Some(&next) {
                *row = row.get(1..).unwrap_or_default();
            }
        }
        Some(usize::from(next))
    }
}

fn lower(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn listed(statements: &[(&Statement, u16)]) -> Box<[Listed]> {
    let mut listed: BTreeMap<(&str, &str), Vec<u16>> = BTreeMap::new();
    for (statement, place) in statements {
        for action in statement.actions.listed().into_iter().flatten() {
            listed.entry(action).or_default().push(*place);
        }
    }
    let entry = |((service, name), places): ((&str, &str), Vec<u16>)| Listed {
        service: service.into(),
        name: name.into(),
        places: places.into(),
    };
    listed.into_iter().map(entry).collect()
}

fn places(statements: &[(&Statement, u16)], is_wanted: impl Fn(&Statement) -> bool) -> Places {
    statements.iter().filter(|(statement, _)| is_wanted(statement)).map(|(_, place)| *place).collect()
}
