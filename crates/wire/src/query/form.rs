//! The form of a request: names and values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use percent_encoding::percent_decode;

use crate::Fault;

/// Most parameters in one request: far above what any IAM or STS call needs.
const PARAMETERS_MAX: usize = 1_000;

/// The parameters of a request, from its body or (presigned requests) from its query string.
///
/// It cannot be printed: parameters may be tokens.
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads `Action=…&Version=…&…`. `+` is a space; a parameter without `=` has the empty value; of a name that comes
    /// more than once the first value counts. An empty body is a form without parameters.
    ///
    /// # Errors
    /// MalformedQueryString for more than 1,000 parameters, and for bytes that are not UTF-8 when decoded.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        let mut parameters = BTreeMap::new();
        for (at, pair) in pairs.enumerate() {
            if at == PARAMETERS_MAX {
                return Err(malformed("The request has too many parameters."));
            }
            let (name, value) = split_at_equals(pair);
            parameters.entry(decode(name)?).or_insert(decode(value)?);
        }
        Ok(Self(parameters))
    }

    /// The operation's name.
    pub fn action(&self) -> Option<&str> {
        self.get("Action")
    }

    /// The API's version, for example `2011-06-15`.
    pub fn version(&self) -> Option<&str> {
        self.get("Version")
    }

    /// The value of a parameter, for example `RoleArn` or `Tags.member.1.Key`. Names are case sensitive.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is a parameter whose name goes on behind `name` and a dot: members of a structure or list.
    pub(crate) fn has_members(&self, name: &str) -> bool {
        self.behind(&format!("{name}.")).next().is_some()
    }

    /// The numbers N for which there are parameters `<name>.member.N` or `<name>.member.N.…`, ascending.
    pub(crate) fn element_numbers(&self, name: &str) -> BTreeSet<u32> {
        let prefix = format!("{name}.member.");
        let number = |rest: &str| rest.split('.').next().unwrap_or_default().parse().ok();
        self.behind(&prefix).filter_map(number).collect()
    }

    /// What follows `prefix` in the names that begin with it.
    fn behind<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(prefix), Bound::Unbounded);
        self.0.range::<str, _>(from).map_while(move |(name, _)| name.strip_prefix(prefix))
    }
}

fn split_at_equals(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}

fn decode(component: &[u8]) -> Result<String, Fault> {
    let with_spaces: Vec<u8> =
        component.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded: Cow<'_, [u8]> = percent_decode(&with_spaces).into();
    String::from_utf8(decoded.into_owned()).map_err(|_| malformed("The request is not valid UTF-8."))
}

/// IAM's and STS's error for a syntax error in the request; their list of common errors gives it status 404.
fn malformed(message: &str) -> Fault {
    Fault::bad_request("MalformedQueryString", message).with_status(404)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_is_read() {
        let body = b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fa&Tags.member.1.Key=two+words%2B%26&Flag&Empty=&=nameless";
        let form = Form::parse(body).unwrap();
        assert_eq!(form.action(), Some("AssumeRole"));
        assert_eq!(form.version(), Some("2011-06-15"));
        assert_eq!(form.get("RoleArn"), Some("arn:aws:iam::111122223333:role/a"));
        assert_eq!(form.get("Tags.member.1.Key"), Some("two words+&"));
        assert_eq!(form.get("Flag"), Some(""));
        assert_eq!(form.get("Empty"), Some(""));
        assert_eq!(form.get(""), Some("nameless"));
        assert_eq!(form.get("action"), None);
        assert_eq!(form.get("Tags.member.2.Key"), None);
    }

    #[test]
    fn the_empty_body_is_a_form_without_parameters() {
        let form = Form::parse(b"").unwrap();
        assert_eq!((form.action(), form.version(), form.get("")), (None, None, None));
    }

    #[test]
    fn the_first_of_two_values_counts() {
        let form = Form::parse(b"Action=One&Action=Two&A%63tion=Three").unwrap();
        assert_eq!(form.action(), Some("One"));
    }

    #[test]
    fn broken_escapes_stand_for_themselves() {
        let form = Form::parse(b"a=%&b=%4&c=%zz&d=100%25").unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c"), form.get("d")),
            (Some("%"), Some("%4"), Some("%zz"), Some("100%"))
        );
    }

    #[test]
    fn bytes_that_are_no_text_and_too_many_parameters_are_refused() {
        let most = vec!["a=b"; PARAMETERS_MAX].join("&");
        assert!(Form::parse(most.as_bytes()).is_ok());
        let more = format!("{most}&a=b");
        for body in [&b"Action=\xff"[..], b"%ff=a", b"a=%C3", more.as_bytes()] {
            let fault = Form::parse(body).err().unwrap();
            assert_eq!((fault.code, fault.status), ("MalformedQueryString", 404));
        }
    }

    #[test]
    fn elements_are_counted_by_number_and_not_by_text() {
        let form = Form::parse(
            b"L.member.10=c&L.member.2.Key=b&L.member.2.Value=b&L.member.1=a&L.member.x=no&L.memberX.3=no&L=",
        )
        .unwrap();
        assert_eq!(form.element_numbers("L").into_iter().collect::<Vec<_>>(), [1, 2, 10]);
        assert!(form.has_members("L") && form.has_members("L.member.2"));
        assert!(!form.has_members("L.member.1") && !form.has_members("M"));
        assert!(form.element_numbers("M").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(fault) = Form::parse(&body) {
                prop_assert_eq!(fault.code, "MalformedQueryString");
            }
        }

        #[test]
        fn what_a_client_encodes_is_read_back(pairs in proptest::collection::vec((".{0,8}", ".{0,12}"), 0..12)) {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let form = Form::parse(body.as_bytes()).unwrap();
            let mut first = HashMap::new();
            for (name, value) in &pairs {
                first.entry(name).or_insert(value);
            }
            for (name, value) in first {
                prop_assert_eq!(form.get(name), Some(value.as_str()));
            }
        }
    }
}
