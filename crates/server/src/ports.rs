//! The ports that services declare, plugged into each other here: services never know one another.

use std::sync::Arc;

use async_trait::async_trait;
use base::AccountId;
use identity::{Identity, IdentityError};
use kms::{Principals, PrincipalsUnavailable};

/// Lets key policies and grants ask who exists.
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
}

fn unavailable(error: IdentityError) -> PrincipalsUnavailable {
    PrincipalsUnavailable(error.into())
}
