//! What the requests of a simulation have in common: the policies, the caller and what is stated.

use std::sync::Arc;

use base::{AccountId, Call};
use policy::{
    AccountGuardrails, Action, AttachedPolicy, CallerFacts, ContextEntries, Policy, PolicyKind, PolicySource,
    StatementPosition, statement_positions,
};
use wire::iam::OrderedOrganizationPolicyType;

use super::asked::Asked;
use super::held::{HeldPolicy, Subject};
use super::{DECISIONS_MAX, WORK_MAX};
use crate::IdentityError;
use crate::iam::error::IamError;

/// Missing condition keys that one result tells; further ones are left out.
const MISSING_MAX: usize = 250;

/// What the longest text counts as if it is shorter.
const SHORT: usize = 64;

/// What a service control policy of the organisation counts as: the most that it can have.
const SERVICE_CONTROL_POLICY_BYTES: usize = 5_120;

/// Where the service control policies come from.
pub(crate) enum Levels<'a> {
    /// The request brings them along, if there are any.
    Given(&'a [OrderedOrganizationPolicyType]),
    /// They are those of the organisation, if there is one.
    Known(Option<&'a AccountGuardrails>),
}

/// Everything that the simulated requests have in common.
pub(crate) struct Scenario<'r> {
    pub(super) call: &'r Call,
    pub(super) actions: Vec<(&'r str, Action<'r>)>,
    /// None stands for `*`.
    pub(super) resources: Vec<Option<&'r str>>,
    pub(super) caller: CallerFacts,
    pub(super) account: AccountId,
    pub(super) owner: AccountId,
    pub(super) entries: ContextEntries,
    pub(super) policies: Vec<AttachedPolicy>,
    pub(super) boundary: Option<AttachedPolicy>,
    pub(super) service_control: Vec<Vec<AttachedPolicy>>,
    pub(super) resource_policy: Option<Policy>,
    pub(super) parts: Parts,
    /// Condition keys that the policies ask about and that nothing says.
    pub(super) missing: Vec<String>,
}

/// A policy that takes part, compiled.
pub(super) struct Part {
    /// `SourcePolicyId`.
    pub(super) id: String,
    pub(super) positions: Vec<StatementPosition>,
    pub(super) bytes: usize,
}

/// What is told of the policies of each layer, in their order.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) identity: Vec<Part>,
    pub(super) boundary: Vec<Part>,
    pub(super) resource: Vec<Part>,
    pub(super) bytes: usize,
    /// What one decision takes, as [`WORK_MAX`] counts.
    pub(super) work: usize,
}

impl<'r> Scenario<'r> {
    pub(super) fn take_held(&mut self, subject: Option<Subject>) -> Result<(), IamError> {
        let Some(subject) = subject else { return Ok(()) };
        for held in subject.policies {
            let (attached, part) = of_held(&held)?;
            self.policies.push(attached);
            self.parts.identity.push(part);
        }
        if let Some(held) = subject.boundary {
            let (attached, part) = of_held(&held)?;
            self.boundary = Some(attached);
            self.parts.boundary = vec![part];
        }
        Ok(())
    }

    /// Takes the policies that the request brings along. A boundary among them takes the place of the one that is there.
    pub(super) fn take_given(&mut self, asked: &Asked<'_>) -> Result<(), IamError> {
        for (document, number) in asked.policies.into_iter().flatten().zip(1..) {
            let (attached, part) = of_given(format!("PolicyInputList.{number}"), document)?;
            self.policies.push(attached);
            self.parts.identity.push(part);
        }
        match asked.boundaries.map_or(&[][..], Vec::as_slice) {
            [] => {}
            [one] => {
                let id = "PermissionsBoundaryPolicyInputList.1".to_owned();
                let (attached, part) = of_given(id, one)?;
                self.boundary = Some(attached);
                self.parts.boundary = vec![part];
            }
            [_, _, ..] => {
                let text = "The list of Permissions Boundary policies cannot exceed 1 items.";
                return Err(IamError::InvalidInput(text.to_owned()));
            }
        }
        if let Some(document) = asked.resource_policy {
            self.resource_policy = Some(compiled(document, PolicyKind::Key)?);
            self.parts.resource = vec![Part::new("ResourcePolicy".to_owned(), document)];
        }
        Ok(())
    }

    /// Takes service control policies. Of those of the organisation nothing but their verdict is told.
    pub(super) fn take_levels(&mut self, levels: Levels<'_>) -> Result<(), IamError> {
        match levels {
            Levels::Given(levels) => self.take_given_levels(levels),
            Levels::Known(guardrails) => {
                self.service_control =
                    guardrails.map_or_else(Vec::new, |known| known.service_control.clone());
                let policies: usize = self.service_control.iter().map(Vec::len).sum();
                self.parts.bytes += policies.saturating_mul(SERVICE_CONTROL_POLICY_BYTES);
                Ok(())
            }
        }
    }

