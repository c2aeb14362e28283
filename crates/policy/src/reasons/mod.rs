//! A decision and what led to it, in a form that can be kept when the policies that decided are long changed.

mod remedy;

use std::borrow::Cow;
use std::fmt;

use base::{AccountId, Caller};
use serde::{Deserialize, Serialize};

use crate::access::Permission;
use crate::decide::Decision;
use crate::denial::DenialReason;
use crate::evidence::{Layer, StatementRef};
use crate::explain::{ExplainedCondition, ExplainedGrant, ExplainedStatement, Explanation};
use crate::grant::ContextConstraint;
use crate::principal::MatchKind;
use crate::request::Request;
use crate::statement::Effect;

/// Characters of a value in a request that are kept.
const SEEN_MAX: usize = 1_024;

/// One check of a request: what was decided and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reasons {
    /// The action: `kms:Decrypt`.
    pub action: String,
    /// The ARN of what it is on; `None` if it is on nothing in particular.
    pub resource: Option<String>,
    /// The account that owns it, or in which the action is taken.
    #[serde(with = "account")]
    pub resource_account: AccountId,
    /// The caller's ARN, or the name of a service.
    pub caller: String,
    /// The account whose policies speak about the caller; none of a service, or of whoever did not sign.
    #[serde(with = "optional_account")]
    pub caller_account: Option<AccountId>,
    /// What was decided.
    pub outcome: Outcome,
    /// The statements about the action, and why each matches or does not.
    pub statements: Vec<StatementReasons>,
    /// The caller's grants of the action.
    pub grants: Vec<GrantReasons>,
    /// The side whose policies are not told to whoever reads this.
    pub hidden: Option<Side>,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The caller may.
    Allowed(Permission),
    /// The caller may not.
    Denied {
        /// Why.
        cause: Cause,
        /// What the caller was told.
        message: String,
    },
}

/// Why a request is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// This statement denies it.
    Explicit(StatementName),
    /// Nothing in this layer allows it.
    Implicit(Layer),
    /// The resource's account opens nothing to the caller.
    OutOfReach,
    /// No policy was asked: it is refused whatever they say, because of this.
    Refused(Cow<'static, str>),
    /// Something in the account of this side, which alone is told more.
    Hidden(Side),
}

/// Which statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementName {
    /// The layer of its policy.
    pub layer: Layer,
    /// Its policy; `None` for the resource's own.
    pub policy: Option<String>,
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its Sid.
    pub sid: Option<String>,
}

/// A statement, element by element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementReasons {
    /// Which one it is.
    pub statement: StatementName,
    /// What it does to what it matches.
    pub effect: Effect,
    /// How Principal or NotPrincipal matches, if it does; whoever has an identity policy is named by it.
    pub principal: Option<MatchKind>,
    /// Whether Resource or NotResource matches.
    pub resource: bool,
    /// Its conditions, all of which must hold.
    pub conditions: Vec<ConditionReasons>,
}

/// A condition: what was wanted, what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionReasons {
    /// The operator, as the policy writes it.
    pub operator: String,
    /// The key, as the policy writes it.
    pub key: String,
    /// The values, as the policy writes them.
    pub wanted: Vec<String>,
    /// What the request says, the beginning of it if it is very long.
    pub seen: String,
    /// Whether it holds.
    pub holds: bool,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantReasons {
    /// Its id.
    pub id: String,
    /// Its grantee.
    pub grantee: String,
    /// What the encryption context must be.
    pub context: Option<ContextConstraint>,
    /// The resource on whose behalf a service must call.
    pub source_arn: Option<String>,
    /// How it matches, if it does.
    pub matches: Option<MatchKind>,
}

