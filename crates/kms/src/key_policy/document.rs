//! A policy document, as far as the checks of a new key policy look into it.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use serde_json::{Map, Value};

use crate::principal::Principal;

/// A parsed policy.
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
}

/// One statement.
pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) principals: Principals,
    pub(super) actions: Actions,
    pub(super) has_condition: bool,
}

/// Whom a statement is about. Principals that are no AWS principals (services, federated users) are left out: none of
/// them is the caller.
pub(super) enum Principals {
    Named(Vec<Named>),
    AllBut(Vec<Named>),
}

/// What a statement is about. AWS accepts a statement without actions; it has no effect.
pub(super) enum Actions {
    Named(Vec<String>),
    AllBut(Vec<String>),
}

/// Whom a statement names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// `*`.
    Anybody,
    /// An account, by its id or its root, or a user.
    One(Principal),
    /// What cannot exist here: roles, sessions, and texts that are no principals.
    Unknown,
}

impl Document {
    /// Reads a document; the error is the text for the client.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let document: Value = serde_json::from_str(text).map_err(|_| "Syntax errors in policy.")?;
        // Without a version a document is of the older one.
        match document.get("Version").map(Value::as_str) {
            None | Some(Some("2012-10-17" | "2008-10-17")) => {}
            Some(_) => return Err("The policy's Version must be 2012-10-17 or 2008-10-17."),
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
            _ => return Err("Policy document must contain a Statement."),
        };
        Ok(Self { statements: statements.iter().map(Statement::parse).collect::<Result<_, _>>()? })
    }

    /// Every AWS principal that is named anywhere.
    pub(super) fn principals(&self) -> impl Iterator<Item = &Named> {
        self.statements.iter().flat_map(|statement| match &statement.principals {
            Principals::Named(principals) | Principals::AllBut(principals) => principals,
        })
    }
}

impl Statement {
    fn parse(value: &Value) -> Result<Self, &'static str> {
        let statement = value.as_object().ok_or("Every statement must be an object.")?;
        let allows = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("Every statement must have the Effect Allow or Deny."),
        };
        Ok(Self {
            allows,
            principals: Principals::parse(statement)?,
            actions: Actions::parse(statement)?,
            has_condition: statement
                .get("Condition")
                .is_some_and(|condition| *condition != Value::Object(Map::new())),
        })
    }
}

impl Principals {
    fn parse(statement: &Map<String, Value>) -> Result<Self, &'static str> {
        match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(_), Some(_)) => Err("A statement cannot have both Principal and NotPrincipal."),
            (None, Some(principals)) => aws_principals(principals).map(Self::AllBut),
            (Some(principals), None) => aws_principals(principals).map(Self::Named),
            (None, None) => Ok(Self::Named(Vec::new())),
        }
    }
}

impl Actions {
    fn parse(statement: &Map<String, Value>) -> Result<Self, &'static str> {
        match (statement.get("Action"), statement.get("NotAction")) {
            (Some(_), Some(_)) => Err("A statement cannot have both Action and NotAction."),
            (None, Some(actions)) => texts(actions).map(Self::AllBut),
            (Some(actions), None) => texts(actions).map(Self::Named),
            (None, None) => Ok(Self::Named(Vec::new())),
        }
    }
}

fn aws_principals(value: &Value) -> Result<Vec<Named>, &'static str> {
    match value {
        Value::String(text) if text == "*" => Ok(vec![Named::Anybody]),
        Value::Object(kinds) => match kinds.get("AWS") {
            Some(principals) => Ok(texts(principals)?.iter().map(|text| Named::parse(text)).collect()),
            None => Ok(Vec::new()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("Principal must be * or an object.")
        }
    }
}

/// A text or a list of texts.
fn texts(value: &Value) -> Result<Vec<String>, &'static str> {
    const WRONG: &str = "Actions and principals must be strings or lists of strings.";
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned).ok_or(WRONG)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(WRONG),
    }
}

impl Named {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Anybody;
        }
        match text.parse() {
            Ok(account) => Self::One(Principal::Account(account)),
            Err(_) => Principal::parse(text).map_or(Self::Unknown, Self::One),
        }
    }
}
