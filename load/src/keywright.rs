//! Keywright as a contestant: started on a new data folder, with a user who may do what is measured and nothing else.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base::SecretString;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};

use crate::client::{Connection, Place, Tls};
use crate::contestant::{Started, free_address};
use crate::prepared::{Prepared, Signer};
use crate::process;

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const ACCOUNT: &str = "123456789012";
/// Access key and secret of administrators: the examples of AWS's documentation; they open nothing anywhere.
pub(crate) const ADMIN: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
const NEIGHBOUR: (&str, &str) = ("AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY");
/// The other account.
const NEIGHBOURS: &str = "210987654321";

/// The seed form of an account with its administrator.
fn account(id: &str, (access_key_id, secret): (&str, &str)) -> String {
    let managed = "arn:aws:iam::aws:policy/AdministratorAccess";
    format!(
        "[[account]]\nid = \"{id}\"\n\
         [[account.user]]\nname = \"admin\"\nmanaged_policies = [\"{managed}\"]\n\
         [[account.user.access_key]]\nid = \"{access_key_id}\"\nsecret = \"{secret}\"\n"
    )
}

/// How a record of what happened is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// On disk before the answer leaves: the default.
    Durable,
    /// Handed over before the answer leaves, written a few milliseconds later, and brought to disk once in a second.
    Interval,
}

/// A running Keywright.
pub(crate) struct Keywright {
    pub(crate) server: Started,
    pub(crate) admin: Signer,
    /// The administrator of another account.
    pub(crate) neighbour: Signer,
}

/// How it is started.
pub(crate) struct Choice<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) record: Record,
    pub(crate) tls: bool,
    /// Further settings by the names that they have in the environment.
    pub(crate) settings: &'a [(&'a str, &'a str)],
}

impl Keywright {
    /// Starts it on the folder, which is made if need be.
    pub(crate) fn start(choice: &Choice<'_>) -> Result<Self> {
        std::fs::create_dir_all(choice.folder)?;
        let (address, seed) = (free_address()?, choice.folder.join("seed.toml"));
        write_private(&seed, &(account(ACCOUNT, ADMIN) + &account(NEIGHBOURS, NEIGHBOUR)))?;
        let data = choice.folder.join("data");
        let mut command = Command::new(choice.binary);
        command.env_clear().args(["serve", "--listen", &address.to_string()]);
        command.arg("--data-dir").arg(&data).arg("--seed").arg(&seed);
        let interval = match choice.record {
            Record::Durable => "0",
            Record::Interval => "1000",
        };
        command.env("KEYWRIGHT_TRAIL_SYNC_INTERVAL_MILLISECONDS", interval);
        if choice.tls {
            command.env("KEYWRIGHT_TLS_DEVELOPMENT", "true");
        }
        command.envs(choice.settings.iter().copied());
        let mut server = Started::start(command, address, &choice.folder.join("log"))?;
        if choice.tls {
            let authority = data.join("tls-development-ca.pem");
            // The address is taken first, the certificate made then.
            server.wait_for(&authority)?;
            let name = ServerName::try_from("localhost")?;
            server.place.tls = Some(Tls { config: trusting(&authority)?, name });
        }
        let admin = Signer {
            host: address.to_string(),
            region: REGION.to_owned(),
            access_key_id: ADMIN.0.to_owned(),
            secret: SecretString::new(ADMIN.1.to_owned()),
        };
        let neighbour = admin.of(NEIGHBOUR.0.to_owned(), SecretString::new(NEIGHBOUR.1.to_owned()));
        Ok(Self { server, admin, neighbour })
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.server.place
    }

    /// Waits until it serves. It takes connections before that, and lets them wait.
    pub(crate) async fn ready(&self) -> Result<()> {
        let asked = Prepared {
            method: "GET",
            path: "/readyz".to_owned(),
            headers: vec![("host".to_owned(), self.admin.host.clone())],
            body: bytes::Bytes::new(),
        };
        self.send(&asked).await.map(drop)
    }

    /// What its process holds in memory.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        Ok(f64::from(u32::try_from(process::resident_kib(self.server.process)?)?) / 1_024.0)
    }

    /// Makes a key by the administrator; the answer is its ARN.
    pub(crate) async fn create_key(&self, body: &Value) -> Result<String> {
        let answer = self.call(&self.admin, "CreateKey", body).await?;
        let arn = answer.pointer("/KeyMetadata/Arn").and_then(Value::as_str);
        Ok(arn.context("CreateKey answered without an ARN")?.to_owned())
    }

    /// One call of KMS that must go well.
    pub(crate) async fn call(&self, signer: &Signer, operation: &str, body: &Value) -> Result<Value> {
        let text = self.send(&signer.kms(operation, &body.to_string(), 0)?).await?;
        Ok(serde_json::from_str(if text.is_empty() { "null" } else { &text })?)
    }

    /// A user with an access key, who may use the keys of the account by a policy of its own.
    pub(crate) async fn user(&self, name: &str) -> Result<Signer> {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:Sign", "kms:Verify"],
            "Resource": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/*"),
        }]});
        let policy = policy.to_string().replace('%', "%25").replace('&', "%26").replace('+', "%2B");
        let version = "Version=2010-05-08";
        self.send(&self.admin.iam(&format!("Action=CreateUser&{version}&UserName={name}"))?).await?;
        let put = format!(
            "Action=PutUserPolicy&{version}&UserName={name}&PolicyName=use-keys&PolicyDocument={policy}"
        );
        self.send(&self.admin.iam(&put)?).await?;
        let made = self.admin.iam(&format!("Action=CreateAccessKey&{version}&UserName={name}"))?;
        let made = self.send(&made).await?;
        let id = element(&made, "AccessKeyId").context("no access key id")?;
        let secret = element(&made, "SecretAccessKey").context("no secret access key")?;
        Ok(self.admin.of(id.to_owned(), SecretString::new(secret.to_owned())))
    }

    async fn send(&self, request: &Prepared) -> Result<String> {
        let mut connection = Connection::open(self.place()).await?;
        connection.exchange(&request.http1()).await?.expect_success()
    }
}

fn element<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value)
}

/// Believes whoever this authority, a file in PEM, has certified.
pub(crate) fn trusting(authority: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}
