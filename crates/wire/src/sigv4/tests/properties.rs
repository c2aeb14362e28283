//! What must hold for any bytes.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Case, Request, corpus};
use crate::sigv4::{RequestHead, parse};

static ACCEPTED: LazyLock<Vec<Case>> =
    LazyLock::new(|| corpus().into_iter().filter(|case| case.code.is_none()).collect());

/// Where a byte is changed.
#[derive(Clone, Copy, Debug)]
enum Part {
    Method,
    Path,
    Query,
    Header,
    Authorization,
    Body,
}

const PARTS: [Part; 6] =
    [Part::Method, Part::Path, Part::Query, Part::Header, Part::Authorization, Part::Body];

/// Puts `new` in the place of one byte. `None` if there is no byte, or it means the same afterwards.
fn change(request: &mut Request, signed: &[String], part: Part, at: Index, new: u8) -> Option<()> {
    match part {
        Part::Method => change_text(&mut request.method, at, new, |_, _| false),
        Part::Path => {
            // A segment before `..` means nothing, nor does a slash next to another.
            let plain = !request.path.contains("//") && !request.path.contains("/.");
            let means_the_same = |_, new: char| matches!(new, '/' | '.') || !plain;
            change_text(&mut request.path, at, new, means_the_same)
        }
        Part::Query => {
            // The digits of an escape and of the signature may be of either case; `+` is a space.
            let means_the_same =
                |old: char, new: char| old.eq_ignore_ascii_case(&new) || (old, new) == ('+', ' ');
            change_text(&mut request.query, at, new, means_the_same)
        }
        Part::Header => {
            let names: Vec<_> =
                request.headers.iter_mut().filter(|(name, _)| signed.contains(name)).collect();
            let chosen = at.index(names.len());
            let value = &mut names.into_iter().nth(chosen)?.1;
            let words = words_of(value);
            change_bytes(value, at, new)?;
            (words != words_of(value)).then_some(())
        }
        Part::Authorization => {
            let value = &mut request.headers.iter_mut().find(|(name, _)| name == "authorization")?.1;
            let old = value.clone();
            change_bytes(value, at, new)?;
            let separators = |bytes: &[u8]| -> Vec<u8> {
                bytes.iter().map(|byte| if matches!(byte, b',' | b'\t') { b' ' } else { *byte }).collect()
            };
            (!separators(&old).eq_ignore_ascii_case(&separators(value))).then_some(())
        }
        Part::Body => change_bytes(&mut request.body, at, new),
    }
}

fn change_bytes(bytes: &mut [u8], at: Index, new: u8) -> Option<()> {
    let at = if bytes.is_empty() { return None } else { at.index(bytes.len()) };
    let old = std::mem::replace(&mut bytes[at], new);
    (old != new).then_some(())
}

fn change_text(
    text: &mut String,
    at: Index,
    new: u8,
    means_the_same: impl Fn(char, char) -> bool,
) -> Option<()> {
    let mut characters: Vec<char> = text.chars().collect();
    let at = if characters.is_empty() { return None } else { at.index(characters.len()) };
    let old = std::mem::replace(&mut characters[at], char::from(new));
    *text = characters.iter().collect();
    (old != char::from(new) && !means_the_same(old, char::from(new))).then_some(())
}

fn words_of(value: &[u8]) -> Vec<Vec<u8>> {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    words.map(<[u8]>::to_vec).collect()
}

fn signed_headers(request: &Request) -> Vec<String> {
    let authorization = request.headers.iter().find(|(name, _)| name == "authorization");
    let text = match authorization {
        Some((_, value)) => String::from_utf8(value.clone()).unwrap(),
        None => request.query.replace("%3B", ";").replace('&', ","),
    };
    let list = text.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    list.split(';').map(str::to_owned).collect()
}

fn judge_anything(head: &RequestHead<'_>, body: &[u8]) {
    let Ok(signed) = parse(head) else { return };
    let key = crate::sigv4::SigningKey::derive(
        &base::SecretString::new("secret".to_owned()),
        &signed.scope().date,
        &signed.scope().region,
        &signed.scope().service,
    );
    assert!(signed.verify(head, body, &key).is_err());
}

