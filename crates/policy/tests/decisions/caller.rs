//! Callers, as cases name them.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Arn, Caller, Federation, Principal, Session};
use policy::CallerFacts;
use serde::Deserialize;

/// An ARN, the name of a service, or `anonymous`; with more about it, if the case is about that.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum CallerText {
    Named(String),
    Told(Told),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    arn: String,
    /// Path of the role, with a slash at its end.
    #[serde(default)]
    path: String,
    /// The unique id of user or role, in the place of the usual one.
    id: Option<String>,
    /// Temporary credentials; role sessions and federated users have them anyway.
    #[serde(default)]
    session: bool,
    /// When the session began.
    since: Option<String>,
    /// When multi-factor authentication was used.
    mfa: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    source_identity: Option<String>,
    provider: Option<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

impl CallerText {
    pub(crate) fn facts(&self) -> Result<CallerFacts, String> {
        match self {
            Self::Named(text) if text == "anonymous" => Ok(CallerFacts::anonymous()),
            Self::Named(arn) => Told::plain(arn).facts(),
            Self::Told(told) => told.facts(),
        }
    }
}

impl Told {
    fn plain(arn: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            path: String::new(),
            id: None,
            session: false,
            since: None,
            mfa: None,
            tags: BTreeMap::new(),
            source_identity: None,
            provider: None,
            claims: BTreeMap::new(),
        }
    }

    fn facts(&self) -> Result<CallerFacts, String> {
        if self.arn == "token" {
            let provider = self.provider.clone().ok_or("no provider")?;
            let claims = self.claims.clone().into_iter().collect();
            return Ok(CallerFacts::token_holder(
                &provider,
                Federation { provider: provider.clone(), claims },
            ));
        }
        let Ok(arn) = Arn::parse(&self.arn) else {
            let account = "000000000000".parse().map_err(|_| "account")?;
            let principal = Principal::Service { name: self.arn.clone() };
            return Ok(self.with(account, principal, None));
        };
        let account = arn.account.parse().map_err(|_| format!("no account in {}", self.arn))?;
        let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        let (principal, is_temporary) = match kind {
            "root" => (Principal::Root, false),
            "user" => (self.user(name), false),
            "assumed-role" => (self.role_session(name)?, true),
            "federated-user" => (self.federated_user(name), true),
            other => return Err(format!("no caller is a {other}")),
        };
        let session = (is_temporary || self.session).then(|| self.temporary()).transpose()?;
        Ok(self.with(account, principal, session))
    }

    fn with(&self, account: base::AccountId, principal: Principal, session: Option<Session>) -> CallerFacts {
        let access_key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
        CallerFacts::of(Arc::new(Caller { account, principal, access_key_id, session }))
    }

    fn user(&self, path_and_name: &str) -> Principal {
        Principal::User {
            path_and_name: path_and_name.to_owned(),
            unique_id: self.id.clone().unwrap_or_else(|| unique_id("AIDA", path_and_name)),
        }
    }

    fn role_session(&self, name: &str) -> Result<Principal, String> {
        let (role, session) = name.split_once('/').ok_or("a session has a role and a name")?;
        Ok(Principal::RoleSession {
            path_and_name: format!("{}{role}", self.path),
            unique_id: self.id.clone().unwrap_or_else(|| unique_id("AROA", role)),
            session_name: session.to_owned(),
        })
    }

    /// Federated sessions are all made by the user alice.
    fn federated_user(&self, name: &str) -> Principal {
        Principal::FederatedUser {
            name: name.to_owned(),
            user_path_and_name: "alice".to_owned(),
            user_unique_id: unique_id("AIDA", "alice"),
        }
    }

    fn temporary(&self) -> Result<Session, String> {
        let moment = |text: &String| text.parse().map_err(|_| format!("{text} is no moment"));
        let issued_at = self.since.as_ref().map(moment).transpose()?;
        let federation = self
            .provider
            .clone()
            .map(|provider| Federation { provider, claims: self.claims.clone().into_iter().collect() });
        Ok(Session {
            issued_at: issued_at.unwrap_or(base::Timestamp::from_seconds(1_795_300_000)),
            multi_factor_at: self.mfa.as_ref().map(moment).transpose()?,
            tags: self.tags.clone().into_iter().collect(),
            transitive_tag_keys: Vec::new(),
            policies: None,
            source_identity: self.source_identity.clone(),
            federation,
        })
    }
}

/// The unique id that a name has in the corpus: `AIDAALICE` and X up to 21 characters.
fn unique_id(prefix: &str, path_and_name: &str) -> String {
    let name = path_and_name.rsplit('/').next().unwrap_or_default().to_uppercase();
    format!("{:X<21}", format!("{prefix}{name}"))
}
