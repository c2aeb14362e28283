//! The element `Resource` or `NotResource` of a statement.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>

use crate::facts::{Facts, View};
use crate::policy::Version;
use crate::statement::Effect;
use crate::template::{ArnTemplate, Template, Wildcards};

/// The resources that a statement is about.
#[derive(Debug)]
pub(crate) struct ResourceSet {
    is_negated: bool,
    patterns: Box<[ResourcePattern]>,
}

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResourcePattern {
    /// `*`: every resource, and requests that are about none in particular.
    Any,
    /// An ARN, with wildcards.
    Arn {
        parts: Box<ArnTemplate>,
        /// The same as one text, if a `*` ends one of the first five parts: such a one reaches across colons.
        whole: Option<Template>,
    },
}

impl ResourcePattern {
    /// Reads an entry; `None` if it is neither an ARN nor `*`.
    pub(crate) fn read(text: &str, version: Version) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let is_arn = text.strip_prefix("arn:").is_some_and(|rest| !rest.is_empty());
        if !is_arn {
            return None;
        }
        let parts = Box::new(ArnTemplate::of_resource(text, version)?);
        let reaches_on = text.split(':').take(5).any(|part| part.ends_with('*'));
        // Variables are for the last part only, so this form is without them.
        let whole = (reaches_on && !text.contains("${"))
            .then(|| Template::read(text, Version::V2008, Wildcards::Yes));
        Some(Self::Arn { parts, whole })
    }

    fn asks_for_unknown(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Any => false,
            Self::Arn { parts, .. } => parts.asks_for_unknown(facts),
        }
    }

    fn covers(&self, arn: Option<&str>, facts: &Facts<'_>) -> bool {
        match (self, arn) {
            (Self::Any, _) => true,
            (Self::Arn { parts, whole }, Some(arn)) => {
                parts.matches(arn, facts) || whole.as_ref().is_some_and(|whole| whole.matches(arn, facts))
            }
            (Self::Arn { .. }, None) => false,
        }
    }
}

impl ResourceSet {
    /// All that these entries cover, or all that they do not.
    pub(crate) fn new(patterns: Vec<ResourcePattern>, is_negated: bool) -> Self {
        Self { is_negated, patterns: patterns.into() }
    }

    /// Every resource.
    pub(crate) fn any() -> Self {
        Self::new(vec![ResourcePattern::Any], false)
    }

    /// No resource at all.
    pub(crate) fn none() -> Self {
        Self::new(Vec::new(), false)
    }

    /// What the element lists.
    pub(crate) fn patterns(&self) -> &[ResourcePattern] {
        &self.patterns
    }

    pub(crate) fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// The keys of the variables in its patterns, as the policy writes them.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.patterns
            .iter()
            .flat_map(|pattern| match pattern {
                // A pattern without variables can be there in two forms; one with them is not.
                ResourcePattern::Arn { parts, .. } => Some(parts.key_names()),
                ResourcePattern::Any => None,
            })
            .flatten()
    }

    /// Whether the element covers the resource of a request, for a statement of this effect.
    pub(crate) fn covers(&self, facts: &Facts<'_>, effect: Effect) -> bool {
        if let View::Any(doubt, _) = facts.view
            && self.patterns.iter().any(|pattern| pattern.asks_for_unknown(facts))
        {
            return doubt.holds(effect);
        }
        let arn = facts.request.resource.arn;
        self.patterns.iter().any(|pattern| pattern.covers(arn, facts)) != self.is_negated
    }
}
