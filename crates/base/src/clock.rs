//! Time, behind a port: a year of rotation or a 30-day deletion window is a test of milliseconds.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const MILLIS_PER_SECOND: i64 = 1_000;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number is not a moment that can be represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment in time")]
pub struct TimestampError;

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MILLIS_PER_SECOND))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MILLIS_PER_SECOND)
    }

    /// This many milliseconds later (earlier if negative); stops at the ends of the range.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This many seconds later (earlier if negative).
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(MILLIS_PER_SECOND))
    }

    /// This many days of 24 hours later (earlier if negative).
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(MILLIS_PER_DAY))
    }

    /// `20180920T174101Z`, the form of `X-Amz-Date`.
    pub fn iso_basic(self) -> String {
        self.format("%Y%m%dT%H%M%SZ")
    }

    /// `2018-09-20T17:41:01Z`, the form of audit records and of the Query services.
    pub fn iso_extended(self) -> String {
        self.to_string()
    }

    /// `Sep 20, 2018, 5:41:01 PM`, the form within requests and responses in CloudTrail's events.
    pub fn in_words(self) -> String {
        self.format("%b %-d, %Y, %-I:%M:%S %p")
    }

    /// Reads `20180920T174101Z` and nothing else.
    pub fn from_iso_basic(text: &str) -> Result<Self, TimestampError> {
        // Every signed request comes through here, so the digits are read one by one instead of by a format string.
        let [y1, y2, y3, y4, o1, o2, d1, d2, b'T', h1, h2, m1, m2, s1, s2, b'Z'] = *text.as_bytes() else {
            return Err(TimestampError);
        };
        let (century, year) = (two_digits(y1, y2)?, two_digits(y3, y4)?);
        let civil = jiff::civil::DateTime::new(
            i16::from(century) * 100 + i16::from(year),
            two_digits(o1, o2)?,
            two_digits(d1, d2)?,
            two_digits(h1, h2)?,
            two_digits(m1, m2)?,
            two_digits(s1, s2)?,
            0,
        );
        let moment = civil.and_then(|civil| jiff::tz::Offset::UTC.to_timestamp(civil));
        Ok(Self(moment.map_err(|_| TimestampError)?.as_millisecond()))
    }

    fn format(self, form: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or_default().strftime(form).to_string()
    }
}

fn two_digits(tens: u8, ones: u8) -> Result<i8, TimestampError> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => i8::try_from(byte - b'0').map_err(|_| TimestampError),
        _ => Err(TimestampError),
    };
    Ok(digit(tens)? * 10 + digit(ones)?)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every event of the audit trail comes through here, so no format string is read.
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let civil = jiff::tz::Offset::UTC.to_datetime(moment);
        let Ok(year) = u8::try_from(civil.year() / 100) else { return write!(f, "{moment}") };
        let two = |value: i8| {
            let value = value.unsigned_abs();
            [b'0' + value / 10, b'0' + value % 10]
        };
        let [y1, y2] = [b'0' + year / 10, b'0' + year % 10];
        let [y3, y4] = two(i8::try_from(civil.year() % 100).unwrap_or_default());
        let ([o1, o2], [d1, d2]) = (two(civil.month()), two(civil.day()));
        let ([h1, h2], [m1, m2], [s1, s2]) = (two(civil.hour()), two(civil.minute()), two(civil.second()));
        let text =
            [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'];
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339, for example `2018-09-20T17:41:01Z`; so the year has four digits and no sign.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(TimestampError);
        }
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        Ok(Self(parsed.as_millisecond()))
    }
}

/// What time it is.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that runs with another one at a distance that can be changed. It never goes back.
pub struct SettableClock<C = SystemClock> {
    inner: C,
    ahead_millis: AtomicI64,
}

impl<C: Clock> SettableClock<C> {
    /// Starts level with `inner`.
    pub fn new(inner: C) -> Self {
        Self { inner, ahead_millis: AtomicI64::new(0) }
    }

    /// Moves the clock forward.
    pub fn advance_millis(&self, millis: u64) {
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        let add = |ahead: i64| Some(ahead.saturating_add(millis));
        // The closure never declines, so the update cannot fail.
        let _ = self.ahead_millis.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }
}

impl<C: Clock> Clock for SettableClock<C> {
    fn now(&self) -> Timestamp {
        self.inner.now().plus_millis(self.ahead_millis.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_dates_read_back() {
        let moment = Timestamp::from_iso_basic("20180920T174101Z").unwrap();
        assert_eq!(moment.seconds(), 1_537_465_261);
        assert_eq!(moment.iso_basic(), "20180920T174101Z");
        assert_eq!(moment.iso_extended(), "2018-09-20T17:41:01Z");
        assert_eq!("2018-09-20T17:41:01Z".parse::<Timestamp>(), Ok(moment));
    }

    #[test]
    fn only_the_basic_form_is_a_basic_date() {
        for text in [
            "",
            "2018-09-20T17:41:01Z",
            "20180920T174101",
            "20181320T174101Z",
            "20180920 174101Z",
            "20180920T17+101Z",
            "20180230T174101Z",
            "20180920T244101Z",
            "20180920T174160Z",
            "2018092\u{e9}T17410Z",
        ] {
            assert_eq!(Timestamp::from_iso_basic(text), Err(TimestampError), "{text}");
        }
    }

    /// RFC 3339 section 1: years have four digits. Others could not be told again in the forms above.
    #[test]
    fn years_have_no_sign() {
        for text in ["-009919-01-01T00:00:00Z", "+002018-09-20T17:41:01Z", "", " 2018-09-20T17:41:01Z"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_of_four_digit_years_reads_back(seconds in 0_i64..253_402_300_800) {
            let moment = Timestamp::from_seconds(seconds);
            prop_assert_eq!(Timestamp::from_iso_basic(&moment.iso_basic()), Ok(moment));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = Timestamp::from_iso_basic(&text);
        }
    }

    #[test]
    fn a_settable_clock_moves_forward_only_when_told() {
        struct Frozen;
        impl Clock for Frozen {
            fn now(&self) -> Timestamp {
                Timestamp::from_seconds(1_000)
            }
        }
        let clock = SettableClock::new(Frozen);
        assert_eq!(clock.now().seconds(), 1_000);
        clock.advance_millis(30_000);
        assert_eq!(clock.now().seconds(), 1_030);
    }
}
