//! `keywright clock advance`: asks a service that runs with `--dev` to move its clock.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::command_line::Advance;
use crate::terminal;

const PATH: &str = "/_dev/clock";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The answer comes when the work that became due is done.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_MAX: u64 = 16_384;

/// The clock was not moved, or it is not known whether it was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClockError {
    #[error("`{0}` is not a duration; write a whole number and a unit, such as 90s, 15m, 12h or 30d")]
    Duration(String),
    #[error("`{0}` is not an endpoint; write it as http://HOST:PORT, without TLS")]
    Endpoint(String),
    #[error("{endpoint} does not answer: {reason}; is Keywright running there?")]
    NoAnswer { endpoint: String, reason: String },
    #[error(
        "{endpoint} did not move its clock (status {status}); only a service started with --dev has a settable clock"
    )]
    Refused { endpoint: String, status: String },
}

/// Moves the clock and prints its new time.
pub(super) fn advance(arguments: &Advance) -> Result<(), ClockError> {
    let seconds = seconds(&arguments.duration)?;
    let authority = authority(&arguments.endpoint)?;
    let answer = post(&authority, &format!("{{\"advance_seconds\":{seconds}}}")).map_err(|error| {
        ClockError::NoAnswer { endpoint: arguments.endpoint.clone(), reason: error.to_string() }
    })?;
    let now = new_time(&answer)
        .map_err(|status| ClockError::Refused { endpoint: arguments.endpoint.clone(), status })?;
    terminal::say(&format!("The clock now stands at {now}.\n"));
    Ok(())
}

/// The seconds of a duration such as 90s, 15m, 12h or 30d.
pub(super) fn seconds(text: &str) -> Result<u64, ClockError> {
    let wrong = || ClockError::Duration(text.to_owned());
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: u64 = text.strip_suffix(unit).and_then(whole_number).ok_or_else(wrong)?;
    let scale = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    count.checked_mul(scale).ok_or_else(wrong)
}

fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn authority(endpoint: &str) -> Result<String, ClockError> {
    let wrong = || ClockError::Endpoint(endpoint.to_owned());
    let uri: http::Uri = endpoint.parse().map_err(|_| wrong())?;
    let plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/");
    let authority = uri.authority().filter(|_| plain).ok_or_else(wrong)?;
    Ok(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)))
}

fn post(authority: &str, body: &str) -> std::io::Result<String> {
    let nowhere = || std::io::Error::other("there is no such host");
    let address = authority.to_socket_addrs()?.next().ok_or_else(nowhere)?;
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
    let length = body.len();
    write!(
        stream,
        "POST {PATH} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The time in a good answer; else the status.
fn new_time(answer: &str) -> Result<String, String> {
    let status = answer.split_whitespace().nth(1).unwrap_or("missing").to_owned();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    let value: Option<serde_json::Value> = body.and_then(|body| serde_json::from_str(body).ok());
    let now = value.as_ref().and_then(|value| value.get("now")).and_then(serde_json::Value::as_str);
    now.filter(|_| status == "200").map(str::to_owned).ok_or(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, expected) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("0d", 0)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "d", "30", "-1d", "+1d", "1.5h", "1w", "1 d", "30D", "99999999999999999999d", "1日"]
        {
            assert_eq!(seconds(text), Err(ClockError::Duration(text.to_owned())), "{text}");
        }
        assert!(seconds("18446744073709551615d").is_err());
    }

    #[test]
    fn endpoints_are_plain_http() {
        assert_eq!(authority("http://127.0.0.1:4599").unwrap(), "127.0.0.1:4599");
        assert_eq!(authority("http://[::1]:4599/").unwrap(), "[::1]:4599");
        assert_eq!(authority("http://localhost").unwrap(), "localhost:80");
        for endpoint in ["", "localhost:4599", "https://localhost:4599", "http://localhost/path", "http://"] {
            assert!(authority(endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn the_answer_is_a_time_or_a_refusal() {
        let good = "HTTP/1.1 200 OK\r\na: b\r\n\r\n{\"now\":\"2001-09-10T01:46:40Z\"}";
        assert_eq!(new_time(good), Ok("2001-09-10T01:46:40Z".to_owned()));
        let refused = "HTTP/1.1 400 Bad Request\r\n\r\n{\"now\":\"2001-09-10T01:46:40Z\"}";
        assert_eq!(new_time(refused), Err("400".to_owned()));
        assert_eq!(new_time("HTTP/1.1 200 OK\r\n\r\n{}"), Err("200".to_owned()));
        assert_eq!(new_time(""), Err("missing".to_owned()));
    }
}
