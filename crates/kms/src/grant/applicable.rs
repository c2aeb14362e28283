//! The index by which a decision finds the grants that apply: by operation, grantee and constraint, so that it costs the
//! same with fifty thousand grants on a key as with ten.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>
//!
//! A constraint on the encryption context has its place in the index by a digest: of all pairs if they must be equal, of
//! one pair if they must be a subset. Whoever asks has a context, and so looks in few places.

use std::collections::BTreeMap;

use base::{Call, Caller, KeyArn, Principal};
use crypto::digest::Sha256;
use policy::{Grant, KmsActions, PrincipalEntry};
use serde::{Deserialize, Serialize};
use store::{Key, Range, Record, StoreError};
use wire::kms::GrantOperation;

use super::id::hexadecimal;
use super::record::{ContextConstraint, digest as digest_of};
use super::{GrantId, GrantRecord, GrantTerms};
use crate::decision::Check;
use crate::error::KmsError;
use crate::facts::GrantFacts;
use crate::{Kms, paths};

/// Entries that a search reads at a time.
const PAGE: usize = 50;

/// Grants that do not apply that are told, of each name of the caller.
const APART: usize = 20;

/// Pairs of an encryption context that are looked up one by one. With more, all grants of the grantee are looked through:
/// no request can make a search longer than they are.
const PAIRS_MAX: usize = 64;

/// What a grant demands besides operation and grantee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantScope {
    pub(crate) context: Option<ContextConstraint>,
    pub(crate) source_arn: Option<String>,
}

impl Record for GrantScope {
    const KIND: &'static str = "kms grant scope";
    const VERSION: u8 = 1;
}

/// The encryption context of a request.
type Context = BTreeMap<String, String>;

impl GrantRecord {
    /// The entries of the index for the grant `id` of this record, one for each operation, and their value.
    pub(super) fn index(&self, key: &KeyArn, id: &GrantId) -> Result<(Vec<Key>, GrantScope), StoreError> {
        let terms = &self.terms;
        let grantee = self.grantee().map_or_else(String::new, |entry| digest_of(&entry));
        let entry = |operation: &GrantOperation| {
            let context = terms.context.as_ref().filter(|_| has_context(*operation));
            let place = context.map_or_else(|| ANYWHERE.to_owned(), place_of);
            paths::granted(&paths::granted_for(key, operation.as_str(), &grantee), &place, id)
        };
        let entries = terms.operations.iter().map(entry).collect::<Result<_, _>>()?;
        Ok((entries, GrantScope { context: terms.context.clone(), source_arn: terms.source_arn.clone() }))
    }
}

impl Kms {
    /// Grants on a key that allow a check, for the decision to choose from: of each name of the caller the first that does
    /// so whatever the source of the call, and all before it that demand one.
    pub(crate) async fn grants_for(&self, call: &Call, check: Check<'_>) -> Result<Vec<Grant>, KmsError> {
        let Ok(operation) = check.action.parse::<GrantOperation>() else { return Ok(Vec::new()) };
        let mut found = Found { operation, grants: Vec::new() };
        for grantee in grantees(&call.caller) {
            let all = paths::granted_for(&check.key, operation.as_str(), &digest_of(&grantee));
            for prefix in prefixes(&all, operation, check.facts.encryption_context) {
                if self.grants_below(&prefix, &check, &grantee, &mut found).await? {
                    break;
                }
            }
        }
        Ok(found.grants)
    }

    /// A caller's grants of a check's operation beside those `found`, whatever they demand. A few of them, for there may be
    /// many; those that demand nothing come first.
    pub(crate) async fn grants_apart(
        &self,
        caller: &Caller,
        check: Check<'_>,
        found: &[Grant],
    ) -> Result<Vec<Grant>, KmsError> {
        let Ok(operation) = check.action.parse::<GrantOperation>() else { return Ok(Vec::new()) };
        let mut apart = Vec::new();
        for grantee in grantees(caller) {
            let all = paths::granted_for(&check.key, operation.as_str(), &digest_of(&grantee));
            for entry in self.store.range(Range::prefix(&all).limit(APART)).await?.entries {
                let grant = store::decode_record::<GrantScope>(&entry)?;
                let grant = grant.grant(&id_of(&entry.key)?, grantee.clone(), operation);
                if found.iter().all(|known| known.id != grant.id) {
                    apart.push(grant);
                }
            }
        }
        Ok(apart)
    }

