//! From local-kms's seed file to ours.

use std::collections::BTreeSet;

use base::{AccountId, KeyId, Region, SecretBytes};
use serde::Serialize;
use serde_saphyr::{DuplicateKeyPolicy, Options};

use super::file::{Purpose, SeedError, SeedFile, without_value};
use super::local_kms::{KeyKind, LocalKmsAlias, LocalKmsKey, LocalKmsSeed};

/// Largest file to convert, in bytes.
const FILE_LENGTH_MAX: usize = 1_024 * 1_024;
const NODES_MAX: usize = 50_000;
const DEPTH_MAX: usize = 16;
/// Each can repeat almost the whole file.
const ANCHORS_MAX: usize = 32;
const REPLAYED_EVENTS_MAX: usize = 100_000;
const MATERIAL_LENGTH: usize = 32;

/// A converted file.
#[derive(Debug)]
pub(crate) struct Converted {
    /// A seed file of ours. It holds key material, so it can only be used with `--dev`.
    pub(crate) toml: String,
    /// What was changed or left out, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// The file cannot be converted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    #[error("the file is larger than {FILE_LENGTH_MAX} bytes; convert it in parts")]
    TooLarge,
    #[error("not a seed file of local-kms, line {line}: {message}")]
    Form { line: u64, message: String },
    #[error("nothing in the file can be converted:\n{}", .notes.join("\n"))]
    Nothing { notes: Vec<String> },
    #[error("the converted file would not be taken: {0}")]
    Unusable(#[from] SeedError),
    #[error("the converted file could not be written down: {0}")]
    Encoding(#[from] toml::ser::Error),
}

/// Converts a seed file of local-kms (YAML) to a seed file of ours for one account and Region. What has no
/// counterpart here is left out, with a note.
pub(crate) fn convert(yaml: &str, account: AccountId, region: Region) -> Result<Converted, ConvertError> {
    let seed = read(yaml)?;
    let mut conversion = Conversion::default();
    for (kind, key) in &seed.keys.0 {
        conversion.key(*kind, key, region);
    }
    for alias in &seed.aliases {
        conversion.alias(alias);
    }
    let Conversion { keys, mut notes, .. } = conversion;
    if keys.is_empty() {
        return Err(ConvertError::Nothing { notes });
    }
    notes.push(format!(
        "the file has no users: add an [[account.user]] to account {account}, or convert with \
         --account 000000000000 and use the access key of --dev"
    ));
    let file = TargetFile { account: [TargetAccount { id: account.to_string(), key: keys }] };
    let toml = format!("{HEAD}{}", toml::to_string(&file)?);
    SeedFile::parse("as converted", &toml, Purpose::Development)?;
    Ok(Converted { toml, notes })
}

const HEAD: &str =
    "# Converted from a seed file of local-kms. Holds key material: for tests, only with --dev.\n\n";

fn read(yaml: &str) -> Result<LocalKmsSeed, ConvertError> {
    if yaml.len() > FILE_LENGTH_MAX {
        return Err(ConvertError::TooLarge);
    }
    serde_saphyr::from_str_with_options(yaml, options()).map_err(|error| {
        let message = without_value(&error.without_snippet().to_string());
        // The place is told once, in front, and nobody can set the parser's options.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        let message = message.split_once(", set ").map_or(message, |(message, _)| message);
        let line = error.location().map_or(1, |location| location.line());
        ConvertError::Form { line, message: message.to_owned() }
    })
}

/// Bounds that a real seed file never meets and a hostile one cannot pass.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_depth: DEPTH_MAX,
            max_documents: 1,
            max_aliases: ANCHORS_MAX,
            max_anchors: ANCHORS_MAX,
            max_merge_keys: ANCHORS_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPLAYED_EVENTS_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // Errors must not quote the file: it holds key material.
        with_snippet: false,
    }
}

#[derive(Serialize)]
struct TargetFile {
    account: [TargetAccount; 1],
}

#[derive(Serialize)]
struct TargetAccount {
    id: String,
    key: Vec<TargetKey>,
}

#[derive(Serialize)]
struct TargetKey {
    region: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    /// Oldest first.
    material: Vec<String>,
}

#[derive(Default)]
struct Conversion {
    keys: Vec<TargetKey>,
    aliases: BTreeSet<String>,
    notes: Vec<String>,
}

