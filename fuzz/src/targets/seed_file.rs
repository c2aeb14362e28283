//! Seed files, ours and those of local-kms: refused with a word, or taken. No secret is ever told.

use keywright::readers;

use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target { name: "seed_file", run, seeds, words: &WORDS };

const WORDS: [&str; 30] = [
    "[[account]]\n",
    "[[account.user]]\n",
    "[[account.user.access_key]]\n",
    "[[account.root_access_key]]\n",
    "[[account.key]]\n",
    "id = ",
    "name = ",
    "secret = ",
    "path = ",
    "managed_policies = ",
    "region = ",
    "spec = ",
    "usage = ",
    "description = ",
    "policy = ",
    "tags = ",
    "material = ",
    "aliases = ",
    "state = ",
    "Keys:\n",
    "  Symmetric:\n",
    "    Aes:\n",
    "      - Metadata:\n",
    "          KeyId: ",
    "        BackingKeys:\n",
    "Aliases:\n",
    "  - AliasName: ",
    "    TargetKeyId: ",
    "&a ",
    "*a",
];

/// The secrets of the seeds: they stand in no message.
const SECRETS: [&str; 2] = ["wJalrXUtnFEMI", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (development, production) = (readers::seed_file(text, true), readers::seed_file(text, false));
    assert!(production.is_err() || development.is_ok(), "production takes what development refuses");
    for refusal in [development, production].into_iter().filter_map(Result::err) {
        assert!(!refusal.trim().is_empty(), "refused without a word");
        check_secrecy(&refusal);
    }
    let (account, region) = ("000000000000".parse().unwrap(), "eu-west-2".parse().unwrap());
    match readers::local_kms_seed(text, account, region) {
        Ok(converted) => {
            assert_eq!(readers::seed_file(&converted, true), Ok(()), "what was converted is not taken")
        }
        Err(refusal) => check_secrecy(&refusal),
    }
}

/// Ids and names are told, quoted or behind the word `key`; and whatever stands in the place of one is taken for one.
fn check_secrecy(told: &str) {
    for secret in SECRETS {
        for (before, _) in told.lines().filter_map(|line| line.split_once(secret)) {
            let is_in_place_of_id =
                before.contains('"') || before.starts_with("key ") || before.starts_with("alias/");
            assert!(is_in_place_of_id, "a secret is told: {told}");
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let folders = [("accepted", "toml"), ("refused", "toml"), ("local-kms", "yaml"), ("local-kms", "toml")];
    folders
        .iter()
        .flat_map(|(folder, extension)| corpus::files(&format!("seed/{folder}"), extension))
        .collect()
}
