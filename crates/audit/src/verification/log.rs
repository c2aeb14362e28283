//! The chain of the log's lines, from the first one on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::Findings;
use crate::log::{BrokenLine, Head, Segment, segments};

/// Between the content of a line and its chain; a line that has it whole was written whole.
const CHAIN_LABEL: &[u8] = b",\"chain\":\"";
const CHAIN_DIGITS: usize = 64;

/// Bytes of an unfinished line that are looked at.
const UNFINISHED_MAX: u64 = 64 * 1_024 * 1_024;

/// Lines between two words about progress.
const PROGRESS_LINES: u64 = 10_000;

/// What was found in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// Lines that were read.
    pub lines: u64,
    /// Segments that were read.
    pub segments: usize,
    /// Behind the last line.
    pub head: Head,
    /// What is wrong.
    pub findings: Findings,
}

/// Checks the log in `folder`. It begins at `begins`: at [`Head::BEGINNING`] unless older lines were removed on purpose. It
/// must reach `reaches`, if that is known. `progress` is told of lines from time to time.
///
/// # Errors
/// The folder or a file in it cannot be read.
pub fn verify_log(
    folder: &Path,
    begins: Head,
    reaches: Option<Head>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<LogReport> {
    // Those that a crash left when they were to be removed are none of the log any more.
    let all: Vec<Segment> =
        segments(folder)?.into_iter().filter(|segment| segment.first >= begins.next).collect();
    let report = LogReport { lines: 0, segments: all.len(), head: begins, findings: Findings::default() };
    let mut check = Check { report, reaches, is_lost: false };
    check.compare(folder);
    for (number, segment) in all.iter().enumerate() {
        check.segment(segment, number + 1 == all.len(), progress)?;
    }
    check.end(folder);
    Ok(check.report)
}

struct Check {
    report: LogReport,
    /// What is known of the log and was not met yet.
    reaches: Option<Head>,
    /// Lines are missing before the next one, which has been told.
    is_lost: bool,
}

impl Check {
    fn segment(&mut self, segment: &Segment, is_last: bool, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        let next = self.report.head.next;
        if segment.first != next {
            let what = if segment.first > next {
                format!("lines {next} to {} are missing before it", segment.first - 1)
            } else {
                format!("it begins with line {}, although line {next} comes next", segment.first)
            };
            self.report.findings.add(segment.path.display(), what);
            self.report.head.next = segment.first;
            self.is_lost = true;
        }
        let mut lines = segment.lines(0)?;
        let (mut line, mut number) = (Vec::new(), 0_u64);
        while lines.read(&mut line)? {
            number += 1;
            self.line(segment, number, &line);
            if self.report.lines.is_multiple_of(PROGRESS_LINES) {
                progress(self.report.lines);
            }
        }
        self.unfinished(segment, lines.offset(), is_last)
    }

    fn line(&mut self, segment: &Segment, number: u64, line: &[u8]) {
        self.report.lines += 1;
        let is_lost = std::mem::take(&mut self.is_lost);
        match self.report.head.read(line) {
            Ok(_) => {}
            // The chain cannot be right where lines are missing before.
            Err(BrokenLine::OutOfChain) if is_lost => self.believe(line),
            Err(broken) => {
                let place = format!("{}, line {number}", segment.path.display());
                self.report.findings.add(place, what(broken));
                self.believe(line);
            }
        }
        self.compare(&segment.path);
    }

    /// Goes on behind a line that is not right.
    fn believe(&mut self, line: &[u8]) {
        if let Some(behind) = Head::behind(line) {
            self.report.head = behind;
        }
    }

    /// Holds the log against what is known of it, where it has come to that place.
    fn compare(&mut self, path: &Path) {
        let head = self.report.head;
        if let Some(known) = self.reaches.take_if(|known| known.next <= head.next)
            && known != head
            && known.next == head.next
        {
            let what =
                format!("up to line {} it is not the log that was delivered", known.next.saturating_sub(1));
            self.report.findings.add(path.display(), what);
        }
    }

    /// What a crash cut off may stand at the end of the last segment, and never has a whole chain.
    fn unfinished(&mut self, segment: &Segment, offset: u64, is_last: bool) -> io::Result<()> {
        let mut rest = Vec::new();
        let mut file = File::open(&segment.path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.take(UNFINISHED_MAX).read_to_end(&mut rest)?;
        let has_chain =
            rest.windows(CHAIN_LABEL.len()).rposition(|window| window == CHAIN_LABEL).is_some_and(|at| {
                let digits = rest.get(at + CHAIN_LABEL.len()..).unwrap_or_default();
                digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() >= CHAIN_DIGITS
            });
        if has_chain || (!rest.is_empty() && !is_last) {
            self.report.findings.add(segment.path.display(), "its last line has no end");
        }
        Ok(())
    }

    fn end(&mut self, folder: &Path) {
        if let Some(known) = self.reaches.take() {
            let (last, known) = (self.report.head.next.saturating_sub(1), known.next.saturating_sub(1));
            let what = format!("the log ends with line {last}, although line {known} was delivered");
            self.report.findings.add(folder.display(), what);
        }
    }
}

fn what(broken: BrokenLine) -> String {
    match broken {
        BrokenLine::OutOfSequence { found, expected } if found > expected => {
            format!("lines {expected} to {} are missing before it", found - 1)
        }
        other @ (BrokenLine::NoLine | BrokenLine::OutOfChain | BrokenLine::OutOfSequence { .. }) => {
            other.to_string()
        }
    }
}
