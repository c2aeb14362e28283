//! What CreateTrail and UpdateTrail, AddTags and RemoveTags take alike, and its rules.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html>

use std::collections::BTreeMap;

use wire::cloudtrail::{ErrorCode, Tag};

use crate::CloudTrail;
use crate::error::CloudTrailError;

/// Characters of a prefix.
const PREFIX_MAX: usize = 200;
/// Tags of a trail.
pub(super) const TAGS_MAX: usize = 50;

/// What the service does not do.
pub(super) struct Unsupported<'a> {
    pub(super) sns_topic: Option<&'a String>,
    pub(super) log_group: Option<&'a String>,
    pub(super) log_role: Option<&'a String>,
    pub(super) kms_key: Option<&'a String>,
    pub(super) is_organization_trail: Option<bool>,
    pub(super) recursive_logging: Option<bool>,
}

impl Unsupported<'_> {
    /// Refuses what is not done; what says that nothing of it is wanted is let through.
    pub(super) fn check(&self) -> Result<(), CloudTrailError> {
        let texts = [
            ("SnsTopicName", self.sns_topic),
            ("CloudWatchLogsLogGroupArn", self.log_group),
            ("CloudWatchLogsRoleArn", self.log_role),
            ("KmsKeyId", self.kms_key),
        ];
        let text = texts.into_iter().find(|(_, value)| value.is_some_and(|value| !value.is_empty()));
        let switches = [
            ("IsOrganizationTrail", self.is_organization_trail),
            ("RecursiveLogging", self.recursive_logging),
        ];
        let switch = switches.into_iter().find(|(_, value)| *value == Some(true));
        match text.map(|(name, _)| name).or(switch.map(|(name, _)| name)) {
            Some(name) => {
                let text = format!("Keywright's trails have no {name}.");
                Err(CloudTrailError::refused(ErrorCode::UnsupportedOperationException, text))
            }
            None => Ok(()),
        }
    }
}

impl CloudTrail {
    /// Trails deliver into the bucket that the operator has for them.
    pub(super) fn check_bucket(&self, name: &str) -> Result<(), CloudTrailError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !(3..=63).contains(&name.len()) || !name.bytes().all(allowed) {
            let text = format!("{name} cannot be the name of a bucket.");
            return Err(CloudTrailError::refused(ErrorCode::InvalidS3BucketNameException, text));
        }
        let bucket = &self.trails.built_in().bucket;
        if name != bucket {
            let text =
                format!("S3 bucket {name} does not exist! Trails of this service deliver into {bucket}.");
            return Err(CloudTrailError::refused(ErrorCode::S3BucketDoesNotExistException, text));
        }
        Ok(())
    }
}

/// A prefix; none if it is empty.
pub(super) fn key_prefix(prefix: Option<&String>) -> Result<Option<String>, CloudTrailError> {
    let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else { return Ok(None) };
    let is_plain = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!'()".contains(&byte);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(allowed)
    };
    if prefix.len() > PREFIX_MAX || !prefix.split('/').all(is_plain) {
        let text = format!("{prefix} cannot be used as a prefix.");
        return Err(CloudTrailError::refused(ErrorCode::InvalidS3PrefixException, text));
    }
    Ok(Some(prefix.clone()))
}

/// A trail of one Region alone may leave global services out.
pub(super) fn check_regions(is_multi_region: bool, includes_global: bool) -> Result<(), CloudTrailError> {
    if is_multi_region && !includes_global {
        let text = "Multi-Region trail must include global service events.";
        return Err(CloudTrailError::refused(ErrorCode::InvalidParameterCombinationException, text));
    }
    Ok(())
}

/// Tags of a request, each key once.
pub(super) fn tags(list: Option<&Vec<Tag>>) -> Result<BTreeMap<String, String>, CloudTrailError> {
    let invalid = |text: String| CloudTrailError::refused(ErrorCode::InvalidTagParameterException, text);
    let mut tags = BTreeMap::new();
    for tag in list.into_iter().flatten() {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("The tag key {} begins with aws:, which is reserved.", tag.key)));
        }
        if tags.insert(tag.key.clone(), tag.value.clone().unwrap_or_default()).is_some() {
            return Err(invalid(format!("The tag key {} is there twice.", tag.key)));
        }
    }
    Ok(tags)
}

/// Holds a trail to the number of tags that it may have.
pub(super) fn check_tag_count(tags: &BTreeMap<String, String>) -> Result<(), CloudTrailError> {
    if tags.len() > TAGS_MAX {
        let text = format!("A trail has at most {TAGS_MAX} tags.");
        return Err(CloudTrailError::refused(ErrorCode::TagsLimitExceededException, text));
    }
    Ok(())
}