/// Accounts are kept as texts.
mod account {
    use base::AccountId;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(account: &AccountId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(account)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccountId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The same, where there may be none.
mod optional_account {
    use base::AccountId;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(
        account: &Option<AccountId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        account.map(|account| account.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<AccountId>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Whose policies something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The caller's account: identity, boundary and session policies, service control policies.
    Caller,
    /// The resource's account: the resource's policy, grants, resource control policies.
    Resource,
}

impl Layer {
    /// Whose policies these are.
    pub fn side(self) -> Side {
        match self {
            Self::ServiceControl | Self::Identity | Self::Boundary | Self::Session => Side::Caller,
            Self::ResourceControl | Self::Resource => Side::Resource,
        }
    }
}

impl Reasons {
    /// The reasons of a decision about a request.
    pub fn of(request: &Request<'_>, explanation: &Explanation<'_>) -> Self {
        let about = explanation.statements.iter().filter(|one| one.action);
        Self {
            action: request.action.to_string(),
            resource: request.resource.arn.map(str::to_owned),
            resource_account: request.resource.owner,
            caller: request.caller.arn().to_owned(),
            caller_account: request.caller.account(),
            outcome: Outcome::of(&explanation.decision),
            statements: about.map(StatementReasons::of).collect(),
            grants: explanation.grants.iter().map(GrantReasons::of).collect(),
            hidden: None,
        }
    }

    /// The reasons of a refusal that no policy can turn: `why` says what stands against it.
    pub fn refused(
        caller: &Caller,
        (action, resource, owner): (String, Option<String>, AccountId),
        why: &'static str,
        message: String,
    ) -> Self {
        Self {
            action,
            resource,
            resource_account: owner,
            caller: caller.arn().to_string(),
            caller_account: Some(caller.account),
            outcome: Outcome::Denied { cause: Cause::Refused(why.into()), message },
            statements: Vec::new(),
            grants: Vec::new(),
            hidden: None,
        }
    }

    /// What an account may know of it: its own side. `None` if it has none.
    #[must_use]
    pub fn told_to(mut self, account: AccountId) -> Option<Self> {
        let is_callers = self.caller_account == Some(account);
        let hidden = match (is_callers, self.resource_account == account) {
            (true, true) => return Some(self),
            (true, false) => Side::Resource,
            (false, true) => Side::Caller,
            (false, false) => return None,
        };
        self.hidden = Some(hidden);
        self.statements.retain(|one| one.statement.layer.side() != hidden);
        if hidden == Side::Resource {
            self.grants.clear();
        }
        self.outcome = self.outcome.without(hidden);
        Some(self)
    }

    /// About the bytes that keeping it takes.
    pub fn weight(&self) -> usize {
        const AROUND_EACH: usize = 160;
        let conditions = self.statements.iter().flat_map(|one| &one.conditions);
        let values = conditions.clone().flat_map(|one| &one.wanted).map(|text| text.len() + 32);
        let seen = conditions.map(|one| one.key.len() + one.seen.len() + AROUND_EACH);
        let pairs = self.grants.iter().filter_map(|one| one.context.as_ref());
        let pairs =
            pairs.flat_map(|(ContextConstraint::Equals(pairs) | ContextConstraint::Subset(pairs))| pairs);
        let pairs = pairs.map(|(key, value)| key.len() + value.len() + AROUND_EACH);
        let each = AROUND_EACH * (4 + self.statements.len() + self.grants.len());
        values.chain(seen).chain(pairs).sum::<usize>() + each
    }
}

impl Outcome {
    fn of(decision: &Decision<'_>) -> Self {
        match decision {
            Decision::Allow(allowance) => Self::Allowed(Permission::of(*allowance)),
            Decision::Deny(denial) => {
                Self::Denied { cause: Cause::of(denial.reason()), message: denial.message() }
            }
        }
    }

    fn without(self, hidden: Side) -> Self {
        match self {
            Self::Allowed(Permission { mut by, grant }) => {
                by.retain(|statement| statement.layer.side() != hidden);
                Self::Allowed(Permission { by, grant: grant.filter(|_| hidden != Side::Resource) })
            }
            Self::Denied { cause, message } => Self::Denied { cause: cause.without(hidden), message },
        }
    }
}

impl Cause {
    pub(crate) fn of(reason: DenialReason<'_>) -> Self {
        match reason {
            DenialReason::Explicit(statement) => Self::Explicit(StatementName::of(statement)),
            DenialReason::Implicit(layer) => Self::Implicit(layer),
            DenialReason::OutOfReach => Self::OutOfReach,
        }
    }

    fn without(self, hidden: Side) -> Self {
        let side = match &self {
            Self::Explicit(statement) => statement.layer.side(),
            Self::Implicit(layer) => layer.side(),
            // Whoever is of another account must not learn whether the resource is there.
            Self::OutOfReach | Self::Refused(_) => Side::Resource,
            Self::Hidden(side) => *side,
        };
        if side == hidden { Self::Hidden(hidden) } else { self }
    }
}

impl StatementName {
    pub(crate) fn of(statement: StatementRef<'_>) -> Self {
        Self {
            layer: statement.layer,
            policy: statement.source.map(ToString::to_string),
            index: statement.index,
            sid: statement.sid.map(str::to_owned),
        }
    }
}

impl fmt::Display for StatementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index + 1)?;
        if let Some(sid) = &self.sid {
            write!(f, " ({sid})")?;
        }
        match &self.policy {
            Some(policy) => write!(f, " of {policy}"),
            None => f.write_str(" of the resource's policy"),
        }
    }
}

impl StatementReasons {
    fn of(explained: &ExplainedStatement<'_>) -> Self {
        Self {
            statement: StatementName::of(explained.statement),
            effect: explained.effect,
            principal: explained.principal,
            resource: explained.resource,
            conditions: explained.conditions.iter().map(ConditionReasons::of).collect(),
        }
    }

    /// Whether the whole statement matches.
    pub fn matches(&self) -> bool {
        self.principal.is_some() && self.resource && self.conditions.iter().all(|one| one.holds)
    }
}

impl ConditionReasons {
    fn of(explained: &ExplainedCondition<'_>) -> Self {
        Self {
            operator: explained.operator.to_owned(),
            key: explained.key.to_owned(),
            wanted: explained.wanted.iter().map(|text| (*text).to_owned()).collect(),
            seen: beginning(&explained.seen),
            holds: explained.holds,
        }
    }
}

impl GrantReasons {
    fn of(explained: &ExplainedGrant<'_>) -> Self {
        let grant = explained.grant;
        Self {
            id: grant.id.clone(),
            grantee: grant.grantee.to_string(),
            context: grant.context.clone(),
            source_arn: grant.source_arn.clone(),
            matches: explained.matches,
        }
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(SEEN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
