//! What a denial says of itself to whoever may decode it, in the form that AWS's services give such messages.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>

use std::collections::BTreeMap;

use base::{AccountId, RequestId};
use policy::{Cause, Outcome, Reasons, StatementName};
use serde_json::{Value, json};

use crate::Management;

/// Condition keys that a message tells of.
const CONDITIONS_MAX: usize = 50;
/// Characters of a value that it tells.
const VALUE_MAX: usize = 256;

impl Management {
    /// The message about a request that was denied, as an account may know it: JSON. `None` if nothing is known of it.
    pub fn failure_message(&self, request: RequestId, account: AccountId) -> Option<String> {
        let checks = self.decisions.of(request, account);
        let denied = checks.iter().rev().find(|one| matches!(one.outcome, Outcome::Denied { .. }))?;
        Some(message(denied).to_string())
    }
}

fn message(reasons: &Reasons) -> Value {
    let denying = match &reasons.outcome {
        Outcome::Denied { cause: Cause::Explicit(statement), .. } => Some(statement),
        Outcome::Denied { .. } | Outcome::Allowed(_) => None,
    };
    let statements: Vec<_> = denying.into_iter().map(matched).collect();
    json!({
        "allowed": false,
        "explicitDeny": denying.is_some(),
        "matchedStatements": {"items": statements},
        "failures": {"items": []},
        "context": {
            "principal": {"arn": reasons.caller},
            "action": reasons.action,
            "resource": reasons.resource.as_deref().unwrap_or("*"),
            "conditions": {"items": conditions(reasons)},
        },
    })
}

fn matched(statement: &StatementName) -> Value {
    json!({
        "statementId": statement.sid.as_deref().unwrap_or_default(),
        "effect": "DENY",
        "policy": statement.policy.as_deref().unwrap_or("the resource's policy"),
        "index": statement.index + 1,
    })
}

/// The condition keys that statements about the action ask for, and their values.
fn conditions(reasons: &Reasons) -> Vec<Value> {
    let asked = reasons.statements.iter().flat_map(|one| &one.conditions);
    let seen: BTreeMap<_, _> = asked.map(|one| (one.key.as_str(), one.seen.as_str())).collect();
    let told = seen.into_iter().take(CONDITIONS_MAX).map(|(key, seen)| {
        let value: String = seen.chars().take(VALUE_MAX).collect();
        json!({"key": key, "values": {"items": [{"value": value}]}})
    });
    told.collect()
}
