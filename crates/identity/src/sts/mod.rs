//! The STS operations, one file each.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>

mod get_caller_identity;

use base::Call;
use wire::Fault;
use wire::query::{self, Form};
use wire::sts::{NAMESPACE, VERSION};

/// How much of an unknown operation's name is told back, in characters.
const ECHO_LENGTH_MAX: usize = 128;

/// Answers an authenticated call: the XML of a success. A refusal is for [`wire::query::encode_fault`] with
/// [`wire::sts::NAMESPACE`].
///
/// # Errors
/// MissingAction if the request names no operation, InvalidAction if there is none of that name and version; both with
/// HTTP status 400.
pub fn answer(call: &Call, form: &Form) -> Result<Vec<u8>, Fault> {
    let Some(action) = form.action().filter(|action| !action.is_empty()) else {
        return Err(missing_action());
    };
    let version = form.version().unwrap_or("NO_VERSION_SPECIFIED");
    let request_id = call.request_id.to_string();
    match (action, version) {
        ("GetCallerIdentity", VERSION) => {
            Ok(query::encode(NAMESPACE, action, &get_caller_identity::run(call), &request_id))
        }
        (action, version) => Err(unknown(action, version)),
    }
}

/// The refusal of a request that names no operation.
pub(crate) fn missing_action() -> Fault {
    Fault::bad_request("MissingAction", "The request is missing an action.")
}

/// The refusal of a call to an operation that a Query service does not offer.
pub fn unknown_operation(form: &Form) -> Fault {
    unknown(form.action().unwrap_or_default(), form.version().unwrap_or("NO_VERSION_SPECIFIED"))
}

fn unknown(action: &str, version: &str) -> Fault {
    let shortened = |text: &str| text.chars().take(ECHO_LENGTH_MAX).collect::<String>();
    let message =
        format!("Could not find operation {} for version {}", shortened(action), shortened(version));
    Fault::bad_request("InvalidAction", message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::{Caller, Principal, RequestId, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn call() -> Call {
        Call {
            request_id: RequestId::new([7; 16]),
            caller: Arc::new(Caller {
                account: "012345678901".parse().unwrap(),
                principal: Principal::User {
                    path_and_name: "ops/alice".into(),
                    unique_id: "AIDACKCEVSQ6C2EXAMPLE".into(),
                },
                access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
                session: None,
            }),
            region: "eu-central-1".parse().unwrap(),
            time: Timestamp::from_seconds(0),
            source_address: "192.0.2.7".parse().unwrap(),
            is_secure: false,
            user_agent: "test".into(),
        }
    }

    fn answer_to(body: &str) -> Result<String, Fault> {
        let answer = answer(&call(), &Form::parse(body.as_bytes()).unwrap())?;
        Ok(String::from_utf8(answer).unwrap())
    }

    #[test]
    fn a_caller_learns_who_they_are() {
        let expected = concat!(
            r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">"#,
            "<GetCallerIdentityResult>",
            "<UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>",
            "<Account>012345678901</Account>",
            "<Arn>arn:aws:iam::012345678901:user/ops/alice</Arn>",
            "</GetCallerIdentityResult>",
            "<ResponseMetadata><RequestId>07070707-0707-4707-8707-070707070707</RequestId></ResponseMetadata>",
            "</GetCallerIdentityResponse>",
        );
        assert_eq!(answer_to("Action=GetCallerIdentity&Version=2011-06-15").unwrap(), expected);
        assert_eq!(answer_to("Version=2011-06-15&Action=GetCallerIdentity&Extra=1").unwrap(), expected);
    }

    #[test]
    fn unknown_operations_are_not_found() {
        for (body, message) in [
            (
                "Action=AssumeRole&Version=2011-06-15",
                "Could not find operation AssumeRole for version 2011-06-15",
            ),
            (
                "Action=getCallerIdentity&Version=2011-06-15",
                "Could not find operation getCallerIdentity for version 2011-06-15",
            ),
            (
                "Action=GetCallerIdentity&Version=2010-05-08",
                "Could not find operation GetCallerIdentity for version 2010-05-08",
            ),
            (
                "Action=GetCallerIdentity",
                "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED",
            ),
        ] {
            assert_eq!(answer_to(body), Err(Fault::bad_request("InvalidAction", message)), "{body}");
        }
    }

    #[test]
    fn a_request_without_an_operation_is_told_so() {
        for body in ["", "Version=2011-06-15", "Action=&Version=2011-06-15", "action=GetCallerIdentity"] {
            let fault = answer_to(body).unwrap_err();
            assert_eq!((fault.code, fault.status), ("MissingAction", 400), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_form_gets_an_answer_of_bounded_length(body in any::<Vec<u8>>()) {
            if let Ok(form) = Form::parse(&body) {
                let length = match answer(&call(), &form) {
                    Ok(answer) => answer.len(),
                    Err(fault) => fault.message.unwrap_or_default().len(),
                };
                prop_assert!(length < 2_048);
            }
        }
    }
}
