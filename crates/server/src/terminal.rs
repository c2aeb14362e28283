//! What the person at the terminal reads. A closed pipe is not our trouble, so write errors are ignored.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Writes to standard output: results and the lines to paste.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Writes to standard output, for as long as somebody reads.
///
/// # Errors
/// Nobody reads any more.
pub(crate) fn tell(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one sentence to standard error, with the program's name before it.
pub(crate) fn complain(sentence: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "keywright: {sentence}");
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
