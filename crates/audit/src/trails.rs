//! Trails: who gets which events delivered, and where to.
//!
//! The log keeps every event. A trail says which of them are delivered as files, and below which prefix of the bucket.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html>

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use base::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::StoreError;

/// A source whose events AWS calls global: they have no Region of their own and are recorded in one.
const GLOBAL_SOURCE: &str = "iam.amazonaws.com";

const NAME_LENGTHS: std::ops::RangeInclusive<usize> = 3..=128;

/// The name of a trail, unique in its account and home Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrailName(String);

/// The text cannot be the name of a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a trail's name has 3 to 128 letters, digits, periods, underscores and dashes, begins and ends with a letter or digit, \
     and has no two of the others side by side"
)]
pub struct TrailNameError;

impl TrailName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrailName {
    type Err = TrailNameError;

    /// By the rules of CreateTrail, which also refuse what looks like an IP address.
    fn from_str(text: &str) -> Result<Self, TrailNameError> {
        let is_separator = |character: char| matches!(character, '.' | '_' | '-');
        let words_are_whole = text
            .split(is_separator)
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
        let fits = NAME_LENGTHS.contains(&text.len());
        if fits && words_are_whole && !is_address { Ok(Self(text.to_owned())) } else { Err(TrailNameError) }
    }
}

impl fmt::Display for TrailName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that is set for a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailSettings {
    /// Its name.
    pub name: TrailName,
    /// Whose events it delivers; those of all accounts if none.
    pub account: Option<AccountId>,
    /// The Region in which it was made and is changed.
    pub home_region: Region,
    /// Whether it delivers the events of all Regions, or only of its home Region.
    pub is_multi_region: bool,
    /// The bucket that it says it delivers to.
    pub bucket: String,
    /// What comes before `AWSLogs/` in the names of its objects, without a slash at the end.
    pub key_prefix: Option<String>,
    /// Whether it delivers events of services without Regions.
    pub includes_global_service_events: bool,
    /// Whether it makes signed digests of what it delivers.
    pub validates_log_files: bool,
    /// Whether it delivers what happens now.
    pub is_logging: bool,
    /// When it last began.
    pub logging_since: Option<Timestamp>,
    /// When it was last stopped, also if it has begun again since.
    pub logging_until: Option<Timestamp>,
    /// The sources of events that it leaves out, such as `kms.amazonaws.com`.
    pub excluded_event_sources: Vec<String>,
    /// The data events that it delivers beside management events: those of which one of these says so.
    pub data_events: Vec<DataSelector>,
}

/// Which data events a trail delivers.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSelector {
    /// The type of their resources, such as `AWS::S3::Object`.
    pub resource_type: String,
    /// The resources' ARNs; those of all resources if none.
    pub arns: Vec<ArnPattern>,
    /// Those that only read, or only those that do not; both if none.
    pub read_only: Option<bool>,
}

/// Some ARNs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArnPattern {
    /// This one.
    Equal(String),
    /// All that begin like this.
    Beginning(String),
}

impl ArnPattern {
    fn matches(&self, arn: &str) -> bool {
        match self {
            Self::Equal(one) => arn == one,
            Self::Beginning(start) => arn.starts_with(start.as_str()),
        }
    }
}

impl DataSelector {
    fn wants(&self, data: &DataEvent<'_>) -> bool {
        let is_meant = |arn: &str| self.arns.is_empty() || self.arns.iter().any(|one| one.matches(arn));
        self.read_only.is_none_or(|read_only| read_only == data.read_only)
            && data.resources.iter().any(|(kind, arn)| *kind == self.resource_type && is_meant(arn))
    }
}

/// What selectors of data events ask of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataEvent<'a> {
    /// `readOnly`.
    pub read_only: bool,
    /// Type and ARN of each of its resources.
    pub resources: &'a [(&'a str, &'a str)],
}

/// What decides whether a trail wants an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventOrigin<'a> {
    /// `recipientAccountId`.
    pub account: AccountId,
    /// `awsRegion`.
    pub region: Region,
    /// `eventSource`.
    pub source: &'a str,
    /// `eventTime`, to the second.
    pub time: Timestamp,
    /// What it is about, if it is a data event.
    pub data: Option<DataEvent<'a>>,
}

