//! Amazon Resource Names, taken apart without copying.

/// An ARN: `arn:partition:service:region:account:resource`.
///
/// Region and account may be empty (IAM ARNs have no Region). The resource may hold further colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: &'a str,
    /// `kms`, `iam`, …
    pub service: &'a str,
    /// Region name, possibly empty.
    pub region: &'a str,
    /// Account id, possibly empty.
    pub account: &'a str,
    /// Everything behind the fifth colon.
    pub resource: &'a str,
}

/// The text is not an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ARN looks like arn:partition:service:region:account:resource")]
pub struct ArnError;

impl<'a> Arn<'a> {
    /// Takes an ARN apart. Partition, service and resource must not be empty.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnError);
        if next()? != "arn" {
            return Err(ArnError);
        }
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        let complete = !arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty();
        if complete { Ok(arn) } else { Err(ArnError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_keeps_its_colons() {
        let arn = Arn::parse("arn:aws:kms:eu-central-1:123456789012:alias/a:b").unwrap();
        assert_eq!(arn.resource, "alias/a:b");
        assert_eq!(arn.account, "123456789012");
    }

    #[test]
    fn incomplete_arns_are_refused() {
        for text in
            ["", "arn", "arn:aws:kms:eu-central-1:1", "arn::kms:r:a:x", "arn:aws::r:a:x", "arn:aws:kms:r:a:"]
        {
            assert_eq!(Arn::parse(text), Err(ArnError), "{text}");
        }
    }
}
