//! Events on one line each, for people or for programs.

use audit::index::LoggedEvent;

use crate::command_line::OutputFormat;

/// The event on a line.
pub(super) fn line(event: &LoggedEvent, format: OutputFormat) -> String {
    match format {
        OutputFormat::Json => format!("{}\n", event.json),
        OutputFormat::Text => text(event),
    }
}

/// `2026-01-31T12:00:00Z  111122223333  eu-central-1  Decrypt  alice  arn:…  from 192.0.2.7  AccessDenied`
fn text(event: &LoggedEvent) -> String {
    let name = event.source.split('.').next().unwrap_or_default();
    let mut parts = vec![
        event.time.to_string(),
        event.account().to_string(),
        event.region().to_string(),
        format!("{name}:{}", event.name),
        who(event),
    ];
    // A key comes with its id behind its ARN; the ARN is enough.
    let resources = event.resources.iter().map(|resource| resource.name.as_str());
    let about: Vec<_> = resources
        .clone()
        .filter(|name| name.starts_with("arn:") || !resources.clone().any(|other| is_id_of(name, other)))
        .collect();
    parts.extend(about.into_iter().map(str::to_owned));
    parts.extend(event.source_address.as_ref().map(|address| format!("from {address}")));
    parts.extend(event.error_code.as_ref().map(|code| format!("REFUSED {code}")));
    let plain: String =
        parts.join("  ").chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    plain + "\n"
}

fn is_id_of(name: &str, arn: &str) -> bool {
    arn.strip_suffix(name).is_some_and(|start| start.ends_with('/'))
}

fn who(event: &LoggedEvent) -> String {
    let own = event.user_name.clone().or_else(|| event.user_arn.clone());
    match (own, &event.invoked_by) {
        (Some(own), Some(service)) => format!("{own} by {service}"),
        (Some(own), None) => own,
        (None, Some(service)) => service.clone(),
        (None, None) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234";

    fn event(more: &str) -> LoggedEvent {
        let json = format!(
            r#"{{"eventTime":"2026-01-31T12:00:00Z","eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7","eventID":"e","recipientAccountId":"111122223333"{more}}}"#
        );
        LoggedEvent::read(1, &json).unwrap()
    }

    #[test]
    fn an_event_is_a_line() {
        let resources = format!(r#","resources":[{{"type":"AWS::KMS::Key","ARN":"{KEY}"}}]"#);
        let refused = format!(
            r#"{resources},"userIdentity":{{"type":"IAMUser","userName":"al\nice"}},"errorCode":"AccessDenied""#
        );
        assert_eq!(
            line(&event(&refused), OutputFormat::Text),
            format!(
                "2026-01-31T12:00:00Z  111122223333  eu-central-1  kms:Decrypt  al ice  {KEY}  from 192.0.2.7  REFUSED AccessDenied\n"
            )
        );
        let service = r#","userIdentity":{"type":"Root","invokedBy":"s3.amazonaws.com"}"#;
        assert_eq!(
            line(&event(service), OutputFormat::Text),
            "2026-01-31T12:00:00Z  111122223333  eu-central-1  kms:Decrypt  root by s3.amazonaws.com  from 192.0.2.7\n"
        );
        let event = event("");
        assert_eq!(line(&event, OutputFormat::Json), format!("{}\n", event.json));
    }
}
