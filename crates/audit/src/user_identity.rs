//! Who did it, as CloudTrail tells it.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>

use base::{AccountId, Caller, EventTokenHolder, Principal, Session};

use crate::json::Object;

/// What CloudTrail writes where no caller is.
pub(crate) const INTERNAL: &str = "AWS Internal";

/// Whoever is to be told of.
#[derive(Clone, Copy)]
pub(crate) enum UserIdentity<'a> {
    /// A caller, perhaps with the service that calls on its behalf.
    Caller { caller: &'a Caller, invoked_by: Option<&'a str> },
    /// The same for another account, which is told the caller's account. Services are told as they are.
    AnotherAccount { caller: &'a Caller, invoked_by: Option<&'a str> },
    /// Whoever holds a token of an identity provider.
    TokenHolder(&'a EventTokenHolder),
    /// The service itself, on resources of this account.
    Service(AccountId),
}

impl UserIdentity<'_> {
    /// As another account is told of it.
    pub(crate) fn as_another_account(self) -> Self {
        match self {
            Self::Caller { caller, invoked_by } => Self::AnotherAccount { caller, invoked_by },
            other @ (Self::AnotherAccount { .. } | Self::TokenHolder(_) | Self::Service(_)) => other,
        }
    }

    /// Writes the fields in the order of the published examples; what does not apply is left out.
    pub(crate) fn write(self, identity: &mut Object<'_>) {
        match self {
            Self::Caller { caller, invoked_by } => write_caller(identity, caller, invoked_by),
            Self::AnotherAccount { caller, invoked_by } => {
                write_foreign_caller(identity, caller, invoked_by);
            }
            Self::TokenHolder(holder) => write_token_holder(identity, holder),
            Self::Service(account) => {
                identity.text("accountId", account);
                identity.text("invokedBy", INTERNAL);
            }
        }
    }
}