impl Conversion {
    fn key(&mut self, kind: KeyKind, key: &LocalKmsKey, region: Region) {
        let name = key.id().unwrap_or("without KeyId");
        match key.convert(kind, region) {
            Ok(target) if self.keys.iter().any(|other| other.id == target.id) => {
                self.note(format!("key {name} stands in the file twice: the second one is left out"));
            }
            Ok(target) => {
                self.changes(name, key, &target);
                self.keys.push(target);
            }
            Err(reason) => self.note(format!("key {name} is left out: {reason}")),
        }
    }

    fn changes(&mut self, name: &str, key: &LocalKmsKey, target: &TargetKey) {
        if target.id != name {
            self.note(format!("key {name} is written in lower case: calls must name {}", target.id));
        }
        if key.next_key_rotation.is_some() {
            self.note(format!("key {name}: NextKeyRotation is left out; call EnableKeyRotation instead"));
        }
        if key.metadata("Origin") == Some("EXTERNAL") {
            self.note(format!("key {name}: Origin EXTERNAL becomes AWS_KMS, with the same material"));
        }
        let carried = ["KeyId", "Description", "KeySpec", "CustomerMasterKeySpec", "KeyUsage", "Origin"];
        for field in key.metadata.keys().filter(|field| !carried.contains(&field.as_str())) {
            self.note(format!("key {name}: Metadata {field:?} is left out"));
        }
    }

    fn alias(&mut self, alias: &LocalKmsAlias) {
        let name = format!("alias/{}", alias.alias_name.strip_prefix("alias/").unwrap_or(&alias.alias_name));
        let target = alias.target_key_id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        if self.aliases.contains(&name) {
            return self.note(format!("{name} stands in the file twice: the second one is left out"));
        }
        match self.keys.iter_mut().find(|key| key.id == target) {
            Some(key) => {
                key.aliases.push(name.clone());
                self.aliases.insert(name);
            }
            None => self.note(format!("{name} is left out: its key {target:?} is not in the converted file")),
        }
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}

impl LocalKmsKey {
    fn id(&self) -> Option<&str> {
        self.key_id.as_deref().or(self.metadata("KeyId"))
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        self.metadata.get(field)?.as_deref()
    }

    /// The key in our form, or why there is none.
    fn convert(&self, kind: KeyKind, region: Region) -> Result<TargetKey, &'static str> {
        self.check_kind(kind)?;
        let id = self.id().ok_or("it has no KeyId")?.to_ascii_lowercase();
        id.parse::<KeyId>().map_err(|_| "its KeyId is not a UUID")?;
        let listed = self.material.as_ref().map(|material| &material.backing_keys);
        let backing_keys: Vec<&String> =
            self.backing_keys.iter().chain(listed.into_iter().flatten()).collect();
        if backing_keys.is_empty() {
            return Err("it has no backing key, and keys that wait for imported material cannot be seeded");
        }
        let material = backing_keys.into_iter().map(|text| material(text)).collect::<Option<Vec<_>>>();
        Ok(TargetKey {
            region: region.to_string(),
            id,
            description: self.metadata("Description").map(str::to_owned),
            aliases: Vec::new(),
            material: material.ok_or("a backing key is not 64 hexadecimal digits")?,
        })
    }

    fn check_kind(&self, kind: KeyKind) -> Result<(), &'static str> {
        let pem = self.private_key_pem.is_some()
            || self.material.as_ref().is_some_and(|material| material.private_key_pem.is_some());
        let spec = self.metadata("KeySpec").or(self.metadata("CustomerMasterKeySpec"));
        match kind {
            KeyKind::Rsa | KeyKind::Ecc => Err("asymmetric keys cannot be seeded"),
            KeyKind::Hmac => Err("HMAC keys cannot be seeded"),
            KeyKind::Aes | KeyKind::Listed if pem => Err("asymmetric keys cannot be seeded"),
            KeyKind::Aes | KeyKind::Listed if spec.is_some_and(|spec| spec != "SYMMETRIC_DEFAULT") => {
                Err("keys of its KeySpec cannot be seeded")
            }
            KeyKind::Aes | KeyKind::Listed => Ok(()),
        }
    }
}

/// Hexadecimal digits to base64.
fn material(hexadecimal: &str) -> Option<String> {
    let mut bytes = SecretBytes::zeroed(MATERIAL_LENGTH);
    if hexadecimal.len() != 2 * MATERIAL_LENGTH {
        return None;
    }
    for (byte, digits) in bytes.expose_mut().iter_mut().zip(hexadecimal.as_bytes().chunks(2)) {
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(base64_simd::STANDARD.encode_to_string(bytes.expose()))
}
