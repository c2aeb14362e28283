//! Which statements say all that others say. Only what is certain counts.

use super::document::Entry;
use crate::action::{ActionPattern, ActionSet};
use crate::condition::Condition;
use crate::glob::Part;
use crate::principal::{PrincipalEntry, PrincipalSet};
use crate::resource::{ResourcePattern, ResourceSet};
use crate::statement::Effect;
use crate::template::{ArnTemplate, Template, Variable};

/// Whether every request that `other` matches `entry` matches, too, in the same way.
pub(super) fn covers(entry: &Entry<'_>, other: &Entry<'_>) -> bool {
    let (own, others) = (&entry.statement.conditions, &other.statement.conditions);
    let is_shared = |condition: &Condition| others.iter().any(|one| is_same_condition(condition, one));
    covers_actions(&entry.statement.actions, &other.statement.actions)
        && covers_resources(&entry.statement.resources, &other.statement.resources)
        && covers_principals(&entry.statement.principals, &other.statement.principals, entry.statement.effect)
        && own.iter().all(is_shared)
}

fn is_same_condition(one: &Condition, other: &Condition) -> bool {
    let has_all = |one: &Condition, other: &Condition| {
        one.wanted().all(|value| other.wanted().any(|wanted| wanted == value))
    };
    one.operator() == other.operator()
        && one.key() == other.key()
        && has_all(one, other)
        && has_all(other, one)
}

fn covers_principals(own: &PrincipalSet, others: &PrincipalSet, effect: Effect) -> bool {
    let names = |entry: &PrincipalEntry| own.entries().contains(entry);
    let covers = |entry: &PrincipalEntry| {
        // A deny of an account hits everybody in it; an allow leaves its principals to other policies.
        let account = entry.account().map(PrincipalEntry::Account);
        names(entry) || (effect == Effect::Deny && account.is_some_and(|account| names(&account)))
    };
    match (own.is_negated(), others.is_negated()) {
        (false, _) if names(&PrincipalEntry::Anybody) => true,
        (false, false) => others.entries().iter().all(covers),
        (true, true) => {
            own.entries().iter().all(|entry| others.entries().contains(entry))
                && own.entries().len() == others.entries().len()
        }
        (false, true) | (true, false) => false,
    }
}

fn covers_actions(own: &ActionSet, others: &ActionSet) -> bool {
    let covers = |other: &ActionPattern| own.patterns().iter().any(|pattern| covers_action(pattern, other));
    let is_known = |other: &ActionPattern| other.service() == Some("kms");
    own.has_all_of(others)
        && match (own.is_negated(), others.is_negated()) {
            (false, false) => others.patterns().iter().all(|other| is_known(other) || covers(other)),
            (false, true) => own.patterns().iter().any(|pattern| pattern.service().is_none()),
            (true, true) => own.patterns().iter().all(|pattern| others.patterns().contains(pattern)),
            (true, false) => false,
        }
}

fn covers_action(own: &ActionPattern, other: &ActionPattern) -> bool {
    let is_of_service = own.service().is_none() || own.service() == other.service();
    if !own.name().contains(['*', '?']) {
        return own == other;
    }
    is_of_service && covers_tokens(&tokens_of_name(own.name()), &tokens_of_name(other.name()))
}

fn covers_resources(own: &ResourceSet, others: &ResourceSet) -> bool {
    let covers =
        |other: &ResourcePattern| own.patterns().iter().any(|pattern| covers_resource(pattern, other));
    match (own.is_negated(), others.is_negated()) {
        (false, false) => others.patterns().iter().all(covers),
        (false, true) => own.patterns().contains(&ResourcePattern::Any),
        (true, true) => own.patterns().iter().all(|pattern| others.patterns().contains(pattern)),
        (true, false) => false,
    }
}

fn covers_resource(own: &ResourcePattern, other: &ResourcePattern) -> bool {
    match (own, other) {
        (ResourcePattern::Any, _) => true,
        (ResourcePattern::Arn { .. }, ResourcePattern::Any) => false,
        (
            ResourcePattern::Arn { parts, whole },
            ResourcePattern::Arn { parts: others, whole: whole_other },
        ) => {
            let covers_whole = match (whole, whole_other) {
                (_, None) => true,
                (Some(whole), Some(other)) => covers_template(whole, other),
                (None, Some(_)) => false,
            };
            covers_whole && covers_arn(parts, others)
        }
    }
}

