//! The lifecycle of a bucket: which rules are taken, and when something is due by them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>

use std::collections::HashSet;

use base::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::s3::{LifecycleExpiration, LifecycleFilter, LifecycleRule, Tag};

use crate::conditions::to_http_date;
use crate::error::ObjectsError;
use crate::tags::{Tagged, Tags};

/// The most rules of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>
const RULES_MAX: usize = 1_000;
/// The longest name of a rule, in characters.
const ID_MAX: usize = 255;
pub(crate) const DAY_MILLIS: i64 = 86_400_000;

/// What rules ask about an object.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) key: &'a str,
    /// Of a delete marker or an upload neither is known.
    pub(crate) contents: Option<(u64, &'a Tags)>,
}

/// Takes rules in; those without a name get one.
///
/// # Errors
/// There are too many, two have one name, or one makes no sense or asks for what is not offered.
pub(crate) fn check(
    rules: Vec<LifecycleRule>,
    mut new_id: impl FnMut() -> Result<String, ObjectsError>,
) -> Result<Vec<LifecycleRule>, ObjectsError> {
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(ObjectsError::malformed_xml());
    }
    let mut ids = HashSet::new();
    let mut checked = Vec::with_capacity(rules.len());
    for mut rule in rules {
        check_rule(&rule)?;
        let id = match rule.id.take().filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => new_id()?,
        };
        if id.chars().count() > ID_MAX {
            return Err(invalid("ID length should not exceed allowed limit of 255"));
        }
        if !ids.insert(id.clone()) {
            return Err(invalid("Rule ID must be unique. Found same ID for more than one rule"));
        }
        checked.push(LifecycleRule { id: Some(id), ..rule });
    }
    Ok(checked)
}

fn check_rule(rule: &LifecycleRule) -> Result<(), ObjectsError> {
    if !rule.transition.is_empty() || !rule.noncurrent_version_transition.is_empty() {
        return Err(ObjectsError::not_implemented());
    }
    let is_one_of_two = rule.prefix.is_some() != rule.filter.is_some();
    if !matches!(rule.status.as_deref(), Some("Enabled" | "Disabled")) || !is_one_of_two {
        return Err(ObjectsError::malformed_xml());
    }
    rule.filter.as_ref().map_or(Ok(()), check_filter)?;
    let has_actions = rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some();
    if !has_actions {
        return Err(request("At least one action needs to be specified in a rule"));
    }
    if let Some(expiration) = &rule.expiration {
        check_expiration(expiration, rule)?;
    }
    if let Some(expiration) = &rule.noncurrent_version_expiration {
        let text = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
        check_days(expiration.noncurrent_days, text)?;
        if expiration.newer_noncurrent_versions.is_some_and(|count| !(1..=100).contains(&count)) {
            return Err(invalid("'NewerNoncurrentVersions' must be a positive integer up to 100"));
        }
    }
    if let Some(abort) = &rule.abort_incomplete_multipart_upload {
        let text =
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer";
        check_days(abort.days_after_initiation, text)?;
        if asks_about_contents(rule) {
            return Err(request(
                "AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.",
            ));
        }
    }
    Ok(())
}

fn check_filter(filter: &LifecycleFilter) -> Result<(), ObjectsError> {
    let conditions = [
        filter.prefix.is_some(),
        filter.tag.is_some(),
        filter.object_size_greater_than.is_some(),
        filter.object_size_less_than.is_some(),
        filter.and.is_some(),
    ];
    if conditions.iter().filter(|is| **is).count() > 1 {
        return Err(ObjectsError::malformed_xml());
    }
    Tags::of(tags_of(filter).cloned().collect(), Tagged::Object).map(|_| ())
}

fn check_expiration(expiration: &LifecycleExpiration, rule: &LifecycleRule) -> Result<(), ObjectsError> {
    let LifecycleExpiration { days, date, expired_object_delete_marker: marker } = expiration;
    if [days.is_some(), date.is_some(), marker.is_some()].iter().filter(|is| **is).count() != 1 {
        return Err(ObjectsError::malformed_xml());
    }
    if marker.is_some() && asks_about_contents(rule) {
        return Err(request("ExpiredObjectDeleteMarker cannot be specified with Tags or object sizes."));
    }
    match date {
        None if marker.is_some() => Ok(()),
        None => check_days(*days, "'Days' for Expiration action must be a positive integer"),
        Some(date) => match date_of(date) {
            None => Err(ObjectsError::malformed_xml()),
            Some(date) if date.millis() % DAY_MILLIS != 0 => Err(invalid("'Date' must be at midnight GMT")),
            Some(_) => Ok(()),
        },
    }
}

fn check_days(days: Option<i64>, text: &str) -> Result<(), ObjectsError> {
    match days {
        None => Err(ObjectsError::malformed_xml()),
        Some(days) if (1..=i64::from(i32::MAX)).contains(&days) => Ok(()),
        Some(_) => Err(invalid(text)),
    }
}

fn invalid(text: &str) -> ObjectsError {
    ObjectsError::bad("InvalidArgument", text)
}

