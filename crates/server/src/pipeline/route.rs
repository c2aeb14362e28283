//! Which protocol a request speaks and what it asks for.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use wire::Fault;
use wire::query::Form;

use crate::http::IncomingRequest;

/// The wire protocols of the services on this port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// awsJson 1.1: KMS, CloudTrail, Keywright's own service.
    AwsJson,
    /// AWS Query: IAM and STS.
    Query,
}

impl Protocol {
    /// The protocol of a request, or `None` if no service here speaks it.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        if parts.uri.path() != "/" {
            return None;
        }
        let protocol = Self::of_content_type(parts.headers.get(CONTENT_TYPE));
        match (&parts.method, protocol) {
            (&Method::POST, Some(protocol)) => Some(protocol),
            // A presigned call: the parameters stand in the query string.
            (&Method::GET | &Method::POST, None | Some(Self::Query)) if asks_in_query(parts) => {
                Some(Self::Query)
            }
            _ => None,
        }
    }

    /// The protocol that a `Content-Type` announces.
    pub(super) fn of_content_type(value: Option<&HeaderValue>) -> Option<Self> {
        let value = value?.to_str().ok()?;
        let kind = value.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-amz-json-1.1") {
            Some(Self::AwsJson)
        } else if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Self::Query)
        } else {
            None
        }
    }
}

/// The services on this port. The scope of a request's signature says which one it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// `cloudtrail`, over awsJson.
    CloudTrail,
    /// `iam`, over Query.
    Iam,
    /// `keywright`, over awsJson.
    Keywright,
    /// `kms`, over awsJson.
    Kms,
    /// `sts`, over Query.
    Sts,
    /// A service that is not offered; it has no operations.
    Other,
}

impl Service {
    /// The service of a signing name.
    pub(super) fn of_scope(name: &str) -> Self {
        match name {
            "cloudtrail" => Self::CloudTrail,
            "iam" => Self::Iam,
            "keywright" => Self::Keywright,
            "kms" => Self::Kms,
            "sts" => Self::Sts,
            _ => Self::Other,
        }
    }

    /// Checks that the service speaks the protocol of the request; otherwise gives the signing name that would have.
    pub(super) fn speaks(self, protocol: Protocol) -> Result<(), &'static str> {
        match (self, protocol) {
            (Self::CloudTrail | Self::Kms | Self::Keywright, Protocol::AwsJson)
            | (Self::Iam | Self::Sts, Protocol::Query)
            | (Self::Other, _) => Ok(()),
            (Self::Iam | Self::Sts, Protocol::AwsJson) => Err("kms"),
            (Self::CloudTrail | Self::Kms | Self::Keywright, Protocol::Query) => Err("sts"),
        }
    }

    /// The XML namespace of the service's answers; STS's for services that have none.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::Iam => wire::iam::NAMESPACE,
            Self::CloudTrail | Self::Keywright | Self::Kms | Self::Sts | Self::Other => wire::sts::NAMESPACE,
        }
    }
}

fn asks_in_query(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Action=")))
}

/// The operation of CloudTrail that `X-Amz-Target` names. Case counts.
pub(super) fn cloudtrail_operation(headers: &HeaderMap) -> Option<&str> {
    operation(headers, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.")
}

/// The operation of KMS that `X-Amz-Target` names. Case counts.
pub(super) fn kms_operation(headers: &HeaderMap) -> Option<&str> {
    operation(headers, "TrentService.")
}

/// The operation of Keywright's own service that `X-Amz-Target` names. Case counts.
pub(super) fn keywright_operation(headers: &HeaderMap) -> Option<&str> {
    operation(headers, "Keywright.")
}

fn operation<'h>(headers: &'h HeaderMap, prefix: &str) -> Option<&'h str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(prefix)
}

/// The parameters of a Query call: those of the query string if it names the action, otherwise the body's.
pub(super) fn form(request: &IncomingRequest) -> Result<Form, Fault> {
    if asks_in_query(&request.parts) {
        Form::parse(request.parts.uri.query().unwrap_or_default().as_bytes())
    } else {
        Form::parse(&request.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, uri: &str, content_type: Option<&str>) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_content_type_decides() {
        let json = Some("application/x-amz-json-1.1");
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(Protocol::of(&parts("POST", "/", json)), Some(Protocol::AwsJson));
        assert_eq!(Protocol::of(&parts("POST", "/", form)), Some(Protocol::Query));
        assert_eq!(Protocol::of(&parts("GET", "/?Action=GetCallerIdentity", None)), Some(Protocol::Query));
        assert_eq!(Protocol::of(&parts("POST", "/?Action=GetCallerIdentity", None)), Some(Protocol::Query));
    }

    #[test]
    fn other_requests_belong_to_nobody() {
        for (method, uri, content_type) in [
            ("POST", "/", None),
            ("POST", "/", Some("application/json")),
            ("POST", "/", Some("application/x-amz-json-1.0")),
            ("POST", "/x", Some("application/x-amz-json-1.1")),
            ("GET", "/", Some("application/x-amz-json-1.1")),
            ("GET", "/?action=x", None),
            ("PUT", "/", Some("application/x-amz-json-1.1")),
        ] {
            assert_eq!(
                Protocol::of(&parts(method, uri, content_type)),
                None,
                "{method} {uri} {content_type:?}"
            );
        }
    }

    #[test]
    fn the_scope_names_the_service_and_a_service_has_one_protocol() {
        let speaks = |name, protocol| Service::of_scope(name).speaks(protocol);
        assert_eq!(speaks("kms", Protocol::AwsJson), Ok(()));
        assert_eq!(speaks("keywright", Protocol::AwsJson), Ok(()));
        assert_eq!(speaks("keywright", Protocol::Query), Err("sts"));
        assert_eq!(speaks("cloudtrail", Protocol::AwsJson), Ok(()));
        assert_eq!(speaks("cloudtrail", Protocol::Query), Err("sts"));
        assert_eq!(speaks("sts", Protocol::Query), Ok(()));
        assert_eq!(speaks("iam", Protocol::Query), Ok(()));
        assert_eq!(speaks("sts", Protocol::AwsJson), Err("kms"));
        assert_eq!(speaks("iam", Protocol::AwsJson), Err("kms"));
        assert_eq!(speaks("kms", Protocol::Query), Err("sts"));
        assert_eq!(Service::of_scope("s3"), Service::Other);
    }

    #[test]
    fn the_target_names_the_operation_with_its_case() {
        let target = |value: &str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-amz-target"),
                HeaderValue::from_str(value).unwrap(),
            )]);
            let own = keywright_operation(&headers).map(|name| format!("Keywright {name}"));
            let trail = cloudtrail_operation(&headers).map(|name| format!("CloudTrail {name}"));
            kms_operation(&headers).map(str::to_owned).or(own).or(trail)
        };
        assert_eq!(target("TrentService.Encrypt").as_deref(), Some("Encrypt"));
        assert_eq!(target("Keywright.ExplainRequest").as_deref(), Some("Keywright ExplainRequest"));
        let prefix = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";
        assert_eq!(target(&format!("{prefix}.GetTrail")).as_deref(), Some("CloudTrail GetTrail"));
        for value in ["Encrypt", "trentservice.Encrypt", "AmazonAthena.Encrypt"] {
            assert_eq!(target(value), None, "{value}");
        }
    }
}
