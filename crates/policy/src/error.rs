//! Why a document is no policy.

use crate::policy::PolicyKind;

/// A document is refused. The text is for the client and is AWS's where that is known: the codes are
/// MalformedPolicyDocumentException (KMS) and MalformedPolicyDocument (IAM, STS).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPolicy {
    /// Not JSON, nested too deeply, a key twice in one object, or an element that is unknown or of the wrong type.
    #[error("Syntax errors in policy.")]
    Syntax,
    /// More bytes than any policy may have.
    #[error("The policy is larger than {max} bytes.")]
    Size {
        /// The most that there may be.
        max: usize,
    },
    /// An Effect in the wrong case.
    #[error("The policy failed legacy parsing")]
    LegacyParsing,
    /// Two statements with one Sid.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
    /// A Sid with characters that this kind of policy does not allow.
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    Sid,
    /// A statement without Action and NotAction.
    #[error("Policy statement must contain actions.")]
    NoActions,
    /// A statement without Resource and NotResource.
    #[error("Policy statement must contain resources.")]
    NoResources,
    /// An element that this kind of policy must not have.
    #[error("Has prohibited field {0}")]
    Prohibited(&'static str),
    /// An element that this kind of policy must have.
    #[error("Missing required field {0}")]
    Missing(&'static str),
    /// A principal that is none, or a statement that names nobody.
    #[error("{}", principal_text(*.kind, .entry))]
    Principal {
        /// The kind of policy, on which the text depends.
        kind: PolicyKind,
        /// The entry as JSON, for example `"AWS":"x"`; empty if nobody is named.
        entry: String,
    },
    /// NotPrincipal in a statement that allows, which would reach callers that nobody thought of.
    #[error("NotPrincipal cannot be used in a statement with the Effect Allow.")]
    NotPrincipalAllows,
    /// A resource control policy that names principals.
    #[error("Principal must be \"*\" in this type of policy.")]
    PrincipalNotAnybody,
    /// An action or condition key without a service prefix.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    /// An action with several colons.
    #[error("Actions/Condition can contain only one colon.")]
    Colons,
    /// An action with a malformed service prefix.
    #[error("Vendor {0} is not valid")]
    Vendor(String),
    /// An action that a trust policy must not have.
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAssumeRole,
    /// A resource that is neither an ARN nor `*`.
    #[error("Resource {0} must be in ARN format or \"*\".")]
    Resource(String),
    /// `ForAllValues` over a key that has one value, in a key policy.
    #[error(
        "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches \
         requests without the specified {0} or with an unspecified {0}. To fix, remove ForAllValues."
    )]
    OverlyPermissive(&'static str),
}

fn principal_text(kind: PolicyKind, entry: &str) -> String {
    match kind {
        PolicyKind::Key => "Policy contains a statement with one or more invalid principals.".to_owned(),
        PolicyKind::Identity
        | PolicyKind::Bucket
        | PolicyKind::Trust
        | PolicyKind::ServiceControl
        | PolicyKind::ResourceControl => {
            format!("Invalid principal in policy: {entry}")
        }
    }
}
