//! Identity providers whose tokens AssumeRoleWithWebIdentity takes: where their keys are.

use std::path::PathBuf;

use super::check::{Check, path};
use super::settings::{KeySetSettings, WebIdentitySettings};
use super::{ConfigError, KeySetChoice, KeySetPlace, WebIdentity};

const PROVIDERS: &str = "web_identity.provider";
const PROVIDERS_MAX: usize = 1_000;

impl Check<'_> {
    pub(super) fn web_identity(&self, settings: &WebIdentitySettings) -> Result<WebIdentity, ConfigError> {
        if settings.provider.len() > PROVIDERS_MAX {
            return Err(self.problem(PROVIDERS, format!("holds more than {PROVIDERS_MAX} providers")));
        }
        let mut providers: Vec<KeySetChoice> = Vec::new();
        for provider in &settings.provider {
            let choice = self.provider(provider)?;
            if providers.iter().any(|known| known.issuer == choice.issuer) {
                return Err(self.problem(PROVIDERS, format!("holds `{}` twice", provider.url)));
            }
            providers.push(choice);
        }
        Ok(WebIdentity { providers, discovery: settings.discovery })
    }

    fn provider(&self, settings: &KeySetSettings) -> Result<KeySetChoice, ConfigError> {
        let wrong = |what: &str| self.problem(PROVIDERS, format!("holds `{}`, {what}", settings.url));
        let host = settings.url.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || host.ends_with('/') || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "but the URL of a provider is https://HOST, perhaps with a path, as in its tokens",
            ));
        }
        let place = match (path(&settings.key_set_file), settings.key_set_url.as_str()) {
            (Some(_), url) if !url.is_empty() => {
                return Err(wrong("which has both `key_set_file` and `key_set_url`: choose one of the two"));
            }
            (Some(file), _) => KeySetPlace::File(file),
            (None, "") => KeySetPlace::Discovery,
            (None, url) if url.starts_with("https://") || url.starts_with("http://") => {
                KeySetPlace::Url(url.to_owned())
            }
            (None, _) => return Err(wrong("whose `key_set_url` is neither https://… nor http://…")),
        };
        Ok(KeySetChoice {
            issuer: settings.url.clone(),
            place,
            certificate_authority: path(&settings.certificate_authority_file),
            bearer_token: path(&settings.bearer_token_file),
        })
    }
}

impl KeySetChoice {
    /// The files that the choice names, which must be there at the start.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let of_keys = match &self.place {
            KeySetPlace::File(file) => Some(file),
            KeySetPlace::Url(_) | KeySetPlace::Discovery => None,
        };
        of_keys.into_iter().chain(&self.certificate_authority).chain(&self.bearer_token)
    }
}
