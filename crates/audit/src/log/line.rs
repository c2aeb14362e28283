//! The form of the log's lines, and the chain that they make.
//!
//! ```text
//! {"sequence":7,"event":{…},"decisions":[…],"chain":"<64 hexadecimal digits>"}
//! ```
//!
//! `chain` is the SHA-256 digest of the chain of the line before (32 zero bytes at the very beginning) and of this line up
//! to `,"chain"`. No line can be changed, taken out or moved without changing all that come after it.

use crypto::digest::Sha256;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What stands between the content of a line and its chain.
const CHAIN_LABEL: &[u8] = b",\"chain\":\"";
const LINE_END: &[u8] = b"\"}";
const CHAIN_DIGITS: usize = 64;
const SUFFIX_BYTES: usize = CHAIN_LABEL.len() + CHAIN_DIGITS + LINE_END.len();

/// What is to be logged of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event in CloudTrail's form: one JSON object on one line.
    pub event: Vec<u8>,
    /// Why it was allowed or denied, beside the event: a JSON array on one line, if there is anything.
    pub decisions: Option<Vec<u8>>,
}

/// The digest at the end of a line, which binds it to all before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain([u8; 32]);

impl Chain {
    fn after(self, content: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update(&self.0);
        digest.update(content);
        Self(digest.finish())
    }
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain is 64 lower-case hexadecimal digits")]
pub struct InvalidChain;

impl std::str::FromStr for Chain {
    type Err = InvalidChain;

    fn from_str(text: &str) -> Result<Self, InvalidChain> {
        crypto::hexadecimal::read(text).map(Self).ok_or(InvalidChain)
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crypto::hexadecimal::write(f, &self.0)
    }
}

/// A line of the log, read and found whole.
#[derive(Debug, Deserialize)]
pub struct LogLine {
    /// Its number: each line has the next one.
    pub sequence: u64,
    /// The event, byte for byte as it was logged.
    pub event: Box<RawValue>,
    /// Why it was allowed or denied, if that was kept.
    pub decisions: Option<Box<RawValue>>,
}

/// Why a line is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLine {
    /// It has not the form of a line.
    #[error("it is no line of the log")]
    NoLine,
    /// It does not follow the line before it: it, or what was before it, was changed, taken out or put in.
    #[error("it does not continue the chain of the lines before it")]
    OutOfChain,
    /// Its number is not the next one.
    #[error("its number is {found}, and {expected} is the next")]
    OutOfSequence {
        /// The number in the line.
        found: u64,
        /// The number that comes next.
        expected: u64,
    },
}

/// Where the log has come to: the number that comes next, and the chain that it continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the next line.
    pub next: u64,
    /// The chain so far.
    pub chain: Chain,
}

impl Head {
    /// Before the first line.
    pub const BEGINNING: Self = Self { next: 1, chain: Chain([0; 32]) };

    /// Writes the next line to the end of `lines`, its line end included, and moves on.
    pub(super) fn write(&mut self, entry: &Entry, lines: &mut Vec<u8>) {
        let start = lines.len();
        lines.extend_from_slice(b"{\"sequence\":");
        lines.extend_from_slice(self.next.to_string().as_bytes());
        lines.extend_from_slice(b",\"event\":");
        lines.extend_from_slice(&entry.event);
        if let Some(decisions) = &entry.decisions {
            lines.extend_from_slice(b",\"decisions\":");
            lines.extend_from_slice(decisions);
        }
        let content = lines.get(start..).unwrap_or_default();
        self.chain = self.chain.after(content);
        self.next += 1;
        lines.extend_from_slice(CHAIN_LABEL);
        lines.extend_from_slice(self.chain.to_string().as_bytes());
        lines.extend_from_slice(LINE_END);
        lines.push(b'\n');
    }

    /// Reads a line without its line end, and moves on if it is the next one.
    ///
    /// # Errors
    /// It is not what was written behind the lines before.
    pub fn read(&mut self, line: &[u8]) -> Result<LogLine, BrokenLine> {
        let (content, chain) = split(line).ok_or(BrokenLine::NoLine)?;
        let read: LogLine = serde_json::from_slice(line).map_err(|_| BrokenLine::NoLine)?;
        if read.sequence != self.next {
            return Err(BrokenLine::OutOfSequence { found: read.sequence, expected: self.next });
        }
        let expected = self.chain.after(content);
        if expected != chain {
            return Err(BrokenLine::OutOfChain);
        }
        *self = Self { next: read.sequence + 1, chain: expected };
        Ok(read)
    }

    /// Where the log has come to behind this line, which is believed.
    pub(crate) fn behind(line: &[u8]) -> Option<Self> {
        let (_, chain) = split(line)?;
        let read: LogLine = serde_json::from_slice(line).ok()?;
        Some(Self { next: read.sequence.checked_add(1)?, chain })
    }
}

/// A line's content and its chain.
fn split(line: &[u8]) -> Option<(&[u8], Chain)> {
    let (content, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX_BYTES)?)?;
    let digits = suffix.strip_prefix(CHAIN_LABEL)?.strip_suffix(LINE_END)?;
    Some((content, Chain(crypto::hexadecimal::read(std::str::from_utf8(digits).ok()?)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32) -> Entry {
        Entry { event: format!("{{\"eventID\":\"{id}\"}}").into_bytes(), decisions: None }
    }

    fn written(count: u32) -> (Vec<Vec<u8>>, Head) {
        let mut head = Head::BEGINNING;
        let lines = (0..count).map(|id| {
            let mut line = Vec::new();
            head.write(&Entry { decisions: (id % 2 == 1).then(|| b"[{}]".to_vec()), ..entry(id) }, &mut line);
            line.pop();
            line
        });
        (lines.collect(), head)
    }

    fn read(lines: &[Vec<u8>]) -> Result<Head, BrokenLine> {
        let mut head = Head::BEGINNING;
        for line in lines {
            head.read(line)?;
        }
        Ok(head)
    }

    #[test]
    fn lines_read_back_as_they_were_written() {
        let (lines, head) = written(3);
        let mut reading = Head::BEGINNING;
        for (id, line) in lines.iter().enumerate() {
            let read = reading.read(line).unwrap();
            assert_eq!(read.event.get(), format!("{{\"eventID\":\"{id}\"}}"));
            assert_eq!(read.decisions.is_some(), id == 1);
        }
        assert_eq!(reading, head);
        assert_eq!(Head::behind(&lines[2]), Some(head));
    }

    #[test]
    fn every_change_of_a_byte_is_noticed() {
        let (lines, head) = written(3);
        assert_eq!(read(&lines), Ok(head));
        for (number, line) in lines.iter().enumerate() {
            for place in 0..line.len() {
                let mut changed = lines.clone();
                changed[number][place] ^= 1;
                assert!(read(&changed).is_err(), "line {number}, byte {place}");
            }
        }
    }

    #[test]
    fn lines_that_are_missing_moved_or_repeated_are_noticed() {
        let (lines, _) = written(4);
        for order in [&[0, 2, 3][..], &[1, 2, 3], &[0, 2, 1, 3], &[0, 1, 1, 2], &[0, 0]] {
            let other: Vec<_> = order.iter().map(|&number| lines[number].clone()).collect();
            assert!(read(&other).is_err(), "{order:?}");
        }
        // What is missing at the end shows in the head alone.
        assert_ne!(read(&lines[..3]), read(&lines));
    }
}