    fn take_given_levels(&mut self, levels: &[OrderedOrganizationPolicyType]) -> Result<(), IamError> {
        for (level, number) in levels.iter().zip(1..) {
            let documents = level.service_control_policy_input_list.as_deref().unwrap_or_default();
            if documents.is_empty() {
                let text = "must contain at least one service control policy";
                let text = format!("Organization policy at index {number} {text}");
                return Err(IamError::InvalidInput(text));
            }
            let mut policies = Vec::new();
            for document in documents {
                let policy = Arc::new(compiled(document, PolicyKind::ServiceControl)?);
                let source = PolicySource::Managed(format!("level {number}"));
                policies.push(AttachedPolicy { policy, source });
                self.parts.bytes += document.len();
            }
            self.service_control.push(policies);
        }
        Ok(())
    }

    /// Refuses what would take too long for one result, which cannot be split.
    pub(super) fn check_size(&mut self) -> Result<(), IamError> {
        let parts = &self.parts;
        let told = parts.identity.iter().chain(&parts.boundary).chain(&parts.resource);
        self.parts.bytes += told.map(|part| part.bytes).sum::<usize>();
        let longest = self.resources.iter().flatten().map(|arn| arn.len()).max().unwrap_or(0);
        let longest = longest.max(self.entries.longest());
        self.parts.work = self.parts.bytes.saturating_mul(longest.max(SHORT));
        let resources_max = self.decisions_max();
        if self.resources.len() <= resources_max {
            return Ok(());
        }
        let bytes = self.parts.bytes;
        Err(IamError::InvalidInput(format!(
            "With policies of {bytes} bytes and texts of {longest}, a simulation can be about {resources_max} resources at \
             most."
        )))
    }

    /// How many decisions fit on a page.
    pub(super) fn decisions_max(&self) -> usize {
        WORK_MAX.checked_div(self.parts.work).unwrap_or(DECISIONS_MAX).min(DECISIONS_MAX)
    }

    pub(super) fn missing_keys(&self) -> Vec<String> {
        let attached = self.policies.iter().chain(&self.boundary).map(|attached| &*attached.policy);
        let keys = attached.chain(&self.resource_policy).flat_map(Policy::key_names);
        let mut missing = distinct(keys.filter(|key| !self.entries.has(key)));
        missing.truncate(MISSING_MAX);
        missing
    }
}

impl Part {
    fn new(id: String, document: &str) -> Self {
        let positions = statement_positions(document).unwrap_or_default();
        Self { id, positions, bytes: document.len() }
    }
}

/// A policy that somebody has. What is stored was read before.
fn of_held(held: &HeldPolicy) -> Result<(AttachedPolicy, Part), IamError> {
    let id = held.origin.id();
    let policy = Policy::parse(&held.document, PolicyKind::Identity);
    let policy = policy.map_err(|_| IdentityError::Damaged(id.clone()))?;
    Ok((attached(policy, &id), Part::new(id, &held.document)))
}

fn of_given(id: String, document: &str) -> Result<(AttachedPolicy, Part), IamError> {
    let policy = compiled(document, PolicyKind::Identity)?;
    Ok((attached(policy, &id), Part::new(id, document)))
}

fn attached(policy: Policy, id: &str) -> AttachedPolicy {
    AttachedPolicy { policy: Arc::new(policy), source: PolicySource::Managed(id.to_owned()) }
}

/// The simulator calls a document that is no policy an invalid input.
fn compiled(document: &str, kind: PolicyKind) -> Result<Policy, IamError> {
    Policy::parse(document, kind).map_err(|error| IamError::InvalidInput(error.to_string()))
}

/// The condition keys that policies ask about, as the first of them that does writes it.
///
/// # Errors
/// InvalidInput for a document that is no policy.
pub(crate) fn context_keys(
    subject: Option<&Subject>,
    given: Option<&Vec<String>>,
) -> Result<Vec<String>, IamError> {
    let mut policies = Vec::new();
    for held in subject.into_iter().flat_map(|subject| subject.policies.iter().chain(&subject.boundary)) {
        policies.push(of_held(held)?.0.policy);
    }
    for document in given.into_iter().flatten() {
        policies.push(Arc::new(compiled(document, PolicyKind::Identity)?));
    }
    Ok(distinct(policies.iter().flat_map(|policy| policy.key_names())))
}

/// Names without those that were there before, in whatever case.
fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(name.to_lowercase())).map(str::to_owned).collect()
}
