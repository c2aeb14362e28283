//! The bucket that keeps the contents of objects, if one does.

use super::check::Check;
use super::settings::{BucketSettings, UpstreamSettings};
use super::{ConfigError, UpstreamChoice};

const TABLE: &str = "objects.upstream";

impl Check<'_> {
    pub(super) fn upstream(
        &self,
        settings: &UpstreamSettings,
    ) -> Result<Option<UpstreamChoice>, ConfigError> {
        if settings.bucket.is_empty() {
            return self.has_no_upstream(settings).map(|()| None);
        }
        self.is_bucket(&format!("{TABLE}.bucket"), &settings.bucket)?;
        let endpoint = &settings.endpoint;
        if endpoint.starts_with("http://") && !settings.plain_http && !is_here(endpoint) {
            let problem = format!("is `{endpoint}`, which is on another machine and not encrypted");
            let problem = format!("{problem}; take https://, or set `{TABLE}.plain_http`");
            return Err(self.problem(&format!("{TABLE}.endpoint"), problem));
        }
        let place = BucketSettings {
            endpoint: endpoint.clone(),
            region: settings.region.clone(),
            path_style: settings.path_style,
            access_key_id: settings.access_key_id.clone(),
            secret_access_key_file: settings.secret_access_key_file.clone(),
            certificate_authority_file: settings.certificate_authority_file.clone(),
        };
        Ok(Some(UpstreamChoice {
            bucket: settings.bucket.clone(),
            prefix: self.prefix(&format!("{TABLE}.prefix"), &settings.prefix)?,
            place: self.bucket(TABLE, &place)?,
        }))
    }

    /// Without a bucket nothing may be said of it.
    fn has_no_upstream(&self, settings: &UpstreamSettings) -> Result<(), ConfigError> {
        let said = [
            ("prefix", &settings.prefix),
            ("endpoint", &settings.endpoint),
            ("region", &settings.region),
            ("access_key_id", &settings.access_key_id),
            ("secret_access_key_file", &settings.secret_access_key_file),
            ("certificate_authority_file", &settings.certificate_authority_file),
        ];
        match said.into_iter().find(|(_, value)| !value.is_empty()) {
            Some((name, _)) => {
                let problem = format!("is set, but `{TABLE}.bucket` is not");
                Err(self.problem(&format!("{TABLE}.{name}"), problem))
            }
            None => Ok(()),
        }
    }
}

/// Whether a URL without encryption leads to this machine.
fn is_here(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