    /// Adds grants that lie below `prefix`; answers whether there is one that needs no other beside it.
    async fn grants_below(
        &self,
        prefix: &str,
        check: &Check<'_>,
        grantee: &PrincipalEntry,
        found: &mut Found,
    ) -> Result<bool, KmsError> {
        let mut range = Range::prefix(prefix).limit(PAGE);
        loop {
            let page = self.store.range(range).await?;
            for entry in &page.entries {
                let scope: GrantScope = store::decode_record(entry)?;
                let id = id_of(&entry.key)?;
                if scope.admits(found.operation, check.facts.encryption_context)
                    && self.covers_new_grant(check, &id).await?
                {
                    let is_enough = scope.source_arn.is_none();
                    found.grants.push(scope.grant(&id, grantee.clone(), found.operation));
                    if is_enough {
                        return Ok(true);
                    }
                }
            }
            match page.entries.last() {
                Some(last) if page.more => range = Range::prefix(prefix).limit(PAGE).after(&last.key),
                Some(_) | None => return Ok(false),
            }
        }
    }

    /// Whether a grant that allows CreateGrant covers the grant that is to be made; of any other action there is
    /// nothing to cover.
    async fn covers_new_grant(&self, check: &Check<'_>, parent: &GrantId) -> Result<bool, KmsError> {
        let Some(new) = check.facts.grant else { return Ok(true) };
        let parent = self.grant(&check.key, parent).await?;
        Ok(parent.is_some_and(|parent| parent.record.terms.cover(new)))
    }
}

/// What a search has come to.
struct Found {
    operation: GrantOperation,
    grants: Vec<Grant>,
}

impl GrantScope {
    /// Whether a request with this encryption context is within the constraint.
    fn admits(&self, operation: GrantOperation, context: Option<&Context>) -> bool {
        let none = BTreeMap::new();
        let context = context.unwrap_or(&none);
        !has_context(operation)
            || match &self.context {
                Some(ContextConstraint::Equals(pairs)) => pairs == context,
                Some(ContextConstraint::Subset(pairs)) => {
                    pairs.iter().all(|(key, value)| context.get(key) == Some(value))
                }
                None => true,
            }
    }

    fn grant(self, id: &GrantId, grantee: PrincipalEntry, operation: GrantOperation) -> Grant {
        Grant {
            id: id.to_string(),
            grantee,
            operations: KmsActions::of([operation.as_str()]),
            context: self.context.map(|constraint| match constraint {
                ContextConstraint::Equals(pairs) => policy::ContextConstraint::Equals(pairs),
                ContextConstraint::Subset(pairs) => policy::ContextConstraint::Subset(pairs),
            }),
            source_arn: self.source_arn,
        }
    }
}

impl GrantTerms {
    /// Whether a grant of these terms, which allows CreateGrant, is enough to make one of the terms `new`: no more
    /// operations, and constraints that are no looser.
    ///
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html>
    pub(super) fn cover(&self, new: &GrantFacts<'_>) -> bool {
        let operations =
            new.operations.iter().all(|wanted| self.operations.iter().any(|own| own.as_str() == *wanted));
        let context = match (&self.context, new.constraint) {
            (None, _) => true,
            (Some(ContextConstraint::Equals(own)), Some(ContextConstraint::Equals(new))) => own == new,
            (
                Some(ContextConstraint::Subset(own)),
                Some(ContextConstraint::Equals(new) | ContextConstraint::Subset(new)),
            ) => own.iter().all(|(key, value)| new.get(key) == Some(value)),
            (Some(_), _) => false,
        };
        let source = self.source_arn.is_none() || self.source_arn.as_deref() == new.source_arn;
        operations && context && source
    }
}

/// The names under which grants can mean a caller: users and roles by their unique ids.
fn grantees(caller: &Caller) -> Vec<PrincipalEntry> {
    let account = caller.account;
    let of_account = PrincipalEntry::Account(account);
    match &caller.principal {
        Principal::Root => vec![of_account],
        Principal::User { unique_id, .. } => {
            vec![PrincipalEntry::UniqueId(unique_id.as_str().into()), of_account]
        }
        Principal::RoleSession { path_and_name, unique_id, session_name } => {
            let role = path_and_name.rsplit('/').next().unwrap_or_default().into();
            let session =
                PrincipalEntry::RoleSession { account, role, session: session_name.as_str().into() };
            vec![session, PrincipalEntry::UniqueId(unique_id.as_str().into()), of_account]
        }
        Principal::FederatedUser { name, user_unique_id, .. } => vec![
            PrincipalEntry::FederatedUser { account, name: name.as_str().into() },
            PrincipalEntry::UniqueId(user_unique_id.as_str().into()),
            of_account,
        ],
        Principal::Service { name } => vec![PrincipalEntry::Service(name.as_str().into())],
        Principal::Anonymous => Vec::new(),
    }
}

/// Where grants without a constraint lie.
const ANYWHERE: &str = "-";

/// Constraints on the context do not concern these, which have none: of CreateGrant they bind the new grant's.
fn has_context(operation: GrantOperation) -> bool {
    !matches!(
        operation,
        GrantOperation::CreateGrant | GrantOperation::DescribeKey | GrantOperation::RetireGrant
    )
}