fn header_name() -> impl Strategy<Value = String> {
    let names = [
        "authorization",
        "host",
        "date",
        "x-amz-date",
        "x-amz-content-sha256",
        "x-amz-security-token",
        "x-amz-meta",
        "a",
        ":authority",
        "",
    ];
    prop_oneof![4 => select(names.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "AWS4-HMAC-SHA256 ",
        "Credential=",
        "a/20150830/r/kms/aws4_request",
        ", ",
        "SignedHeaders=",
        "host;x-amz-date",
        "Signature=",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        "20150830T123600Z",
        "Sun, 30 Aug 2015 12:36:00 GMT",
        "=",
        ";",
        "\u{e9}",
    ];
    let near = proptest::collection::vec(select(pieces.to_vec()), 0..9)
        .prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![3 => near, 1 => proptest::collection::vec(any::<u8>(), 0..40)]
}

fn query() -> impl Strategy<Value = String> {
    let pieces = [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&",
        "X-Amz-Credential=a%2F20150830%2Fr%2Fkms%2Faws4_request&",
        "X-Amz-Date=20150830T123600Z&",
        "X-Amz-Expires=60&",
        "X-Amz-SignedHeaders=host&",
        "X-Amz-Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31&",
        "%",
        "%f",
        "%ff",
        "+",
        "&",
        "=",
        "\u{e9}",
    ];
    prop_oneof![
        proptest::collection::vec(select(pieces.to_vec()), 0..9).prop_map(|pieces| pieces.concat()),
        ".{0,40}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn one_changed_byte_is_refused(
        case in any::<Index>(), part in select(PARTS.as_slice()), at in any::<Index>(), new in any::<u8>(),
    ) {
        let case = case.get(&ACCEPTED);
        let mut request = case.request();
        let signed = signed_headers(&request);
        prop_assert!(case.server().judge(&request).is_ok());
        let changed = change(&mut request, &signed, part, at, new).is_some();
        if changed {
            prop_assert!(case.server().judge(&request).is_err(), "{}", case.name);
        }
    }

    #[test]
    fn white_space_around_and_within_header_values_does_not_count(
        case in any::<Index>(), header in any::<Index>(), spaces in "[ \t]{1,4}",
    ) {
        let case = case.get(&ACCEPTED);
        let mut request = case.request();
        let at = header.index(request.headers.len());
        let (name, value) = &mut request.headers[at];
        // Dates are also read, not only signed.
        prop_assume!(!name.ends_with("date"));
        let words: Vec<String> = words_of(value).into_iter().map(|word| super::latin1_text(&word)).collect();
        *value = super::latin1(&format!("{spaces}{}{spaces}", words.join(&spaces)));
        prop_assert!(case.server().judge(&request).is_ok(), "{}", case.name);
    }

    #[test]
    fn any_head_is_read_or_refused(
        method in ".{0,5}", path in ".{0,20}", query in query(), body in proptest::collection::vec(any::<u8>(), 0..9),
        headers in proptest::collection::vec((header_name(), header_value()), 0..8),
    ) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        judge_anything(&RequestHead { method: &method, path: &path, query: &query, headers: &headers }, &body);
    }

    #[test]
    fn any_path_and_query_are_made_canonical(path in "[/.a%\u{e9}]{0,12}", query in "[&=+%a2fF\u{e9}]{0,16}") {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=a/20150830/r/kms/aws4_request, SignedHeaders=host, Signature={}",
            "0".repeat(64)
        );
        let headers = [
            ("host", b"h".as_slice()),
            ("date", b"Sun, 30 Aug 2015 12:36:00 GMT"),
            ("authorization", authorization.as_bytes()),
        ];
        let head = RequestHead { method: "GET", path: &path, query: &query, headers: &headers };
        prop_assert!(parse(&head).is_ok());
        judge_anything(&head, b"");
    }
}
