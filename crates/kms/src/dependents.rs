//! The port through which this room learns what depends on a key elsewhere, to tell of it when the key is to be deleted.

use base::{Call, KeyArn};

use crate::Kms;

/// What depends on a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Buckets that encrypt under it by default, or hold what is counted here.
    pub buckets: u64,
    /// Objects, and uploads under way.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// There may be more: it was not looked at everything.
    pub is_partial: bool,
}

/// What depends on keys cannot be found out.
#[derive(Debug, thiserror::Error)]
#[error("what depends on a key cannot be counted: {0}")]
pub struct DependentsUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Knows what depends on keys. An answer comes within seconds, if need be a partial one.
#[async_trait::async_trait]
pub trait KeyDependents: Send + Sync {
    /// What depends on a key, by its ARN or by one of its aliases.
    async fn of(&self, key: &KeyArn, aliases: &[String]) -> Result<Dependents, DependentsUnavailable>;
}

/// Nothing depends on any key.
pub(crate) struct NoDependents;

#[async_trait::async_trait]
impl KeyDependents for NoDependents {
    async fn of(&self, _: &KeyArn, _: &[String]) -> Result<Dependents, DependentsUnavailable> {
        Ok(Dependents::default())
    }
}

impl Kms {
    /// Tells the event of a call, and the operator, what depends on a key that is going to be deleted. The deletion is not
    /// held up by what cannot be counted.
    pub(crate) async fn note_dependents(&self, call: &Call, key: &KeyArn) {
        let dependents = match self.dependents_of(key).await {
            Ok(dependents) => dependents,
            Err(error) => {
                tracing::warn!(%error, %key, "a key is to be deleted, and nobody knows what depends on it");
                return;
            }
        };
        if dependents == Dependents::default() {
            return;
        }
        let Dependents { buckets, objects, bytes, is_partial } = dependents;
        for (name, count) in
            [("dependentBuckets", buckets), ("dependentBytes", bytes), ("dependentObjects", objects)]
        {
            if is_partial {
                call.event.add(name, format_args!("at least {count}"));
            } else {
                call.event.add_number(name, count);
            }
        }
        tracing::warn!(
            %key, buckets, objects, bytes, is_partial,
            "a key is to be deleted, and what depends on it cannot be read then"
        );
    }

    async fn dependents_of(
        &self,
        key: &KeyArn,
    ) -> Result<Dependents, Box<dyn std::error::Error + Send + Sync>> {
        let aliases = self.keys.cached(key).await?.map(|key| key.aliases.clone()).unwrap_or_default();
        Ok(self.dependents.of(key, &aliases).await?)
    }
}
