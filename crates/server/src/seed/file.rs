//! A seed file, read and checked as a whole.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use base::{AccountId, KeyId, Region, SecretArray, SecretString};
use identity::{AccessKeyId, ManagedPolicyArn, UserName, UserPath};
use toml::Spanned;

use super::raw::{RawAccessKey, RawAccount, RawFile, RawKey, RawUser};

/// Largest seed file, in bytes.
const FILE_LENGTH_MAX: u64 = 4 * 1_024 * 1_024;
/// Most problems that are told at once.
const PROBLEMS_MAX: usize = 20;
/// Two access keys a user, as in IAM.
const ACCESS_KEYS_PER_USER_MAX: usize = 2;
const MANAGED_POLICIES_PER_USER_MAX: usize = 20;
const SECRET_LENGTH_MAX: usize = 128;
/// Limits of the KMS model and its quotas.
const ALIAS_LENGTH_MAX: usize = 256;
const DESCRIPTION_LENGTH_MAX: usize = 8_192;
const POLICY_LENGTH_MAX: usize = 32_768;
const TAGS_MAX: usize = 50;
const TAG_KEY_LENGTH_MAX: usize = 128;
const TAG_VALUE_LENGTH_MAX: usize = 256;
const ALIASES_PER_KEY_MAX: usize = 50;
/// A key is made with all its material in one commit; so much fits.
const MATERIALS_MAX: usize = 32;

/// The seed that `--dev` brings: an account, a user and an access key that everybody knows.
const DEVELOPMENT: &str = r#"
[[account]]
id = "000000000000"
[[account.user]]
name = "test"
managed_policies = ["arn:aws:iam::aws:policy/AdministratorAccess"]
[[account.user.access_key]]
id = "test"
secret = "test"
"#;

/// What a seed is for. Only tests may bring key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Production,
    Development,
}

/// Everything a seed file asks for, checked.
pub(crate) struct SeedFile {
    pub(crate) accounts: Vec<SeedAccount>,
}

/// An account and what should be in it.
pub(crate) struct SeedAccount {
    pub(crate) id: AccountId,
    /// Of its root user.
    pub(crate) root_access_keys: Vec<SeedAccessKey>,
    pub(crate) users: Vec<SeedUser>,
    pub(crate) keys: Vec<SeedKey>,
}

/// A user with given access keys.
pub(crate) struct SeedUser {
    pub(crate) name: UserName,
    pub(crate) path: UserPath,
    pub(crate) managed_policies: Vec<ManagedPolicyArn>,
    pub(crate) access_keys: Vec<SeedAccessKey>,
}

/// An access key with a given secret.
pub(crate) struct SeedAccessKey {
    pub(crate) id: AccessKeyId,
    pub(crate) secret: SecretString,
}

/// A symmetric encryption key (`SYMMETRIC_DEFAULT`, `ENCRYPT_DECRYPT`) with a given id.
pub(crate) struct SeedKey {
    pub(crate) region: Region,
    pub(crate) id: KeyId,
    pub(crate) description: String,
    /// The policy document, byte for byte; the default one if absent.
    pub(crate) policy: Option<String>,
    /// Key and value, ordered by key, each key once.
    pub(crate) tags: Vec<(String, String)>,
    /// Oldest first; the last one encrypts. Empty: material is drawn at random.
    pub(crate) material: Vec<SecretArray<32>>,
    /// With their `alias/`.
    pub(crate) aliases: Vec<String>,
    /// Whether the key is made enabled.
    pub(crate) enabled: bool,
}

/// A seed file cannot be used. Nothing of it was applied. No text of a secret is ever in here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("seed file {file}: cannot be read: {source}; check the path and its permissions")]
    Unreadable { file: String, source: std::io::Error },
    #[error("seed file {file}: larger than {FILE_LENGTH_MAX} bytes; split it and start once with each part")]
    TooLarge { file: String },
    #[error("seed file {file}: not a text in UTF-8; save it in that encoding")]
    NotText { file: String },
    #[error("seed file {file}, line {line}: {message}")]
    Form { file: String, line: usize, message: String },
    #[error("{}", listed(.file, .problems))]
    Invalid { file: String, problems: Vec<Problem> },
}

