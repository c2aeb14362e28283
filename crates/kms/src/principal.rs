//! The port through which this room learns who exists and may do what, and what becomes of the principals that key
//! policies and grants name.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
//!
//! A policy or grant that names a user or role means the one who is there when it is stored. Its unique id is kept beside
//! it; a namesake who is made later gets nothing, as on AWS.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Caller;
use policy::{IdentitySide, PrincipalEntry};

use crate::Kms;
use crate::error::KmsError;

/// The port through which policies and grants learn who exists, and decisions what the caller's account allows.
#[async_trait::async_trait]
pub trait Principals: Send + Sync {
    /// Whom an entry of a policy or grant names; `None` if there is nobody of this name. Services and identity providers
    /// always are there.
    async fn find(&self, entry: &PrincipalEntry) -> Result<Option<KnownPrincipal>, PrincipalsUnavailable>;

    /// The ARN that the user or role of a unique id has now; `None` if it is gone.
    async fn arn_of(&self, unique_id: &str) -> Result<Option<String>, PrincipalsUnavailable>;

    /// What policies of its own account give a caller.
    async fn rights_of(&self, caller: &Caller) -> Result<Arc<dyn CallerRights>, PrincipalsUnavailable>;
}

/// Somebody whom an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPrincipal {
    /// `AIDA…` or `AROA…` if the entry names one user or role, who can be deleted and made again.
    pub unique_id: Option<String>,
}

/// What a caller's own account says about the caller.
pub trait CallerRights: Send + Sync {
    /// As a decision takes it.
    fn side(&self) -> IdentitySide<'_>;
}

/// What identities have cannot be found out.
#[derive(Debug, thiserror::Error)]
#[error("principals cannot be looked up: {0}")]
pub struct PrincipalsUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The unique ids of users and roles, by the ARNs under which a document names them.
pub(crate) type UniqueIds = BTreeMap<String, String>;

impl Kms {
    /// The ARN that somebody has now, or the unique id of whoever is gone.
    pub(crate) async fn principal_now(&self, unique_id: &str) -> Result<String, KmsError> {
        Ok(self.principals.arn_of(unique_id).await?.unwrap_or_else(|| unique_id.to_owned()))
    }
}
