//! Events as log records for an OpenTelemetry collector: OTLP over HTTP, in its JSON encoding.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::time::Duration;

use async_trait::async_trait;
use base::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, Url};
use serde_json::{Value, json};

use super::follower::LoggedEvent;
use super::{Receiver, SendError};

/// A collector that does not answer in this time is taken for gone.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// `INFO` in OpenTelemetry's data model of logs.
const SEVERITY: u8 = 9;

/// A collector.
pub(super) struct Collector {
    client: Client,
    url: Url,
}

impl Collector {
    /// The collector whose address this is.
    pub(super) fn new(address: &Url) -> Result<Self, SendError> {
        let refused = |error: &dyn std::fmt::Display| SendError(format!("{address}: {error}"));
        let client = Client::builder().timeout(WAIT_MAX).build().map_err(|error| refused(&error))?;
        let base = format!("{}/v1/logs", address.as_str().trim_end_matches('/'));
        Ok(Self { client, url: base.parse().map_err(|error| refused(&error))? })
    }
}

#[async_trait]
impl Receiver for Collector {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn remembers(&self) -> bool {
        true
    }

    async fn send(&mut self, events: &[LoggedEvent]) -> Result<(), SendError> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let answer = request.body(export_request(events).to_string()).send().await;
        if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::BAD_REQUEST) {
            // By OTLP, what was refused as bad is never sent again; it must not hold up what comes after it.
            tracing::warn!(events = events.len(), "the collector refuses events; they are not sent on");
            return Ok(());
        }
        let answer = answer.and_then(reqwest::Response::error_for_status);
        answer.map(|_| ()).map_err(|error| SendError(crate::causes::with_causes(&error)))
    }
}

/// An ExportLogsServiceRequest.
fn export_request(events: &[LoggedEvent]) -> Value {
    let records: Vec<Value> = events.iter().map(record).collect();
    json!({"resourceLogs": [{
        "resource": {"attributes": [attribute("service.name", "keywright")]},
        "scopeLogs": [{"scope": {"name": "audit"}, "logRecords": records}],
    }]})
}

fn record(event: &LoggedEvent) -> Value {
    let LoggedEvent { json, name, time } = event;
    let seconds = time.parse::<Timestamp>().map_or(0, Timestamp::seconds);
    json!({
        // 64-bit numbers are texts in this encoding.
        "timeUnixNano": format!("{seconds}000000000"), "severityNumber": SEVERITY, "severityText": "INFO",
        "eventName": name, "body": {"stringValue": json},
    })
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_record_for_each_event() {
        let event =
            LoggedEvent { json: "{}".into(), name: "Encrypt".into(), time: "2018-09-20T17:41:01Z".into() };
        let request = export_request(&[event.clone(), event]);
        let records = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0]["timeUnixNano"], "1537465261000000000");
        assert_eq!(
            (&records[0]["eventName"], &records[0]["body"]["stringValue"]),
            (&json!("Encrypt"), &json!("{}"))
        );
    }

    /// <https://opentelemetry.io/docs/specs/otlp/#failures-1>
    #[tokio::test]
    async fn what_is_refused_as_bad_is_let_go_and_what_fails_is_not() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", server.local_addr().unwrap());
        tokio::spawn(async move {
            for status in ["200 OK", "400 Bad Request", "503 Service Unavailable"] {
                let (mut stream, _) = server.accept().await.unwrap();
                let mut request = Vec::new();
                // Only the body ends so.
                while !request.ends_with(b"}]}]}") {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0);
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let mut collector = Collector::new(&address.parse().unwrap()).unwrap();
        for is_done in [true, true, false] {
            assert_eq!(collector.send(&[]).await.is_ok(), is_done);
        }
    }

    #[test]
    fn records_go_below_the_collectors_address() {
        for address in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/"] {
            let collector = Collector::new(&address.parse().unwrap()).unwrap();
            assert_eq!(collector.url.as_str(), "http://127.0.0.1:4318/v1/logs");
        }
    }
}