fn request(text: &str) -> ObjectsError {
    ObjectsError::bad("InvalidRequest", text)
}

fn date_of(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

fn tags_of(filter: &LifecycleFilter) -> impl Iterator<Item = &Tag> {
    filter.tag.iter().chain(filter.and.iter().flat_map(|and| &and.tags))
}

fn sizes_of(filter: &LifecycleFilter) -> (Option<u64>, Option<u64>) {
    let and = filter.and.as_ref();
    (
        filter.object_size_greater_than.or(and.and_then(|and| and.object_size_greater_than)),
        filter.object_size_less_than.or(and.and_then(|and| and.object_size_less_than)),
    )
}

fn asks_about_contents(rule: &LifecycleRule) -> bool {
    rule.filter
        .as_ref()
        .is_some_and(|filter| tags_of(filter).next().is_some() || sizes_of(filter) != (None, None))
}

/// Whether a rule is about something.
fn is_about(rule: &LifecycleRule, candidate: Candidate<'_>) -> bool {
    let filter = rule.filter.as_ref();
    let of_and = filter.and_then(|filter| filter.and.as_ref()).and_then(|and| and.prefix.as_deref());
    let of_filter = filter.and_then(|filter| filter.prefix.as_deref());
    let prefix = rule.prefix.as_deref().or(of_filter).or(of_and).unwrap_or_default();
    if rule.status.as_deref() != Some("Enabled") || !candidate.key.starts_with(prefix) {
        return false;
    }
    let Some(filter) = filter.filter(|_| asks_about_contents(rule)) else { return true };
    let Some((size, tags)) = candidate.contents else { return false };
    let (more_than, less_than) = sizes_of(filter);
    more_than.is_none_or(|limit| size > limit)
        && less_than.is_none_or(|limit| size < limit)
        && tags_of(filter).all(|tag| tags.iter().any(|(key, value)| key == tag.key && value == tag.value))
}

/// The midnight at which so many days have passed.
fn midnight_after(since: Timestamp, days: i64) -> Timestamp {
    let end = since.millis().saturating_add(days.saturating_mul(DAY_MILLIS));
    let midnights = end.saturating_add(DAY_MILLIS - 1).div_euclid(DAY_MILLIS);
    Timestamp::from_millis(midnights.saturating_mul(DAY_MILLIS))
}

/// When an object that is there now goes, if it ever does, and by which rule.
pub(crate) fn expires<'a>(
    rules: &'a [LifecycleRule],
    candidate: Candidate<'_>,
    written: Timestamp,
) -> Option<(Timestamp, &'a str)> {
    let ends = rules.iter().filter(|rule| is_about(rule, candidate)).filter_map(|rule| {
        let expiration = rule.expiration.as_ref()?;
        let by_days = expiration.days.map(|days| midnight_after(written, days));
        let end = by_days.or_else(|| date_of(expiration.date.as_deref()?))?;
        Some((end, rule.id.as_deref().unwrap_or_default()))
    });
    ends.min_by_key(|(end, _)| end.millis())
}

/// What an answer tells of the end of an object that is there now.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(crate) fn told_expiration(
    rules: &[LifecycleRule],
    candidate: Candidate<'_>,
    written: Timestamp,
) -> Option<String> {
    let (end, id) = expires(rules, candidate, written)?;
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    Some(format!("expiry-date=\"{}\", rule-id=\"{id}\"", to_http_date(end)))
}

/// Whether a delete marker goes that has no versions behind it.
pub(crate) fn marker_is_due(
    rules: &[LifecycleRule],
    candidate: Candidate<'_>,
    written: Timestamp,
    now: Timestamp,
) -> bool {
    let by_itself = |rule: &LifecycleRule| {
        rule.expiration.as_ref().and_then(|expiration| expiration.expired_object_delete_marker) == Some(true)
    };
    let is_due = expires(rules, candidate, written).is_some_and(|(end, _)| end <= now);
    is_due || rules.iter().any(|rule| is_about(rule, candidate) && by_itself(rule))
}

/// Whether an earlier version goes, of which so many are newer and which another one replaced at that time.
pub(crate) fn earlier_is_due(
    rules: &[LifecycleRule],
    candidate: Candidate<'_>,
    (newer, replaced): (i64, Timestamp),
    now: Timestamp,
) -> bool {
    rules.iter().filter(|rule| is_about(rule, candidate)).any(|rule| {
        let Some(expiration) = &rule.noncurrent_version_expiration else { return false };
        let is_old = expiration.noncurrent_days.is_some_and(|days| midnight_after(replaced, days) <= now);
        is_old && newer >= expiration.newer_noncurrent_versions.unwrap_or(0)
    })
}

