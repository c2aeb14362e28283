//! What the rules look at: a parsed policy beside its outline, and what is found in it.

use base::{AccountId, KeyArn};

use super::Circumstances;
use super::fit::can_be;
use super::group::{Group, groups};
use super::outline::{StatementOutline, Written, positions};
use super::probe::Probe;
use super::rule::{Finding, Rule};
use crate::action::{ActionPattern, KmsAction};
use crate::condition::Condition;
use crate::permissions::{Target, is_for_key_policies};
use crate::policy::{Policy, PolicyKind, Version};
use crate::resource::ResourcePattern;
use crate::statement::{Effect, Statement};

/// A policy that is looked at.
pub(super) struct Document<'a> {
    pub(super) kind: PolicyKind,
    pub(super) version: Version,
    /// The text's length in characters.
    pub(super) characters: usize,
    /// The account that owns the key or role, if it is known.
    pub(super) account: Option<AccountId>,
    /// The key, if it is known.
    pub(super) key: Option<KeyArn>,
    pub(super) probe: Probe,
    pub(super) statements: Vec<Entry<'a>>,
}

/// A statement.
pub(super) struct Entry<'a> {
    /// Its place, from 0.
    pub(super) index: usize,
    pub(super) statement: &'a Statement,
    pub(super) outline: StatementOutline,
    /// Its conditions by their keys.
    pub(super) groups: Vec<Group<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(
        text: &str,
        (kind, policy): (PolicyKind, &'a Policy),
        outlines: Vec<StatementOutline>,
        circumstances: &Circumstances,
    ) -> Self {
        let mut outlines = outlines.into_iter();
        let probe = Probe::new();
        let entry = |(index, statement): (usize, &'a Statement)| Entry {
            index,
            statement,
            outline: outlines.next().unwrap_or_default(),
            groups: groups(&statement.conditions, &probe),
        };
        let statements = policy.statements().iter().enumerate().map(entry).collect();
        let of_key = circumstances.key.map(|key| key.account);
        Self {
            kind,
            version: policy.version(),
            characters: text.chars().count(),
            account: circumstances.account.or(of_key),
            key: circumstances.key,
            probe,
            statements,
        }
    }

    /// The statements with this effect.
    pub(super) fn with(&self, effect: Effect) -> impl Iterator<Item = &Entry<'a>> {
        self.statements.iter().filter(move |entry| entry.statement.effect == effect)
    }

    /// The actions that a statement is about, of those that this kind of policy decides about.
    pub(super) fn actions(&self, entry: &Entry<'_>) -> Vec<KmsAction> {
        let decides = |action: KmsAction| self.kind != PolicyKind::Key || is_for_key_policies(action);
        KmsAction::all().filter(|action| entry.statement.actions.has(*action) && decides(*action)).collect()
    }

    /// Whether no other service has actions that a statement is about.
    pub(super) fn is_only_about_kms(&self, entry: &Entry<'_>) -> bool {
        let actions = &entry.statement.actions;
        let is_kms = |pattern: &ActionPattern| pattern.service() == Some("kms");
        self.kind == PolicyKind::Key || (!actions.is_negated() && actions.patterns().iter().all(is_kms))
    }

    /// Whether a statement can be about the key that has this policy. Without an ARN every statement can that names a
    /// KMS key.
    pub(super) fn can_be_about_the_key(&self, entry: &Entry<'_>) -> bool {
        let resources = &entry.statement.resources;
        match self.key {
            Some(key) => self.probe.covers(resources, &key.to_string()).unwrap_or(true),
            None => {
                let can_be_key = |pattern| can_be(&self.probe, pattern, Target::Key);
                resources.is_negated() || resources.patterns().iter().any(can_be_key)
            }
        }
    }

    /// Whether a statement is about the key that has this policy for certain.
    pub(super) fn is_about_the_key(&self, entry: &Entry<'_>) -> bool {
        let resources = &entry.statement.resources;
        let is_any = !resources.is_negated() && resources.patterns().contains(&ResourcePattern::Any);
        let covers = |key: KeyArn| self.probe.covers(resources, &key.to_string()) == Some(true);
        is_any || self.key.is_some_and(covers)
    }
}

