//! Texts of policies with variables, `${aws:username}`, and ARN patterns made of them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::borrow::Cow;

use crate::facts::Facts;
use crate::glob::{Glob, Part};
use crate::key::ContextKey;
use crate::policy::Version;
use crate::value::{Rendered, Value};

/// A variable: a condition key, and what stands for it in requests without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    key: ContextKey,
    /// The key, as the policy writes it.
    name: Box<str>,
    default: Option<Box<str>>,
}

/// A text with variables and, where they are allowed, wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Glob<Variable>);

/// Whether `*` and `?` are wildcards in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Yes,
    No,
}

impl Variable {
    /// The value in this request as text; none if there is neither a value nor a default, or if there are several.
    pub(crate) fn value<'v>(&'v self, facts: &'v Facts<'_>) -> Option<Rendered<'v>> {
        facts.value(&self.key).rendered().or_else(|| self.default.as_deref().map(Rendered::Borrowed))
    }

    /// Reads what follows `${`: the variable and what follows it. `None` if that is no variable.
    fn read(text: &str) -> Option<(Part<Self>, &str)> {
        let end = text.find(['}', ','])?;
        let (key, rest) = text.split_at_checked(end)?;
        let (default, rest) = match rest.strip_prefix(',') {
            None => (None, rest),
            Some(rest) => {
                let (default, rest) = rest.trim_start().strip_prefix('\'')?.split_once('\'')?;
                (Some(default.into()), rest.trim_start())
            }
        };
        let rest = rest.strip_prefix('}')?;
        let part = match (key, &default) {
            ("", _) => return None,
            ("*" | "?" | "$", None) => Part::Text(key.into()),
            (name, _) => {
                let name = name.trim();
                Part::Variable(Self { key: ContextKey::read(name), name: name.into(), default })
            }
        };
        Some((part, rest))
    }
}

impl Template {
    /// Reads a text. In the older version of the language there are no variables.
    pub(crate) fn read(text: &str, version: Version, wildcards: Wildcards) -> Self {
        let mut parts = Parts::default();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let behind = rest.get(character.len_utf8()..).unwrap_or_default();
            rest = behind;
            match (character, wildcards) {
                ('*', Wildcards::Yes) => parts.push(Part::AnyRun),
                ('?', Wildcards::Yes) => parts.push(Part::AnyOne),
                ('$', _) if version == Version::V2012 && behind.starts_with('{') => {
                    match behind.strip_prefix('{').and_then(Variable::read) {
                        Some((part, behind)) => {
                            parts.push(part);
                            rest = behind;
                        }
                        None => parts.text.push('$'),
                    }
                }
                (character, _) => parts.text.push(character),
            }
        }
        Self(Glob::new(parts.finish()))
    }

    pub(crate) fn parts(&self) -> &[Part<Variable>] {
        self.0.parts()
    }

    /// The text of a template without wildcards and variables.
    pub(crate) fn literal(&self) -> Option<&str> {
        self.0.literal()
    }

    /// The keys of its variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &ContextKey> {
        self.parts().iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(&variable.key),
            Part::Text(_) | Part::AnyRun | Part::AnyOne => None,
        })
    }

    /// Whether it depends on a variable whose value is unknown.
    pub(crate) fn asks_for_unknown(&self, facts: &Facts<'_>) -> bool {
        self.variables().any(|key| matches!(facts.value(key), Value::Unknown))
    }

    /// The keys of its variables, as the policy writes them.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.0.parts().iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(&*variable.name),
            Part::Text(_) | Part::AnyRun | Part::AnyOne => None,
        })
    }

    /// Everything.
    pub(crate) fn any() -> Self {
        Self(Glob::new(vec![Part::AnyRun]))
    }

    pub(crate) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        self.0.matches(text, |variable| variable.value(facts))
    }

    /// The text of a template without wildcards in this request; none if a variable has no value.
    pub(crate) fn expanded<'t>(&'t self, facts: &Facts<'_>) -> Option<Cow<'t, str>> {
        if let Some(literal) = self.0.literal() {
            return Some(Cow::Borrowed(literal));
        }
        let mut whole = String::new();
        for part in self.0.parts() {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::AnyRun => whole.push('*'),
                Part::AnyOne => whole.push('?'),
                Part::Variable(variable) => whole.push_str(variable.value(facts)?.as_str()),
            }
        }
        Some(Cow::Owned(whole))
    }
}

/// Parts in the making: characters beside one another are one part.
#[derive(Default)]
struct Parts {
    done: Vec<Part<Variable>>,
    text: String,
}

impl Parts {
    fn push(&mut self, part: Part<Variable>) {
        if let Part::Text(text) = part {
            self.text.push_str(&text);
            return;
        }
        self.flush();
        // `**` is `*`, which the matching is quicker with.
        if part != Part::AnyRun || self.done.last() != Some(&Part::AnyRun) {
            self.done.push(part);
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Part::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self) -> Vec<Part<Variable>> {
        self.flush();
        self.done
    }
}

/// A pattern for ARNs: six parts between colons, each with wildcards of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArnTemplate([Template; 6]);

/// Colons between the parts of an ARN.
const COLONS: usize = 5;

impl ArnTemplate {
    /// Reads a pattern of exactly six parts; the last one may hold further colons.
    pub(crate) fn read(text: &str, version: Version) -> Option<Self> {
        let mut parts = Vec::with_capacity(COLONS + 1);
        let mut rest = text;
        while parts.len() < COLONS {
            let (part, behind) = rest.split_at_checked(end_of_part(rest, version)?)?;
            parts.push(Template::read(part, version, Wildcards::Yes));
            rest = behind.strip_prefix(':')?;
        }
        parts.push(Template::read(rest, version, Wildcards::Yes));
        parts.try_into().ok().map(Self)
    }

    /// Reads a pattern for a resource. What an incomplete one lacks is `*`, and only its last part has variables.
    pub(crate) fn of_resource(text: &str, version: Version) -> Option<Self> {
        let mut parts = text.splitn(COLONS + 1, ':');
        let mut read = |version| {
            parts.next().map_or_else(Template::any, |part| Template::read(part, version, Wildcards::Yes))
        };
        let before = [(); COLONS].map(|()| read(Version::V2008));
        let [arn, partition, service, region, account] = before;
        Some(Self([arn, partition, service, region, account, read(version)]))
    }

    pub(crate) fn parts(&self) -> &[Template; 6] {
        &self.0
    }

    /// Whether it depends on a variable whose value is unknown.
    pub(crate) fn asks_for_unknown(&self, facts: &Facts<'_>) -> bool {
        self.0.iter().any(|template| template.asks_for_unknown(facts))
    }

    /// The keys of its variables, as the policy writes them.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(Template::key_names)
    }

    /// Whether `text` is an ARN that matches part by part.
    pub(crate) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        let mut parts = text.splitn(COLONS + 1, ':');
        self.0.iter().all(|template| parts.next().is_some_and(|part| template.matches(part, facts)))
    }
}

/// Where the first colon stands that is not within a variable.
fn end_of_part(text: &str, version: Version) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let colon = rest.find(':')?;
        match rest.find("${").filter(|start| version == Version::V2012 && *start < colon) {
            Some(start) => from += start + rest.get(start..)?.find('}')? + 1,
            None => return Some(from + colon),
        }
    }
}
