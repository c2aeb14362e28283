//! The ports that services declare, plugged into each other here: services never know one another.

use std::sync::Arc;

use async_trait::async_trait;
use base::Caller;
use identity::{CallerPolicies, Identity, IdentityError};
use kms::{CallerRights, KnownPrincipal, Principals, PrincipalsUnavailable};
use policy::{IdentitySide, PrincipalEntry};

/// Lets key policies and grants ask who exists, and decisions what callers may do.
pub(crate) struct PrincipalsOfIdentity(pub(crate) Arc<Identity>);

#[async_trait]
impl Principals for PrincipalsOfIdentity {
    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<KnownPrincipal>, PrincipalsUnavailable> {
        let known = self.0.principal(entry).await.map_err(unavailable)?;
        Ok(known.map(|known| KnownPrincipal { unique_id: known.unique_id }))
    }

    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, PrincipalsUnavailable> {
        self.0.arn_of_unique_id(unique_id).await.map_err(unavailable)
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
