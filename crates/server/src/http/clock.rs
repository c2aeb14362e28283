//! The settable clock of `--dev`: `GET /_dev/clock` tells the time, `POST` with `{"advance_seconds": n}` moves it
//! forward and then does the work that has become due.

use std::pin::Pin;
use std::sync::Arc;

use base::{Clock, Timestamp};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;

use super::OutgoingResponse;

/// Where the clock is.
pub(super) const PATH: &str = "/_dev/clock";
/// One step goes no further than a hundred years.
const ADVANCE_MAX_SECONDS: u64 = 100 * 366 * 86_400;

/// 9990-01-01T00:00:00Z: what is scheduled from here still has a date of four digits.
const LATEST: Timestamp = Timestamp::from_seconds(253_086_249_600);

type Advance = dyn Fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// The clock, and what moves it.
pub(crate) struct DevelopmentClock {
    clock: Arc<dyn Clock>,
    advance: Box<Advance>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    advance_seconds: u64,
}

impl DevelopmentClock {
    /// `advance` moves `clock` by this many seconds and returns when the work due by then is done.
    pub(crate) fn new<F, Work>(clock: Arc<dyn Clock>, advance: F) -> Self
    where
        F: Fn(u64) -> Work + Send + Sync + 'static,
        Work: Future<Output = ()> + Send + 'static,
    {
        Self { clock, advance: Box::new(move |seconds| Box::pin(advance(seconds))) }
    }

    /// Answers a call to the clock's path.
    pub(super) async fn answer(&self, method: &Method, headers: &HeaderMap, body: &[u8]) -> OutgoingResponse {
        if *method == Method::GET {
            return time(self.clock.now());
        }
        if *method != Method::POST {
            let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, "use GET or POST");
            answer.headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
            return answer;
        }
        // A page of another origin cannot send this type without a preflight, which nobody answers here.
        if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
            return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json");
        }
        let Ok(request) = serde_json::from_slice::<Request>(body) else {
            return refusal(StatusCode::BAD_REQUEST, "send {\"advance_seconds\": n}, n being a whole number");
        };
        if request.advance_seconds > ADVANCE_MAX_SECONDS {
            return refusal(StatusCode::BAD_REQUEST, "one step goes no further than a hundred years");
        }
        let seconds = i64::try_from(request.advance_seconds).unwrap_or(i64::MAX);
        if self.clock.now().plus_seconds(seconds) > LATEST {
            return refusal(StatusCode::BAD_REQUEST, "the clock goes no further than the year 9999");
        }
        (self.advance)(request.advance_seconds).await;
        time(self.clock.now())
    }
}

fn time(now: Timestamp) -> OutgoingResponse {
    json(StatusCode::OK, &serde_json::json!({ "now": now.iso_extended() }))
}

fn refusal(status: StatusCode, message: &str) -> OutgoingResponse {
    json(status, &serde_json::json!({ "message": message }))
}

fn json(status: StatusCode, value: &serde_json::Value) -> OutgoingResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    OutgoingResponse { status, headers, body: Bytes::from(value.to_string()) }
}

#[cfg(test)]
mod tests {
    use base::SettableClock;

    use super::*;

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(1_000_000_000)
        }
    }

    fn clock() -> DevelopmentClock {
        let clock = Arc::new(SettableClock::new(Fixed));
        let moved = Arc::clone(&clock);
        DevelopmentClock::new(clock, move |seconds| {
            moved.advance_millis(seconds * 1_000);
            std::future::ready(())
        })
    }

    async fn call(clock: &DevelopmentClock, method: Method, kind: &str, body: &str) -> (u16, String) {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())]);
        let answer = clock.answer(&method, &headers, body.as_bytes()).await;
        (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_clock_tells_the_time_and_moves_forward() {
        let clock = clock();
        let json = "application/json";
        assert_eq!(
            call(&clock, Method::GET, json, "").await,
            (200, r#"{"now":"2001-09-09T01:46:40Z"}"#.into())
        );
        let moved = call(&clock, Method::POST, json, r#"{"advance_seconds": 86400}"#).await;
        assert_eq!(moved, (200, r#"{"now":"2001-09-10T01:46:40Z"}"#.into()));
    }

    #[tokio::test]
    async fn other_calls_leave_it_alone() {
        let clock = clock();
        let json = "application/json";
        for (method, kind, body, status) in [
            (Method::PUT, json, r#"{"advance_seconds": 1}"#, 405),
            (Method::POST, "text/plain", r#"{"advance_seconds": 1}"#, 415),
            (Method::POST, json, "", 400),
            (Method::POST, json, r#"{"advance_seconds": -1}"#, 400),
            (Method::POST, json, r#"{"advance_seconds": 1.5}"#, 400),
            (Method::POST, json, r#"{"advance_seconds": 1, "more": 2}"#, 400),
            (Method::POST, json, r#"{"advance_seconds": 18446744073709551615}"#, 400),
        ] {
            assert_eq!(call(&clock, method, kind, body).await.0, status, "{body}");
        }
        assert!(call(&clock, Method::GET, json, "").await.1.contains("2001-09-09"));
    }
}
