//! Which resources an ARN pattern can match.

use base::{AccountId, KeyId};

use super::probe::Probe;
use crate::glob::Part;
use crate::permissions::Target;
use crate::resource::ResourcePattern;
use crate::template::{ArnTemplate, Template};

/// Whether a pattern can match some resource of KMS of this kind. In doubt it can.
pub(super) fn can_be(probe: &Probe, pattern: &ResourcePattern, target: Target) -> bool {
    match pattern {
        ResourcePattern::Any => true,
        ResourcePattern::Arn { .. } if target == Target::Nothing => false,
        ResourcePattern::Arn { parts, whole } => {
            // ARNs of KMS have five colons, so that only a pattern with fewer matches otherwise than part by part.
            let reaches_on = whole.as_ref().is_some_and(|whole| colons(whole) < COLONS);
            let reaches_on = reaches_on && can_begin_as_kms(parts);
            reaches_on || is_kms_resource(probe, parts, target)
        }
    }
}

/// Whether a pattern says that it is about a resource of this service and no other.
pub(super) fn names_service(pattern: &ResourcePattern, service: &str) -> bool {
    match pattern {
        ResourcePattern::Any => false,
        ResourcePattern::Arn { parts, .. } => {
            let [_, partition, own, ..] = parts.parts();
            partition.literal().is_some() && own.literal() == Some(service)
        }
    }
}

fn is_kms_resource(probe: &Probe, pattern: &ArnTemplate, target: Target) -> bool {
    let [arn, partition, service, region, account, resource] = pattern.parts();
    let prefix = if target == Target::Alias { "alias/" } else { "key/" };
    let is_name = |name: &str| target == Target::Alias || name.parse::<KeyId>().is_ok();
    let is_resource = match resource.literal() {
        Some(text) => text.strip_prefix(prefix).is_some_and(|name| !name.is_empty() && is_name(name)),
        None => {
            let front = front(resource);
            prefix.starts_with(front) || front.starts_with(prefix)
        }
    };
    is_resource
        && probe.matches(arn, "arn") != Some(false)
        && partition.literal() != Some("")
        && probe.matches(service, "kms") != Some(false)
        && region.literal() != Some("")
        && account.literal().is_none_or(|text| text.parse::<AccountId>().is_ok())
}

/// Whether the first parts of a pattern that reaches across colons can be those of a resource of KMS.
fn can_begin_as_kms(pattern: &ArnTemplate) -> bool {
    let [_, partition, service, ..] = pattern.parts();
    partition.literal().is_none()
        || service.literal().map_or_else(|| "kms".starts_with(front(service)), |text| text == "kms")
}

/// Colons in an ARN of KMS.
const COLONS: usize = 5;

fn colons(template: &Template) -> usize {
    let of_part = |part: &Part<_>| match part {
        Part::Text(text) => text.matches(':').count(),
        Part::AnyRun | Part::AnyOne | Part::Variable(_) => 0,
    };
    template.parts().iter().map(of_part).sum()
}

/// What every text that matches begins with.
fn front(template: &Template) -> &str {
    match template.parts() {
        [Part::Text(text), ..] => text,
        [] | [Part::AnyRun | Part::AnyOne | Part::Variable(_), ..] => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Version;

    #[test]
    fn patterns_are_told_apart_by_what_they_can_match() {
        const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let probe = Probe::new();
        for (text, key, alias) in [
            ("*", true, true),
            ("arn:aws:kms:eu-central-1:111122223333:key/ID", true, false),
            ("arn:aws:kms:*:*:key/*", true, false),
            ("arn:aws:kms:*:*:key/ID", true, false),
            ("arn:*:kms:*:111122223333:*", true, true),
            ("arn:aws:kms:eu-central-1:111122223333:alias/app", false, true),
            ("arn:aws:kms:eu-central-1:111122223333:alias/*", false, true),
            // It begins with a wildcard, of which nothing certain is said.
            ("arn:aws:kms:eu-central-1:111122223333:?lias/*", true, true),
            ("arn:aws:kms:eu-central-1:111122223333:k*", true, false),
            ("arn:aws:kms:*", true, true),
            ("arn:aws:k*", true, true),
            ("arn:aws:*:key/ID", true, true),
            ("arn:aws:s3*", false, false),
            ("arn:aws:s3:::*", false, false),
            ("arn:*", true, true),
            ("arn:aws:kms:eu-central-1:111122223333:key/${aws:PrincipalTag/key}", true, false),
            ("arn:aws:kms:eu-central-1:111122223333:ID", false, false),
            ("arn:aws:kms:eu-central-1:111122223333:app", false, false),
            ("arn:aws:kms:eu-central-1:111122223333:key/alias/app", false, false),
            ("arn:aws:kms:eu-central-1:111122223333:key/", false, false),
            ("arn:aws:kms:eu-central-1:1111:key/ID", false, false),
            ("arn:aws:kms::111122223333:key/ID", false, false),
            ("arn:aws:s3:::bucket/key/ID", false, false),
        ] {
            let pattern = ResourcePattern::read(&text.replace("ID", ID), Version::V2012).unwrap();
            let seen = (can_be(&probe, &pattern, Target::Key), can_be(&probe, &pattern, Target::Alias));
            assert_eq!(seen, (key, alias), "{text}");
            assert_eq!(can_be(&probe, &pattern, Target::Nothing), text == "*", "{text}");
        }
    }

    #[test]
    fn a_service_is_named_only_without_wildcards() {
        let names = |text: &str, service| {
            names_service(&ResourcePattern::read(text, Version::V2012).unwrap(), service)
        };
        assert!(names("arn:aws:kms:*:*:key/*", "kms") && names("arn:aws:s3:::b", "s3"));
        assert!(!names("arn:aws:kms*", "kms") && !names("*", "kms") && !names("arn:*", "kms"));
        assert!(!names("arn:*:kms:*:*:*", "kms"));
    }
}
