//! The headers of a request, sorted, and the choice that `SignedHeaders` makes among them.

use super::{IncompleteSignature, InvalidSignature, Refusal};

/// What may stand around a header's value, and nothing else may (RFC 9110 section 5.6.3).
pub(super) const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// A name in lower case and a raw value.
pub(super) type Header<'a> = (&'a str, &'a [u8]);

/// What AWS's front ends read as one value. Sent twice, two readers could disagree about which one counts.
const AT_MOST_ONCE: [&str; 7] = [
    "authorization",
    "date",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
];

/// Headers ordered by name; those with the same name keep the order in which they came.
pub(super) struct SortedHeaders<'a>(Vec<Header<'a>>);

impl<'a> SortedHeaders<'a> {
    /// Sorts them.
    ///
    /// # Errors
    /// A header that may come only once came twice.
    pub(super) fn new(headers: &[Header<'a>]) -> Result<Self, IncompleteSignature> {
        let mut sorted = headers.to_vec();
        // The first byte decides most comparisons without a call.
        let first = |header: &Header<'_>| header.0.bytes().next();
        sorted.sort_by(|left, right| first(left).cmp(&first(right)).then_with(|| left.0.cmp(right.0)));
        for pair in sorted.windows(2) {
            if let [(name, _), (next, _)] = pair
                && name == next
                && AT_MOST_ONCE.contains(name)
            {
                return Err(IncompleteSignature::Repeated { name: (*name).to_owned() });
            }
        }
        Ok(Self(sorted))
    }

    /// All names, as `SignedHeaders` lists them.
    pub(super) fn names(&self) -> String {
        let mut names: Vec<_> = self.0.iter().map(|header| header.0).collect();
        names.dedup();
        names.join(";")
    }

    /// The raw value of the first header of this name.
    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        // Few names are asked for; comparing lengths along the list is cheaper than a binary search.
        self.0.iter().find(|header| header.0 == name).map(|header| header.1)
    }

    /// The value of the first header of this name as text, without the white space around it.
    ///
    /// # Errors
    /// The value is not UTF-8.
    pub(super) fn get_text(&self, name: &'static str) -> Result<Option<&'a str>, IncompleteSignature> {
        let read = |value: &'a [u8]| {
            let text = std::str::from_utf8(value).map_err(|_| IncompleteSignature::NotText { name })?;
            Ok(text.trim_matches(WHITE_SPACE))
        };
        self.get(name).map(read).transpose()
    }

    /// The headers that `list` (names in lower case, sorted, joined by `;`) names, in that order.
    ///
    /// # Errors
    /// The list lacks the host or has another form, names a header that was not sent, or leaves out an `x-amz-` header
    /// that was sent: AWS demands that all of those are signed. Other headers may be signed or not.
    pub(super) fn select(&self, list: &str) -> Result<Vec<Header<'a>>, Refusal> {
        check_list(list)?;
        let mut selected = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_slice();
        for name in list.split(';') {
            if name == ":authority" {
                let host = self.get("host").ok_or_else(|| absent(name))?;
                selected.push((":authority", host));
                continue;
            }
            let before = selected.len();
            while let Some((header, after)) = rest.split_first() {
                if header.0 == name {
                    selected.push(*header);
                } else if header.0 < name {
                    check_unsigned(header)?;
                } else {
                    break;
                }
                rest = after;
            }
            if selected.len() == before {
                return Err(absent(name));
            }
        }
        rest.iter().try_for_each(check_unsigned)?;
        Ok(selected)
    }
}

fn check_list(list: &str) -> Result<(), Refusal> {
    if !list.split(';').any(|name| name.eq_ignore_ascii_case("host") || name == ":authority") {
        return Err(InvalidSignature::HostNotSigned.into());
    }
    // The empty text in front lets no empty name pass as the first.
    let ascending = std::iter::once("").chain(list.split(';')).is_sorted_by(|left, right| left < right);
    if !ascending || list.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(IncompleteSignature::SignedHeaders { got: list.to_owned() }.into());
    }
    Ok(())
}

fn check_unsigned((name, _): &Header<'_>) -> Result<(), Refusal> {
    if name.starts_with("x-amz-") {
        return Err(InvalidSignature::HeaderNotSigned { name: (*name).to_owned() }.into());
    }
    Ok(())
}

fn absent(name: &str) -> Refusal {
    InvalidSignature::SignedHeaderAbsent { name: name.to_owned() }.into()
}
