//! The settings of the key service: limits of operations and of what an account can have.

use base::Region;

use super::ConfigError;
use super::check::Check;
use super::settings::{RequestQuotaSettings, Settings};

/// What Encrypt takes on AWS, in bytes.
const ENCRYPT_PLAINTEXT_DEFAULT: u64 = 4_096;

/// What a request may hold beside a ciphertext, in bytes: key ids, an encryption context, tokens.
const BESIDE_CIPHERTEXT: u64 = 65_536;

/// More than one machine serves.
const REQUESTS_PER_SECOND_MAX: u64 = 10_000_000;

/// Ten times AWS's quota. Only the store grows with the number of keys.
const KEYS_PER_REGION_MAX: u64 = 1_000_000;

impl Check<'_> {
    /// Checks what concerns the key service.
    pub(super) fn kms(&self, settings: &Settings, regions: &[Region]) -> Result<kms::Settings, ConfigError> {
        let given = &settings.kms;
        let plaintext = ENCRYPT_PLAINTEXT_DEFAULT..=number(kms::ENCRYPT_PLAINTEXT_MAX);
        let (days_min, days_max) = kms::DELETION_WINDOW_DAYS.into_inner();
        let checked = kms::Settings {
            regions: regions.to_vec(),
            encrypt_plaintext_max: self.fits(
                "kms.encrypt_plaintext_max_bytes",
                given.encrypt_plaintext_max_bytes,
                plaintext,
            )?,
            deletion_window_days: self.fits(
                "kms.deletion_window_days",
                given.deletion_window_days,
                number(days_min)..=number(days_max),
            )?,
            keys_per_region_max: self.fits(
                "kms.keys_per_region_max",
                given.keys_per_region_max,
                1..=KEYS_PER_REGION_MAX,
            )?,
            aliases_per_key_max: self.fits(
                "kms.aliases_per_key_max",
                given.aliases_per_key_max,
                1..=number(kms::ALIASES_PER_KEY_MAX),
            )?,
            retained_materials: self.retained_materials(given.retained_materials)?,
            request_rates: self.request_rates(&settings.request_quotas)?,
            ..kms::Settings::default()
        };
        self.body_admits(settings, &checked)?;
        Ok(checked)
    }

    /// 0 stands for all.
    fn retained_materials(&self, given: u64) -> Result<Option<u32>, ConfigError> {
        let kept: u32 = self.fits("kms.retained_materials", given, 0..=u32::MAX.into())?;
        Ok((kept != 0).then_some(kept))
    }

    fn request_rates(&self, quotas: &RequestQuotaSettings) -> Result<Option<kms::RequestRates>, ConfigError> {
        let mut rates = kms::RequestRates::default();
        for (name, per_second) in &quotas.per_second {
            let key = format!("request_quotas.per_second.{name}");
            let per_second: u64 = self.fits(&key, *per_second, 0..=REQUESTS_PER_SECOND_MAX)?;
            let unknown =
                |_| self.problem(&key, "is no request quota; see keywright.example.toml".to_owned());
            rates.set(name, Some(per_second).filter(|rate| *rate != 0)).map_err(unknown)?;
        }
        Ok(quotas.enabled.then_some(rates))
    }

    /// A text that Encrypt takes must come back through Decrypt, in base64.
    fn body_admits(&self, settings: &Settings, checked: &kms::Settings) -> Result<(), ConfigError> {
        let max = settings.kms.encrypt_plaintext_max_bytes;
        let needed = number(checked.ciphertext_max()).div_ceil(3) * 4 + BESIDE_CIPHERTEXT;
        let body_max = settings.limits.body_max_bytes;
        if max > ENCRYPT_PLAINTEXT_DEFAULT && body_max < needed {
            let problem = format!(
                "is {max}, for which `limits.body_max_bytes` must be at least {needed}, but it is {body_max}"
            );
            return Err(self.problem("kms.encrypt_plaintext_max_bytes", problem));
        }
        Ok(())
    }
}

/// A bound as the settings have numbers; what does not fit bounds nothing.
fn number(bound: impl TryInto<u64>) -> u64 {
    bound.try_into().unwrap_or(u64::MAX)
}
