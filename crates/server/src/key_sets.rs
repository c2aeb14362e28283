//! Where the keys of identity providers come from: files, and the network.
//!
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>
//!
//! Only what the operator names is fetched: any account can register a provider with any URL, and must not be able to send
//! this service to addresses inside the operator's network. The setting `web_identity.discovery` allows all.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::SecretString;
use identity::{KeySetSource, KeySetUnavailable};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use serde::Deserialize;

use crate::causes::with_causes;
use crate::config::{KeySetChoice, KeySetPlace, WebIdentity};

/// The longest answer: key sets and discovery documents are much shorter.
const ANSWER_MAX: usize = crypto::web_identity::KEY_SET_MAX;
/// From the beginning of a fetch to the end of its answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest file with a bearer token.
const TOKEN_FILE_MAX: usize = 65_536;

/// The setting `web_identity` names a file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeySetsError {
    #[error("the file {} (setting `web_identity.provider`) cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the file {} (setting `web_identity.provider`) holds no certificate authority: {source}", path.display())]
    Certificate { path: PathBuf, source: reqwest::Error },
    #[error("connections to identity providers cannot be made: {0}")]
    Client(#[source] reqwest::Error),
}

/// Fetches key sets.
pub(crate) struct ConfiguredKeySets {
    providers: HashMap<String, Provider>,
    /// For providers that are not configured, if they may be asked.
    others: Option<Client>,
}

struct Provider {
    place: KeySetPlace,
    client: Client,
    bearer_token: Option<PathBuf>,
}

/// What is used of a discovery document.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl ConfiguredKeySets {
    /// Checks the files that the configuration names; fetches nothing yet.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(crate) fn new(choice: &WebIdentity) -> Result<Self, KeySetsError> {
        let mut providers = HashMap::new();
        for provider in &choice.providers {
            for path in provider.files() {
                read(path)?;
            }
            let client = client(provider.certificate_authority.as_deref())?;
            let KeySetChoice { issuer, place, bearer_token, .. } = provider.clone();
            providers.insert(issuer, Provider { place, client, bearer_token });
        }
        let others = choice.discovery.then(|| client(None)).transpose()?;
        Ok(Self { providers, others })
    }

    /// For commands that answer no requests.
    pub(crate) fn none() -> Self {
        Self { providers: HashMap::new(), others: None }
    }

    async fn fetch_set(&self, issuer: &str) -> Result<Vec<u8>, String> {
        let Some(provider) = self.providers.get(issuer) else {
            let not_configured = "the operator of this service must name it in `web_identity.provider`, or set \
                                  `web_identity.discovery`";
            let client = self.others.as_ref().ok_or(not_configured)?;
            return discover(client, issuer, None).await;
        };
        let token = provider.bearer_token.as_deref().map(bearer_token).transpose()?;
        match &provider.place {
            KeySetPlace::File(path) => std::fs::read(path).map_err(|error| error.to_string()),
            KeySetPlace::Url(url) => get(&provider.client, url, token.as_ref()).await,
            KeySetPlace::Discovery => discover(&provider.client, issuer, token.as_ref()).await,
        }
    }
}

#[async_trait::async_trait]
impl KeySetSource for ConfiguredKeySets {
    async fn key_set(&self, issuer: &str) -> Result<Vec<u8>, KeySetUnavailable> {
        self.fetch_set(issuer).await.map_err(|reason| {
            tracing::warn!(issuer, reason, "the keys of an identity provider cannot be had");
            KeySetUnavailable { issuer: issuer.to_owned(), reason }
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeySetsError> {
    std::fs::read(path).map_err(|source| KeySetsError::Unreadable { path: path.to_owned(), source })
}

/// A client that follows nobody to another place.
fn client(authority: Option<&Path>) -> Result<Client, KeySetsError> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(FETCH_TIMEOUT)
        .user_agent("keywright");
    if let Some(path) = authority {
        let unusable = |source| KeySetsError::Certificate { path: path.to_owned(), source };
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(&read(path)?).map_err(unusable)?);
    }
    builder.build().map_err(KeySetsError::Client)
}

/// The keys that a provider's discovery document points to.
async fn discover(client: &Client, issuer: &str, token: Option<&SecretString>) -> Result<Vec<u8>, String> {
    let document = get(client, &format!("{issuer}/.well-known/openid-configuration"), token).await?;
    let document: Discovery = serde_json::from_slice(&document)
        .map_err(|error| format!("its discovery document cannot be read: {error}"))?;
    if document.issuer != issuer {
        return Err(format!("its discovery document is of {}", document.issuer));
    }
    if !document.jwks_uri.starts_with("https://") {
        return Err("its discovery document points to keys without TLS".to_owned());
    }
    get(client, &document.jwks_uri, token).await
}

/// The body of a good answer that is not too long.
async fn get(client: &Client, url: &str, token: Option<&SecretString>) -> Result<Vec<u8>, String> {
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token.expose());
    }
    let told = |error: reqwest::Error| with_causes(&error.without_url());
    let mut answer = request.send().await.map_err(told)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("{url} answers with status {}", answer.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(told)? {
        if body.len() + piece.len() > ANSWER_MAX {
            return Err(format!("{url} answers with more than {ANSWER_MAX} bytes"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn bearer_token(path: &Path) -> Result<SecretString, String> {
    let wrong = |reason: &str| format!("the bearer token file {} {reason}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if text.len() > TOKEN_FILE_MAX {
        return Err(wrong("is too long"));
    }
    Ok(SecretString::new(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(place: KeySetPlace) -> WebIdentity {
        let provider = KeySetChoice {
            issuer: "https://issuer.example".to_owned(),
            place,
            certificate_authority: None,
            bearer_token: None,
        };
        WebIdentity { providers: vec![provider], discovery: false }
    }

    #[tokio::test]
    async fn a_file_is_read_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, "one").unwrap();
        let sets = ConfiguredKeySets::new(&configured(KeySetPlace::File(path.clone()))).unwrap();
        assert_eq!(sets.key_set("https://issuer.example").await.unwrap(), b"one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(sets.key_set("https://issuer.example").await.unwrap(), b"two");
        std::fs::remove_file(&path).unwrap();
        assert!(sets.key_set("https://issuer.example").await.is_err());
    }

    #[tokio::test]
    async fn who_is_not_configured_is_not_asked() {
        let sets = ConfiguredKeySets::new(&WebIdentity::default()).unwrap();
        let refused = sets.key_set("https://127.0.0.1:1").await.unwrap_err();
        assert!(refused.reason.contains("`web_identity.provider`"), "{refused}");
    }

    #[test]
    fn files_must_be_there_at_the_start() {
        let missing = configured(KeySetPlace::File(PathBuf::from("/nonexistent/keys.json")));
        let told = ConfiguredKeySets::new(&missing).err().unwrap().to_string();
        assert!(
            told.contains("/nonexistent/keys.json") && told.contains("`web_identity.provider`"),
            "{told}"
        );
    }
}
