//! The ports that services declare, plugged into each other here: services never know one another.

use std::sync::Arc;

use async_trait::async_trait;
use base::{AccountId, Caller};
use identity::{CallerPolicies, Identity, IdentityError};
use kms::{CallerRights, Principals, PrincipalsUnavailable};
use policy::IdentitySide;

/// Lets key policies and grants ask who exists, and decisions what users may do.
pub(crate) struct PrincipalsOfIdentity(pub(crate) Arc<Identity>);

#[async_trait]
impl Principals for PrincipalsOfIdentity {
    async fn account_exists(&self, account: AccountId) -> Result<bool, PrincipalsUnavailable> {
        self.0.account_exists(account).await.map_err(unavailable)
    }

    async fn user_exists(
        &self,
        account: AccountId,
        path_and_name: &str,
    ) -> Result<bool, PrincipalsUnavailable> {
        self.0.user_exists(account, path_and_name).await.map_err(unavailable)
    }

    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn CallerRights>, PrincipalsUnavailable> {
        Ok(Arc::new(PoliciesOfCaller(self.0.policies_of(caller).await.map_err(unavailable)?)))
    }
}

/// The policies that apply to a caller.
struct PoliciesOfCaller(Arc<CallerPolicies>);

impl CallerRights for PoliciesOfCaller {
    fn side(&self) -> IdentitySide<'_> {
        self.0.side()
    }
}

fn unavailable(error: IdentityError) -> PrincipalsUnavailable {
    PrincipalsUnavailable(error.into())
}