/// One thing in a seed file that has to be changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl SeedFile {
    /// Reads and checks the file at `path`.
    pub(crate) fn read(path: &Path, purpose: Purpose) -> Result<Self, SeedError> {
        let file = path.display().to_string();
        let unreadable = |source| SeedError::Unreadable { file: file.clone(), source };
        let mut bytes = Vec::new();
        let opened = File::open(path).map_err(unreadable)?;
        opened.take(FILE_LENGTH_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_LENGTH_MAX) {
            return Err(SeedError::TooLarge { file });
        }
        let text = String::from_utf8(bytes).map_err(|_| SeedError::NotText { file: file.clone() })?;
        Self::parse(&file, SecretString::new(text).expose(), purpose)
    }

    /// Checks the text of a seed file; `file` is the name for messages.
    pub(crate) fn parse(file: &str, text: &str, purpose: Purpose) -> Result<Self, SeedError> {
        let raw: RawFile = toml::from_str(text).map_err(|error| SeedError::Form {
            file: file.to_owned(),
            line: line_at(text, error.span()),
            message: without_value(error.message()),
        })?;
        let mut check = Check { text, purpose, problems: Vec::new(), seen: BTreeSet::new() };
        let accounts = raw.account.iter().filter_map(|account| check.account(account)).collect();
        if check.problems.is_empty() {
            Ok(Self { accounts })
        } else {
            Err(SeedError::Invalid { file: file.to_owned(), problems: check.problems })
        }
    }

    /// The built-in seed of `--dev`: account 000000000000, administrator `test`, access key `test` with the secret
    /// `test`.
    pub(crate) fn development() -> Result<Self, SeedError> {
        Self::parse("of --dev", DEVELOPMENT, Purpose::Development)
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// Goes through a file, keeps what is wrong and what must not come twice.
struct Check<'a> {
    text: &'a str,
    purpose: Purpose,
    problems: Vec<Problem>,
    seen: BTreeSet<String>,
}

