//! From text to statements: syntax first, then what this kind of policy may say, then each element in the form in which
//! it is evaluated.

mod document;
mod json;

use document::{Document, RawCondition, RawPrincipals, RawStatement};

use crate::action::{ActionFault, ActionPattern, ActionSet};
use crate::condition::{Condition, Operator};
use crate::error::MalformedPolicy;
use crate::key::{ContextKey, KmsKey, ServiceKey};
use crate::policy::{Policy, PolicyKind, Version};
use crate::principal::{PrincipalEntry, PrincipalSet};
use crate::resource::{ResourcePattern, ResourceSet};
use crate::statement::{Effect, Statement};

type Parsed<T> = Result<T, MalformedPolicy>;

/// Parses a document into its statements.
pub(crate) fn parse(text: &str, kind: PolicyKind) -> Parsed<(Version, Vec<Statement>)> {
    if text.len() > Policy::BYTES_MAX {
        return Err(MalformedPolicy::Size { max: Policy::BYTES_MAX });
    }
    let document = Document::read(text)?;
    check_sids(&document.statements, kind)?;
    let compiler = Compiler { kind, version: document.version };
    let statements = document.statements.iter().map(|statement| compiler.statement(statement));
    Ok((document.version, statements.collect::<Parsed<_>>()?))
}

fn check_sids(statements: &[RawStatement], kind: PolicyKind) -> Parsed<()> {
    let is_plain = |sid: &&str| sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let sids =
        || statements.iter().filter_map(|statement| statement.sid.as_deref()).filter(|sid| !sid.is_empty());
    let must_be_plain =
        matches!(kind, PolicyKind::Identity | PolicyKind::ServiceControl | PolicyKind::ResourceControl);
    if must_be_plain && !sids().all(|sid| is_plain(&sid)) {
        return Err(MalformedPolicy::Sid);
    }
    let mut seen = std::collections::HashSet::new();
    if sids().all(|sid| seen.insert(sid)) { Ok(()) } else { Err(MalformedPolicy::DuplicateSid) }
}

#[derive(Clone, Copy)]
struct Compiler {
    kind: PolicyKind,
    version: Version,
}

impl Compiler {
    fn statement(self, raw: &RawStatement) -> Parsed<Statement> {
        let effect = effect(raw.effect.as_deref())?;
        Ok(Statement {
            sid: raw.sid.as_deref().map(Into::into),
            effect,
            principals: self.principals(raw, effect)?,
            actions: self.actions(raw)?,
            resources: self.resources(raw)?,
            conditions: raw.conditions.iter().map(|raw| self.condition(raw)).collect::<Parsed<_>>()?,
        })
    }

    fn principals(self, raw: &RawStatement, effect: Effect) -> Parsed<PrincipalSet> {
        match (self.kind, &raw.principal, &raw.not_principal) {
            (PolicyKind::Identity | PolicyKind::ServiceControl, None, None) => Ok(PrincipalSet::anybody()),
            (PolicyKind::Identity | PolicyKind::ServiceControl, Some(_), _) => {
                Err(MalformedPolicy::Prohibited("Principal"))
            }
            (
                PolicyKind::Identity
                | PolicyKind::ServiceControl
                | PolicyKind::Trust
                | PolicyKind::ResourceControl,
                None,
                Some(_),
            ) => Err(MalformedPolicy::Prohibited("NotPrincipal")),
            (_, None, None) => Err(MalformedPolicy::Missing("Principal")),
            (PolicyKind::ResourceControl, Some(RawPrincipals::Anybody), _) => Ok(PrincipalSet::anybody()),
            (PolicyKind::ResourceControl, Some(RawPrincipals::Listed(_)), _) => {
                Err(MalformedPolicy::PrincipalNotAnybody)
            }
            (_, None, Some(_)) if effect == Effect::Allow => Err(MalformedPolicy::NotPrincipalAllows),
            (_, Some(principals), _) => Ok(PrincipalSet::new(self.entries(principals)?, false)),
            (_, None, Some(principals)) => Ok(PrincipalSet::new(self.entries(principals)?, true)),
        }
    }

    fn entries(self, principals: &RawPrincipals) -> Parsed<Vec<PrincipalEntry>> {
        let kind = self.kind;
        let RawPrincipals::Listed(listed) = principals else { return Ok(vec![PrincipalEntry::Anybody]) };
        if listed.is_empty() {
            return Err(MalformedPolicy::Principal { kind, entry: String::new() });
        }
        let entry = |(name, text): &(String, String)| {
            let entry = PrincipalEntry::read(name, text);
            entry.ok_or_else(|| MalformedPolicy::Principal { kind, entry: format!("\"{name}\":\"{text}\"") })
        };
        listed.iter().map(entry).collect()
    }