impl Entry<'_> {
    /// Whether its conditions can hold together for some request for `action`.
    pub(super) fn can_hold(&self, action: KmsAction) -> bool {
        self.groups.iter().all(|group| group.can_hold(action))
    }

    pub(super) fn allows(&self) -> bool {
        self.statement.effect == Effect::Allow
    }

    /// What the statement does to a request, as a verb.
    pub(super) fn verb(&self) -> &'static str {
        if self.allows() { "allows" } else { "denies" }
    }

    /// The entries of Action, each with the way it is written; none of NotAction.
    pub(super) fn listed_actions(&self) -> impl Iterator<Item = (&ActionPattern, &Written)> {
        let actions = &self.statement.actions;
        let listed = if actions.is_negated() { &[] } else { actions.patterns() };
        listed.iter().zip(&self.outline.actions)
    }

    /// The conditions, each with the way its key is written.
    pub(super) fn conditions(&self) -> impl Iterator<Item = (&Condition, &Written)> {
        self.statement.conditions.iter().zip(&self.outline.conditions)
    }
}

/// The actions of KMS that one entry covers.
pub(super) fn covered(pattern: &ActionPattern) -> impl Iterator<Item = KmsAction> {
    KmsAction::all().filter(|action| pattern.covers("kms", action.name()))
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings(Vec<Found>);

struct Found {
    rule: &'static Rule,
    /// Place and Sid.
    statement: Option<(usize, Option<String>)>,
    start: usize,
    what: String,
}

impl Findings {
    /// Something about a whole statement.
    pub(super) fn add(&mut self, rule: &'static Rule, entry: &Entry<'_>, what: String) {
        self.add_at(rule, entry, entry.outline.start, what);
    }

    /// Something about what begins at `start` in a statement.
    pub(super) fn add_at(&mut self, rule: &'static Rule, entry: &Entry<'_>, start: usize, what: String) {
        let sid = entry.statement.sid.as_deref().filter(|sid| !sid.is_empty()).map(str::to_owned);
        self.0.push(Found { rule, statement: Some((entry.index, sid)), start, what });
    }

    /// Something about the document, whose place stays open.
    pub(super) fn add_to_document(&mut self, rule: &'static Rule, what: String) {
        self.0.push(Found { rule, statement: None, start: 0, what });
    }

    /// All of them in the order of the text.
    pub(super) fn finish(mut self, text: &str, outline_start: usize) -> Vec<Finding> {
        for found in &mut self.0 {
            found.start = found.start.max(outline_start);
        }
        self.0.sort_by_key(|found| found.start);
        let positions = positions(text, self.0.iter().map(|found| found.start));
        let told = |(found, position): (Found, _)| {
            let (statement, sid) = found.statement.unzip();
            Finding { rule: found.rule, statement, sid: sid.flatten(), position, what: found.what }
        };
        self.0.into_iter().zip(positions).map(told).collect()
    }
}

/// A few names in a sentence: `a, b and 3 more`.
pub(super) fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    let shown = if names.len() > SHOWN { SHOWN - 1 } else { names.len() };
    let (told, rest) = names.split_at(shown);
    match (told, rest.len()) {
        ([], _) => String::new(),
        ([one], 0) => one.clone(),
        ([before @ .., last], 0) => format!("{} and {last}", before.join(", ")),
        (told, more) => format!("{} and {more} more", told.join(", ")),
    }
}

/// Actions of KMS in a sentence.
pub(super) fn list_actions(actions: impl IntoIterator<Item = KmsAction>) -> String {
    list(actions.into_iter().map(|action| format!("kms:{}", action.name())))
}