/// Whether an upload goes that nobody has completed.
pub(crate) fn upload_is_due(
    rules: &[LifecycleRule],
    key: &str,
    initiated: Timestamp,
    now: Timestamp,
) -> bool {
    let candidate = Candidate { key, contents: None };
    rules.iter().filter(|rule| is_about(rule, candidate)).any(|rule| {
        let abort = rule.abort_incomplete_multipart_upload.as_ref();
        let days = abort.and_then(|abort| abort.days_after_initiation);
        days.is_some_and(|days| midnight_after(initiated, days) <= now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rules: &str) -> Vec<LifecycleRule> {
        let body = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
        wire::s3::read_lifecycle(body.as_bytes()).unwrap()
    }

    fn refusal(rule: &str) -> Option<&'static str> {
        let checked = check(read(&format!("<Rule>{rule}</Rule>")), || Ok("new".to_owned()));
        checked.err().map(|error| error.to_fault().code)
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    const ON: &str = "<Status>Enabled</Status><Filter/>";

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let days = "<Expiration><Days>1</Days></Expiration>";
        assert_eq!(refusal(&format!("{ON}{days}")), None);
        assert_eq!(refusal(&format!("<Status>Enabled</Status><Prefix>a</Prefix>{days}")), None);
        for (rule, code) in [
            (ON.to_owned(), "InvalidRequest"),
            (days.to_owned(), "MalformedXML"),
            (format!("<Status>Enabled</Status>{days}"), "MalformedXML"),
            (format!("<Status>enabled</Status><Filter/>{days}"), "MalformedXML"),
            (format!("{ON}<Prefix/>{days}"), "MalformedXML"),
            (format!("{ON}<Expiration/>"), "MalformedXML"),
            (format!("{ON}<Expiration><Days>0</Days></Expiration>"), "InvalidArgument"),
            (format!("{ON}<Expiration><Date>2026-01-01T01:00:00Z</Date></Expiration>"), "InvalidArgument"),
            (format!("{ON}<Expiration><Date>soon</Date></Expiration>"), "MalformedXML"),
            (format!("{ON}<Transition><Days>1</Days></Transition>{days}"), "NotImplemented"),
            (format!("<ID>{}</ID>{ON}{days}", "i".repeat(256)), "InvalidArgument"),
            (
                "<Status>Enabled</Status><Filter><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>".to_owned(),
                "InvalidRequest",
            ),
        ] {
            assert_eq!(refusal(&rule), Some(code), "{rule}");
        }
        let two = format!("<Rule><ID>a</ID>{ON}{days}</Rule>").repeat(2);
        assert_eq!(check(read(&two), || Ok(String::new())).unwrap_err().to_fault().code, "InvalidArgument");
        assert!(check(Vec::new(), || Ok(String::new())).is_err());
    }

    #[test]
    fn days_end_at_midnight() {
        let written = at("2026-01-01T10:30:00Z");
        assert_eq!(midnight_after(written, 3), at("2026-01-05T00:00:00Z"));
        assert_eq!(midnight_after(at("2026-01-01T00:00:00Z"), 1), at("2026-01-02T00:00:00Z"));
        let rules = read(&format!("<Rule><ID>r</ID>{ON}<Expiration><Days>3</Days></Expiration></Rule>"));
        let candidate = Candidate { key: "k", contents: None };
        assert_eq!(expires(&rules, candidate, written), Some((at("2026-01-05T00:00:00Z"), "r")));
        let off = read(&format!(
            "<Rule>{}<Expiration><Days>3</Days></Expiration></Rule>",
            ON.replace("Enabled", "Disabled")
        ));
        assert_eq!(expires(&off, candidate, written), None);
    }

    #[test]
    fn a_rule_is_about_what_fits_all_of_its_conditions() {
        let tags =
            Tags::of(vec![Tag { key: "a".to_owned(), value: "1".to_owned() }], Tagged::Object).unwrap();
        let is = |filter: &str, key: &str, size: u64| {
            let rules = read(&format!("<Rule><Status>Enabled</Status><Filter>{filter}</Filter></Rule>"));
            is_about(&rules[0], Candidate { key, contents: Some((size, &tags)) })
        };
        let tag = "<Tag><Key>a</Key><Value>1</Value></Tag>";
        let greater = "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>";
        assert!(is("<Prefix>logs/</Prefix>", "logs/x", 0) && !is("<Prefix>logs/</Prefix>", "log", 0));
        assert!(is(tag, "k", 0) && !is(&tag.replace('1', "2"), "k", 0));
        assert!(is(greater, "k", 6) && !is(greater, "k", 5));
        let less = "<ObjectSizeLessThan>7</ObjectSizeLessThan>";
        let and = format!("<And><Prefix>l</Prefix>{tag}{greater}{less}</And>");
        assert!(is(&and, "l", 6));
        for (key, size) in [("k", 6), ("l", 5), ("l", 7)] {
            assert!(!is(&and, key, size), "{key} {size}");
        }
    }

    #[test]
    fn earlier_versions_stay_as_long_and_as_many_as_a_rule_says() {
        let expiration = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
        let rules = read(&format!("<Rule>{ON}{expiration}</Rule>"));
        let (candidate, replaced) = (Candidate { key: "k", contents: None }, at("2026-01-01T10:00:00Z"));
        let due = |newer, now| earlier_is_due(&rules, candidate, (newer, replaced), at(now));
        assert!(due(2, "2026-01-03T00:00:00Z"));
        assert!(!due(1, "2026-01-03T00:00:00Z") && !due(2, "2026-01-02T23:59:59Z"));
    }
}
