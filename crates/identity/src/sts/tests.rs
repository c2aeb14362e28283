use proptest::prelude::*;
use wire::Fault;
use wire::query::Form;

use crate::Identity;

fn refused(body: &str) -> Fault {
    Identity::sts_operation(&Form::parse(body.as_bytes()).unwrap()).err().unwrap()
}

#[test]
fn operations_are_found_by_name_and_version() {
    for name in [
        "AssumeRole",
        "DecodeAuthorizationMessage",
        "GetAccessKeyInfo",
        "GetCallerIdentity",
        "GetFederationToken",
        "GetSessionToken",
    ] {
        for body in
            [format!("Action={name}&Version=2011-06-15"), format!("Version=2011-06-15&Action={name}&Extra=1")]
        {
            let form = Form::parse(body.as_bytes()).unwrap();
            assert_eq!(Identity::sts_operation(&form).unwrap().name, name);
        }
    }
}

#[test]
fn unknown_operations_are_not_found() {
    for (body, message) in [
        (
            "Action=AssumeRoot&Version=2011-06-15",
            "Could not find operation AssumeRoot for version 2011-06-15",
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
        assert_eq!(refused(body), Fault::bad_request("InvalidAction", message), "{body}");
    }
}

#[test]
fn a_request_without_an_operation_is_told_so() {
    for body in ["", "Version=2011-06-15", "Action=&Version=2011-06-15", "action=GetCallerIdentity"] {
        let fault = refused(body);
        assert_eq!((fault.code, fault.status), ("MissingAction", 400), "{body}");
    }
}

proptest! {
    #[test]
    fn any_form_gets_an_answer_of_bounded_length(body in any::<Vec<u8>>()) {
        if let Ok(form) = Form::parse(&body)
            && let Err(fault) = Identity::sts_operation(&form)
        {
            prop_assert!(fault.message.unwrap_or_default().len() < 2_048);
        }
    }
}
