//! The built binary as a person or a supervisor meets it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);

fn keywright(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywright"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    keywright(arguments).output().unwrap()
}

/// Runs to the end, which has to be a failure with this code and one sentence that holds these words.
fn fails(arguments: &[&str], code: i32, words: &str) {
    fails_with(keywright(arguments), code, words);
}

fn fails_with(mut command: Command, code: i32, words: &str) {
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(words), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    assert!(told.starts_with("keywright: "), "{told}");
}

/// A running service; it is killed when a test leaves early.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(data: &Path, more: &[&str]) -> Self {
        let folder = data.display().to_string();
        let mut arguments = vec!["serve", "--data-dir", &folder, "--listen", "127.0.0.1:0"];
        arguments.extend(more);
        Self::wait(keywright(&arguments).spawn().unwrap())
    }

    /// Reads the log up to the line that tells the address.
    fn wait(mut process: Child) -> Self {
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut address = None;
        let mut seen = String::new();
        while address.is_none() {
            let start = seen.len();
            assert_ne!(log.read_line(&mut seen).unwrap(), 0, "{seen}");
            let line = seen.get(start..).unwrap_or_default();
            address = line.contains("listening").then(|| {
                let rest = line.split("address=").nth(1).unwrap();
                rest.split_whitespace().next().unwrap().to_owned()
            });
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { process, address: address.unwrap() }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it in good order and returns what it printed.
    fn stop(mut self, signal: Signal) -> String {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        let mut printed = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        printed
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    (place, data)
}

#[test]
fn the_first_start_makes_an_administrator_and_the_second_finds_everything() {
    let (_place, data) = place();
    let service = Service::start(&data, &[]);
    for path in ["/livez", "/readyz", "/healthz"] {
        assert!(service.get(path).starts_with("HTTP/1.1 200 OK\r\n"), "{path}");
    }
    let first = service.stop(Signal::TERM);
    for words in
        ["secret access key", "export AWS_CONFIG_FILE=", "export AWS_PROFILE=keywright", "aws kms create-key"]
    {
        assert!(first.contains(words), "{}", first);
    }
    let profile = std::fs::read_to_string(data.join("aws-profile")).unwrap();
    let secret = profile.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = ")).unwrap();
    assert!(secret.len() == 40 && first.contains(secret));
    for entry in std::fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().mode() & 0o077, 0, "{:?}", entry.file_name());
    }
    assert_eq!(data.metadata().unwrap().mode() & 0o777, 0o700);

    let second = Service::start(&data, &[]).stop(Signal::INT);
    assert!(second.contains("The profile of the first start") && !second.contains(secret));
    assert_eq!(std::fs::read_to_string(data.join("aws-profile")).unwrap(), profile);
}

#[test]
fn a_second_process_and_a_port_in_use_are_refused_and_the_first_goes_on() {
    let (_place, data) = place();
    let service = Service::start(&data, &[]);
    let folder = data.display().to_string();
    fails(
        &["serve", "--data-dir", &folder, "--listen", "127.0.0.1:0"],
        3,
        "in use by another Keywright process",
    );
    fails(&["domain-key", "rotate", "--data-dir", &folder, "--region", "eu-central-1"], 3, "in use");
    let (_elsewhere, other) = place();
    let other_folder = other.display().to_string();
    fails(&["serve", "--data-dir", &other_folder, "--listen", &service.address], 5, "already in use");
    // The port in use did not cost the first credentials.
    assert!(!other.join("root.json").exists());
    assert!(Service::start(&other, &[]).stop(Signal::TERM).contains("secret access key"));
    assert!(service.get("/livez").starts_with("HTTP/1.1 200"));
}