impl Check<'_> {
    fn account(&mut self, raw: &RawAccount) -> Option<SeedAccount> {
        let id: Option<AccountId> = self.parse(&raw.id);
        self.once(&raw.id, "account", raw.id.get_ref());
        let scope = raw.id.get_ref();
        self.at_most(&raw.id, "root access keys", raw.root_access_key.len(), ACCESS_KEYS_PER_USER_MAX);
        let root_access_keys = raw.root_access_key.iter().filter_map(|key| self.access_key(key)).collect();
        let users = raw.user.iter().filter_map(|user| self.user(scope, user)).collect();
        let keys = raw.key.iter().filter_map(|key| self.key(scope, key)).collect();
        Some(SeedAccount { id: id?, root_access_keys, users, keys })
    }

    fn user(&mut self, account: &str, raw: &RawUser) -> Option<SeedUser> {
        let name: Option<UserName> = self.parse(&raw.name);
        if let Some(name) = &name {
            self.once(&raw.name, "user", &format!("{account}/{}", name.folded()));
        }
        let path = raw.path.as_ref().map_or(Some(UserPath::default()), |path| self.parse(path));
        let given = raw.managed_policies.as_deref();
        let policies = given.map_or(0, <[_]>::len);
        self.at_most(&raw.name, "managed policies", policies, MANAGED_POLICIES_PER_USER_MAX);
        self.at_most(&raw.name, "access keys", raw.access_key.len(), ACCESS_KEYS_PER_USER_MAX);
        // Who is not told otherwise is an administrator: nobody is locked out of a service that is just set up.
        let managed_policies = match given {
            Some(arns) => arns.iter().filter_map(|arn| self.parse(arn)).collect(),
            None => vec![ManagedPolicyArn::administrator_access()],
        };
        let access_keys = raw.access_key.iter().filter_map(|key| self.access_key(key)).collect();
        Some(SeedUser { name: name?, path: path?, managed_policies, access_keys })
    }

    fn access_key(&mut self, raw: &RawAccessKey) -> Option<SeedAccessKey> {
        let id: Option<AccessKeyId> = self.parse(&raw.id);
        self.once(&raw.id, "access key", raw.id.get_ref());
        let secret = raw.secret.get_ref().0.expose();
        let usable = (1..=SECRET_LENGTH_MAX).contains(&secret.len())
            && secret.bytes().all(|byte| byte.is_ascii_graphic());
        if !usable {
            self.problem(&raw.secret, "a secret has 1 to 128 visible ASCII characters and no spaces");
        }
        Some(SeedAccessKey { id: id?, secret: SecretString::new(secret.to_owned()) })
    }

    fn key(&mut self, account: &str, raw: &RawKey) -> Option<SeedKey> {
        let region: Option<Region> = self.parse(&raw.region);
        let id: Option<KeyId> = self.parse(&raw.id);
        let scope = format!("{account}/{}", raw.region.get_ref());
        self.once(&raw.id, "key", &format!("{scope}/{}", raw.id.get_ref()));
        self.only(raw.spec.as_ref(), "spec", &["SYMMETRIC_DEFAULT"]);
        self.only(raw.usage.as_ref(), "usage", &["ENCRYPT_DECRYPT"]);
        self.only(raw.state.as_ref(), "state", &["enabled", "disabled"]);
        self.policy(raw.policy.as_ref());
        self.at_most(&raw.id, "aliases", raw.aliases.len(), ALIASES_PER_KEY_MAX);
        for alias in &raw.aliases {
            self.alias(&scope, alias);
        }
        let description = raw.description.as_ref();
        if let Some(text) = description.filter(|text| text.get_ref().chars().count() > DESCRIPTION_LENGTH_MAX)
        {
            self.problem(text, "a description has at most 8192 characters; shorten it");
        }
        Some(SeedKey {
            region: region?,
            id: id?,
            description: description.map(|text| text.get_ref().clone()).unwrap_or_default(),
            policy: raw.policy.as_ref().map(|policy| policy.get_ref().clone()),
            tags: self.tags(raw),
            material: self.materials(raw),
            aliases: raw.aliases.iter().map(|alias| alias.get_ref().clone()).collect(),
            enabled: raw.state.as_ref().is_none_or(|state| state.get_ref() == "enabled"),
        })
    }

    fn policy(&mut self, policy: Option<&Spanned<String>>) {
        let Some(policy) = policy else { return };
        if policy.get_ref().len() > POLICY_LENGTH_MAX {
            self.problem(policy, "a key policy has at most 32768 bytes; shorten it");
        }
        let document = serde_json::from_str::<serde_json::Value>(policy.get_ref());
        if !document.is_ok_and(|document| document.is_object()) {
            self.problem(policy, "a key policy is a JSON object; check its braces and quotes");
        }
    }

    fn alias(&mut self, scope: &str, alias: &Spanned<String>) {
        let name = alias.get_ref();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
        let formed =
            name.strip_prefix("alias/").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed));
        if !formed || name.len() > ALIAS_LENGTH_MAX {
            self.problem(
                alias,
                "an alias is alias/ and then A-Z, a-z, 0-9, /, _ and -; 256 characters in all",
            );
        } else if name.starts_with("alias/aws/") {
            self.problem(alias, "alias/aws/ is kept for AWS managed keys; choose another name");
        }
        self.once(alias, "alias", &format!("{scope}/{name}"));
    }

    fn tags(&mut self, raw: &RawKey) -> Vec<(String, String)> {
        self.at_most(&raw.id, "tags", raw.tags.len(), TAGS_MAX);
        for (key, value) in &raw.tags {
            let fits = (1..=TAG_KEY_LENGTH_MAX).contains(&key.chars().count())
                && value.get_ref().chars().count() <= TAG_VALUE_LENGTH_MAX;
            if !fits {
                self.problem(value, "a tag's key has 1 to 128 characters, its value at most 256");
            }
            if key.to_lowercase().starts_with("aws:") {
                self.problem(value, "tag keys that begin with aws: are kept for AWS; choose another key");
            }
        }
        raw.tags.iter().map(|(key, value)| (key.clone(), value.get_ref().clone())).collect()
    }

    fn materials(&mut self, raw: &RawKey) -> Vec<SecretArray<32>> {
        let Some(material) = &raw.material else { return Vec::new() };
        if self.purpose == Purpose::Production {
            self.problem(
                material,
                "key material in a seed file is for tests; leave it out, or start with --dev",
            );
        }
        let texts = &material.get_ref().0;
        if texts.is_empty() {
            self.problem(
                material,
                "the list of key material is empty; leave it out to draw material at random",
            );
        }
        self.at_most(material, "materials", texts.len(), MATERIALS_MAX);
        let decoded: Vec<_> = texts.iter().filter_map(decode_material).collect();
        if decoded.len() != texts.len() {
            self.problem(
                material,
                "key material is 32 bytes in base64, like the output of openssl rand -base64 32",
            );
        }
        decoded
    }

    /// Parses a value; what its type says about a wrong one is told with the value, which is never a secret here.
    fn parse<T: FromStr<Err: Display>>(&mut self, value: &Spanned<String>) -> Option<T> {
        let parsed = value.get_ref().parse();
        parsed
            .map_err(|error| self.problem(value, &format!("{:?}: {error}", shortened(value.get_ref()))))
            .ok()
    }

    fn only(&mut self, value: Option<&Spanned<String>>, name: &str, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(&value.get_ref().as_str())) {
            let text = shortened(value.get_ref());
            let choice = allowed.join(" or ");
            self.problem(value, &format!("{name} {text:?} is not offered; write {choice}, or leave it out"));
        }
    }

    /// `name` is what must be unique: the value within its account and Region.
    fn once(&mut self, value: &Spanned<String>, kind: &str, name: &str) {
        if !self.seen.insert(format!("{kind} {name}")) {
            let text = shortened(value.get_ref());
            self.problem(value, &format!("{kind} {text:?} stands here a second time; keep one of them"));
        }
    }

    fn at_most<T>(&mut self, value: &Spanned<T>, kind: &str, count: usize, max: usize) {
        if count > max {
            self.problem(value, &format!("{count} {kind}, but at most {max} are possible; remove some"));
        }
    }

    fn problem<T>(&mut self, value: &Spanned<T>, text: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            let line = line_at(self.text, Some(value.span()));
            self.problems.push(Problem { line, text: text.to_owned() });
        }
    }
}

