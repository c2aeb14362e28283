//! A server that runs somewhere already, by its URL: whatever speaks KMS.

use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base::SecretString;
use clap::Args;
use http::Uri;
use rustls::pki_types::ServerName;
use serde_json::json;

use super::Bench;
use crate::client::{Connection, Place, Tls};
use crate::contestant::Started;
use crate::keywright::{Record, trusting};
use crate::prepared::Signer;
use crate::progress;
use crate::report::Row;
use crate::rounds::{latency, rate};
use crate::sample::{Load, Shape};
use crate::workload;

const CONNECTIONS: usize = 32;

/// The server, and what may be done there.
#[derive(Args, Clone)]
pub(crate) struct Endpoint {
    /// A server that is measured with Encrypt beside Keywright and the floor, such as http://10.0.0.1:8080. The
    /// environment has the credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION.
    #[arg(long = "endpoint", value_name = "URL", requires = "key")]
    pub(crate) url: Option<Uri>,
    /// The id, ARN or alias of a key there, which the credentials may encrypt with.
    #[arg(long = "endpoint-key", value_name = "KEY")]
    key: Option<String>,
    /// The certificate of the authority that an https endpoint is trusted by, a file in PEM.
    #[arg(long = "endpoint-authority", value_name = "FILE")]
    authority: Option<PathBuf>,
}

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let Some(url) = bench.endpoint.url.clone() else {
        progress::say("no --endpoint is given");
        return Ok(());
    };
    let key = bench.endpoint.key.clone().context("there is no --endpoint-key")?;
    let place = place(&url, bench.endpoint.authority.as_deref())?;
    let signer = signer(&url)?;
    let asked_there = workload::encrypt(&signer, &[key], workload::POOL)?;
    let first = asked_there.first().context("nothing is asked")?;
    let answer = Connection::open(&place).await?.exchange(&first.http1()).await?;
    answer.expect_success().with_context(|| format!("{url} does not encrypt"))?;

    let floor = Started::floor(&bench.folder)?;
    let keywright = bench.keywright("endpoint-peer", Record::Durable, false)?;
    let own_key = keywright.create_key(&json!({})).await?;
    let requests = workload::encrypt(&keywright.user("app").await?, &[own_key], workload::POOL)?;
    let (shape, duration) = (Shape::Http1(CONNECTIONS), bench.rounds.duration);
    let loads = [
        Load { place: &place, requests: &asked_there, shape, duration, process: None },
        keywright.server.under(&requests, shape, duration),
        floor.under(&requests, shape, duration),
    ];
    let outcome = bench.rounds.run(&format!("Encrypt at {url}"), &loads).await?;
    let row = |name: &str, unit, what: &str, values: &[f64]| {
        Row::new(format!("endpoint_{name}"), unit, format!("Encrypt at {url}: {what}"), "", values)
    };
    bench.rows.extend([
        row("rate", "1/s", "rate, 32 connections", &outcome.of(0, rate)),
        row(
            "rate_to_keywright",
            "ratio",
            "rate to Keywright's, durable, started here",
            &outcome.ratio(0, 1, rate),
        ),
        row("rate_to_floor", "ratio", "rate to the floor's", &outcome.ratio(0, 2, rate)),
        row("p50", "us", "p50", &outcome.of(0, latency(0.5))),
        row("p99", "us", "p99", &outcome.of(0, latency(0.99))),
    ]);
    Ok(())
}

fn place(url: &Uri, authority: Option<&Path>) -> Result<Place> {
    let host = url.host().with_context(|| format!("{url} has no host"))?;
    let (port, tls) = match (url.scheme_str(), authority) {
        (Some("http"), _) => (80, None),
        (Some("https"), Some(authority)) => {
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
            (443, Some(Tls { config: trusting(authority)?, name }))
        }
        (Some("https"), None) => bail!("{url} is https: say whom to trust with --endpoint-authority"),
        _ => bail!("{url} is neither http nor https"),
    };
    let places = (host.trim_matches(['[', ']']), url.port_u16().unwrap_or(port)).to_socket_addrs();
    let address = places.with_context(|| format!("{host} has no address"))?.next();
    Ok(Place { address: address.with_context(|| format!("{host} has no address"))?, tls })
}

fn signer(url: &Uri) -> Result<Signer> {
    let given = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    if std::env::var_os("AWS_SESSION_TOKEN").is_some() {
        bail!("AWS_SESSION_TOKEN is set, and requests are signed with long-term credentials only");
    }
    Ok(Signer {
        host: url.authority().with_context(|| format!("{url} has no host"))?.to_string(),
        region: given("AWS_REGION")?,
        access_key_id: given("AWS_ACCESS_KEY_ID")?,
        secret: SecretString::new(given("AWS_SECRET_ACCESS_KEY")?),
    })
}
