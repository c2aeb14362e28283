//! The keys of identity providers, fetched through a port and kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::Timestamp;
use crypto::web_identity::{JsonWebKeySet, KeySetError};

/// How long keys that were fetched are good, in seconds.
const FRESH_SECONDS: i64 = 3_600;
/// How soon keys are fetched again that could not be had, or for a token whose key is not among them, in seconds: a provider
/// may have changed its keys, and nobody who sends bad tokens may make this service ask it all the time.
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

struct Fetched {
    keys: Result<Arc<JsonWebKeySet>, NoKeys>,
    at: Timestamp,
}

/// Why there are no keys. The text is for the operator.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoKeys {
    /// They could not be fetched.
    #[error(transparent)]
    Unavailable(Arc<KeySetUnavailable>),
    /// What was fetched are none.
    #[error("the key set of {issuer} cannot be used: {error}")]
    Unusable {
        /// The provider.
        issuer: String,
        /// What is wrong with them.
        error: KeySetError,
    },
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
            return known.keys.clone();
        }
        let keys = self.fetch(issuer).await;
        *fetched = Some(Fetched { keys: keys.clone(), at: now });
        keys
    }

    async fn fetch(&self, issuer: &str) -> Result<Arc<JsonWebKeySet>, NoKeys> {
        let json = self.source.key_set(issuer).await.map_err(|error| NoKeys::Unavailable(Arc::new(error)))?;
        let unusable = |error| NoKeys::Unusable { issuer: issuer.to_owned(), error };
        JsonWebKeySet::parse(&json).map(Arc::new).map_err(unusable)
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
    /// Whether this will do for a token: the keys are fresh and have its key, or there was a try just now.
    fn serves(&self, key_id: Option<&str>, now: Timestamp) -> bool {
        let has_key = self.keys.as_ref().is_ok_and(|keys| key_id.is_none_or(|id| keys.knows(id)));
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
    async fn who_could_not_be_asked_is_asked_again_after_a_while() {
        let source = Arc::new(Counting::default());
        let sets = KeySets::new(Arc::<Counting>::clone(&source));
        for issuer in ["https://gone", "https://wrong"] {
            let before = source.0.load(Ordering::SeqCst);
            for (at, asked) in [(0, 1), (1, 1), (9, 1), (10, 2), (19, 2), (20, 3)] {
                assert!(sets.of(issuer, None, Timestamp::from_seconds(at)).await.is_err());
                assert_eq!(source.0.load(Ordering::SeqCst) - before, asked, "{issuer} at {at}");
            }
        }
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
