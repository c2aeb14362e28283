//! What the person at the terminal reads. A closed pipe is not our trouble, so write errors are ignored.
//!
//! Much of it comes from others: names of files, answers, what callers said in requests. Nothing of that moves the cursor.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Writes to standard output: results and the lines to paste.
pub(crate) fn say(text: &str) {
    let _ = tell(text);
}

/// Writes a file to standard output, byte for byte.
pub(crate) fn put(file: &str) {
    let _ = write(file);
}

/// Writes to standard output, for as long as somebody reads.
///
/// # Errors
/// Nobody reads any more.
pub(crate) fn tell(text: &str) -> std::io::Result<()> {
    write(&shown(text))
}

fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one sentence to standard error, with the program's name before it.
pub(crate) fn complain(sentence: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "keywright: {}", shown(sentence));
}

/// Lines of text without control characters. They are written as JSON writes them, so that JSON stays what it is.
pub(crate) fn shown(lines: &str) -> Cow<'_, str> {
    escaped(lines, |character| character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A text for a place within a line: without control characters, and so without line breaks.
pub(crate) fn in_a_line(text: &str) -> Cow<'_, str> {
    escaped(text, char::is_control)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_escaped(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Replaces the present line of standard error.
fn overwrite(line: &str) {
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "\r\u{1b}[K{line}");
    let _ = out.flush();
}

/// Asks for a secret on the terminal without showing it.
///
/// # Errors
/// There is no terminal to ask on, or it was closed.
pub(crate) fn ask_secret(question: &str) -> std::io::Result<base::SecretString> {
    rpassword::prompt_password(question).map(base::SecretString::new)
}

/// True when a person can be asked.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Nothing is said about what takes no longer than this.
const QUIET: Duration = Duration::from_secs(2);
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Says how far it is, if somebody looks and it takes long.
pub(crate) struct Progress {
    of: &'static str,
    next: Option<Instant>,
    has_told: bool,
}

impl Progress {
    /// Of what is counted, and what is done with it.
    pub(crate) fn new(of: &'static str) -> Self {
        let is_seen = std::io::stderr().is_terminal();
        Self { of, next: is_seen.then(|| Instant::now() + QUIET), has_told: false }
    }

    pub(crate) fn tell(&mut self, count: u64) {
        if self.next.is_some_and(|next| Instant::now() >= next) {
            overwrite(&format!("{count} {}", self.of));
            self.next = Some(Instant::now() + PROGRESS_EVERY);
            self.has_told = true;
        }
    }

    pub(crate) fn end(&self) {
        if self.has_told {
            overwrite("");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_moves_the_cursor() {
        assert_eq!(shown("a\u{1b}[2J\r\u{7f}\u{9b}b\nc\tü"), "a\\u001b[2J\\u000d\\u007f\\u009bb\nc\tü");
        assert_eq!(in_a_line("a\nb"), "a\\u000ab");
    }

    #[test]
    fn json_stays_what_it_is() {
        let value = serde_json::json!({"a": "\u{1b}[2J\u{7f}\u{9b}\n", "b": ["ü"]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let read: serde_json::Value = serde_json::from_str(&shown(&text)).unwrap();
            assert_eq!(read, value);
        }
        assert!(matches!(shown("{\"a\": 1}\n"), Cow::Borrowed(_)));
    }
}