fn decode_material(text: &SecretString) -> Option<SecretArray<32>> {
    let decoded = base64_simd::STANDARD.decode_to_vec(text.expose()).ok()?;
    SecretArray::copy_from(base::SecretBytes::new(decoded).expose())
}

/// The line of a place in the text, counted from 1.
fn line_at(text: &str, span: Option<Range<usize>>) -> usize {
    let before = span.and_then(|span| text.as_bytes().get(..span.start)).unwrap_or_default();
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// The longest name that is told back; the longest that there is has half as many characters.
const TOLD_NAME_LENGTH_MAX: usize = 32;

/// serde tells the value it did not expect; in a seed file that may be a secret. So may be a name, where a value was
/// put in its place: only what looks like a misspelt one is told.
pub(super) fn without_value(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let tells_value = first.contains("invalid type:") || first.contains("invalid value:");
    match message.rsplit_once(", expected ") {
        Some((unknown, expected)) if unknown.starts_with(UNKNOWN) && !tells_misspelt_name(unknown) => {
            format!("unknown name, expected {expected}")
        }
        Some((_, expected)) if tells_value => format!("wrong kind of value, expected {expected}"),
        None if tells_value => "wrong kind of value".to_owned(),
        _ => message.to_owned(),
    }
}

const UNKNOWN: &str = "unknown field `";

fn tells_misspelt_name(message: &str) -> bool {
    let name = message.strip_prefix(UNKNOWN).and_then(|rest| rest.strip_suffix('`'));
    let is_word = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    name.is_some_and(|name| name.len() <= TOLD_NAME_LENGTH_MAX && is_word(name))
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

fn listed(file: &str, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| format!("seed file {file}, {problem}")).collect();
    lines.join("\n")
}
