//! The rules for what a grant may say.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>

use std::collections::{BTreeMap, BTreeSet};

use policy::PrincipalEntry;
use wire::kms::{CreateGrantRequest, GrantConstraints, GrantOperation, KeySpec};

use super::record::{ContextConstraint, GrantHolders, GrantPrincipal, GrantTerms};
use super::refusal::InvalidGrant;
use crate::error::KmsError;
use crate::facts::GrantFacts;
use crate::record::KeyRecord;
use crate::{Kms, kind};

/// Pairs that a constraint on the encryption context can have.
pub(super) const CONTEXT_PAIRS_MAX: usize = 8;

/// Characters of each value, and here of each key too, of a constraint on the encryption context.
pub(super) const CONTEXT_CHARACTERS_MAX: usize = 384;

impl GrantTerms {
    /// The terms of a request that keeps the rules which need no key.
    pub(crate) fn of(request: &CreateGrantRequest) -> Result<Self, InvalidGrant> {
        let constraints = request.constraints.clone().unwrap_or_default();
        let terms = Self {
            name: request.name.clone(),
            grantee: one(&request.grantee_principal, &request.grantee_service_principal)
                .map_err(|Both| InvalidGrant::Grantee)?
                .ok_or(InvalidGrant::Grantee)?,
            retiring: one(&request.retiring_principal, &request.retiring_service_principal)
                .map_err(|Both| InvalidGrant::Retiring)?,
            operations: operations(&request.operations)?,
            context: context(&constraints)?,
            source_arn: constraints.source_arn,
        };
        match terms.grantee {
            GrantPrincipal::Service(_) if terms.source_arn.is_none() || terms.retiring.is_none() => {
                Err(InvalidGrant::ServiceGrantee)
            }
            GrantPrincipal::Service(_) | GrantPrincipal::Arn(_) => Ok(terms),
        }
    }

    /// Refuses operations and constraints that do not go with the key.
    pub(crate) fn fit(&self, key: &KeyRecord) -> Result<(), InvalidGrant> {
        let (spec, usage) = (key.spec, key.usage);
        let allowed = kind::grant_operations(spec, usage);
        let unfit: Vec<&str> = self
            .operations
            .iter()
            .filter(|operation| !allowed.contains(operation))
            .map(|operation| operation.as_str())
            .collect();
        if !unfit.is_empty() {
            return Err(InvalidGrant::Operations { operations: unfit.join(", "), spec, usage });
        }
        if self.context.is_some() && spec != KeySpec::SymmetricDefault {
            return Err(InvalidGrant::ContextOfAsymmetricKey);
        }
        Ok(())
    }

    /// What policies can ask about these terms.
    pub(crate) fn facts(&self) -> GrantFacts<'_> {
        GrantFacts {
            constraint: self.context.as_ref(),
            source_arn: self.source_arn.as_deref(),
            operations: self.operations.iter().map(|operation| operation.as_str()).collect(),
            grantee: self.grantee.arn(),
            grantee_service: self.grantee.service(),
            retiring: self.retiring.as_ref().and_then(GrantPrincipal::arn),
            retiring_service: self.retiring.as_ref().and_then(GrantPrincipal::service),
        }
    }

    /// The constraints as answers show them; `None` without any.
    pub(super) fn constraints(&self) -> Option<GrantConstraints> {
        let (equals, subset) = match &self.context {
            Some(ContextConstraint::Equals(pairs)) => (Some(pairs.clone()), None),
            Some(ContextConstraint::Subset(pairs)) => (None, Some(pairs.clone())),
            None => (None, None),
        };
        let constraints = GrantConstraints {
            encryption_context_subset: subset,
            encryption_context_equals: equals,
            source_arn: self.source_arn.clone(),
        };
        (constraints != GrantConstraints::default()).then_some(constraints)
    }
}

impl Kms {
    /// Whom terms name, so that it stays who it is. Service principals are not looked up.
    ///
    /// # Errors
    /// InvalidArn if there is no such account, user or role.
    pub(crate) async fn holders_of(&self, terms: &GrantTerms) -> Result<GrantHolders, KmsError> {
        let retiring = match &terms.retiring {
            Some(retiring) => self.unique_id_of(retiring).await?,
            None => None,
        };
        Ok(GrantHolders { grantee: self.unique_id_of(&terms.grantee).await?, retiring })
    }

    async fn unique_id_of(&self, named: &GrantPrincipal) -> Result<Option<String>, KmsError> {
        let GrantPrincipal::Arn(arn) = named else { return Ok(None) };
        let invalid = || KmsError::InvalidPrincipal(arn.clone());
        let entry = entry_of_arn(arn).ok_or_else(invalid)?;
        Ok(self.principals.find(&entry).await?.ok_or_else(invalid)?.unique_id)
    }
}

/// A principal that a grant can name by its ARN; `None` for everything else, such as `*`, an account id or a unique id.
pub(crate) fn entry_of_arn(arn: &str) -> Option<PrincipalEntry> {
    PrincipalEntry::parse(arn).filter(|_| arn.starts_with("arn:"))
}

/// Two members of a request that exclude each other are both there.
pub(super) struct Both;

/// The principal that one of two members names.
pub(super) fn one(arn: &Option<String>, service: &Option<String>) -> Result<Option<GrantPrincipal>, Both> {
    match (arn, service) {
        (Some(_), Some(_)) => Err(Both),
        (Some(arn), None) => Ok(Some(GrantPrincipal::Arn(arn.clone()))),
        (None, Some(service)) => Ok(Some(GrantPrincipal::Service(service.clone()))),
        (None, None) => Ok(None),
    }
}

fn operations(given: &[GrantOperation]) -> Result<BTreeSet<GrantOperation>, InvalidGrant> {
    let operations: BTreeSet<_> = given.iter().copied().collect();
    if operations.is_empty() {
        return Err(InvalidGrant::NoOperations);
    }
    if operations.iter().eq([&GrantOperation::CreateGrant]) {
        return Err(InvalidGrant::CreateGrantAlone);
    }
    Ok(operations)
}

fn context(constraints: &GrantConstraints) -> Result<Option<ContextConstraint>, InvalidGrant> {
    match (&constraints.encryption_context_equals, &constraints.encryption_context_subset) {
        (Some(_), Some(_)) => Err(InvalidGrant::ContextTwice),
        (Some(pairs), None) => Ok(Some(ContextConstraint::Equals(bounded(pairs)?))),
        (None, Some(pairs)) => Ok(Some(ContextConstraint::Subset(bounded(pairs)?))),
        (None, None) => Ok(None),
    }
}

fn bounded(pairs: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, InvalidGrant> {
    let short = |text: &String| text.chars().count() <= CONTEXT_CHARACTERS_MAX;
    if pairs.len() <= CONTEXT_PAIRS_MAX && pairs.iter().all(|(key, value)| short(key) && short(value)) {
        Ok(pairs.clone())
    } else {
        Err(InvalidGrant::ContextSize)
    }
}
