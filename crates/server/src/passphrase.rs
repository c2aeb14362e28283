//! Where the root's passphrase comes from: a file, the environment, or the person at the terminal.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base::SecretString;
use crypto::root::RootError;

use crate::config::PassphraseSource;
use crate::terminal;

/// A passphrase is at most this long, in bytes, so that a wrong path is not read whole.
const LENGTH_MAX: u64 = 4_096;

/// The passphrase cannot be had, or the root does not open with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    #[error("the passphrase file {} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("the passphrase is empty; give another")]
    Empty,
    #[error("the two passphrases differ; nothing was changed")]
    Differ,
    #[error(
        "the passphrase cannot be asked for because there is no terminal; set root.passphrase_file or KEYWRIGHT_PASSPHRASE"
    )]
    NoTerminal,
    #[error(
        "the data folder is protected by a passphrase and none was given; set root.passphrase_file or KEYWRIGHT_PASSPHRASE, or start on a terminal"
    )]
    Needed,
    #[error(transparent)]
    Root(#[from] RootError),
}

/// The passphrase to open a root with. A protected root without a configured source is asked for on the terminal.
pub(crate) fn to_unlock(
    source: Option<&PassphraseSource>,
    is_protected: bool,
) -> Result<Option<SecretString>, PassphraseError> {
    match source {
        Some(source) => read(source, ask_once).map(Some),
        None if !is_protected => Ok(None),
        None if terminal::is_interactive() => ask_once().map(Some),
        None => Err(PassphraseError::Needed),
    }
}

/// The passphrase for a new root; without a configured source there is none.
pub(crate) fn for_new_root(
    source: Option<&PassphraseSource>,
) -> Result<Option<SecretString>, PassphraseError> {
    source.map(|source| read(source, ask_twice)).transpose()
}

fn read(
    source: &PassphraseSource,
    ask: fn() -> Result<SecretString, PassphraseError>,
) -> Result<SecretString, PassphraseError> {
    let passphrase = match source {
        PassphraseSource::File(path) => read_file(path)?,
        PassphraseSource::Environment(text) => SecretString::new(text.expose().to_owned()),
        PassphraseSource::Prompt => ask()?,
    };
    if passphrase.expose().is_empty() { Err(PassphraseError::Empty) } else { Ok(passphrase) }
}

fn read_file(path: &Path) -> Result<SecretString, PassphraseError> {
    let unreadable = |reason: String| PassphraseError::Unreadable { path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    // Room for all of it at once: a buffer that grows would leave copies behind.
    let mut text = String::with_capacity(8_192);
    file.take(LENGTH_MAX.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|error| unreadable(error.to_string()))?;
    let too_long = u64::try_from(text.len()).is_ok_and(|length| length > LENGTH_MAX);
    let whole = SecretString::new(text);
    if too_long {
        return Err(unreadable(format!("it is longer than {LENGTH_MAX} bytes")));
    }
    let line = whole.expose();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(SecretString::new(line.to_owned()))
}

fn ask_once() -> Result<SecretString, PassphraseError> {
    terminal::ask_secret("Passphrase of the data folder: ").map_err(|_| PassphraseError::NoTerminal)
}

fn ask_twice() -> Result<SecretString, PassphraseError> {
    let ask = |question| terminal::ask_secret(question).map_err(|_| PassphraseError::NoTerminal);
    let first = ask("New passphrase: ")?;
    let second = ask("Once more: ")?;
    if first.expose() == second.expose() { Ok(first) } else { Err(PassphraseError::Differ) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn from_file(content: &[u8]) -> Result<String, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let source = PassphraseSource::File(file.path().to_owned());
        let passphrase = to_unlock(Some(&source), true).map_err(|error| error.to_string())?;
        Ok(passphrase.unwrap().expose().to_owned())
    }

    #[test]
    fn one_line_break_at_the_end_of_the_file_does_not_count() {
        assert_eq!(from_file(b"correct horse").unwrap(), "correct horse");
        assert_eq!(from_file(b"correct horse\n").unwrap(), "correct horse");
        assert_eq!(from_file(b" correct horse \r\n").unwrap(), " correct horse ");
        assert_eq!(from_file(b"two\nlines\n\n").unwrap(), "two\nlines\n");
        assert_eq!(from_file(&[b'x'; 4_096]).unwrap().len(), 4_096);
    }

    #[test]
    fn files_without_a_passphrase_are_told() {
        assert!(from_file(b"").unwrap_err().contains("empty"));
        assert!(from_file(b"\n").unwrap_err().contains("empty"));
        assert!(from_file(&[b'x'; 4_097]).unwrap_err().contains("longer than 4096"));
        assert!(from_file(&[0xff, 0xfe]).unwrap_err().contains("UTF-8"));
        let missing = PassphraseSource::File("/no/such/file".into());
        assert!(for_new_root(Some(&missing)).err().unwrap().to_string().contains("/no/such/file"));
    }

    #[test]
    fn without_a_source_a_new_root_has_none_and_an_open_one_needs_none() {
        assert!(for_new_root(None).is_ok_and(|passphrase| passphrase.is_none()));
        assert!(to_unlock(None, false).is_ok_and(|passphrase| passphrase.is_none()));
        let source = PassphraseSource::Environment(SecretString::new("correct horse".to_owned()));
        assert_eq!(to_unlock(Some(&source), true).ok().flatten().unwrap().expose(), "correct horse");
    }
}
