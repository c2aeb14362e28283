//! JSON numbers as integers, without a detour over floating point: no rounding noise, no overflow.

/// The number times ten to the power of `decimals`, cut towards zero; stops at the ends of the range of `i64`.
///
/// `number` is a JSON number (RFC 8259, section 6). For anything else the answer is some number, never a panic.
pub(crate) fn scaled(number: &str, decimals: i64) -> i64 {
    let (negative, magnitude) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let kept = i64::try_from(whole.len())
        .unwrap_or(i64::MAX)
        .saturating_add(shift(exponent))
        .saturating_add(decimals);
    let digits = whole.bytes().chain(fraction.bytes());
    let value = leading_digits(digits, kept);
    if negative { value.saturating_neg() } else { value }
}

/// A moment in milliseconds from a JSON number of seconds, rounded to the nearest millisecond.
pub(crate) fn milliseconds(seconds: &str) -> i64 {
    let tenths = scaled(seconds, 4);
    tenths.saturating_add(5 * tenths.signum()) / 10
}

/// The exponent, stopped at the ends of the range if it has too many digits.
fn shift(exponent: &str) -> i64 {
    let limit = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    exponent.parse().unwrap_or(limit)
}

/// The first `kept` digits as a number, filled up with zeros if there are fewer.
fn leading_digits(digits: impl Iterator<Item = u8>, kept: i64) -> i64 {
    let mut value: i64 = 0;
    let mut left = kept;
    for digit in digits {
        if left <= 0 {
            return value;
        }
        value = value.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0')));
        left -= 1;
    }
    while left > 0 && value != 0 && value != i64::MAX {
        value = value.saturating_mul(10);
        left -= 1;
    }
    value
}
