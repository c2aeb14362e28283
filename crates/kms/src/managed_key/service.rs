//! The services that have an AWS managed key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A service with an AWS managed key. The key's alias is `alias/aws/` and the service's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagedService {
    /// DynamoDB.
    Dynamodb,
    /// EBS, whose calls come through `ec2`.
    Ebs,
    /// Kinesis.
    Kinesis,
    /// Lambda.
    Lambda,
    /// RDS and Aurora.
    Rds,
    /// Redshift.
    Redshift,
    /// S3.
    S3,
    /// Secrets Manager.
    Secretsmanager,
    /// SNS.
    Sns,
    /// SQS.
    Sqs,
    /// Parameter Store of Systems Manager.
    Ssm,
}

/// No service with an AWS managed key has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no service with an AWS managed key has this name")]
pub struct UnknownService;

/// What is said of a service.
pub(super) struct Facts {
    /// The name in the alias.
    pub(super) name: &'static str,
    /// The alias, as it is listed before the key exists.
    pub(super) alias: &'static str,
    /// The name in the policy's statements.
    pub(super) title: &'static str,
    /// What the key protects, as the key's description says it.
    pub(super) protects: &'static str,
    /// The Id of the key policy.
    pub(super) policy: &'static str,
}

impl ManagedService {
    /// Every service, in the order of their aliases.
    pub(crate) const ALL: [Self; 11] = [
        Self::Dynamodb,
        Self::Ebs,
        Self::Kinesis,
        Self::Lambda,
        Self::Rds,
        Self::Redshift,
        Self::S3,
        Self::Secretsmanager,
        Self::Sns,
        Self::Sqs,
        Self::Ssm,
    ];

    /// The alias of the service's key.
    pub(crate) fn alias(self) -> &'static str {
        self.facts().alias
    }

    /// The description of the service's key.
    pub(super) fn description(self) -> String {
        let protects = self.facts().protects;
        format!("Default key that protects my {protects} when no other key is defined")
    }

    /// Policy ids: keys of a live account, published at <https://github.com/FogSecurity/aws-managed-kms-keys>.
    pub(super) fn facts(self) -> Facts {
        let facts = |name, alias, title, protects, policy| Facts { name, alias, title, protects, policy };
        match self {
            Self::Dynamodb => {
                facts("dynamodb", "alias/aws/dynamodb", "Amazon DynamoDB", "DynamoDB data", "auto-dynamodb-3")
            }
            Self::Ebs => facts("ebs", "alias/aws/ebs", "EBS", "EBS volumes", "auto-ebs-2"),
            Self::Kinesis => {
                facts("kinesis", "alias/aws/kinesis", "Kinesis", "Kinesis streams", "auto-kinesis-1")
            }
            Self::Lambda => {
                facts("lambda", "alias/aws/lambda", "AWS Lambda", "Lambda functions", "auto-awslambda")
            }
            Self::Rds => facts("rds", "alias/aws/rds", "RDS", "RDS database volumes", "auto-rds-2"),
            Self::Redshift => {
                facts("redshift", "alias/aws/redshift", "Redshift", "Redshift clusters", "auto-redshift-3")
            }
            Self::S3 => facts("s3", "alias/aws/s3", "S3", "S3 objects", "auto-s3-2"),
            Self::Secretsmanager => facts(
                "secretsmanager",
                "alias/aws/secretsmanager",
                "AWS Secrets Manager",
                "Secrets Manager data",
                "auto-secretsmanager-2",
            ),
            Self::Sns => facts("sns", "alias/aws/sns", "SNS", "SNS messages", "auto-sns-2"),
            Self::Sqs => {
                facts("sqs", "alias/aws/sqs", "Simple Queue Service (SQS)", "SQS messages", "auto-sqs-1")
            }
            Self::Ssm => facts("ssm", "alias/aws/ssm", "SSM", "SSM parameters", "auto-ssm-1"),
        }
    }

    /// Whether the service calls under this principal.
    pub(super) fn calls_as(self, principal: &str) -> bool {
        let name = principal.strip_suffix(".amazonaws.com").unwrap_or_default();
        match self {
            Self::Ebs => name == "ec2",
            Self::Redshift => matches!(name, "redshift" | "redshift-serverless"),
            Self::Dynamodb
            | Self::Kinesis
            | Self::Lambda
            | Self::Rds
            | Self::S3
            | Self::Secretsmanager
            | Self::Sns
            | Self::Sqs
            | Self::Ssm => name == self.facts().name,
        }
    }

    /// Whether the key policy lets the account revoke grants: the policies of services that make grants do.
    pub(super) fn makes_grants(self) -> bool {
        !matches!(self, Self::S3 | Self::Ssm | Self::Kinesis)
    }
}

impl FromStr for ManagedService {
    type Err = UnknownService;

    fn from_str(name: &str) -> Result<Self, UnknownService> {
        Self::ALL.into_iter().find(|service| service.facts().name == name).ok_or(UnknownService)
    }
}

impl fmt::Display for ManagedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_found_by_its_name_and_stored_under_it() {
        for service in ManagedService::ALL {
            assert_eq!(service.to_string().parse(), Ok(service));
            assert_eq!(service.alias(), format!("alias/aws/{service}"));
            assert_eq!(serde_json::to_string(&service).unwrap(), format!("\"{service}\""));
        }
        assert_eq!("S3".parse::<ManagedService>(), Err(UnknownService));
        assert!(ManagedService::ALL.is_sorted_by_key(|service| service.alias()));
    }
}