fn write_caller(identity: &mut Object<'_>, caller: &Caller, invoked_by: Option<&str>) {
    let kind = match &caller.principal {
        Principal::Root => "Root",
        Principal::User { .. } => "IAMUser",
        Principal::RoleSession { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { name } => return write_service(identity, invoked_by.unwrap_or(name)),
        Principal::Anonymous => return write_anonymous(identity),
    };
    identity.string("type", kind);
    identity.string("principalId", &caller.user_id());
    identity.text("arn", caller.arn());
    identity.text("accountId", caller.account);
    identity.string("accessKeyId", &caller.access_key_id);
    if let Principal::User { .. } = &caller.principal {
        identity.text_if("userName", caller.principal.friendly_name());
    }
    if let Some(session) = &caller.session {
        identity.object("sessionContext", |context| write_session(context, caller, session));
    }
    identity.text_if("invokedBy", invoked_by);
}

fn write_foreign_caller(identity: &mut Object<'_>, caller: &Caller, invoked_by: Option<&str>) {
    match &caller.principal {
        Principal::Service { name } => return write_service(identity, invoked_by.unwrap_or(name)),
        Principal::Anonymous => return write_anonymous(identity),
        Principal::Root
        | Principal::User { .. }
        | Principal::RoleSession { .. }
        | Principal::FederatedUser { .. } => {}
    }
    identity.text("type", "AWSAccount");
    identity.text("principalId", caller.user_id());
    identity.text("accountId", caller.account);
    identity.text_if("invokedBy", invoked_by);
}

fn write_service(identity: &mut Object<'_>, name: &str) {
    identity.text("type", "AWSService");
    identity.text("invokedBy", name);
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html>
fn write_anonymous(identity: &mut Object<'_>) {
    identity.text("type", "AWSAccount");
    identity.text("principalId", "");
    identity.text("accountId", "anonymous");
}

fn write_token_holder(identity: &mut Object<'_>, holder: &EventTokenHolder) {
    let EventTokenHolder { provider, audience, subject, .. } = holder;
    identity.text("type", "WebIdentityUser");
    identity.text("principalId", format_args!("{provider}:{audience}:{subject}"));
    identity.text("userName", subject);
    identity.text("identityProvider", provider);
}

fn write_session(context: &mut Object<'_>, caller: &Caller, session: &Session) {
    write_issuer(context, caller);
    if let Some(federation) = &session.federation {
        context.object("webIdFederationData", |data| data.text("federatedProvider", &federation.provider));
    }
    context.object("attributes", |attributes| {
        attributes.text("creationDate", session.issued_at);
        // A text in CloudTrail, too.
        attributes.text("mfaAuthenticated", session.multi_factor_at.is_some());
    });
    context.text_if("sourceIdentity", session.source_identity.as_deref());
}

/// The role or user from whom the credentials came.
fn write_issuer(context: &mut Object<'_>, caller: &Caller) {
    let (kind, resource, id, path_and_name) = match &caller.principal {
        Principal::RoleSession { unique_id, path_and_name, .. } => ("Role", "role", unique_id, path_and_name),
        Principal::FederatedUser { user_unique_id, user_path_and_name, .. } => {
            ("IAMUser", "user", user_unique_id, user_path_and_name)
        }
        Principal::Root | Principal::User { .. } | Principal::Service { .. } | Principal::Anonymous => return,
    };
    let account = caller.account;
    context.object("sessionIssuer", |issuer| {
        issuer.text("type", kind);
        issuer.text("principalId", id);
        issuer.text("arn", format_args!("arn:aws:iam::{account}:{resource}/{path_and_name}"));
        issuer.text("accountId", account);
        issuer.text("userName", caller.principal.friendly_name().unwrap_or_default());
    });
}

#[cfg(test)]
mod tests {
    use base::{Federation, Timestamp};
    use serde_json::{Value, json};

    use super::*;

    fn told(principal: Principal, session: Option<Session>) -> Value {
        let caller = Caller {
            account: "123456789012".parse().unwrap(),
            principal,
            access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
            session,
        };
        let mut told = Vec::new();
        let identity = UserIdentity::Caller { caller: &caller, invoked_by: None };
        Object::write(&mut told, |object| identity.write(object));
        serde_json::from_slice(&told).unwrap()
    }

    fn session() -> Session {
        Session {
            issued_at: Timestamp::from_iso_basic("20180920T174101Z").unwrap(),
            multi_factor_at: None,
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            policies: None,
            source_identity: None,
            federation: None,
        }
    }

    #[test]
    fn a_role_session_names_its_role_as_issuer() {
        let role = Principal::RoleSession {
            path_and_name: "service/app".into(),
            unique_id: "AROAEXAMPLE".into(),
            session_name: "deploy".into(),
        };
        let federation = Federation { provider: "accounts.google.com".into(), claims: Vec::new() };
        let session = Session {
            source_identity: Some("alice".into()),
            multi_factor_at: Some(Timestamp::from_seconds(0)),
            federation: Some(federation),
            ..session()
        };
        let expected = json!({
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:deploy",
            "arn": "arn:aws:sts::123456789012:assumed-role/app/deploy",
            "accountId": "123456789012",
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLE",
                    "arn": "arn:aws:iam::123456789012:role/service/app",
                    "accountId": "123456789012",
                    "userName": "app"
                },
                "webIdFederationData": {"federatedProvider": "accounts.google.com"},
                "attributes": {"creationDate": "2018-09-20T17:41:01Z", "mfaAuthenticated": "true"},
                "sourceIdentity": "alice"
            }
        });
        assert_eq!(told(role, Some(session)), expected);
    }

    #[test]
    fn a_federated_user_names_the_user_as_issuer() {
        let federated = Principal::FederatedUser {
            name: "bob".into(),
            user_path_and_name: "ops/alice".into(),
            user_unique_id: "AIDAEXAMPLE".into(),
        };
        let event = told(federated, Some(session()));
        assert_eq!(event["type"], "FederatedUser");
        assert_eq!(event["principalId"], "123456789012:bob");
        assert_eq!(event["sessionContext"]["sessionIssuer"]["type"], "IAMUser");
        assert_eq!(event["sessionContext"]["sessionIssuer"]["userName"], "alice");
        assert_eq!(event["sessionContext"]["attributes"]["mfaAuthenticated"], "false");
        assert_eq!(event.get("userName"), None);
    }

    #[test]
    fn a_users_session_has_no_issuer_and_root_and_services_have_no_name() {
        let user = Principal::User { path_and_name: "ops/alice".into(), unique_id: "AIDAEXAMPLE".into() };
        let event = told(user.clone(), Some(session()));
        assert_eq!((&event["type"], &event["userName"]), (&json!("IAMUser"), &json!("alice")));
        assert_eq!(event["sessionContext"].get("sessionIssuer"), None);
        assert_eq!(told(user, None).get("sessionContext"), None);
        let root = told(Principal::Root, None);
        assert_eq!((&root["type"], &root["principalId"]), (&json!("Root"), &json!("123456789012")));
        assert_eq!((&root["arn"], root.get("userName")), (&json!("arn:aws:iam::123456789012:root"), None));
        let service = told(Principal::Service { name: "logs.amazonaws.com".into() }, None);
        assert_eq!(service, json!({"type": "AWSService", "invokedBy": "logs.amazonaws.com"}));
    }

    #[test]
    fn whoever_did_not_sign_has_no_account() {
        let expected = json!({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"});
        assert_eq!(told(Principal::Anonymous, None), expected);
        let caller = Caller::anonymous("123456789012".parse().unwrap());
        let identity = UserIdentity::Caller { caller: &caller, invoked_by: None }.as_another_account();
        let mut told = Vec::new();
        Object::write(&mut told, |object| identity.write(object));
        assert_eq!(serde_json::from_slice::<Value>(&told).unwrap(), expected);
    }
}
