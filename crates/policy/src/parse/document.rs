//! The syntax of a policy: which elements it has and of which types. What they mean comes later.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use super::json::Json;
use crate::error::MalformedPolicy;
use crate::policy::Version;

/// A document as it is written.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) version: Version,
    pub(super) statements: Vec<RawStatement>,
}

/// A statement as it is written. An element is `None` if it is not there.
#[derive(Debug, Default)]
pub(super) struct RawStatement {
    pub(super) sid: Option<String>,
    pub(super) effect: Option<String>,
    pub(super) principal: Option<RawPrincipals>,
    pub(super) not_principal: Option<RawPrincipals>,
    pub(super) action: Option<Vec<String>>,
    pub(super) not_action: Option<Vec<String>>,
    pub(super) resource: Option<Vec<String>>,
    pub(super) not_resource: Option<Vec<String>>,
    pub(super) conditions: Vec<RawCondition>,
}

/// `*`, or principals by kind.
#[derive(Debug)]
pub(super) enum RawPrincipals {
    Anybody,
    /// Kind and text of each.
    Listed(Vec<(String, String)>),
}

/// One operator over one key.
#[derive(Debug)]
pub(super) struct RawCondition {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

type Syntax<T> = Result<T, MalformedPolicy>;
const WRONG: MalformedPolicy = MalformedPolicy::Syntax;

impl Document {
    pub(super) fn read(text: &str) -> Syntax<Self> {
        let Some(Json::Object(members)) = Json::read(text) else { return Err(WRONG) };
        let (mut version, mut statements) = (Version::V2008, None);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Version", Json::Text(text)) => version = Version::read(&text).ok_or(WRONG)?,
                ("Id", Json::Text(_)) => {}
                ("Statement", Json::List(list)) => statements = Some(list),
                ("Statement", statement @ Json::Object(_)) => statements = Some(vec![statement]),
                _ => return Err(WRONG),
            }
        }
        let statements: Vec<RawStatement> =
            statements.ok_or(WRONG)?.into_iter().map(RawStatement::read).collect::<Syntax<_>>()?;
        if statements.is_empty() { Err(WRONG) } else { Ok(Self { version, statements }) }
    }
}

impl RawStatement {
    fn read(value: Json) -> Syntax<Self> {
        let Json::Object(members) = value else { return Err(WRONG) };
        let mut statement = Self::default();
        for (name, value) in members {
            match name.as_str() {
                "Sid" => statement.sid = Some(text(value)?),
                "Effect" => statement.effect = Some(text(value)?),
                "Principal" => statement.principal = Some(RawPrincipals::read(value)?),
                "NotPrincipal" => statement.not_principal = Some(RawPrincipals::read(value)?),
                "Action" => statement.action = Some(texts(value)?),
                "NotAction" => statement.not_action = Some(texts(value)?),
                "Resource" => statement.resource = Some(texts(value)?),
                "NotResource" => statement.not_resource = Some(texts(value)?),
                "Condition" => statement.conditions = conditions(value)?,
                _ => return Err(WRONG),
            }
        }
        let twice = (statement.principal.is_some() && statement.not_principal.is_some())
            || (statement.action.is_some() && statement.not_action.is_some())
            || (statement.resource.is_some() && statement.not_resource.is_some());
        if twice { Err(WRONG) } else { Ok(statement) }
    }
}

impl RawPrincipals {
    fn read(value: Json) -> Syntax<Self> {
        match value {
            Json::Text(text) if text == "*" => Ok(Self::Anybody),
            Json::Object(kinds) => {
                let mut listed = Vec::new();
                for (kind, value) in kinds {
                    let entries = texts(value)?;
                    listed.extend(entries.into_iter().map(|entry| (kind.clone(), entry)));
                }
                Ok(Self::Listed(listed))
            }
            Json::Null | Json::Scalar(_) | Json::Text(_) | Json::List(_) => Err(WRONG),
        }
    }
}

fn text(value: Json) -> Syntax<String> {
    match value {
        Json::Text(text) => Ok(text),
        Json::Null | Json::Scalar(_) | Json::List(_) | Json::Object(_) => Err(WRONG),
    }
}

/// A text or a list of texts.
fn texts(value: Json) -> Syntax<Vec<String>> {
    match value {
        Json::Text(text) => Ok(vec![text]),
        Json::List(list) => list.into_iter().map(text).collect(),
        Json::Null | Json::Scalar(_) | Json::Object(_) => Err(WRONG),
    }
}

fn conditions(value: Json) -> Syntax<Vec<RawCondition>> {
    let Json::Object(operators) = value else { return Err(WRONG) };
    refuse_same_but_for_case(operators.iter().map(|(operator, _)| operator))?;
    let mut conditions = Vec::new();
    for (operator, block) in operators {
        let Json::Object(keys) = block else { return Err(WRONG) };
        refuse_same_but_for_case(keys.iter().map(|(key, _)| key))?;
        for (key, value) in keys {
            conditions.push(RawCondition { operator: operator.clone(), key, values: scalars(value)? });
        }
    }
    Ok(conditions)
}

/// Nobody can tell which of two keys counts that differ in case only.
fn refuse_same_but_for_case<'a>(names: impl Iterator<Item = &'a String>) -> Syntax<()> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name.to_lowercase()) {
            return Err(WRONG);
        }
    }
    Ok(())
}

/// The values of a condition: texts, numbers and truth values, all as text.
fn scalars(value: Json) -> Syntax<Vec<String>> {
    let scalar = |value| match value {
        Json::Text(text) | Json::Scalar(text) => Ok(text),
        Json::Null | Json::List(_) | Json::Object(_) => Err(WRONG),
    };
    match value {
        Json::List(list) => list.into_iter().map(scalar).collect(),
        single @ (Json::Text(_) | Json::Scalar(_)) => Ok(vec![scalar(single)?]),
        Json::Null | Json::Object(_) => Err(WRONG),
    }
}
