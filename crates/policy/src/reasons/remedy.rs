//! What would have to change for a denied request to be allowed.

use super::{Cause, ConditionReasons, GrantReasons, Outcome, Reasons, Side, StatementName, StatementReasons};
use crate::evidence::Layer;
use crate::grant::ContextConstraint;
use crate::statement::Effect;

impl Reasons {
    /// What would have to change, in sentences, the surest first; nothing if the request was allowed. Other checks of the
    /// same request, and layers behind the one that denied, can stand against it still.
    pub fn remedies(&self) -> Vec<String> {
        let Outcome::Denied { cause, .. } = &self.outcome else { return Vec::new() };
        let mut remedies = vec![match cause {
            Cause::Explicit(statement) => self.without(statement),
            Cause::Implicit(layer) => self.allow_in(*layer),
            Cause::OutOfReach => self.let_in(),
            Cause::Refused(why) => format!("No policy can allow this: {why}."),
            Cause::Hidden(side) => self.ask(*side),
        }];
        let layer = match cause {
            Cause::Implicit(layer) => Some(*layer),
            Cause::OutOfReach => Some(Layer::Resource),
            Cause::Explicit(_) | Cause::Refused(_) | Cause::Hidden(_) => None,
        };
        if let Some(layer) = layer {
            let in_layer = self.statements.iter().filter(|one| one.statement.layer == layer);
            remedies.extend(in_layer.filter_map(|one| self.nearly(one)));
        }
        if layer == Some(Layer::Resource) {
            remedies.extend(self.grants.iter().filter_map(GrantReasons::nearly));
        }
        remedies
    }

    fn without(&self, statement: &StatementName) -> String {
        let denies = self.statements.iter().find(|one| one.statement == *statement);
        let conditions: Vec<_> = denies.into_iter().flat_map(|one| &one.conditions).collect();
        let narrow = match conditions.as_slice() {
            [] => "remove it or narrow it".to_owned(),
            [one] => format!("remove it, or make its condition not hold: {}", one.told()),
            several => {
                let told: Vec<_> = several.iter().map(|one| one.told()).collect();
                format!("remove it, or make one of its conditions not hold: {}", told.join("; "))
            }
        };
        format!("{} denies {}: {narrow}.", capitalized(&statement.to_string()), self.action)
    }

    fn allow_in(&self, layer: Layer) -> String {
        let Self { action, caller, .. } = self;
        let holder = self.policy_holder();
        let on = self.on();
        let account =
            self.caller_account.map_or_else(|| "the caller".to_owned(), |account| account.to_string());
        match layer {
            Layer::Identity => format!("Give {holder} an identity policy that allows {action}{on}."),
            Layer::Boundary => format!("Let the permissions boundary of {holder} allow {action}{on}."),
            Layer::Session => {
                format!("Make the session {caller} with session policies that allow {action}{on}.")
            }
            Layer::ServiceControl => format!(
                "Let service control policies allow {action}{on} at every level from the organisation's root to \
                 account {account}."
            ),
            Layer::ResourceControl => format!(
                "Let resource control policies allow {action}{on} at every level from the organisation's root to \
                 account {}.",
                self.resource_account
            ),
            Layer::Resource if self.is_about_trust() => {
                format!(
                    "Let the trust policy{} name {caller} in a statement that allows {action}.",
                    self.of_resource()
                )
            }
            Layer::Resource => format!(
                "Let the key policy{} allow {action} to {caller}, or to arn:aws:iam::{}:root so that identity policies \
                 decide, or create a grant of it.",
                self.of_resource(),
                self.resource_account
            ),
        }
    }

    /// Whose identity policies and boundary the caller's are: a session has none of its own.
    fn policy_holder(&self) -> String {
        let caller = &self.caller;
        match caller {
            session if session.contains(":assumed-role/") => format!("the role of {session}"),
            session if session.contains(":federated-user/") => format!("the user who made {session}"),
            _ => caller.clone(),
        }
    }

    fn let_in(&self) -> String {
        let (action, caller, account) = (&self.action, &self.caller, self.resource_account);
        let policy = if self.is_about_trust() { "trust policy" } else { "key policy" };
        let or_grant = if self.is_about_trust() { "" } else { ", or create a grant" };
        format!(
            "Let the {policy}{} in account {account} allow {action} to {caller} or to its account{or_grant}; \
             identity policies of the caller's account must allow it as well.",
            self.of_resource()
        )
    }

    fn ask(&self, side: Side) -> String {
        match (side, self.caller_account) {
            (Side::Caller, Some(account)) => {
                format!("Policies of account {account} stand against it; only that account can see why.")
            }
            (Side::Caller, None) => "The caller is of no account.".to_owned(),
            (Side::Resource, _) => format!(
                "Account {} must allow {} to {}; only that account can see what its policies say.",
                self.resource_account, self.action, self.caller
            ),
        }
    }

    /// A statement that would allow if it were not for one thing.
    fn nearly(&self, one: &StatementReasons) -> Option<String> {
        if one.effect != Effect::Allow {
            return None;
        }
        let failed: Vec<_> = one.conditions.iter().filter(|condition| !condition.holds).collect();
        let but = match (one.principal.is_some(), one.resource, failed.as_slice()) {
            (false, true, []) => format!("its principals do not include {}", self.caller),
            (true, false, []) => {
                format!("its resources do not include {}", self.resource.as_deref().unwrap_or("*"))
            }
            (true, true, [condition]) => format!("its condition does not hold: {}", condition.told()),
            _ => return None,
        };
        Some(format!("{} would allow it, but {but}.", capitalized(&one.statement.to_string())))
    }

    fn is_about_trust(&self) -> bool {
        self.action.starts_with("sts:")
    }

    fn on(&self) -> String {
        self.resource.as_ref().map(|arn| format!(" on {arn}")).unwrap_or_default()
    }

    fn of_resource(&self) -> String {
        self.resource.as_ref().map(|arn| format!(" of {arn}")).unwrap_or_default()
    }
}

impl ConditionReasons {
    /// The condition and what was seen, in one line.
    fn told(&self) -> String {
        format!(
            "{} {} wants {}, the request has {}",
            self.operator,
            self.key,
            self.wanted.join(" or "),
            self.seen
        )
    }
}

impl GrantReasons {
    fn nearly(&self) -> Option<String> {
        if self.matches.is_some() {
            return None;
        }
        let wants = match (&self.context, &self.source_arn) {
            (Some(ContextConstraint::Equals(pairs)), _) => format!("the encryption context {}", told(pairs)),
            (Some(ContextConstraint::Subset(pairs)), _) => {
                format!("an encryption context that includes {}", told(pairs))
            }
            (None, Some(arn)) => format!("calls on behalf of {arn}"),
            (None, None) => return None,
        };
        Some(format!("Grant {} allows it with {wants} only.", self.id))
    }
}

fn told(pairs: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
