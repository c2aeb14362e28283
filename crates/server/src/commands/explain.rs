//! `keywright explain`: asks a running service why it decided as it did about a request.

use std::fmt::Write as _;

use serde_json::json;

use super::calling;
use crate::client::answers::{Condition, Decision, ExplainedRequest, Grant, Statement};
use crate::client::{Client, ClientError};
use crate::command_line::{Explain, OutputFormat};
use crate::terminal;

/// Prints the decisions.
pub(super) async fn explain(arguments: &Explain) -> Result<(), ClientError> {
    let client = Client::new(calling::profile(&arguments.connection)?)?;
    let explained: ExplainedRequest =
        client.call("ExplainRequest", &json!({"RequestId": arguments.request_id})).await?;
    terminal::say(&match arguments.connection.format {
        OutputFormat::Text => rendered(&explained),
        OutputFormat::Json => calling::as_json(&explained),
    });
    Ok(())
}

fn rendered(explained: &ExplainedRequest) -> String {
    let mut text = format!("Request {}\n", explained.request_id);
    for decision in &explained.decisions {
        // Writing to a text cannot fail.
        let _ = decision.write_to(&mut text);
    }
    text
}

impl Decision {
    fn write_to(&self, text: &mut String) -> std::fmt::Result {
        let on = self.resource.as_deref().map(|arn| format!(" on {arn}")).unwrap_or_default();
        writeln!(text, "\n{} {}{on}", self.outcome, self.action)?;
        writeln!(text, "  principal  {}", self.principal)?;
        writeln!(text, "  because    {}", self.reason())?;
        if let Some(message) = &self.message {
            writeln!(text, "  told       {message}")?;
        }
        list(text, "What would have to change", self.changes.iter().cloned())?;
        list(
            text,
            &format!("Statements about {}", self.action),
            self.statements.iter().map(Statement::told),
        )?;
        list(text, "Grants", self.grants.iter().map(Grant::told))?;
        match self.hidden_side.as_deref() {
            Some("PRINCIPAL") => writeln!(
                text,
                "\n  What policies of the principal's account say, that account alone can see."
            ),
            Some(_) => writeln!(
                text,
                "\n  What account {} says about its resource, that account alone can see.",
                self.resource_account
            ),
            None => Ok(()),
        }
    }

    fn reason(&self) -> String {
        let by: Vec<_> = self.decided_by.iter().map(ToString::to_string).collect();
        let layer = self.layer.as_deref().map(layer_name).unwrap_or_default();
        match (self.cause.as_deref(), &self.grant_id) {
            (None, Some(grant)) => format!("grant {grant} allows it"),
            (None, None) if by.is_empty() => "nothing denies it".to_owned(),
            (None, None) => format!("{} allows it", by.join(", and ")),
            (Some("EXPLICIT_DENY"), _) => format!("{} denies it", by.join(", ")),
            (Some("IMPLICIT_DENY"), _) => format!("no {layer} allows it"),
            (Some("OUT_OF_REACH"), _) => {
                format!("nothing in account {} lets the principal in", self.resource_account)
            }
            (Some("NOT_FOR_POLICIES"), _) => "no policy was asked".to_owned(),
            (Some(_), _) => "of the other account's policies".to_owned(),
        }
    }
}

fn layer_name(layer: &str) -> String {
    layer.to_ascii_lowercase().replace('_', " ")
}

fn list(text: &mut String, title: &str, items: impl Iterator<Item = String>) -> std::fmt::Result {
    for (place, item) in items.enumerate() {
        if place == 0 {
            writeln!(text, "\n  {title}")?;
        }
        writeln!(text, "    - {item}")?;
    }
    Ok(())
}

impl Statement {
    fn told(&self) -> String {
        let effect = if self.effect == "ALLOW" { "allows" } else { "denies" };
        if self.matches {
            let conditions: Vec<_> = self.conditions.iter().map(ToString::to_string).collect();
            let under =
                if conditions.is_empty() { String::new() } else { format!(": {}", conditions.join("; ")) };
            let delegates = self.principal_match.as_deref() == Some("ACCOUNT") && effect == "allows";
            let does = if delegates { "leaves it to identity policies of the account" } else { effect };
            return format!("{} {does}{under}", self.statement);
        }
        let mut missing = Vec::new();
        if self.principal_match.is_none() {
            missing.push("it names others".to_owned());
        }
        if !self.resource_matches {
            missing.push("it is about other resources".to_owned());
        }
        missing.extend(self.conditions.iter().filter(|one| one.holds == Some(false)).map(Condition::told));
        format!("{} does not apply: {}", self.statement, missing.join("; "))
    }
}

