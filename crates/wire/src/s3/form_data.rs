//! Reading a form as it comes: multipart/form-data with fields first and one file behind them, as S3 takes uploads of
//! browsers (RFC 7578, RFC 2046 section 5.1). The fields are held, the file is not.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>

use memchr::memmem::Finder;

/// The most bytes before the file: fields and what stands around them.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
pub const FIELDS_MAX: usize = 20 * 1_024;

/// The longest boundary (RFC 2046 section 5.1.1).
const BOUNDARY_MAX: usize = 70;
const FILE: &str = "file";

/// The form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// It has not the form of multipart/form-data, or a field is no text or comes twice.
    #[error("the body is no multipart/form-data")]
    Malformed,
    /// It ends before a file.
    #[error("the form has no file")]
    NoFile,
    /// There is too much before the file.
    #[error("the fields before the file have more than {FIELDS_MAX} bytes")]
    FieldsTooLong,
}

/// Reads a form up to its file.
pub struct FormReader {
    delimiter: Finder<'static>,
    held: Vec<u8>,
    /// Everything before this is read.
    read: usize,
    /// No delimiter begins between `read` and here.
    searched: usize,
    state: State,
    fields: Vec<(String, String)>,
}

/// In what the bytes behind `read` are.
enum State {
    /// Before the first part.
    Preamble,
    /// Behind a delimiter.
    Delimiter,
    /// In the headers of a part.
    Headers,
    /// In the value of this field.
    Value(String),
}

/// The fields of a form, and the file that begins behind them.
pub struct Form {
    /// Names as they came, no two of which differ in case alone, and values.
    pub fields: Vec<(String, String)>,
    /// The name that the file has where it comes from, with its path; empty if it has none.
    pub file_name: String,
    /// The file.
    pub file: FileReader,
    /// What came of the file already.
    pub begun: Vec<u8>,
}

/// Tells the bytes of a file from what follows.
pub struct FileReader {
    delimiter: Finder<'static>,
    held: Vec<u8>,
    is_ended: bool,
}

impl FormReader {
    /// A form with this `Content-Type`.
    ///
    /// # Errors
    /// [`FormFault::Malformed`]: it names no boundary.
    pub fn new(content_type: &str) -> Result<Self, FormFault> {
        let (kind, parameters) = content_type.split_once(';').ok_or(FormFault::Malformed)?;
        let boundary = parameter(parameters, "boundary").ok_or(FormFault::Malformed)?;
        let fits = (1..=BOUNDARY_MAX).contains(&boundary.len()) && boundary.is_ascii();
        if !fits || !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return Err(FormFault::Malformed);
        }
        // The line break before a delimiter belongs to it; the first one has none.
        let delimiter = Finder::new(&format!("\r\n--{boundary}")).into_owned();
        let (held, state) = (b"\r\n".to_vec(), State::Preamble);
        Ok(Self { delimiter, held, read: 0, searched: 0, state, fields: Vec::new() })
    }

    /// Takes the next bytes; gives the form once its file has begun.
    ///
    /// # Errors
    /// See [`FormFault`].
    pub fn next(mut self, bytes: &[u8]) -> Result<Result<Form, Self>, FormFault> {
        self.held.extend_from_slice(bytes);
        loop {
            let Some(found) = self.step()? else {
                return if self.held.len() > FIELDS_MAX {
                    Err(FormFault::FieldsTooLong)
                } else {
                    Ok(Err(self))
                };
            };
            if self.read > FIELDS_MAX {
                return Err(FormFault::FieldsTooLong);
            }
            if let Some(file_name) = found {
                let begun = self.held.split_off(self.read);
                let file = FileReader { delimiter: self.delimiter, held: Vec::new(), is_ended: false };
                return Ok(Ok(Form { fields: self.fields, file_name, file, begun }));
            }
        }
    }

    /// One step; `None` if it takes more bytes, a name if the file begins.
    fn step(&mut self) -> Result<Option<Option<String>>, FormFault> {
        match &self.state {
            State::Preamble => Ok(self.up_to_delimiter().map(|_| None)),
            State::Delimiter => self.delimiter_end(),
            State::Headers => self.headers(),
            State::Value(name) => {
                let name = name.clone();
                let Some(value) = self.up_to_delimiter() else { return Ok(None) };
                let value = String::from_utf8(value).map_err(|_| FormFault::Malformed)?;
                if self.fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                    return Err(FormFault::Malformed);
                }
                self.fields.push((name, value));
                Ok(Some(None))
            }
        }
    }

    /// What stands before the next delimiter.
    fn up_to_delimiter(&mut self) -> Option<Vec<u8>> {
        let length = self.delimiter.needle().len();
        let from = self.searched.max(self.read);
        let found = self.delimiter.find(self.held.get(from..).unwrap_or_default());
        let Some(found) = found else {
            self.searched = self.held.len().saturating_sub(length).max(from);
            return None;
        };
        let end = from + found;
        let before = self.held.get(self.read..end).unwrap_or_default().to_vec();
        (self.read, self.searched, self.state) = (end + length, end + length, State::Delimiter);
        Some(before)
    }

    /// The end of the line of a delimiter, or of the whole form.
    fn delimiter_end(&mut self) -> Result<Option<Option<String>>, FormFault> {
        let rest = self.held.get(self.read..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Err(FormFault::NoFile);
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match rest.get(padding..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {
                self.read += padding;
                self.state = State::Headers;
                Ok(Some(None))
            }
            [] | [b'\r'] => Ok(None),
            [b'-'] if padding == 0 => Ok(None),
            _ => Err(FormFault::Malformed),
        }
    }

    /// The headers of a part, of which the disposition names it.
    fn headers(&mut self) -> Result<Option<Option<String>>, FormFault> {
        let rest = self.held.get(self.read..).unwrap_or_default();
        let Some(end) = memchr::memmem::find(rest, b"\r\n\r\n") else { return Ok(None) };
        let headers = rest.get(..end).and_then(|headers| std::str::from_utf8(headers).ok());
        let disposition = headers.and_then(disposition).ok_or(FormFault::Malformed)?;
        let name = parameter(disposition, "name").ok_or(FormFault::Malformed)?;
        let file_name = parameter(disposition, "filename").unwrap_or_default();
        // A value that is empty begins with the line break of the delimiter behind it.
        self.read += end + 4;
        if name.eq_ignore_ascii_case(FILE) {
            return Ok(Some(Some(file_name)));
        }
        self.state = State::Value(name);
        Ok(Some(None))
    }
}

