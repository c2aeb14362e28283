//! The configuration file, with variables of the environment behind a line of dashes.

use std::ffi::OsString;

use keywright::readers;

use crate::Target;

pub(crate) const TARGET: Target = Target { name: "configuration", run, seeds, words: &WORDS };

const EXAMPLE: &str = include_str!("../../../keywright.example.toml");

const WORDS: [&str; 18] = [
    "listen = ",
    "[limits]\n",
    "[tls]\n",
    "[organization]\n",
    "[[organization.",
    "[web_identity]\n",
    "[[web_identity.",
    "[kms]\n",
    "[request_quotas]\n",
    "per_second.",
    "KEYWRIGHT_",
    "KEYWRIGHT_LISTEN=",
    "KEYWRIGHT_PASSPHRASE=",
    "\n---\n",
    "'''",
    "18446744073709551616",
    "-1",
    "'o-a1b2c3d4e5'",
];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (file, environment) = text.split_once("\n---\n").unwrap_or((text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<(OsString, OsString)> =
        variables.map(|(name, value)| (name.into(), value.into())).collect();
    let outcome = readers::configuration(file, variables.clone());
    assert_eq!(readers::configuration(file, variables), outcome, "read twice with different outcomes");
    if let Err(told) = outcome {
        assert!(!told.trim().is_empty(), "refused without a word");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let uncommented: String = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with("# ") && *line != "#")
        .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
        .collect();
    // The examples of tables that may stand several times are commented out twice.
    let everything: String =
        EXAMPLE.lines().map(|line| format!("{}\n", line.trim_start_matches(['#', ' ']))).collect();
    [
        EXAMPLE.to_owned(),
        uncommented.clone(),
        everything,
        format!(
            "{uncommented}\n---\nKEYWRIGHT_LISTEN=127.0.0.1:1\nKEYWRIGHT_REGIONS=eu-central-1, us-east-1\n"
        ),
        concat!(
            "listen = '127.0.0.1:4599'\n[organization]\nid = 'o-a1b2c3d4e5'\n---\nKEYWRIGHT_DEV=1\n",
            "KEYWRIGHT_PASSPHRASE=x"
        )
        .to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}
