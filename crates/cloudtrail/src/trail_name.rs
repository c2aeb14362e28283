//! How requests name a trail: by its name, in the Region of the request, or by its ARN.

use audit::trails::TrailName;
use base::{AccountId, Call, Region};
use wire::cloudtrail::ErrorCode;

use crate::error::CloudTrailError;

/// A trail that a request names; it need not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedTrail {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: TrailName,
}

impl NamedTrail {
    /// Reads a name or an ARN.
    pub(crate) fn read(call: &Call, text: &str) -> Result<Self, CloudTrailError> {
        if text.starts_with("arn:") { Self::of_arn(text) } else { Self::of_name(call, text) }
    }

    /// Reads an ARN.
    pub(crate) fn of_arn(text: &str) -> Result<Self, CloudTrailError> {
        let invalid = || {
            CloudTrailError::refused(
                ErrorCode::CloudTrailARNInvalidException,
                format!("Invalid trail ARN: {text}"),
            )
        };
        Self::parse(text).ok_or_else(invalid)
    }

    /// Reads a name, for a new trail.
    pub(crate) fn of_name(call: &Call, text: &str) -> Result<Self, CloudTrailError> {
        let invalid = |error| {
            CloudTrailError::refused(
                ErrorCode::InvalidTrailNameException,
                format!("{text} cannot be used: {error}."),
            )
        };
        let name = text.parse().map_err(invalid)?;
        Ok(Self { account: call.caller.account, region: call.region, name })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let (partition, service) = (parts.next()?, parts.next()?);
        let region: Region = parts.next()?.parse().ok()?;
        let account = parts.next()?.parse().ok()?;
        let name = parts.next()?.strip_prefix("trail/")?.parse().ok()?;
        (partition == region.partition() && service == "cloudtrail").then_some(Self { account, region, name })
    }

    pub(crate) fn arn(&self) -> String {
        let Self { account, region, name } = self;
        format!("arn:{}:cloudtrail:{region}:{account}:trail/{name}", region.partition())
    }

    pub(crate) fn unknown(&self) -> CloudTrailError {
        let text = format!("Unknown trail: {} for the user: {}", self.arn(), self.account);
        CloudTrailError::refused(ErrorCode::TrailNotFoundException, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_read_back_and_nothing_else_does() {
        for arn in [
            "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main",
            "arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/a.b-c",
        ] {
            assert_eq!(NamedTrail::of_arn(arn).unwrap().arn(), arn);
        }
        for other in [
            "arn:aws-cn:cloudtrail:eu-central-1:111122223333:trail/main",
            "arn:aws:kms:eu-central-1:111122223333:trail/main",
            "arn:aws:cloudtrail:eu-central-1:1111:trail/main",
            "arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/main",
            "arn:aws:cloudtrail:eu-central-1:111122223333:trail/",
            "arn:aws:cloudtrail:eu-central-1:111122223333:trail/a/b",
            "arn:",
        ] {
            assert!(NamedTrail::of_arn(other).is_err(), "{other}");
        }
    }
}
