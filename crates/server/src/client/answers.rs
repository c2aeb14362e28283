//! What the operations answer, as the commands read it: names and members are those of the service model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `ExplainRequest`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExplainedRequest {
    pub(crate) request_id: String,
    pub(crate) decisions: Vec<Decision>,
}

/// One check.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Decision {
    pub(crate) action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
    pub(crate) resource_account: String,
    pub(crate) principal: String,
    pub(crate) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    pub(crate) decided_by: Vec<StatementName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant_id: Option<String>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) changes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hidden_side: Option<String>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatementName {
    pub(crate) layer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    pub(crate) index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Statement {
    pub(crate) statement: StatementName,
    pub(crate) effect: String,
    pub(crate) matches: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal_match: Option<String>,
    pub(crate) resource_matches: bool,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Condition {
    pub(crate) operator: String,
    pub(crate) key: String,
    pub(crate) wanted: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holds: Option<bool>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Grant {
    pub(crate) grant_id: String,
    pub(crate) grantee_principal: String,
    pub(crate) matches: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) constraint_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_context: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_arn: Option<String>,
}

/// A page of `ListKeyAccess`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyAccess {
    pub(crate) key_id: String,
    pub(crate) principals: Vec<PrincipalAccess>,
    #[serde(skip_serializing)]
    pub(crate) next_marker: Option<String>,
}

/// A page of `ListKeyUsage`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyUsage {
    pub(crate) key_id: String,
    pub(crate) buckets: Vec<BucketUsage>,
    pub(crate) records: u64,
    pub(crate) next_marker: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BucketUsage {
    pub(crate) bucket: String,
    pub(crate) is_default: bool,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) uploads: u64,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PrincipalAccess {
    pub(crate) principal: String,
    pub(crate) kind: String,
    pub(crate) access: Vec<ActionAccess>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hidden_side: Option<String>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ActionAccess {
    pub(crate) actions: Vec<String>,
    pub(crate) extent: String,
    pub(crate) allowed_by: Vec<StatementName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant_id: Option<String>,
    pub(crate) depends_on: Vec<ConditionalStatement>,
    pub(crate) depends_on_grants: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConditionalStatement {
    pub(crate) statement: StatementName,
    pub(crate) effect: String,
    pub(crate) conditions: Vec<Condition>,
}

/// `statement 1 (OnlyFromS3) of the key policy`.
impl std::fmt::Display for StatementName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "statement {}", self.index)?;
        if let Some(sid) = &self.sid {
            write!(f, " ({sid})")?;
        }
        let of = self.policy.as_deref().unwrap_or("the resource's policy");
        match self.layer.as_str() {
            "SERVICE_CONTROL_POLICY" => write!(f, " of service control policy {of}"),
            "RESOURCE_CONTROL_POLICY" => write!(f, " of resource control policy {of}"),
            "PERMISSIONS_BOUNDARY" => write!(f, " of permissions boundary {of}"),
            _ => write!(f, " of {of}"),
        }
    }
}

/// `StringEquals kms:ViaService = a or b`.
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.operator, self.key, self.wanted.join(" or "))
    }
}