#[test]
fn tests_and_production_never_mix() {
    let (_place, data) = place();
    let (_elsewhere, tests) = place();
    Service::start(&data, &[]).stop(Signal::TERM);
    let dev = Service::start(&tests, &["--dev"]).stop(Signal::TERM);
    assert!(dev.contains("FOR TESTS ONLY"), "{}", dev);
    let (data, tests) = (data.display().to_string(), tests.display().to_string());
    fails(&["serve", "--data-dir", &data, "--dev"], 3, "production data");
    fails(&["serve", "--data-dir", &tests], 3, "made with --dev");
}

#[test]
fn a_passphrase_protects_and_can_be_changed() {
    let (place, data) = place();
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (first, second) = (file("first", "correct horse\n"), file("second", "battery staple\n"));
    Service::start(&data, &["--passphrase-file", &first]).stop(Signal::TERM);
    let folder = data.display().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &folder];
    fails(&serve, 4, "none was given");
    fails(&[&serve[..], &["--passphrase-file", &second]].concat(), 4, "passphrase");
    let mut from_environment = keywright(&serve);
    from_environment.env("KEYWRIGHT_PASSPHRASE", "wrong");
    fails_with(from_environment, 4, "passphrase");
    let change = ["root", "change-passphrase", "--data-dir", &folder, "--passphrase-file", &first];
    let changed = run(&[&change[..], &["--new-passphrase-file", &second]].concat());
    assert!(changed.status.success(), "{changed:?}");
    fails(&[&serve[..], &["--passphrase-file", &first]].concat(), 4, "passphrase");
    let mut opened = keywright(&serve);
    opened.env("KEYWRIGHT_PASSPHRASE", "battery staple");
    let service = Service::wait(opened.spawn().unwrap());
    assert!(service.get("/livez").starts_with("HTTP/1.1 200"));
    service.stop(Signal::TERM);
}

#[test]
fn damage_is_told_and_left_alone() {
    let (_place, data) = place();
    Service::start(&data, &[]).stop(Signal::TERM);
    let folder = data.display().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &folder];
    let (root, store) = (data.join("root.json"), data.join("keywright.redb"));
    let kept = std::fs::read(&root).unwrap();
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o644)).unwrap();
    fails(&serve, 4, "chmod 600");
    std::fs::remove_file(&root).unwrap();
    fails(&serve, 3, "root.json is missing");
    std::fs::write(&root, &kept).unwrap();
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o600)).unwrap();
    let whole = std::fs::read(&store).unwrap();
    let mut broken = whole.clone();
    broken.iter_mut().take(64).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&store, &broken).unwrap();
    fails(&serve, 3, "damaged");
    assert_eq!(std::fs::read(&store).unwrap(), broken);
    std::fs::write(&store, &whole).unwrap();
    Service::start(&data, &[]).stop(Signal::TERM);
}

#[test]
fn domain_keys_are_rotated_while_the_service_is_stopped() {
    let (_place, data) = place();
    let folder = data.display().to_string();
    let rotate = ["domain-key", "rotate", "--data-dir", &folder, "--region", "eu-central-1"];
    fails(&rotate, 3, "does not exist");
    Service::start(&data, &[]).stop(Signal::TERM);
    for number in 1..3 {
        let output = run(&rotate);
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains(&format!("Domain key {number} of eu-central-1")), "{told}");
    }
}

#[test]
fn the_clock_moves_with_dev_and_not_without() {
    let (_place, data) = place();
    let service = Service::start(&data, &["--dev"]);
    let endpoint = format!("http://{}", service.address);
    let before = service.get("/_dev/clock");
    let output = run(&["clock", "advance", "30d", "--endpoint", &endpoint]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("now stands at 2"));
    assert_ne!(service.get("/_dev/clock"), before);
    let (_elsewhere, other) = place();
    let production = Service::start(&other, &[]);
    fails(&["clock", "advance", "30d", "--endpoint", &format!("http://{}", production.address)], 1, "--dev");
    fails(&["clock", "advance", "30"], 1, "not a duration");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    fails(&["clock", "advance", "1s", "--endpoint", &nobody], 1, "does not answer");
}