impl FileReader {
    /// Takes the next bytes and gives those that are the file's for sure. What follows the file is passed over.
    pub fn next(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.is_ended {
            return Vec::new();
        }
        self.held.extend_from_slice(bytes);
        let length = self.delimiter.needle().len();
        let (end, is_ended) = match self.delimiter.find(&self.held) {
            Some(end) => (end, true),
            // A delimiter may have begun.
            None => (self.held.len().saturating_sub(length - 1), false),
        };
        self.is_ended = is_ended;
        let rest = self.held.split_off(end);
        std::mem::replace(&mut self.held, rest)
    }

    /// Whether the file is there in full.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }
}

/// The parameters of the one `Content-Disposition`, which must be that of a form's part.
fn disposition(headers: &str) -> Option<&str> {
    let mut found = headers.split("\r\n").filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let (kind, parameters) = found.next()?.split_once(';')?;
    (kind.trim().eq_ignore_ascii_case("form-data") && found.next().is_none()).then_some(parameters)
}

/// The value of a parameter: a token, or a quoted text in which a backslash stands before quotes only. Browsers send
/// paths with backslashes as they are.
fn parameter(mut parameters: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
                (value.trim().to_owned(), rest)
            }
        };
        if name.trim_matches([' ', '\t', ';', '\r', '\n']).eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        parameters = rest;
    }
}