impl TrailSettings {
    /// `arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME`. A trail of all accounts has one in each of them.
    pub fn arn(&self, account: AccountId) -> String {
        let account = self.account.unwrap_or(account);
        let (partition, region) = (self.home_region.partition(), self.home_region);
        format!("arn:{partition}:cloudtrail:{region}:{account}:trail/{}", self.name)
    }

    /// Whether the event is to be delivered: it is of the trail's account and Regions, its source is not left out, and
    /// the trail was on when it happened.
    ///
    /// Since 2021-11-22 AWS records events of global services in one Region, and a trail gets them like others of that
    /// Region: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html>.
    pub fn wants(&self, event: &EventOrigin<'_>) -> bool {
        let is_of_account = self.account.is_none_or(|account| account == event.account);
        let is_of_region = self.is_multi_region || self.home_region == event.region;
        let is_left_out = self.excluded_event_sources.iter().any(|source| source == event.source)
            || (event.source == GLOBAL_SOURCE && !self.includes_global_service_events);
        let is_meant = match &event.data {
            None => !is_left_out,
            Some(data) => self.data_events.iter().any(|selector| selector.wants(data)),
        };
        is_of_account && is_of_region && is_meant && self.was_logging_at(event.time)
    }

    /// Whether it was on, as far as its last start and stop tell. Times of events have no parts of seconds.
    fn was_logging_at(&self, time: Timestamp) -> bool {
        let begun = self.logging_since.is_none_or(|since| time.seconds() >= since.seconds());
        let not_ended = self.logging_until.is_none_or(|until| time.seconds() <= until.seconds());
        match (self.is_logging, self.logging_until) {
            (true, None) => begun,
            // What happened before the stop and was not delivered yet still belongs to the trail.
            (true, Some(_)) => begun || not_ended,
            (false, Some(_)) => begun && not_ended,
            (false, None) => false,
        }
    }
}

/// The trails that there are.
#[async_trait]
pub trait Trails: Send + Sync {
    /// All of them, of all accounts, those that are stopped included.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn all(&self) -> Result<Vec<TrailSettings>, StoreError>;
}

/// The operator's own trail, for all accounts and Regions. No account can change or stop it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltInTrail {
    /// Its name, `keywright` by default.
    pub name: TrailName,
    /// Its home Region: the service's default Region.
    pub home_region: Region,
    /// The bucket that it says it delivers to.
    pub bucket: String,
    /// What comes before `AWSLogs/` in the names of its objects.
    pub key_prefix: Option<String>,
}

impl BuiltInTrail {
    /// What is set for it, in the form of every trail.
    pub fn settings(&self) -> TrailSettings {
        TrailSettings {
            name: self.name.clone(),
            account: None,
            home_region: self.home_region,
            is_multi_region: true,
            bucket: self.bucket.clone(),
            key_prefix: self.key_prefix.clone(),
            includes_global_service_events: true,
            validates_log_files: true,
            is_logging: true,
            logging_since: None,
            logging_until: None,
            excluded_event_sources: Vec::new(),
            data_events: Vec::new(),
        }
    }
}

