//! Who did it, as CloudTrail tells it.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>

use base::{AccountId, Caller, EventTokenHolder, Principal, Session};
use serde::Serialize;

/// What CloudTrail writes where no caller is.
pub(crate) const INTERNAL: &str = "AWS Internal";

/// Fields in the order of the published examples; what does not apply is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserIdentity {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_by: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_issuer: Option<SessionIssuer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_id_federation_data: Option<FederationData>,
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

/// The role or user from whom the credentials came.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer {
    #[serde(rename = "type")]
    kind: &'static str,
    principal_id: String,
    arn: String,
    account_id: String,
    user_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FederationData {
    federated_provider: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    creation_date: String,
    /// A text in CloudTrail, too.
    mfa_authenticated: &'static str,
}

impl UserIdentity {
    /// A caller.
    pub(crate) fn of(caller: &Caller) -> Self {
        let kind = match &caller.principal {
            Principal::Root => "Root",
            Principal::User { .. } => "IAMUser",
            Principal::RoleSession { .. } => "AssumedRole",
            Principal::FederatedUser { .. } => "FederatedUser",
            Principal::Service { name } => {
                let invoked_by = Some(name.clone());
                return Self { kind: Some("AWSService"), invoked_by, ..Self::default() };
            }
        };
        let user_name = match &caller.principal {
            Principal::User { .. } => caller.principal.friendly_name().map(str::to_owned),
            Principal::Root
            | Principal::RoleSession { .. }
            | Principal::FederatedUser { .. }
            | Principal::Service { .. } => None,
        };
        Self {
            kind: Some(kind),
            principal_id: Some(caller.user_id().into_owned()),
            arn: Some(caller.arn().to_string()),
            account_id: Some(caller.account.to_string()),
            access_key_id: Some(caller.access_key_id.clone()),
            user_name,
            session_context: caller.session.as_ref().map(|session| SessionContext::of(caller, session)),
            identity_provider: None,
            invoked_by: None,
        }
    }

    /// Whoever holds a token of an identity provider.
    pub(crate) fn token_holder(holder: &EventTokenHolder) -> Self {
        let EventTokenHolder { provider, audience, subject, .. } = holder;
        Self {
            kind: Some("WebIdentityUser"),
            principal_id: Some(format!("{provider}:{audience}:{subject}")),
            user_name: Some(subject.clone()),
            identity_provider: Some(provider.clone()),
            ..Self::default()
        }
    }

    /// What another account is told of the caller: its account. Services are told as they are.
    pub(crate) fn as_another_account(&self) -> Self {
        let Some(account) = &self.account_id else {
            return Self { kind: self.kind, invoked_by: self.invoked_by.clone(), ..Self::default() };
        };
        Self {
            kind: Some("AWSAccount"),
            principal_id: self.principal_id.clone(),
            account_id: Some(account.clone()),
            invoked_by: self.invoked_by.clone(),
            ..Self::default()
        }
    }

    /// The same identity, on whose behalf a service calls.
    pub(crate) fn invoked_by(self, service: Option<String>) -> Self {
        Self { invoked_by: service.or(self.invoked_by), ..self }
    }

    /// The service itself, on resources of this account.
    pub(crate) fn service(account: AccountId) -> Self {
        Self {
            account_id: Some(account.to_string()),
            invoked_by: Some(INTERNAL.to_owned()),
            ..Self::default()
        }
    }
}

impl SessionContext {
    fn of(caller: &Caller, session: &Session) -> Self {
        Self {
            session_issuer: SessionIssuer::of(caller),
            web_id_federation_data: session
                .federation
                .as_ref()
                .map(|federation| FederationData { federated_provider: federation.provider.clone() }),
            attributes: Attributes {
                creation_date: session.issued_at.iso_extended(),
                mfa_authenticated: if session.multi_factor_at.is_some() { "true" } else { "false" },
            },
            source_identity: session.source_identity.clone(),
        }
    }
}

impl SessionIssuer {
    fn of(caller: &Caller) -> Option<Self> {
        let account = caller.account;
        let (kind, id, arn) = match &caller.principal {
            Principal::RoleSession { unique_id, path_and_name, .. } => {
                ("Role", unique_id, format!("arn:aws:iam::{account}:role/{path_and_name}"))
            }
            Principal::FederatedUser { user_unique_id, user_path_and_name, .. } => {
                ("IAMUser", user_unique_id, format!("arn:aws:iam::{account}:user/{user_path_and_name}"))
            }
            Principal::Root | Principal::User { .. } | Principal::Service { .. } => return None,
        };
        Some(Self {
            kind,
            principal_id: id.clone(),
            arn,
            account_id: account.to_string(),
            user_name: caller.principal.friendly_name().unwrap_or_default().to_owned(),
        })
    }
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
        serde_json::to_value(UserIdentity::of(&caller)).unwrap()
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
}
