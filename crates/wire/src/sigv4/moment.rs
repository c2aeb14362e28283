//! The time of signing.

use std::borrow::Cow;

use base::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::IncompleteSignature;

/// A time of signing: the text that was signed, and the moment it means.
pub(super) struct Moment<'a> {
    /// Always in the form `20180920T174101Z`.
    iso_basic: Cow<'a, str>,
    timestamp: Timestamp,
}

impl<'a> Moment<'a> {
    /// Reads `20180920T174101Z`, the form of `X-Amz-Date`.
    pub(super) fn from_iso_basic(text: Cow<'a, str>) -> Result<Self, IncompleteSignature> {
        match Timestamp::from_iso_basic(&text) {
            Ok(timestamp) => Ok(Self { iso_basic: text, timestamp }),
            Err(_) => Err(IncompleteSignature::Date { got: text.into_owned() }),
        }
    }

    /// Reads the `Date` header: the form above, or that of RFC 7231 (`Thu, 20 Sep 2018 17:41:01 GMT`; botocore writes
    /// the zone as `-0000`). What is signed is the basic form in either case.
    pub(super) fn from_date_header(text: &'a str) -> Result<Self, IncompleteSignature> {
        match DateTimeParser::new().parse_timestamp(text) {
            Ok(parsed) => {
                let timestamp = Timestamp::from_millis(parsed.as_millisecond());
                Ok(Self { iso_basic: Cow::Owned(timestamp.iso_basic()), timestamp })
            }
            Err(_) => Self::from_iso_basic(Cow::Borrowed(text)),
        }
    }

    /// The text that stands in the string to sign.
    pub(super) fn iso_basic(&self) -> &str {
        &self.iso_basic
    }

    /// The day, `yyyymmdd`.
    pub(super) fn date(&self) -> &str {
        self.iso_basic.get(..8).unwrap_or_default()
    }

    /// The moment itself.
    pub(super) fn timestamp(&self) -> Timestamp {
        self.timestamp
    }
}
