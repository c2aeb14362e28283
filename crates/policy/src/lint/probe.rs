//! Asks the engine's own matching, without a request: what hangs on one is not told.

use base::{AccountId, Region, Timestamp};

use crate::action::Action;
use crate::caller::CallerFacts;
use crate::condition::Condition;
use crate::facts::{Facts, View};
use crate::request::{NoContext, Origin, Request, Resource};
use crate::resource::{ResourcePattern, ResourceSet};
use crate::sides::{IdentitySide, ResourceSide};
use crate::statement::Effect;
use crate::template::Template;
use crate::value::Value;

/// A request about which nothing is known.
pub(super) struct Probe {
    caller: CallerFacts,
    /// Never looked at; a request must have them.
    place: Option<(Region, AccountId)>,
}

impl Probe {
    pub(super) fn new() -> Self {
        let region = "us-east-1".parse().ok();
        Self { caller: CallerFacts::anonymous(), place: region.zip(AccountId::from_number(0).ok()) }
    }

    /// Whether a condition holds for this value of its key; `None` if that hangs on variables.
    pub(super) fn holds(&self, condition: &Condition, value: Value<'_>) -> Option<bool> {
        let hangs = value.is_present() && condition.templates().any(has_variables);
        let ask = |facts: &Facts<'_>| condition.holds_for(value, facts, Effect::Allow);
        if hangs { None } else { self.ask(None, ask) }
    }

    /// Whether a condition holds for requests without its key.
    pub(super) fn holds_without_key(&self, condition: &Condition) -> bool {
        self.holds(condition, Value::Absent).unwrap_or_default()
    }

    /// Whether an element covers the resource of this ARN; `None` if that hangs on variables.
    pub(super) fn covers(&self, resources: &ResourceSet, arn: &str) -> Option<bool> {
        let hangs = resources.patterns().iter().any(|pattern| match pattern {
            ResourcePattern::Any => false,
            ResourcePattern::Arn { parts, .. } => parts.parts().iter().any(has_variables),
        });
        if hangs { None } else { self.ask(Some(arn), |facts| resources.covers(facts, Effect::Allow)) }
    }

    /// Whether a template without variables matches a text.
    pub(super) fn matches(&self, template: &Template, text: &str) -> Option<bool> {
        let ask = |facts: &Facts<'_>| template.matches(text, facts);
        if has_variables(template) { None } else { self.ask(None, ask) }
    }

    fn ask<T>(&self, arn: Option<&str>, ask: impl FnOnce(&Facts<'_>) -> T) -> Option<T> {
        let (region, owner) = self.place?;
        let origin = Origin {
            time: Timestamp::from_seconds(0),
            region,
            source_address: None,
            is_secure: false,
            user_agent: "",
            referer: None,
            endpoint: None,
            service: None,
        };
        let action = Action::new("", "");
        let resource = Resource { arn, owner };
        let request = Request { action, resource, caller: &self.caller, origin, context: &NoContext };
        let (identity, resource) = (IdentitySide::default(), ResourceSide::without_policy());
        Some(ask(&Facts { request: &request, identity: &identity, resource: &resource, view: View::Request }))
    }
}

fn has_variables(template: &Template) -> bool {
    template.variables().next().is_some()
}
