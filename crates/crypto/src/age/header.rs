//! The header of a file: who can open it, under a code that only those can make.

use std::io::{self, BufRead, Read};

use aws_lc_rs::hmac;
use base::{Randomness, SecretArray};

use super::keys::{Identity, Recipient};
use super::payload::EncryptError;
use super::stanza::Stanza;
use super::{FILE_KEY, derive};

const FORMAT: &str = "age-encryption.org/";
const VERSION: &str = "v1";
/// No header that is read is longer, in bytes.
const HEADER_MAX: u64 = 65_536;
/// Characters in a line of a stanza's body; the last has fewer.
const LINE: usize = 64;
const END: &str = "---";

/// A file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It has not the beginning of such a file.
    #[error("it is no file in the format age-encryption.org/v1")]
    Foreign,
    /// It says that it is of a version that is not known.
    #[error("it is in a newer version of the format of age, which is not known here")]
    Newer,
    /// Its header is not as it was written.
    #[error("its header is damaged: it was changed, or cut off")]
    Damaged,
    /// It is for others.
    #[error("it is not for the identity that was given")]
    NotForThem,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// The header of a new file for these recipients.
pub(super) fn write(
    file_key: &SecretArray<FILE_KEY>,
    recipients: &[Recipient],
    randomness: &dyn Randomness,
) -> Result<String, EncryptError> {
    let mut header = format!("{FORMAT}{VERSION}\n");
    for recipient in recipients {
        header.push_str(&Stanza::wrap(recipient, file_key, randomness)?);
    }
    header.push_str(END);
    let key = code_key(file_key).map_err(|_| EncryptError::Refused)?;
    let code = hmac::sign(&key, header.as_bytes());
    header.push_str(&format!(" {}\n", base64_simd::STANDARD_NO_PAD.encode_to_string(code.as_ref())));
    Ok(header)
}

/// Reads the header of a file, and gives the file's key if it is for one of these identities.
pub(super) fn read(
    file: &mut impl BufRead,
    identities: &[Identity],
) -> Result<SecretArray<FILE_KEY>, OpenError> {
    let header = Header::read(file)?;
    if header.stanzas.len() > 1 && header.stanzas.iter().any(Stanza::must_be_alone) {
        return Err(OpenError::Damaged);
    }
    let mut file_key = None;
    for stanza in &header.stanzas {
        for identity in identities {
            file_key = file_key.or(stanza.unwrap(identity)?);
        }
    }
    let file_key = file_key.ok_or(OpenError::NotForThem)?;
    let key = code_key(&file_key).map_err(|_| OpenError::Damaged)?;
    hmac::verify(&key, &header.covered, &header.code).map_err(|_| OpenError::Damaged)?;
    Ok(file_key)
}

/// A header as it stands in a file.
struct Header {
    stanzas: Vec<Stanza>,
    /// What the code is made of.
    covered: Vec<u8>,
    code: Vec<u8>,
}

impl Header {
    fn read(file: &mut impl BufRead) -> Result<Self, OpenError> {
        let mut lines = HeaderLines { file: file.take(HEADER_MAX), seen: Vec::new() };
        check_version(&lines.next(OpenError::Foreign)?)?;
        let mut stanzas = Vec::new();
        loop {
            let before = lines.seen.len();
            let line = lines.next(OpenError::Damaged)?;
            if let Some(code) = line.strip_prefix(END) {
                let code = code.strip_prefix(' ').and_then(decode).ok_or(OpenError::Damaged)?;
                let mut covered = lines.seen;
                covered.truncate(before + END.len());
                // Without anybody to open it, it is no file.
                return if stanzas.is_empty() {
                    Err(OpenError::Damaged)
                } else {
                    Ok(Self { stanzas, covered, code })
                };
            }
            let arguments = arguments(&line).ok_or(OpenError::Damaged)?;
            stanzas.push(Stanza { arguments, body: lines.body()? });
        }
    }
}

fn check_version(line: &str) -> Result<(), OpenError> {
    match line.strip_prefix(FORMAT) {
        Some(VERSION) => Ok(()),
        Some(_) => Err(OpenError::Newer),
        None => Err(OpenError::Foreign),
    }
}

/// The arguments of a stanza's first line: words of visible characters, with one space between two of them.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words: Vec<_> = line.strip_prefix("-> ")?.split(' ').map(str::to_owned).collect();
    let is_word = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    words.iter().all(is_word).then_some(words)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    base64_simd::STANDARD_NO_PAD.decode_to_vec(text).ok()
}

/// The lines of a header.
struct HeaderLines<R> {
    file: io::Take<R>,
    seen: Vec<u8>,
}

impl<R: BufRead> HeaderLines<R> {
    /// The next line without its end; `otherwise` if there is none.
    fn next(&mut self, otherwise: OpenError) -> Result<String, OpenError> {
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line)?;
        self.seen.extend_from_slice(&line);
        match line.pop() {
            Some(b'\n') => String::from_utf8(line).map_err(|_| otherwise),
            Some(_) | None => Err(otherwise),
        }
    }

    /// The body of a stanza: full lines, then one that is shorter.
    fn body(&mut self) -> Result<Vec<u8>, OpenError> {
        let mut body = Vec::new();
        loop {
            let line = self.next(OpenError::Damaged)?;
            if line.len() > LINE {
                return Err(OpenError::Damaged);
            }
            body.extend(decode(&line).ok_or(OpenError::Damaged)?);
            if line.len() < LINE {
                return Ok(body);
            }
        }
    }
}

fn code_key(file_key: &SecretArray<FILE_KEY>) -> Result<hmac::Key, aws_lc_rs::error::Unspecified> {
    let key = derive(file_key.expose(), &[], b"header")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
}
