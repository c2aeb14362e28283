//! The Query protocol: forms, and the request of every IAM and STS operation out of them.

use wire::query::{Form, Request, decode, percent_encode};
use wire::{iam, sts};

use crate::Target;

pub(crate) const TARGET: Target = Target { name: "query_form", run, seeds, words: &WORDS };

const WORDS: [&str; 24] = [
    "Action=",
    "&Version=2010-05-08",
    "&Version=2011-06-15",
    ".member.1",
    ".member.2.Key=",
    ".member.1.Value=",
    "&Tags",
    "&UserName=",
    "&RoleName=",
    "&GroupName=",
    "&PolicyArn=",
    "&PolicyDocument=",
    "&PathPrefix=%2F",
    "&MaxItems=",
    "&Marker=",
    "&DurationSeconds=",
    "&RoleArn=",
    "&RoleSessionName=",
    "&ContextEntries.member.1.ContextKeyName=",
    "%00",
    "%2B",
    "+",
    "&",
    "=",
];

fn run(input: &[u8]) {
    let Ok(form) = Form::parse(input) else { return };
    let _ = (form.action(), form.version());
    if let Some(action) = form.action() {
        let again = Form::parse(format!("Action={}", percent_encode(action)).as_bytes()).ok().unwrap();
        assert_eq!(again.action(), Some(action), "a text that was encoded is decoded otherwise");
    }
    requests(&form);
}

fn one<R: Request>(form: &Form) {
    if let Err(fault) = decode::<R>(form) {
        assert_eq!(fault.status, 400, "{fault:?}");
    }
}

/// Operations that together have every shape there is: lists, structures, lists of structures, numbers, truth values.
fn requests(form: &Form) {
    one::<iam::CreateRoleRequest>(form);
    one::<iam::CreateUserRequest>(form);
    one::<iam::CreatePolicyRequest>(form);
    one::<iam::CreateOpenIDConnectProviderRequest>(form);
    one::<iam::ListPoliciesRequest>(form);
    one::<iam::ListEntitiesForPolicyRequest>(form);
    one::<iam::SimulateCustomPolicyRequest>(form);
    one::<iam::SimulatePrincipalPolicyRequest>(form);
    one::<iam::TagUserRequest>(form);
    one::<iam::UntagUserRequest>(form);
    one::<iam::UpdateAccessKeyRequest>(form);
    one::<sts::AssumeRoleRequest>(form);
    one::<sts::AssumeRoleWithWebIdentityRequest>(form);
    one::<sts::GetFederationTokenRequest>(form);
    one::<sts::GetSessionTokenRequest>(form);
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "",
        "Action=GetCallerIdentity&Version=2011-06-15",
        concat!(
            "Action=CreateUser&Version=2010-05-08&UserName=alice&Path=%2Fops%2F&Tags.member.1.Key=a",
            "&Tags.member.1.Value=b",
        ),
        "Action=CreateRole&Version=2010-05-08&RoleName=app&AssumeRolePolicyDocument=%7B%7D&MaxSessionDuration=3600",
        concat!(
            "Action=CreateOpenIDConnectProvider&Version=2010-05-08&Url=https%3A%2F%2Fa.example",
            "&ClientIDList.member.1=b&ThumbprintList.member.1=c",
        ),
        "Action=ListPolicies&Version=2010-05-08&Scope=Local&OnlyAttached=true&PathPrefix=%2F&MaxItems=10&Marker=x",
        "Action=UntagUser&Version=2010-05-08&UserName=a&TagKeys.member.2=b&TagKeys.member.1=a",
        concat!(
            "Action=SimulateCustomPolicy&Version=2010-05-08&PolicyInputList.member.1=%7B%7D",
            "&ActionNames.member.1=kms%3ADecrypt&ContextEntries.member.1.ContextKeyName=a",
            "&ContextEntries.member.1.ContextKeyType=string",
            "&ContextEntries.member.1.ContextKeyValues.member.1=b",
        ),
        concat!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fapp",
            "&RoleSessionName=s&DurationSeconds=900&PolicyArns.member.1.arn=x&TransitiveTagKeys.member.1=a",
        ),
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r&RoleSessionName=s&WebIdentityToken=a.b.c",
        concat!(
            "Action=%E2%82%AC+x&Action=b&=c&d&&e==f&Tags.member.4294967296.Key=a&Tags.member.-1.Key=b",
            "&Tags.member.01.Key=c",
        ),
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
