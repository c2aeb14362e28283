//! Statements that others make needless.

use super::super::cover::covers;
use super::super::document::{Document, Entry, Findings};
use super::super::rule::{ALL, Rule, Severity};
use super::Family;
use crate::statement::Effect;

const DENIED: Rule = Rule {
    name: "allow-is-denied",
    severity: Severity::Warning,
    kinds: ALL,
    finds: "An Allow of nothing but what an unconditional Deny of the same document denies.",
    why: "A deny wins over every allow, so that the statement allows nothing.",
    remedy: "Take one of the two statements out, or narrow the deny.",
};

const COVERED: Rule = Rule {
    name: "covered-statement",
    severity: Severity::Note,
    kinds: ALL,
    finds: "A statement that says nothing beyond what another one of the same effect says.",
    why: "It changes nothing, but whoever changes the policy may think that it does.",
    remedy: "Take the statement out, or the other one if it says too much.",
};

const DUPLICATE: Rule = Rule {
    name: "duplicate-statement",
    severity: Severity::Note,
    kinds: ALL,
    finds: "Two statements that say the same.",
    why: "Whoever changes one of them may think that this is enough.",
    remedy: "Take one of them out.",
};

pub(super) const FAMILY: Family = Family { rules: &[DENIED, COVERED, DUPLICATE], check };

/// Most entries of all statements together between which comparisons are made; no quota admits as many.
const ENTRIES_MAX: usize = 10_000;

fn check(document: &Document<'_>, findings: &mut Findings) {
    let entries = document.statements.iter().map(|entry| {
        let statement = entry.statement;
        let listed = statement.actions.patterns().len() + statement.resources.patterns().len();
        listed + statement.principals.entries().len() + statement.conditions.len()
    });
    if entries.sum::<usize>() > ENTRIES_MAX {
        return;
    }
    for entry in document.statements.iter().filter(|entry| says_something(entry)) {
        denied(document, entry, findings);
        redundant(document, entry, findings);
    }
}

/// A statement about nothing is another rule's.
fn says_something(entry: &Entry<'_>) -> bool {
    !entry.statement.actions.patterns().is_empty() && !entry.statement.resources.patterns().is_empty()
}

fn denied(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let denies = |other: &&Entry<'_>| other.statement.conditions.is_empty() && covers(other, entry);
    let is_allow = entry.statement.effect == Effect::Allow;
    if let Some(deny) = document.with(Effect::Deny).find(|other| is_allow && denies(other)) {
        let what = format!("Statement {} denies all that it allows.", deny.index + 1);
        findings.add(&DENIED, entry, what);
    }
}

/// Of statements that say the same, the first is left alone; if they are written differently, the one whose text is
/// smallest, so that the order of the statements does not count.
fn redundant(document: &Document<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let rivals = document.with(entry.statement.effect).filter(|other| other.index != entry.index);
    for other in rivals.filter(|other| says_something(other) && covers(other, entry)) {
        let is_same = covers(entry, other);
        if is_same && (written(entry), entry.index) < (written(other), other.index) {
            continue;
        }
        let number = other.index + 1;
        if is_same {
            findings.add(&DUPLICATE, entry, format!("It says the same as statement {number}."));
        } else {
            let verb = entry.verb();
            findings.add(&COVERED, entry, format!("Statement {number} {verb} all that it {verb}."));
        }
        return;
    }
}

/// A statement's entries as they are written, without its Sid.
fn written<'e>(entry: &'e Entry<'_>) -> Vec<&'e str> {
    let outline = &entry.outline;
    let elements = [&outline.principals, &outline.actions, &outline.resources, &outline.conditions];
    let entries = elements.into_iter().flatten().map(|written| written.text.as_str());
    let conditions = entry.statement.conditions.iter();
    let values = conditions.flat_map(|one| std::iter::once(one.operator_name()).chain(one.wanted()));
    entries.chain(values).collect()
}