/// The place of a constraint.
fn place_of(constraint: &ContextConstraint) -> String {
    match constraint {
        ContextConstraint::Equals(pairs) => format!("e{}", digest(pairs)),
        ContextConstraint::Subset(pairs) => match pairs.first_key_value() {
            Some(pair) => format!("s{}", digest([pair])),
            None => ANYWHERE.to_owned(),
        },
    }
}

/// Where to look for grants among `all` of a grantee for an operation.
fn prefixes(all: &str, operation: GrantOperation, context: Option<&Context>) -> Vec<String> {
    if context.is_some_and(|context| context.len() > PAIRS_MAX) {
        return vec![all.to_owned()];
    }
    places(operation, context).iter().map(|place| format!("{all}{place}/")).collect()
}

/// The id at the end of a path.
fn id_of(path: &Key) -> Result<GrantId, StoreError> {
    let damaged =
        || StoreError::damaged(path.to_string(), "the path does not end in a grant's id".to_owned());
    path.as_str().rsplit('/').next().and_then(GrantId::read).ok_or_else(damaged)
}

/// The places of all constraints that a context can satisfy.
fn places(operation: GrantOperation, context: Option<&Context>) -> Vec<String> {
    let mut places = vec![ANYWHERE.to_owned()];
    if has_context(operation) {
        let none = BTreeMap::new();
        let context = context.unwrap_or(&none);
        places.push(format!("e{}", digest(context)));
        places.extend(context.iter().map(|pair| format!("s{}", digest([pair]))));
    }
    places
}

/// Pairs are framed by their lengths: no two lists of pairs look alike.
fn digest<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut digest = Sha256::new();
    for (key, value) in pairs {
        for text in [key, value] {
            digest.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text.as_bytes());
        }
    }
    hexadecimal(digest.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::grant::GrantPrincipal;

    fn pairs(pairs: &[(&str, &str)]) -> Context {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn terms(context: Option<ContextConstraint>, source_arn: Option<&str>) -> GrantTerms {
        GrantTerms {
            name: None,
            grantee: GrantPrincipal::Arn("arn:aws:iam::123456789012:root".to_owned()),
            retiring: None,
            operations: BTreeSet::from([GrantOperation::CreateGrant, GrantOperation::Decrypt]),
            context,
            source_arn: source_arn.map(str::to_owned),
        }
    }

    #[test]
    fn a_grant_covers_what_is_no_wider_than_itself() {
        let (one, two) = (pairs(&[("a", "1")]), pairs(&[("a", "1"), ("b", "2")]));
        let equals = |pairs: &Context| Some(ContextConstraint::Equals(pairs.clone()));
        let subset = |pairs: &Context| Some(ContextConstraint::Subset(pairs.clone()));
        for (parent, child, covers) in [
            (None, None, true),
            (None, equals(&one), true),
            (subset(&one), subset(&two), true),
            (subset(&one), equals(&two), true),
            (subset(&one), None, false),
            (subset(&two), subset(&one), false),
            (subset(&two), equals(&one), false),
            (equals(&one), equals(&one), true),
            (equals(&one), equals(&two), false),
            (equals(&one), subset(&one), false),
            (equals(&one), None, false),
        ] {
            let (parent, child) = (terms(parent, None), terms(child, None));
            assert_eq!(parent.cover(&child.facts()), covers, "{parent:?} {child:?}");
        }
        let wider = GrantTerms { operations: BTreeSet::from([GrantOperation::Encrypt]), ..terms(None, None) };
        assert!(!terms(None, None).cover(&wider.facts()));
        let sourced = terms(None, Some("arn:a"));
        assert!(terms(None, None).cover(&sourced.facts()) && sourced.cover(&sourced.facts()));
        assert!(!sourced.cover(&terms(None, None).facts()));
        assert!(!sourced.cover(&terms(None, Some("arn:b")).facts()));
    }

    proptest! {
        /// The index looks in every place where a grant can lie that admits the request.
        #[test]
        fn what_admits_a_context_lies_where_it_is_looked_for(
            context: BTreeMap<String, String>, extra: BTreeMap<String, String>, equal: bool
        ) {
            let constraint = if equal {
                ContextConstraint::Equals(context.clone())
            } else {
                ContextConstraint::Subset(context.clone())
            };
            let mut asked = context.clone();
            if !equal {
                asked.extend(extra.into_iter().filter(|(key, _)| !context.contains_key(key)));
            }
            let scope = GrantScope { context: Some(constraint.clone()), source_arn: None };
            prop_assert!(scope.admits(GrantOperation::Decrypt, Some(&asked)));
            let place = format!("x/{}/", place_of(&constraint));
            let prefixes = prefixes("x/", GrantOperation::Decrypt, Some(&asked));
            prop_assert!(prefixes.iter().any(|prefix| place.starts_with(prefix)));
        }
    }
}
