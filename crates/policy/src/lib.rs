//! The policy language of AWS: documents are parsed and compiled once, then decide about requests.
//!
//! Everything is refused unless something allows it and nothing denies it. This room holds no state, takes no lock, reads
//! no clock: each fact arrives with the [`Request`]. A service finds the policies that apply, as [`IdentitySide`] and
//! [`ResourceSide`], and asks [`decide`]. To decide, nothing is parsed, and nothing allocated but for a text that a
//! policy puts together with a variable for an operator that ignores case.
//!
//! How AWS decides:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>

mod access;
mod action;
mod caller;
mod condition;
mod decide;
mod denial;
mod entries;
mod error;
mod evidence;
mod explain;
mod facts;
mod fingerprint;
mod glob;
mod grant;
mod index;
mod key;
pub mod lint;
mod organization;
mod parse;
mod permissions;
mod policy;
mod position;
mod principal;
mod public;
mod reasons;
mod request;
mod resource;
mod retirement;
mod sides;
mod simulation;
mod statement;
mod template;
mod translation;
mod value;
mod witness;

pub use access::{Access, Permission, UncertainCondition, UncertainStatement, assess, assess_resource_side};
pub use action::{Action, KmsActions};
pub use caller::CallerFacts;
pub use decide::{Allowance, Decision, decide};
pub use denial::{Denial, DenialReason};
pub use entries::{ContextEntries, ContextFault, ContextType};
pub use error::MalformedPolicy;
pub use evidence::{Layer, StatementRef};
pub use explain::{ExplainedCondition, ExplainedGrant, ExplainedStatement, Explanation, explain};
pub use grant::{ContextConstraint, Grant};
pub use key::{KmsKey, ServiceKey};
pub use organization::{AccountGuardrails, Guardrails, Organization, full_aws_access};
pub use policy::{Policy, PolicyKind, Version};
pub use position::{Position, StatementPosition, statement_positions};
pub use principal::{MatchKind, PrincipalEntry};
pub use reasons::{
    Cause, ConditionReasons, GrantReasons, Outcome, Reasons, Side, StatementName, StatementReasons,
};
pub use request::{Context, Endpoint, Forwarded, NoContext, Origin, Request, Resource};
pub use retirement::{Retirement, decide_retirement};
pub use sides::{AttachedPolicy, IdentitySide, PolicySource, ResourceSide};
pub use simulation::{MatchedStatement, Simulation, Verdict, simulate};
pub use statement::Effect;
pub use translation::with_principals;
pub use value::{Texts, Value};
pub use witness::{Unwitnessed, Witness};
