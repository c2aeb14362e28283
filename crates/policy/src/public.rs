//! Whether a policy opens what it belongs to, to everybody.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>, "The meaning of
//! public"

use ipnet::IpNet;

use crate::condition::{Condition, network};
use crate::key::{ContextKey, ForwardedKey, OriginKey, PrincipalKey, ServiceKey};
use crate::policy::Policy;
use crate::principal::PrincipalEntry;
use crate::statement::{Effect, Statement};

/// Ranges of IPv4 that are broader than this are as good as everybody.
const IPV4_PREFIX_MIN: u8 = 8;
/// The same for IPv6.
const IPV6_PREFIX_MIN: u8 = 32;

/// Keys of S3, and of all services, that the engine does not tell apart.
const OTHER_KEYS: [&str; 3] =
    ["aws:sourceowner", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id"];

impl Policy {
    /// Whether S3 calls the policy public: a statement allows everybody something, without a condition that lets in fixed
    /// values alone. Statements that deny do not count.
    pub fn is_public(&self) -> bool {
        self.statements().iter().any(is_public)
    }
}

fn is_public(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.principals.entries().contains(&PrincipalEntry::Anybody)
        && !statement.conditions.iter().any(narrows)
}

/// Whether only requests with fixed values for a key about where they come from, or from whom, meet the condition.
fn narrows(condition: &Condition) -> bool {
    let operator = condition.operator();
    if operator.holds_without_value() || operator.is_presence() {
        return false;
    }
    test_of(condition.key()).is_some_and(|is_fixed| condition.wanted().all(is_fixed))
}

/// When a value of this key counts as fixed; of keys that do not count, none does.
fn test_of(key: &ContextKey) -> Option<fn(&str) -> bool> {
    match (key, is_listed(key)) {
        (ContextKey::Origin(OriginKey::SourceIp), _) => Some(is_narrow_network),
        (ContextKey::Principal(PrincipalKey::UserId), _) => Some(is_fixed_user_id),
        (ContextKey::Service(ServiceKey::Other(name)), _) if **name == *"s3:dataaccesspointarn" => {
            Some(is_access_point_of_account)
        }
        (_, is_listed) => is_listed.then_some(is_fixed),
    }
}

fn is_listed(key: &ContextKey) -> bool {
    const LISTED: [ContextKey; 10] = [
        ContextKey::Principal(PrincipalKey::Account),
        ContextKey::Principal(PrincipalKey::Arn),
        ContextKey::Principal(PrincipalKey::OrgId),
        ContextKey::Principal(PrincipalKey::OrgPaths),
        ContextKey::Principal(PrincipalKey::ServiceName),
        ContextKey::Principal(PrincipalKey::ServiceNamesList),
        ContextKey::Origin(OriginKey::SourceVpc),
        ContextKey::Origin(OriginKey::SourceVpce),
        ContextKey::Forwarded(ForwardedKey::SourceAccount),
        ContextKey::Forwarded(ForwardedKey::SourceArn),
    ];
    let is_other = |name: &str| OTHER_KEYS.contains(&name);
    LISTED.contains(key) || matches!(key, ContextKey::Service(ServiceKey::Other(name)) if is_other(name))
}

/// No wildcard, and no variable.
fn is_fixed(value: &str) -> bool {
    !value.contains(['*', '?']) && !value.contains("${")
}

/// The name of a session of one role may be any.
fn is_fixed_user_id(value: &str) -> bool {
    is_fixed(value) || value.strip_suffix(":*").is_some_and(|id| id.starts_with("AROA") && is_fixed(id))
}

/// The name of an access point may be any, if its account is fixed.
fn is_access_point_of_account(value: &str) -> bool {
    let mut parts = value.splitn(6, ':').take(5);
    value.matches(':').count() >= 5
        && parts.nth(4).is_some_and(|account| is_fixed(account) && !account.is_empty())
}

fn is_narrow_network(value: &str) -> bool {
    match network(value) {
        Some(IpNet::V4(network)) => network.prefix_len() >= IPV4_PREFIX_MIN,
        Some(IpNet::V6(network)) => network.prefix_len() >= IPV6_PREFIX_MIN,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{Policy, PolicyKind};

    fn is_public(principal: &str, effect: &str, condition: &str) -> bool {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{principal},
                "Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{{{condition}}}}}]}}"#
        );
        Policy::parse(&text, PolicyKind::Bucket).unwrap().is_public()
    }

    #[test]
    fn a_policy_is_public_if_it_allows_everybody() {
        assert!(is_public(r#""*""#, "Allow", ""));
        assert!(is_public(r#"{"AWS":["111122223333","*"]}"#, "Allow", ""));
        assert!(!is_public(r#""*""#, "Deny", ""));
        for named in [
            r#"{"AWS":"111122223333"}"#,
            r#"{"AWS":"arn:aws:iam::111122223333:role/app"}"#,
            r#"{"Service":"cloudtrail.amazonaws.com"}"#,
        ] {
            assert!(!is_public(named, "Allow", ""), "{named}");
        }
    }

    #[test]
    fn fixed_values_of_the_listed_keys_narrow_it() {
        for condition in [
            r#""StringEquals":{"aws:SourceVpc":"vpc-91237329"}"#,
            r#""StringLike":{"aws:SourceVpce":["vpce-1","vpce-2"]}"#,
            r#""StringEquals":{"aws:PrincipalOrgID":"o-abc"}"#,
            r#""ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:topic"}"#,
            r#""StringEquals":{"aws:SourceAccount":"111122223333"}"#,
            r#""StringEquals":{"AWS:SourceOwner":"111122223333"}"#,
            r#""StringLike":{"aws:userid":"AROAEXAMPLE:*"}"#,
            r#""IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.7","2001:db8::/32"]}"#,
            r#""ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:eu-west-1:111122223333:accesspoint/*"}"#,
            r#""Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:PrincipalAccount":"111122223333"}"#,
        ] {
            assert!(!is_public(r#""*""#, "Allow", condition), "{condition}");
        }
    }

    #[test]
    fn nothing_else_narrows_it() {
        for condition in [
            r#""StringLike":{"aws:SourceVpc":"vpc-*"}"#,
            r#""StringEquals":{"aws:SourceVpc":["vpc-1","${aws:PrincipalTag/vpc}"]}"#,
            r#""StringNotEquals":{"aws:SourceVpc":"vpc-1"}"#,
            r#""StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"}"#,
            r#""ForAllValues:StringEquals":{"aws:SourceVpc":"vpc-1"}"#,
            r#""Null":{"aws:SourceVpc":"false"}"#,
            r#""StringLike":{"aws:userid":"*:session"}"#,
            r#""Bool":{"aws:SecureTransport":"true"}"#,
            r#""StringLike":{"aws:Referer":"https://example.com/page"}"#,
            r#""IpAddress":{"aws:SourceIp":"0.0.0.0/1"}"#,
            r#""IpAddress":{"aws:SourceIp":["10.0.0.0/8","2000::/31"]}"#,
            r#""NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
            r#""ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:eu-west-1:*:accesspoint/a"}"#,
        ] {
            assert!(is_public(r#""*""#, "Allow", condition), "{condition}");
        }
    }
}
