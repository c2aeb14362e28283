//! Numbers and moments as policies and requests write them.

use base::Timestamp;

/// Digits before and behind the decimal point that count; beyond them a text is no number.
const DIGITS_MAX: usize = 18;

/// A decimal number, exactly: in units of 10^-18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// Reads an integer or a decimal number.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = whole.len() <= DIGITS_MAX && fraction.len() <= DIGITS_MAX;
        if (whole.is_empty() && fraction.is_empty()) || !fits || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let digit = |units: i128, byte: u8| units * 10 + i128::from(byte - b'0');
        let padding = std::iter::repeat_n(b'0', DIGITS_MAX - fraction.len());
        let units = whole.bytes().chain(fraction.bytes()).chain(padding).fold(0, digit);
        Some(Self(sign * units))
    }

    pub(crate) fn of(number: i64) -> Self {
        Self(i128::from(number) * 10_i128.pow(18))
    }
}

/// Reads a date: ISO 8601 in the profile of the W3C (<https://www.w3.org/TR/NOTE-datetime>), from a year to fractions of
/// a second, or seconds since the epoch.
pub(crate) fn read_moment(text: &str) -> Option<Timestamp> {
    if text.len() != 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Timestamp::from_seconds(text.parse().ok()?));
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut numbers = date.split('-');
    let year = digits(numbers.next()?, 4)?;
    let mut next = || numbers.next().map_or(Some(None), |text| digits(text, 2).map(Some));
    let (month, day) = (next()?, next()?);
    if numbers.next().is_some() || (time.is_some() && day.is_none()) {
        return None;
    }
    let small = |number: Option<i32>| i8::try_from(number.unwrap_or(1)).ok();
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let start = jiff::tz::Offset::UTC.to_timestamp(midnight).ok()?.as_millisecond();
    Some(Timestamp::from_millis(start).plus_millis(time.map_or(Some(0), read_time)?))
}

/// Milliseconds since midnight in UTC of `08:30`, `08:30:15` or `08:30:15.5`, with `Z` or `+01:00` behind it; without
/// either it is UTC.
fn read_time(text: &str) -> Option<i64> {
    let (clock, ahead) = match text.find(['Z', 'z', '+', '-']) {
        None => (text, 0),
        Some(end) => {
            let (clock, zone) = text.split_at_checked(end)?;
            (clock, read_zone(zone)?)
        }
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, millis) = match parts.next() {
        None => (0, 0),
        Some(second) => {
            let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
            (digits(second, 2)?, read_fraction(fraction)?)
        }
    };
    let is_time = hour <= 23 && minute <= 59 && second <= 59 && parts.next().is_none();
    let seconds = i64::from((hour * 60 + minute) * 60 + second) - ahead;
    is_time.then_some(seconds * 1_000 + millis)
}

/// Seconds that a zone is ahead of UTC.
fn read_zone(text: &str) -> Option<i64> {
    let sign = match text.chars().next()? {
        'Z' | 'z' => return (text.len() == 1).then_some(0),
        '+' => 1,
        _ => -1,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * i64::from((hours * 60 + minutes) * 60))
}

/// Milliseconds of a decimal fraction of a second; what is smaller does not count.
fn read_fraction(text: &str) -> Option<i64> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let padded = text.bytes().chain(std::iter::repeat(b'0')).take(3);
    are_digits.then(|| padded.fold(0, |millis, byte| millis * 10 + i64::from(byte - b'0')))
}

/// Exactly this many digits.
fn digits(text: &str, count: usize) -> Option<i32> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_compare_as_numbers() {
        let read = |text| Decimal::read(text).unwrap();
        for (less, more) in
            [("9", "10"), ("-1", "0"), ("0.1", "0.11"), ("-0.2", "-0.1"), (".5", "1."), ("7", "7.000001")]
        {
            assert!(read(less) < read(more), "{less} {more}");
        }
        for (one, other) in [("1", "1.0"), ("01", "1"), ("+3", "3"), ("0", "-0"), ("1.50", "1.5")] {
            assert_eq!(read(one), read(other));
        }
        assert_eq!(Decimal::of(-42), read("-42"));
        for text in ["", ".", "-", "1e3", "0x1", "1,5", "1.2.3", " 1", "٣", "1234567890123456789", "--1"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_read_in_every_form() {
        for (text, seconds) in [
            ("2026-11-22T08:30:15Z", 1_795_336_215),
            ("2026-11-22t08:30:15z", 1_795_336_215),
            ("2026-11-22T09:30:15+01:00", 1_795_336_215),
            ("2026-11-22T03:00:15-05:30", 1_795_336_215),
            ("2026-11-22T08:30:15", 1_795_336_215),
            ("2026-11-22T08:30:15.999Z", 1_795_336_215),
            ("2026-11-22T08:30Z", 1_795_336_200),
            ("2026-11-22", 1_795_305_600),
            ("2026-11", 1_793_491_200),
            ("2026", 1_767_225_600),
            ("1795336215", 1_795_336_215),
            ("0", 0),
        ] {
            assert_eq!(read_moment(text).map(Timestamp::seconds), Some(seconds), "{text}");
        }
        assert_eq!(read_moment("1970-01-01T00:00:00.25Z"), Some(Timestamp::from_millis(250)));
        for text in [
            "",
            "x",
            "-1",
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "2026-11T08:00Z",
            "2026-11-22T24:00Z",
            "2026-11-22T08",
            "2026-11-22T08:30:60Z",
            "2026-11-22T08:30:15Zx",
            "2026-11-22T08:30:15+1:00",
            "2026-11-22T08:30:15.Z",
            "2026-11-22-01",
            "99999999999999999999",
        ] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_reads_back(seconds in 0_i64..253_402_300_800) {
            let moment = Timestamp::from_seconds(seconds);
            prop_assert_eq!(read_moment(&moment.to_string()), Some(moment));
        }

        #[test]
        fn decimals_keep_the_order_of_integers(one in -1_000_000_i64..1_000_000, other: i32) {
            let read = |number: i64| Decimal::read(&number.to_string()).unwrap();
            prop_assert_eq!(read(one).cmp(&read(i64::from(other))), one.cmp(&i64::from(other)));
        }

        #[test]
        fn no_text_panics(text in "[-+.0-9TtZz:\\PC]{0,30}") {
            let _ = (Decimal::read(&text), read_moment(&text));
        }
    }
}