    fn actions(self, raw: &RawStatement) -> Parsed<ActionSet> {
        let (entries, is_negated) = match (&raw.action, &raw.not_action) {
            (Some(entries), _) => (entries, false),
            (None, Some(entries)) => (entries, true),
            (None, None) => return self.no_actions(),
        };
        if entries.is_empty() {
            return self.no_actions();
        }
        if is_negated && self.kind == PolicyKind::ResourceControl {
            return Err(MalformedPolicy::Prohibited("NotAction"));
        }
        let patterns = entries.iter().map(|entry| action(entry)).collect::<Parsed<Vec<_>>>()?;
        let is_of_sts = |pattern: &ActionPattern| pattern.service() == Some("sts");
        if self.kind == PolicyKind::Trust && (is_negated || !patterns.iter().all(is_of_sts)) {
            return Err(MalformedPolicy::NotAssumeRole);
        }
        Ok(ActionSet::new(patterns, is_negated))
    }

    /// A key policy may have statements about nothing; they have no effect.
    fn no_actions(self) -> Parsed<ActionSet> {
        match self.kind {
            PolicyKind::Key => Ok(ActionSet::none()),
            PolicyKind::Trust => Err(MalformedPolicy::Missing("Action")),
            PolicyKind::Identity
            | PolicyKind::Bucket
            | PolicyKind::ServiceControl
            | PolicyKind::ResourceControl => Err(MalformedPolicy::NoActions),
        }
    }

    fn resources(self, raw: &RawStatement) -> Parsed<ResourceSet> {
        let (entries, is_negated) = match (&raw.resource, &raw.not_resource) {
            (None, None) if self.kind == PolicyKind::Trust => return Ok(ResourceSet::any()),
            (Some(_), _) if self.kind == PolicyKind::Trust => {
                return Err(MalformedPolicy::Prohibited("Resource"));
            }
            (_, Some(_)) if self.kind == PolicyKind::Trust => {
                return Err(MalformedPolicy::Prohibited("NotResource"));
            }
            (Some(entries), _) => (entries.as_slice(), false),
            (None, Some(entries)) => (entries.as_slice(), true),
            (None, None) => (&[][..], false),
        };
        if entries.is_empty() {
            let is_inert = self.kind == PolicyKind::Key;
            return if is_inert { Ok(ResourceSet::none()) } else { Err(MalformedPolicy::NoResources) };
        }
        let pattern = |text: &String| {
            ResourcePattern::read(text, self.version).ok_or_else(|| MalformedPolicy::Resource(text.clone()))
        };
        Ok(ResourceSet::new(entries.iter().map(pattern).collect::<Parsed<_>>()?, is_negated))
    }

    fn condition(self, raw: &RawCondition) -> Parsed<Condition> {
        let operator = Operator::read(&raw.operator).ok_or(MalformedPolicy::Syntax)?;
        if !raw.key.contains(':') {
            return Err(MalformedPolicy::NoVendor);
        }
        let mut key = ContextKey::read(&raw.key);
        if self.kind == PolicyKind::Key {
            if operator.is_for_all_values()
                && let Some(what) = admits_more_than_it_says(&key)
            {
                return Err(MalformedPolicy::OverlyPermissive(what));
            }
            // Aliases are not known where key policies are evaluated.
            if key == ContextKey::Service(ServiceKey::Kms(KmsKey::ResourceAliases)) {
                key = ContextKey::Nowhere;
            }
        }
        Ok(Condition::new((operator, &raw.operator), (key, &raw.key), &raw.values, self.version))
    }
}

fn effect(text: Option<&str>) -> Parsed<Effect> {
    match text {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        Some(text) if text.eq_ignore_ascii_case("allow") || text.eq_ignore_ascii_case("deny") => {
            Err(MalformedPolicy::LegacyParsing)
        }
        Some(_) | None => Err(MalformedPolicy::Syntax),
    }
}

fn action(entry: &str) -> Parsed<ActionPattern> {
    ActionPattern::read(entry).map_err(|fault| match fault {
        ActionFault::NoVendor => MalformedPolicy::NoVendor,
        ActionFault::Colons => MalformedPolicy::Colons,
        ActionFault::Vendor => {
            MalformedPolicy::Vendor(entry.split(':').next().unwrap_or_default().to_owned())
        }
    })
}

/// A key with one value under `ForAllValues`, which holds for every request without the key.
fn admits_more_than_it_says(key: &ContextKey) -> Option<&'static str> {
    match key {
        ContextKey::EncryptionContext(_) => Some("encryption context"),
        ContextKey::RequestTag(_) => Some("tag"),
        ContextKey::Principal(_)
        | ContextKey::Session(_)
        | ContextKey::Origin(_)
        | ContextKey::Forwarded(_)
        | ContextKey::Owner(_)
        | ContextKey::EncryptionContextKeys
        | ContextKey::PrincipalTag(_)
        | ContextKey::ResourceTag(_)
        | ContextKey::Service(_)
        | ContextKey::Nowhere => None,
    }
}