/// The text up to the closing quotes, and what stands behind them.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' if matches!(characters.peek(), Some((_, '"'))) => {
                value.push('"');
                characters.next();
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = Result<(Vec<(String, String)>, String, Option<Vec<u8>>), FormFault>;

    /// Fields, file name, and the file if it came in full.
    fn read(body: &[u8], piece: usize) -> Read {
        let (mut reader, mut pieces) =
            (FormReader::new("multipart/form-data; boundary=b")?, body.chunks(piece));
        let mut form = loop {
            let Some(piece) = pieces.next() else { return Err(FormFault::NoFile) };
            match reader.next(piece)? {
                Ok(form) => break form,
                Err(more) => reader = more,
            }
        };
        let mut file = form.file.next(&form.begun);
        for piece in pieces {
            file.extend(form.file.next(piece));
        }
        Ok((form.fields, form.file_name, form.file.is_ended().then_some(file)))
    }

    fn field(name: &str, value: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    fn file(contents: &str) -> String {
        let headers = "content-disposition:form-data; name=\"File\"; filename=\"C:\\a\\b \\\"c\\\".txt\"\r\nContent-Type: text/plain";
        format!("--b\r\n{headers}\r\n\r\n{contents}\r\n--b")
    }

    #[test]
    fn fields_and_file_come_out_whatever_the_pieces() {
        let fields = [field("key", "k\r\n--c"), field("Empty", "")].concat();
        let body =
            [fields.as_str(), &file("x\r\n--\r\ny"), "\r\n", &field("late", "1"), "--b--\r\n"].concat();
        for piece in 1..body.len() {
            let (fields, name, contents) = read(body.as_bytes(), piece).unwrap();
            let expected =
                [("key", "k\r\n--c"), ("Empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(fields, expected);
            assert_eq!(name, "C:\\a\\b \"c\".txt");
            assert_eq!(contents.unwrap(), b"x\r\n--\r\ny");
        }
        assert_eq!(read(file("").as_bytes(), 1_000).unwrap().2.unwrap(), b"");
    }

    #[test]
    fn a_file_that_is_cut_short_is_not_taken_for_whole() {
        let body = [field("key", "k"), file("abc")].concat();
        for end in 0..body.len() {
            let whole = read(&body.as_bytes()[..end], 7).ok().and_then(|(_, _, file)| file);
            assert_eq!(whole, None, "{end}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "--b\r\n\r\n\r\nx",
            "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n",
            "--b\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n",
            "--b\r\nContent-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=b\r\n\r\n",
            "--b!\r\n",
            &[field("a", "1"), field("A", "1"), file("")].concat(),
        ] {
            assert_eq!(read(bad.as_bytes(), 1_000), Err(FormFault::Malformed), "{bad}");
        }
        let latin = [
            &field("a", "1").into_bytes()[..],
            b"--b\r\nContent-Disposition: form-data; name=c\r\n\r\n\xff\r\n--b",
        ]
        .concat();
        assert_eq!(read(&latin, 1_000), Err(FormFault::Malformed));
        assert_eq!(
            read(&[field("a", "1"), "--b--".to_owned()].concat().into_bytes(), 3),
            Err(FormFault::NoFile)
        );
    }

    #[test]
    fn there_is_a_limit_before_the_file() {
        let around = field("a", "").len() + file("").len() - "\r\n--b".len();
        // The reader counts the line break that the first delimiter has not.
        let longest = FIELDS_MAX - around - "\r\n".len();
        for (length, is_read) in [(longest, true), (longest + 1, false)] {
            let body = [field("a", &"v".repeat(length)), file("x")].concat();
            for piece in [1_000, body.len()] {
                let result = read(body.as_bytes(), piece).map(|(_, _, file)| file.unwrap());
                assert_eq!(result, if is_read { Ok(b"x".to_vec()) } else { Err(FormFault::FieldsTooLong) });
            }
        }
    }

    #[test]
    fn a_boundary_is_named_by_the_content_type() {
        let reads = |content_type: &str| FormReader::new(content_type).is_ok();
        assert!(reads("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""));
        assert!(reads(&format!("multipart/form-data;boundary={}", "x".repeat(70))));
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
            "multipart/form-data; boundary=\"x",
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
        ] {
            assert!(!reads(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            values in proptest::collection::vec("[^\r]{0,40}", 0..5),
            contents: Vec<u8>,
            piece in 1_usize..300,
        ) {
            let fields: Vec<_> = values.iter().enumerate().map(|(at, value)| (format!("f{at}"), value.clone())).collect();
            let mut body: Vec<u8> = fields.iter().flat_map(|(name, value)| field(name, value).into_bytes()).collect();
            body.extend_from_slice(b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n");
            body.extend_from_slice(&contents);
            body.extend_from_slice(b"\r\n--b--\r\n");
            prop_assume!(memchr::memmem::find(&contents, b"\r\n--b").is_none());
            prop_assert_eq!(read(&body, piece), Ok((fields, String::new(), Some(contents))));
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in "(--b|\r\n|-|Content-Disposition: form-data; name=|file|\"|;|a){0,40}", piece in 1_usize..9) {
            prop_assert_eq!(read(body.as_bytes(), piece), read(body.as_bytes(), body.len().max(1)));
        }
    }
}
