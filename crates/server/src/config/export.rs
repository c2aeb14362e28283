//! Where events are sent on.

use super::ConfigError;
use super::check::Check;
use super::settings::ExportSettings;
use crate::export::{ExportChoice, InvalidSyslogAddress, SyslogAddress};

impl Check<'_> {
    pub(super) fn export(&self, settings: &ExportSettings) -> Result<ExportChoice, ConfigError> {
        let syslog = match settings.syslog.as_str() {
            "" => None,
            text => Some(text.parse::<SyslogAddress>().map_err(|problem: InvalidSyslogAddress| {
                self.problem("trail.export.syslog", format!("is `{text}`, but {problem}"))
            })?),
        };
        let otlp = match settings.otlp.as_str() {
            "" => None,
            text => {
                let url =
                    text.parse::<reqwest::Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
                Some(url.ok_or_else(|| {
                    let problem = format!("is `{text}`, but must be a URL such as http://127.0.0.1:4318");
                    self.problem("trail.export.otlp", problem)
                })?)
            }
        };
        Ok(ExportChoice { standard_output: settings.standard_output, syslog, otlp })
    }
}
