//! AWS account ids.

use std::fmt;
use std::str::FromStr;

/// An AWS account id: twelve decimal digits, kept as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

/// The text is not exactly twelve ASCII digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account id is exactly twelve digits")]
pub struct AccountIdError;

const COUNT: u64 = 1_000_000_000_000;

impl AccountId {
    /// The account with this number, if it fits into twelve digits.
    pub fn from_number(number: u64) -> Result<Self, AccountIdError> {
        if number < COUNT { Ok(Self(number)) } else { Err(AccountIdError) }
    }

    /// The id as a number below 10^12, for binary formats.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, AccountIdError> {
        let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(AccountIdError);
        }
        text.parse().map(Self).map_err(|_| AccountIdError)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In every event and every ARN, so no format string is read.
        let mut digits = [b'0'; 12];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_read_back_with_leading_zeros() {
        let account: AccountId = "000000000042".parse().unwrap();
        assert_eq!(account.to_string(), "000000000042");
        assert_eq!(account.number(), 42);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "12345678901", "1234567890123", "12345678901a", "+12345678901", "１２３４"] {
            assert_eq!(text.parse::<AccountId>(), Err(AccountIdError), "{text}");
        }
        assert_eq!(AccountId::from_number(COUNT), Err(AccountIdError));
    }
}
