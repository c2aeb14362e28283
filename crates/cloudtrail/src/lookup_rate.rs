//! How often events may be looked up: twice a second in each account and Region.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base::{AccountId, Region, Timestamp};

const PER_SECOND: u8 = 2;

/// Counts the look-ups of the present second; what was before is forgotten.
#[derive(Debug, Default)]
pub(crate) struct LookupRate {
    present: Mutex<Second>,
}

#[derive(Debug, Default)]
struct Second {
    /// Since 1970.
    number: i64,
    counts: HashMap<(AccountId, Region), u8>,
}

impl LookupRate {
    /// Counts a look-up; false if it is one too many.
    pub(crate) fn admits(&self, account: AccountId, region: Region, now: Timestamp) -> bool {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if present.number != now.seconds() {
            *present = Second { number: now.seconds(), counts: HashMap::new() };
        }
        let count = present.counts.entry((account, region)).or_default();
        if *count >= PER_SECOND {
            return false;
        }
        *count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_a_second_in_each_account_and_region() {
        let rate = LookupRate::default();
        let account = |number| AccountId::from_number(number).unwrap();
        let region = |name: &str| name.parse::<Region>().unwrap();
        let admits =
            |number, name, millis| rate.admits(account(number), region(name), Timestamp::from_millis(millis));
        assert!(admits(1, "eu-central-1", 5_000) && admits(1, "eu-central-1", 5_999));
        assert!(!admits(1, "eu-central-1", 5_999));
        assert!(admits(2, "eu-central-1", 5_999) && admits(1, "us-east-1", 5_999));
        assert!(admits(1, "eu-central-1", 6_000));
    }
}
