//! One case: everything that a decision hangs on, and what must be decided.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use base::{AccountId, Arn, Timestamp};
use policy::{
    Action, AttachedPolicy, CallerFacts, ContextConstraint, Decision, DenialReason, Endpoint, Forwarded,
    Grant, IdentitySide, KmsActions, Layer, Organization, Origin, Policy, PolicyKind, PolicySource,
    PrincipalEntry, Request, Resource, ResourceSide,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::caller::CallerText;
use crate::context::CaseContext;
use crate::corpus::Theme;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    caller: CallerText,
    action: String,
    /// An ARN or `*`.
    resource: String,
    /// The account that is acted in, if the resource does not tell.
    owner: Option<String>,
    /// Of a key or role; without one, the resource has none.
    key_policy: Option<Value>,
    trust: Option<Value>,
    /// Of a resource that identity policies of its account open as well.
    resource_policy: Option<Value>,
    #[serde(default)]
    identity: Vec<Value>,
    boundary: Option<Value>,
    #[serde(default)]
    session: Vec<Value>,
    #[serde(default)]
    service_control: Vec<Vec<Value>>,
    #[serde(default)]
    resource_control: Vec<Vec<Value>>,
    #[serde(default)]
    grants: Vec<GrantText>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    organization: Option<Where>,
    resource_organization: Option<Where>,
    #[serde(default)]
    context: CaseContext,
    #[serde(default)]
    origin: OriginText,
    pub(crate) expect: String,
    /// The Sid of the statement, or the id of the grant, that decided.
    pub(crate) by: Option<String>,
    /// What the client is told of a refusal.
    pub(crate) message: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantText {
    grantee: Option<String>,
    service: Option<String>,
    operations: Vec<String>,
    equals: Option<BTreeMap<String, String>>,
    subset: Option<BTreeMap<String, String>>,
    source_arn: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    id: String,
    paths: Vec<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginText {
    time: Option<String>,
    region: Option<String>,
    address: Option<IpAddr>,
    #[serde(default)]
    secure: bool,
    #[serde(default)]
    user_agent: String,
    referer: Option<String>,
    endpoint: Option<(String, String, IpAddr)>,
    via: Option<String>,
    #[serde(default)]
    chain: Vec<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
    source_organization: Option<Where>,
}

/// A case with its policies compiled.
pub(crate) struct Built<'c> {
    case: &'c Case,
    caller: CallerFacts,
    context: CaseContext,
    policy: Option<Policy>,
    identity: Vec<AttachedPolicy>,
    boundary: Option<AttachedPolicy>,
    session: Vec<AttachedPolicy>,
    service_control: Vec<Vec<AttachedPolicy>>,
    resource_control: Vec<Vec<AttachedPolicy>>,
    grants: Vec<Grant>,
}

impl Case {
    /// The same with this key policy and expectation.
    pub(crate) fn with_key_policy(&self, policy: Value, expect: &str) -> Self {
        let version = self.key_policy.as_ref().and_then(|policy| policy.get("Version")).cloned();
        let version = version.unwrap_or_else(|| "2012-10-17".into());
        let policy = json!({"Version": version, "Statement": policy});
        Self { key_policy: Some(policy), expect: expect.to_owned(), ..self.clone() }
    }

    /// The same with everything in the opposite order and without Sids, which must make no difference.
    pub(crate) fn turned_round(&self) -> Self {
        let mut turned = self.clone();
        let own = [&mut turned.key_policy, &mut turned.trust, &mut turned.resource_policy];
        let all = own.into_iter().chain([&mut turned.boundary]).flatten();
        let levels = turned.service_control.iter_mut().chain(&mut turned.resource_control).flatten();
        let listed = turned.identity.iter_mut().chain(&mut turned.session);
        all.chain(levels).chain(listed).for_each(turn_round);
        turned.identity.reverse();
        turned.session.reverse();
        turned.grants.reverse();
        turned
            .service_control
            .iter_mut()
            .chain(&mut turned.resource_control)
            .for_each(|level| level.reverse());
        turned
    }

    pub(crate) fn build(&self, theme: &Theme) -> Result<Built<'_>, String> {
        let attach = |documents: &[Value], kind: PolicyKind| -> Result<Vec<AttachedPolicy>, String> {
            let attached = |(place, document): (usize, &Value)| {
                let name = format!("policy {place}");
                let policy = Arc::new(parse(theme, document, kind)?);
                Ok(AttachedPolicy { policy, source: PolicySource::User { name } })
            };
            documents.iter().enumerate().map(attached).collect()
        };
        let levels = |levels: &[Vec<Value>], kind| -> Result<Vec<_>, String> {
            levels.iter().map(|level| attach(level, kind)).collect()
        };
        let own = match (&self.key_policy, &self.trust, &self.resource_policy) {
            (Some(document), ..) | (None, None, Some(document)) => {
                Some(parse(theme, document, PolicyKind::Key)?)
            }
            (None, Some(document), _) => Some(parse(theme, document, PolicyKind::Trust)?),
            (None, None, None) => None,
        };
        Ok(Built {
            case: self,
            caller: self.caller.facts()?,
            context: self.context.clone().ready(),
            policy: own,
            identity: attach(&self.identity, PolicyKind::Identity)?,
            boundary: attach(self.boundary.as_slice(), PolicyKind::Identity)?.pop(),
            session: attach(&self.session, PolicyKind::Identity)?,
            service_control: levels(&self.service_control, PolicyKind::ServiceControl)?,
            resource_control: levels(&self.resource_control, PolicyKind::ResourceControl)?,
            grants: self
                .grants
                .iter()
                .enumerate()
                .map(|(place, grant)| grant.read(place))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A document of a case: a name among the theme's policies, a whole document, or its statements alone.
fn parse(theme: &Theme, document: &Value, kind: PolicyKind) -> Result<Policy, String> {
    let document = match document.as_str() {
        Some(name) => theme.policies.get(name).ok_or_else(|| format!("no policy {name}"))?,
        None => document,
    };
    let text = if document.get("Statement").is_some() {
        document.to_string()
    } else {
        json!({"Version": "2012-10-17", "Statement": document}).to_string()
    };
    Policy::parse(&text, kind).map_err(|error| format!("{error}: {text}"))
}

fn turn_round(document: &mut Value) {
    let statements = if document.get("Statement").is_some() { &mut document["Statement"] } else { document };
    if let Value::Array(list) = statements {
        list.reverse();
        for statement in list {
            statement.as_object_mut().map(|members| members.remove("Sid"));
        }
    }
}

impl GrantText {
    fn read(&self, place: usize) -> Result<Grant, String> {
        let grantee = match (&self.grantee, &self.service) {
            (Some(arn), _) => PrincipalEntry::parse(arn).ok_or_else(|| format!("{arn} is no grantee"))?,
            (None, Some(service)) => PrincipalEntry::Service(service.as_str().into()),
            (None, None) => return Err("a grant without grantee".to_owned()),
        };
        let equals = self.equals.clone().map(ContextConstraint::Equals);
        Ok(Grant {
            id: format!("grant {place}"),
            grantee,
            operations: KmsActions::of(self.operations.iter().map(String::as_str)),
            context: equals.or_else(|| self.subset.clone().map(ContextConstraint::Subset)),
            source_arn: self.source_arn.clone(),
        })
    }
}

impl Built<'_> {
    /// The resource's own policy.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// Calls `ask` with the request and both sides.
    pub(crate) fn request<T>(
        &self,
        ask: impl FnOnce(&Request<'_>, &IdentitySide<'_>, &ResourceSide<'_>) -> T,
    ) -> T {
        let case = self.case;
        let organization = |place: &Option<Where>| {
            place.as_ref().map(|place| Organization { id: place.id.clone(), paths: place.paths.clone() })
        };
        let (own, of_resource) =
            (organization(&case.organization), organization(&case.resource_organization));
        let of_source = organization(&case.origin.source_organization);
        let tags: Vec<(String, String)> = case.tags.clone().into_iter().collect();
        let (service, name) = case.action.split_once(':').expect("service:Action");
        let request = Request {
            action: Action::new(service, name),
            resource: case.resource(),
            caller: &self.caller,
            origin: case.origin.read(of_source.as_ref()),
            context: &self.context,
        };
        let identity = IdentitySide {
            policies: &self.identity,
            boundary: self.boundary.as_ref(),
            session: &self.session,
            service_control: &self.service_control,
            tags: &tags,
            organization: own.as_ref(),
        };
        let of_policy =
            if case.resource_policy.is_some() { ResourceSide::opened_by } else { ResourceSide::guarded_by };
        let mut resource = self.policy.as_ref().map_or_else(ResourceSide::without_policy, of_policy);
        resource.grants = &self.grants;
        resource.resource_control = &self.resource_control;
        resource.organization = of_resource.as_ref();
        ask(&request, &identity, &resource)
    }
}

impl Case {
    fn resource(&self) -> Resource<'_> {
        let told = self.owner.as_deref().or_else(|| Arn::parse(&self.resource).ok().map(|arn| arn.account));
        let owner: AccountId = told.expect("an owner").parse().expect("an account");
        if self.resource == "*" { Resource::any(owner) } else { Resource::named(&self.resource, owner) }
    }
}

impl OriginText {
    fn read<'a>(&'a self, organization: Option<&'a Organization>) -> Origin<'a> {
        let is_forwarded = self.via.is_some() || !self.chain.is_empty() || self.source_arn.is_some();
        let is_forwarded = is_forwarded || self.source_account.is_some() || organization.is_some();
        let forwarded = Forwarded {
            via: self.via.as_deref(),
            chain: &self.chain,
            source_arn: self.source_arn.as_deref(),
            source_account: self.source_account.as_ref().map(|account| account.parse().expect("an account")),
            source_organization: organization,
        };
        let time = self.time.as_deref().unwrap_or("2026-11-22T08:00:00Z");
        Origin {
            time: time.parse::<Timestamp>().expect("a moment"),
            region: self.region.as_deref().unwrap_or("eu-central-1").parse().expect("a Region"),
            source_address: self.address,
            is_secure: self.secure,
            user_agent: &self.user_agent,
            referer: self.referer.as_deref(),
            endpoint: self.endpoint.as_ref().map(|(id, vpc, source_address)| Endpoint {
                id,
                vpc,
                source_address: *source_address,
            }),
            service: is_forwarded.then_some(forwarded),
        }
    }
}

/// A decision in the words of the corpus.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) by: Option<String>,
}

impl Outcome {
    pub(crate) fn of(decision: &Decision<'_>) -> Self {
        match decision {
            Decision::Allow(allowance) => {
                let text = if allowance.grant.is_some() { "allow by grant" } else { "allow" };
                let statement = allowance.identity.or(allowance.resource).and_then(|statement| statement.sid);
                Self { text: text.to_owned(), by: allowance.grant.or(statement).map(str::to_owned) }
            }
            Decision::Deny(denial) => match denial.reason() {
                DenialReason::Explicit(statement) => Self {
                    text: format!("explicit {}", name(statement.layer)),
                    by: statement.sid.map(str::to_owned),
                },
                DenialReason::Implicit(layer) => Self { text: format!("implicit {}", name(layer)), by: None },
                DenialReason::OutOfReach => Self { text: "out of reach".to_owned(), by: None },
            },
        }
    }
}

fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::ServiceControl => "service control",
        Layer::ResourceControl => "resource control",
        Layer::Resource => "resource",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
    }
}