#[async_trait]
impl Trails for BuiltInTrail {
    async fn all(&self) -> Result<Vec<TrailSettings>, StoreError> {
        Ok(vec![self.settings()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> TrailSettings {
        let trail = BuiltInTrail {
            name: "keywright".parse().unwrap(),
            home_region: "eu-central-1".parse().unwrap(),
            bucket: "trail".to_owned(),
            key_prefix: None,
        };
        trail.settings()
    }

    fn event(account: u64, region: &str, source: &'static str, seconds: i64) -> EventOrigin<'static> {
        EventOrigin {
            account: AccountId::from_number(account).unwrap(),
            region: region.parse().unwrap(),
            source,
            time: Timestamp::from_seconds(seconds),
            data: None,
        }
    }

    #[test]
    fn names_are_those_that_create_trail_takes() {
        for good in ["abc", "my-trail", "A.b_c-1", &"x".repeat(128)] {
            assert_eq!(good.parse::<TrailName>().unwrap().as_str(), good);
        }
        for bad in ["", "ab", "-abc", "abc-", "a--b", "a._b", "a/b", "ä-b-c", "192.168.5.4", &"x".repeat(129)]
        {
            assert!(bad.parse::<TrailName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_built_in_trail_wants_everything_in_every_account() {
        let trail = built_in();
        for event in
            [event(1, "us-east-1", "iam.amazonaws.com", 0), event(2, "eu-west-1", "kms.amazonaws.com", 9)]
        {
            assert!(trail.wants(&event), "{event:?}");
        }
        assert_eq!(
            trail.arn(AccountId::from_number(42).unwrap()),
            "arn:aws:cloudtrail:eu-central-1:000000000042:trail/keywright"
        );
    }

    #[test]
    fn a_trail_wants_what_its_settings_say() {
        let wanted = event(1, "eu-central-1", "kms.amazonaws.com", 100);
        let trail = TrailSettings {
            account: Some(wanted.account),
            is_multi_region: false,
            includes_global_service_events: false,
            excluded_event_sources: vec!["rdsdata.amazonaws.com".to_owned()],
            ..built_in()
        };
        assert!(trail.wants(&wanted));
        for other in [
            event(2, "eu-central-1", "kms.amazonaws.com", 100),
            event(1, "eu-west-1", "kms.amazonaws.com", 100),
            event(1, "eu-central-1", "iam.amazonaws.com", 100),
            event(1, "eu-central-1", "rdsdata.amazonaws.com", 100),
        ] {
            assert!(!trail.wants(&other), "{other:?}");
        }
        let everywhere = TrailSettings { is_multi_region: true, ..trail };
        assert!(everywhere.wants(&event(1, "eu-west-1", "kms.amazonaws.com", 100)));
    }

    #[test]
    fn a_trail_wants_what_happened_while_it_was_on() {
        let at = |seconds| Some(Timestamp::from_seconds(seconds).plus_millis(500));
        let wants = |is_logging, logging_since, logging_until| {
            let trail = TrailSettings { is_logging, logging_since, logging_until, ..built_in() };
            [9, 10, 15, 20, 21]
                .map(|seconds| trail.wants(&event(1, "us-east-1", "kms.amazonaws.com", seconds)))
        };
        assert_eq!(wants(true, at(10), None), [false, true, true, true, true]);
        assert_eq!(wants(false, at(10), at(20)), [false, true, true, true, false]);
        assert_eq!(wants(true, at(20), at(10)), [true, true, false, true, true]);
        assert_eq!(wants(false, at(10), None), [false; 5]);
    }

    #[test]
    fn a_trail_wants_the_data_events_that_its_selectors_mean_and_no_others() {
        let selector = |arns: &[ArnPattern], read_only| DataSelector {
            resource_type: "AWS::S3::Object".to_owned(),
            arns: arns.to_vec(),
            read_only,
        };
        let wants = |selectors: &[DataSelector], kind, arn, read_only| {
            let trail = TrailSettings { data_events: selectors.to_vec(), ..built_in() };
            let resources = [("AWS::S3::Bucket", "arn:aws:s3:::b"), (kind, arn)];
            let data = Some(DataEvent { read_only, resources: &resources });
            trail.wants(&EventOrigin { data, ..event(1, "eu-central-1", "s3.amazonaws.com", 0) })
        };
        let (object, arn) = ("AWS::S3::Object", "arn:aws:s3:::b/k");
        assert!(!wants(&[], object, arn, true));
        assert!(wants(&[selector(&[], None)], object, arn, true));
        assert!(!wants(&[selector(&[], None)], "AWS::Lambda::Function", arn, true));
        for (pattern, wanted) in [
            (ArnPattern::Beginning("arn:aws:s3:::b/".to_owned()), true),
            (ArnPattern::Beginning("arn:aws:s3:::bb/".to_owned()), false),
            (ArnPattern::Equal(arn.to_owned()), true),
            (ArnPattern::Equal("arn:aws:s3:::b/".to_owned()), false),
        ] {
            assert_eq!(
                wants(&[selector(std::slice::from_ref(&pattern), None)], object, arn, true),
                wanted,
                "{pattern:?}"
            );
        }
        let writes = [selector(&[], Some(false))];
        assert!(wants(&writes, object, arn, false) && !wants(&writes, object, arn, true));
    }
}