impl Condition {
    fn told(&self) -> String {
        format!("{self}, but the request has {}", self.seen.as_deref().unwrap_or("nothing"))
    }
}

impl Grant {
    fn told(&self) -> String {
        let pairs = self.encryption_context.iter().flatten().map(|(key, value)| format!("{key}={value}"));
        let pairs: Vec<_> = pairs.collect();
        let only = match (self.constraint_type.as_deref(), &self.source_arn) {
            (Some("EQUALS"), _) => format!(" with the encryption context {{{}}} only", pairs.join(", ")),
            (Some(_), _) => format!(" with {{{}}} in the encryption context only", pairs.join(", ")),
            (None, Some(arn)) => format!(" on behalf of {arn} only"),
            (None, None) => String::new(),
        };
        let applies = if self.matches { "applies" } else { "does not apply" };
        format!("grant {} to {} {applies}; it allows{only}", self.grant_id, self.grantee_principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(answer: serde_json::Value) -> String {
        rendered(&serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn a_denial_is_told_with_what_would_have_to_change() {
        let condition = json!({"Operator": "StringEquals", "Key": "kms:ViaService", "Wanted": ["a", "b"], "Seen": "(absent)", "Holds": false});
        let statement = |index, effect, matches, conditions| {
            json!({
                "Statement": {"Layer": "RESOURCE_POLICY", "Index": index, "Sid": "S"}, "Effect": effect, "Matches": matches,
                "PrincipalMatch": if matches { "ACCOUNT" } else { "DIRECT" }, "ResourceMatches": matches, "Conditions": conditions,
            })
        };
        let text = explained(json!({"RequestId": "r", "Decisions": [{
            "Action": "kms:Decrypt", "Resource": "arn:k", "ResourceAccount": "1", "Principal": "arn:alice", "Outcome": "DENIED",
            "Cause": "IMPLICIT_DENY", "Layer": "RESOURCE_POLICY", "Message": "no", "DecidedBy": [],
            "Statements": [statement(1, "ALLOW", false, json!([condition])), statement(2, "ALLOW", true, json!([]))],
            "Grants": [{"GrantId": "g", "GranteePrincipal": "arn:bob", "Matches": false, "ConstraintType": "EQUALS", "EncryptionContext": {"k": "v"}}],
            "Changes": ["Do this."],
        }]}));
        assert_eq!(
            text,
            "Request r\n\nDENIED kms:Decrypt on arn:k\n  principal  arn:alice\n  because    no resource policy allows it\n  \
             told       no\n\n  What would have to change\n    - Do this.\n\n  Statements about kms:Decrypt\n    \
             - statement 1 (S) of the resource's policy does not apply: it is about other resources; StringEquals \
             kms:ViaService a or b, but the request has (absent)\n    - statement 2 (S) of the resource's policy leaves it to identity policies of the account\n\n  \
             Grants\n    - grant g to arn:bob does not apply; it allows with the encryption context {k=v} only\n"
        );
    }

    #[test]
    fn what_is_allowed_names_who_allows_and_another_account_is_told_less() {
        let decision = |more: serde_json::Value| {
            let mut decision = json!({"Action": "kms:Decrypt", "ResourceAccount": "1", "Principal": "p", "Outcome": "ALLOWED",
                "DecidedBy": [], "Statements": [], "Grants": [], "Changes": []});
            decision.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            explained(json!({"RequestId": "r", "Decisions": [decision]}))
        };
        let name = json!({"Layer": "IDENTITY_POLICY", "Index": 2, "Policy": "user policy p"});
        assert!(
            decision(json!({"DecidedBy": [name]}))
                .contains("because    statement 2 of user policy p allows it")
        );
        assert!(decision(json!({"GrantId": "g"})).contains("because    grant g allows it"));
        let foreign =
            decision(json!({"Outcome": "DENIED", "Cause": "OTHER_ACCOUNT", "HiddenSide": "RESOURCE"}));
        assert!(
            foreign.ends_with("What account 1 says about its resource, that account alone can see.\n"),
            "{foreign}"
        );
    }
}
