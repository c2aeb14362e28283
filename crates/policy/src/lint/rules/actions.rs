//! Actions that are none, or that a policy of this kind does not decide about.

use super::super::document::{Document, Entry, Findings, covered, list_actions};
use super::super::rule::{KEY, ON_KMS, Rule, Severity};
use super::Family;
use crate::action::{ActionPattern, KmsAction};
use crate::permissions::{Target, is_for_key_policies, target};
use crate::policy::PolicyKind;
use crate::statement::Effect;

const UNKNOWN: Rule = Rule {
    name: "unknown-action",
    severity: Severity::Error,
    kinds: ON_KMS,
    finds: "An action of KMS that does not exist, or a pattern that matches none.",
    why: "The entry does nothing: what was to be allowed is not allowed, what was to be denied is not \
          denied.",
    remedy: "Write the name as AWS does; some actions are not called as their operation, such as \
             kms:ReEncryptFrom and kms:ReEncryptTo.",
};

const WITHOUT_EFFECT: Rule = Rule {
    name: "statement-without-effect",
    severity: Severity::Error,
    kinds: KEY,
    finds: "A statement of a key policy without Action, without Resource, or about no action that a key \
            policy decides about.",
    why: "KMS takes such a statement and ignores it.",
    remedy: "Add what is missing, \"Resource\": \"*\" for example, or take the statement out.",
};

const RETIRE_GRANT: Rule = Rule {
    name: "retire-grant-in-key-policy",
    severity: Severity::Warning,
    kinds: KEY,
    finds: "An Allow of kms:RetireGrant in a key policy.",
    why: "Who may retire a grant stands in the grant; a key policy cannot allow it.",
    remedy: "Name a retiring principal when the grant is created, or allow kms:RevokeGrant.",
};

const NOT_ON_KEYS: Rule = Rule {
    name: "action-not-on-keys",
    severity: Severity::Warning,
    kinds: KEY,
    finds: "An action in a key policy that is on no key, such as kms:ListKeys.",
    why: "Only identity policies decide about it; here the entry does nothing.",
    remedy: "Allow or deny the action in an identity policy, on Resource \"*\".",
};

pub(super) const FAMILY: Family =
    Family { rules: &[UNKNOWN, WITHOUT_EFFECT, RETIRE_GRANT, NOT_ON_KEYS], check };

fn check(document: &Document<'_>, findings: &mut Findings) {
    for entry in &document.statements {
        unknown(entry, findings);
        if document.kind == PolicyKind::Key {
            without_effect(document, entry, findings);
            not_for_key_policies(entry, findings);
        }
    }
}

fn unknown(entry: &Entry<'_>, findings: &mut Findings) {
    let patterns = entry.statement.actions.patterns().iter().zip(&entry.outline.actions);
    for (pattern, written) in patterns {
        if pattern.service() != Some("kms") || covered(pattern).next().is_some() {
            continue;
        }
        let what = match similar(pattern) {
            Some(action) => {
                format!("There is no action {}; kms:{} is similar.", written.text, action.name())
            }
            None => format!("There is no action {}.", written.text),
        };
        findings.add_at(&UNKNOWN, entry, written.start, what);
    }
}

/// The action whose name is the likeliest one meant.
fn similar(pattern: &ActionPattern) -> Option<KmsAction> {
    let name = pattern.name();
    let distance = |action: &KmsAction| distance(name, &action.name().to_ascii_lowercase());
    let is_longer = |action: &KmsAction| action.name().to_ascii_lowercase().starts_with(name);
    let longer = KmsAction::all().find(is_longer).filter(|_| name.len() >= 4);
    longer.or_else(|| KmsAction::all().min_by_key(distance).filter(|nearest| distance(nearest) <= 2))
}

/// How many letters must be put in, taken out or replaced to come from one word to the other (Levenshtein); of a word
/// that is longer than any action, many.
fn distance(from: &str, to: &str) -> usize {
    const LONGEST: usize = 64;
    if from.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.bytes().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(to.bytes()) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

fn without_effect(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let statement = entry.statement;
    let what = if statement.actions.patterns().is_empty() {
        "It has no Action."
    } else if statement.resources.patterns().is_empty() {
        "It has no Resource."
    } else if document.actions(entry).is_empty() && !has_finding_of_its_own(entry) {
        "It is about no action of a key."
    } else {
        return;
    };
    findings.add(&WITHOUT_EFFECT, entry, what.to_owned());
}

/// Whether each entry of Action is told about by another rule.
fn has_finding_of_its_own(entry: &Entry<'_>) -> bool {
    let is_told = |pattern: &ActionPattern| pattern.service() == Some("kms");
    !entry.statement.actions.is_negated() && entry.statement.actions.patterns().iter().all(is_told)
}

fn not_for_key_policies(entry: &Entry<'_>, findings: &mut Findings) {
    for (pattern, written) in entry.listed_actions() {
        let actions: Vec<KmsAction> = covered(pattern).collect();
        if actions.is_empty() || actions.iter().any(|action| is_for_key_policies(*action)) {
            continue;
        }
        if actions.iter().all(|action| target(*action) == Target::Nothing) {
            let verb = if actions.len() == 1 { "is" } else { "are" };
            let what = format!("{} {verb} on no key.", list_actions(actions));
            findings.add_at(&NOT_ON_KEYS, entry, written.start, what);
        } else if entry.statement.effect == Effect::Allow {
            let what = format!("{} in a key policy allows nothing.", written.text);
            findings.add_at(&RETIRE_GRANT, entry, written.start, what);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_similar_is_found() {
        for (text, expected) in [
            ("kms:Decrpyt", Some("Decrypt")),
            ("kms:decryptt", Some("Decrypt")),
            ("kms:ReEncrypt", Some("ReEncryptFrom")),
            ("kms:GenerateDataKeys", Some("GenerateDataKey")),
            ("kms:Frobnicate", None),
            ("kms:", None),
        ] {
            let pattern = ActionPattern::read(text).unwrap();
            assert_eq!(similar(&pattern).map(KmsAction::name), expected, "{text}");
        }
    }

    #[test]
    fn distances_count_letters() {
        for (from, to, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "abd", 1),
            ("abc", "", 3),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
        assert_eq!(distance(&"a".repeat(100_000), "a"), usize::MAX);
    }

    proptest! {
        #[test]
        fn a_distance_is_the_same_there_and_back(one in "[ab]{0,6}", other in "[ab]{0,6}") {
            prop_assert_eq!(distance(&one, &other), distance(&other, &one));
            prop_assert_eq!(distance(&one, &other) == 0, one == other);
        }
    }
}
