//! PolicyExclusionList: what would be if somebody did not have some of its policies.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html>

use wire::iam::{AttachmentType, PolicyIdentifier, PolicyIdentifierPolicyType};

use super::held::{HeldPolicy, Origin, Subject};
use crate::iam::error::IamError;
use crate::iam::resource::Kind;
use crate::name::ManagedPolicyArn;

/// Which policies are left out.
enum Exclusion<'a> {
    OfType(PolicyIdentifierPolicyType),
    /// Managed policies, by an ARN with wildcards in its resource.
    Managed(&'a str),
    Inline {
        kind: Kind,
        holder: &'a str,
        name: &'a str,
    },
}

/// Leaves out what a list names; what nobody has is no mistake.
///
/// # Errors
/// InvalidInput for an entry that names nothing or several things, and for an ARN that can be of no managed policy.
pub(crate) fn leave_out(subject: &mut Subject, list: Option<&Vec<PolicyIdentifier>>) -> Result<(), IamError> {
    let exclusions = list.into_iter().flatten().map(Exclusion::read);
    let exclusions = exclusions.collect::<Result<Vec<_>, _>>()?;
    let of_boundaries = |one: &Exclusion<'_>| {
        matches!(one, Exclusion::OfType(PolicyIdentifierPolicyType::PermissionBoundary))
    };
    if exclusions.iter().any(of_boundaries) {
        subject.boundary = None;
    }
    subject.policies.retain(|held| !exclusions.iter().any(|exclusion| exclusion.is_of(held)));
    Ok(())
}

impl<'a> Exclusion<'a> {
    fn read(identifier: &'a PolicyIdentifier) -> Result<Self, IamError> {
        let PolicyIdentifier { policy_type, policy_arn, inline_policy_identifier } = identifier;
        match (policy_type, policy_arn, inline_policy_identifier) {
            (Some(policy_type), None, None) => Ok(Self::OfType(*policy_type)),
            (None, Some(arn), None) if is_pattern(arn) => Ok(Self::Managed(arn)),
            (None, Some(arn), None) => Err(IamError::invalid_arn(arn)),
            (None, None, Some(inline)) => Ok(Self::Inline {
                kind: match inline.attachment_type {
                    AttachmentType::User => Kind::User,
                    AttachmentType::Group => Kind::Group,
                    AttachmentType::Role => Kind::Role,
                },
                holder: &inline.attachment_name,
                name: &inline.policy_name,
            }),
            _ => {
                let text = "A policy identifier must have exactly one of PolicyType, PolicyArn and \
                            InlinePolicyIdentifier.";
                Err(IamError::InvalidInput(text.to_owned()))
            }
        }
    }

    fn is_of(&self, held: &HeldPolicy) -> bool {
        match (self, &held.origin) {
            (Self::OfType(policy_type), origin) => is_of_type(*policy_type, origin),
            (Self::Managed(pattern), Origin::Managed(arn)) => matches(pattern, arn),
            (Self::Inline { kind, holder, name }, Origin::Inline { kind: of, holder: own, name: held }) => {
                kind == of && holder.eq_ignore_ascii_case(own) && name == held
            }
            (Self::Managed(_), Origin::Inline { .. }) | (Self::Inline { .. }, Origin::Managed(_)) => false,
        }
    }
}

fn is_of_type(policy_type: PolicyIdentifierPolicyType, origin: &Origin) -> bool {
    use PolicyIdentifierPolicyType as Type;
    let is_of_aws = |arn: &str| arn.starts_with("arn:aws:iam::aws:");
    match (policy_type, origin) {
        (Type::Inline, Origin::Inline { .. }) => true,
        (Type::AwsManaged, Origin::Managed(arn)) => is_of_aws(arn),
        (Type::UserManaged, Origin::Managed(arn)) => !is_of_aws(arn),
        (
            Type::Inline
            | Type::AwsManaged
            | Type::UserManaged
            | Type::PermissionBoundary
            | Type::Scp
            | Type::Rcp,
            _,
        ) => false,
    }
}

/// Whether a text can be the ARN of a managed policy, once its wildcards stand for something: one `*` at most.
fn is_pattern(arn: &str) -> bool {
    let plain = arn.replacen('*', "x", 1).replace('?', "x");
    let fixed = arn.split(":policy/").next().unwrap_or_default();
    let is_bounded = arn.matches('*').count() <= 1 && !fixed.contains(['*', '?']);
    is_bounded && plain.parse::<ManagedPolicyArn>().is_ok()
}

/// Whether a text matches a pattern with one `*` at most; `?` is any character.
fn matches(pattern: &str, text: &str) -> bool {
    let is_same = |(one, other): (char, char)| one == '?' || one == other;
    let (front, back) = match pattern.split_once('*') {
        None => {
            let is_as_long = pattern.chars().count() == text.chars().count();
            return is_as_long && pattern.chars().zip(text.chars()).all(is_same);
        }
        Some(parts) => parts,
    };
    let fits = front.chars().count() + back.chars().count() <= text.chars().count();
    let is_in_front = front.chars().zip(text.chars()).all(is_same);
    fits && is_in_front && back.chars().rev().zip(text.chars().rev()).all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_one_star_and_any_number_of_question_marks() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("ab*bc", "abc", false),
            ("*é?", "xéy", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn only_the_resource_of_an_arn_has_wildcards() {
        for (arn, expected) in [
            ("arn:aws:iam::aws:policy/Admin*", true),
            ("arn:aws:iam::111122223333:policy/ops/?wn", true),
            ("arn:aws:iam::*:policy/own", false),
            ("arn:aws:iam::111122223333:policy/*a*", false),
            ("arn:aws:iam::111122223333:user/*", false),
            ("*", false),
        ] {
            assert_eq!(is_pattern(arn), expected, "{arn}");
        }
    }
}
