//! Who exists for the key service under test, and what their identity policies allow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base::{Caller, Principal};
use kms::{CallerRights, KnownPrincipal, Principals, PrincipalsUnavailable};
use policy::{AttachedPolicy, IdentitySide, Policy, PolicyKind, PolicySource, PrincipalEntry};

use crate::bench::{ACCOUNT, OTHER_ACCOUNT};

/// Two accounts. Each has the users `admin`, `ops/clerk` and `ops/limited` and the role `service/app`, and whoever is
/// made in a test.
pub(crate) struct People {
    /// Unique ids by ARN.
    identities: Mutex<BTreeMap<String, String>>,
}

/// The unique id that a user or role has from the beginning.
pub(crate) fn unique_id(account: &str, path_and_name: &str) -> String {
    let word: String =
        path_and_name.to_ascii_uppercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let prefix = if path_and_name == "service/app" { "AROA" } else { "AIDA" };
    format!("{prefix}{account}{word}")
}

impl People {
    pub(crate) fn new() -> Self {
        let mut identities = BTreeMap::new();
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            for user in ["admin", "ops/clerk", "ops/limited"] {
                identities.insert(format!("arn:aws:iam::{account}:user/{user}"), unique_id(account, user));
            }
            let role = format!("arn:aws:iam::{account}:role/service/app");
            identities.insert(role, unique_id(account, "service/app"));
        }
        Self { identities: Mutex::new(identities) }
    }

    /// Ends whoever has this ARN.
    pub(crate) fn delete(&self, arn: &str) {
        self.identities.lock().unwrap().remove(arn);
    }

    /// Gives the ARN to whoever has this unique id from now on.
    pub(crate) fn name(&self, arn: &str, unique_id: &str) {
        let mut identities = self.identities.lock().unwrap();
        identities.retain(|_, id| id != unique_id);
        identities.insert(arn.to_owned(), unique_id.to_owned());
    }
}

#[async_trait::async_trait]
impl Principals for People {
    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<KnownPrincipal>, PrincipalsUnavailable> {
        let identities = self.identities.lock().unwrap();
        let is_account =
            |account: &base::AccountId| [ACCOUNT, OTHER_ACCOUNT].contains(&&*account.to_string());
        let nameless = |is_there: bool| is_there.then_some(KnownPrincipal { unique_id: None });
        Ok(match entry {
            PrincipalEntry::Anybody | PrincipalEntry::Service(_) | PrincipalEntry::Federated(_) => {
                nameless(true)
            }
            PrincipalEntry::Account(account) | PrincipalEntry::FederatedUser { account, .. } => {
                nameless(is_account(account))
            }
            PrincipalEntry::RoleSession { role, .. } => nameless(role.eq_ignore_ascii_case("app")),
            PrincipalEntry::UniqueId(id) => identities
                .values()
                .find(|known| **known == **id)
                .map(|id| KnownPrincipal { unique_id: Some(id.clone()) }),
            PrincipalEntry::User { .. } | PrincipalEntry::Role { .. } => {
                let id = identities.get(&entry.to_string());
                id.map(|id| KnownPrincipal { unique_id: Some(id.clone()) })
            }
        })
    }

    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, PrincipalsUnavailable> {
        let identities = self.identities.lock().unwrap();
        Ok(identities.iter().find(|(_, id)| *id == unique_id).map(|(arn, _)| arn.clone()))
    }

    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn CallerRights>, PrincipalsUnavailable> {
        let is_limited = matches!(&caller.principal,
            Principal::User { path_and_name, .. } if path_and_name == "ops/limited");
        let actions = if is_limited { r#"["kms:Encrypt", "kms:CreateAlias"]"# } else { r#""*""# };
        let document = format!(r#"{{"Statement":{{"Effect":"Allow","Action":{actions},"Resource":"*"}}}}"#);
        let policy = Arc::new(Policy::parse(&document, PolicyKind::Identity).unwrap());
        let source = PolicySource::User { name: "test".to_owned() };
        Ok(Arc::new(OnePolicy([AttachedPolicy { policy, source }])))
    }
}

struct OnePolicy([AttachedPolicy; 1]);

impl CallerRights for OnePolicy {
    fn side(&self) -> IdentitySide<'_> {
        IdentitySide { policies: &self.0, ..IdentitySide::default() }
    }
}