#[test]
fn policies_are_looked_over_and_the_code_says_how_they_are() {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let statement = |principal: &str, action: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"*"}}"#)
    };
    let root = statement(r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, "kms:*");
    let document = |statements: &[&String]| {
        let statements: Vec<&str> = statements.iter().map(|text| text.as_str()).collect();
        format!("{{\"Version\":\"2012-10-17\",\r\n\"Statement\":[{}]}}", statements.join(",\r\n "))
    };
    let good = file("good.json", &document(&[&root]));
    let output = run(&["policy", "lint", &good, "--account", "111122223333"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("a key policy, for it has principals"), "{told}");
    assert!(told.ends_with("0 errors, 0 warnings, 0 notes\n") && output.stderr.is_empty(), "{told}");

    let bad = file("bad.json", &document(&[&root, &statement(r#""*""#, "kms:Decrypt")]));
    fails(&["policy", "lint", &bad], 6, "bad.json has 1 error, 0 warnings");
    let told = String::from_utf8(run(&["policy", "lint", &bad]).stdout).unwrap();
    assert!(told.contains(&format!("{bad}:3:2: error [public-access] statement 2: ")), "{told}");
    let output = run(&["policy", "lint", &bad, "--format", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["kind"], &told["errors"]), (&"key".into(), &1.into()));
    assert_eq!(told["findings"][0]["rule"], "public-access");

    let note = file("note.json", &document(&[&root, &statement(r#"{"AWS":"444455556666"}"#, "kms:Decrypt")]));
    assert!(run(&["policy", "lint", &note, "--account", "111122223333"]).status.success());
    fails(&["policy", "lint", &good, "--kind", "identity"], 2, "Has prohibited field Principal");
    fails(
        &["policy", "lint", &file("x.json", "{\n \"Statement\": [,]}")],
        2,
        "is not JSON: expected value at line 2",
    );
    fails(&["policy", "lint", &file("large.json", &" ".repeat(200_000))], 2, "more than 131072 bytes");
    fails(&["policy", "lint", "/no/such/file"], 2, "/no/such/file cannot be read");
    assert_eq!(run(&["policy", "lint", &good, "--kind", "bucket"]).status.code(), Some(2));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 5);
}

#[test]
fn a_policy_is_read_from_standard_input() {
    let mut lint =
        keywright(&["policy", "lint", "-", "--kind", "trust"]).stdin(Stdio::piped()).spawn().unwrap();
    let text = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#;
    lint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = lint.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.starts_with("standard input: looked at as a trust policy\nstandard input:1:14: error"),
        "{told}"
    );
}

#[test]
fn the_development_certificate_is_offered_for_trust() {
    let (_place, data) = place();
    let service = Service::start(&data, &["--tls-development"]).stop(Signal::TERM);
    let authority = data.join("tls-development-ca.pem");
    assert!(service.contains(&format!("export AWS_CA_BUNDLE={}", authority.display())));
    assert!(service.contains("https://127.0.0.1:"));
}

#[test]
fn wrong_command_lines_and_configurations_have_their_code() {
    let (_place, data) = place();
    let folder = data.display().to_string();
    assert_eq!(run(&["server"]).status.code(), Some(2));
    fails(&["serve", "--config", "/no/such/file"], 2, "/no/such/file");
    fails(&["serve", "--data-dir", &folder, "--listen", "here"], 2, "`listen`");
    fails(&["serve", "--data-dir", &folder, "--tls-certificate", "x"], 2, "`tls.certificate`");
    assert!(!data.exists());
    let tls = ["--tls-certificate", "/no/cert", "--tls-key", "/no/key"];
    fails(&[&["serve", "--listen", "127.0.0.1:0", "--data-dir", &folder], &tls[..]].concat(), 5, "/no/cert");
    fails(&["serve", "--data-dir", "/proc/keywright"], 3, "/proc/keywright");
    let help = run(&["--help"]);
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("Exit codes"));
    assert!(run(&["version"]).status.success());
}
