//! Session tokens: a text is the token that was given out, or it is nobody's.

use std::sync::LazyLock;

use identity::Credentials;

use crate::Target;
use crate::bench::{Bench, form};

pub(crate) const TARGET: Target =
    Target { name: "session_token", run, seeds, words: &["AQAAAA", "AQAAAAE", "AQ==", "=", "ASIA"] };

struct Issued {
    bench: Bench,
    access_key_id: String,
    token: String,
}

static ISSUED: LazyLock<Issued> = LazyLock::new(|| {
    let bench = Bench::new();
    let body = form("GetSessionToken", wire::sts::VERSION, &[]);
    let answer = String::from_utf8(bench.call_identity(body.as_bytes()).unwrap()).unwrap();
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let (access_key_id, token) = (element("AccessKeyId"), element("SessionToken"));
    Issued { bench, access_key_id, token }
});

fn run(input: &[u8]) {
    let Issued { bench, access_key_id, token } = &*ISSUED;
    let Ok(text) = std::str::from_utf8(input) else { return };
    let found = bench
        .wait(bench.identity.credentials(access_key_id, Some(text)))
        .expect("no text is the service's fault");
    assert_eq!(
        matches!(found, Credentials::Known(_)),
        text == token,
        "a token opens that was not given out, or does not"
    );
    let found =
        bench.wait(bench.identity.credentials(text, Some(token))).expect("no text is the service's fault");
    assert_eq!(matches!(found, Credentials::Known(_)), text == access_key_id);
    let found = bench.wait(bench.identity.credentials(text, None)).expect("no text is the service's fault");
    assert!(matches!(found, Credentials::Unknown), "an access key without its token");
}

fn seeds() -> Vec<Vec<u8>> {
    [ISSUED.token.clone(), ISSUED.access_key_id.clone(), ISSUED.token.replace('A', "B")]
        .map(String::into_bytes)
        .to_vec()
}
