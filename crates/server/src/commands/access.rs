//! `keywright access`: asks a running service who can do what with a key.

use std::fmt::Write as _;

use serde_json::json;

use super::calling;
use crate::client::answers::{ActionAccess, KeyAccess, PrincipalAccess};
use crate::client::{Client, ClientError};
use crate::command_line::{Access, OutputFormat};
use crate::terminal;

/// Prints who can do what.
pub(super) async fn access(arguments: &Access) -> Result<(), ClientError> {
    let client = Client::new(calling::profile(&arguments.connection)?)?;
    let mut all = page(&client, &arguments.key, None).await?;
    while let Some(marker) = all.next_marker.take() {
        let next = page(&client, &arguments.key, Some(marker)).await?;
        all.next_marker = next.next_marker;
        for one in next.principals {
            // Somebody with several grants comes once for each page of grants.
            if !all.principals.contains(&one) {
                all.principals.push(one);
            }
        }
    }
    terminal::say(&match arguments.connection.format {
        OutputFormat::Text => rendered(&all),
        OutputFormat::Json => calling::as_json(&all),
    });
    Ok(())
}

async fn page(client: &Client, key: &str, marker: Option<String>) -> Result<KeyAccess, ClientError> {
    let request = match marker {
        Some(marker) => json!({"KeyId": key, "Marker": marker}),
        None => json!({"KeyId": key}),
    };
    client.call("ListKeyAccess", &request).await
}

fn rendered(all: &KeyAccess) -> String {
    let mut text = format!("{}\n", all.key_id);
    for principal in &all.principals {
        // Writing to a text cannot fail.
        let _ = principal.write_to(&mut text);
    }
    text
}

impl PrincipalAccess {
    fn write_to(&self, text: &mut String) -> std::fmt::Result {
        let who = match self.kind.as_str() {
            "EVERYBODY" => "everybody, in any account".to_owned(),
            "ACCOUNT" => format!("{} (whoever that account lets)", self.principal),
            kind => {
                let kind = kind.to_ascii_lowercase().replace('_', " ");
                let lets = if self.hidden_side.is_some() { ", as far as that account lets it" } else { "" };
                format!("{} ({kind}{lets})", self.principal)
            }
        };
        writeln!(text, "\n{who}")?;
        self.access.iter().try_for_each(|one| one.write_to(text))
    }
}

impl ActionAccess {
    fn write_to(&self, text: &mut String) -> std::fmt::Result {
        let names: Vec<_> =
            self.actions.iter().map(|action| action.strip_prefix("kms:").unwrap_or(action)).collect();
        let lines = wrapped(&names);
        writeln!(text, "  {:9}  {}", self.extent.to_ascii_lowercase(), lines.join("\n             "))?;
        let by = self.allowed_by.iter().map(ToString::to_string);
        let by = by.chain(self.grant_id.iter().map(|grant| format!("grant {grant}")));
        let by: Vec<_> = by.collect();
        if !by.is_empty() {
            writeln!(text, "             by {}", by.join(", and "))?;
        }
        for one in &self.depends_on {
            let conditions: Vec<_> = one.conditions.iter().map(ToString::to_string).collect();
            let conditions = if conditions.is_empty() {
                "a variable in Resource".to_owned()
            } else {
                conditions.join("; ")
            };
            let effect = if one.effect == "ALLOW" { "allows" } else { "denies" };
            writeln!(text, "             if {} {effect}: {conditions}", one.statement)?;
        }
        for grant in &self.depends_on_grants {
            writeln!(text, "             if grant {grant} applies: it has a constraint")?;
        }
        Ok(())
    }
}

/// Names, as many on a line as a screen holds.
fn wrapped(names: &[&str]) -> Vec<String> {
    const WIDTH: usize = 100;
    let mut lines = vec![String::new()];
    for (place, name) in names.iter().enumerate() {
        let more = if place + 1 < names.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = format!("{name}{more}"),
            Some(line) if line.len() + name.len() < WIDTH => line.push_str(&format!(" {name}{more}")),
            Some(_) | None => lines.push(format!("{name}{more}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_take_several_lines() {
        let names = ["GenerateDataKeyWithoutPlaintext"; 4];
        let lines = wrapped(&names);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.len() <= 101));
        assert_eq!(lines.concat().matches(',').count(), 3);
        assert_eq!(wrapped(&["a"]), ["a"]);
    }

    #[test]
    fn each_principal_is_told_with_what_it_hangs_on() {
        let name =
            |layer: &str, policy: serde_json::Value| json!({"Layer": layer, "Index": 1, "Policy": policy});
        let condition = json!({"Operator": "Bool", "Key": "aws:SecureTransport", "Wanted": ["false"]});
        let all: KeyAccess = serde_json::from_value(json!({"KeyId": "arn:k", "Principals": [
            {"Principal": "arn:root", "Kind": "ROOT", "Access": [
                {"Actions": ["kms:Decrypt", "kms:Encrypt"], "Extent": "ALWAYS", "AllowedBy": [name("RESOURCE_POLICY", json!(null))],
                 "DependsOn": [], "DependsOnGrants": []}]},
            {"Principal": "*", "Kind": "EVERYBODY", "Access": [
                {"Actions": ["kms:Decrypt"], "Extent": "SOMETIMES", "AllowedBy": [], "GrantId": "g",
                 "DependsOn": [{"Statement": name("SERVICE_CONTROL_POLICY", json!("scp")), "Effect": "DENY", "Conditions": [condition]}],
                 "DependsOnGrants": ["g"]}]},
            {"Principal": "arn:role", "Kind": "ROLE", "HiddenSide": "PRINCIPAL", "Access": []},
        ]})).unwrap();
        assert_eq!(
            rendered(&all),
            "arn:k\n\narn:root (root)\n  always     Decrypt, Encrypt\n             by statement 1 of the resource's policy\n\n\
             everybody, in any account\n  sometimes  Decrypt\n             by grant g\n             \
             if statement 1 of service control policy scp denies: Bool aws:SecureTransport false\n             \
             if grant g applies: it has a constraint\n\n\
             arn:role (role, as far as that account lets it)\n"
        );
    }
}
