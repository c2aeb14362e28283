//! The keys of identity providers, fetched through a port and kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::Timestamp;
use crypto::web_identity::{JsonWebKeySet, KeySetError};

/// How long keys that were fetched are good, in seconds.
const FRESH_SECONDS: i64 = 3_600;
/// How soon keys are fetched again for a token whose key is not among them, in seconds: a provider may have changed its
/// keys, and nobody who sends bad tokens may make this service ask it all the time.
const AGAIN_SECONDS: i64 = 10;
/// Providers whose keys are kept at a time.
const PROVIDERS_MAX: usize = 1_000;

/// The port through which this room gets the keys of an identity provider.
#[async_trait::async_trait]
pub trait KeySetSource: Send + Sync {
    /// The JSON Web Key Set of the provider with this URL, `https://…`.
    async fn key_set(&self, issuer: &str) -> Result<Vec<u8>, KeySetUnavailable>;
}

/// The keys of a provider cannot be had. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("the keys of {issuer} cannot be had: {reason}")]
pub struct KeySetUnavailable {
    /// The provider.
    pub issuer: String,
    /// Why.
    pub reason: String,
}

/// Keys in memory.
pub(crate) struct KeySets {
    source: Arc<dyn KeySetSource>,
    known: Mutex<HashMap<String, Arc<Provider>>>,
}

/// What is known of one provider; whoever fetches its keys lets the others wait.
#[derive(Default)]
struct Provider(tokio::sync::Mutex<Option<Fetched>>);

#[derive(Clone)]
struct Fetched {
    keys: Arc<JsonWebKeySet>,
    at: Timestamp,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKeys {
    #[error(transparent)]
    Unavailable(#[from] KeySetUnavailable),
    #[error("the key set of {issuer} cannot be used: {error}")]
    Unusable { issuer: String, error: KeySetError },
}

impl KeySets {
    pub(crate) fn new(source: Arc<dyn KeySetSource>) -> Self {
        Self { source, known: Mutex::default() }
    }

    /// The keys of a provider, for a token with this key id.
    pub(crate) async fn of(
        &self,
        issuer: &str,
        key_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<JsonWebKeySet>, NoKeys> {
        let provider = self.provider(issuer);
        let mut fetched = provider.0.lock().await;
        if let Some(known) = fetched.as_ref().filter(|known| known.serves(key_id, now)) {
            return Ok(Arc::clone(&known.keys));
        }
        let json = self.source.key_set(issuer).await?;
        let unusable = |error| NoKeys::Unusable { issuer: issuer.to_owned(), error };
        let keys = Arc::new(JsonWebKeySet::parse(&json).map_err(unusable)?);
        *fetched = Some(Fetched { keys: Arc::clone(&keys), at: now });
        Ok(keys)
    }

    fn provider(&self, issuer: &str) -> Arc<Provider> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PROVIDERS_MAX && !known.contains_key(issuer) {
            known.clear();
        }
        Arc::clone(known.entry(issuer.to_owned()).or_default())
    }
}

impl Fetched {
    /// Whether the keys will do for a token: they are fresh, and have its key or were fetched just now.
    fn serves(&self, key_id: Option<&str>, now: Timestamp) -> bool {
        let has_key = key_id.is_none_or(|id| self.keys.knows(id));
        let seconds = if has_key { FRESH_SECONDS } else { AGAIN_SECONDS };
        now >= self.at && now < self.at.plus_seconds(seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts how often it is asked; has no keys for `https://gone`.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait::async_trait]
    impl KeySetSource for Counting {
        async fn key_set(&self, issuer: &str) -> Result<Vec<u8>, KeySetUnavailable> {
            self.0.fetch_add(1, Ordering::SeqCst);
            if issuer == "https://gone" {
                let (issuer, reason) = (issuer.to_owned(), "it is gone".to_owned());
                return Err(KeySetUnavailable { issuer, reason });
            }
            if issuer == "https://wrong" {
                return Ok(b"[]".to_vec());
            }
            // RFC 8037 appendix A.2.
            Ok(br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"known",
                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#
                .to_vec())
        }
    }

    #[tokio::test]
    async fn keys_are_fetched_once_in_a_while_and_again_for_an_unknown_one() {
        let source = Arc::new(Counting::default());
        let sets = KeySets::new(Arc::<Counting>::clone(&source));
        for (key_id, at, asked) in [
            (Some("known"), 0, 1),
            (None, 1, 1),
            (Some("other"), 2, 1),
            (Some("other"), 10, 2),
            (Some("other"), 19, 2),
            (Some("known"), 3_609, 2),
            (Some("known"), 3_610, 3),
        ] {
            let keys = sets.of("https://a", key_id, Timestamp::from_seconds(at)).await.unwrap();
            assert!(keys.knows("known"));
            assert_eq!(source.0.load(Ordering::SeqCst), asked, "{key_id:?} at {at}");
        }
    }

    #[tokio::test]
    async fn without_keys_there_is_a_reason() {
        let sets = KeySets::new(Arc::new(Counting::default()));
        let reason = async |issuer: &str| {
            let keys = sets.of(issuer, None, Timestamp::from_seconds(0)).await;
            keys.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(reason("https://gone").await, "the keys of https://gone cannot be had: it is gone");
        assert!(reason("https://wrong").await.contains("not a JSON Web Key Set"));
        assert_eq!(reason("https://a").await, "");
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let sets = KeySets::new(Arc::new(Counting::default()));
        for number in 0..PROVIDERS_MAX + 10 {
            sets.of(&format!("https://{number}"), None, Timestamp::from_seconds(0)).await.unwrap();
        }
        assert!(sets.known.lock().unwrap().len() <= PROVIDERS_MAX);
    }
}
