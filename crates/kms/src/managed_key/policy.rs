//! The key policies of AWS managed keys, as they are in live accounts: used through the service, looked at by the account.
//!
//! Source: <https://github.com/FogSecurity/aws-managed-kms-keys>

use std::collections::BTreeMap;

use serde::Serialize;

use super::ManagedService;
use crate::error::KmsError;
use crate::paths::Place;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    id: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    principal: BTreeMap<&'static str, String>,
    action: Vec<&'static str>,
    resource: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Condition,
}

/// Operator, key, value.
type Condition = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

const USE: [&str; 5] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
const USE_AND_GRANT: [&str; 6] = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:CreateGrant",
    "kms:DescribeKey",
];
const LOOK: [&str; 3] = ["kms:Describe*", "kms:Get*", "kms:List*"];

/// The policy of a service's key.
pub(super) fn of(service: ManagedService, place: Place) -> Result<String, KmsError> {
    let policy =
        Policy { version: "2012-10-17", id: service.facts().policy, statement: statements(service, place) };
    serde_json::to_string_pretty(&policy).map_err(|_| KmsError::Bug("a policy has no form in JSON"))
}

fn statements(service: ManagedService, place: Place) -> Vec<Statement> {
    let title = service.facts().title;
    let via = |name: &str, actions: &[&'static str]| {
        through(title, place, "StringEquals", format!("{name}.{}.amazonaws.com", place.region), actions)
    };
    let anywhere = |name: &str, actions: &[&'static str]| {
        through(title, place, "StringLike", format!("{name}.*.amazonaws.com"), actions)
    };
    let mut statements = match service {
        ManagedService::Dynamodb => vec![anywhere("dynamodb", &USE_AND_GRANT)],
        ManagedService::Ebs => vec![via("ec2", &USE_AND_GRANT)],
        ManagedService::Kinesis => vec![via("kinesis", &USE)],
        ManagedService::Lambda => vec![via("lambda", &USE_AND_GRANT)],
        ManagedService::Rds => {
            let with_grants = [&USE_AND_GRANT[..], &["kms:ListGrants"]].concat();
            vec![via("rds", &with_grants)]
        }
        ManagedService::Redshift => {
            vec![via("redshift", &USE_AND_GRANT), via("redshift-serverless", &USE_AND_GRANT)]
        }
        ManagedService::S3 => vec![via("s3", &USE)],
        ManagedService::Secretsmanager => {
            let own = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant", "kms:DescribeKey"];
            // Secrets are replicated: data keys are asked for from other Regions too.
            vec![via("secretsmanager", &own), anywhere("secretsmanager", &["kms:GenerateDataKey*"])]
        }
        ManagedService::Sns => {
            let own = [
                "kms:Decrypt",
                "kms:GenerateDataKey*",
                "kms:CreateGrant",
                "kms:ListGrants",
                "kms:DescribeKey",
            ];
            vec![via("sns", &own)]
        }
        ManagedService::Sqs => vec![via("sqs", &USE_AND_GRANT)],
        ManagedService::Ssm => vec![via("ssm", &USE)],
    };
    statements.push(metadata(service, place));
    statements.extend(of_the_service_itself(service, place));
    statements
}

/// Whoever is in the account, through the service.
fn through(
    title: &str,
    place: Place,
    operator: &'static str,
    via: String,
    actions: &[&'static str],
) -> Statement {
    let account = [("kms:CallerAccount", place.account.to_string())];
    let mut condition = Condition::from([("StringEquals", BTreeMap::from(account))]);
    condition.entry(operator).or_default().insert("kms:ViaService", via);
    Statement {
        sid: format!(
            "Allow access through {title} for all principals in the account that are authorized to use {title}"
        ),
        effect: "Allow",
        principal: BTreeMap::from([("AWS", "*".to_owned())]),
        action: actions.to_vec(),
        resource: "*",
        condition,
    }
}

/// The account itself.
fn metadata(service: ManagedService, place: Place) -> Statement {
    let revoke: &[&'static str] = if service.makes_grants() { &["kms:RevokeGrant"] } else { &[] };
    let root = format!("arn:{}:iam::{}:root", place.region.partition(), place.account);
    Statement {
        sid: "Allow direct access to key metadata to the account".to_owned(),
        effect: "Allow",
        principal: BTreeMap::from([("AWS", root)]),
        action: [&LOOK, revoke].concat(),
        resource: "*",
        condition: Condition::new(),
    }
}

/// What two services do in their own name.
fn of_the_service_itself(service: ManagedService, place: Place) -> Option<Statement> {
    let statement = |sid: &str, principal: &str, action: &[&'static str], condition| Statement {
        sid: sid.to_owned(),
        effect: "Allow",
        principal: BTreeMap::from([("Service", principal.to_owned())]),
        action: action.to_vec(),
        resource: "*",
        condition,
    };
    match service {
        ManagedService::Dynamodb => {
            let sid = "Allow DynamoDB Service with service principal name dynamodb.amazonaws.com to describe \
                       the key directly";
            Some(statement(sid, "dynamodb.amazonaws.com", &LOOK, Condition::new()))
        }
        ManagedService::Sns => {
            let topics = format!("arn:*:sns:{}:{}:*", place.region, place.account);
            let condition = Condition::from([
                ("StringEquals", BTreeMap::from([("aws:SourceAccount", place.account.to_string())])),
                ("ArnLike", BTreeMap::from([("aws:SourceArn", topics)])),
            ]);
            let sid = "Allow SNS to decrypt archived messages";
            Some(statement(sid, "sns.amazonaws.com", &["kms:Decrypt"], condition))
        }
        ManagedService::Ebs
        | ManagedService::Kinesis
        | ManagedService::Lambda
        | ManagedService::Rds
        | ManagedService::Redshift
        | ManagedService::S3
        | ManagedService::Secretsmanager
        | ManagedService::Sqs
        | ManagedService::Ssm => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn policy(service: ManagedService) -> Value {
        let place =
            Place { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        serde_json::from_str(&of(service, place).unwrap()).unwrap()
    }

    #[test]
    fn a_key_is_used_through_its_service_and_looked_at_by_its_account() {
        let found = policy(ManagedService::S3);
        assert_eq!(found["Id"], "auto-s3-2");
        let [through, direct] = &found["Statement"].as_array().unwrap()[..] else { panic!("{found}") };
        assert_eq!(through["Principal"]["AWS"], "*");
        let condition = &through["Condition"]["StringEquals"];
        assert_eq!(condition["kms:ViaService"], "s3.eu-central-1.amazonaws.com");
        assert_eq!(condition["kms:CallerAccount"], "123456789012");
        assert_eq!(direct["Principal"]["AWS"], "arn:aws:iam::123456789012:root");
        assert_eq!(direct["Action"], serde_json::json!(["kms:Describe*", "kms:Get*", "kms:List*"]));
    }

    #[test]
    fn every_use_is_bound_to_a_service_and_the_account() {
        for service in ManagedService::ALL {
            let found = policy(service);
            for statement in found["Statement"].as_array().unwrap() {
                let uses = statement["Action"].as_array().unwrap().iter().any(|action| {
                    ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"].contains(&action.as_str().unwrap())
                });
                let text = statement["Condition"].to_string();
                let by_service = text.contains("kms:ViaService") && text.contains("kms:CallerAccount");
                assert!(!uses || by_service || text.contains("aws:SourceAccount"), "{service}: {statement}");
            }
        }
    }
}
