//! Requests as text.

/// `<method> <path>?<query>`, header lines, an empty line, the body.
pub(crate) struct Sent<'i> {
    pub(crate) method: &'i str,
    pub(crate) path: &'i str,
    pub(crate) query: &'i str,
    pub(crate) headers: Vec<(String, &'i [u8])>,
    pub(crate) body: &'i [u8],
}

impl<'i> Sent<'i> {
    pub(crate) fn read(input: &'i [u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, body) = (&input[..end], &input[end + 2..]);
        let mut lines = head.split(|byte| *byte == b'\n');
        let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines.map(|line| {
            let at = line.iter().position(|byte| *byte == b':')?;
            let name = std::str::from_utf8(&line[..at]).ok()?.to_ascii_lowercase();
            Some((name, &line[at + 1..]))
        });
        Some(Self { method, path, query, headers: headers.collect::<Option<_>>()?, body })
    }
}

/// Whether HTTP takes this for the name of a header (RFC 9110 section 5.1), in lower case.
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether HTTP takes this for the value of one (RFC 9110 section 5.5).
pub(crate) fn is_header_value(value: &[u8]) -> bool {
    value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f))
}
