//! Requests that hold only under conditions, and ranges (RFC 9110 sections 13 and 14).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use base::Timestamp;

use crate::error::ObjectsError;
use crate::request::Headers;

/// What comes of the conditions of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The object is given.
    Give,
    /// The caller has it already.
    NotModified,
}

/// Judges the conditions of a read.
///
/// # Errors
/// One did not hold.
pub(crate) fn judge_read(
    headers: &Headers,
    entity_tag: &str,
    modified: Timestamp,
) -> Result<Judgement, ObjectsError> {
    let seconds = Timestamp::from_seconds(modified.seconds());
    let date = |name: &str| headers.get(name).and_then(http_date);
    match headers.get("if-match") {
        Some(tags) if !matches(tags, entity_tag) => {
            return Err(ObjectsError::precondition_failed("If-Match"));
        }
        None if date("if-unmodified-since").is_some_and(|date| seconds > date) => {
            return Err(ObjectsError::precondition_failed("If-Unmodified-Since"));
        }
        Some(_) | None => {}
    }
    let is_known = match headers.get("if-none-match") {
        Some(tags) => matches(tags, entity_tag),
        None => date("if-modified-since").is_some_and(|date| seconds <= date),
    };
    Ok(if is_known { Judgement::NotModified } else { Judgement::Give })
}

/// Judges the conditions of a put. `present` is the entity tag of what is there.
///
/// # Errors
/// One did not hold.
pub(crate) fn judge_write(headers: &Headers, key: &str, present: Option<&str>) -> Result<(), ObjectsError> {
    match (headers.get("if-none-match"), present) {
        (Some("*"), Some(_)) => return Err(ObjectsError::precondition_failed("If-None-Match")),
        (Some("*"), None) | (None, _) => {}
        (Some(_), _) => return Err(ObjectsError::not_implemented()),
    }
    match (headers.get("if-match"), present) {
        (Some(_), None) => Err(ObjectsError::no_such_key(key)),
        (Some(tags), Some(tag)) if !matches(tags, tag) => Err(ObjectsError::precondition_failed("If-Match")),
        _ => Ok(()),
    }
}

/// Whether a list of entity tags has this one.
pub(crate) fn matches(tags: &str, entity_tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_matches('"') == entity_tag)
}

fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_seconds(zoned.timestamp().as_second()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
pub(crate) fn to_http_date(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_second(time.seconds()).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `1994-11-06T08:49:37.000Z`
pub(crate) fn to_iso(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The bytes of an object that `Range` asks for, from the first to behind the last; `None` means all. A range that
/// makes no sense asks for all, as do several at once.
///
/// # Errors
/// There are no such bytes.
pub(crate) fn range_of(headers: &Headers, size: u64) -> Result<Option<(u64, u64)>, ObjectsError> {
    let Some(text) = headers.get("range") else { return Ok(None) };
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Some(first), None) if last.is_empty() => (first, size),
        (None, Some(last)) if first.is_empty() => {
            (size.saturating_sub(last), if last == 0 { 0 } else { size })
        }
        _ => return Ok(None),
    };
    if range.0 >= range.1 {
        return Err(ObjectsError::refused("InvalidRange", 416, "The requested range is not satisfiable")
            .with("RangeRequested", text)
            .with("ActualObjectSize", size.to_string()));
    }
    Ok(Some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        Headers::new(pairs.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    #[test]
    fn ranges_are_within_the_object_or_refused() {
        let range = |text: &str, size| {
            range_of(&headers(&[("range", text)]), size).map_err(|error| error.to_fault().status)
        };
        for (text, expected) in [
            ("bytes=0-0", Ok(Some((0, 1)))),
            ("bytes=2-", Ok(Some((2, 10)))),
            ("bytes=-3", Ok(Some((7, 10)))),
            ("bytes=-30", Ok(Some((0, 10)))),
            ("bytes=5-99", Ok(Some((5, 10)))),
            ("bytes=0-18446744073709551615", Ok(Some((0, 10)))),
            ("bytes=10-", Err(416)),
            ("bytes=-0", Err(416)),
            ("bytes=5-4", Ok(None)),
            ("bytes=0-1,3-4", Ok(None)),
            ("bytes=+1-2", Ok(None)),
            ("lines=1-2", Ok(None)),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
        assert_eq!(range("bytes=0-0", 0), Err(416));
        assert_eq!(range_of(&headers(&[]), 10).unwrap(), None);
    }

    #[test]
    fn conditions_of_reads_follow_the_standard() {
        let modified = Timestamp::from_millis(784_111_777_900);
        let (same, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT");
        let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
        assert_eq!(to_http_date(modified), same);
        assert_eq!(to_iso(modified), "1994-11-06T08:49:37.900Z");
        let judge = |pairs: &[(&str, &str)]| judge_read(&headers(pairs), "abc", modified).ok();
        let (give, known) = (Some(Judgement::Give), Some(Judgement::NotModified));
        for (pairs, expected) in [
            (&[][..], give),
            (&[("if-match", "\"abc\"")], give),
            (&[("if-match", "*")], give),
            (&[("if-match", "\"abd\"")], None),
            (&[("if-none-match", "\"x\", \"abc\"")], known),
            (&[("if-none-match", "\"x\"")], give),
            (&[("if-modified-since", same)], known),
            (&[("if-modified-since", earlier)], give),
            (&[("if-unmodified-since", earlier)], None),
            (&[("if-unmodified-since", later)], give),
            (&[("if-match", "abc"), ("if-unmodified-since", earlier)], give),
            (&[("if-none-match", "x"), ("if-modified-since", later)], give),
            (&[("if-modified-since", "yesterday")], give),
        ] {
            assert_eq!(judge(pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn conditions_of_writes_look_at_what_is_there() {
        let judge = |pairs: &[(&str, &str)], present| {
            judge_write(&headers(pairs), "k", present).map_err(|error| error.to_fault().code)
        };
        assert_eq!(judge(&[], Some("a")), Ok(()));
        assert_eq!(judge(&[("if-none-match", "*")], None), Ok(()));
        assert_eq!(judge(&[("if-none-match", "*")], Some("a")), Err("PreconditionFailed"));
        assert_eq!(judge(&[("if-none-match", "a")], None), Err("NotImplemented"));
        assert_eq!(judge(&[("if-match", "\"a\"")], Some("a")), Ok(()));
        assert_eq!(judge(&[("if-match", "\"b\"")], Some("a")), Err("PreconditionFailed"));
        assert_eq!(judge(&[("if-match", "\"b\"")], None), Err("NoSuchKey"));
    }
}