fn covers_arn(own: &ArnTemplate, other: &ArnTemplate) -> bool {
    own.parts().iter().zip(other.parts()).all(|(own, other)| covers_template(own, other))
}

fn covers_template(own: &Template, other: &Template) -> bool {
    covers_tokens(&tokens(own), &tokens(other))
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Character(char),
    AnyOne,
    AnyRun,
    Variable(&'a Variable),
}

fn tokens(template: &Template) -> Vec<Token<'_>> {
    template.parts().iter().flat_map(tokens_of_part).collect()
}

fn tokens_of_part(part: &Part<Variable>) -> Vec<Token<'_>> {
    match part {
        Part::Text(text) => text.chars().map(Token::Character).collect(),
        Part::AnyRun => vec![Token::AnyRun],
        Part::AnyOne => vec![Token::AnyOne],
        Part::Variable(variable) => vec![Token::Variable(variable)],
    }
}

fn tokens_of_name(name: &str) -> Vec<Token<'_>> {
    let token = |character| match character {
        '*' => Token::AnyRun,
        '?' => Token::AnyOne,
        other => Token::Character(other),
    };
    name.chars().map(token).collect()
}

/// Whether every text that `other` matches `own` matches. Not every such case is seen.
fn covers_tokens(own: &[Token<'_>], other: &[Token<'_>]) -> bool {
    let (mut rest, mut at) = (own, other);
    let mut star = None;
    loop {
        match (rest.split_first(), at.split_first()) {
            (Some((Token::AnyRun, after)), _) => {
                star = Some((after, at));
                rest = after;
            }
            (Some((wanted, after)), Some((found, behind))) if covers_token(*wanted, *found) => {
                (rest, at) = (after, behind);
            }
            (None, None) => return true,
            // A dead end: the last star takes one token more.
            _ => match star.and_then(|(after, from)| Some((after, from.split_first()?.1))) {
                Some((after, from)) => {
                    star = Some((after, from));
                    (rest, at) = (after, from);
                }
                None => return false,
            },
        }
    }
}

fn covers_token(own: Token<'_>, other: Token<'_>) -> bool {
    own == other || (own == Token::AnyOne && matches!(other, Token::Character(_)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::glob::matches_ignoring_case;

    fn names_cover(own: &str, other: &str) -> bool {
        covers_tokens(&tokens_of_name(own), &tokens_of_name(other))
    }

    #[test]
    fn patterns_cover_what_is_narrower() {
        for (own, other, expected) in [
            ("*", "", true),
            ("*", "a*b?", true),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("a?", "ab", true),
            ("a?", "a*", false),
            ("?*", "*", false),
            ("*a*", "ba", true),
            ("a", "a", true),
            ("a", "A", false),
        ] {
            assert_eq!(names_cover(own, other), expected, "{own} {other}");
        }
    }

    #[test]
    fn resources_cover_part_by_part() {
        use crate::policy::Version;
        for (own, other, expected) in [
            ("*", "arn:aws:kms:*:*:*", true),
            ("arn:aws:kms:*:*:*", "*", false),
            ("arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:eu-central-1:111122223333:key/1", true),
            ("arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:eu-central-1:444455556666:key/1", false),
            ("arn:aws:kms:*:*:key/${aws:username}", "arn:aws:kms:*:*:key/${aws:username}", true),
            ("arn:aws:kms:*:*:key/?", "arn:aws:kms:*:*:key/${aws:username}", false),
            ("arn:aws:kms:*:*:key/*", "arn:aws:kms:*:*:key/${aws:username}", true),
            ("arn:aws:kms:eu-central-1:*:key/*", "arn:aws:kms:*:*:key/*", false),
        ] {
            let read = |text| ResourcePattern::read(text, Version::V2012).unwrap();
            assert_eq!(covers_resource(&read(own), &read(other)), expected, "{own} {other}");
        }
    }

    proptest! {
        /// What a pattern covers matches nothing that the pattern does not match.
        #[test]
        fn nothing_falls_out(own in "[ab*?]{0,6}", other in "[ab*?]{0,6}", text in "[ab]{0,8}") {
            if names_cover(&own, &other) && matches_ignoring_case(&other, &text) {
                prop_assert!(matches_ignoring_case(&own, &text), "{} {} {}", own, other, text);
            }
        }

        #[test]
        fn a_pattern_covers_itself(own in "[ab*?]{0,8}") {
            prop_assert!(names_cover(&own, &own));
        }
    }
}
